//! The functions that std spells as methods.

use crate::element::{Complex, Element, Float, FloatLanes, Integer, IntegerLanes, Number, Vec3, Vector};
use crate::kernel::{Lanes, Varying};

use super::*;

/// `a.mul_add(b, c)`
#[inline(always)]
pub fn mul_add<L: Lanes, T: Float>(l: L, a: Varying<L, T>, b: Varying<L, T>, c: Varying<L, T>) -> Varying<L, T> {
    Varying(<T as FloatLanes>::mul_add(l, a.0, b.0, c.0))
}
/// `a.is_nan()`
#[inline(always)]
pub fn is_nan<L: Lanes, T: Float>(l: L, a: Varying<L, T>) -> Varying<L, bool> {
    Varying(<T as FloatLanes>::is_nan(l, a.0))
}
/// `a.clamp(low, high)`
#[inline(always)]
pub fn clamp<L: Lanes, T: Number>(l: L, a: Varying<L, T>, low: Varying<L, T>, high: Varying<L, T>) -> Varying<L, T> {
    let a = select(l, lt(l, a, low), low, a);
    select(l, gt(l, a, high), high, a)
}
/// `a.fract()`
#[inline(always)]
pub fn fract<L: Lanes, T: Float>(l: L, a: Varying<L, T>) -> Varying<L, T> {
    sub(l, a, trunc(l, a))
}
/// `a.recip()`
#[inline(always)]
pub fn recip<L: Lanes, T: Float>(l: L, a: Varying<L, T>) -> Varying<L, T> {
    div(l, lit(l, T::ONE), a)
}
/// `a.signum()`: 1 or -1 with the sign of `a` for floats, NaN for NaN.
#[inline(always)]
pub fn signum<L: Lanes, T: Float>(l: L, a: Varying<L, T>) -> Varying<L, T> {
    select(l, is_nan(l, a), a, copysign(l, lit(l, T::ONE), a))
}
/// `a.is_finite()`
#[inline(always)]
pub fn is_finite<L: Lanes, T: Float>(l: L, a: Varying<L, T>) -> Varying<L, bool> {
    lt(l, abs(l, a), lit(l, T::HIGHEST))
}
/// `a.is_infinite()`
#[inline(always)]
pub fn is_infinite<L: Lanes, T: Float>(l: L, a: Varying<L, T>) -> Varying<L, bool> {
    eq(l, abs(l, a), lit(l, T::HIGHEST))
}
/// `a.is_multiple_of(b)`: of zero, only zero is a multiple.
#[inline(always)]
pub fn is_multiple_of<L: Lanes, T: Integer>(l: L, a: Varying<L, T>, b: Varying<L, T>) -> Varying<L, bool> {
    let zero = lit(l, T::ZERO);
    select(l, eq(l, b, zero), eq(l, a, zero), eq(l, rem(l, a, b), zero))
}
/// `a.sin_cos()`
#[inline(always)]
pub fn sin_cos<L: Lanes, T: Float>(l: L, a: Varying<L, T>) -> Varying<L, (T, T)> {
    tuple2(sin(l, a), cos(l, a))
}
/// `a.dot(b)`
#[inline(always)]
pub fn dot<L: Lanes, T: Vector>(l: L, a: Varying<L, T>, b: Varying<L, T>) -> Varying<L, f32> {
    T::inner(l, a, b)
}
/// `a.length_squared()`
#[inline(always)]
pub fn length_squared<L: Lanes, T: Vector>(l: L, a: Varying<L, T>) -> Varying<L, f32> {
    T::inner(l, a, a)
}
/// `a.length()`
#[inline(always)]
pub fn length<L: Lanes, T: Vector>(l: L, a: Varying<L, T>) -> Varying<L, f32> {
    sqrt(l, T::inner(l, a, a))
}
/// `a.normalize()`
#[inline(always)]
pub fn normalize<L: Lanes, T: Vector>(l: L, a: Varying<L, T>) -> Varying<L, T> {
    T::shrunk(l, a, length(l, a))
}
/// `a.cross(b)`
#[inline(always)]
pub fn cross<L: Lanes>(l: L, a: Varying<L, Vec3>, b: Varying<L, Vec3>) -> Varying<L, Vec3> {
    Vec3::crossed(l, a, b)
}
/// `z.conj()`
#[inline(always)]
pub fn conj<L: Lanes, T: Float + Element>(l: L, z: Varying<L, Complex<T>>) -> Varying<L, Complex<T>> {
    Complex::conjugate(l, z)
}
/// `z.norm_sqr()`
#[inline(always)]
pub fn norm_sqr<L: Lanes, T: Float + Element>(l: L, z: Varying<L, Complex<T>>) -> Varying<L, T> {
    Complex::square(l, z)
}
/// `z.norm()`
#[inline(always)]
pub fn norm<L: Lanes, T: Float + Element>(l: L, z: Varying<L, Complex<T>>) -> Varying<L, T> {
    sqrt(l, Complex::square(l, z))
}
/// `z.arg()`
#[inline(always)]
pub fn arg<L: Lanes, T: Float + Element>(l: L, z: Varying<L, Complex<T>>) -> Varying<L, T> {
    atan2(l, z.0.im, z.0.re)
}
/// The 1 of a value's type: `a.powi(0)`.
#[inline(always)]
pub fn one_like<L: Lanes, T: Number>(l: L, _: Varying<L, T>) -> Varying<L, T> {
    lit(l, T::ONE)
}
/// `a.pow(n)` for an `n` that is not a literal: by squaring, lane by lane. Integers wrap.
#[inline(always)]
pub fn pow<L: Lanes, T: Number>(l: L, a: Varying<L, T>, n: Varying<L, u32>) -> Varying<L, T> {
    // A lane whose exponent is used up multiplies no more; its base is squared on, which nobody sees. So no store is masked.
    let mut result = var(l, lit(l, T::ONE));
    let mut base = var(l, a);
    let mut left = var(l, n);
    let mut m = l.mask_all();
    let mut state = l.loop_begin();
    while l.loop_next(&mut state, m) {
        let n = get(l, left);
        m = l.loop_while(m, ne(l, n, lit(l, 0)).0);
        let odd = ne(l, and(l, n, lit(l, 1)), lit(l, 0));
        let (r, b) = (get(l, result), get(l, base));
        set(l, &mut result, select(l, odd, mul(l, r, b), r));
        set(l, &mut base, mul(l, b, b));
        set(l, &mut left, shr(l, n, lit(l, 1_u32)));
    }
    get(l, result)
}
/// `a.powi(n)` for an `n` that is not a literal: by squaring, lane by lane, and the reciprocal for negative `n`.
#[inline(always)]
pub fn powi<L: Lanes, T: Float>(l: L, a: Varying<L, T>, n: Varying<L, i32>) -> Varying<L, T> {
    let result = pow(l, a, cast(l, abs(l, n)));
    select(l, lt(l, n, lit(l, 0)), recip(l, result), result)
}
/// `a.rotate_left(n)`
#[inline(always)]
pub fn rotate_left<L: Lanes, T: Integer>(l: L, a: Varying<L, T>, n: Varying<L, u32>) -> Varying<L, T> {
    // Amounts are taken modulo the width, so a shift by -n is one by width - n. A right shift of a signed number brings in its
    // sign: only the low n bits of it are kept.
    let one = lit(l, T::ONE);
    let low = sub(l, shl(l, one, n), one);
    let carried = <T as IntegerLanes>::bit_and(l, shr(l, a, neg(l, n)).0, low.0);
    Varying(<T as IntegerLanes>::bit_or(l, shl(l, a, n).0, carried))
}
/// `a.rotate_right(n)`
#[inline(always)]
pub fn rotate_right<L: Lanes, T: Integer>(l: L, a: Varying<L, T>, n: Varying<L, u32>) -> Varying<L, T> {
    rotate_left(l, a, neg(l, n))
}
/// `a.carrying_mul(b, 0)` of `u32`: the lower and the upper half of `a * b`.
#[inline(always)]
pub fn widening_mul<L: Lanes>(l: L, a: Varying<L, u32>, b: Varying<L, u32>) -> Varying<L, (u32, u32)> {
    tuple2(mul(l, a, b), Varying(l.mul_hi(a.0, b.0)))
}
/// `a.carrying_mul(b, carry)` of `u32`: the lower and the upper half of `a * b + carry`.
#[inline(always)]
pub fn carrying_mul<L: Lanes>(l: L, a: Varying<L, u32>, b: Varying<L, u32>, carry: Varying<L, u32>) -> Varying<L, (u32, u32)> {
    let low = add(l, mul(l, a, b), carry);
    let carried = select(l, lt(l, low, carry), lit(l, 1), lit(l, 0));
    tuple2(low, add(l, Varying(l.mul_hi(a.0, b.0)), carried))
}
/// `a.to_bits()` of an `f32`.
#[inline(always)]
pub fn to_bits<L: Lanes, T: Bits>(l: L, a: Varying<L, T>) -> Varying<L, T::Bits> {
    T::to_bits(l, a)
}
/// `f32::from_bits(a)`
#[inline(always)]
pub fn from_bits<T: Bits, L: Lanes>(l: L, a: Varying<L, T::Bits>) -> Varying<L, T> {
    <T as Bits>::from_bits(l, a)
}

