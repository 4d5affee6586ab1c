//! Radix select on the CPU: eleven bits at a time are counted, until few elements share those of the last wanted one. What may be wanted is
//! then packed, and what is left of it sorted out by std. If the elements are spread at all, one digit is enough.

use crate::backend::cpu::Cpu;
use crate::backend::memory::Memory;
use crate::backend::simd::ViewMut;
use crate::element::Scalar;
use crate::error::Result;
use crate::primitives::sort::{self, Order, SortKey};
use crate::primitives::{histogram, map, select};
use crate::source::{IntoSource, Places, Source, zip};

use super::rank::{At, Digit, KeyOf, Place, PositionOf, Rank, Row, Side};

/// Bits that are counted at a time: as many counters as stay in the first-level cache.
const WIDTH: u32 = 11;
/// What part of the elements is few.
const FEW: usize = 16;

/// What is known of the last wanted element.
struct Search<'c, T: SortKey> {
    cpu: &'c Cpu<'c>,
    largest: bool,
    place: Place<T>,
    /// Its lowest bit that is known.
    shift: u32,
    /// How many elements share the bits that are known.
    among: usize,
}

impl<'c, T: SortKey> Search<'c, T> {
    /// Looks for the element with this number from 1 on, until few share what is known of it, or all is known.
    fn run<R: Row<Key = T>, S: Source<Item = R>>(
        cpu: &'c Cpu<'c>,
        source: &S,
        n: usize,
        number: usize,
        largest: bool,
    ) -> Result<Self> {
        let place = (Rank::<T>::ZERO, number as u32);
        let mut search: Search<'_, T> = Search { cpu, largest, place, shift: 8 * size_of::<T>() as u32, among: n };
        while search.shift > 0 && search.among > n / FEW {
            let width = WIDTH.min(search.shift);
            search.shift -= width;
            let place = [search.place];
            let digit = Digit { at: At::<T>::Slice(&place), largest, shift: search.shift, width };
            let counts = histogram::cpu::histogram(cpu, &source.map(digit), 1 << width, n)?;
            let (mut digit, mut left) = (0, search.place.1);
            while counts[digit] < left {
                left -= counts[digit];
                digit += 1;
            }
            search.place = (Rank::<T>::from_bits(search.place.0.bits() + ((digit as u64) << search.shift)), left);
            search.among = counts[digit] as usize;
        }
        Ok(search)
    }

    /// The rows of so many classes.
    fn split<R: Row<Key = T>, S: Source<Item = R>, const K: usize>(
        &self,
        source: &S,
        n: usize,
        classes: [u32; 2],
    ) -> Result<[Memory<R>; K]> {
        let place = [self.place];
        let side = Side { at: At::<T>::Slice(&place), largest: self.largest, shift: self.shift, classes };
        select::cpu::select(self.cpu, &source.map(side), n)
    }
}

/// The `k` first rows of `n`, not in order, but that equal ones keep theirs.
fn wanted<R: Row, S: Source<Item = R>>(cpu: &Cpu<'_>, source: &S, n: usize, k: usize, largest: bool) -> Result<Memory<R>> {
    if k == n {
        return cpu.allocate(n, |out| map::cpu::fill(cpu, source, out, n));
    }
    let search = Search::run(cpu, source, n, k, largest)?;
    let [mut wanted, mut among] = search.split::<R, S, 2>(source, n, Side::<R::Key>::BOTH)?;
    let left = search.place.1 as usize;
    if search.shift > 0 && left < among.len() {
        among.select_nth_unstable_by_key(left, |row| row.rank(largest));
        among.vec().truncate(left);
        among.sort_unstable_by_key(|row| row.rank(largest));
    }
    wanted.vec().extend_from_slice(&among[..left]);
    Ok(wanted)
}

/// The first keys, in order: as many as there is room for.
pub(super) fn keys<T: SortKey, S: Source<Item = T>>(
    cpu: &Cpu<'_>,
    source: &S,
    n: usize,
    largest: bool,
    out: ViewMut<'_, T>,
) -> Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    let rows = wanted(cpu, source, n, out.len(), largest)?;
    sort::cpu::sort(cpu, &(&rows).into_source(), &Order { descending: largest, bits: None }, out)
}

/// Their positions.
pub(super) fn positions<T: SortKey, S: Source<Item = T>>(
    cpu: &Cpu<'_>,
    source: &S,
    n: usize,
    largest: bool,
    out: ViewMut<'_, u32>,
) -> Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    let rows = wanted(cpu, &zip(*source, Places), n, out.len(), largest)?;
    let (keys, values, order) = ((&rows).map(KeyOf), (&rows).map(PositionOf), Order { descending: largest, bits: None });
    cpu.allocate(out.len(), |sorted| sort::cpu::sort_pairs(cpu, &keys, &values, &order, (sorted, out))).map(|_| ())
}

/// The key with this number in the order, from 0 on.
pub(super) fn nth<T: SortKey, S: Source<Item = T>>(cpu: &Cpu<'_>, source: &S, n: usize, number: usize) -> Result<T> {
    let search = Search::run(cpu, source, n, number + 1, false)?;
    if search.shift == 0 {
        return Ok(T::from_ordered(search.place.0));
    }
    let [mut among] = search.split::<T, S, 1>(source, n, Side::<T>::AMONG)?;
    Ok(*among.select_nth_unstable_by_key(search.place.1 as usize - 1, |key| key.ordered()).1)
}
