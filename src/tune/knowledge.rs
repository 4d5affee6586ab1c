//! Knowledge: what an engine knows of its machine by now, where it has that from, and what it keeps of it between processes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use crate::backend::simd::SimdLevel;
use crate::engine::Engine;
use crate::error::Result;
use crate::lock::lock;
use crate::machine::{GpuInfo, GpuKind, Gpus, Machine, Measured};
use crate::plan::{Backend, Plans};

use super::cache::{Cache, Key, Loaded, Record};
use super::{Calibrate, Tuner, probes};

/// What the probes may take: in all no more than a second.
const CPU_BUDGET: Duration = Duration::from_millis(300);
#[cfg(feature = "gpu")]
const GPU_BUDGET: Duration = Duration::from_millis(650);
/// Seconds that calls must have taken before the processor is measured unasked, and then the GPU: about as long as measuring takes, so
/// that no program spends more on it than twice what the best moment would have cost (the ski rental problem).
const CPU_COST: f64 = 0.15;
const GPU_COST: f64 = 0.5;
/// Notes that are kept.
const NOTES: usize = 32;

/// See the module.
pub(crate) struct Knowledge {
    /// What calls have taught.
    pub(crate) tuner: Tuner,
    level: SimdLevel,
    /// Threads that a call could use when the engine was built.
    workers: usize,
    calibrate: Calibrate,
    /// Where it is kept, or why it is not.
    cache: std::result::Result<Cache, String>,
    /// Descriptions of the machine in the order in which they were learned: the last one is what counts.
    first: Version,
    learning: Mutex<()>,
    /// Set when the cache was read.
    restored: OnceLock<()>,
    /// One thread measures or writes, the others go on.
    busy: Mutex<()>,
    /// Nanoseconds that calls must have taken before there is something to do again.
    due: AtomicU64,
    gpu_probes_failed: AtomicBool,
    notes: Mutex<Vec<String>>,
}

/// A description of the machine, and the one that replaced it. Old ones stay, since callers may hold them.
struct Version {
    machine: Machine,
    next: OnceLock<Box<Version>>,
}

impl Version {
    fn new(machine: Machine) -> Self {
        Version { machine, next: OnceLock::new() }
    }

    #[inline]
    fn last(&self) -> &Version {
        let mut last = self;
        while let Some(next) = last.next.get() {
            last = next;
        }
        last
    }
}

/// How an engine is to learn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learning {
    pub(crate) calibrate: Calibrate,
    pub(crate) frozen: bool,
    pub(crate) plans: Plans,
    /// A directory instead of that of the environment or the user; `None` within: nothing is kept.
    pub(crate) cache: Option<Option<PathBuf>>,
}

impl Knowledge {
    pub(crate) fn new(how: Learning, machine: Machine, level: SimdLevel, workers: usize) -> Knowledge {
        let cache = match how.cache {
            _ if how.frozen => Err("the engine is frozen".to_string()),
            None => Cache::from_env(),
            Some(None) => Err("the engine was built without".to_string()),
            Some(Some(directory)) => Ok(Cache::at(directory)),
        };
        Knowledge {
            tuner: Tuner::new(how.frozen, how.plans),
            level,
            workers,
            calibrate: if how.frozen { Calibrate::Never } else { how.calibrate },
            cache,
            first: Version::new(machine),
            learning: Mutex::new(()),
            restored: OnceLock::new(),
            busy: Mutex::new(()),
            due: AtomicU64::new(u64::MAX),
            gpu_probes_failed: AtomicBool::new(false),
            notes: Mutex::default(),
        }
    }

    /// The machine as far as it is known.
    #[inline]
    pub(crate) fn machine(&self) -> &Machine {
        &self.first.last().machine
    }

    /// Replaces what is known of the machine, one thread at a time; nothing happens if there is nothing new after all.
    pub(crate) fn learn(&self, more: impl FnOnce(&Machine) -> Option<Machine>) -> &Machine {
        let _one_at_a_time = lock(&self.learning);
        let last = self.first.last();
        if let Some(machine) = more(&last.machine) {
            _ = last.next.set(Box::new(Version::new(machine)));
        }
        self.machine()
    }

