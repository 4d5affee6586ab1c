//! Circular functions and their inverses.
//!
//! Sine and cosine share one polynomial on [-pi/2, pi/2]: `x = n pi + r`, and the parity of n is the sign. Arguments beyond the
//! reach of the reduction go through std, lane by lane, behind one test.

use super::formula::{V, patch};
use super::real::{COS, Real};
use crate::backend::simd::Level;
use crate::element::Number;

/// How the two types take n pi away.
pub(super) trait Circular: Real {
    /// The largest argument of the main path.
    const REACH: Self;
    /// `x - n pi`, and with `HALF` `x - n pi / 2`. |n| < 2^20.
    fn less_pi<L: Level, const HALF: bool>(x: V<L, Self>, n: V<L, Self>) -> V<L, Self>;
}

#[allow(clippy::excessive_precision)] // the digits as they were computed; the compiler rounds them
impl Circular for f32 {
    const REACH: f32 = 200_000.0;
    #[inline(always)]
    fn less_pi<L: Level, const HALF: bool>(x: V<L, f32>, n: V<L, f32>) -> V<L, f32> {
        if L::FMA {
            // 24 bits a part: fused, the first step is exact. All are positive, so that nothing is added to -0.
            let c = if HALF { 0.5 } else { 1.0 };
            x.minus(n, 3.1415925025939941406 * c).minus(n, 1.5099578831723192707e-7 * c).minus(n, 1.0780605716316238106e-14 * c)
        } else {
            f64::less_pi::<L, HALF>(x.cast(), n.cast()).cast()
        }
    }
}

#[allow(clippy::excessive_precision)] // as above
impl Circular for f64 {
    const REACH: f64 = 2e6;
    #[inline(always)]
    fn less_pi<L: Level, const HALF: bool>(x: V<L, f64>, n: V<L, f64>) -> V<L, f64> {
        // 33 bits a part: its product with n is exact, fused or not.
        let c = if HALF { 0.5 } else { 1.0 };
        let x = x.minus(n, 3.1415926534682512283 * c).minus(n, 1.2154201012607931953e-10 * c);
        x.minus(n, 4.0445324974223329116e-21 * c).minus(n, 1.695685532073779914e-31 * c)
    }
}

/// sin(r) for |r| <= pi / 2. Adding zero makes the factor of r positive at r = -0, which then stays -0.
#[inline(always)]
fn sin_reduced<L: Level, T: Real>(r: V<L, T>) -> V<L, T> {
    let s = r * r;
    r.fma(s.fma(T::sin_polynomial(s), V::k(r.0, <T as Number>::ZERO)), r)
}

#[inline(always)]
pub(super) fn sin<L: Level, T: Circular>(x: V<L, T>, std: fn(T, T) -> T) -> V<L, T> {
    let t = x.fma_k(T::FRAC_1_PI, T::MAGIC);
    let r = T::less_pi::<L, false>(x, t - T::MAGIC);
    let y = sin_reduced(r.bits().xor(t.bits().shl(T::TOP)).float::<T>());
    patch(x.abs().above(T::REACH), x, x, y, std)
}

/// x = (n + 1/2) pi + r: the cosine is -sin(r) for even n, sin(r) for odd.
#[inline(always)]
pub(super) fn cos<L: Level, T: Circular>(x: V<L, T>, std: fn(T, T) -> T) -> V<L, T> {
    let t = x.fma_k(T::FRAC_1_PI, -T::HALF) + T::MAGIC;
    let r = T::less_pi::<L, false>(x, (t - T::MAGIC) + T::HALF);
    let y = sin_reduced(r.bits().xor(t.bits().not().shl(T::TOP)).float::<T>());
    patch(x.abs().above(T::REACH), x, x, y, std)
}

/// x = n pi / 2 + r: the quotient of sine and cosine of r, for odd n of cosine and -sine.
#[inline(always)]
pub(super) fn tan_64<L: Level>(x: V<L, f64>) -> V<L, f64> {
    let t = x.fma_k(2.0 * f64::FRAC_1_PI, f64::MAGIC);
    let r = f64::less_pi::<L, true>(x, t - f64::MAGIC);
    let s = r * r;
    let sine = sin_reduced(r);
    let cosine = s.polynomial(COS).fma(s * s, s.fma_k(-0.5, 1.0));
    let even = t.bits().and(1).is(0);
    even.pick(sine, -cosine) / even.pick(cosine, sine)
}

/// The angle of (x, y) for `low <= high`, both magnitudes: atan(low / high), or what it lacks from pi / 2 if they were swapped.
#[inline(always)]
fn octant<L: Level, T: Real>(a: V<L, T>, swapped: V<L, bool>) -> V<L, T> {
    let s = a * a;
    let p = a.fma(s * T::atan_polynomial(s), a);
    swapped.pick((V::k(a.0, T::PI[0] * T::HALF) - p) + T::PI[1] * T::HALF, p)
}

#[inline(always)]
pub(super) fn atan<L: Level, T: Real>(x: V<L, T>) -> V<L, T> {
    let a = x.abs();
    let swapped = a.above(T::ONE);
    octant(swapped.pick(V::k(x.0, T::ONE) / a, a), swapped).copysign(x)
}

#[inline(always)]
pub(super) fn atan2<L: Level, T: Real>(y: V<L, T>, x: V<L, T>) -> V<L, T> {
    let l = x.0;
    let (ax, ay) = (x.abs(), y.abs());
    let swapped = ax.lt(ay);
    let (low, high) = (swapped.pick(ax, ay), swapped.pick(ay, ax));
    // 0 / 0 is the axis, infinity / infinity the diagonal.
    let a = high.is(<T as Number>::ZERO).pick(V::k(l, <T as Number>::ZERO), low / high);
    let a = low.is(T::INFINITY).pick(V::k(l, T::ONE), a);
    let p = octant(a, swapped);
    let left = V::k(l, T::ONE).copysign(x).below(<T as Number>::ZERO);
    let p = left.pick((V::k(l, T::PI[0]) - p) + T::PI[1], p).copysign(y);
    x.is_nan().or(y.is_nan()).pick(x + y, p)
}
