//! Choosing where and how finely a call runs.
//!
//! [`choose`] is what every call asks; [`plan()`] is the same arithmetic with all candidates kept; [`explain`] says it in words. All
//! are pure functions of a [`Problem`] and a [`Machine`](crate::machine::Machine): no clock, no I/O, no state.

mod analyze;
mod explain;
pub(crate) mod fields;
mod infeasible;
mod json;
mod model;
#[allow(clippy::module_inception, reason = "a plan is what this module is about, and the file that defines it bears its name")]
mod plan;
mod plans;
mod problem;

pub use analyze::Analysis;
pub use explain::{Change, Explanation, Origin, Origins, Why, explain, explain_with};
pub use infeasible::Infeasible;
pub(crate) use model::ASSUMED_ITERATIONS;
pub use model::{Prediction, TILE};
pub use plan::{Candidate, Choice, Plan, Weighed, choose, plan, worth_a_look};
pub(crate) use plan::{HOPELESS, obvious};
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

impl Backend {
    /// All of them, in the order in which they are preferred where they take equally long.
    pub const ALL: [Backend; 3] = [Backend::Simd, Backend::Threads, Backend::Gpu];
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
