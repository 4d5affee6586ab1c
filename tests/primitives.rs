//! The primitives against std's iterators: one table of cases, on every backend, for every type.
#![allow(clippy::needless_range_loop, clippy::manual_is_multiple_of, reason = "kernels are written in the kernel language")]

mod backends;
mod oracle;

#[path = "primitives/map.rs"]
mod map;
#[path = "primitives/operators.rs"]
mod operators;
#[path = "primitives/reduce.rs"]
mod reduce;
#[path = "primitives/scan.rs"]
mod scan;
#[path = "primitives/semantics.rs"]
mod semantics;
#[path = "primitives/sources.rs"]
mod sources;
