//! Radix select on a GPU, made of the other primitives: for each eight bits a histogram of those elements that share all bits before with
//! the last wanted one, and a map that finds its digit in the counts; then a selection, and a sort of what is selected. Nothing is read
//! by the host on the way.

use crate::array::{Array, Data, DataVisitor};
use crate::backend::gpu::{Recording, Started};
use crate::element::{Integer, Scalar};
use crate::error::Result;
use crate::kernel::{Kernel, Lanes, Varying, ops};
use crate::primitives::sort::{self, Order, SortKey};
use crate::primitives::{histogram, map, select};
use crate::source::{Count, IntoSource, Places, Source, iota, zip};

use super::rank::{At, Digit, KeyOf, Place, PositionOf, Rank, Row, Side};

/// Bits that are counted at a time: as many counters as a workgroup has threads.
const WIDTH: u32 = 8;

/// The place of the element with this number from 1 on, with all of its digits.
fn place<R: Row, S: Source<Item = R>>(
    on: Recording<'_>,
    source: &S,
    number: usize,
    largest: bool,
) -> Result<Array<Place<R::Key>>> {
    let mut at = Array::from_vec(on.engine, vec![(Rank::<R::Key>::ZERO, number as u32)]);
    for shift in (0..8 * size_of::<R::Key>() as u32).step_by(WIDTH as usize).rev() {
        let digits = source.map(Digit { at: Data::Array(&at), largest, shift, width: WIDTH });
        let counts = histogram::gpu::histogram(on, &digits, 1 << WIDTH)?.array();
        at = map::gpu::map(on, &(&at).map(Narrowed { digit_of: digit_of::with(&counts), shift }))?.array();
    }
    Ok(at)
}

/// The `k` first rows, not in order, but that equal ones keep theirs.
fn wanted<R: Row, S: Source<Item = R>>(on: Recording<'_>, source: &S, k: usize, largest: bool) -> Result<Array<R>> {
    let at = place(on, source, k, largest)?;
    let side = Side { at: Data::Array(&at), largest, shift: 0, classes: Side::<R::Key>::BOTH };
    let [below, equal] = select::gpu::select::<R, _, 2>(on, &source.map(side))?.ready();
    let rows = Wanted { below: Data::Array(&below), equal: Data::Array(&equal), at: Data::Array(&at), k: k as u32 };
    Ok(map::gpu::map(on, &iota(0..k as u32).map(rows))?.array())
}

/// Records the choice of the `k` first keys.
pub(super) fn keys<'t, T: SortKey, S: Source<Item = T>>(
    on: Recording<'_>,
    source: &S,
    k: usize,
    largest: bool,
) -> Result<Started<'t, Array<T>>> {
    let rows = wanted(on, source, k, largest)?;
    sort::gpu::sort(on, &(&rows).into_source(), &Order { descending: largest, bits: None })
}

/// Records the choice of their positions.
pub(super) fn positions<'t, T: SortKey, S: Source<Item = T>>(
    on: Recording<'_>,
    source: &S,
    k: usize,
    largest: bool,
) -> Result<Started<'t, Array<u32>>> {
    let rows = wanted(on, &zip(*source, Places), k, largest)?;
    let (keys, values, order) = ((&rows).map(KeyOf), (&rows).map(PositionOf), Order { descending: largest, bits: None });
    Ok(sort::gpu::sort_pairs(on, &keys, &values, &order)?.map(|(_, positions)| positions))
}

/// Records the search for the key with this number in the order; it is on its way to the host.
pub(super) fn nth<'t, T: SortKey, S: Source<Item = T>>(on: Recording<'_>, source: &S, number: usize) -> Result<Started<'t, T>> {
    let at = place(on, source, number + 1, false)?;
    let place = on.element::<Place<T>>(at.device(on.gpu)?.buffer().clone());
    Ok(place.map(|(ordered, _)| T::from_ordered(ordered)))
}

/// In which digit the element with this number falls, and its number there: by how many there are of each.
#[granule_macros::kernel]
fn digit_of(number: u32, counts: &[u32]) -> (u32, u32) {
    let mut digit = 0_u32;
    let mut left = number;
    while digit + 1 < counts.len() as u32 && counts[digit as usize] < left {
        left -= counts[digit as usize];
        digit += 1;
    }
    (digit, left)
}

/// A place with one more digit.
#[derive(Clone, Copy)]
struct Narrowed<K> {
    digit_of: K,
    shift: u32,
}

impl<B: Integer + Scalar + Count, K: Kernel<u32, Out = (u32, u32)>> Kernel<(B, u32)> for Narrowed<K> {
    type Out = (B, u32);
    const LOOPS: bool = K::LOOPS;

    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, Varying((lowest, number)): Varying<L, (B, u32)>) -> Varying<L, (B, u32)> {
        let Varying((digit, left)) = self.digit_of.eval(l, number);
        let above = ops::shl(l, B::of_u32(l, digit), ops::broadcast(l, ops::uniform(l, self.shift)));
        Varying((ops::add(l, lowest, above), left))
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.digit_of.data(visitor)
    }
}

/// By their number, the wanted rows: those below the rank of the last one, then as many as are wanted of those that share it.
#[derive(Clone, Copy)]
struct Wanted<'a, R: Row> {
    below: Data<'a, R>,
    equal: Data<'a, R>,
    at: At<'a, R::Key>,
    /// How many are wanted.
    k: u32,
}

impl<R: Row> Kernel<u32> for Wanted<'_, R> {
    type Out = R;

    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, i: Varying<L, u32>) -> Varying<L, R> {
        let place = ops::index_uniform(l, ops::slice(l, self.at), ops::lit_uniform(l, 0_usize));
        let Varying((_, shared)) = ops::broadcast(l, place);
        let below = ops::sub(l, ops::broadcast(l, ops::uniform(l, self.k)), shared);
        let first = ops::lt(l, i, below);
        let a = ops::index(l, ops::slice(l, self.below), Varying(i.0));
        let b = ops::index(l, ops::slice(l, self.equal), Varying(ops::sub(l, ops::max(l, i, below), below).0));
        ops::select(l, first, a, b)
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        visitor.visit(self.below)?;
        visitor.visit(self.equal)?;
        visitor.visit(self.at)
    }
}
