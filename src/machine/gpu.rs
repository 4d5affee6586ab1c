//! The graphics processors.

use super::{Bytes, Measured, OpRates};

/// What is known of this computer's GPUs.
#[derive(Clone, Debug, PartialEq)]
pub enum Gpus {
    /// Nobody has looked yet.
    NotLookedFor,
    /// There is none that can be used, and why.
    Absent(String),
    /// These, in the order in which a [`Choice`](crate::plan::Choice) counts them.
    Present(Vec<GpuInfo>),
}

impl std::fmt::Display for Gpus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Gpus::NotLookedFor => f.write_str("GPUs not looked for"),
            Gpus::Absent(reason) => write!(f, "no GPU: {reason}"),
            Gpus::Present(list) if list.is_empty() => f.write_str("no GPU"),
            Gpus::Present(list) => {
                for (index, gpu) in list.iter().enumerate() {
                    write!(f, "{}gpu {index}: {gpu}", if index == 0 { "" } else { "; " })?;
                }
                Ok(())
            }
        }
    }
}

/// An adapter: what it is, what it can, and how fast it is.
#[derive(Clone, Debug, PartialEq)]
pub struct GpuInfo {
    /// What it calls itself.
    pub name: String,
    /// The interface that it is reached through, such as Vulkan.
    pub api: String,
    /// How it is attached.
    pub kind: GpuKind,
    /// Driver and version.
    pub driver: String,
    /// PCI vendor; zero if it has none.
    pub vendor: u32,
    /// PCI device; zero if it has none.
    pub device: u32,
    /// Whether the user named it: then it may be chosen even if it is software.
    pub asked_for: bool,
    /// Largest part of a buffer that a shader can see at once, in bytes.
    pub max_binding_bytes: u64,
    /// Largest buffer, in bytes.
    pub max_buffer_bytes: u64,
    /// Number of buffers that a shader can see.
    pub max_storage_bindings: u32,
    /// Whether it has 64-bit integers.
    pub int64: bool,
    /// Whether it has 64-bit floats.
    pub float64: bool,
    /// Whether it has subgroup operations.
    pub subgroups: bool,
    /// Whether its `f32` arithmetic gave the same bits as the CPU's when it was probed. A software adapter that nobody asked for is
    /// not opened, and so not probed.
    pub ieee_f32: bool,
    /// How fast it is.
    pub rates: GpuRates,
}

impl std::fmt::Display for GpuInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, {}, {}", self.name, self.kind, self.api, self.driver)?;
        write!(f, ", buffers up to {}", Bytes(self.max_buffer_bytes as f64))?;
        for (has, what) in
            [(self.int64, "i64"), (self.float64, "f64"), (self.subgroups, "subgroups"), (self.ieee_f32, "IEEE f32")]
        {
            if has {
                write!(f, ", {what}")?;
            }
        }
        f.write_str(")")
    }
}

/// How a GPU is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GpuKind {
    /// Memory of its own, behind a bus.
    Discrete,
    /// Shares the memory of the CPU.
    Integrated,
    /// Passed through or shared by a hypervisor.
    Virtual,
    /// A program on the CPU that behaves like a GPU.
    Software,
    /// Not known.
    Other,
}

impl std::fmt::Display for GpuKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            GpuKind::Discrete => "discrete",
            GpuKind::Integrated => "integrated",
            GpuKind::Virtual => "virtual",
            GpuKind::Software => "software",
            GpuKind::Other => "unknown kind",
        })
    }
}

