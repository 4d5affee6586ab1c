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
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Choice { pub backend: Backend, pub workers: usize, pub grain: usize, pub gpu: usize }
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Plan { pub choice: Choice }
#[allow(missing_docs)]
pub struct Explanation;
#[allow(missing_docs)]
impl Explanation { pub fn new(_: &Problem, _: &crate::machine::Machine, _: &Plan) -> Self { Explanation } }
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Infeasible;
impl std::fmt::Display for Infeasible { fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) } }
#[allow(missing_docs)]
pub fn choose(p: &Problem, _: &crate::machine::Machine) -> std::result::Result<Choice, Infeasible> {
    let backend = p.pinned.unwrap_or(if p.n > 100_000 { Backend::Threads } else { Backend::Simd });
    Ok(Choice { backend, workers: if backend == Backend::Simd { 1 } else { p.max_workers }, grain: 16384, gpu: 0 })
}
#[allow(missing_docs)]
pub fn plan(p: &Problem, m: &crate::machine::Machine) -> std::result::Result<Plan, Infeasible> { Ok(Plan { choice: choose(p, m)? }) }
#[allow(missing_docs)]
pub fn worth_looking_for_gpu(_: &Problem, _: &crate::machine::Machine) -> bool { false }