/// A float with its bits.
pub trait Bits: Float {
    /// The unsigned integer of the same width.
    type Bits: Integer;
    /// The bits.
    fn to_bits<L: Lanes>(l: L, a: Varying<L, Self>) -> Varying<L, Self::Bits>;
    /// The float with these bits.
    fn from_bits<L: Lanes>(l: L, a: Varying<L, Self::Bits>) -> Varying<L, Self>;
}
impl Bits for f32 {
    type Bits = u32;
    #[inline(always)]
    fn to_bits<L: Lanes>(l: L, a: Varying<L, f32>) -> Varying<L, u32> {
        Varying(l.f32_bits(a.0))
    }
    #[inline(always)]
    fn from_bits<L: Lanes>(l: L, a: Varying<L, u32>) -> Varying<L, f32> {
        Varying(l.f32_from_bits(a.0))
    }
}
impl Bits for f64 {
    type Bits = u64;
    #[inline(always)]
    fn to_bits<L: Lanes>(l: L, a: Varying<L, f64>) -> Varying<L, u64> {
        Varying(l.f64_bits(a.0))
    }
    #[inline(always)]
    fn from_bits<L: Lanes>(l: L, a: Varying<L, u64>) -> Varying<L, f64> {
        Varying(l.f64_from_bits(a.0))
    }
}
