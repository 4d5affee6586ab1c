//! Segments on the CPU: the work is divided by elements and segments together, so that neither a long segment nor many empty ones
//! are one worker's lot (the merge path of D. Merrill, M. Garland, "Merge-based parallel sparse matrix-vector multiplication", 2016).
//!
//! A path leads through the elements and the ends of the segments, each end behind the last element of its segment. It is cut into
//! links of equal length; a search finds where each begins. What a link has of a segment that ends in a later one is combined with the
//! rest when all links are done, from left to right. Links are the same however many workers there are, so the order depends on the
//! width of a vector alone.
//!
//! A long segment is combined in lanes, and short ones in blocks.

use std::sync::OnceLock;

use crate::backend::cpu::Cpu;
use crate::backend::simd::{Level, Span, ViewMut, WithLevel, extract};
use crate::element::Element;
use crate::error::Result;
use crate::operator::Operator;
use crate::primitives::blocks::{BLOCK, Flags, Items, SLACK, add, blocks, close, prefix};
use crate::primitives::chain::chain;
use crate::primitives::total::combine;
use crate::source::Source;

use super::path::{Path, Place};

/// Elements and ends of a link: as a scan's.
const LINK: usize = 32 * 1024;
/// Elements from which on a segment is combined in lanes, if they may change places: enough for four vectors. Otherwise so many that
/// the block is not worth it.
#[inline(always)]
fn long<L: Level, T: Element, O: Operator<T>>() -> usize {
    if O::COMMUTATIVE { 4 * L::WIDTH } else { BLOCK / 2 }
}

/// What is combined: everything but the memory.
pub(crate) struct Segments<'a, S, O> {
    pub(crate) source: &'a S,
    pub(crate) op: &'a O,
    /// Checked.
    pub(crate) offsets: &'a [u32],
}

impl<T: Element, S: Source<Item = T>, O: Operator<T>> Segments<'_, S, O> {
    /// Writes the combination of each segment.
    pub(crate) fn reduce(&self, cpu: &Cpu<'_>, out: ViewMut<'_, T>) -> Result<()> {
        let path = Path::new(self.offsets);
        let links = path.length().div_ceil(LINK);
        let left: Vec<OnceLock<T>> = (0..links).map(|_| OnceLock::new()).collect();
        cpu.for_each_chunk(links, |link| {
            let part = Reduce { segments: self, path, from: path.at(link * LINK), to: path.at((link + 1) * LINK), out };
            if let Some(rest) = cpu.at_level(part) {
                _ = left[link].set(rest);
            }
        })?;
        // What links have left of a segment that did not end in them.
        let mut before: Option<T> = None;
        for (link, rest) in left.into_iter().enumerate() {
            let (from, to) = (path.at(link * LINK), path.at((link + 1) * LINK));
            if to.ended > from.ended {
                if let Some(before) = before.take() {
                    let has_more = path.start(from.ended + 1) > from.read;
                    out.write(from.ended, if has_more { combine(self.op, before, out.read(from.ended)) } else { before });
                }
                before = rest.into_inner();
            } else if let Some(rest) = rest.into_inner() {
                before = Some(before.map_or(rest, |before| combine(self.op, before, rest)));
            }
        }
        Ok(())
    }

    /// Writes the combination of each segment's elements up to each.
    pub(crate) fn scan(&self, cpu: &Cpu<'_>, exclusive: bool, out: ViewMut<'_, T>) -> Result<()> {
        let path = Path::new(self.offsets);
        let links = path.length().div_ceil(LINK);
        let part = |link: usize, carry: Option<T>| Scan {
            segments: self,
            path,
            from: path.at(link * LINK),
            to: path.at((link + 1) * LINK),
            exclusive,
            carry,
            out,
        };
        if cpu.workers <= 1 || links < 2 {
            let mut carry = None;
            for link in 0..links {
                cpu.check_deadline()?;
                carry = cpu.at_level(part(link, carry));
            }
            return Ok(());
        }
        let last = chain(
            cpu,
            links,
            None,
            |link| cpu.at_level(Rest { segments: self, path, from: path.at(link * LINK), to: path.at((link + 1) * LINK) }),
            |before: Option<T>, rest| match (before, rest) {
                (Some(before), (false, Some(rest))) => Some(combine(self.op, before, *rest)),
                (before, (false, None)) => before,
                (_, (_, rest)) => *rest,
            },
            |link, carry, _| {
                cpu.at_level(part(link, carry));
            },
        );
        last.map(|_| ())
    }
}

/// Combines the segments of a link; gives what it has of the one that does not end in it.
struct Reduce<'a, T, S, O> {
    segments: &'a Segments<'a, S, O>,
    path: Path<'a>,
    from: Place,
    to: Place,
    out: ViewMut<'a, T>,
}

