//! One lane: plain scalars. Uniform values live here, and it is the reference for every wider level.

use crate::kernel::{FloatLane, IntLane, Lane, Lanes, MaskLane, NumLane};

use super::level::level_common;
use super::{Level, Span, VectorLane, ViewMut};

/// A single lane of plain scalars.
#[derive(Clone, Copy, Debug)]
pub struct OneLane;

impl Lanes for OneLane {
    level_common!();

    type Mask = bool;
    type F32 = f32;
    type F64 = f64;
    type I32 = i32;
    type U32 = u32;
    type I64 = i64;
    type U64 = u64;

    #[inline(always)]
    fn index_u32(self, i: Span) -> u32 {
        i.base as u32
    }
    #[inline(always)]
    fn index_u64(self, i: Span) -> u64 {
        i.base as u64
    }
    #[inline(always)]
    fn f32_bits(self, x: f32) -> u32 {
        x.to_bits()
    }
    #[inline(always)]
    fn f32_from_bits(self, x: u32) -> f32 {
        f32::from_bits(x)
    }
    #[inline(always)]
    fn f64_bits(self, x: f64) -> u64 {
        x.to_bits()
    }
    #[inline(always)]
    fn f64_from_bits(self, x: u64) -> f64 {
        f64::from_bits(x)
    }
    #[inline(always)]
    fn mul_hi(self, a: u32, b: u32) -> u32 {
        a.carrying_mul(b, 0).1
    }
    #[inline(always)]
    fn mask_all(self) -> bool {
        true
    }
    #[inline(always)]
    fn mask_none(self) -> bool {
        false
    }
    #[inline(always)]
    fn any(self, m: bool) -> bool {
        m
    }
}

impl Level for OneLane {
    #[inline(always)]
    fn view<T: crate::element::Element>(self, v: crate::backend::simd::View<'_, T>) -> Self::Slice<'_, T> {
        v
    }
    #[inline(always)]
    fn first(self, n: usize) -> bool {
        n > 0
    }
    #[inline(always)]
    fn bits(self, m: bool) -> u32 {
        m.into()
    }
    #[inline(always)]
    fn fence(self) {}
}

macro_rules! lane {
    ($($t:ty),+) => {$(
        impl Lane<OneLane, $t> for $t {
            #[inline(always)]
            fn splat(_: OneLane, x: $t) -> $t {
                x
            }
            #[inline(always)]
            fn broadcast(_: OneLane, x: $t) -> $t {
                x
            }
            #[inline(always)]
            fn select(self, _: OneLane, m: bool, other: $t) -> $t {
                if m { self } else { other }
            }
            #[inline(always)]
            fn load(_: OneLane, s: super::View<'_, $t>, i: Span) -> $t {
                s.read(i.base)
            }
            #[inline(always)]
            fn gather(l: OneLane, s: super::View<'_, $t>, i: u32) -> $t {
                l.gather_uniform::<$t>(s, i)
            }
            #[inline(always)]
            fn permute(self, _: OneLane, _: u32) -> $t {
                self
            }
            #[inline(always)]
            fn var(self, _: OneLane) -> $t {
                self
            }
            #[inline(always)]
            fn get(self, _: OneLane) -> $t {
                self
            }
            #[inline(always)]
            fn set(&mut self, _: OneLane, value: $t) {
                *self = value;
            }
            #[inline(always)]
            fn set_masked(&mut self, _: OneLane, m: bool, value: $t) {
                if m {
                    *self = value;
                }
            }
        }
        impl VectorLane<OneLane, $t> for $t {
            #[inline(always)]
            fn store(self, _: OneLane, to: ViewMut<'_, $t>, i: Span) {
                to.write(i.base, self);
            }
            #[inline(always)]
            fn slide_down<const N: usize>(self, _: OneLane) -> $t {
                self
            }
            #[inline(always)]
            fn slide_up<const N: usize>(self, _: OneLane) -> $t {
                self
            }
            #[inline(always)]
            fn extract(self, _: OneLane, _: usize) -> $t {
                self
            }
        }
    )+};
}
lane!(bool, f32, f64, i32, u32, i64, u64);

impl MaskLane<OneLane> for bool {
    #[inline(always)]
    fn and(self, _: OneLane, o: bool) -> bool {
        self & o
    }
    #[inline(always)]
    fn or(self, _: OneLane, o: bool) -> bool {
        self | o
    }
    #[inline(always)]
    fn xor(self, _: OneLane, o: bool) -> bool {
        self ^ o
    }
    #[inline(always)]
    fn not(self, _: OneLane) -> bool {
        !self
    }
}

macro_rules! number {
    ($($t:ident { $($body:tt)* })+) => {$(
        impl NumLane<OneLane, $t> for $t {
            $($body)*
            #[inline(always)]
            #[allow(clippy::eq_op)] // true for NaN alone; integers fold it away
            fn min(self, _: OneLane, o: $t) -> $t {
                if o < self || self != self { o } else { self }
            }
            #[inline(always)]
            #[allow(clippy::eq_op)] // true for NaN alone; integers fold it away
            fn max(self, _: OneLane, o: $t) -> $t {
                if o > self || self != self { o } else { self }
            }
            #[inline(always)]
            fn eq(self, _: OneLane, o: $t) -> bool {
                self == o
            }
            #[inline(always)]
            fn lt(self, _: OneLane, o: $t) -> bool {
                self < o
            }
            #[inline(always)]
            fn le(self, _: OneLane, o: $t) -> bool {
                self <= o
            }
            #[inline(always)]
            fn to_f32(self, _: OneLane) -> f32 {
                self as f32
            }
            #[inline(always)]
            fn to_f64(self, _: OneLane) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn to_i32(self, _: OneLane) -> i32 {
                self as i32
            }
            #[inline(always)]
            fn to_u32(self, _: OneLane) -> u32 {
                self as u32
            }
            #[inline(always)]
            fn to_i64(self, _: OneLane) -> i64 {
                self as i64
            }
            #[inline(always)]
            fn to_u64(self, _: OneLane) -> u64 {
                self as u64
            }
        }
    )+};
}
macro_rules! float {
    ($($t:ident),+) => {$(
        number!($t {
            #[inline(always)]
            fn add(self, _: OneLane, o: $t) -> $t {
                self + o
            }
            #[inline(always)]
            fn sub(self, _: OneLane, o: $t) -> $t {
                self - o
            }
            #[inline(always)]
            fn mul(self, _: OneLane, o: $t) -> $t {
                self * o
            }
            #[inline(always)]
            fn div(self, _: OneLane, o: $t) -> $t {
                self / o
            }
            #[inline(always)]
            fn rem(self, _: OneLane, o: $t) -> $t {
                self % o
            }
            #[inline(always)]
            fn neg(self, _: OneLane) -> $t {
                -self
            }
            #[inline(always)]
            fn abs(self, _: OneLane) -> $t {
                $t::abs(self)
            }
        });
        impl FloatLane<OneLane, $t> for $t {
            float!(@one $t: sqrt floor ceil trunc round exp exp2 ln log2 log10 sin cos tan tanh atan);
            float!(@two $t: copysign atan2 powf);
            #[inline(always)]
            fn mul_add(self, _: OneLane, a: $t, b: $t) -> $t {
                $t::mul_add(self, a, b)
            }
            #[inline(always)]
            fn is_nan(self, _: OneLane) -> bool {
                $t::is_nan(self)
            }
        }
    )+};
    (@one $t:ident: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f(self, _: OneLane) -> $t {
            $t::$f(self)
        }
    )+};
    (@two $t:ident: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f(self, _: OneLane, o: $t) -> $t {
            $t::$f(self, o)
        }
    )+};
}
float!(f32, f64);

