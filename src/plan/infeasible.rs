//! Why a candidate is none.

use crate::machine::{Gpus, Machine};

use super::{Backend, Problem};

/// Why a candidate cannot run a problem, or may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Infeasible {
    /// The caller asked for another backend.
    PinnedElsewhere(Backend),
    /// The crate was built without the feature of this name.
    NotBuilt(Backend),
    /// This process may use one core.
    OneCore,
    /// Serial work takes less than twice what waking a helper does, or there is one tile only.
    TooSmall,
    /// Nobody has looked for GPUs yet: the work was too short for it to matter.
    NotLookedFor,
    /// There is no GPU.
    NoGpu,
    /// It is a program on the CPU, which only a caller who asks for the GPU gets.
    Software,
    /// The kernel cannot be translated.
    Refused,
    /// The GPU has no 64-bit integers.
    Int64,
    /// The GPU has no 64-bit floats.
    Float64,
    /// Its `f32` arithmetic is not IEEE, so the canonical order would not give the bits that it gives elsewhere.
    Rounding,
    /// The kernel reads and writes more buffers than the GPU can bind.
    Bindings {
        /// How many it has.
        needed: u32,
        /// How many there may be.
        limit: u32,
    },
    /// A buffer would be larger than the GPU allows.
    TooLarge {
        /// Its size.
        bytes: u64,
        /// What is allowed.
        limit: u64,
    },
}

impl std::fmt::Display for Infeasible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Infeasible::PinnedElsewhere(backend) => write!(f, "the call is pinned to {backend}"),
            Infeasible::NotBuilt(backend) => write!(f, "built without the feature `{backend}`"),
            Infeasible::OneCore => f.write_str("this process may use one core only"),
            Infeasible::TooSmall => f.write_str("too little to share: a single tile, or done before a helper is called"),
            Infeasible::NotLookedFor => f.write_str("GPUs were not looked for, since the CPU is done before that would be"),
            Infeasible::NoGpu => f.write_str("no GPU was found"),
            Infeasible::Software => f.write_str("it is a software adapter: pin the call to gpu, or name the adapter, to use it"),
            Infeasible::Refused => f.write_str("the kernel cannot run on a GPU"),
            Infeasible::Int64 => f.write_str("it has no 64-bit integers"),
            Infeasible::Float64 => f.write_str("it has no 64-bit floats"),
            Infeasible::Rounding => f.write_str(
                "its f32 arithmetic is not IEEE, so the canonical order would not give the bits that it gives elsewhere: add \
                 `.unordered()`, or pin the call to gpu",
            ),
            Infeasible::Bindings { needed, limit } => {
                write!(f, "the kernel needs {needed} storage buffers, and it can bind {limit}: fuse fewer arrays in one call")
            }
            Infeasible::TooLarge { bytes, limit } => {
                write!(f, "a buffer of {bytes} bytes is needed, and it allows {limit}: split the input")
            }
        }
    }
}

impl std::error::Error for Infeasible {}

impl Infeasible {
    /// The reason with what only the problem and the machine know: why there is no GPU, or why a kernel was refused.
    pub fn describe(&self, problem: &Problem, machine: &Machine) -> String {
        match (self, &machine.gpus, problem.gpu.refused) {
            (Infeasible::NoGpu, Gpus::Absent(why), _) if !why.is_empty() => format!("{self}: {why}"),
            (Infeasible::Refused, _, Some(why)) => format!("{self}: {why}"),
            _ => self.to_string(),
        }
    }
}
