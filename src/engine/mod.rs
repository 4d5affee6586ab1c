//! `Engine`: what this computer is, and the way in to every primitive.

#[cfg(feature = "gpu")]
mod gpu;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::array::Array;
use crate::backend::cpu::{Cpu, Deadline, Pool, TILE};
use crate::backend::memory::Reserve;
use crate::backend::simd::SimdLevel;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::machine::{Gpus, Machine};
use crate::plan::{Backend, Choice, Infeasible, Plans, Problem};
use crate::tune::{Calibrate, Decision, Knowledge, Learning, Tuner};

#[cfg(feature = "gpu")]
use crate::backend::gpu::{Gpu, Selection};
#[cfg(feature = "gpu")]
use crate::lock::lock;

/// Opening a GPU's driver takes so many seconds: it is opened once calls that might gain from it have taken as long.
const OPENING: f64 = 30e-3;
/// Elements between two looks at the clock, if there is a deadline: a look takes 25 ns, and this many take 1 us or more.
const DEADLINE_GRAIN: usize = 4 * TILE;
/// Bytes of host memory that an engine keeps for coming results, if its builder says nothing else.
const KEPT: usize = 256 << 20;

/// The way in: it knows the cores, the SIMD level and the GPUs of this machine, and has a method for every primitive.
///
/// Cheap to clone; all clones are one engine. Making one never fails for want of a GPU. The GPU is looked for when a call could
/// gain from it, or when it is asked for, since opening a driver takes tens of milliseconds.
///
/// ```
/// use granule::prelude::*;
///
/// let engine = Engine::new()?;
/// let total = engine.reduce(iota(0..1000_u32), Sum).run()?;
/// assert_eq!(total, 499_500);
/// # Ok::<(), granule::Error>(())
/// ```
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    level: SimdLevel,
    workers: AtomicUsize,
    pool: Pool,
    reserve: Arc<Reserve>,
    /// Where calls without a pin of their own run.
    backend: Option<Backend>,
    knowledge: Knowledge,
    /// The machine as calls without a pin see it once its GPU was lost under one of them: they no longer try it.
    bereft: OnceLock<Machine>,
    #[cfg(feature = "gpu")]
    gpu: gpu::GpuSide,
}

impl Engine {
    /// An engine with everything that this machine offers.
    ///
    /// # Errors
    /// [`Error::Config`] if an environment variable (see [`EngineBuilder`]) makes no sense.
    pub fn new() -> Result<Engine> {
        Engine::builder().build()
    }

    /// Sets an engine up in detail.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// An array with a copy of these elements, in host memory. It moves to the GPU only when it must, and then stays there.
    pub fn array<T: Element>(&self, data: impl AsRef<[T]>) -> Array<T> {
        Array::from_vec(self, data.as_ref().to_vec())
    }

    /// An array that takes over these elements without a copy.
    pub fn array_from_vec<T: Element>(&self, data: Vec<T>) -> Array<T> {
        Array::from_vec(self, data)
    }

    /// The machine, GPUs included: looks for them if nobody has yet.
    pub fn machine(&self) -> &Machine {
        let knowledge = &self.0.knowledge;
        knowledge.restore();
        match knowledge.machine() {
            known if known.gpus != Gpus::NotLookedFor => known,
            _ => knowledge.learn(|known| {
                let look = || Machine { gpus: knowledge.restore_gpus(self.look_for_gpus()), ..known.clone() };
                (known.gpus == Gpus::NotLookedFor).then(look)
            }),
        }
    }

    /// The SIMD level in use.
    pub fn simd_level(&self) -> SimdLevel {
        self.0.level
    }

    /// How many threads a call may use, the caller's included.
    pub fn workers(&self) -> usize {
        self.0.workers.load(Ordering::Relaxed)
    }

    /// Changes how many threads a call may use, from the next call on. At least 1; more than the machine has cores is allowed.
    pub fn set_workers(&self, workers: usize) {
        self.0.workers.store(workers.max(1), Ordering::Relaxed);
    }

