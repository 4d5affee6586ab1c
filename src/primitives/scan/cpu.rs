//! Scan on the CPU.
//!
//! In a vector: log2(width) steps of sliding up and combining. From vector to vector a carry; the dependency from one to the next
//! is a single combination. On several threads the tiles are chained: a worker takes the next tile, reduces it (it then is in the
//! L2 cache), waits for the prefix of the tile before, publishes its own, and scans. Meanwhile it asks for the tile that it will most
//! likely take next, so that memory is read while it is written. Measured 36 GB/s against 43 for a plain copy.

use std::ops::Range;

use crate::backend::cpu::Cpu;
use crate::backend::simd::{Fence, Level, Span, View, ViewMut, WithLevel, extract, first, prefetch, slide_up, store, stream};
use crate::element::Element;
use crate::error::Result;
use crate::kernel::{Varying, ops};
use crate::operator::Operator;
use crate::primitives::chain::chain;
use crate::primitives::total::{Total, combine, prefixes};
use crate::source::Source;

/// Elements of a link of the chain: large enough that the wait for the predecessor is short against the work, small enough
/// that input and output stay in L2 between the two passes.
const LINK: usize = 32 * 1024;
/// Bytes of a cache line.
const LINE_BYTES: usize = 64;
/// As in `map`: output that will not stay in the caches is streamed.
const STREAM_BYTES: usize = 16 << 20;

/// What is scanned: everything but the memory.
pub(crate) struct Scan<'a, T, S, O> {
    pub(crate) source: &'a S,
    pub(crate) op: &'a O,
    pub(crate) exclusive: bool,
    pub(crate) init: Option<T>,
}

impl<T: Element, S: Source<Item = T>, O: Operator<T>> Scan<'_, T, S, O> {
    /// Writes the prefixes of all `n` elements to `out`.
    pub(crate) fn run(&self, cpu: &Cpu<'_>, out: ViewMut<'_, T>, n: usize) -> Result<()> {
        let streaming = n.saturating_mul(size_of::<T>()) >= STREAM_BYTES;
        let links = n.div_ceil(LINK);
        let range = |link: usize| link * LINK..((link + 1) * LINK).min(n);
        if cpu.workers <= 1 || links < 2 {
            let mut carry = self.init;
            for link in 0..links {
                cpu.check_deadline()?;
                carry = Some(cpu.at_level(Link { scan: self, out, range: range(link), carry, streaming, ahead: None }));
            }
            return Ok(());
        }

        let start = self.source.plain().map(|data| View::new(data.host()).pointer(0).addr());
        let last = chain(
            cpu,
            links,
            self.init,
            // The last link's total is nobody's carry.
            |link| (link + 1 < links).then(|| cpu.at_level(Total { source: self.source, op: self.op, range: range(link) })),
            |carry, total| total.map(|total| carry.map_or(total, |carry| combine(self.op, carry, total))),
            |link, carry, _| {
                // Links are taken in turn, so this worker's next is most likely that many further on.
                let next = link.saturating_add(cpu.workers);
                let ahead =
                    start.filter(|_| streaming && next < links - 1).map(|start| start + range(next).start * size_of::<T>());
                cpu.at_level(Link { scan: self, out, range: range(link), carry, streaming, ahead });
            },
        );
        last.map(|_| ())
    }
}

/// Scans a range that starts from a carry, and returns the carry after it.
struct Link<'a, T, S, O> {
    scan: &'a Scan<'a, T, S, O>,
    out: ViewMut<'a, T>,
    range: Range<usize>,
    carry: Option<T>,
    streaming: bool,
    /// The address of what is asked for meanwhile.
    ahead: Option<usize>,
}

impl<T: Element, S: Source<Item = T>, O: Operator<T>> WithLevel for Link<'_, T, S, O> {
    type Out = T;
    #[inline(always)]
    fn run<L: Level>(mut self, l: L) -> T {
        let carry = match self.carry {
            Some(carry) => carry,
            None => {
                // Without a carry the first element is the first prefix: no identity enters the arithmetic of an inclusive scan.
                let span = Span::new(self.range.start, 1);
                let head = S::load(l, self.scan.source.bind(l), span);
                store(l, if self.scan.exclusive { ops::lit(l, self.scan.op.identity()) } else { head }, self.out, span);
                self.range.start += 1;
                extract(l, head, 0)
            }
        };
        match (self.scan.exclusive, self.streaming) {
            (false, false) => self.each::<L, false, false>(l, carry),
            (false, true) => self.each::<L, false, true>(l, carry),
            (true, false) => self.each::<L, true, false>(l, carry),
            (true, true) => self.each::<L, true, true>(l, carry),
        }
    }
}

impl<T: Element, S: Source<Item = T>, O: Operator<T>> Link<'_, T, S, O> {
    #[inline(always)]
    fn each<L: Level, const EXCLUSIVE: bool, const STREAM: bool>(self, l: L, carry: T) -> T {
        let (bound, op, out) = (self.scan.source.bind(l), self.scan.op, self.out.whole());
        let Range { start: mut i, end } = self.range;
        let _fence = Fence::<L, STREAM>(l);
        let mut carry = ops::lit(l, carry);
        if STREAM {
            let head = (i + out.elements_to_alignment(i)).min(end);
            while i < head {
                let span = Span::new(i, L::WIDTH.min(head - i));
                store(l, step::<L, T, S, O, EXCLUSIVE>(l, bound, op, span, &mut carry), out, span);
                i += span.count;
            }
        }
        let ahead = self.ahead.unwrap_or(0).wrapping_sub(i * size_of::<T>());
        while i + L::WIDTH <= end {
            let span = Span::new(i, L::WIDTH);
            if STREAM && self.ahead.is_some() {
                for line in (0..L::WIDTH * size_of::<T>()).step_by(LINE_BYTES) {
                    prefetch(ahead.wrapping_add(i * size_of::<T>() + line));
                }
            }
            let prefix = step::<L, T, S, O, EXCLUSIVE>(l, bound, op, span, &mut carry);
            if STREAM {
                stream(l, prefix, out, span)
            } else {
                store(l, prefix, out, span)
            }
            i += L::WIDTH;
        }
        if i < end {
            let span = Span::new(i, end - i);
            store(l, step::<L, T, S, O, EXCLUSIVE>(l, bound, op, span, &mut carry), out, span);
        }
        extract(l, carry, 0)
    }
}

/// The prefixes of one vector, given those before it; moves the carry on.
#[inline(always)]
fn step<'a, L: Level, T: Element, S: Source<Item = T> + 'a, O: Operator<T>, const EXCLUSIVE: bool>(
    l: L,
    bound: S::Bound<'a, L>,
    op: &O,
    span: Span,
    carry: &mut Varying<L, T>,
) -> Varying<L, T> {
    let local = prefixes(l, op, S::load(l, bound, span));
    let inclusive = op.combine(l, *carry, local);
    let prefix = if EXCLUSIVE { first(l, 1, *carry, slide_up(l, inclusive, 1)) } else { inclusive };
    *carry = op.combine(l, *carry, ops::lit(l, extract(l, local, span.count - 1)));
    prefix
}
