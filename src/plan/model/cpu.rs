//! What the processor takes: on one core, and shared among several.

use crate::machine::{CpuRates, GpuInfo, Machine};

use super::super::{Backend, Infeasible, Operation, Problem, Sample};
use super::{Prediction, TILE, Work, pinned, slowdown};

/// Seconds of work in a chunk, aimed at: long against the price of taking one, short against what an idle worker may wait for.
const CHUNK_SECONDS: f64 = 50e-6;
/// Chunks for each worker at least, so that one who comes late or is slow is made up for by the others.
const CHUNKS_PER_WORKER: usize = 4;
/// Simple operations by which a sort on a CPU counts and moves an element, one at a time: measured, for what a core does in a vector
/// lane meanwhile.
const SORT_OPS: f64 = 10.0;
/// The same for an element of a scatter: it is compared with the number of places, and written.
const PLACE_OPS: f64 = 3.0;
/// The same for an element of a merge, besides the comparison.
const MERGE_OPS: f64 = 4.0;

/// What one core would take, and of that what does not scale with the cores.
#[derive(Clone, Copy, Debug)]
pub(in crate::plan) struct Serial {
    /// Seconds to move the part of the bytes that the caches hold.
    cached: f64,
    /// Seconds to move the rest.
    dram: f64,
    compute: f64,
    fetch: f64,
    /// How much of `fetch` does not count.
    paid: f64,
    /// How often it is done: what is above holds for all of them together.
    steps: f64,
    assumed: bool,
}

impl Serial {
    #[inline]
    pub(in crate::plan) fn of(problem: &Problem, work: &Work, machine: &Machine) -> Self {
        let (cached, dram) = memory(work, machine);
        let cached = cached * work.steps + work.fresh / machine.rates.fresh;
        // A prefix over the lanes takes a shift and a combination for each doubling, and three steps to carry on. Measured.
        let steps = match problem.operation {
            Operation::Scan => 3.0 + 2.0 * f64::from(machine.cpu.simd_lanes.ilog2()),
            // The same, and a lane takes nothing from another segment.
            Operation::SegmentedReduce => 6.0 + 4.0 * f64::from(machine.cpu.simd_lanes.ilog2()),
            // Elements are counted, or compared, one after the other.
            Operation::Histogram | Operation::TopK | Operation::Merge | Operation::Scatter | Operation::ScatterReduce => {
                machine.cpu.simd_lanes as f64
            }
            Operation::MergeSort => machine.cpu.simd_lanes as f64 * merges(problem.n),
            _ => 1.0,
        };
        let mut compute = on_one_core(problem, work, machine, steps);
        let mut cached = cached;
        if problem.operation == Operation::Sort {
            // Elements are split to where their parts are; a part is then sorted in a second-level cache, by two passes.
            cached += work.written * 2.0 * (1.0 / machine.rates.read.l2 + 1.0 / machine.rates.write.l2);
            compute += work.n * SORT_OPS / machine.rates.ops.simple;
        }
        match problem.operation {
            Operation::Scatter | Operation::ScatterReduce => compute += work.n * PLACE_OPS / machine.rates.ops.simple,
            Operation::Merge => compute += work.n * MERGE_OPS / machine.rates.ops.simple,
            Operation::MergeSort => compute += work.n * MERGE_OPS * merges(problem.n) / machine.rates.ops.simple,
            _ => {}
        }
        let fetch = if problem.download_bytes == 0 { 0.0 } else { fetch(problem, machine.gpus()) };
        let (dram, compute) = (dram * work.steps, compute * work.steps);
        Serial { cached, dram, compute, fetch, paid: fetch.min(problem.forgone), steps: work.steps, assumed: work.assumed }
    }

    #[inline]
    pub(in crate::plan) fn body(&self) -> f64 {
        (self.cached + self.dram).max(self.compute)
    }
}

/// Seconds of arithmetic of one core, if an element is combined so many times.
#[inline]
fn on_one_core(problem: &Problem, work: &Work, machine: &Machine, combinations: f64) -> f64 {
    let rates = &machine.rates;
    let slowdown = slowdown(problem, rates.int64_slowdown, rates.float64_slowdown);
    work.compute(problem, &rates.ops, slowdown, 1.0, combinations) / machine.cpu.simd_lanes as f64
}