    /// Gives back to the allocator what host memory is kept for coming results (see [`EngineBuilder::keep_memory`]); how many bytes
    /// that were.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// drop(engine.collect(iota(0..1 << 20)).on(Backend::Simd).run()?);
    /// assert_eq!(engine.release_memory(), 4 << 20);
    /// assert_eq!(engine.release_memory(), 0);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn release_memory(&self) -> usize {
        self.0.reserve.release()
    }

    /// Where host memory for results comes from, and goes to.
    pub(crate) fn reserve(&self) -> &Arc<Reserve> {
        &self.0.reserve
    }

    /// Whether two handles are one engine.
    pub(crate) fn is(&self, other: &Engine) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The machine to plan this problem for: with GPUs if they are known, asked for, or worth looking for by now. A pinned call still
    /// sees a lost GPU, and so gets its error.
    #[inline]
    pub(crate) fn machine_for(&self, problem: &Problem) -> &Machine {
        if problem.pinned.is_none()
            && let Some(bereft) = self.0.bereft.get()
        {
            return bereft;
        }
        let known = self.0.knowledge.machine();
        if known.gpus == Gpus::NotLookedFor && self.should_look(problem, known) { self.machine() } else { known }
    }

    fn should_look(&self, problem: &Problem, known: &Machine) -> bool {
        let tuner = &self.0.knowledge.tuner;
        let paid = if tuner.frozen { OPENING } else { tuner.ran() };
        crate::plan::worth_a_look(problem, known).is_some_and(|seconds| paid + seconds >= OPENING)
    }

    /// Where and how finely to run.
    #[inline]
    pub(crate) fn decide(&self, problem: &mut Problem) -> Result<Decision> {
        let machine = self.machine_for(problem);
        match self.0.knowledge.tuner.decide_plainly(problem, machine) {
            Some(decision) => decision.map_err(|why| unsupported(problem, machine, why)),
            None => self.decide_between(problem),
        }
    }

    fn decide_between(&self, problem: &mut Problem) -> Result<Decision> {
        self.0.knowledge.restore();
        let machine = self.machine_for(problem);
        self.0.knowledge.tuner.decide(problem, machine).map_err(|why| unsupported(problem, machine, why))
    }

    pub(crate) fn tuner(&self) -> &Tuner {
        &self.0.knowledge.tuner
    }

    pub(crate) fn knowledge(&self) -> &Knowledge {
        &self.0.knowledge
    }

    /// Where calls without a pin of their own run.
    #[inline]
    pub(crate) fn backend(&self) -> Option<Backend> {
        self.0.backend
    }

    /// What was chosen so far, as a plan file: by kind of call and half-octave of the number of elements, with what the engine's own
    /// plan file says. Pinned calls are not in it, nor are those that are so small that nothing but one core could win, nor those of
    /// a frozen engine.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::builder().no_cache().build()?;
    /// let x = vec![1.0_f32; 1 << 20];
    /// engine.reduce(&x, Sum).run()?;
    /// println!("{}", engine.plans()); // or `.write("plans.txt")?`
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn plans(&self) -> Plans {
        self.0.knowledge.tuner.chosen()
    }

    /// The means to carry out a plan for the CPU.
    #[inline]
    pub(crate) fn cpu(&self, choice: &Choice, deadline: Option<Deadline>, unordered: bool) -> Cpu<'_> {
        // With a deadline the clock is looked at now and then, on one core too.
        let grain = if deadline.is_some() { choice.grain.min(DEADLINE_GRAIN) } else { choice.grain };
        Cpu {
            level: self.0.level,
            workers: choice.workers,
            grain,
            deadline,
            unordered,
            pool: &self.0.pool,
            reserve: &self.0.reserve,
        }
    }

    #[cfg(not(feature = "gpu"))]
    fn look_for_gpus(&self) -> Gpus {
        Gpus::Absent("this build has no GPU backend: enable the feature `gpu`".into())
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let machine = self.0.knowledge.machine();
        f.debug_struct("Engine").field("simd", &self.0.level).field("workers", &self.workers()).field("machine", machine).finish()
    }
}

/// Sets an [`Engine`] up. What is not set is taken from the environment, then from the machine:
///
/// | variable | meaning |
/// |---|---|
/// | `GRANULE_SIMD` | `base`, `avx2` or `avx512`: the SIMD level |
/// | `GRANULE_WORKERS` | how many threads a call may use |
/// | `GRANULE_CALIBRATE` | `never`, `lazy` or `now`: when this machine is measured |
/// | `GRANULE_CACHE` | `off`, or a directory: where what was learned of this machine is kept; else in the user's cache directory |
/// | `GRANULE_BACKEND` | `simd`, `threads` or `gpu`: where calls run that are not pinned by the program; `auto` is the default |
/// | `GRANULE_ADAPTER` | part of the name of the GPU to use, or `none`; naming a software adapter allows it |
#[derive(Default)]
pub struct EngineBuilder {
    level: Option<SimdLevel>,
    workers: Option<usize>,
    pool: Pool,
    keep_memory: Option<usize>,
    calibrate: Option<Calibrate>,
    learning: Learning,
    #[cfg(feature = "gpu")]
    gpu: Option<gpu::Origin>,
    #[cfg(feature = "gpu")]
    gpu_rates: Option<crate::machine::GpuRates>,
}

