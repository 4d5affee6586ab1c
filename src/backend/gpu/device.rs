//! Adapters, the device and its queue, and what is known of them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::memory::Pool;
use super::pipeline::PipelineCache;
use super::poller::Poller;
use super::probe::{self, Verdict};
use super::recorder::Batch;
use crate::error::{Error, Result};
use crate::lock::lock;
use crate::machine::Bytes;
use crate::plan::Backend;

/// How long a wait polls before it sleeps: about as long as a sleeping thread takes to be woken, which short work must not wait for.
/// Measured: a read of 4 KiB takes 25 us of polling, and 70 us with a sleep.
pub(super) const AWAKE: Duration = Duration::from_micros(100);

/// What sort of device an adapter is, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AdapterKind {
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU that shares memory with the CPU.
    Integrated,
    /// A share of a GPU, given to a virtual machine.
    Virtual,
    /// The driver does not say.
    Other,
    /// A software rasteriser that runs on the CPU: for tests.
    Cpu,
}

impl fmt::Display for AdapterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AdapterKind::Discrete => "discrete",
            AdapterKind::Integrated => "integrated",
            AdapterKind::Virtual => "virtual",
            AdapterKind::Other => "other",
            AdapterKind::Cpu => "software",
        })
    }
}

/// One adapter as plain data: of one that was found, what it offers; of an open [`Gpu`], what its device was requested with.
///
/// Prints in one line; with `{:#}` in several, with all limits.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterSummary {
    /// The name that the driver gives.
    pub name: String,
    /// PCI vendor.
    pub vendor: u32,
    /// PCI device.
    pub device: u32,
    /// What sort of device.
    pub kind: AdapterKind,
    /// The API through which it is reached: `vulkan`, `metal`, `dx12`.
    pub api: String,
    /// The driver's name.
    pub driver: String,
    /// The driver's version, in its own words.
    pub driver_info: String,
    /// Largest buffer, in bytes.
    pub max_buffer: u64,
    /// Largest range that one storage binding can cover, in bytes.
    pub max_binding: u64,
    /// Storage buffers that one shader can bind.
    pub max_storage_buffers: u32,
    /// Threads in one workgroup.
    pub max_invocations: u32,
    /// Memory shared by a workgroup, in bytes.
    pub max_workgroup_bytes: u32,
    /// Workgroups in one dimension of a dispatch.
    pub max_workgroups: u32,
    /// Smallest and largest subgroup, if shaders can use subgroup operations.
    pub subgroups: Option<(u32, u32)>,
    /// Whether shaders have 64-bit integers.
    pub int64: bool,
    /// Whether shaders have 64-bit floats.
    pub float64: bool,
    /// Whether shaders have 16-bit floats. No kernel uses them, so no device is opened with them.
    pub float16: bool,
    /// Whether the time of single passes can be taken.
    pub timestamps: bool,
    /// What the probe found; `None` until [`Gpu::verdict`] ran.
    pub verdict: Option<Verdict>,
}

impl AdapterSummary {
    fn new(info: &wgpu::AdapterInfo, features: wgpu::Features, limits: &wgpu::Limits) -> Self {
        AdapterSummary {
            name: info.name.clone(),
            vendor: info.vendor,
            device: info.device,
            kind: match info.device_type {
                wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
                wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
                wgpu::DeviceType::VirtualGpu => AdapterKind::Virtual,
                wgpu::DeviceType::Cpu => AdapterKind::Cpu,
                wgpu::DeviceType::Other => AdapterKind::Other,
            },
            api: info.backend.to_str().to_owned(),
            driver: info.driver.clone(),
            driver_info: info.driver_info.clone(),
            max_buffer: limits.max_buffer_size,
            max_binding: limits.max_storage_buffer_binding_size,
            max_storage_buffers: limits.max_storage_buffers_per_shader_stage,
            max_invocations: limits.max_compute_invocations_per_workgroup,
            max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
            max_workgroups: limits.max_compute_workgroups_per_dimension,
            subgroups: features.contains(wgpu::Features::SUBGROUP).then_some((info.subgroup_min_size, info.subgroup_max_size)),
            int64: features.contains(wgpu::Features::SHADER_INT64),
            float64: features.contains(wgpu::Features::SHADER_F64),
            float16: features.contains(wgpu::Features::SHADER_F16),
            timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
            verdict: None,
        }
    }

    /// Whether it is a GPU and not a software rasteriser.
    pub fn is_hardware(&self) -> bool {
        self.kind != AdapterKind::Cpu
    }
}

