//! Where work runs. All of the crate's `unsafe` lives below this module.

pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
pub(crate) mod memory;
mod pages;
pub(crate) mod rows;
mod same;
pub mod simd;
#[cfg(feature = "threads")]
pub mod threads;

pub use same::same;
