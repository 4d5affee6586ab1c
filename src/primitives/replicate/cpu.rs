//! Replication on the CPU: prefix sums of the counts, and then runs of values, written a vector at a time. What a vector writes beyond the
//! end of its run the next run writes over, so that short runs cost a store and no branch.

use std::ops::Range;

use crate::backend::cpu::Cpu;
use crate::backend::memory::Memory;
use crate::backend::simd::{Level, OneLane, Span, ViewMut, WithLevel, store};
use crate::element::{Element, Value};
use crate::error::Result;
use crate::kernel::ops;
use crate::primitives::scan::cpu::Scan;
use crate::source::Source;

use super::Saturating;

/// Each of `n` values as often as its count says; `elements` gives how many result of the sum of the counts.
pub(super) fn replicate<V: Source<Item: Element>, C: Source<Item = u32>>(
    cpu: &Cpu<'_>,
    values: &V,
    counts: &C,
    n: usize,
    elements: impl FnOnce(u32) -> Result<usize>,
) -> Result<Memory<V::Item>> {
    let ends = cpu.allocate(n, |out| Scan { source: counts, op: &Saturating, exclusive: false, init: None }.run(cpu, out, n))?;
    let total = elements(ends.last().copied().unwrap_or(0))?;
    cpu.allocate(total, |out| {
        cpu.for_each_range(total, |range| {
            let first = ends.partition_point(|&end| end as usize <= range.start);
            cpu.at_level(Runs { values, ends: &ends, first, range, out });
        })
    })
}

/// Writes the runs of a range, the first of which is that of the value `first`.
struct Runs<'a, V: Source<Item: Element>> {
    values: &'a V,
    ends: &'a [u32],
    first: usize,
    range: Range<usize>,
    out: ViewMut<'a, V::Item>,
}

impl<V: Source<Item: Element>> WithLevel for Runs<'_, V> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        let (bound, out) = (self.values.bind(OneLane), self.out.whole());
        let Range { start: mut at, end } = self.range;
        let mut k = self.first;
        while at < end {
            let stop = (self.ends[k] as usize).min(end);
            if at < stop {
                let x = ops::lit(l, V::Item::from_one(V::load(OneLane, bound, Span::new(k, 1)).0));
                while at < stop {
                    store(l, x, out, Span::new(at, L::WIDTH.min(end - at)));
                    at += L::WIDTH;
                }
                at = stop;
            }
            k += 1;
        }
    }
}