impl<T: Element, S: Source<Item = T>, O: Operator<T>> WithLevel for Reduce<'_, T, S, O> {
    type Out = Option<T>;
    #[inline(always)]
    fn run<L: Level>(self, l: L) -> Option<T> {
        let (source, op) = (self.segments.source, self.segments.op);
        let (bound, path, out) = (source.bind(l), self.path, self.out.whole());
        let (mut flags, mut items, mut closed) = (Flags::new(), Items::new(op.identity()), Vec::with_capacity(BLOCK + SLACK));
        let closed = ViewMut::new(closed.spare_capacity_mut());
        let Place { ended: mut segment, read: mut i } = self.from;
        let mut sum: Option<T> = None;
        loop {
            while segment < self.to.ended && path.start(segment + 1) == i {
                out.write(segment, sum.take().unwrap_or_else(|| op.identity()));
                segment += 1;
            }
            if i == self.to.read {
                return sum;
            }
            let stop = if segment < self.to.ended { path.start(segment + 1) } else { self.to.read };
            if stop - i >= long::<L, T, O>() {
                sum = Some(add::<L, T, S, O>(l, bound, op, sum, i..stop));
                i = stop;
                continue;
            }
            // No identity enters the arithmetic: what is carried into the block is an element at least.
            let carry = match sum {
                Some(sum) => sum,
                None => {
                    i += 1;
                    extract(l, S::load(l, bound, Span::new(i - 1, 1)), 0)
                }
            };
            let end = (i + BLOCK).min(self.to.read);
            flags.clear(end - i);
            let (first, mut empty, mut before) = (segment, 0, usize::MAX);
            for at in path.ends(segment..self.to.ended).take_while(|&at| at < end) {
                flags.set(at - i);
                empty += usize::from(at == before);
                before = at;
                segment += 1;
            }
            let (last, count) = close::<L, T, S, O>(l, bound, op, (&flags, &mut items, i..end), carry, closed);
            if empty == 0 {
                out.copy(first, closed, count);
            } else {
                let (mut before, mut at) = (usize::MAX, 0);
                for k in first..segment {
                    let end = path.start(k + 1);
                    let x = if end == before { op.identity() } else { closed.read(at) };
                    at += usize::from(end != before);
                    before = end;
                    out.write(k, x);
                }
            }
            sum = Some(last);
            i = end;
        }
    }
}

/// Scans the segments of a link behind a carry, and gives the carry after it.
struct Scan<'a, T, S, O> {
    segments: &'a Segments<'a, S, O>,
    path: Path<'a>,
    from: Place,
    to: Place,
    exclusive: bool,
    carry: Option<T>,
    out: ViewMut<'a, T>,
}

impl<T: Element, S: Source<Item = T>, O: Operator<T>> WithLevel for Scan<'_, T, S, O> {
    type Out = Option<T>;
    #[inline(always)]
    fn run<L: Level>(self, l: L) -> Option<T> {
        if self.exclusive { self.each::<L, true>(l) } else { self.each::<L, false>(l) }
    }
}

impl<T: Element, S: Source<Item = T>, O: Operator<T>> Scan<'_, T, S, O> {
    #[inline(always)]
    fn each<L: Level, const EXCLUSIVE: bool>(self, l: L) -> Option<T> {
        let (source, op) = (self.segments.source, self.segments.op);
        let (bound, path, out) = (source.bind(l), self.path, self.out.whole());
        let mut flags = Flags::new();
        let mut segment = self.from.ended;
        if path.start(segment) < self.from.read {
            segment += 1;
        }
        let mut carry = self.carry;
        for range in blocks(self.from.read..self.to.read) {
            flags.clear(range.len());
            while segment < path.segments() && path.start(segment) < range.end {
                flags.set(path.start(segment) - range.start);
                segment += 1;
            }
            // Without a carry the first element begins a segment, so that what is carried there is not seen.
            let before = carry.unwrap_or_else(|| op.identity());
            carry = Some(prefix::<L, T, S, O, EXCLUSIVE>(l, bound, op, (&flags, range), before, out));
        }
        carry
    }
}

/// What a link hands on to the next: whether a segment begins in it, and what is combined from the last beginning on.
struct Rest<'a, S, O> {
    segments: &'a Segments<'a, S, O>,
    path: Path<'a>,
    from: Place,
    to: Place,
}

impl<T: Element, S: Source<Item = T>, O: Operator<T>> WithLevel for Rest<'_, S, O> {
    type Out = (bool, Option<T>);
    #[inline(always)]
    fn run<L: Level>(self, l: L) -> (bool, Option<T>) {
        let (source, op) = (self.segments.source, self.segments.op);
        let start = self.path.start(self.to.ended);
        let begins = start >= self.from.read;
        let range = start.max(self.from.read)..self.to.read;
        // A segment that begins behind the link takes nothing from it.
        (begins, (!range.is_empty()).then_some(range).map(|range| add::<L, T, S, O>(l, source.bind(l), op, None, range)))
    }
}
