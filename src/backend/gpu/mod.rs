//! The device layer: what every GPU executor stands on. It knows nothing of kernels; it is given WGSL, bindings and a number of
//! workgroups.
//!
//! One [`Gpu`] is one device and its queue. From top to bottom, one call on it runs so:
//!
//! 1. [`Gpu::alloc`] and [`Gpu::upload`] take buffers from a pool (`memory.rs`); dropping a [`Buffer`] gives it back.
//! 2. [`Gpu::pipeline`] looks a key up and compiles a [`Module`] the first time (`pipeline.rs`, `shader.rs`).
//! 3. [`Gpu::params`] puts the numbers of one dispatch into a page that the batch uploads once (`recorder.rs`).
//! 4. [`Gpu::dispatch`] records. Nothing runs until the batch is full, is flushed, or the host reads.
//! 5. [`Gpu::read_into`] waits on the calling thread; [`Gpu::read_async`] leaves the waiting to one thread a device (`poller.rs`).
//!
//! The queue runs submissions in order, which is what makes reuse of buffers safe: whoever takes a buffer from the pool is
//! behind its last user. Two exceptions are handled here: host writes overtake recorded commands (so a write to a buffer that the
//! batch uses submits the batch first), and a buffer that the host has mapped, or may still map, never returns to the pool.

mod array;
mod device;
mod executor;
mod memory;
mod pipeline;
mod poller;
mod probe;
mod recorder;
mod shader;
mod started;

pub use array::DeviceArray;
pub(crate) use array::{element_bytes, pack, unpack_one};
pub use device::{AdapterKind, AdapterSummary, Gpu, Selection};
pub use memory::{Buffer, Pool, PoolStats, Usage};
pub use pipeline::{Access, Checks, Pipeline, PipelineKey, PipelineSpec};
pub use probe::Verdict;
pub use recorder::{Binding, grid};
pub use shader::Module;
pub use started::Started;
pub(crate) use executor::{Executor, Function, Input, Part, Stage, leaves, part};
