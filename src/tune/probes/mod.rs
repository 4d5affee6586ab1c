//! Probes: short runs of the library's own primitives, from which the rates of this machine follow.

use std::time::Duration;

use crate::engine::Engine;
use crate::error::Result;
use crate::machine::{CpuRates, GpuRates};

/// Changes whenever a probe does, so that rates of older probes are not taken for those of newer ones.
pub(crate) const SUITE: u32 = 1;

/// Measures the processor. What the budget does not suffice for keeps its prior.
pub(crate) fn cpu(engine: &Engine, budget: Duration) -> CpuRates {
    let _ = (engine, budget);
    CpuRates::prior(16)
}

/// Measures the engine's GPU. What the budget does not suffice for keeps its prior.
///
/// # Errors
/// As any call on the GPU.
pub(crate) fn gpu(engine: &Engine, budget: Duration) -> Result<GpuRates> {
    let _ = (engine, budget);
    unimplemented!()
}
