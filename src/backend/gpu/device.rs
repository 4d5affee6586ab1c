//! The device and its queue, and what is known of them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::adapter::{AdapterSummary, Selection, adapters, summaries};
use super::memory::Pool;
use super::pipeline::PipelineCache;
use super::poller::Poller;
use super::probe::{self, Verdict};
use super::recorder::Batch;
use crate::error::{Error, Result};
use crate::lock::lock;

/// How long a wait polls before it sleeps: about as long as a sleeping thread takes to be woken, which short work must not wait for.
/// Measured: a read of 4 KiB takes 25 us of polling, and 70 us with a sleep.
pub(super) const AWAKE: Duration = Duration::from_micros(100);

/// What went wrong on the device outside any call.
#[derive(Default)]
pub(super) struct Faults {
    lost: OnceLock<String>,
    stray: Mutex<Option<Error>>,
}

impl Faults {
    pub(super) fn lose(&self, reason: String) {
        _ = self.lost.set(reason);
    }

    pub(super) fn lost(&self) -> Option<Error> {
        self.lost.get().map(|reason| Error::DeviceLost { reason: reason.clone() })
    }
}

/// One device and its queue, with its pool, its pipelines and its batch. Shared by all threads.
pub struct Gpu {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) faults: Arc<Faults>,
    pub(super) pool: Arc<Pool>,
    pub(super) pipelines: PipelineCache,
    pub(super) batch: Mutex<Batch>,
    pub(super) poller: Poller,
    limits: wgpu::Limits,
    features: wgpu::Features,
    summary: AdapterSummary,
    verdict: OnceLock<Verdict>,
    watcher: OnceLock<Watcher>,
}

/// Told of each time that a thread waited, and how many bytes it waited for.
type Watcher = Box<dyn Fn(Duration, u64) + Send + Sync>;

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gpu({})", self.summary.name)
    }
}

/// The features that are used where an adapter has them.
const USEFUL: wgpu::Features = wgpu::Features::SUBGROUP
    .union(wgpu::Features::SHADER_INT64)
    .union(wgpu::Features::SHADER_F64)
    .union(wgpu::Features::TIMESTAMP_QUERY);

/// An adapter that was selected and not opened yet.
pub(crate) struct Found {
    adapter: wgpu::Adapter,
    pub(crate) summary: AdapterSummary,
}

impl Found {
    /// The one that fits best among those that these APIs reach.
    pub(crate) fn new(backends: wgpu::Backends, selection: &Selection) -> Result<Found> {
        let mut adapters = adapters(backends);
        let mut all = summaries(&adapters);
        let chosen = selection.choose(&all).ok_or_else(|| selection.refusal(&all))?;
        Ok(Found { adapter: adapters.swap_remove(chosen), summary: all.swap_remove(chosen) })
    }

    /// Opens it, with all the features that are used and all the limits that it has.
    pub(crate) fn open(&self) -> Result<Arc<Gpu>> {
        let request = self.adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("granule"),
            required_features: self.adapter.features() & USEFUL,
            required_limits: self.adapter.limits(),
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::Performance,
            trace: wgpu::Trace::Off,
        });
        let (device, queue) = pollster::block_on(request)
            .map_err(|e| Error::Gpu { message: format!("{} cannot be opened: {e}", self.summary.name) })?;

        let faults = Arc::new(Faults::default());
        let stray = faults.clone();
        device.on_uncaptured_error(Arc::new(move |e| {
            lock(&stray.stray).get_or_insert_with(|| translate(e, 0));
        }));
        let lost = faults.clone();
        device.set_device_lost_callback(move |reason, message| {
            lost.lose(if message.is_empty() { format!("{reason:?}") } else { format!("{reason:?}: {message}") });
        });
        Ok(Gpu::assemble(device, queue, faults))
    }
}

