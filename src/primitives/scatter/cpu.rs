//! Scatter on the CPU: in order, one element after the other. Of several workers each owns a range of the places, goes through all
//! indices in vectors, and places what is its own: nobody else writes there, and everybody keeps the order of the input.
//!
//! To look at an index in a vector costs a small part of what a write to a place far off does, so this scales to many workers, and
//! takes no memory. A partition by place before the writes, as a radix sort splits, took more than twice as long.

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::backend::cpu::Cpu;
use crate::backend::simd::{Level, Span, ViewMut, WithLevel, compress, store};
use crate::element::Element;
use crate::error::Result;
use crate::kernel::ops;
use crate::primitives::map::cpu::fill;
use crate::source::{IntoSource, Source};

use super::Collisions;

/// Elements that are evaluated at a time: they stay in the first-level cache until they are placed.
const BLOCK: usize = 512;
/// Elements that a vector may write beyond those that it keeps.
const SLACK: usize = 32;
/// Elements between two looks at a deadline.
const PIECE: usize = 1 << 20;
/// Places of a range at least: workers do not write to the same cache lines.
const APART: usize = 64;

/// Places `n` elements in `out`, which is initialised.
pub(super) fn scatter<T: Element, I: Source<Item = u32>, V: Source<Item = T>, C: Collisions<T>>(
    cpu: &Cpu<'_>,
    (indices, values): (&I, &V),
    n: usize,
    collisions: &C,
    out: ViewMut<'_, T>,
) -> Result<()> {
    let each = out.len().div_ceil(cpu.workers.max(1)).next_multiple_of(APART).max(1);
    let owners = out.len().div_ceil(each);
    if owners < 2 {
        // One after the other: two workers would write to the same places.
        let alone = Cpu { workers: 1, ..cpu.clone() };
        return alone.for_each_range(n, |range| cpu.at_level(Place { indices, values, collisions, range, out }));
    }
    if I::LOOPS || V::LOOPS {
        // What is dear is evaluated once, and not by every worker.
        let indices = cpu.allocate(n, |to| fill(cpu, indices, to, n))?;
        let values = cpu.allocate(n, |to| fill(cpu, values, to, n))?;
        return scatter(cpu, (&(&indices).into_source(), &(&values).into_source()), n, collisions, out);
    }
    let piece = if cpu.deadline.is_some() { PIECE } else { n.max(1) };
    for start in (0..n).step_by(piece) {
        let range = start..(start + piece).min(n);
        cpu.for_each_chunk(owners, |owner| {
            let places = owner * each..((owner + 1) * each).min(out.len());
            cpu.at_level(PlaceOwn { indices, values, collisions, range: range.clone(), out, places });
        })?;
    }
    Ok(())
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
                let place = places.read(i) as usize;
                if place < out.len() {
                    out.write(place, self.collisions.meet(out.read(place), values.read(i)));
                }
            }
            at += count;
        }
    }
}

/// Places those elements of a range of the input that go to a range of places.
struct PlaceOwn<'a, I, V, C, T> {
    indices: &'a I,
    values: &'a V,
    collisions: &'a C,
    range: Range<usize>,
    out: ViewMut<'a, T>,
    places: Range<usize>,
}

impl<T: Element, I: Source<Item = u32>, V: Source<Item = T>, C: Collisions<T>> WithLevel for PlaceOwn<'_, I, V, C, T> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        let (index_of, value_of, out) = (self.indices.bind(l), self.values.bind(l), self.out.whole());
        let (mut own, mut values) = ([MaybeUninit::<u32>::uninit(); BLOCK + SLACK], [MaybeUninit::<T>::uninit(); BLOCK + SLACK]);
        let (own, values) = (ViewMut::new(&mut own), ViewMut::new(&mut values));
        let first = ops::lit(l, self.places.start as u32);
        let room = ops::lit(l, self.places.len() as u32);
        let Range { start: mut at, end } = self.range;
        while at < end {
            let stop = end.min(at + BLOCK);
            let mut kept = 0;
            while at < stop {
                let from = Span::new(at, L::WIDTH.min(stop - at));
                let place = I::load(l, index_of, from);
                // What lies below the range is above it too, modulo 2^32.
                let is_own = ops::lt(l, ops::sub(l, place, first), room);
                let keep = l.bits(is_own.0) & (u32::MAX >> (32 - from.count));
                compress(l, place, keep, own, kept);
                compress(l, V::load(l, value_of, from), keep, values, kept);
                kept += keep.count_ones() as usize;
                at += from.count;
            }
            for i in 0..kept {
                let place = own.read(i) as usize;
                out.write(place, self.collisions.meet(out.read(place), values.read(i)));
            }
        }
    }
}
