//! Write a kernel once, in plain Rust. It runs as WGSL on any GPU that wgpu reaches, as SIMD at the widest level this CPU has,
//! and across all cores.

extern crate self as granule;

pub mod array;
#[doc(hidden)]
pub mod backend;
pub mod element;
mod error;
pub mod kernel;
pub mod operator;
pub mod plan;
pub mod source;

pub use array::Array;
pub use element::Element;
pub use error::{Error, Result};
pub use granule_macros::{Element, kernel_inline as kernel, operator};

/// What most programs need: `use granule::prelude::*;`.
///
/// The attribute `#[kernel]` is here. The macro `kernel!` has the same name, and one module cannot hold both: it is
/// [`granule::kernel!`](crate::kernel!), by its path or after `use granule::kernel;`, which goes together with this prelude.
pub mod prelude {
    pub use crate::element::{Element, Float, Integer, Number};
    pub use crate::kernel::Kernel;
    pub use crate::operator::Operator;
    pub use granule_macros::{Element, kernel, operator};
}
