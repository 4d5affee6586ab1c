//! SIMD on one core: the levels, and the choice among them at run time.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod level;
mod math;
mod one;
mod pair;
mod view;

#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use level::{Level, VectorLane};
pub use one::OneLane;
pub use pair::Pair;
pub use view::{Span, View, ViewMut};
