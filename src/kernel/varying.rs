//! Values in a kernel: `Varying` differs from lane to lane, `Uniform` is the same in all.

use crate::element::Value;
use crate::kernel::Lanes;
use crate::kernel::ops;

/// A value of type `T` in each of the lanes `L`. It carries `T`, so that the compiler infers kernel bodies as it does plain Rust.
#[repr(transparent)]
pub struct Varying<L: Lanes, T: Value>(pub T::In<L>);

impl<L: Lanes, T: Value> Clone for Varying<L, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<L: Lanes, T: Value> Copy for Varying<L, T> {}

/// A value of type `T` that is equal in all the lanes of `L`.
#[repr(transparent)]
pub struct Uniform<L: Lanes, T: Value>(pub Varying<L::Uniform, T>);

impl<L: Lanes, T: Value> Clone for Uniform<L, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<L: Lanes, T: Value> Copy for Uniform<L, T> {}

/// What may be passed to a kernel's parameter: a varying value, or a uniform one that is then broadcast.
pub trait ToVarying<L: Lanes, T: Value>: Copy {
    /// The value in every lane.
    fn to_varying(self, l: L) -> Varying<L, T>;
}

impl<L: Lanes, T: Value> ToVarying<L, T> for Varying<L, T> {
    #[inline(always)]
    fn to_varying(self, _: L) -> Varying<L, T> {
        self
    }
}

impl<L: Lanes, T: Value> ToVarying<L, T> for Uniform<L, T> {
    #[inline(always)]
    fn to_varying(self, l: L) -> Varying<L, T> {
        ops::broadcast(l, self)
    }
}
