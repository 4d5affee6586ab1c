//! Probes of the processor.

use std::time::Duration;

use crate::element::Element;
use crate::engine::Engine;
use crate::error::Error;
use crate::kernel::cost::Ops;
use crate::machine::{Cpu, CpuRates, Levels};
use crate::operator::{Operator, Sum};
use crate::plan::{Backend, Choice, Operation, Plan, Problem, TILE};
use crate::source::{IntoSource, Source, constant, gather, iota};
use crate::task::{Primitive, Task};

use super::{Arithmetic, Clock, Probed, Stop, floats, long_floats, long_integers, set, set_difference};

/// Bytes of the working set that stands for memory, if that is four times the last cache; and the least that can.
const MEMORY_BYTES: usize = 64 << 20;
const LEAST_MEMORY_BYTES: usize = 32 << 20;
/// Bytes of a new array: enough that its pages are its own.
const FRESH_BYTES: usize = 8 << 20;
/// Elements of the arithmetic probes: few enough that what they make stays in the nearest caches.
const ELEMENTS: usize = 2 * TILE;

/// Measures the processor. What the budget does not suffice for, or what failed, keeps its prior. Also gives the first failure.
pub(crate) fn cpu(engine: &Engine, budget: Duration) -> (CpuRates, Option<Error>) {
    let clock = Clock::start(budget);
    // Pinned, so that nobody looks for GPUs.
    let pinned = Problem { pinned: Some(Backend::Simd), ..Problem::new(Operation::Map) };
    let cpu = engine.machine_for(&pinned).cpu.clone();
    let rates = CpuRates::prior(cpu.simd_lanes);
    let workers = if cfg!(feature = "threads") { engine.workers().min(cpu.cores) } else { 1 };
    let mut probes = Probes { engine, clock, cpu, workers, rates, failed: None };
    probes.run();
    (probes.rates, probes.failed)
}

struct Probes<'e> {
    engine: &'e Engine,
    clock: Clock,
    cpu: Cpu,
    workers: usize,
    rates: CpuRates,
    /// The first failure.
    failed: Option<Error>,
}

impl Probes<'_> {
    /// All of them, the cheap ones first. One that fails leaves its figures as they were, and the others go on.
    fn run(&mut self) {
        self.rates.measured.overhead = self.probe(Self::call);
        self.rates.measured.compute = self.probe(Self::compute);
        if self.workers > 1 {
            self.rates.measured.wake = self.probe(Self::wake);
        }
        self.probe(Self::fresh);
        self.probe(Self::memory);
    }

    /// Whether it was done.
    fn probe(&mut self, probe: impl FnOnce(&mut Self) -> Probed<()>) -> bool {
        match probe(self) {
            Ok(()) => true,
            Err(Stop::Budget) => false,
            Err(Stop::Failed(error)) => {
                self.failed.get_or_insert(error);
                false
            }
        }
    }

    /// A task's least time on one core.
    fn alone<'t, P: Primitive + 't>(&self, mut task: impl FnMut() -> Task<'t, P>) -> Probed<f64> {
        self.clock.least(|| task().on(Backend::Simd).run())
    }

    fn call(&mut self) -> Probed<()> {
        // A call that combines and one that writes have each a little of their own.
        let (few, mut out) = ([1.0_f32; 64], [0.0_f32; 64]);
        let sum = self.alone(|| self.engine.reduce(&few, Sum))?;
        let copy = self.clock.least(|| self.engine.collect(&few).into(&mut out).on(Backend::Simd).run())?;
        set(&mut self.rates.call, sum.min(copy));
        Ok(())
    }

    fn compute(&mut self) -> Probed<()> {
        let mut ops = self.rates.ops;
        self.op_rates(&mut ops)?;
        self.rates.ops = ops;
        let (mut int64, mut float64) = (self.rates.int64_slowdown, self.rates.float64_slowdown);
        self.slowdown(long_integers, ops.simple, &mut int64)?;
        self.slowdown(long_floats, ops.simple, &mut float64)?;
        (self.rates.int64_slowdown, self.rates.float64_slowdown) = (int64, float64);
        Ok(())
    }
}

