//! Map on the CPU: bound by bytes for light kernels, by arithmetic for heavy ones.

use std::ops::Range;

use crate::backend::cpu::Cpu;
use crate::backend::simd::{Fence, Level, Pair, Span, ViewMut, WithLevel, store, stream, streams_side_by_side};
use crate::element::Element;
use crate::error::Result;
use crate::source::Source;

/// Above this much output the caches are no help to whoever reads it next, and a streaming store saves reading the line first:
/// measured 1.5 to 2.4 times faster from 16 MiB on.
const STREAM_BYTES: usize = 16 << 20;
/// Streams walk this many pages side by side, two vectors each in turn, where memory serves several pages at once faster than one.
const PAGES: usize = 4;
/// Where a source reads several places at once, streams ask for what they will read so many elements later, and where it reads fields of structs,
/// all do. The hardware asks by itself for what comes next in each of a few pages, but too late: measured 0.6 of a copy's speed without, 0.75
/// to 0.85 with 4 to 8 KiB; a product of complex numbers in memory takes 0.4 to 0.8 of the time.
const AHEAD: usize = 2048;
/// Bytes of a page.
const PAGE_BYTES: usize = 4096;

/// Writes `source[i]` to `out[i]` for all `n` elements.
pub(crate) fn fill<S: Source<Item: Element>>(cpu: &Cpu<'_>, source: &S, out: ViewMut<'_, S::Item>, n: usize) -> Result<()> {
    let stores = match n.saturating_mul(size_of::<S::Item>()) {
        ..STREAM_BYTES => Stores::Cached,
        _ if streams_side_by_side() => Stores::SideBySide,
        _ => Stores::Streaming,
    };
    cpu.for_each_range(n, |range| cpu.at_level(Fill { source, out, range, stores }))
}

/// How the output is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stores {
    /// Through the caches.
    Cached,
    /// Past them.
    Streaming,
    /// Past them, to several pages in turn.
    SideBySide,
}

/// The same of a range.
pub(crate) struct Fill<'a, S: Source<Item: Element>> {
    pub(crate) source: &'a S,
    pub(crate) out: ViewMut<'a, S::Item>,
    pub(crate) range: Range<usize>,
    pub(crate) stores: Stores,
}

impl<S: Source<Item: Element>> WithLevel for Fill<'_, S> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        if S::LOOPS {
            self.each::<_, false>(Pair(l));
        } else if self.stores != Stores::Cached {
            self.each::<L, true>(l);
        } else {
            self.each::<L, false>(l);
        }
    }
}

impl<S: Source<Item: Element>> Fill<'_, S> {
    #[inline(always)]
    fn each<L: Level, const STREAM: bool>(self, l: L) {
        let (bound, out) = (self.source.bind(l), self.out.whole());
        let Range { start: mut i, end } = self.range;
        let _fence = Fence::<L, STREAM>(l);
        let head = if STREAM { (i + out.elements_to_alignment(i)).min(end) } else { i };
        while i < end {
            if i >= head {
                let stop = S::inner(l, bound, i, end);
                if STREAM
                    && !S::STRETCHES
                    && self.stores == Stores::SideBySide
                    && PAGE_BYTES.is_multiple_of(size_of::<S::Item>() * 2 * L::WIDTH)
                {
                    let page = PAGE_BYTES / size_of::<S::Item>();
                    while i + PAGES * page <= stop {
                        let next = i + page;
                        while i < next {
                            for k in 0..PAGES {
                                let (a, b) = (Span::new(i + k * page, L::WIDTH), Span::new(i + k * page + L::WIDTH, L::WIDTH));
                                let (x, y) = (S::load_inner(l, bound, a), S::load_inner(l, bound, b));
                                stream(l, x, out, a);
                                stream(l, y, out, b);
                            }
                            i += 2 * L::WIDTH;
                        }
                        i += (PAGES - 1) * page;
                    }
                }
                while i + 4 * L::WIDTH <= stop && !S::LOOPS {
                    // Four independent vectors: enough loads in flight, and the loop's own cost spread thin.
                    let span = Span::new(i, L::WIDTH);
                    let mut x = [S::load_inner(l, bound, span); 4];
                    for (k, x) in x.iter_mut().enumerate().skip(1) {
                        *x = S::load_inner(l, bound, span.shift(k * L::WIDTH));
                    }
                    for (k, x) in x.into_iter().enumerate() {
                        let span = span.shift(k * L::WIDTH);
                        if STREAM && S::STRETCHES || S::FIELDS {
                            S::prefetch(l, bound, i + k * L::WIDTH + AHEAD, L::WIDTH);
                        }
                        if STREAM { stream(l, x, out, span) } else { store(l, x, out, span) }
                    }
                    i += 4 * L::WIDTH;
                }
                while i + L::WIDTH <= stop {
                    let span = Span::new(i, L::WIDTH);
                    let x = S::load_inner(l, bound, span);
                    if STREAM {
                        stream(l, x, out, span)
                    } else {
                        store(l, x, out, span)
                    }
                    i += L::WIDTH;
                }
            }
            if i < end {
                // Up to where streaming stores are possible, across the end of a stretch, or the last.
                let until = if i < head { head } else { end };
                let span = Span::new(i, L::WIDTH.min(until - i));
                let x = S::load(l, bound, span);
                if STREAM {
                    stream(l, x, out, span)
                } else {
                    store(l, x, out, span)
                }
                i += span.count;
            }
        }
    }
}