impl AdapterSummary {
    /// What shaders can use, by name.
    fn features(&self) -> String {
        let subgroups = match self.subgroups {
            Some((min, max)) if min == max => format!("subgroups of {min}"),
            Some((min, max)) => format!("subgroups of {min} to {max}"),
            None => "no subgroups".to_owned(),
        };
        let others = [(self.int64, "i64"), (self.float64, "f64"), (self.float16, "f16"), (self.timestamps, "timestamps")];
        others.iter().filter(|(has, _)| *has).fold(subgroups, |list, (_, name)| list + ", " + name)
    }
}

impl fmt::Display for AdapterSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [&self.driver, &self.driver_info].into_iter().filter(|word| !word.is_empty());
        let driver = words.map(String::as_str).collect::<Vec<_>>().join(" ");
        let (buffer, binding) = (Bytes(self.max_buffer as f64), Bytes(self.max_binding as f64));
        if !f.alternate() {
            let comma = if driver.is_empty() { "" } else { ", " };
            write!(f, "{} ({}, {}{comma}{driver}): ", self.name, self.kind, self.api)?;
            return write!(f, "buffers to {buffer}, bindings to {binding}, {}", self.features());
        }
        writeln!(f, "{}", self.name)?;
        writeln!(f, "  {} adapter, vendor {:04x}, device {:04x}", self.kind, self.vendor, self.device)?;
        writeln!(f, "  driver: {}{}{driver}", self.api, if driver.is_empty() { "" } else { ", " })?;
        writeln!(
            f,
            "  memory: buffers to {buffer}, bindings to {binding}, {} storage buffers a shader",
            self.max_storage_buffers
        )?;
        let shared = Bytes(self.max_workgroup_bytes.into());
        writeln!(f, "  workgroups: {} threads, {shared} shared, {} a dimension", self.max_invocations, self.max_workgroups)?;
        write!(f, "  shaders: {}", self.features())?;
        match &self.verdict {
            Some(verdict) => write!(f, "\n  probed: {verdict}"),
            None => Ok(()),
        }
    }
}

/// Which adapter to open.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Selection {
    /// The best hardware: discrete, then integrated, then virtual. Never a software rasteriser.
    #[default]
    Hardware,
    /// A software rasteriser, such as llvmpipe or WARP.
    Software,
    /// Hardware if there is any, else software.
    Any,
    /// By position in [`Gpu::discover`].
    Index(usize),
    /// The best one whose name, driver or API contains this, in any case.
    Name(String),
}

impl Selection {
    /// The adapter chosen among `all`, by position.
    fn choose(&self, all: &[AdapterSummary]) -> Option<usize> {
        let matches = |a: &AdapterSummary| match self {
            Selection::Hardware => a.is_hardware(),
            Selection::Software => !a.is_hardware(),
            Selection::Any | Selection::Index(_) => true,
            Selection::Name(part) => {
                let part = part.to_lowercase();
                [&a.name, &a.driver, &a.api].iter().any(|text| text.to_lowercase().contains(&part))
            }
        };
        match self {
            Selection::Index(i) => (*i < all.len()).then_some(*i),
            _ => (0..all.len()).filter(|&i| matches(&all[i])).min_by_key(|&i| (all[i].kind, i)),
        }
    }

    /// Why none was chosen, and how to go on.
    fn refusal(&self, all: &[AdapterSummary]) -> Error {
        let wanted = match self {
            Selection::Hardware => "no hardware GPU was found".to_owned(),
            Selection::Software => "no software adapter was found".to_owned(),
            Selection::Any => "no adapter was found".to_owned(),
            Selection::Index(i) => format!("there is no adapter number {i}"),
            Selection::Name(part) => format!("no adapter's name contains \"{part}\""),
        };
        let present = if all.is_empty() {
            "No driver answered: install one (Linux: the vendor's Vulkan driver or mesa-vulkan-drivers, which also has the software \
             adapter llvmpipe; check with `vulkaninfo --summary`; Windows and macOS: update the graphics driver or system)"
                .to_owned()
        } else {
            let names: Vec<_> = all.iter().enumerate().map(|(i, a)| format!("{i}: {} ({}, {})", a.name, a.kind, a.api)).collect();
            format!("Present are [{}]: select one of them by number or name", names.join("; "))
        };
        Error::Unsupported { backend: Backend::Gpu, reason: format!("{wanted}. {present}, or run on the CPU, which needs none") }
    }
}

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

fn adapters(backends: wgpu::Backends) -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = backends;
    // No validation layers, and no extra dispatch before each indirect one; `WGPU_VALIDATION=1` and its kin still switch them on.
    descriptor.flags = wgpu::InstanceFlags::empty().with_env();
    pollster::block_on(wgpu::Instance::new(descriptor).enumerate_adapters(backends))
}

fn summaries(adapters: &[wgpu::Adapter]) -> Vec<AdapterSummary> {
    adapters.iter().map(|a| AdapterSummary::new(&a.get_info(), a.features(), &a.limits())).collect()
}

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