impl Arithmetic for Probes<'_> {
    fn element<S: Source<Item: Element>>(&mut self, source: impl Fn(usize) -> S) -> Probed<(f64, Ops)>
    where
        Sum: Operator<S::Item>,
    {
        let Problem { element, combine, .. } = self.engine.reduce(source(ELEMENTS), Sum).problem()?;
        let map = self.alone(|| self.engine.collect(source(ELEMENTS)))? - self.rates.call;
        let reduce = self.alone(|| self.engine.reduce(source(ELEMENTS), Sum))? - self.rates.call;
        // The two keep more or fewer vectors in flight, which for long kernels makes up to a factor of two: the mean of both.
        let of_element = element.ops.total() / (element.ops.total() + combine.ops.total());
        let seconds = (map * reduce * f64::from(of_element)).sqrt();
        Ok((seconds * self.cpu.simd_lanes as f64 / ELEMENTS as f64, element.ops))
    }
}

// ---- several cores ------------------------------------------------------------------------------------------------------------

/// A plan for so many workers.
fn shared(workers: usize, grain: usize) -> Plan {
    Plan { choice: Choice { backend: Backend::Threads, workers, grain, gpu: 0 }, candidates: Vec::new() }
}

impl Probes<'_> {
    fn wake(&mut self) -> Probed<()> {
        // What a chunk costs: the same light work in many and in few.
        let (tiles, few) = (256, 8);
        let light = |grain| {
            let plan = shared(2, grain);
            self.clock.least(|| self.engine.reduce(iota(0..(tiles * TILE) as u32), Sum).with_plan(&plan).run())
        };
        let (coarse, fine) = (light(tiles / few * TILE)?, light(TILE)?);
        // Each of two workers takes half of them.
        set_difference(&mut self.rates.chunk, 2.0 * (fine - coarse) / (tiles - few) as f64);

        // What a helper costs: work of about 50 microseconds, alone and shared, in four chunks each.
        let tile = self.alone(|| self.engine.reduce(floats(TILE), Sum))? - self.rates.call;
        let tiles = ((50e-6 / tile) as usize).next_multiple_of(8).clamp(8, 1024);
        let body = self.alone(|| self.engine.reduce(floats(tiles * TILE), Sum))? - self.rates.call;
        let overhead = self.rates.call + 4.0 * self.rates.chunk;
        let on = |workers: usize| {
            let plan = shared(workers, (tiles / (4 * workers)).max(1) * TILE);
            self.engine.reduce(floats(tiles * TILE), Sum).with_plan(&plan).run()
        };
        let hot = self.clock.least(|| on(2))? - overhead - body / 2.0;
        let mut asleep = f64::INFINITY;
        for _ in 0..4 {
            std::thread::sleep(Duration::from_millis(2));
            asleep = asleep.min(self.clock.once(|| on(2))?);
        }
        // The caller works alone until the helper comes, and then both do.
        let cold = 2.0 * (asleep - overhead) - body;
        set_difference(&mut self.rates.wake_hot, hot);
        set_difference(&mut self.rates.wake_cold, cold.max(self.rates.wake_hot));
        if self.workers > 2 {
            let all = self.workers as f64;
            let more = (self.clock.least(|| on(self.workers))? - overhead - body / all - self.rates.wake_hot) / (all - 2.0);
            set_difference(&mut self.rates.wake_more, more);
        }
        Ok(())
    }
}

// ---- memory -------------------------------------------------------------------------------------------------------------------

/// Rates from the nearest level to memory.
type Curve = [f64; 4];

fn curve(&Levels { l1, l2, l3, dram }: &Levels) -> Curve {
    [l1, l2, l3, dram]
}

