//! Scatter on the CPU: in order, one element after the other; on several cores, and where the result is larger than the caches, after a
//! stable partition by place.
//!
//! The partition is a radix sort's split by the high digit: chunks count how many of their elements go to each of 256 ranges of places,
//! the counts say where each chunk's elements of each range stand, and each chunk moves its own there. A range is then one worker's,
//! in the order of the input, and lies in its caches while it is written.

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::backend::cpu::Cpu;
use crate::backend::rows::{Rows, Scratch};
use crate::backend::simd::{Level, Pair, Span, ViewMut, WithLevel, store};
use crate::element::Element;
use crate::error::Result;
use crate::kernel::{Kernel, Lanes, Varying, ops};
use crate::primitives::map::cpu::{Fill, Stores};
use crate::primitives::sort::radix::{See, Split};
use crate::source::{IntoSource, Source};

use super::Collisions;

/// Elements that are evaluated at a time: they stay in the first-level cache until they are placed or moved.
const BLOCK: usize = 512;
/// Bytes of a result above which one core partitions too.
const ALONE_BYTES: usize = 16 << 20;
/// Elements of the result, to each of the input, from which on the partition does not pay: places are far apart in any order.
const SPARSE: usize = 16;
/// Elements of a range of places at least, on a logarithmic scale: workers do not write to the same cache lines.
const LEAST_SHIFT: u32 = 4;

/// Places `n` elements in `out`, which is initialised.
pub(super) fn scatter<T: Element, I: Source<Item = u32>, V: Source<Item = T>, C: Collisions<T>>(
    cpu: &Cpu<'_>,
    (indices, values): (&I, &V),
    n: usize,
    collisions: &C,
    out: ViewMut<'_, T>,
) -> Result<()> {
    let near = size_of::<T>() * out.len() <= ALONE_BYTES || out.len() / SPARSE > n;
    if cpu.workers <= 1 && near {
        return cpu.for_each_range(n, |range| cpu.at_level(Place { indices, values, collisions, range, out }));
    }
    let indices = indices.map(UpTo(out.len() as u32));
    // What is evaluated to be counted is evaluated again to be moved.
    let blocks = |along: bool| {
        let indices = &indices;
        move |range: Range<usize>, see: See<'_, u32, T>| {
            let mut block = Scratch::small(BLOCK);
            for start in range.clone().step_by(BLOCK) {
                let range = start..(start + BLOCK).min(range.end);
                let rows = block.rows().part(0..range.len());
                let keys = rows.key_view().starting_at(range.start);
                cpu.at_level(Fill { source: indices, out: keys, range: range.clone(), stores: Stores::Cached });
                if along {
                    let loads = rows.load_view().starting_at(range.start);
                    cpu.at_level(Fill { source: values, out: loads, range, stores: Stores::Cached });
                }
                see(rows);
            }
        }
    };
    let width = usize::BITS - out.len().leading_zeros();
    let (bits, shift) = (u64::from(u32::MAX), width.saturating_sub(8).max(LEAST_SHIFT));
    let (counts, _) = Split { cpu, n, bits, shift, blocks: blocks(false) }.count()?;
    let mut scratch = Scratch::new(n)?;
    let rows = scratch.rows();
    let parts = Split { cpu, n, bits, shift, blocks: blocks(true) }.scatter(counts, rows)?;
    cpu.for_each_chunk(parts.len(), |part| {
        let rows = rows.part(parts[part].range.clone());
        cpu.at_level(PlaceRows { rows, collisions, out });
    })
}

/// The index, or the number of places if it is none of theirs.
#[derive(Clone, Copy)]
pub(super) struct UpTo(pub(super) u32);

impl Kernel<u32> for UpTo {
    type Out = u32;
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, i: Varying<L, u32>) -> Varying<L, u32> {
        ops::min(l, i, ops::lit(l, self.0))
    }
}

/// Places a range of the input.
struct Place<'a, I, V, C, T> {
    indices: &'a I,
    values: &'a V,
    collisions: &'a C,
    range: Range<usize>,
    out: ViewMut<'a, T>,
}

impl<T: Element, I: Source<Item = u32>, V: Source<Item = T>, C: Collisions<T>> WithLevel for Place<'_, I, V, C, T> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        if I::LOOPS || V::LOOPS { self.each(Pair(l)) } else { self.each(l) }
    }
}

impl<T: Element, I: Source<Item = u32>, V: Source<Item = T>, C: Collisions<T>> Place<'_, I, V, C, T> {
    #[inline(always)]
    fn each<L: Level>(self, l: L) {
        let (index_of, value_of, out) = (self.indices.bind(l), self.values.bind(l), self.out.whole());
        let (mut places, mut values) = ([MaybeUninit::<u32>::uninit(); BLOCK], [MaybeUninit::<T>::uninit(); BLOCK]);
        let (places, values) = (ViewMut::new(&mut places), ViewMut::new(&mut values));
        let Range { start: mut at, end } = self.range;
        while at < end {
            let count = BLOCK.min(end - at);
            let mut i = 0;
            while i < count {
                let lanes = L::WIDTH.min(count - i);
                let (from, to) = (Span::new(at + i, lanes), Span::new(i, lanes));
                store(l, I::load(l, index_of, from), places, to);
                store(l, V::load(l, value_of, from), values, to);
                i += lanes;
            }
            for i in 0..count {
                place(self.collisions, out, places.read(i), values.read(i));
            }
            at += count;
        }
    }
}

#[inline(always)]
fn place<T: Element, C: Collisions<T>>(collisions: &C, out: ViewMut<'_, T>, at: u32, x: T) {
    let at = at as usize;
    if at < out.len() {
        out.write(at, collisions.meet(out.read(at), x));
    }
}

/// Places what was moved to a range of places.
struct PlaceRows<'a, C, T> {
    rows: Rows<'a, u32, T>,
    collisions: &'a C,
    out: ViewMut<'a, T>,
}

impl<T: Element, C: Collisions<T>> WithLevel for PlaceRows<'_, C, T> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let out = self.out.whole();
        for i in 0..self.rows.len() {
            let (at, x) = self.rows.get(i);
            place(self.collisions, out, at, x);
        }
    }
}
