//! Numbers: the bounds of generic kernels, each with its arithmetic in any lanes.
//!
//! A bound has two halves. `Number`, `Integer` and `Float` promise std's operators, so that the plain function compiles; their
//! hidden supertraits promise the same in lanes, which is what the generic body calls.

use super::{Scalar, Value};
use crate::kernel::{FloatLane, IntLane, Lane, Lanes, MaskLane, NumLane};

/// `==` in any lanes: for the numbers and `bool`.
#[doc(hidden)]
pub trait Equal: Value {
    /// `a == b`
    fn equal<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> L::Mask;
}
impl Equal for bool {
    #[inline(always)]
    fn equal<L: Lanes>(l: L, a: L::Mask, b: L::Mask) -> L::Mask {
        a.xor(l, b).not(l)
    }
}

/// The arithmetic of a number type in any lanes: what `a + b` becomes in a kernel that is generic over `T: Number`.
#[doc(hidden)]
#[allow(missing_docs)] // the methods are those of `NumLane`
pub trait NumberLanes: Equal {
    fn add<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn sub<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn mul<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn div<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn rem<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn neg<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L>;
    fn abs<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L>;
    fn min<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn max<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn lt<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> L::Mask;
    fn le<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> L::Mask;
    fn constant<L: Lanes>(l: L, x: Self) -> Self::In<L>;
    fn to_f32<L: Lanes>(l: L, a: Self::In<L>) -> L::F32;
    fn to_f64<L: Lanes>(l: L, a: Self::In<L>) -> L::F64;
    fn to_i32<L: Lanes>(l: L, a: Self::In<L>) -> L::I32;
    fn to_u32<L: Lanes>(l: L, a: Self::In<L>) -> L::U32;
    fn to_i64<L: Lanes>(l: L, a: Self::In<L>) -> L::I64;
    fn to_u64<L: Lanes>(l: L, a: Self::In<L>) -> L::U64;
}

/// A number: `f32`, `f64`, `i32`, `u32`, `i64`, `u64`, and inside kernels `usize`. The bound for kernels that are generic over it.
pub trait Number:
    NumberLanes
    + PartialOrd
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::Rem<Output = Self>
    + std::ops::AddAssign
    + std::ops::SubAssign
    + std::ops::MulAssign
    + std::ops::DivAssign
    + std::ops::RemAssign
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// What nothing is below: negative infinity, or the smallest integer.
    const LOWEST: Self;
    /// What nothing is above: infinity, or the largest integer.
    const HIGHEST: Self;
    /// The identity of addition to the bit: -0.0 for floats.
    const SUM_IDENTITY: Self;
}

macro_rules! number {
    ($t:ty, $s:ty, $lane:ident, $one:expr, $zero:expr, $low:expr, $high:expr, $sum:expr) => {
        impl NumberLanes for $t {
            number!(@two $lane $s: add sub mul div rem min max);
            number!(@one $lane $s: neg abs);
            number!(@test $lane $s: lt le);
            number!(@cast $lane $s: to_f32 F32, to_f64 F64, to_i32 I32, to_u32 U32, to_i64 I64, to_u64 U64);
            #[inline(always)]
            fn constant<L: Lanes>(l: L, x: Self) -> L::$lane {
                <L::$lane as Lane<L, $s>>::splat(l, x as $s)
            }
        }
        impl Equal for $t {
            #[inline(always)]
            fn equal<L: Lanes>(l: L, a: L::$lane, b: L::$lane) -> L::Mask {
                <L::$lane as NumLane<L, $s>>::eq(a, l, b)
            }
        }
        impl Number for $t {
            const ZERO: Self = $zero;
            const ONE: Self = $one;
            const LOWEST: Self = $low;
            const HIGHEST: Self = $high;
            const SUM_IDENTITY: Self = $sum;
        }
    };
    (@two $lane:ident $s:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane, b: L::$lane) -> L::$lane {
            <L::$lane as NumLane<L, $s>>::$f(a, l, b)
        }
    )+};
    (@one $lane:ident $s:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane) -> L::$lane {
            <L::$lane as NumLane<L, $s>>::$f(a, l)
        }
    )+};
    (@test $lane:ident $s:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane, b: L::$lane) -> L::Mask {
            <L::$lane as NumLane<L, $s>>::$f(a, l, b)
        }
    )+};
    (@cast $lane:ident $s:ty: $($f:ident $to:ident),+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane) -> L::$to {
            <L::$lane as NumLane<L, $s>>::$f(a, l)
        }
    )+};
}
number!(f32, f32, F32, 1.0, 0.0, f32::NEG_INFINITY, f32::INFINITY, -0.0);
number!(f64, f64, F64, 1.0, 0.0, f64::NEG_INFINITY, f64::INFINITY, -0.0);
number!(i32, i32, I32, 1, 0, i32::MIN, i32::MAX, 0);
number!(u32, u32, U32, 1, 0, u32::MIN, u32::MAX, 0);
number!(i64, i64, I64, 1, 0, i64::MIN, i64::MAX, 0);
number!(u64, u64, U64, 1, 0, u64::MIN, u64::MAX, 0);
number!(usize, u32, U32, 1, 0, usize::MIN, usize::MAX, 0);

