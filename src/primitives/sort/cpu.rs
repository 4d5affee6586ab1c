//! Sort on the CPU: the source is evaluated block by block to the ordered form of its keys, with what moves along beside them. If there
//! are few, they are sorted where they are written. If there are many, blocks are counted and forgotten, and evaluated again to move
//! their rows to the parts that they belong to.

use std::ops::Range;

use crate::backend::cpu::Cpu;
use crate::backend::rows::{Rows, Scratch, Word};
use crate::backend::simd::ViewMut;
use crate::element::{Element, Integer, Kind, Scalar};
use crate::error::Result;
use crate::primitives::map::cpu::{Fill, Stores, fill};
use crate::source::{IntoSource, Map, Source};

use super::Order;
use super::key::{Ordered, SortKey};
use super::radix::{Part, Radix, See, Split, splits, top};

/// Elements that are evaluated at a time: they stay in the first-level cache until they are counted or moved.
const BLOCK: usize = 2048;
/// Values up to this size move along with their keys; of larger ones only the positions do, and they themselves once.
const CARRIED_BYTES: usize = 16;

/// Evaluates the keys, with what moves along beside them, and sorts them into `out`.
///
/// `beside` writes what moves along with some keys into rows, of which the first belongs to the given key.
fn sort_rows<S: Source<Item: SortKey>, P: Copy + Send + Sync>(
    cpu: &Cpu<'_>,
    source: &S,
    order: &Order,
    out: Rows<'_, Bits<S>, P>,
    beside: impl Fn(Rows<'_, Bits<S>, P>, Range<usize>) + Sync,
    finish: Option<fn(&mut [Bits<S>])>,
) -> Result<()> {
    let (n, source) = (out.len(), source.map(Ordered));
    let bits = order.mask(Bits::<S>::ALL_ONES.bits());
    let interchangeable = size_of::<P>() == 0 && bits == Bits::<S>::ALL_ONES.bits();
    let radix = Radix { cpu, interchangeable, finish };
    if !splits::<Bits<S>, P>(n) {
        evaluate(cpu, &source, order, out, 0..n);
        beside(out, 0..n);
        return radix.sort(out, vec![Part { range: 0..n, bits }]);
    }
    // What moves along is evaluated when it moves.
    let blocks = |along: bool| {
        let (source, beside) = (&source, &beside);
        move |range: Range<usize>, see: See<'_, Bits<S>, P>| {
            let mut block = Scratch::small(BLOCK);
            for start in range.clone().step_by(BLOCK) {
                let range = start..(start + BLOCK).min(range.end);
                let rows = block.rows().part(0..range.len());
                evaluate(cpu, source, order, rows, range.clone());
                if along {
                    beside(rows, range);
                }
                see(rows);
            }
        }
    };
    let guess = Split { cpu, n, bits, shift: top(bits).saturating_sub(8), blocks: blocks(false) };
    let (counts, spread) = guess.count()?;
    let Some((split, counts)) = guess.refine(counts, spread)? else {
        cpu.for_each_range(n, |range| {
            let rows = out.part(range.clone());
            evaluate(cpu, &source, order, rows, range.clone());
            beside(rows, range);
        })?;
        return radix.finish_all(out);
    };
    let split = Split { cpu, n, bits: split.bits, shift: split.shift, blocks: blocks(true) };
    let parts = split.scatter(counts, out)?;
    radix.sort(out, parts)
}

/// The ordered forms of the keys in a range, into rows of their own.
fn evaluate<S: Source<Item: SortKey>, P: Copy>(
    cpu: &Cpu<'_>,
    source: &Map<S, Ordered>,
    order: &Order,
    rows: Rows<'_, Bits<S>, P>,
    range: Range<usize>,
) {
    let out = rows.key_view().starting_at(range.start);
    cpu.at_level(Fill { source, out, range, stores: Stores::Cached });
    if order.descending {
        rows.keys().iter_mut().for_each(|key| *key = !*key);
    }
}

type Bits<S> = <<S as Source>::Item as SortKey>::Bits;

/// Makes keys of their ordered forms again.
fn finish<T: SortKey, const DESCENDING: bool>(keys: &mut [T::Bits]) {
    for key in keys {
        let bits = if DESCENDING { !*key } else { *key };
        *key = T::Bits::from_bits(T::from_ordered(bits).bits());
    }
}

fn finish_of<T: SortKey>(order: &Order) -> Option<fn(&mut [T::Bits])> {
    let plain = matches!(T::KIND, Kind::U32 | Kind::U64);
    match order.descending {
        true => Some(finish::<T, true>),
        false => (!plain).then_some(finish::<T, false>),
    }
}

/// Sorts the keys into `out`.
pub(crate) fn sort<S: Source<Item: SortKey>>(cpu: &Cpu<'_>, source: &S, order: &Order, out: ViewMut<'_, S::Item>) -> Result<()> {
    let rows = Rows::of_keys(out.same_bits());
    sort_rows(cpu, source, order, rows, |_, _| (), finish_of::<S::Item>(order))
}

