//! `as`: from every number type and `bool` to every number type, through the conversions of `NumLane`.

use super::{Number, NumberLanes, Value};
use crate::kernel::{Lanes, Varying};

/// `as` between number types, with Rust's meaning on every backend.
pub trait Cast<To: Value>: Value {
    /// Converts.
    fn cast<L: Lanes>(l: L, x: Self::In<L>) -> To::In<L>;
}

macro_rules! cast {
    ($($from:ty),+) => {$(
        cast!(@to $from: f32 to_f32, f64 to_f64, i32 to_i32, u32 to_u32, i64 to_i64, u64 to_u64, usize to_u32);
    )+};
    (@to $from:ty: $($to:ident $f:ident),+) => {$(
        impl Cast<$to> for $from {
            #[inline(always)]
            fn cast<L: Lanes>(l: L, x: Self::In<L>) -> <$to as Value>::In<L> {
                <$from as NumberLanes>::$f(l, x)
            }
        }
    )+};
}
cast!(f32, f64, i32, u32, i64, u64, usize);

macro_rules! cast_bool {
    ($($to:ty),+) => {$(
        impl Cast<$to> for bool {
            #[inline(always)]
            fn cast<L: Lanes>(l: L, x: L::Mask) -> <$to as Value>::In<L> {
                crate::kernel::ops::select(
                    l,
                    Varying(x),
                    Varying::<L, $to>(<$to as NumberLanes>::constant(l, <$to as Number>::ONE)),
                    Varying(<$to as NumberLanes>::constant(l, <$to as Number>::ZERO)),
                )
                .0
            }
        }
    )+};
}
cast_bool!(i32, u32, i64, u64, usize);
