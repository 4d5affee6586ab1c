//! Merge sort on the CPU: eight neighbours by a network without branches, then runs of them merged, two by two. What fits a second-level
//! cache together with its copy is sorted by one worker; from there on all workers share each merge, by merge path.

use std::ops::Range;

use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::primitives::map::cpu::{Fill, Stores};
use crate::primitives::merge::cpu::{Inputs, Runs, choose, in_shares, precedes};
use crate::source::Source;

/// Elements that are sorted by a network.
const RUN: usize = 8;
/// Elements of runs that are merged from both ends.
const SHORT: usize = 256;
/// Bytes of what one worker sorts: with its copy it stays in a second-level cache.
const BLOCK_BYTES: usize = 256 * 1024;
/// Elements of a block at least.
const LEAST: usize = 1024;

/// Sorts the elements of a source into `out`. Stable.
pub(super) fn sort<T: Element, S: Source<Item = T>, K: Kernel<(T, T), Out = bool>>(
    cpu: &Cpu<'_>,
    source: &S,
    less: &K,
    out: ViewMut<'_, T>,
) -> Result<()> {
    let n = out.len();
    if n <= RUN {
        cpu.at_level(Fill { source, out, range: 0..n, stores: Stores::Cached });
        sort_run(less, out, 0..n);
        return Ok(());
    }
    let block = block(n, size_of::<T>(), cpu.workers);
    // Merges until a block is sorted, and until all is.
    let within = block.min(n).div_ceil(RUN).next_power_of_two().ilog2();
    let beyond = n.div_ceil(block).next_power_of_two().ilog2();
    cpu.allocate(n, |copy| {
        // The last merge writes to `out`.
        let mut rows = if (within + beyond).is_multiple_of(2) { [out, copy] } else { [copy, out] };
        cpu.for_each_chunk(n.div_ceil(block), |chunk| {
            let range = chunk * block..((chunk + 1) * block).min(n);
            let mut rows = rows;
            cpu.at_level(Fill { source, out: rows[0], range: range.clone(), stores: Stores::Cached });
            for start in range.clone().step_by(RUN) {
                sort_run(less, rows[0], start..(start + RUN).min(range.end));
            }
            for level in 0..within {
                merge_runs(less, rows, range.clone(), range.clone(), RUN << level);
                rows.reverse();
            }
        })?;
        if within % 2 == 1 {
            rows.reverse();
        }
        for level in 0..beyond {
            in_shares(cpu, n).for_each_range(n, |range| merge_runs(less, rows, 0..n, range, block << level))?;
            rows.reverse();
        }
        Ok(())
    })
    .map(|_| ())
}

/// Elements of a block: so that several workers find several.
fn block(n: usize, bytes: usize, workers: usize) -> usize {
    let most = (BLOCK_BYTES / bytes.max(1)).max(LEAST);
    let share = if workers > 1 { n / (4 * workers) } else { n };
    let block = share.clamp(LEAST, most).next_power_of_two();
    // A run at the end may be short, but none before it.
    debug_assert!(block.is_multiple_of(RUN));
    block
}

/// Merges the runs of so many elements in `all`, two by two, from the first rows to the second: as far as they end up in a range.
fn merge_runs<T: Element, K: Kernel<(T, T), Out = bool>>(
    less: &K,
    [from, to]: [ViewMut<'_, T>; 2],
    all: Range<usize>,
    range: Range<usize>,
    run: usize,
) {
    let mut first = all.start + (range.start - all.start) / (2 * run) * (2 * run);
    while run <= SHORT && first + 4 * run <= range.end {
        merge_short(less, from, to, first, run);
        first += 4 * run;
    }
    for start in (first..range.end).step_by(2 * run) {
        let middle = (start + run).min(all.end);
        let end = (start + 2 * run).min(all.end);
        let runs = Runs { inputs: from, a: start..middle, b: middle..end, less };
        let part = range.start.max(start)..range.end.min(end);
        runs.write(part.start - start..part.end - start, to, part.start);
    }
}

/// Merges four short runs, two and two: both pairs from the front and from the back, in turn.
///
/// As many steps as a run has elements use up neither of two runs that are equally long. So nothing is searched for and no end looked out
/// for, which short runs would pay for dearly.
#[inline(always)]
fn merge_short<T: Element, K: Kernel<(T, T), Out = bool>>(
    less: &K,
    from: ViewMut<'_, T>,
    to: ViewMut<'_, T>,
    start: usize,
    run: usize,
) {
    let (from, to) = (from.whole(), to.whole());
    // Elements taken of each pair's first run: from the front, from the back. Of the second run the rest of the steps was taken.
    let (mut front, mut back) = ([0; 2], [0; 2]);
    for step in 0..run {
        for pair in 0..2 {
            let start = start + 2 * run * pair;
            let taken = front[pair];
            let (i, j) = (start + taken, start + run + step - taken);
            let (a, b) = (from.read(i), from.read(j));
            let second = precedes(less, b, a);
            to.write(start + step, from.choose(second, (i, a), (j, b)));
            front[pair] = taken + usize::from(!second);

            let end = start + 2 * run - 1;
            let taken = back[pair];
            let (i, j) = (end - run - taken, end - step + taken);
            let (a, b) = (from.read(i), from.read(j));
            let first = precedes(less, b, a);
            to.write(end - step, from.choose(!first, (i, a), (j, b)));
            back[pair] = taken + usize::from(first);
        }
    }
}

/// Sorts a few neighbours: those at even places are compared with their next and exchanged if need be, then those at odd ones, as often
/// as there are elements (N. Habermann, "Parallel neighbor-sort", 1972). Only neighbours are exchanged, so it is stable.
#[inline(always)]
fn sort_run<T: Element, K: Kernel<(T, T), Out = bool>>(less: &K, rows: ViewMut<'_, T>, range: Range<usize>) {
    let rows = rows.whole();
    let n = range.len();
    if n < RUN {
        for round in 0..n {
            for i in (round % 2 + 1..n).step_by(2) {
                let (a, b) = (rows.read(range.start + i - 1), rows.read(range.start + i));
                let (a, b) = exchange(less, a, b);
                rows.write(range.start + i - 1, a);
                rows.write(range.start + i, b);
            }
        }
        return;
    }
    let mut x: [T; RUN] = std::array::from_fn(|i| rows.read(range.start + i));
    for _ in 0..RUN / 2 {
        for i in 0..RUN / 2 {
            (x[2 * i], x[2 * i + 1]) = exchange(less, x[2 * i], x[2 * i + 1]);
        }
        for i in 0..RUN / 2 - 1 {
            (x[2 * i + 1], x[2 * i + 2]) = exchange(less, x[2 * i + 1], x[2 * i + 2]);
        }
    }
    for (i, x) in x.into_iter().enumerate() {
        rows.write(range.start + i, x);
    }
}

/// The two in order.
#[inline(always)]
fn exchange<T: Element, K: Kernel<(T, T), Out = bool>>(less: &K, a: T, b: T) -> (T, T) {
    let turned = precedes(less, b, a);
    (choose(turned, b, a), choose(turned, a, b))
}