/// Sorts keys where they are.
pub(super) fn sort_in_place<T: SortKey>(cpu: &Cpu<'_>, order: &Order, keys: &mut [T]) -> Result<()> {
    let n = keys.len();
    let rows = Rows::of_keys(ViewMut::of(keys).same_bits::<T::Bits>());
    cpu.for_each_range(n, |range| {
        for key in rows.part(range).keys() {
            let ordered = T::from_bits(key.bits()).ordered();
            *key = if order.descending { !ordered } else { ordered };
        }
    })?;
    let bits = order.mask(T::Bits::ALL_ONES.bits());
    let interchangeable = bits == T::Bits::ALL_ONES.bits();
    Radix { cpu, interchangeable, finish: finish_of::<T>(order) }.sort_all(rows, bits)
}

/// The positions of the keys in their order.
pub(super) fn arg_sort<S: Source<Item: SortKey>>(cpu: &Cpu<'_>, source: &S, order: &Order, out: ViewMut<'_, u32>) -> Result<()> {
    cpu.allocate(out.len(), |keys| sort_rows(cpu, source, order, Rows::new(keys, out), number, None)).map(|_| ())
}

/// Writes its position beside each key.
fn number<K: Word>(rows: Rows<'_, K, u32>, range: Range<usize>) {
    let positions = rows.load_view();
    range.enumerate().for_each(|(i, position)| positions.write(i, position as u32));
}

/// Sorts the keys into one output and takes their values along into the other.
pub(crate) fn sort_pairs<S: Source<Item: SortKey>, V: Source<Item: Element>>(
    cpu: &Cpu<'_>,
    source: &S,
    values: &V,
    order: &Order,
    (keys, out): (ViewMut<'_, S::Item>, ViewMut<'_, V::Item>),
) -> Result<()> {
    let (keys, n, finish) = (keys.same_bits(), out.len(), finish_of::<S::Item>(order));
    if size_of::<V::Item>() <= CARRIED_BYTES || n > u32::MAX as usize {
        let beside = |rows: Rows<'_, Bits<S>, V::Item>, range: Range<usize>| {
            cpu.at_level(Fill { source: values, out: rows.load_view().starting_at(range.start), range, stores: Stores::Cached });
        };
        return sort_rows(cpu, source, order, Rows::new(keys, out), beside, finish);
    }
    let positions = cpu.allocate(n, |positions| sort_rows(cpu, source, order, Rows::new(keys, positions), number, finish))?;
    let values = cpu.allocate(n, |to| fill(cpu, values, to, n))?;
    cpu.for_each_range(n, |range| range.for_each(|i| out.write(i, values[positions[i] as usize])))
}

/// Sorts the keys of each segment into `out`.
pub(super) fn sort_segments<S: Source<Item: SortKey>>(
    cpu: &Cpu<'_>,
    source: &S,
    order: &Order,
    offsets: &[u32],
    out: ViewMut<'_, S::Item>,
) -> Result<()> {
    sort_parts(cpu, source, order, offsets, Rows::of_keys(out.same_bits()), |_, _| ())
}

/// The same with values, which move along whatever their size is.
pub(super) fn sort_pairs_in_segments<S: Source<Item: SortKey>, V: Source<Item: Element>>(
    cpu: &Cpu<'_>,
    source: &S,
    values: &V,
    order: &Order,
    offsets: &[u32],
    (keys, out): (ViewMut<'_, S::Item>, ViewMut<'_, V::Item>),
) -> Result<()> {
    sort_parts(cpu, source, order, offsets, Rows::new(keys.same_bits(), out), |rows, range| {
        cpu.at_level(Fill { source: values, out: rows.load_view().starting_at(range.start), range, stores: Stores::Cached });
    })
}

/// Evaluates the keys, with what moves along beside them, and sorts the rows of each segment where they stand.
fn sort_parts<S: Source<Item: SortKey>, P: Copy + Send + Sync>(
    cpu: &Cpu<'_>,
    source: &S,
    order: &Order,
    offsets: &[u32],
    out: Rows<'_, Bits<S>, P>,
    beside: impl Fn(Rows<'_, Bits<S>, P>, Range<usize>) + Sync,
) -> Result<()> {
    let source = source.map(Ordered);
    cpu.for_each_range(out.len(), |range| {
        let rows = out.part(range.clone());
        evaluate(cpu, &source, order, rows, range.clone());
        beside(rows, range);
    })?;
    let bits = order.mask(Bits::<S>::ALL_ONES.bits());
    let interchangeable = size_of::<P>() == 0 && bits == Bits::<S>::ALL_ONES.bits();
    let part = |pair: &[u32]| Part { range: pair[0] as usize..pair[1] as usize, bits };
    let parts = offsets.windows(2).filter(|pair| pair[0] < pair[1]).map(part).collect();
    Radix { cpu, interchangeable, finish: finish_of::<S::Item>(order) }.sort(out, parts)
}