fn levels([l1, l2, l3, dram]: Curve) -> Levels {
    Levels { l1, l2, l3, dram }
}

/// The curve with no level faster than a nearer one, on which the monotony of every prediction rests: levels that were measured the
/// wrong way round share their mean (isotonic regression by pooling adjacent violators, in logarithms). Those from `measured` on are
/// priors, which give way.
fn falling(mut rates: Curve, measured: usize) -> Curve {
    let mut pools: Vec<(f64, i32)> = Vec::with_capacity(4);
    for rate in &rates[..measured] {
        let mut pool = (rate.ln(), 1);
        while let Some(&(sum, count)) = pools.last()
            && sum / f64::from(count) < pool.0 / f64::from(pool.1)
        {
            pools.pop();
            pool = (pool.0 + sum, pool.1 + count);
        }
        pools.push(pool);
    }
    let means = pools.iter().flat_map(|&(sum, count)| std::iter::repeat_n((sum / f64::from(count)).exp(), count as usize));
    rates.iter_mut().zip(means).for_each(|(rate, mean)| *rate = mean);
    for level in measured.max(1)..4 {
        rates[level] = rates[level].min(rates[level - 1]);
    }
    rates
}

/// How many bytes of a working set each level holds, as the model has it.
fn held(cpu: &Cpu, bytes: usize) -> [f64; 4] {
    let mut nearer = 0;
    [cpu.l1_bytes, cpu.l2_bytes, cpu.l3_bytes, usize::MAX].map(|size| {
        let up_to = bytes.min(size).max(nearer);
        let part = up_to - nearer;
        nearer = up_to;
        part as f64
    })
}

/// The rate of a level, if a working set that is held like this took so many seconds, and the nearer levels have these rates.
fn rate(held: &[f64; 4], level: usize, seconds: f64, nearer: &Curve) -> f64 {
    let known: f64 = (0..level).map(|k| held[k] / nearer[k]).sum();
    held[level] / (seconds - known)
}

/// Random indices below `len`, the same every time (Marsaglia's xorshift).
fn indices(count: usize, len: usize) -> Vec<u32> {
    let mut state = 0x9e37_79b9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        // The high half of the product is below `len`.
        ((u64::from(state) * len as u64) >> 32) as u32
    };
    std::iter::repeat_with(next).take(count).collect()
}

