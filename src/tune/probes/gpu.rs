//! Probes of the GPU.

use std::time::Duration;

use crate::array::Array;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::kernel::cost::Ops;
use crate::machine::{GpuInfo, GpuKind, GpuRates, Link};
use crate::operator::{Operator, Sum};
use crate::plan::{Backend, Problem, TILE};
use crate::source::{Source, gather, iota};

use super::{Arithmetic, Clock, Probed, Stop, long_floats, long_integers, set, set_difference};

/// Dispatches in a chain.
const CHAIN: usize = 64;
/// Bytes of the transfers: the latency, the bandwidth, and what is between.
const TRANSFERS: [usize; 3] = [4 << 10, 1 << 20, 32 << 20];
/// Bytes of the arrays, from what any cache holds to what none does. A program on the CPU is spared the last.
const ARRAYS: [usize; 4] = [1 << 20, 8 << 20, 32 << 20, 128 << 20];
/// Bytes of the array that is read in random order: 2 to the 21 elements.
const RANDOM_BYTES: usize = 8 << 20;
/// What an arithmetic probe should take beyond its overhead, in seconds, and elements that it has at most.
const ARITHMETIC_SECONDS: f64 = 300e-6;
const MOST_ELEMENTS: usize = 1 << 30;

/// Measures the engine's GPU. What the budget does not suffice for keeps its prior. Opening it and looking at it does not count.
///
/// # Errors
/// As any call on the GPU.
pub(crate) fn gpu(engine: &Engine, budget: Duration) -> Result<GpuRates> {
    engine.gpu()?;
    let Some(info) = engine.machine().gpus().first() else {
        let reason = engine.machine().gpus.to_string();
        return Err(Error::Unsupported { backend: Backend::Gpu, reason });
    };
    let clock = Clock::start(budget);
    let rates = GpuRates::prior(info.kind);
    let mut probes = Probes { engine, clock, info, rates, minimal: 0.0, elements: 64 * TILE };
    match probes.run() {
        Ok(()) | Err(Stop::Budget) => Ok(probes.rates),
        Err(Stop::Failed(error)) => Err(error),
    }
}

struct Probes<'e> {
    engine: &'e Engine,
    clock: Clock,
    info: &'e GpuInfo,
    rates: GpuRates,
    /// Seconds of a call that does next to nothing and whose result is read.
    minimal: f64,
    /// Elements that keep the device busy for long enough.
    elements: usize,
}

