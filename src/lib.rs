//! Write a kernel once, in plain Rust. It runs as WGSL on any GPU that wgpu reaches, as SIMD at the widest level this CPU has,
//! and across all cores.

extern crate self as granule;

pub mod array;
#[doc(hidden)]
pub mod backend;
pub mod element;
mod error;
pub mod kernel;
pub mod machine;
pub mod operator;
pub mod plan;
pub mod source;

pub use array::Array;
pub use error::{Error, Result};