/// Seconds of one core for the bytes that the caches hold, and for those that they do not.
#[inline]
fn memory(work: &Work, machine: &Machine) -> (f64, f64) {
    if work.footprint == 0.0 {
        return (0.0, 0.0);
    }
    let (cpu, CpuRates { read, write, random_weight, .. }) = (&machine.cpu, &machine.rates);
    let scale = 1.0 / work.footprint;
    let price = |bytes: f64, read: f64, write: f64, weight: f64| {
        bytes * scale * ((work.read + work.random * weight) / read + work.written / write)
    };
    let (mut cached, mut held) = (0.0, 0.0);
    for (size, read, write, weight) in [
        (cpu.l1_bytes, read.l1, write.l1, random_weight.l1),
        (cpu.l2_bytes, read.l2, write.l2, random_weight.l2),
        (cpu.l3_bytes, read.l3, write.l3, random_weight.l3),
    ] {
        let up_to = work.footprint.min(size as f64);
        if up_to > held {
            cached += price(up_to - held, read, write, weight);
            held = up_to;
        }
        if held >= work.footprint {
            return (cached, 0.0);
        }
    }
    (cached, price(work.footprint - held, read.dram, write.dram, random_weight.dram))
}

/// Seconds to get inputs that only a GPU has.
fn fetch(problem: &Problem, gpus: &[GpuInfo]) -> f64 {
    holder(problem, gpus).map_or(0.0, |gpu| fetch_from(problem, gpu))
}

/// The GPU that the inputs are on. Which one has them is not known here, so it is the one with the fastest link.
pub(in crate::plan) fn holder<'a>(problem: &Problem, gpus: &'a [GpuInfo]) -> Option<&'a GpuInfo> {
    gpus.iter().min_by(|a, b| fetch_from(problem, a).total_cmp(&fetch_from(problem, b)))
}

fn fetch_from(problem: &Problem, gpu: &GpuInfo) -> f64 {
    gpu.rates.submit + gpu.rates.download.seconds(problem.download_bytes as f64)
}

/// One core.
#[inline]
pub(in crate::plan) fn simd(problem: &Problem, machine: &Machine, serial: &Serial) -> Result<Prediction, Infeasible> {
    pinned(problem, Backend::Simd)?;
    Ok(alone(problem, machine, serial))
}

#[inline]
fn alone(problem: &Problem, machine: &Machine, serial: &Serial) -> Prediction {
    Prediction {
        overhead: machine.rates.call * serial.steps,
        transfer: serial.fetch,
        paid: serial.paid,
        memory: serial.cached + serial.dram,
        compute: serial.compute,
        assumed: serial.assumed,
        ..Prediction::default()
    }
    .corrected(problem.seen.simd)
}

/// Times that a helper takes to come below which one core is left alone with the work.
const ALONE: f64 = 2.0;
/// The same where calls are measured: what a helper takes may be wrong by so much, and only calls that share the work can show it.
const ALONE_AT_LEAST: f64 = 0.5;

/// Whether there is enough to share: several tiles, which one core does not do before a helper has come.
#[inline]
fn enough(problem: &Problem, machine: &Machine, serial: &Serial, wakes: f64) -> bool {
    problem.n > TILE && serial.body() * f64::from(problem.seen.simd.ratio) >= wakes * machine.rates.wake_hot * serial.steps
}

/// Whether there may be enough to share, if the machine's rates are a little wrong.
#[inline]
pub(in crate::plan) fn could_share(problem: &Problem, machine: &Machine, serial: &Serial) -> bool {
    enough(problem, machine, serial, ALONE_AT_LEAST)
}

/// Several cores: the best number of workers, and what it takes.
#[inline]
pub(in crate::plan) fn threads(
    problem: &Problem,
    machine: &Machine,
    work: &Work,
    serial: &Serial,
) -> Result<(usize, Prediction), Infeasible> {
    pinned(problem, Backend::Threads)?;
    if !machine.built.threads {
        return Err(Infeasible::NotBuilt(Backend::Threads));
    }
    let asked_for = problem.pinned.is_some();
    // A caller who sets more workers than there are cores gets them where the call is pinned; unasked, no more than help.
    let cores = match problem.max_workers {
        usize::MAX => machine.cpu.cores,
        most if asked_for => most,
        most => machine.cpu.cores.min(most),
    };
    let limit = cores.min(problem.n.div_ceil(TILE));
    if limit < 2 && asked_for {
        return Ok((1, alone(problem, machine, serial)));
    }
    if cores < 2 {
        return Err(Infeasible::OneCore);
    }
    let wakes = if problem.seen.simd.count > 0 { ALONE_AT_LEAST } else { ALONE };
    if limit < 2 || (!asked_for && !enough(problem, machine, serial, wakes)) {
        return Err(Infeasible::TooSmall);
    }
    // The shares of few tiles are uneven, so the time may rise and fall again: doubling goes on for as long as a gain is possible.
    let shared = Shared::of(problem, machine, work, serial);
    let least = shared.at_least(limit);
    let mut best = (2, shared.on(2));
    let mut workers = 2;
    while workers < limit {
        workers = (workers * 2).min(limit);
        if (least + shared.wake(workers)) * f64::from(shared.seen.ratio) >= best.1.total {
            break;
        }
        let next = shared.on(workers);
        if next.total < best.1.total {
            best = (workers, next);
        }
    }
    Ok(best)
}