    /// Takes over what another process kept of this processor, once.
    #[inline]
    pub(crate) fn restore(&self) {
        if self.restored.get().is_none() {
            self.restored.get_or_init(|| self.restore_cpu());
        }
    }

    #[cold]
    fn restore_cpu(&self) {
        if let Some(Record { cpu, samples, iterations, .. }) = self.load(&Key::cpu(self.machine(), self.level, self.workers)) {
            self.learn(|known| cpu.map(|rates| Machine { rates, ..known.clone() }));
            self.tuner.history.restore(&samples, &iterations);
        }
        self.set_due();
    }

    /// Adds what another process kept of these GPUs.
    pub(crate) fn restore_gpus(&self, gpus: Gpus) -> Gpus {
        let Gpus::Present(mut list) = gpus else { return gpus };
        if let Some(gpu) = list.first_mut().filter(|gpu| may_be_chosen(gpu))
            && let Some(record) = self.load(&Key::gpu(self.machine(), gpu))
        {
            gpu.rates = record.gpu.unwrap_or(gpu.rates);
            self.tuner.history.restore(&record.samples, &record.iterations);
        }
        Gpus::Present(list)
    }

    fn load(&self, key: &Key) -> Option<Record> {
        match self.cache.as_ref().ok()?.load(key) {
            Loaded::Found(record) => Some(record),
            Loaded::Absent => None,
            Loaded::Ignored(why) => {
                self.note(format!("a file of the cache was ignored: {why}"));
                None
            }
        }
    }

    /// Writes down what was learned since the last time.
    fn keep(&self) {
        let Ok(cache) = &self.cache else { return };
        if !self.tuner.take_news() {
            return;
        }
        let machine = self.machine();
        let (on_gpu, on_cpu) = self.tuner.history.samples().into_iter().partition(|entry| entry.backend == Backend::Gpu);
        let cpu = is_measured(machine.rates.measured).then_some(machine.rates);
        let record = Record { cpu, gpu: None, iterations: self.tuner.history.iterations(), samples: on_cpu };
        let mut saved = cache.save(&Key::cpu(machine, self.level, self.workers), &record);
        if let Some(gpu) = machine.gpus().first().filter(|gpu| may_be_chosen(gpu)) {
            let rates = is_measured(gpu.rates.measured).then_some(gpu.rates);
            let record = Record { gpu: rates, samples: on_gpu, ..Record::default() };
            saved = saved.and(cache.save(&Key::gpu(machine, gpu), &record));
        }
        if let Err(why) = saved {
            self.note(format!("what was learned was not kept: {why}"));
        }
    }

    /// Somebody waited so long for the GPU and for so many bytes.
    #[cfg(feature = "gpu")]
    pub(crate) fn waited(&self, took: Duration, bytes: u64) {
        let gpu = self.machine().gpus().first();
        self.tuner.waited(took, gpu.map_or(0.0, |gpu| gpu.rates.download.seconds(bytes as f64)));
    }

    fn note(&self, what: String) {
        let mut notes = lock(&self.notes);
        if notes.len() < NOTES && !notes.contains(&what) {
            super::log_note(&what);
            notes.push(what);
        }
    }

    /// Says when there is something to do again.
    fn set_due(&self) {
        let machine = self.machine();
        let lazy = self.calibrate == Calibrate::Lazy;
        let ran = self.tuner.ran();
        let seconds = if lazy && !is_measured(machine.rates.measured) {
            CPU_COST.max(ran)
        } else if lazy && self.gpu_is_unmeasured(machine) {
            (CPU_COST + GPU_COST).max(ran)
        } else {
            // Twice as long as so far: what is learned late changes little.
            (2.0 * ran).max(1.0)
        };
        self.due.store((seconds * 1e9) as u64, Relaxed);
    }

    fn gpu_is_unmeasured(&self, machine: &Machine) -> bool {
        let unmeasured = machine.gpus().first().is_some_and(|gpu| may_be_chosen(gpu) && !is_measured(gpu.rates.measured));
        unmeasured && !self.gpu_probes_failed.load(Relaxed)
    }

