//! What this computer is: what was discovered of it, and how fast its parts are taken to be.
//!
//! All of it is plain data. A plan is a pure function of a problem and a [`Machine`], so a machine can be written down by hand, in a
//! test or to ask what would be chosen elsewhere.

pub mod cpu;
pub mod gpu;

pub use cpu::{Cpu, CpuRates, Levels};
pub use gpu::{GpuInfo, GpuKind, GpuRates, Gpus, Link};

use crate::kernel::cost::Ops;

/// A computer.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// The processor, as far as this process may use it.
    pub cpu: Cpu,
    /// How fast the processor is.
    pub rates: CpuRates,
    /// The graphics processors; their rates are with them.
    pub gpus: Gpus,
    /// What this build of the crate can use.
    pub built: Built,
}

/// Weighted operations a second, by class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpRates {
    /// Of [`Ops::simple`].
    pub simple: f64,
    /// Of [`Ops::divide`].
    pub divide: f64,
    /// Of [`Ops::function`].
    pub function: f64,
}

impl OpRates {
    /// The weights are taken at their word: one rate for all.
    pub const fn all(rate: f64) -> Self {
        OpRates { simple: rate, divide: rate, function: rate }
    }

    /// Seconds for these operations.
    #[inline]
    pub fn seconds(&self, ops: Ops) -> f64 {
        f64::from(ops.simple) / self.simple + f64::from(ops.divide) / self.divide + f64::from(ops.function) / self.function
    }
}

/// Which figures of a backend were measured; the others are priors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// What a call, a chunk, a submission or a dispatch costs.
    pub overhead: bool,
    /// Calling helpers.
    pub wake: bool,
    /// Transfers between host and GPU, both ways.
    pub transfer: bool,
    /// Bandwidths.
    pub memory: bool,
    /// Reads at computed indices.
    pub random: bool,
    /// Arithmetic.
    pub compute: bool,
}

/// The optional parts that the crate was built with. Data and no `cfg`, so that planning for any build can be tested in any build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Built {
    /// The feature `threads`.
    pub threads: bool,
    /// The feature `gpu`.
    pub gpu: bool,
}

impl Built {
    /// This build.
    pub const fn this() -> Self {
        Built { threads: cfg!(feature = "threads"), gpu: cfg!(feature = "gpu") }
    }
}

impl Machine {
    /// This computer at a SIMD level of so many lanes (4, 8 or 16), with prior rates. GPUs are not looked for, since that takes tens of milliseconds: whoever finds that
    /// [a GPU might matter](crate::plan::worth_a_look) fills them in.
    pub fn discover(simd_lanes: usize) -> Self {
        Machine {
            cpu: cpu::discover(simd_lanes),
            rates: CpuRates::prior(simd_lanes),
            gpus: Gpus::NotLookedFor,
            built: Built::this(),
        }
    }

    /// The adapters that were found.
    pub fn gpus(&self) -> &[GpuInfo] {
        match &self.gpus {
            Gpus::Present(list) => list,
            Gpus::NotLookedFor | Gpus::Absent(_) => &[],
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.cpu, self.gpus)?;
        if !self.built.threads {
            f.write_str("; built without threads")?;
        }
        if !self.built.gpu {
            f.write_str("; built without gpu")?;
        }
        Ok(())
    }
}

/// A size as people write it.
pub(crate) struct Bytes(pub(crate) f64);

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (mut value, mut unit) = (self.0, "B");
        for next in ["KiB", "MiB", "GiB", "TiB"] {
            if value < 1024.0 {
                break;
            }
            (value, unit) = (value / 1024.0, next);
        }
        let digits = usize::from(value < 10.0 && value.fract() != 0.0);
        write!(f, "{value:.digits$} {unit}")
    }
}
