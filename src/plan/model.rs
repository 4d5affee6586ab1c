//! How long a call will take: for each backend a sum of terms, from the problem's bytes and operations and the machine's rates.
//!
//! ```text
//! simd     call    +           fetch          + max(bytes / bandwidth, ops / throughput)
//! threads  call    + wake(p) + fetch          + max(...) / p, where memory stops scaling when it is saturated
//! gpu      submit  + passes  + upload         + max(...)                                   + readback
//! ```
//!
//! The bandwidth of a core is a curve over the working set: the part of it that fits into a level is priced at that level's figure.
//! This makes every time continuous and never falling in the bytes, which steps at the cache sizes would not be.
//! After StarPU (Augonnet, Thibault, Namyst, Wacrenier, 2011) in taking transfers for a cost of their own, and the roofline model
//! (Williams, Waterman, Patterson, 2009) in the maximum of memory and arithmetic.

use crate::machine::{CpuRates, GpuInfo, GpuKind, Gpus, Machine, OpRates};

use super::{Backend, GpuNeeds, Infeasible, Operation, Problem, Sample};

/// Elements in a tile, of which every share of work is a whole number.
pub const TILE: usize = 4096;

/// How often a loop is taken to run whose number of iterations depends on data.
pub(crate) const ASSUMED_ITERATIONS: f64 = 64.0;
/// A result larger than this is allocated in pages of its own, which the operating system provides at the first touch.
const OWN_PAGES: f64 = 128.0 * 1024.0;
/// Seconds of work in a chunk, aimed at: long against the price of taking one, short against what an idle worker may wait for.
const CHUNK_SECONDS: f64 = 50e-6;
/// Chunks for each worker at least, so that one who comes late or is slow is made up for by the others.
const CHUNKS_PER_WORKER: usize = 4;

/// Simple operations by which a sort on a CPU counts and moves an element, one at a time: measured, for what a core does in a vector
/// lane meanwhile.
const SORT_OPS: f64 = 10.0;
/// The same for an element of a merge, besides the comparison.
const MERGE_OPS: f64 = 4.0;
/// Elements that a workgroup sorts by merging, of one or two words each.
const MERGE_TILE: f64 = 2048.0;
/// Digits of a sort on a GPU: those of a key of 32 bits. For wider keys calls teach the rest.
const SORT_DIGITS: f64 = 4.0;

/// Workgroups for each that a GPU runs at a time, at least, before one takes more than a tile.
const WAVES: f64 = 4.0;
/// Tiles that a workgroup takes at most: what is left of the price of starting it is then a sixteenth.
const MAX_TILES_PER_WORKGROUP: usize = 16;

/// What one candidate will take. All times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Prediction {
    /// What any call costs: planning, chunks; on a GPU submitting and dispatching.
    pub overhead: f64,
    /// Compiling the shader, as far as earlier calls have not paid for it by waiting.
    pub prepare: f64,
    /// Calling the helpers.
    pub wake: f64,
    /// Moving inputs to where the work is.
    pub transfer: f64,
    /// Moving data between memory and the arithmetic units. Goes on at the same time as `compute`: the longer one counts.
    pub memory: f64,
    /// Arithmetic.
    pub compute: f64,
    /// Moving the result to the host.
    pub readback: f64,
    /// How much of `transfer` does not count in a comparison: earlier calls have lost as much because the data stayed where it is.
    pub paid: f64,
    /// What candidates are compared by: the terms less what is paid, corrected by what was measured of calls like this one.
    pub total: f64,
    /// That correction.
    pub seen: Sample,
    /// Whether a loop's number of iterations was assumed, so that `compute` is a guess.
    pub assumed: bool,
}

impl Prediction {
    #[inline]
    fn corrected(self, seen: Sample) -> Self {
        Prediction { seen, total: self.prepare + (self.modelled() - self.paid) * f64::from(seen.ratio), ..self }
    }

    /// Seconds that the call will take: what [`total`](Prediction::total) is where nothing is paid and the shader is ready.
    #[inline]
    pub fn expected(&self) -> f64 {
        self.modelled() * f64::from(self.seen.ratio)
    }

    /// The sum of the terms, by the model alone, but for what happens once: what a measured time is compared with.
    #[inline]
    pub fn modelled(&self) -> f64 {
        self.overhead + self.wake + self.transfer + self.memory.max(self.compute) + self.readback
    }
}

/// A problem in numbers, as all backends see it.
#[derive(Clone, Copy)]
pub(super) struct Work {
    /// Bytes of all inputs and outputs: what the caches are asked to hold.
    footprint: f64,
    read: f64,
    random: f64,
    written: f64,
    /// Of `written`, what goes to memory that nobody has touched yet.
    fresh: f64,
    n: f64,
    /// How often the element's loops of unknown length run, and the operator's.
    iterations: (f64, f64),
    assumed: bool,
}

