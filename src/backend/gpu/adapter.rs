//! The adapters of this computer, and which of them is wanted.

use std::fmt;

use crate::error::Error;
use crate::machine::Bytes;
use crate::plan::Backend;

use super::Verdict;

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

/// One adapter as plain data: of one that was found, what it offers; of an open [`Gpu`](super::Gpu), what its device was requested with.
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
    /// What the probe found; `None` until [`Gpu::verdict`](super::Gpu::verdict) ran.
    pub verdict: Option<Verdict>,
}

impl AdapterSummary {
    pub(super) fn new(info: &wgpu::AdapterInfo, features: wgpu::Features, limits: &wgpu::Limits) -> Self {
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
    /// By position in [`Gpu::discover`](super::Gpu::discover).
    Index(usize),
    /// The best one whose name, driver or API contains this, in any case.
    Name(String),
}

impl Selection {
    /// The adapter chosen among `all`, by position.
    pub(super) fn choose(&self, all: &[AdapterSummary]) -> Option<usize> {
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
    pub(super) fn refusal(&self, all: &[AdapterSummary]) -> Error {
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

pub(super) fn adapters(backends: wgpu::Backends) -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = backends;
    // No validation layers, and no extra dispatch before each indirect one; `WGPU_VALIDATION=1` and its kin still switch them on.
    descriptor.flags = wgpu::InstanceFlags::empty().with_env();
    pollster::block_on(wgpu::Instance::new(descriptor).enumerate_adapters(backends))
}

pub(super) fn summaries(adapters: &[wgpu::Adapter]) -> Vec<AdapterSummary> {
    adapters.iter().map(|a| AdapterSummary::new(&a.get_info(), a.features(), &a.limits())).collect()
}
