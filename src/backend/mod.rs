//! Where work runs. All of the crate's `unsafe` lives below this module.

mod same;
pub mod simd;

pub use same::same;
