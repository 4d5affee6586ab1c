//! Find on the CPU: vectors are tested in order, and what lies behind the first hit is left alone.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::backend::cpu::{Cpu, TILE};
use crate::backend::simd::{Level, Pair, Span, WithLevel};
use crate::error::Result;
use crate::kernel::{MaskLane, Varying};
use crate::source::Source;

/// The first index at which the source is true.
pub(crate) fn find<S: Source<Item = bool>>(cpu: &Cpu<'_>, source: &S, n: usize) -> Result<Option<usize>> {
    let first = AtomicUsize::new(usize::MAX);
    cpu.for_each_range(n, |range| cpu.at_level(First { source, range, first: &first }))?;
    Ok(Some(first.into_inner()).filter(|&i| i != usize::MAX))
}

struct First<'a, S> {
    source: &'a S,
    range: Range<usize>,
    /// The first hit of all workers so far.
    first: &'a AtomicUsize,
}

impl<S: Source<Item = bool>> WithLevel for First<'_, S> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        if S::LOOPS { self.each(Pair(l)) } else { self.each(l) }
    }
}

impl<S: Source<Item = bool>> First<'_, S> {
    #[inline(always)]
    fn each<L: Level>(self, l: L) {
        let bound = self.source.bind(l);
        let Range { start: mut i, end } = self.range;
        while i < end && i < self.first.load(Ordering::Relaxed) {
            let stop = end.min(i + TILE);
            while i + 4 * L::WIDTH <= stop {
                let at = |k: usize| Span::new(i + k * L::WIDTH, L::WIDTH);
                let (a, b) = (S::load(l, bound, at(0)).0, S::load(l, bound, at(1)).0);
                let (c, d) = (S::load(l, bound, at(2)).0, S::load(l, bound, at(3)).0);
                if l.any(a.or(l, b).or(l, c.or(l, d))) {
                    let hit = [a, b, c, d].into_iter().position(|m| l.any(m)).unwrap_or(0);
                    let m = [a, b, c, d][hit];
                    self.first.fetch_min(i + hit * L::WIDTH + l.bits(m).trailing_zeros() as usize, Ordering::Relaxed);
                    return;
                }
                i += 4 * L::WIDTH;
            }
            while i < stop {
                let span = Span::new(i, L::WIDTH.min(stop - i));
                let Varying(m) = S::load(l, bound, span);
                // Lanes beyond the count repeat the last that counts, so the lowest bit is always one that does.
                let bits = l.bits(m);
                if bits != 0 {
                    self.first.fetch_min(i + bits.trailing_zeros() as usize, Ordering::Relaxed);
                    return;
                }
                i += span.count;
            }
        }
    }
}