    fn learn_cpu(&self, engine: &Engine) {
        let (rates, failed) = probes::cpu(engine, CPU_BUDGET);
        if let Some(error) = failed {
            self.note(format!("the processor was not measured in all: {error}"));
        }
        self.learn(|known| Some(Machine { rates, ..known.clone() }));
        self.tuner.forget(&[Backend::Simd, Backend::Threads]);
    }

    /// Does nothing where there is no GPU that may be chosen.
    #[cfg(feature = "gpu")]
    fn learn_gpu(&self, engine: &Engine) -> Result<()> {
        if !self.machine().gpus().first().is_some_and(may_be_chosen) {
            return Ok(());
        }
        let rates = probes::gpu(engine, GPU_BUDGET)?;
        self.learn(|known| {
            let mut machine = known.clone();
            if let Gpus::Present(list) = &mut machine.gpus {
                list[0].rates = rates;
            }
            Some(machine)
        });
        self.tuner.forget(&[Backend::Gpu]);
        Ok(())
    }

    #[cfg(not(feature = "gpu"))]
    fn learn_gpu(&self, _: &Engine) -> Result<()> {
        Ok(())
    }

    #[cold]
    fn learn_more(&self, engine: &Engine) {
        let Ok(_alone) = self.busy.try_lock() else { return };
        if self.calibrate == Calibrate::Lazy {
            if !is_measured(self.machine().rates.measured) {
                self.learn_cpu(engine);
            } else if self.gpu_is_unmeasured(self.machine())
                && let Err(error) = self.learn_gpu(engine)
            {
                self.gpu_probes_failed.store(true, Relaxed);
                self.note(format!("the GPU was not measured: {error}"));
            }
        }
        self.keep();
        self.set_due();
    }
}

impl Drop for Knowledge {
    fn drop(&mut self) {
        self.keep();
    }
}

impl Engine {
    /// Measures this machine now, the GPU included if there is one that may be chosen: it takes at most a second. The figures are used
    /// from the next call on, and kept for the next process. What a second does not suffice for on a busy machine stays assumed, which
    /// [`measured`](crate::machine::Measured) tells. Calls of other threads go on meanwhile, and make the figures worse.
    ///
    /// A frozen engine is measured too, since it is asked to be; it keeps nothing.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::builder().no_gpu().no_cache().build()?;
    /// engine.calibrate()?;
    /// assert!(engine.machine().rates.measured.overhead);
    /// # Ok::<(), granule::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of any call on the GPU.
    pub fn calibrate(&self) -> Result<()> {
        let knowledge = self.knowledge();
        let _alone = lock(&knowledge.busy);
        self.machine();
        knowledge.learn_cpu(self);
        knowledge.learn_gpu(self)?;
        knowledge.keep();
        knowledge.set_due();
        Ok(())
    }

    /// What went wrong without failing a call: a file of the cache that was ignored or could not be written, probes that failed.
    pub fn notes(&self) -> Vec<String> {
        lock(&self.knowledge().notes).clone()
    }

    /// The directory in which rates and samples are kept between processes.
    ///
    /// # Errors
    /// Why nothing is kept.
    pub fn cache_directory(&self) -> std::result::Result<PathBuf, String> {
        self.knowledge().cache.as_ref().map(|cache| cache.directory().to_path_buf()).map_err(Clone::clone)
    }

    /// A call that was measured is done: if enough of them were, it is time to measure the machine, or to write down what was learned.
    #[inline]
    pub(crate) fn after_call(&self) {
        let knowledge = self.knowledge();
        if knowledge.tuner.ran_nanoseconds() >= knowledge.due.load(Relaxed) {
            knowledge.learn_more(self);
        }
    }
}

/// Whether an unpinned call may go there.
fn may_be_chosen(gpu: &GpuInfo) -> bool {
    gpu.asked_for || gpu.kind != GpuKind::Software
}

fn is_measured(measured: Measured) -> bool {
    measured != Measured::default()
}
