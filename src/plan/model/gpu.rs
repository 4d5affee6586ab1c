//! What a GPU takes.

use crate::machine::{GpuInfo, GpuKind, Gpus, Machine};

use super::super::{Backend, Infeasible, Operation, Problem};
use super::{Prediction, TILE, Work, pinned, slowdown};

/// Digits of a sort on a GPU: those of a key of 32 bits. For wider keys calls teach the rest.
const SORT_DIGITS: f64 = 4.0;
/// Bytes of a position.
const WORD: f64 = 4.0;
/// Elements that a workgroup sorts by merging, of one or two words each.
const MERGE_TILE: f64 = 2048.0;

/// Workgroups for each that a GPU runs at a time, at least, before one takes more than a tile.
const WAVES: f64 = 4.0;
/// Tiles that a workgroup takes at most: what is left of the price of starting it is then a sixteenth.
const MAX_TILES_PER_WORKGROUP: usize = 16;

/// A GPU.
#[inline]
pub(in crate::plan) fn gpu(problem: &Problem, machine: &Machine, work: &Work, gpu: &GpuInfo) -> Result<Prediction, Infeasible> {
    any_gpu(problem, machine)?;
    let needs = &problem.gpu;
    if gpu.kind == GpuKind::Software && problem.pinned.is_none() && !gpu.asked_for {
        return Err(Infeasible::Software);
    }
    if needs.int64 && !gpu.int64 {
        return Err(Infeasible::Int64);
    }
    if needs.float64 && !gpu.float64 {
        return Err(Infeasible::Float64);
    }
    // A map promises no more than its operations do, and a caller who asks for this GPU gets its arithmetic.
    let in_order = matches!(problem.operation, Operation::Reduce | Operation::Scan | Operation::ReduceAxis | Operation::ScanAxis)
        && !problem.unordered;
    if needs.rounds_f32 && !gpu.ieee_f32 && in_order && problem.pinned.is_none() {
        return Err(Infeasible::Rounding);
    }
    if needs.bindings > gpu.max_storage_bindings {
        return Err(Infeasible::Bindings { needed: needs.bindings, limit: gpu.max_storage_bindings });
    }
    // At least one input is as large as their mean.
    let inputs = f64::from(needs.bindings.saturating_sub(1).max(1));
    let largest = work.written.max(work.read / inputs);
    if largest > gpu.max_buffer_bytes as f64 {
        return Err(Infeasible::TooLarge { bytes: largest as u64, limit: gpu.max_buffer_bytes });
    }
    let rates = &gpu.rates;
    // What one binding cannot show at once takes a dispatch for each part.
    let binding = gpu.max_binding_bytes as f64;
    let parts = if largest > binding { (largest / binding).ceil() } else { 1.0 };
    let read = work.read + work.random * rates.random_weight;
    let (passes, traffic, evaluations) = match problem.operation {
        Operation::Map | Operation::Transpose | Operation::Matmul | Operation::ReduceAxis | Operation::ScanAxis => {
            (1.0, read + work.written, 1.0)
        }
        Operation::Reduce => (levels(problem.n), read, 1.0),
        // Reduce, scan the tiles' results, scan: every level but the last is visited on the way up and on the way down.
        Operation::Scan if problem.n <= TILE => (1.0, read + work.written, 1.0),
        Operation::Scan => (2.0 * levels(problem.n) - 1.0, 2.0 * read + work.written, 2.0),
        // Count, scan the tiles' counts, move. All is kept, for what is known.
        Operation::Select => (2.0 * levels(problem.n), 2.0 * read + work.written, 2.0),
        // The ordered forms of the keys, and back; for each digit count, scan the tiles' counts, move.
        Operation::Sort => (2.0 + SORT_DIGITS * 2.0 * levels(problem.n), read + work.written * (3.0 + 3.0 * SORT_DIGITS), 1.0),
        // The tiles' beginnings, the tiles, a scan of what they have left, and what is added to their first segments.
        Operation::SegmentedReduce => (2.0 + 2.0 * levels(problem.n), read + work.written, 1.0),
        // The bins are cleared, and written once more.
        Operation::Histogram => (2.0, read + 2.0 * work.written, 1.0),
        // Where tiles begin in both inputs, then the tiles.
        Operation::Merge => (2.0 + window_passes(work.written, binding), read + work.written, 1.0),
        // Tiles are sorted, and runs of them merged, two by two.
        Operation::MergeSort => {
            let merges = (work.n / MERGE_TILE).log2().ceil().max(0.0);
            // The last merge takes as many as all before it.
            let windows = 2.0 * window_passes(work.written, binding);
            (1.0 + 2.0 * merges + windows, read + work.written * (1.0 + 2.0 * merges), 1.0)
        }
        // The places are cleared and found, and then elements are written; positions are words that are met three times.
        Operation::Scatter => (3.0, 2.0 * read + 2.0 * work.written + 3.0 * work.n * WORD * rates.random_weight, 2.0),
        // Sorted by place, scanned with what begins a run, selected twice, and combined into the result.
        Operation::ScatterReduce => {
            let passes = 4.0 + SORT_DIGITS * 2.0 * levels(problem.n) + 6.0 * levels(problem.n);
            (passes, read * (9.0 + 3.0 * SORT_DIGITS) + 2.0 * work.written, 1.0)
        }
        // For each digit its counts and where the last wanted one falls; then a selection, and a sort of what is few.
        Operation::TopK => (2.0 * SORT_DIGITS + 2.0 * levels(problem.n), read * (SORT_DIGITS + 2.0), SORT_DIGITS + 2.0),
    };
    let slowdown = slowdown(problem, rates.int64_slowdown, rates.float64_slowdown);
    let near = if work.footprint > 0.0 { (rates.cache_bytes / work.footprint).min(1.0) } else { 0.0 };
    let (transfer, paid) = upload(problem, gpu);
    let prediction = Prediction {
        overhead: rates.submit + (passes + parts - 1.0) * work.steps * rates.dispatch,
        prepare: problem.preparing,
        transfer,
        paid,
        memory: work.steps * traffic * (near / rates.cache + (1.0 - near) / rates.memory),
        compute: work.steps * work.compute(problem, &rates.ops, slowdown, evaluations, evaluations),
        readback: if problem.result_on_host {
            rates.download.latency + problem.result_bytes() / rates.download.bandwidth
        } else {
            0.0
        },
        assumed: work.assumed,
        ..Prediction::default()
    };
    Ok(prediction.corrected(problem.seen.gpu))
}