impl Probes<'_> {
    /// All of them; what decides most calls comes first.
    fn run(&mut self) -> Probed<()> {
        self.overhead()?;
        self.rates.measured.overhead = true;
        self.memory()?;
        self.rates.measured.memory = true;
        self.transfer()?;
        self.rates.measured.transfer = true;
        let mut ops = self.rates.ops;
        self.op_rates(&mut ops)?;
        self.rates.ops = ops;
        self.rates.measured.compute = true;
        self.random()?;
        self.rates.measured.random = true;
        if self.info.int64 {
            let mut slowdown = self.rates.int64_slowdown;
            self.slowdown(long_integers, ops.simple, &mut slowdown)?;
            self.rates.int64_slowdown = slowdown;
        }
        if self.info.float64 {
            let mut slowdown = self.rates.float64_slowdown;
            self.slowdown(long_floats, ops.simple, &mut slowdown)?;
            self.rates.float64_slowdown = slowdown;
        }
        Ok(())
    }

    /// A call that waits for its result pays the submission and the latency of reading, one whose result stays on the device the
    /// submission alone, of which there is one for many calls: what a further call in a chain takes is its share. The model prices
    /// a further dispatch in a call alike.
    fn overhead(&mut self) -> Probed<()> {
        let engine = self.engine;
        let few = self.numbers(64)?;
        // The first call compiles, unless this device was measured before.
        let read_twice = || self.twice(&few)?.into_vec();
        let (first, again) = (self.clock.once(read_twice)?, self.clock.once(read_twice)?);
        if first > 2.0 * again {
            set(&mut self.rates.compile, first - again);
        }
        self.minimal = self.clock.least(|| engine.reduce(&few, Sum).on(Backend::Gpu).run())?;
        let chain = |length: usize| {
            self.clock.least(|| {
                let mut x = self.twice(&few)?;
                for _ in 1..length {
                    x = self.twice(&x)?;
                }
                x.into_vec()
            })
        };
        let (one, many) = (chain(1)?, chain(CHAIN)?);
        let further = (many - one) / (CHAIN - 1) as f64;
        set_difference(&mut self.rates.dispatch, further);
        set_difference(&mut self.rates.submit, further);
        set_difference(&mut self.rates.download.latency, self.minimal - self.rates.submit);
        Ok(())
    }

    fn twice(&self, x: &Array<f32>) -> Result<Array<f32>> {
        self.engine.map(x, crate::kernel!(|x: f32| x + x)).on(Backend::Gpu).run()
    }

    /// An array that was made on the device.
    fn numbers(&self, n: usize) -> Result<Array<f32>> {
        self.engine.collect(iota(0.0..n as f32)).on(Backend::Gpu).run()
    }

    /// What a sum of so many elements takes beyond its traffic.
    fn overhead_of(&self, n: usize) -> f64 {
        let further = u8::from(n > TILE) + u8::from(n > TILE * TILE);
        self.minimal + f64::from(further) * self.rates.dispatch
    }

    /// Sums and maps of arrays that are there already. The cache is as large as the largest array that moves nearly as fast as the
    /// fastest.
    fn memory(&mut self) -> Probed<()> {
        let most = self.info.max_binding_bytes.min(self.info.max_buffer_bytes);
        let count = if self.info.kind == GpuKind::Software { ARRAYS.len() - 1 } else { ARRAYS.len() };
        let mut speeds = Vec::new();
        for &bytes in ARRAYS[..count].iter().filter(|bytes| **bytes as u64 <= most) {
            let n = bytes / 4;
            let array = self.numbers(n)?;
            let seconds = self.clock.least(|| self.engine.reduce(&array, Sum).on(Backend::Gpu).run())?;
            let sum = seconds - self.overhead_of(n);
            // A map's result stays there: the smallest call after it is done when the map is.
            let after = self.numbers(64)?;
            let seconds = self.clock.least(|| {
                let result = self.twice(&array)?;
                self.engine.reduce(&after, Sum).on(Backend::Gpu).run()?;
                Ok(result)
            })?;
            let map = seconds - self.minimal - self.rates.submit;
            // What is lost in the noise of the overhead says nothing.
            if sum.min(map) > 0.1 * self.minimal {
                // Some devices are better at the one, some at the other: the mean. A map moves each byte twice.
                speeds.push((bytes as f64, bytes as f64 / (sum * map / 2.0).sqrt()));
            }
        }
        let Some(&(largest, far)) = speeds.last() else { return Ok(()) };
        let fastest = speeds.iter().map(|(_, speed)| *speed).fold(far, f64::max);
        set(&mut self.rates.memory, far);
        (self.rates.cache, self.rates.cache_bytes) = (self.rates.memory, 0.0);
        if fastest > 1.25 * far {
            let cached = speeds.iter().filter(|(_, speed)| *speed > 0.8 * fastest).map(|(bytes, _)| *bytes);
            let cache_bytes = cached.fold(0.0, f64::max);
            set(&mut self.rates.cache, fastest);
            self.rates.cache_bytes = cache_bytes;
            // Of the largest array the cache held its part.
            let near = cache_bytes / largest;
            let beyond = (1.0 / far - near / fastest) / (1.0 - near);
            set(&mut self.rates.memory, 1.0 / beyond);
        }
        self.rates.cache = self.rates.cache.max(self.rates.memory);
        Ok(())
    }

    /// Seconds to move so many bytes, as the model has it.
    fn moving(&self, bytes: usize) -> f64 {
        let bytes = bytes as f64;
        let near = (self.rates.cache_bytes / bytes).min(1.0);
        bytes * (near / self.rates.cache + (1.0 - near) / self.rates.memory)
    }

    /// A sum in random order, beside what the model takes for one in order.
    fn random(&mut self) -> Probed<()> {
        let n = RANDOM_BYTES / 4;
        let array = self.numbers(n)?;
        // Knuth's multiplicative hash; the number of elements is a power of two.
        let scatter = crate::kernel!(|i: u32| (i * 0x9e37_79b1_u32) >> 11_u32);
        let indices = self.engine.map(iota(0..n as u32), scatter).on(Backend::Gpu).run()?;
        let seconds = self.clock.least(|| self.engine.reduce(gather(&array, &indices), Sum).on(Backend::Gpu).run())?;
        // The indices are read in order.
        let in_order = self.moving(2 * RANDOM_BYTES) / 2.0;
        let weight = (seconds - self.overhead_of(n) - in_order) / in_order;
        // A byte at random takes at least what one in order does.
        set(&mut self.rates.random_weight, weight.max(1.0));
        Ok(())
    }

    /// The same calls with data or results in host memory.
    fn transfer(&mut self) -> Probed<()> {
        let [least, _, most] = TRANSFERS;
        self.clock.needs(2.0 * most as f64 / self.rates.upload.bandwidth)?;
        let mut host = vec![1.0_f32; most / 4];
        let (mut up, mut down) = ([0.0; 3], [0.0; 3]);
        for (index, bytes) in TRANSFERS.into_iter().enumerate() {
            let n = bytes / 4;
            let sum = self.clock.least(|| self.engine.reduce(&host[..n], Sum).on(Backend::Gpu).run())?;
            up[index] = sum - self.overhead_of(n) - self.moving(bytes);
            let there = self.numbers(n)?;
            let host = &mut host[..n];
            let twice = crate::kernel!(|x: f32| x + x);
            let map = self.clock.least(|| self.engine.map(&there, twice).into(&mut *host).on(Backend::Gpu).run())?;
            down[index] = map - self.rates.submit - self.moving(2 * bytes);
        }
        // The bandwidth is that of the largest step; the latency is what the smallest transfer takes beyond it.
        let fit = |link: &mut Link, [first, second, third]: [f64; 3]| {
            let bandwidth = (TRANSFERS[2] - TRANSFERS[1]) as f64 / (third - second);
            if set(&mut link.bandwidth, bandwidth) {
                set_difference(&mut link.latency, first - least as f64 / link.bandwidth);
            }
        };
        fit(&mut self.rates.upload, up);
        // Its latency is known from the smallest call, and this one agrees with it or is disturbed: the smaller of the two.
        let known = self.rates.download.latency;
        fit(&mut self.rates.download, down);
        self.rates.download.latency = self.rates.download.latency.min(known);
        Ok(())
    }
}

impl Arithmetic for Probes<'_> {
    fn element<S: Source<Item: Element>>(&mut self, source: impl Fn(usize) -> S) -> Probed<(f64, Ops)>
    where
        Sum: Operator<S::Item>,
    {
        let Problem { element, combine, .. } = self.engine.reduce(source(TILE), Sum).problem()?;
        loop {
            let n = self.elements;
            let seconds = self.clock.least(|| self.engine.reduce(source(n), Sum).on(Backend::Gpu).run())? - self.overhead_of(n);
            if seconds > ARITHMETIC_SECONDS || n >= MOST_ELEMENTS {
                let of_element = f64::from(element.ops.total() / (element.ops.total() + combine.ops.total()));
                return Ok((seconds * of_element / n as f64, element.ops));
            }
            self.elements *= 8;
        }
    }
}