impl Work {
    #[inline]
    pub(super) fn of(problem: &Problem) -> Self {
        let n = problem.n as f64;
        let (element, combine) = (&problem.element, &problem.combine);
        let seen = f64::from(problem.seen.iterations);
        let times = |unknown: bool| match unknown {
            false => 1.0,
            true if seen > 0.0 => seen,
            true => ASSUMED_ITERATIONS,
        };
        let iterations = (times(element.loops_unknown), times(combine.loops_unknown));
        let written = problem.written_bytes();
        Work {
            footprint: problem.bytes() as f64,
            read: n * f64::from(element.bytes_read),
            random: n * f64::from(element.bytes_random) * iterations.0,
            written,
            fresh: if problem.allocates { (written - OWN_PAGES).max(0.0) } else { 0.0 },
            n,
            iterations,
            assumed: seen == 0.0 && (element.loops_unknown || combine.loops_unknown),
        }
    }

    /// Whether the length of a loop was guessed.
    #[inline]
    pub(super) fn assumed(&self) -> bool {
        self.assumed
    }

    /// Seconds of arithmetic, if an element is evaluated and combined so many times.
    #[inline]
    fn compute(&self, problem: &Problem, rates: &OpRates, slowdown: f64, evaluations: f64, combinations: f64) -> f64 {
        let element = rates.seconds(problem.element.ops) * self.iterations.0 * evaluations;
        let combine = rates.seconds(problem.combine.ops) * self.iterations.1 * combinations;
        (element + combine) * self.n * slowdown
    }
}

/// What one core would take, and of that what does not scale with the cores.
#[derive(Clone, Copy, Debug)]
pub(super) struct Serial {
    /// Seconds to move the part of the bytes that the caches hold.
    cached: f64,
    /// Seconds to move the rest.
    dram: f64,
    compute: f64,
    fetch: f64,
    /// How much of `fetch` does not count.
    paid: f64,
    assumed: bool,
}

impl Serial {
    #[inline]
    pub(super) fn of(problem: &Problem, work: &Work, machine: &Machine) -> Self {
        let (cached, dram) = memory(work, machine);
        let cached = cached + work.fresh / machine.rates.fresh;
        // A prefix over the lanes takes a shift and a combination for each doubling, and three steps to carry on. Measured.
        let steps = match problem.operation {
            Operation::Scan => 3.0 + 2.0 * f64::from(machine.cpu.simd_lanes.ilog2()),
            // The same, and a lane takes nothing from another segment.
            Operation::SegmentedReduce => 6.0 + 4.0 * f64::from(machine.cpu.simd_lanes.ilog2()),
            // Elements are counted, or compared, one after the other.
            Operation::Histogram | Operation::TopK | Operation::Merge => machine.cpu.simd_lanes as f64,
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
            Operation::Merge => compute += work.n * MERGE_OPS / machine.rates.ops.simple,
            Operation::MergeSort => compute += work.n * MERGE_OPS * merges(problem.n) / machine.rates.ops.simple,
            _ => {}
        }
        let fetch = if problem.download_bytes == 0 { 0.0 } else { fetch(problem, machine.gpus()) };
        Serial { cached, dram, compute, fetch, paid: fetch.min(problem.forgone), assumed: work.assumed }
    }

