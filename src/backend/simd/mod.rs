//! SIMD on one core: the levels, and the choice among them at run time.

mod level;
mod one;
mod view;

pub use level::{Level, VectorLane};
pub use one::OneLane;
pub use view::{Span, View, ViewMut};
