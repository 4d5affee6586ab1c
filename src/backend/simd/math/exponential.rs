//! Exponentials, logarithms and powers.
//!
//! `x = n ln 2 + r` with |r| <= ln(2) / 2, a polynomial for `e^r`, and `n` added to the exponent; logarithms the other way round.

use super::formula::{V, patch};
use super::real::{LN_32, LN_64, Real};
use crate::backend::simd::Level;
use crate::element::Number;

/// x = n ln 2 + r: `n` in the low bits of `MAGIC + n`, and `r`.
#[inline(always)]
fn reduce<L: Level, T: Real>(x: V<L, T>) -> (V<L, T>, V<L, T>) {
    let t = x.fma_k(T::LOG2E, T::MAGIC);
    let n = t - T::MAGIC;
    (t, x.minus(n, T::LN2[0]).minus(n, T::LN2[1]))
}

/// `e^r 2^n`, where that is a normal number: `n` is added to the exponent.
#[inline(always)]
fn raise<L: Level, T: Real>(r: V<L, T>, t: V<L, T>) -> V<L, T> {
    ((T::exp_polynomial(r).fma(r * r, r) + T::ONE).bits() + t.bits().shl(T::FRACTION)).float()
}

/// `e^r 2^n`, where that overflows or underflows. The power is applied in two halves: each is a normal number, and what underflows
/// is rounded once.
#[inline(always)]
fn raise_far<L: Level, T: Real>(r: V<L, T>, t: V<L, T>) -> V<L, T> {
    let p = T::exp_polynomial(r).fma(r * r, r) + T::ONE;
    let n = t.bits() - T::MAGIC_LESS_BIASES; // n + 2 bias, which is positive
    let half = n.shr(1);
    p * half.shl(T::FRACTION).float() * (n - half).shl(T::FRACTION).float()
}

#[inline(always)]
pub(super) fn exp<L: Level, T: Real>(x: V<L, T>) -> V<L, T> {
    if x.abs().upto(T::EXP_NEAR).no().any() {
        let (t, r) = reduce(x.within(T::EXP_RANGE[0], T::EXP_RANGE[1]));
        return raise_far(r, t);
    }
    let (t, r) = reduce(x);
    raise(r, t)
}

/// x = n + f, and 2^f = e^(f ln 2).
#[inline(always)]
fn reduce_2<L: Level, T: Real>(x: V<L, T>) -> (V<L, T>, V<L, T>) {
    let t = x + T::MAGIC;
    let f = x - (t - T::MAGIC);
    (t, f.fma(V::k(x.0, T::LN2[0]), f * T::LN2[1]))
}

#[inline(always)]
pub(super) fn exp2<L: Level, T: Real>(x: V<L, T>) -> V<L, T> {
    if x.abs().upto(T::EXP2_NEAR).no().any() {
        let (t, r) = reduce_2(x.within(T::EXP2_RANGE[0], T::EXP2_RANGE[1]));
        return raise_far(r, t);
    }
    let (t, r) = reduce_2(x);
    raise(r, t)
}

/// A polynomial near zero, 1 - 2 / (e^2|x| + 1) from 5/8 on, where the difference loses nothing.
#[inline(always)]
pub(super) fn tanh<L: Level, T: Real>(x: V<L, T>) -> V<L, T> {
    let a = x.abs();
    let s = a * a;
    let near = a.fma(s * T::tanh_polynomial(s), a);
    let (t, r) = reduce(a.above(T::TANH_RANGE).pick(V::k(x.0, T::TANH_RANGE), a) * T::TWO);
    let far = V::k(x.0, T::ONE) - V::k(x.0, T::TWO) / (raise(r, t) + T::ONE);
    a.above(T::TANH_NEAR).pick(far, near).copysign(x)
}

/// `x = 2^e (1 + f)` with 1 + f from sqrt(1/2) to sqrt(2), for positive finite x: `e` and `f`.
#[inline(always)]
fn split<L: Level, T: Real>(x: V<L, T>) -> (V<L, T>, V<L, T>) {
    let small = x.below(T::NORMAL);
    let scaled = small.pick(x * T::SHIFT[0], x);
    let u = scaled.bits() + (T::ONE_BITS - T::ROOT_HALF_BITS);
    // The biased exponent under the leading one of 2^FRACTION is an exact float.
    let e = u.shr(T::FRACTION).or(T::SHIFT_BITS).float::<T>() - small.pick(V::k(x.0, T::SHIFT[2]), V::k(x.0, T::SHIFT[1]));
    let m = (u.and(T::FRACTION_MASK) + T::ROOT_HALF_BITS).float::<T>();
    (e, m - T::ONE)
}

/// What is not positive and finite: infinity and NaN are their own logarithms, zero has negative infinity, negative numbers NaN.
#[inline(always)]
fn log_special<L: Level, T: Real>(x: V<L, T>, y: V<L, T>) -> V<L, T> {
    let y = x.below(T::INFINITY).pick(y, x);
    let y = x.below(<T as Number>::ZERO).pick(V::k(x.0, T::NAN), y);
    x.is(<T as Number>::ZERO).pick(V::k(x.0, -T::INFINITY), y)
}

/// The base of a logarithm: log_b(e) and log_b(2), each as a part of few bits and the rest.
pub(super) struct Base<T> {
    e: [T; 2],
    two: [T; 2],
}