    #[inline]
    pub(super) fn body(&self) -> f64 {
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

#[inline]
fn slowdown(problem: &Problem, int64: f64, float64: f64) -> f64 {
    match problem.gpu {
        GpuNeeds { float64: true, .. } => float64,
        GpuNeeds { int64: true, .. } => int64,
        _ => 1.0,
    }
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
pub(super) fn holder<'a>(problem: &Problem, gpus: &'a [GpuInfo]) -> Option<&'a GpuInfo> {
    gpus.iter().min_by(|a, b| fetch_from(problem, a).total_cmp(&fetch_from(problem, b)))
}

fn fetch_from(problem: &Problem, gpu: &GpuInfo) -> f64 {
    gpu.rates.submit + gpu.rates.download.seconds(problem.download_bytes as f64)
}

#[inline]
fn pinned(problem: &Problem, backend: Backend) -> Result<(), Infeasible> {
    match problem.pinned {
        Some(other) if other != backend => Err(Infeasible::PinnedElsewhere(other)),
        _ => Ok(()),
    }
}

/// One core.
#[inline]
pub(super) fn simd(problem: &Problem, machine: &Machine, serial: &Serial) -> Result<Prediction, Infeasible> {
    pinned(problem, Backend::Simd)?;
    Ok(alone(problem, machine, serial))
}

#[inline]
fn alone(problem: &Problem, machine: &Machine, serial: &Serial) -> Prediction {
    Prediction {
        overhead: machine.rates.call,
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
    problem.n > TILE && serial.body() * f64::from(problem.seen.simd.ratio) >= wakes * machine.rates.wake_hot
}

/// Whether there may be enough to share, if the machine's rates are a little wrong.
#[inline]
pub(super) fn could_share(problem: &Problem, machine: &Machine, serial: &Serial) -> bool {
    enough(problem, machine, serial, ALONE_AT_LEAST)
}

/// Several cores: the best number of workers, and what it takes.
#[inline]
pub(super) fn threads(
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
        self.rates.wake_hot + self.rates.wake_more * (workers - 2) as f64
    }

    /// Seconds that no number of workers up to a limit gets below, without waking them.
    #[inline]
    fn at_least(&self, limit: usize) -> f64 {
        let Serial { dram, fetch, paid, .. } = self.serial;
        fetch - paid + (dram * self.saturated).max(self.serial.body() / limit as f64)
    }

    #[inline]
    fn on(&self, workers: usize) -> Prediction {
        let (Serial { cached, dram, compute, fetch, paid, assumed }, rates) = (self.serial, self.rates);
        // Whoever takes the most tiles is waited for: few and dear ones may not come out even.
        let most = self.n.div_ceil(TILE).div_ceil(workers) * TILE;
        let share = (most as f64 / self.n as f64).clamp(1.0 / workers as f64, 1.0);
        let memory = cached * share + dram * share.max(self.saturated);
        let compute = compute * share;
        let chunks = (memory.max(compute) * (1.0 / CHUNK_SECONDS)).max(CHUNKS_PER_WORKER as f64);
        Prediction {
            overhead: rates.call + chunks * rates.chunk,
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
pub(super) fn grain(problem: &Problem, machine: &Machine, serial: &Serial, workers: usize) -> usize {
    let tiles = |elements: f64| ((elements / TILE as f64) as usize).max(1);
    let n = problem.n as f64;
    let body = serial.body();
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

/// A GPU.
#[inline]
pub(super) fn gpu(problem: &Problem, machine: &Machine, work: &Work, gpu: &GpuInfo) -> Result<Prediction, Infeasible> {
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
    let in_order = matches!(problem.operation, Operation::Reduce | Operation::Scan) && !problem.unordered;
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
        Operation::Map => (1.0, read + work.written, 1.0),
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
        Operation::Merge => (2.0, read + work.written, 1.0),
        // Tiles are sorted, and runs of them merged, two by two.
        Operation::MergeSort => {
            let merges = (work.n / MERGE_TILE).log2().ceil().max(0.0);
            (1.0 + 2.0 * merges, read + work.written * (1.0 + 2.0 * merges), 1.0)
        }
        // For each digit its counts and where the last wanted one falls; then a selection, and a sort of what is few.
        Operation::TopK => (2.0 * SORT_DIGITS + 2.0 * levels(problem.n), read * (SORT_DIGITS + 2.0), SORT_DIGITS + 2.0),
    };
    let slowdown = slowdown(problem, rates.int64_slowdown, rates.float64_slowdown);
    let near = if work.footprint > 0.0 { (rates.cache_bytes / work.footprint).min(1.0) } else { 0.0 };
    let (transfer, paid) = upload(problem, gpu);
    let prediction = Prediction {
        overhead: rates.submit + (passes + parts - 1.0) * rates.dispatch,
        prepare: problem.preparing,
        transfer,
        paid,
        memory: traffic * (near / rates.cache + (1.0 - near) / rates.memory),
        compute: work.compute(problem, &rates.ops, slowdown, evaluations, evaluations),
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
pub(super) fn gpu_at_least(problem: &Problem, gpu: &GpuInfo) -> f64 {
    let (transfer, paid) = upload(problem, gpu);
    let answer = if problem.result_on_host { gpu.rates.download.latency } else { 0.0 };
    (gpu.rates.submit + (transfer - paid) + answer) * f64::from(problem.seen.gpu.ratio)
}

/// How many tiles a workgroup takes, one after the other. Fewer workgroups cost less to start; but there should be several for each
/// that runs at a time, so that the last ones to end do not leave the others idle for long.
#[inline]
pub(super) fn tiles_per_workgroup(problem: &Problem, gpu: &GpuInfo) -> usize {
    // In a map four workgroups share a tile.
    let each = if problem.operation == Operation::Map { TILE / 4 } else { TILE };
    let tiles = problem.n as f64 / (each as f64 * WAVES * gpu.rates.workgroups);
    (tiles as usize).clamp(1, MAX_TILES_PER_WORKGROUP)
}

/// What rules out all GPUs alike.
#[inline]
pub(super) fn any_gpu(problem: &Problem, machine: &Machine) -> Result<(), Infeasible> {
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

/// How often runs of elements are merged, two by two, until one is left.
fn merges(n: usize) -> f64 {
    f64::from(n.max(2).ilog2())
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
