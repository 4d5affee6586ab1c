//! Choosing where and how finely a call runs.
//!
//! [`choose`] is what every call asks; [`plan()`] is the same arithmetic with all candidates kept; [`explain`] says it in words. All
//! are pure functions of a [`Problem`] and a [`Machine`](crate::machine::Machine): no clock, no I/O, no state.

mod explain;
pub(crate) mod fields;
mod model;
#[allow(clippy::module_inception, reason = "a plan is what this module is about, and the file that defines it bears its name")]
mod plan;
mod plans;
mod problem;

pub use explain::{Change, Explanation, explain};
pub use model::{Infeasible, Prediction, TILE};
pub use plan::{Candidate, Choice, Plan, Weighed, choose, choose_unless_gpu_matters, plan};
pub use plans::{Places, PlanKey, Plans, half_octave};
pub use problem::{GpuNeeds, Operation, Problem, Sample, Seen};

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
