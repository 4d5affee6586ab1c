//! The device layer: what every GPU executor stands on. It knows nothing of kernels; it is given WGSL, bindings and a number of
//! workgroups.
//!
//! One [`Gpu`] is one device and its queue. From top to bottom, one call on it runs so:
//!
//! 1. [`Gpu::alloc`] and [`Gpu::upload`] take buffers from a pool (`memory.rs`); dropping a [`Buffer`] gives it back.
//! 2. [`Gpu::pipeline`] looks a key up and compiles a [`Module`] the first time (`pipeline.rs`, `shader.rs`).
//! 3. [`Gpu::params`] puts the numbers of one dispatch into a page that the batch uploads once (`recorder.rs`).
//! 4. [`Gpu::dispatch`] records. Nothing runs until the batch is full, is flushed, or the host reads.
//! 5. [`Gpu::read_into`] waits on the calling thread; [`Gpu::read_async`] leaves the waiting to one thread a device (`read.rs`,
//!    `poller.rs`).
//!
//! The queue runs submissions in order, which is what makes reuse of buffers safe: whoever takes a buffer from the pool is
//! behind its last user. Two exceptions are handled here: host writes overtake recorded commands (so a write to a buffer that the
//! batch uses submits the batch first), and a buffer that the host has mapped, or may still map, never returns to the pool.
//!
//! ```
//! use granule::backend::gpu::{Access, Checks, Gpu, Module, PipelineKey, PipelineSpec, Selection};
//!
//! const SAXPY: &str = "
//! struct Params { n: u32, a: f32 }
//! @group(0) @binding(0) var<storage, read> x: array<f32>;
//! @group(0) @binding(1) var<storage, read_write> y: array<f32>;
//! @group(0) @binding(2) var<uniform> params: Params;
//!
//! @compute @workgroup_size(256)
//! fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) t: u32) {
//!     let i = (wid.y * groups.x + wid.x) * 256u + t;
//!     if (i < params.n) {
//!         y[i] = params.a * x[i] + y[i];
//!     }
//! }
//! ";
//!
//! # fn main() -> granule::Result<()> {
//! # if Gpu::discover().is_empty() { return Ok(()) }
//! let gpu = Gpu::open(&Selection::Any)?;
//! let x = gpu.upload(bytemuck::cast_slice(&[1.0_f32; 1000]))?;
//! let y = gpu.upload(bytemuck::cast_slice(&[0.5_f32; 1000]))?;
//! let pipeline = gpu.pipeline(PipelineKey { hash: 0x5a, variant: 0 }, || PipelineSpec {
//!     label: "saxpy",
//!     module: Module::new().add("saxpy", SAXPY),
//!     entry: "main",
//!     bindings: &[(0, Access::Read), (1, Access::ReadWrite), (2, Access::Uniform)],
//!     constants: &[],
//!     checks: Checks::Trusted,
//! })?;
//! for a in [2.0_f32, 3.0] {
//!     let params = gpu.params(&[1000, a.to_bits()])?; // nothing is compiled again
//!     gpu.dispatch(&pipeline, &[x.all(), y.all(), params], 1000_u64.div_ceil(256))?;
//! }
//! let mut out = [0.0_f32; 1000];
//! gpu.read_into(&y, 0, bytemuck::cast_slice_mut(&mut out), None)?; // submits, and waits
//! assert_eq!(out, [5.5; 1000]);
//!
//! let later = gpu.read_async(&y, 0, y.bytes(), None); // submits now, waits when awaited
//! assert_eq!(pollster::block_on(later)?, bytemuck::cast_slice::<f32, u8>(&out));
//! # Ok(())
//! # }
//! ```

mod adapter;
mod array;
mod clock;
mod device;
mod executor;
mod memory;
mod pipeline;
mod poller;
mod probe;
mod read;
mod recorder;
mod recording;
mod shader;
mod started;
mod template;

pub use adapter::{AdapterKind, AdapterSummary, Selection};
pub use array::DeviceArray;
pub(crate) use array::{element_bytes, pack};
pub(crate) use device::Found;
pub use device::Gpu;
pub(crate) use executor::{
    Executor, Extent, Function, Input, Share, Slot, Stage, WINDOW, counts_in_32_bits, leaves, slots, unsupported,
};
pub use memory::{Buffer, Pool, PoolStats, Usage};
pub use pipeline::{Access, Checks, Pipeline, PipelineKey, PipelineSpec};
pub use probe::Verdict;
pub use recorder::{Binding, grid};
pub use recording::Recording;
pub use shader::Module;
pub use started::Started;
pub(crate) use template::{Declared, Holds, Part, Text, part};