#[allow(clippy::excessive_precision, clippy::approx_constant)] // the digits as they were computed; the compiler rounds them
impl Base<f32> {
    pub(super) const E: Self = Base { e: [1.0, 0.0], two: f32::LN2 };
    pub(super) const TWO: Self = Base { e: [1.4426950216293334961, 1.9259629911266174681e-8], two: [1.0, 0.0] };
    pub(super) const TEN: Self =
        Base { e: [0.43429449200630187988, -1.0103050052231683581e-8], two: [0.301025390625, 4.6050389811952137389e-6] };

    /// The polynomial of ln(1 + f), in this base.
    const fn scaled(&self) -> [f32; 9] {
        let mut c = [0.0; 9];
        let mut i = 0;
        while i < 9 {
            c[i] = (LN_32[i] * (self.e[0] as f64 + self.e[1] as f64)) as f32;
            i += 1;
        }
        c
    }
}

#[allow(clippy::excessive_precision, clippy::approx_constant)] // as above
impl Base<f64> {
    pub(super) const TWO: Self = Base { e: [1.4426950402557849884, 6.331784189566043685e-10], two: [1.0, 0.0] };
    pub(super) const TEN: Self =
        Base { e: [0.43429448176175355911, 1.4149826853858009079e-10], two: [0.30102999566361177131, 3.6942390771589305366e-13] };
}

/// A logarithm of `f32`: f log_b(e) + f^2 P(f) + e log_b(2), small terms first.
#[inline(always)]
pub(super) fn log_32<L: Level>(x: V<L, f32>, base: Base<f32>) -> V<L, f32> {
    let (e, f) = split(x);
    let mut small = f.polynomial(base.scaled()) * (f * f);
    if base.e[1] != 0.0 {
        small = f.fma(V::k(x.0, base.e[1]), small);
    }
    if base.two[1] != 0.0 {
        small = e.fma(V::k(x.0, base.two[1]), small);
    }
    log_special(x, e.fma(V::k(x.0, base.two[0]), f.fma(V::k(x.0, base.e[0]), small)))
}

/// s (h + R) with s = f / (2 + f), h = f^2 / 2: ln(1 + f) = f - (h - this) (as Ng wrote it for fdlibm, 1993). Also gives h.
#[inline(always)]
fn ln_parts<L: Level>(f: V<L, f64>) -> (V<L, f64>, V<L, f64>) {
    let s = f / (f + 2.0);
    let z = s * s;
    let h = f * f * 0.5;
    (s * z.polynomial(LN_64).fma(z, h), h)
}

#[inline(always)]
pub(super) fn ln_64<L: Level>(x: V<L, f64>) -> V<L, f64> {
    let (e, f) = split(x);
    let (rest, h) = ln_parts(f);
    let small = e.fma(V::k(x.0, f64::LN2[1]), rest) - h;
    log_special(x, e.fma(V::k(x.0, f64::LN2[0]), f + small))
}

/// A logarithm of `f64` to another base: ln(1 + f) as a sum of a part of few bits and the rest, times log_b(e) likewise.
#[inline(always)]
pub(super) fn log_64<L: Level>(x: V<L, f64>, base: Base<f64>) -> V<L, f64> {
    let (e, f) = split(x);
    let (rest, h) = ln_parts(f);
    let high = (f - h).bits().and(!0 << 32).float::<f64>();
    let low = (f - high) - h + rest;
    let k = |c| V::k(x.0, c);
    let product = high * base.e[0]; // exact: 21 bits times 30
    let mut small = low.fma(k(base.e[0]), (low + high) * base.e[1]);
    if base.two[1] != 0.0 {
        small = e.fma(k(base.two[1]), small);
    }
    let big = e * base.two[0];
    let sum = big + product;
    log_special(x, sum + (((big - sum) + product) + small))
}

/// `2^(y log2 |x|)` in `f64`, rounded once to `f32`; then IEEE's special cases.
#[inline(always)]
pub(super) fn pow_32<L: Level>(x: V<L, f32>, y: V<L, f32>) -> V<L, f32> {
    let l = x.0;
    let (a, b) = (x.abs().cast::<f64>(), y.cast::<f64>());
    let (e, f) = split(a);
    let (rest, h) = ln_parts(f);
    let log = log_special(a, (f - (h - rest)).fma(V::k(l, f64::LOG2E), e));
    // y = infinity meets log = 0 for |x| = 1: the power is 1.
    let exponent = a.is(1.0).pick(V::k(l, 0.0), b * log);
    let power = exp2(exponent).cast::<f32>();

    let integer = y.equal(y.trunc());
    let half = y * 0.5; // no integer for odd y; all floats from 2^24 on are even
    let odd = integer.and(half.equal(half.trunc()).no());
    let negative = V::k(l, 1.0).copysign(x).below(0.0);
    let power = odd.and(negative).pick(-power, power);
    // A negative finite number has no power that is not an integer.
    let none = x.below(0.0).and(x.above(f32::NEG_INFINITY)).and(integer.no());
    let power = none.pick(V::k(l, f32::NAN), power);
    let power = x.is_nan().or(y.is_nan()).pick(x + y, power);
    x.is(1.0).or(y.is(0.0)).pick(V::k(l, 1.0), power)
}

/// Lane by lane through std: `f64` leaves no wider type to compute the logarithm in.
#[inline(always)]
pub(super) fn pow_64<L: Level>(x: V<L, f64>, y: V<L, f64>) -> V<L, f64> {
    patch(V(x.0, x.0.mask_all()), x, y, x, f64::powf)
}