impl Gpu {
    /// Every adapter of this computer, software ones too. Empty if there is no driver. No device is opened.
    pub fn discover() -> Vec<AdapterSummary> {
        summaries(&adapters(wgpu::Backends::PRIMARY))
    }

    /// Opens an adapter, with all the features and limits that it has.
    ///
    /// # Errors
    /// `Unsupported` if no adapter fits, with those that are present; `Gpu` if the driver refuses.
    pub fn open(selection: &Selection) -> Result<Arc<Gpu>> {
        Gpu::open_in(wgpu::Backends::PRIMARY, selection)
    }

    /// [`Gpu::open`] among the adapters of the given APIs only.
    pub fn open_in(backends: wgpu::Backends, selection: &Selection) -> Result<Arc<Gpu>> {
        Found::new(backends, selection)?.open()
    }

    /// Works on a device and queue of the caller's own, with the features and limits that they were requested with.
    ///
    /// The device's callbacks for errors and loss stay the caller's: every call here collects its own errors in error scopes, and
    /// loss shows when a read fails.
    pub fn from_device(device: wgpu::Device, queue: wgpu::Queue) -> Arc<Gpu> {
        Gpu::assemble(device, queue, Arc::default())
    }

    fn assemble(device: wgpu::Device, queue: wgpu::Queue, faults: Arc<Faults>) -> Arc<Gpu> {
        let (limits, features) = (device.limits(), device.features());
        Arc::new(Gpu {
            summary: AdapterSummary::new(&device.adapter_info(), features, &limits),
            pool: Arc::default(),
            pipelines: PipelineCache::default(),
            batch: Mutex::default(),
            poller: Poller::new(device.clone(), faults.clone()),
            verdict: OnceLock::new(),
            watcher: OnceLock::new(),
            limits,
            features,
            device,
            queue,
            faults,
        })
    }

    /// The adapter as plain data, with the probe's verdict if it ran.
    pub fn summary(&self) -> AdapterSummary {
        AdapterSummary { verdict: self.verdict.get().cloned(), ..self.summary.clone() }
    }

    /// How this device really computes. The first call runs small shaders to find out, the others return what they found.
    pub fn verdict(self: &Arc<Self>) -> Result<&Verdict> {
        if let Some(verdict) = self.verdict.get() {
            return Ok(verdict);
        }
        let found = probe::probe(self)?;
        Ok(self.verdict.get_or_init(|| found))
    }

    /// The limits that shaders and buffers must keep.
    pub fn limits(&self) -> &wgpu::Limits {
        &self.limits
    }

    /// The features that shaders may use.
    pub fn features(&self) -> wgpu::Features {
        self.features
    }

    /// Smallest and largest subgroup, if shaders can use subgroup operations.
    pub fn subgroups(&self) -> Option<(u32, u32)> {
        self.summary.subgroups
    }

    /// The device itself.
    pub fn device(&self) -> &wgpu::Device {
        &self.device
    }

    /// The queue itself. What is submitted to it directly is ordered behind what was flushed, not behind what was recorded.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    /// The pool of this device's buffers.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Has this told of every blocking wait, once it is over. Only the first watcher counts.
    pub(crate) fn watch(&self, watcher: impl Fn(Duration, u64) + Send + Sync + 'static) {
        _ = self.watcher.set(Box::new(watcher));
    }

    /// A thread waited since then, for so many bytes.
    pub(super) fn waited(&self, since: Instant, bytes: u64) {
        if let Some(watcher) = self.watcher.get() {
            watcher(since.elapsed(), bytes);
        }
    }

    /// Whether the device was lost, or left an error that no call has reported yet.
    pub(super) fn check(&self) -> Result<()> {
        if let Some(lost) = self.faults.lost() {
            return Err(lost);
        }
        lock(&self.faults.stray).take().map_or(Ok(()), Err)
    }

