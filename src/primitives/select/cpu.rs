//! Selection on the CPU: bound by the bytes that are read and written.
//!
//! A link is evaluated once and its kept elements are packed in vectors (`VectorLane::compress`) into memory that stays in the first
//! or second cache; where they go in the output is known when the links before have counted theirs, and a plain copy takes them
//! there. On several threads the links are chained.

use std::ops::Range;

use crate::backend::cpu::Cpu;
use crate::backend::memory::Memory;
use crate::backend::simd::{Level, Pair, Span, ViewMut, WithLevel, compress};
use crate::element::Element;
use crate::error::Result;
use crate::kernel::{Varying, ops};
use crate::primitives::chain::chain;
use crate::source::Source;

/// Elements of a link: few enough that what it keeps stays in the second cache, and on one core in the first.
const LINK: usize = 16 * 1024;
const LINK_ALONE: usize = 4 * 1024;
/// Elements that a vector may write beyond those that it keeps.
const SLACK: usize = 32;

/// The elements of each of `K` classes, side by side in the order of the source.
///
/// An item of the source is an element and its class; what has a class of `K` or more is dropped.
pub(crate) fn select<T: Element, S: Source<Item = (T, u32)>, const K: usize>(
    cpu: &Cpu<'_>,
    source: &S,
    n: usize,
) -> Result<[Memory<T>; K]> {
    cpu.allocate_each(n, |outs| select_into(cpu, source, n, outs))
}

/// The same in memory that exists, of `n` elements at least; how many there are of each class.
pub(crate) fn select_into<T: Element, S: Source<Item = (T, u32)>, const K: usize>(
    cpu: &Cpu<'_>,
    source: &S,
    n: usize,
    outs: [ViewMut<'_, T>; K],
) -> Result<[usize; K]> {
    let length = if cpu.workers <= 1 { LINK_ALONE } else { LINK };
    chain(
        cpu,
        n.div_ceil(length),
        [0; K],
        |link| {
            let range = link * length..((link + 1) * length).min(n);
            let mut packed: [Vec<T>; K] = std::array::from_fn(|_| Vec::with_capacity(range.len() + SLACK));
            let to = packed.each_mut().map(|packed| ViewMut::new(packed.spare_capacity_mut()));
            let counts = cpu.at_level(Pack { source, range, to });
            (packed, counts)
        },
        |before, (_, counts)| std::array::from_fn(|k| before[k] + counts[k]),
        |_, before, (mut packed, counts)| {
            for (k, packed) in packed.iter_mut().enumerate() {
                outs[k].copy(before[k], ViewMut::new(packed.spare_capacity_mut()), counts[k]);
            }
        },
    )
}

/// Packs a range's elements class by class, and counts them.
struct Pack<'a, T, S, const K: usize> {
    source: &'a S,
    range: Range<usize>,
    to: [ViewMut<'a, T>; K],
}

impl<T: Element, S: Source<Item = (T, u32)>, const K: usize> WithLevel for Pack<'_, T, S, K> {
    type Out = [usize; K];
    #[inline(always)]
    fn run<L: Level>(self, l: L) -> [usize; K] {
        if S::LOOPS { self.each(Pair(l)) } else { self.each(l) }
    }
}

impl<T: Element, S: Source<Item = (T, u32)>, const K: usize> Pack<'_, T, S, K> {
    #[inline(always)]
    fn each<L: Level>(self, l: L) -> [usize; K] {
        let bound = self.source.bind(l);
        let to = self.to.map(ViewMut::whole);
        let mut at = [0; K];
        let Range { start: mut i, end } = self.range;
        while i + L::WIDTH <= end {
            let Varying((x, class)) = S::load(l, bound, Span::new(i, L::WIDTH));
            for k in 0..K {
                let keep = l.bits(ops::eq(l, class, ops::lit(l, k as u32)).0);
                compress(l, x, keep, to[k], at[k]);
                at[k] += keep.count_ones() as usize;
            }
            i += L::WIDTH;
        }
        if i < end {
            let Varying((x, class)) = S::load(l, bound, Span::new(i, end - i));
            for k in 0..K {
                let keep = l.bits(ops::eq(l, class, ops::lit(l, k as u32)).0) & ((1 << (end - i)) - 1);
                compress(l, x, keep, to[k], at[k]);
                at[k] += keep.count_ones() as usize;
            }
        }
        at
    }
}
