//! Kernels: functions of elements that run in any lanes.

#[doc(hidden)]
pub mod cost;
#[doc(hidden)]
pub mod ir;
mod lanes;
pub mod ops;
#[doc(hidden)]
pub mod trace;
mod varying;
#[doc(hidden)]
pub mod wgsl;

pub use lanes::{FloatLane, In, IntLane, Lane, Lanes, MaskLane, NumLane};
pub use cost::Cost;
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
    const LOOPS: bool = false;

    /// Evaluates the kernel on every lane.
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, X>) -> Varying<L, Self::Out>;

    /// Shows the slices that the kernel reads.
    fn data<V: DataVisitor>(&self, _visitor: &mut V) -> Result<()> {
        Ok(())
    }
}