    /// Runs `f`, and returns the first error that the device reported on this thread meanwhile. `bytes` is what `f` wants to
    /// allocate, for the error.
    pub(super) fn scoped<T>(&self, bytes: u64, f: impl FnOnce() -> T) -> Result<T> {
        use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};
        let scopes = [Validation, OutOfMemory, Internal].map(|filter| self.device.push_error_scope(filter));
        let value = f();
        // Scopes are popped in the reverse of their order. An error's cause is what came first, which is the validation error.
        let mut error = None;
        for scope in scopes.into_iter().rev() {
            error = pollster::block_on(scope.pop()).or(error);
        }
        match error {
            None => Ok(value),
            Some(e) => {
                self.notice_loss();
                Err(self.faults.lost().unwrap_or_else(|| translate(e, bytes)))
            }
        }
    }

    /// Finds out whether an error was the consequence of loss. A lost device creates buffers without complaint, but they are
    /// invalid, which mapping one tells.
    #[cold]
    pub(super) fn notice_loss(&self) {
        use wgpu::ErrorFilter::{OutOfMemory, Validation};
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let descriptor = wgpu::BufferDescriptor { label: None, size: 4, usage, mapped_at_creation: false };
        let memory = self.device.push_error_scope(OutOfMemory);
        let validation = self.device.push_error_scope(Validation);
        let buffer = self.device.create_buffer(&descriptor);
        let created = pollster::block_on(validation.pop()).is_none() & pollster::block_on(memory.pop()).is_none();
        let validation = self.device.push_error_scope(Validation);
        buffer.map_async(wgpu::MapMode::Read, .., |_| {});
        let mapped = pollster::block_on(validation.pop()).is_none();
        if created && !mapped {
            // The driver's own words, if this device has a callback, come with a poll.
            self.poll();
            self.faults.lose("it takes no more work".to_owned());
        }
    }

    /// Waits until this submission, or else the last one, is done.
    pub(super) fn wait_idle(&self, submission: Option<wgpu::SubmissionIndex>) {
        if !self.done_within(AWAKE) {
            poll(&self.device, &self.faults, wgpu::PollType::Wait { submission_index: submission, timeout: None });
        }
    }

    /// Polls without a pause for so long at most, and says whether nothing is left to do.
    pub(super) fn done_within(&self, span: Duration) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < span {
            if self.poll() {
                return true;
            }
            std::hint::spin_loop();
        }
        false
    }

    /// Lets callbacks run whose work is done, and says whether nothing is left.
    pub(super) fn poll(&self) -> bool {
        poll(&self.device, &self.faults, wgpu::PollType::Poll)
    }
}

/// Polls, and says whether the device has nothing left to do; loss is marked.
///
/// wgpu panics here if the driver reports loss. It may also panic, and lose callbacks, if a wait with a timeout runs out just when
/// other threads find the queue empty: so waits have no timeout, and what has a deadline polls and sleeps in turn.
pub(super) fn poll(device: &wgpu::Device, faults: &Faults, how: wgpu::PollType) -> bool {
    match catch_unwind(AssertUnwindSafe(|| device.poll(how))) {
        Ok(Ok(status)) => return status.is_queue_empty(),
        Ok(Err(wgpu::PollError::Timeout)) => {}
        // Submissions to a lost device get a number and are dropped.
        Ok(Err(wgpu::PollError::WrongSubmissionIndex(..))) => faults.lose("a submission was dropped".to_owned()),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map_or("nothing is known", |s| s);
            faults.lose(format!("the driver failed while it was waited for: {said}"));
        }
    }
    false
}

/// A device error as this crate's own. `bytes` is what was being allocated.
fn translate(error: wgpu::Error, bytes: u64) -> Error {
    match error {
        wgpu::Error::OutOfMemory { .. } => Error::OutOfMemory { bytes },
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
            // "Validation Error", "Caused by:", then one cause a line, from the call inwards.
            let causes = description.split_once("Caused by:").map_or(&*description, |(_, causes)| causes);
            let causes: Vec<_> = causes.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            Error::Gpu { message: causes.join(": ") }
        }
    }
}