impl EngineBuilder {
    /// The SIMD level, instead of the widest.
    pub fn simd(mut self, level: SimdLevel) -> Self {
        self.level = Some(level);
        self
    }

    /// How many threads a call may use, the caller's included; at least 1.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers.max(1));
        self
    }

    /// When the rates of this machine are measured; the default is [`Calibrate::Lazy`]. A frozen engine measures only when
    /// [`Engine::calibrate`] asks it to.
    pub fn calibrate(mut self, when: Calibrate) -> Self {
        self.calibrate = Some(when);
        self
    }

    /// Makes every decision a function of the call and the machine's description alone: nothing is measured, nothing is learned from
    /// calls, nothing is read from or written to the cache. For tests, and for programs that must do the same in every run.
    ///
    /// Another machine, another number of workers or another version of this crate may still choose otherwise; a [plan
    /// file](EngineBuilder::plans) fixes that too.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::builder().frozen().build()?;
    /// let x = vec![1.0_f32; 1 << 20];
    /// let plan = engine.reduce(&x, Sum).plan()?;
    /// engine.reduce(&x, Sum).run()?;
    /// assert_eq!(engine.reduce(&x, Sum).plan()?, plan);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn frozen(mut self) -> Self {
        self.learning.frozen = true;
        self
    }

    /// Runs calls as this plan file says; what is not in it, or cannot be done on this machine, is planned. A pin of the call goes
    /// first.
    ///
    /// ```
    /// use granule::plan::Plans;
    /// use granule::prelude::*;
    ///
    /// let x = vec![1.0_f32; 1 << 20];
    /// let first = Engine::builder().no_cache().build()?;
    /// first.reduce(&x, Sum).run()?;
    ///
    /// let plans: Plans = first.plans().to_string().parse()?; // or `Plans::read("plans.txt")?`
    /// let second = Engine::builder().frozen().plans(plans).build()?;
    /// assert_eq!(second.reduce(&x, Sum).run()?, 1_048_576.0);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn plans(mut self, plans: Plans) -> Self {
        self.learning.plans = plans;
        self
    }

    /// Keeps what is learned of this machine in this directory, instead of that of `GRANULE_CACHE` or the user's cache directory. It is
    /// made when there is something to keep. If that fails, nothing is kept, and [`Engine::notes`] says why.
    pub fn cache(mut self, directory: impl Into<std::path::PathBuf>) -> Self {
        self.learning.cache = Some(Some(directory.into()));
        self
    }

    /// Keeps nothing of what is learned, and takes over nothing that was, as with `GRANULE_CACHE=off`.
    pub fn no_cache(mut self) -> Self {
        self.learning.cache = Some(None);
        self
    }

    /// How many bytes of host memory are kept when results are dropped, for coming results and intermediate values; 256 MiB if this
    /// is not called, and none with 0.
    ///
    /// The first touch of new memory takes longer than most primitives need to write it, and allocators give large memory back to
    /// the system at once. Memory below 64 KiB, and vectors that the program itself made or took, are left to the allocator. What is
    /// kept is given back by [`Engine::release_memory`], and when the engine and its arrays are gone.
    pub fn keep_memory(mut self, bytes: usize) -> Self {
        self.keep_memory = Some(bytes);
        self
    }

    /// Borrows threads from this pool instead of rayon's global one.
    #[cfg(feature = "threads")]
    pub fn pool(mut self, pool: Arc<rayon::ThreadPool>) -> Self {
        self.pool = Pool::of(pool);
        self
    }

    /// Which GPU to use. Naming a software adapter allows the planner to choose it by itself.
    #[cfg(feature = "gpu")]
    pub fn gpu(mut self, selection: Selection) -> Self {
        self.gpu = Some(gpu::Origin::Open(selection));
        self
    }

    /// Plans with these rates of the GPU instead of the prior ones of its kind.
    #[cfg(feature = "gpu")]
    #[doc(hidden)]
    pub fn gpu_rates(mut self, rates: crate::machine::GpuRates) -> Self {
        self.gpu_rates = Some(rates);
        self
    }

    /// Uses no GPU.
    #[cfg(feature = "gpu")]
    pub fn no_gpu(mut self) -> Self {
        self.gpu = Some(gpu::Origin::None);
        self
    }

    /// Uses this device and queue, with the limits and features that it was requested with.
    #[cfg(feature = "gpu")]
    pub fn device(mut self, device: wgpu::Device, queue: wgpu::Queue) -> Self {
        self.gpu = Some(gpu::Origin::Given(Gpu::from_device(device, queue)));
        self
    }

    /// Makes the engine.
    ///
    /// # Errors
    /// [`Error::Config`] if the level is not one that this CPU has, or if an environment variable makes no sense. With
    /// [`Calibrate::Now`] those of [`Engine::calibrate`].
    pub fn build(self) -> Result<Engine> {
        let level = match self.level {
            Some(level) if level <= SimdLevel::detect() => level,
            Some(level) => {
                return Err(Error::Config {
                    message: format!("the SIMD level {level} was asked for, but this CPU has {} at most", SimdLevel::detect()),
                });
            }
            None => SimdLevel::from_env()?.unwrap_or_else(SimdLevel::detect),
        };
        let backend = one_of("GRANULE_BACKEND", "auto", &Backend::ALL.map(|backend| (backend.to_string(), backend)))?;
        let calibrate = [("never", Calibrate::Never), ("lazy", Calibrate::Lazy), ("now", Calibrate::Now)];
        let calibrate = match self.calibrate {
            Some(when) => when,
            None => one_of("GRANULE_CALIBRATE", "", &calibrate.map(|(name, when)| (name.to_string(), when)))?.unwrap_or_default(),
        };
        let workers = match self.workers {
            Some(workers) => workers,
            None => workers_from_env()?.unwrap_or_else(|| self.pool.threads()),
        };
        let learning = Learning { calibrate, ..self.learning };
        let machine = Machine::discover(level.lanes());
        #[cfg(feature = "gpu")]
        let gpu = gpu::GpuSide::new(self.gpu.unwrap_or_else(gpu::Origin::from_env), self.gpu_rates);
        #[cfg(feature = "gpu")]
        let machine = gpu.without_gpus(machine);
        let engine = Engine(Arc::new(Inner {
            level,
            workers: AtomicUsize::new(workers),
            pool: self.pool,
            reserve: Arc::new(Reserve::new(self.keep_memory.unwrap_or(KEPT))),
            backend,
            knowledge: Knowledge::new(learning, machine, level, workers),
            bereft: OnceLock::new(),
            #[cfg(feature = "gpu")]
            gpu,
        }));
        if calibrate == Calibrate::Now && !engine.tuner().frozen {
            engine.calibrate()?;
        }
        Ok(engine)
    }
}