/// How fast a GPU is. Seconds, and bytes or operations a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GpuRates {
    /// Seconds to submit recorded work.
    pub submit: f64,
    /// Seconds for each further dispatch in it.
    pub dispatch: f64,
    /// Seconds to compile a shader, once for each kind of call.
    pub compile: f64,
    /// From host memory to the GPU's.
    pub upload: Link,
    /// From the GPU's memory to the host's. The latency is what the host waits for a result beyond its bytes.
    pub download: Link,
    /// Bytes a second between the GPU and its memory.
    pub memory: f64,
    /// Bytes a second between the GPU and its last cache. No fewer than `memory`: farther is never faster.
    pub cache: f64,
    /// Bytes that this cache holds.
    pub cache_bytes: f64,
    /// How many bytes in order one byte at a computed index is worth.
    pub random_weight: f64,
    /// Weighted operations a second, all lanes together.
    pub ops: OpRates,
    /// How many times slower arithmetic on 64-bit integers is.
    pub int64_slowdown: f64,
    /// How many times slower arithmetic on 64-bit floats is.
    pub float64_slowdown: f64,
    /// Workgroups that keep all of it busy.
    pub workgroups: f64,
    /// Which of these figures were measured on this machine.
    pub measured: Measured,
}

/// What a transfer costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// Seconds before the first byte.
    pub latency: f64,
    /// Bytes a second from then on.
    pub bandwidth: f64,
}

impl Link {
    /// Seconds to move so many bytes; none if there is nothing to move.
    #[inline]
    pub fn seconds(&self, bytes: f64) -> f64 {
        if bytes > 0.0 { self.latency + bytes / self.bandwidth } else { 0.0 }
    }
}

impl GpuRates {
    /// What is assumed before anything was measured. Deliberately a modest card of its kind: a call that goes to the CPU although a
    /// GPU was a little faster costs less than one that waits for a bus.
    pub fn prior(kind: GpuKind) -> Self {
        // (link, memory, ops), per second.
        let (link, memory, ops) = match kind {
            // PCIe 3.0 x16 carries 12 of its nominal 16 GB/s. Memory and arithmetic of a mid-range card of 2020: 360 GB/s, and 3584
            // lanes at 1.8 GHz = 6.4e12 instructions a second, of which 80% are reached.
            GpuKind::Discrete => (12e9, 300e9, 5e12),
            // No bus, but a copy: it reads and writes the memory that all share, which two channels of DDR4 give 40 GB/s.
            // Arithmetic between 24 units of 8 lanes at 1.1 GHz (2e11) and 96 at 1.3 GHz (1e12).
            GpuKind::Integrated | GpuKind::Other => (20e9, 40e9, 5e11),
            // A discrete card seen through a hypervisor: half of each, since it may be shared.
            GpuKind::Virtual => (6e9, 150e9, 2.5e12),
            // Measured with Mesa's lavapipe on 2 cores: 16Mi elements of a*x+y, three arrays of 64 MiB, in 20 to 84 ms.
            GpuKind::Software => (5e9, 5e9, 1e10),
        };
        GpuRates {
            // Published for dispatches submitted one by one on Vulkan: 24 to 36 us; measured on lavapipe, with waiting: 36 to 66.
            submit: 40e-6,
            // Estimated: a pass in a batch that is recorded once; the share of a submission is 20 times less than a whole one.
            dispatch: 5e-6,
            // Measured on lavapipe; drivers of graphics cards take between 5 and 50 ms for a small shader.
            compile: 20e-3,
            // Staging: one copy by the host, and a command in the batch.
            upload: Link { latency: 5e-6, bandwidth: link },
            // Measured on lavapipe: mapping adds up to 25 us to the submission; a bus adds to that.
            download: Link { latency: 30e-6, bandwidth: link },
            memory,
            // Nothing is assumed of caches: the same as memory until it is measured.
            cache: memory,
            cache_bytes: 0.0,
            // Memory is fetched in sectors of 32 bytes, of which an element takes 4.
            random_weight: 8.0,
            ops: OpRates::all(ops),
            // Emulated by pairs of 32-bit instructions: an addition takes 2 to 3, a multiplication 4 to 6.
            int64_slowdown: 4.0,
            // Consumer cards have one 64-bit unit for 32 or 64 of 32 bits.
            float64_slowdown: if kind == GpuKind::Software { 2.0 } else { 32.0 },
            // Eight groups on each of 128, 16 or 2 processors.
            workgroups: match kind {
                GpuKind::Discrete | GpuKind::Virtual => 1024.0,
                GpuKind::Integrated | GpuKind::Other => 128.0,
                GpuKind::Software => 16.0,
            },
            measured: Measured::default(),
        }
    }
}