/// Seconds to bring the inputs to a GPU, and how many of them do not count.
#[inline]
fn upload(problem: &Problem, gpu: &GpuInfo) -> (f64, f64) {
    let seconds = gpu.rates.upload.seconds(problem.upload_bytes as f64);
    (seconds, seconds.min(problem.forgone))
}

/// Seconds below which a GPU's total cannot be: those of getting there and of waiting for an answer.
#[inline]
pub(in crate::plan) fn gpu_at_least(problem: &Problem, gpu: &GpuInfo) -> f64 {
    let (transfer, paid) = upload(problem, gpu);
    let answer = if problem.result_on_host { gpu.rates.download.latency } else { 0.0 };
    (gpu.rates.submit + (transfer - paid) + answer) * f64::from(problem.seen.gpu.ratio)
}

/// How many tiles a workgroup takes, one after the other. Fewer workgroups cost less to start; but there should be several for each
/// that runs at a time, so that the last ones to end do not leave the others idle for long.
#[inline]
pub(in crate::plan) fn tiles_per_workgroup(problem: &Problem, gpu: &GpuInfo) -> usize {
    // In a map four workgroups share a tile; a square of a transpose is as large as what one of them has.
    let each = if matches!(problem.operation, Operation::Map | Operation::Transpose) { TILE / 4 } else { TILE };
    let tiles = problem.n as f64 / (each as f64 * WAVES * gpu.rates.workgroups);
    (tiles as usize).clamp(1, MAX_TILES_PER_WORKGROUP)
}

/// What rules out all GPUs alike.
#[inline]
pub(in crate::plan) fn any_gpu(problem: &Problem, machine: &Machine) -> Result<(), Infeasible> {
    pinned(problem, Backend::Gpu)?;
    if !machine.built.gpu {
        return Err(Infeasible::NotBuilt(Backend::Gpu));
    }
    if problem.gpu.refused.is_some() {
        return Err(Infeasible::Refused);
    }
    match &machine.gpus {
        Gpus::NotLookedFor => Err(Infeasible::NotLookedFor),
        Gpus::Absent(_) => Err(Infeasible::NoGpu),
        Gpus::Present(list) if list.is_empty() => Err(Infeasible::NoGpu),
        Gpus::Present(_) => Ok(()),
    }
}

/// Dispatches of a merge of two inputs above one binding, of which so many bytes come: of each two windows of half a binding where the path
/// leaves them, where tiles begin, and the tiles.
fn window_passes(written: f64, binding: f64) -> f64 {
    if written > 2.0 * binding { 3.0 * (written / binding).ceil().powi(2) } else { 0.0 }
}

/// How often tiles are folded into one value each until one is left.
fn levels(n: usize) -> f64 {
    // Three are enough for 2^36 elements.
    1.0 + f64::from(u8::from(n > TILE) + u8::from(n > TILE * TILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_take_a_dispatch_for_each_two_windows() {
        // Each input has twice as many windows as bindings are full of it.
        for (written, pairs) in [(1.0, 0.0), (200.0, 0.0), (201.0, 9.0), (400.0, 16.0), (1000.0, 100.0)] {
            assert_eq!(window_passes(written, 100.0), 3.0 * pairs, "{written}");
        }
    }

    #[test]
    fn levels_are_counted_by_tiles() {
        let count = |mut n: usize| {
            let mut levels = 1.0;
            while n > TILE {
                (n, levels) = (n.div_ceil(TILE), levels + 1.0);
            }
            levels
        };
        for n in [0, 1, TILE, TILE + 1, TILE * TILE, TILE * TILE + 1, 1 << 36] {
            assert_eq!(levels(n), count(n), "{n}");
        }
    }
}