impl Probes<'_> {
    /// A working set that a level holds about half of, beyond what the nearer ones hold. `None` if there is no such level.
    fn working_set(&self, level: usize) -> Option<usize> {
        let Cpu { l1_bytes, l2_bytes, l3_bytes, .. } = self.cpu;
        let (nearer, size) = match level {
            0 => (0, l1_bytes),
            1 => (l1_bytes, l2_bytes),
            2 => (l2_bytes, l3_bytes.min(MEMORY_BYTES)),
            _ => return Some(self.memory_bytes()),
        };
        // Whole tiles of a sum, of which one that is not full takes as long.
        let tile = 4 * TILE;
        (size > nearer).then_some(((nearer + size) / 2).next_multiple_of(tile)).filter(|bytes| (nearer..=size).contains(bytes))
    }

    /// Enough to overflow the last cache.
    fn memory_bytes(&self) -> usize {
        self.cpu.l3_bytes.saturating_mul(4).clamp(LEAST_MEMORY_BYTES, MEMORY_BYTES)
    }

    /// Memory whose pages are there.
    fn touched(&self, bytes: usize) -> Probed<Vec<f32>> {
        self.clock.needs(bytes as f64 * (1.0 / self.rates.fresh + 1.0 / self.rates.write.dram))?;
        Ok(vec![1.0; bytes / 4])
    }

    fn fresh(&mut self) -> Probed<()> {
        let n = FRESH_BYTES / 4;
        let mut kept = Vec::new();
        let mut times = Vec::new();
        for _ in 0..3 {
            // Kept, since an allocator hands out what was given back to it with its pages in place.
            self.clock.needs(FRESH_BYTES as f64 / self.rates.fresh)?;
            times.push(self.clock.once(|| {
                kept.push(self.engine.collect(constant(1.0_f32).take(n)).on(Backend::Simd).run()?);
                Ok(())
            })?);
        }
        times.sort_by(f64::total_cmp);
        let mut again = || self.engine.collect(constant(1.0_f32).take(n)).into(&mut kept[0]).on(Backend::Simd).run();
        let again = self.clock.least(&mut again)?;
        set(&mut self.rates.fresh, FRESH_BYTES as f64 / (times[1] - again));
        Ok(())
    }

    /// The levels from the nearest on, each in what is left of its probe when the share of the nearer ones is taken off. What is
    /// read in order comes first, since most calls do no other.
    fn memory(&mut self) -> Probed<()> {
        let prior = self.rates;
        // Of a larger cache no working set of a bearable size overflows.
        let count = if self.memory_bytes() >= 2 * self.cpu.l3_bytes { 4 } else { 3 };
        let mut array = self.touched(self.cpu.l3_bytes.min(MEMORY_BYTES))?;
        let (mut read, mut write) = (curve(&prior.read), curve(&prior.write));
        for level in 0..count {
            if level == 3 {
                drop(array);
                array = self.touched(self.memory_bytes())?;
            }
            match self.working_set(level) {
                Some(bytes) => self.in_order(level, &mut array[..bytes / 4], &mut read, &mut write)?,
                None => (read[level], write[level]) = (read[level - 1], write[level - 1]),
            }
            self.rates.read = levels(falling(read, level + 1));
            self.rates.write = levels(falling(write, level + 1));
        }
        self.rates.measured.memory = true;
        if self.workers > 1 && count == 4 {
            self.all_cores(&array)?;
        }

        let read = curve(&self.rates.read);
        let (before, weight) = (curve(&prior.read), curve(&prior.random_weight));
        let mut random: Curve = std::array::from_fn(|level| before[level] / weight[level]);
        for level in 0..count {
            match self.working_set(level) {
                Some(bytes) => self.at_random(level, &array[..bytes / 4], &read, &mut random)?,
                None => random[level] = random[level - 1],
            }
            let random = falling(random, level + 1);
            self.rates.random_weight = levels(std::array::from_fn(|level| read[level] / random[level]));
        }
        self.rates.measured.random = true;
        Ok(())
    }

    /// A sum for what is read, and a copy for what is written.
    fn in_order(&self, level: usize, array: &mut [f32], read: &mut Curve, write: &mut Curve) -> Probed<()> {
        let held = held(&self.cpu, size_of_val(array));
        let seconds = self.alone(|| self.engine.reduce(&*array, Sum))? - self.rates.call;
        let measured = rate(&held, level, seconds, read);
        set(&mut read[level], measured);
        let (from, to) = array.split_at_mut(array.len() / 2);
        let to = &mut to[..from.len()];
        let copy = || self.engine.collect(&*from).into(&mut *to).on(Backend::Simd).run();
        let seconds = self.clock.least(copy)? - self.rates.call;
        // Half of the bytes are read.
        let both: Curve = std::array::from_fn(|k| 2.0 / (1.0 / read[k] + 1.0 / write[k]));
        let both = rate(&held, level, seconds, &both);
        // What a copy takes beyond a sum. A sum that does not reach the speed of a bare read would make this nothing.
        set(&mut write[level], 1.0 / (2.0 / both - 1.0 / read[level]).max(0.25 / read[level]));
        Ok(())
    }

    /// A sum of elements in random order.
    fn at_random(&self, level: usize, array: &[f32], read: &Curve, random: &mut Curve) -> Probed<()> {
        // Two for each line, so that few lines are left out, up to what memory takes some milliseconds for.
        let count = (size_of_val(array) / 32).clamp(1 << 14, 1 << 20);
        self.clock.needs(4.0 * count as f64 / random[level])?;
        let indices = indices(count, array.len());
        let seconds = self.alone(|| self.engine.reduce(gather(array, &indices), Sum))? - self.rates.call;
        let in_order: f64 = held(&self.cpu, 4 * count).iter().zip(read).map(|(bytes, rate)| bytes / rate).sum();
        // As if all of the array had been read so.
        let all = (seconds - in_order) * array.len() as f64 / count as f64;
        let measured = rate(&held(&self.cpu, size_of_val(array)), level, all, random);
        set(&mut random[level], measured);
        Ok(())
    }

    /// A sum on all cores, which memory may be too slow for.
    fn all_cores(&mut self, array: &[f32]) -> Probed<()> {
        let workers = self.workers as f64;
        let plan = shared(self.workers, (array.len() / (16 * self.workers * TILE)).max(1) * TILE);
        let seconds = self.clock.least(|| self.engine.reduce(array, Sum).with_plan(&plan).run())?;
        let CpuRates { call, chunk, wake_hot, wake_more, read, .. } = self.rates;
        let overhead = call + 16.0 * chunk + wake_hot + (workers - 2.0) * wake_more;
        let [l1, l2, l3, dram] = held(&self.cpu, size_of_val(array));
        let cached = (l1 / read.l1 + l2 / read.l2 + l3 / read.l3) / workers;
        set(&mut self.rates.dram_limit, (dram / (seconds - overhead - cached)).max(read.dram));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Built, Gpus, Machine, cpu::discover};
    use crate::plan::plan;

    fn machine() -> Machine {
        let cpu = Cpu { l1_bytes: 48 << 10, l2_bytes: 1 << 20, l3_bytes: 16 << 20, ..discover(8) };
        Machine { cpu, rates: CpuRates::prior(8), gpus: Gpus::NotLookedFor, built: Built::this() }
    }

    /// What is taken off a probe is what the model adds to a call.
    #[test]
    fn working_sets_are_held_as_the_model_has_it() {
        let machine = machine();
        let rates = curve(&machine.rates.read);
        for (level, bytes) in [24 << 10, 512 << 10, 8 << 20, 64 << 20].into_iter().enumerate() {
            let mut problem = Problem { n: bytes / 4, ..Problem::new(Operation::Reduce) };
            problem.element.bytes_read = 4.0;
            problem.pinned = Some(Backend::Simd);
            let seconds = plan(&problem, &machine).unwrap().predicted().unwrap().memory;
            let fitted = rate(&held(&machine.cpu, bytes), level, seconds, &rates);
            assert!((fitted / rates[level] - 1.0).abs() < 1e-9, "level {level}: {fitted} for {}", rates[level]);
        }
    }

    #[test]
    fn levels_the_wrong_way_round_share_their_mean() {
        let near = |got: Curve, want: Curve| got.iter().zip(want).all(|(got, want)| (got / want - 1.0).abs() < 1e-9);
        assert!(near(falling([8.0, 4.0, 2.0, 1.0], 4), [8.0, 4.0, 2.0, 1.0]));
        assert!(near(falling([8.0, 1.0, 4.0, 1.0], 4), [8.0, 2.0, 2.0, 1.0]));
        assert!(near(falling([1.0, 2.0, 4.0, 8.0], 4), [2.8284271247461903; 4]));
        // Priors give way, and take no part in a mean.
        assert!(near(falling([8.0, 4.0, 16.0, 2.0], 2), [8.0, 4.0, 4.0, 2.0]));
        assert!(near(falling([1.0, 4.0, 16.0, 2.0], 1), [1.0; 4]));
    }

    #[test]
    fn indices_are_in_range_and_differ() {
        let mut all = indices(1000, 1 << 20);
        assert!(all.iter().all(|&i| i < 1 << 20));
        all.sort_unstable();
        all.dedup();
        assert!(all.len() > 990, "{}", all.len());
    }
}
