//! Write a kernel once, in plain Rust. It runs as WGSL on any GPU that wgpu reaches, as SIMD at the widest level this CPU has,
//! and across all cores.

extern crate self as granule;

pub mod array;
#[doc(hidden)]
pub mod backend;
pub mod element;
mod engine;
mod error;
pub mod kernel;
pub mod machine;
pub mod operator;
pub mod plan;
pub mod primitives;
pub mod source;
mod task;

pub use array::{Array, Residency};
pub use element::Element;
pub use engine::{Engine, EngineBuilder};
pub use error::{Error, Result};
pub use granule_macros::{Element, kernel_inline as kernel, operator};
pub use task::{Primitive, Task, TaskFuture};

/// What most programs need: `use granule::prelude::*;`.
///
/// The attribute `#[kernel]` is here. The macro `kernel!` has the same name, and one module cannot hold both: it is
/// [`granule::kernel!`](crate::kernel!), by its path or after `use granule::kernel;`, which goes together with this prelude.
pub mod prelude {
    pub use crate::array::{Array, Residency};
    pub use crate::element::{Element, Float, Integer, Number};
    pub use crate::engine::Engine;
    pub use crate::error::Error;
    pub use crate::kernel::Kernel;
    pub use crate::operator::{And, ArgMax, ArgMin, BitAnd, BitOr, BitXor, Max, Min, Operator, Or, Product, Sum};
    pub use crate::plan::Backend;
    pub use crate::source::{IntoSource, constant, gather, iota, zip, zip3, zip4, zip5, zip6};
    pub use granule_macros::{Element, kernel, operator};
}

/// The README's examples are compiled and run with the other documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
