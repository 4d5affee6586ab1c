//! Kernels: functions of elements that run in any lanes.

#[doc(hidden)]
pub mod cost;
#[doc(hidden)]
pub mod ir;
mod lanes;
pub mod ops;
pub(crate) mod philox;
#[doc(hidden)]
pub mod trace;
mod varying;
#[doc(hidden)]
pub mod wgsl;

pub use cost::{Cost, Ops};
pub use lanes::{FloatLane, In, IntLane, Lane, Lanes, MaskLane, NumLane, Rare};
pub use trace::Trace;
pub use varying::{ToVarying, Uniform, Varying};

use crate::array::DataVisitor;
use crate::element::Value;
use crate::error::Result;

/// A function from one element to another, evaluated in any lanes. Written with `#[kernel]` or `kernel!`.
///
/// A kernel of several parameters is a kernel of their tuple.
pub trait Kernel<X: Value>: Copy + Send + Sync {
    /// What it returns.
    type Out: Value;
    /// Whether it contains a loop: then its latency is hidden by keeping two vectors in flight.
    ///
    /// The macros count the loops that stand in the kernel's own body. They do not see into the kernels that it calls (the
    /// types of a generic callee are known to rustc alone, after this constant), so one that only calls a kernel with a loop
    /// runs a vector at a time: slower, with the same result. A loop there, or an implementation by hand, says otherwise.
    const LOOPS: bool = false;

    /// Evaluates the kernel on every lane.
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, X>) -> Varying<L, Self::Out>;

    /// Shows the slices that the kernel reads.
    fn data<V: DataVisitor>(&self, _visitor: &mut V) -> Result<()> {
        Ok(())
    }
}
