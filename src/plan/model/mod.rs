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

mod cpu;
mod gpu;

use crate::machine::OpRates;

use super::{Backend, GpuNeeds, Infeasible, Problem, Sample};

pub(super) use cpu::{Serial, could_share, grain, holder, simd, threads};
pub(super) use gpu::{any_gpu, gpu, gpu_at_least, tiles_per_workgroup};

/// Elements in a tile, of which every share of work is a whole number.
pub const TILE: usize = 4096;

/// How often a loop is taken to run whose number of iterations depends on data.
pub(crate) const ASSUMED_ITERATIONS: f64 = 64.0;
/// A result larger than this is allocated in pages of its own, which the operating system provides at the first touch.
const OWN_PAGES: f64 = 128.0 * 1024.0;

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
    /// How often all of it is done.
    steps: f64,
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
            steps: problem.steps as f64,
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

#[inline]
fn pinned(problem: &Problem, backend: Backend) -> Result<(), Infeasible> {
    match problem.pinned {
        Some(other) if other != backend => Err(Infeasible::PinnedElsewhere(other)),
        _ => Ok(()),
    }
}

#[inline]
fn slowdown(problem: &Problem, int64: f64, float64: f64) -> f64 {
    match problem.gpu {
        GpuNeeds { float64: true, .. } => float64,
        GpuNeeds { int64: true, .. } => int64,
        _ => 1.0,
    }
}
