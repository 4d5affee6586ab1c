//! Choosing where and how finely a call runs.

mod problem;

pub use problem::{GpuNeeds, Operation, Problem};

/// Where work can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Backend {
    /// One core, at the widest SIMD level.
    Simd,
    /// All cores, each at the widest SIMD level.
    Threads,
    /// A GPU.
    Gpu,
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Backend::Simd => "simd",
            Backend::Threads => "threads",
            Backend::Gpu => "gpu",
        })
    }
}