/// The bit operations of an integer type in any lanes.
#[doc(hidden)]
#[allow(missing_docs)] // the methods are those of `IntLane`
pub trait IntegerLanes: NumberLanes {
    fn bit_and<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn bit_or<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn bit_xor<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn bit_not<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L>;
    fn reverse_bits<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L>;
    fn shl<L: Lanes>(l: L, a: Self::In<L>, by: L::U32) -> Self::In<L>;
    fn shr<L: Lanes>(l: L, a: Self::In<L>, by: L::U32) -> Self::In<L>;
    fn count_ones<L: Lanes>(l: L, a: Self::In<L>) -> L::U32;
    fn leading_zeros<L: Lanes>(l: L, a: Self::In<L>) -> L::U32;
    fn trailing_zeros<L: Lanes>(l: L, a: Self::In<L>) -> L::U32;
}

/// An integer: `i32`, `u32`, `i64`, `u64`, and inside kernels `usize`. The bound for kernels that are generic over it.
pub trait Integer:
    Number
    + IntegerLanes
    + Eq
    + Ord
    + std::ops::BitAnd<Output = Self>
    + std::ops::BitOr<Output = Self>
    + std::ops::BitXor<Output = Self>
    + std::ops::Not<Output = Self>
    + std::ops::Shl<u32, Output = Self>
    + std::ops::Shr<u32, Output = Self>
{
    /// All bits set.
    const ALL_ONES: Self;
}

macro_rules! integer {
    ($t:ty, $s:ty, $lane:ident) => {
        impl IntegerLanes for $t {
            integer!(@two $lane $s: bit_and bit_or bit_xor);
            integer!(@one $lane $s: bit_not reverse_bits);
            integer!(@shift $lane $s: shl shr);
            integer!(@count $lane $s: count_ones leading_zeros trailing_zeros);
        }
        impl Integer for $t {
            const ALL_ONES: Self = !0;
        }
    };
    (@two $lane:ident $s:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane, b: L::$lane) -> L::$lane {
            <L::$lane as IntLane<L, $s>>::$f(a, l, b)
        }
    )+};
    (@one $lane:ident $s:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane) -> L::$lane {
            <L::$lane as IntLane<L, $s>>::$f(a, l)
        }
    )+};
    (@shift $lane:ident $s:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane, by: L::U32) -> L::$lane {
            <L::$lane as IntLane<L, $s>>::$f(a, l, by)
        }
    )+};
    (@count $lane:ident $s:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane) -> L::U32 {
            <L::$lane as IntLane<L, $s>>::$f(a, l)
        }
    )+};
}
integer!(i32, i32, I32);
integer!(u32, u32, U32);
integer!(i64, i64, I64);
integer!(u64, u64, U64);
integer!(usize, u32, U32);

macro_rules! float {
    (one: $($one:ident)+; two: $($two:ident)+) => {
        /// The functions of a float type in any lanes.
        #[doc(hidden)]
        #[allow(missing_docs)] // the methods are those of `FloatLane`
        pub trait FloatLanes: NumberLanes {
            $(fn $one<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L>;)+
            $(fn $two<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;)+
            fn mul_add<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>, c: Self::In<L>) -> Self::In<L>;
            fn is_nan<L: Lanes>(l: L, a: Self::In<L>) -> L::Mask;
        }

        /// A float: `f32` or `f64`. The bound for kernels that are generic over it; the methods are std's.
        #[allow(missing_docs)] // the methods are those of std
        pub trait Float: Number + FloatLanes + Scalar + std::ops::Neg<Output = Self> {
            $(fn $one(self) -> Self;)+
            $(fn $two(self, other: Self) -> Self;)+
            fn mul_add(self, a: Self, b: Self) -> Self;
            fn abs(self) -> Self;
            fn min(self, other: Self) -> Self;
            fn max(self, other: Self) -> Self;
        }
        float!(@impl f32 F32 ($($one)+) ($($two)+));
        float!(@impl f64 F64 ($($one)+) ($($two)+));
    };
    (@impl $t:ident $lane:ident ($($one:ident)+) ($($two:ident)+)) => {
        impl FloatLanes for $t {
            $(
                #[inline(always)]
                fn $one<L: Lanes>(l: L, a: L::$lane) -> L::$lane {
                    <L::$lane as FloatLane<L, $t>>::$one(a, l)
                }
            )+
            $(
                #[inline(always)]
                fn $two<L: Lanes>(l: L, a: L::$lane, b: L::$lane) -> L::$lane {
                    <L::$lane as FloatLane<L, $t>>::$two(a, l, b)
                }
            )+
            #[inline(always)]
            fn mul_add<L: Lanes>(l: L, a: L::$lane, b: L::$lane, c: L::$lane) -> L::$lane {
                <L::$lane as FloatLane<L, $t>>::mul_add(a, l, b, c)
            }
            #[inline(always)]
            fn is_nan<L: Lanes>(l: L, a: L::$lane) -> L::Mask {
                <L::$lane as FloatLane<L, $t>>::is_nan(a, l)
            }
        }
        impl Float for $t {
            $(
                #[inline(always)]
                fn $one(self) -> Self {
                    $t::$one(self)
                }
            )+
            $(
                #[inline(always)]
                fn $two(self, other: Self) -> Self {
                    $t::$two(self, other)
                }
            )+
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                $t::mul_add(self, a, b)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                $t::min(self, other)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                $t::max(self, other)
            }
        }
    };
}
float!(one: sqrt floor ceil trunc round exp exp2 ln log2 log10 sin cos tan tanh atan; two: atan2 powf copysign);