/// A problem that cannot be planned, as the caller's error.
pub(crate) fn unsupported(problem: &Problem, machine: &Machine, why: Infeasible) -> Error {
    Error::Unsupported { backend: problem.pinned.unwrap_or(Backend::Simd), reason: why.describe(problem, machine) }
}

/// What an environment variable names, if it is set and does not name the default.
fn one_of<T: Copy>(variable: &str, default: &str, values: &[(String, T)]) -> Result<Option<T>> {
    let Ok(text) = std::env::var(variable) else { return Ok(None) };
    if text.is_empty() || text == default {
        return Ok(None);
    }
    match values.iter().find(|(name, _)| *name == text) {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let names = values.iter().map(|(name, _)| name.as_str()).chain((!default.is_empty()).then_some(default));
            let names: Vec<&str> = names.collect();
            Err(Error::Config { message: format!("{variable}={text:?}: one of {} is accepted", names.join(", ")) })
        }
    }
}

fn workers_from_env() -> Result<Option<usize>> {
    match std::env::var("GRANULE_WORKERS") {
        Err(_) => Ok(None),
        Ok(text) => match text.parse() {
            Ok(n) if n > 0 => Ok(Some(n)),
            _ => Err(Error::Config { message: format!("GRANULE_WORKERS={text:?}: a whole number from 1 on is accepted") }),
        },
    }
}