macro_rules! integer {
    ($($t:ident, |$x:ident| $abs:expr);+) => {$(
        number!($t {
            #[inline(always)]
            fn add(self, _: OneLane, o: $t) -> $t {
                self.wrapping_add(o)
            }
            #[inline(always)]
            fn sub(self, _: OneLane, o: $t) -> $t {
                self.wrapping_sub(o)
            }
            #[inline(always)]
            fn mul(self, _: OneLane, o: $t) -> $t {
                self.wrapping_mul(o)
            }
            #[inline(always)]
            fn div(self, _: OneLane, o: $t) -> $t {
                if o == 0 { self } else { self.wrapping_div(o) }
            }
            #[inline(always)]
            fn rem(self, _: OneLane, o: $t) -> $t {
                if o == 0 { 0 } else { self.wrapping_rem(o) }
            }
            #[inline(always)]
            fn neg(self, _: OneLane) -> $t {
                self.wrapping_neg()
            }
            #[inline(always)]
            fn abs(self, _: OneLane) -> $t {
                let $x = self;
                $abs
            }
        });
        impl IntLane<OneLane, $t> for $t {
            #[inline(always)]
            fn bit_and(self, _: OneLane, o: $t) -> $t {
                self & o
            }
            #[inline(always)]
            fn bit_or(self, _: OneLane, o: $t) -> $t {
                self | o
            }
            #[inline(always)]
            fn bit_xor(self, _: OneLane, o: $t) -> $t {
                self ^ o
            }
            #[inline(always)]
            fn bit_not(self, _: OneLane) -> $t {
                !self
            }
            #[inline(always)]
            fn shl(self, _: OneLane, by: u32) -> $t {
                self.wrapping_shl(by)
            }
            #[inline(always)]
            fn shr(self, _: OneLane, by: u32) -> $t {
                self.wrapping_shr(by)
            }
            #[inline(always)]
            fn count_ones(self, _: OneLane) -> u32 {
                $t::count_ones(self)
            }
            #[inline(always)]
            fn leading_zeros(self, _: OneLane) -> u32 {
                $t::leading_zeros(self)
            }
            #[inline(always)]
            fn trailing_zeros(self, _: OneLane) -> u32 {
                $t::trailing_zeros(self)
            }
            #[inline(always)]
            fn reverse_bits(self, _: OneLane) -> $t {
                $t::reverse_bits(self)
            }
        }
    )+};
}
integer!(i32, |x| x.wrapping_abs(); u32, |x| x; i64, |x| x.wrapping_abs(); u64, |x| x);
