//! Where work runs. All of the crate's `unsafe` lives below this module.

#[cfg(feature = "gpu")]
pub mod gpu;
pub mod simd;