/// The work of one core, as several share it.
struct Shared<'a> {
    n: usize,
    serial: Serial,
    /// The part of the time of one core for memory that more cores cannot get below.
    saturated: f64,
    rates: &'a CpuRates,
    seen: Sample,
}

impl<'a> Shared<'a> {
    #[inline]
    fn of(problem: &Problem, machine: &'a Machine, work: &Work, serial: &Serial) -> Self {
        let (rates, mut serial) = (&machine.rates, *serial);
        if problem.operation == Operation::Select {
            // What a worker keeps stands in its second-level cache until it knows where it goes.
            serial.cached += work.written * (1.0 / rates.write.l2 + 1.0 / rates.read.l2);
        }
        if matches!(problem.operation, Operation::Scatter | Operation::ScatterReduce) {
            // Each worker reads all indices and values, for what is its own.
            serial.cached += work.read / rates.read.dram;
        }
        if problem.operation == Operation::Scan {
            // A worker reduces its chunk, learns what stands before it, and reads it again, then out of its second-level cache.
            serial.cached += (work.read + work.random * rates.random_weight.l2) / rates.read.l2;
            serial.compute += on_one_core(problem, work, machine, 1.0);
        }
        let saturated = (rates.read.dram / rates.dram_limit).min(1.0);
        Shared { n: problem.n, serial, saturated, rates, seen: problem.seen.threads }
    }

    #[inline]
    fn wake(&self, workers: usize) -> f64 {
        (self.rates.wake_hot + self.rates.wake_more * (workers - 2) as f64) * self.serial.steps
    }

    /// Seconds that no number of workers up to a limit gets below, without waking them.
    #[inline]
    fn at_least(&self, limit: usize) -> f64 {
        let Serial { dram, fetch, paid, .. } = self.serial;
        fetch - paid + (dram * self.saturated).max(self.serial.body() / limit as f64)
    }

    #[inline]
    fn on(&self, workers: usize) -> Prediction {
        let (Serial { cached, dram, compute, fetch, paid, steps, assumed }, rates) = (self.serial, self.rates);
        // Whoever takes the most tiles is waited for: few and dear ones may not come out even.
        let most = self.n.div_ceil(TILE).div_ceil(workers) * TILE;
        let share = (most as f64 / self.n as f64).clamp(1.0 / workers as f64, 1.0);
        let memory = cached * share + dram * share.max(self.saturated);
        let compute = compute * share;
        let chunks = (memory.max(compute) * (1.0 / CHUNK_SECONDS)).max(CHUNKS_PER_WORKER as f64 * steps);
        Prediction {
            overhead: rates.call * steps + chunks * rates.chunk,
            wake: self.wake(workers),
            transfer: fetch,
            paid,
            memory,
            compute,
            assumed,
            ..Prediction::default()
        }
        .corrected(self.seen)
    }
}

/// How many elements a worker takes at a time.
#[inline]
pub(in crate::plan) fn grain(problem: &Problem, machine: &Machine, serial: &Serial, workers: usize) -> usize {
    let tiles = |elements: f64| ((elements / TILE as f64) as usize).max(1);
    let n = problem.n as f64;
    let body = serial.body() / serial.steps;
    let by_time = if body > 0.0 { tiles(n * (CHUNK_SECONDS / body)) } else { usize::MAX };
    let by_count = (problem.n / (CHUNKS_PER_WORKER * workers * TILE)).max(1);
    let mut grain = by_time.min(by_count);
    if problem.operation == Operation::Scan {
        // The second reading finds the chunk in half of the second-level cache; the other half is the output's.
        let bytes = f64::from(problem.element.bytes_read) + problem.item_bytes as f64;
        grain = grain.min(tiles(machine.cpu.l2_bytes as f64 / bytes.max(1.0)));
    }
    grain * TILE
}

/// How often runs of elements are merged, two by two, until one is left.
fn merges(n: usize) -> f64 {
    f64::from(n.max(2).ilog2())
}
