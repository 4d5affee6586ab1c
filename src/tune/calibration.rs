//! When an engine measures its machine, and what it keeps of that between processes.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::engine::Engine;
use crate::error::Result;
use crate::machine::{Gpus, Machine, Measured};
use crate::plan::Backend;

use super::cache::{Cache, Key, Loaded, Record};
use super::{Calibrate, probes};

/// What the probes may take, in all no more than a second.
const CPU_BUDGET: Duration = Duration::from_millis(300);
const GPU_BUDGET: Duration = Duration::from_millis(650);
/// Seconds that calls must have taken before the processor is measured unasked, and then the GPU: about as long as that takes.
const CPU_COST: f64 = 0.15;
const GPU_COST: f64 = 0.5;

/// What an engine remembers of the machine between processes, and when it measures.
pub(crate) struct Memory {
    calibrate: Calibrate,
    /// Where, or why nowhere.
    cache: std::result::Result<Cache, String>,
    /// One thread measures, the others go on.
    busy: std::sync::Mutex<()>,
    /// What the user should know and no call failed for.
    notes: std::sync::Mutex<Vec<String>>,
}

/// Notes that are kept; what a program repeats is not worth more.
const NOTES: usize = 32;

impl Memory {
    pub(crate) fn new(calibrate: Calibrate, cache: std::result::Result<Cache, String>) -> Memory {
        Memory { calibrate, cache, busy: Default::default(), notes: Default::default() }
    }

    fn note(&self, what: String) {
        super::trace_note(&what);
        let mut notes = self.notes.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if notes.len() < NOTES && !notes.contains(&what) {
            notes.push(what);
        }
    }

    fn load(&self, key: &Key) -> Option<Record> {
        match self.cache.as_ref().ok()?.load(key) {
            Loaded::Found(record) => Some(record),
            Loaded::Absent => None,
            Loaded::Ignored(why) => {
                self.note(format!("the cache was ignored: {why}"));
                None
            }
        }
    }

    fn save(&self, key: &Key, record: &Record) {
        if let Ok(cache) = &self.cache
            && let Err(why) = cache.save(key, record)
        {
            self.note(format!("nothing was kept: {why}"));
        }
    }
}

impl Engine {
    /// Measures this machine now, the GPU included if there is one that may be chosen: at most a second. What was measured is used
    /// from the next call on, and kept for the next process. Calls of other threads go on meanwhile, and make the figures worse.
    ///
    /// # Errors
    /// Those of any call on the GPU.
    pub fn calibrate(&self) -> Result<()> {
        let _alone = self.memory().busy.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.machine();
        self.measure_cpu();
        self.measure_gpu()?;
        self.keep();
        Ok(())
    }

    /// What went wrong without failing a call: a cache that could not be read or written, probes that failed.
    pub fn notes(&self) -> Vec<String> {
        self.memory().notes.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// Where rates and samples are kept between processes, or why they are not.
    pub fn cache(&self) -> std::result::Result<std::path::PathBuf, String> {
        self.memory().cache.as_ref().map(|cache| cache.directory().to_path_buf()).map_err(Clone::clone)
    }

    /// A call that was measured is done: if enough of them were, it is time to measure the machine, or to write down what was learned.
    #[inline]
    pub(crate) fn after_call(&self) {
        if self.tuner().due() {
            self.learn_more();
        }
    }

    #[cold]
    fn learn_more(&self) {
        let Ok(_alone) = self.memory().busy.try_lock() else { return };
        if self.memory().calibrate == Calibrate::Lazy {
            let machine = self.known_machine();
            if machine.rates.measured == Measured::default() {
                self.measure_cpu();
            } else if self.gpu_is_unmeasured()
                && let Err(error) = self.measure_gpu()
            {
                self.memory().note(format!("the GPU was not measured: {error}"));
                self.tuner().gpu_probes_failed.store(true, Relaxed);
            }
        }
        self.keep();
        self.set_next();
    }

    /// Says when [`Engine::after_call`] is to do something again.
    pub(crate) fn set_next(&self) {
        let lazy = self.memory().calibrate == Calibrate::Lazy;
        let cpu = self.known_machine().rates.measured == Measured::default();
        let ran = self.tuner().ran();
        let next = if lazy && cpu {
            CPU_COST.max(ran)
        } else if lazy && self.gpu_is_unmeasured() {
            (CPU_COST + GPU_COST).max(ran)
        } else {
            // Twice as long as so far: what is learned late changes little.
            (2.0 * ran).max(1.0)
        };
        self.tuner().set_due(next);
    }

    fn gpu_is_unmeasured(&self) -> bool {
        let unmeasured = self.usable_gpu().is_some_and(|gpu| gpu.rates.measured == Measured::default());
        unmeasured && !self.tuner().gpu_probes_failed.load(Relaxed)
    }

    fn measure_cpu(&self) {
        let rates = probes::cpu(self, CPU_BUDGET);
        self.learn(|known| Some(Machine { rates, ..known.clone() }));
        self.tuner().history.forget(&[Backend::Simd, Backend::Threads]);
    }

    /// Does nothing where there is no GPU that may be chosen.
    fn measure_gpu(&self) -> Result<()> {
        if self.usable_gpu().is_none() {
            return Ok(());
        }
        let rates = probes::gpu(self, GPU_BUDGET)?;
        self.learn(|known| {
            let mut machine = known.clone();
            if let Gpus::Present(list) = &mut machine.gpus {
                list[0].rates = rates;
            }
            Some(machine)
        });
        self.tuner().history.forget(&[Backend::Gpu]);
        Ok(())
    }

    /// Takes over what another process kept of this processor.
    pub(crate) fn restore_cpu(&self) {
        let record = self.memory().load(&self.cpu_key());
        if let Some(Record { cpu, samples, iterations, .. }) = record {
            if let Some(rates) = cpu {
                self.learn(|known| Some(Machine { rates, ..known.clone() }));
            }
            self.tuner().history.restore(&samples, &iterations);
        }
        self.set_next();
    }

    /// The same of its GPU, which was just found.
    #[cfg(feature = "gpu")]
    pub(crate) fn restore_gpu(&self, machine: Machine) -> Machine {
        let Some(record) = self.gpu_key(&machine).and_then(|key| self.memory().load(&key)) else { return machine };
        let mut machine = machine;
        if let (Some(rates), Gpus::Present(list)) = (record.gpu, &mut machine.gpus) {
            list[0].rates = rates;
        }
        self.tuner().history.restore(&record.samples, &record.iterations);
        machine
    }

    /// Writes down what was learned since the last time.
    pub(crate) fn keep(&self) {
        if self.tuner().frozen || self.memory().cache.is_err() || !self.tuner().take_news() {
            return;
        }
        let (machine, samples) = (self.known_machine(), self.tuner().history.samples());
        let (on_gpu, on_cpu): (Vec<_>, Vec<_>) = samples.into_iter().partition(|entry| entry.backend == Backend::Gpu);
        let measured = machine.rates.measured != Measured::default();
        let cpu = measured.then_some(machine.rates);
        let record = Record { cpu, gpu: None, iterations: self.tuner().history.iterations(), samples: on_cpu };
        self.memory().save(&self.cpu_key(), &record);
        #[cfg(feature = "gpu")]
        if let Some(key) = self.gpu_key(machine) {
            let gpu = machine.gpus().first().map(|gpu| gpu.rates).filter(|rates| rates.measured != Measured::default());
            self.memory().save(&key, &Record { gpu, samples: on_gpu, ..Record::default() });
        }
        #[cfg(not(feature = "gpu"))]
        drop(on_gpu);
    }
}
