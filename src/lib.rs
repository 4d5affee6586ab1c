//! Write a kernel once, in plain Rust. It runs as WGSL on any GPU that wgpu reaches, as SIMD at the widest level this CPU has,
//! and across all cores.
//!
//! A call such as `engine.reduce(source, operator)` only describes work. For each call the library decides where and how finely
//! to run it, from a model of this machine, and can say why. What is read, the **source**, nests lazily: a `zip` and a `map` in a
//! `reduce` are one pass over memory on every backend.
//!
//! ```
//! use granule::kernel; // the macro `kernel!`; the attribute comes with the prelude
//! use granule::prelude::*;
//!
//! #[kernel]
//! fn saxpy(x: f32, y: f32, #[uniform] a: f32) -> f32 {
//!     a * x + y
//! }
//!
//! fn main() -> granule::Result<()> {
//!     let engine = Engine::new()?; // cores, SIMD level, GPUs; never fails because there is no GPU
//!     let x = vec![1.0_f32; 1 << 16];
//!     let y = engine.array(&x); // may live on the GPU; moves only when it must
//!
//!     let z = engine.map(zip(&x, &y), saxpy::with(2.0)).run()?; // an Array<f32>
//!     let norm = engine.reduce((&z).map(kernel!(|v: f32| v * v)), Sum).run()?.sqrt(); // fused: one pass
//!     let prefix: Vec<u32> = engine.scan(iota(0..1000), Sum).run()?.into_vec()?;
//!     assert_eq!((norm, prefix[999]), (768.0, 499_500));
//!     assert_eq!(saxpy(1.0, 1.0, 2.0), 3.0); // a kernel stays an ordinary function
//!
//!     println!("{}", engine.reduce(&z, Max).explain()?); // every candidate, its predicted time, and why the winner won
//!     let pinned = engine.reduce(&z, Max).on(Backend::Simd).run()?;
//!     assert_eq!(pinned, 3.0);
//!     Ok(())
//! }
//! ```
//!
//! # The modules
//!
//! | module | what is in it |
//! |---|---|
//! | [`prelude`] | what most programs need |
//! | the crate's root | [`Engine`], the way in to every primitive; [`Task`], a described call: run, await, explain, on, into, deadline; [`Array`], data and where its valid copies are; [`Error`] |
//! | [`kernel`](mod@kernel) | kernels, the lanes they run in, and the IR that becomes WGSL. [`#[kernel]`](prelude::kernel) documents the language |
//! | [`source`] | what can be read by index: slices, arrays, `iota`, `zip`, `.map`, `gather`, in any order |
//! | [`grid`] | shapes of one to three axes over a source, stencils, and what stands beyond the edges |
//! | [`random`] | random numbers, the same on every backend: bits, uniform, normal, integers of a range |
//! | [`operator`](mod@operator) | how a reduction or a scan combines two elements: `Sum`, `Max`, tuples of operators, your own |
//! | [`element`] | what may be an array's element, and the bounds of generic kernels |
//! | [`array`](mod@array) | arrays, and data as a kernel's slice |
//! | [`primitives`] | map, reduce, scan, selection, search, by key: their contracts and algorithms |
//! | [`plan`] | where a call runs, as a value: what was considered, and why the winner won |
//! | [`machine`] | what this computer is |
//! | `gpu` | adapters, and which one to use; `wgpu` is re-exported beside it |
//!
//! # What holds everywhere
//!
//! Integers wrap; `x / 0` is `x` and `x % 0` is `0`; a shift counts modulo the width; a float is cut to an integer and brought
//! into range, NaN becomes 0; `min` and `max` return the number if one side is NaN; an index out of range reads the nearest element in
//! range. A reduction folds in an order of its own, not the backend's, so that the same input gives the same bits at every SIMD
//! level and worker count, unless [`unordered`](Task::unordered) frees it. Bad input is an [`Error`], and no input at all is
//! legal: it reduces to the operator's identity.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `gpu` | yes | WGSL compute shaders through wgpu |
//! | `threads` | yes | all cores, through rayon |
//! | `tracing` | no | an event for each decision (debug, target `granule`), and for what went wrong without failing a call (warn) |
//!
//! Without the first two, what is left is SIMD on one core.

extern crate self as granule;

pub mod array;
#[doc(hidden)]
pub mod backend;
pub mod element;
mod engine;
mod error;
pub mod grid;
pub mod kernel;
mod lock;
pub mod machine;
pub mod operator;
pub mod plan;
pub mod primitives;
pub mod random;
pub mod source;
mod task;
mod tune;

/// The GPU's side for those who look closer: adapters, which one to use, and how it computes.
#[cfg(feature = "gpu")]
pub mod gpu {
    pub use crate::backend::gpu::{AdapterKind, AdapterSummary, Gpu, Selection, Verdict};
}

pub use array::{Array, Residency};
pub use backend::simd::SimdLevel;
pub use element::Element;
pub use engine::{Engine, EngineBuilder};
pub use error::{Error, Result};
pub use granule_macros::{Element, kernel_inline as kernel, operator};
pub use task::{Primitive, Task, TaskFuture};
pub use tune::Calibrate;
/// The wgpu that this crate works with, for a device of one's own ([`EngineBuilder::device`]).
#[cfg(feature = "gpu")]
pub use wgpu;

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
    pub use crate::source::{IntoSource, constant, gather, interleave, iota, zip, zip3, zip4, zip5, zip6};
    pub use granule_macros::{Element, kernel, operator};
}

/// The README's examples are compiled and run with the other documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
