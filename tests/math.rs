//! The accuracy of the vector maths: every level against std in `f64`, over all exponents and where each function is used; special
//! values exactly.

use std::mem::MaybeUninit;

use granule::array::Data;
use granule::backend::simd::{Level, SimdLevel, Span, ViewMut, WithLevel, dispatch};
use granule::element::{Float, Scalar};
use granule::kernel::{Varying, ops};

/// A function of one or two arguments (the first is ignored by functions of one).
trait Function: Copy {
    fn lanes<L: Level, T: Float>(l: L, x: Varying<L, T>, y: Varying<L, T>) -> Varying<L, T>;
    fn scalar<T: Float>(x: T, y: T) -> T;
}

macro_rules! functions {
    ($($f:ident: |$x:ident, $y:ident| ($($a:expr),+);)+) => {
        #[allow(non_camel_case_types)]
        mod function {
            use super::*;
            $(
                #[derive(Clone, Copy)]
                pub(super) struct $f;
                impl Function for $f {
                    #[inline(always)]
                    fn lanes<L: Level, T: Float>(l: L, $x: Varying<L, T>, $y: Varying<L, T>) -> Varying<L, T> {
                        ops::$f(l, $($a),+)
                    }
                    fn scalar<T: Float>($x: T, $y: T) -> T {
                        Float::$f($($a),+)
                    }
                }
            )+
        }
    };
}
functions! {
    exp: |x, _y| (x);
    exp2: |x, _y| (x);
    ln: |x, _y| (x);
    log2: |x, _y| (x);
    log10: |x, _y| (x);
    sin: |x, _y| (x);
    cos: |x, _y| (x);
    tan: |x, _y| (x);
    tanh: |x, _y| (x);
    atan: |x, _y| (x);
    atan2: |x, y| (x, y);
    powf: |x, y| (x, y);
}

#[inline(always)]
fn evaluate<F: Function, T: Float, L: Level>(l: L, x: &[T], y: &[T], out: &mut [MaybeUninit<T>]) {
    let (n, x, y, out) = (x.len(), view(l, x), view(l, y), ViewMut::new(out));
    let mut i = 0;
    while i < n {
        let span = Span::new(i, (n - i).min(L::WIDTH));
        let r = F::lanes::<L, T>(l, Varying(T::load(l, x, span)), Varying(T::load(l, y, span)));
        <T as Scalar>::store(l, r.0, out, span);
        i += L::WIDTH;
    }
}

#[inline(always)]
fn view<'a, L: Level, T: Float>(l: L, x: &'a [T]) -> L::Slice<'a, T> {
    l.slice(Data::from(x))
}

/// Evaluates at a level.
struct Evaluate<'a, F, T>(F, &'a [T], &'a [T], &'a mut [MaybeUninit<T>]);
impl<F: Function, T: Float> WithLevel for Evaluate<'_, F, T> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        evaluate::<F, T, L>(l, self.1, self.2, self.3);
    }
}

/// The results of a function at a level.
fn results<F: Function, T: Float>(level: SimdLevel, f: F, x: &[T], y: &[T]) -> Vec<T> {
    let mut out = Vec::with_capacity(x.len());
    dispatch(level, Evaluate(f, x, y, &mut out.spare_capacity_mut()[..x.len()]));
    // SAFETY: `evaluate` wrote every element.
    unsafe { out.set_len(x.len()) };
    out
}

/// Bits that look random (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn mix(i: u64) -> u64 {
    let x = i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ x >> 31
}

/// Numbers between the bounds.
fn between(i: u64, low: f64, high: f64) -> f64 {
    low + (high - low) * (mix(i) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The distance of `got` from `exact` in units in the last place of an `f32` there; infinity counts as 2^128.
fn ulps_32(got: f32, exact: f64) -> f64 {
    if exact.is_nan() || got.is_nan() {
        return if exact.is_nan() && got.is_nan() { 0.0 } else { f64::INFINITY };
    }
    let number = |x: f64| if x.is_infinite() { (2_f64).powi(128).copysign(x) } else { x };
    let exact = number(exact).clamp(-(2_f64).powi(128), (2_f64).powi(128));
    let exponent = ((exact.abs().to_bits() >> 52) as i32 - 1023).clamp(-126, 127);
    (number(got as f64) - exact).abs() / (2_f64).powi(exponent - 23)
}

/// The number of floats between the two.
fn ulps_64(got: f64, want: f64) -> f64 {
    if got.is_nan() || want.is_nan() {
        return if got.is_nan() && want.is_nan() { 0.0 } else { f64::INFINITY };
    }
    let place = |x: f64| if x.is_sign_negative() { -(x.abs().to_bits() as i128) } else { x.to_bits() as i128 };
    (place(got) - place(want)).unsigned_abs() as f64
}

/// The worst point.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code)] // read through `Debug`
struct Worst<T> {
    ulps: f64,
    at: (T, T),
    got: T,
    want: f64,
}

/// Measures a function over all exponents, and between the bounds; asserts that it is within `bound` everywhere.
fn measure_32<F: Function>(f: F, name: &str, x: (f64, f64), y: (f64, f64), bound: f64) {
    const N: u64 = 1 << 19;
    let point = |i: u64, (low, high): (f64, f64)| between(i, low, high) as f32;
    // Every exponent and sign: a stride through all bit patterns. Then two kinds of points where the function is used.
    let mut xs: Vec<f32> = (0..N).map(|i| f32::from_bits((i as u32).wrapping_mul((u32::MAX / N as u32) | 1))).collect();
    let mut ys: Vec<f32> = (0..N).map(|i| f32::from_bits(mix(i) as u32)).collect();
    xs.extend((0..N).map(|i| point(i, x)));
    ys.extend((0..N).map(|i| point(i + N, y)));
    xs.extend((0..N).map(|i| point(i + 2 * N, (x.0 / 64.0, x.1 / 64.0))));
    ys.extend((0..N).map(|i| point(i + 3 * N, y)));
    let exact: Vec<f64> = xs.iter().zip(&ys).map(|(&x, &y)| F::scalar(x as f64, y as f64)).collect();
    for level in SimdLevel::available() {
        let got = results(level, f, &xs, &ys);
        let mut worst = Worst { ulps: 0.0, at: (0.0, 0.0), got: 0.0, want: 0.0 };
        for i in 0..xs.len() {
            let ulps = ulps_32(got[i], exact[i]);
            if ulps > worst.ulps {
                worst = Worst { ulps, at: (xs[i], ys[i]), got: got[i], want: exact[i] };
            }
        }
        println!("{name} f32 at {level}: {worst:?}");
        assert!(worst.ulps <= bound, "{name} f32 at {level}: {worst:?}, not within {bound}");
    }
}

/// As [`measure_32`], against std in `f64` itself, which is within 1 ulp.
fn measure_64<F: Function>(f: F, name: &str, x: (f64, f64), y: (f64, f64), bound: f64) {
    const N: u64 = 1 << 17;
    let mut xs: Vec<f64> = (0..N).map(|i| f64::from_bits(i.wrapping_mul((u64::MAX / N) | 1))).collect();
    let mut ys: Vec<f64> = (0..N).map(|i| f64::from_bits(mix(i))).collect();
    xs.extend((0..N).map(|i| between(i, x.0, x.1)));
    ys.extend((0..N).map(|i| between(i + N, y.0, y.1)));
    xs.extend((0..N).map(|i| between(i + 2 * N, x.0 / 64.0, x.1 / 64.0)));
    ys.extend((0..N).map(|i| between(i + 3 * N, y.0, y.1)));
    let want: Vec<f64> = xs.iter().zip(&ys).map(|(&x, &y)| F::scalar(x, y)).collect();
    for level in SimdLevel::available() {
        let got = results(level, f, &xs, &ys);
        let mut worst = Worst { ulps: 0.0, at: (0.0, 0.0), got: 0.0, want: 0.0 };
        for i in 0..xs.len() {
            let ulps = ulps_64(got[i], want[i]);
            if ulps > worst.ulps {
                worst = Worst { ulps, at: (xs[i], ys[i]), got: got[i], want: want[i] };
            }
        }
        println!("{name} f64 at {level}: {worst:?}");
        assert!(worst.ulps <= bound, "{name} f64 at {level}: {worst:?}, not within {bound}");
    }
}

/// Special arguments, in all combinations: NaN, infinities and zeros come out as std has them, sign included.
fn special<F: Function>(f: F, name: &str) {
    macro_rules! check {
        ($t:ident) => {
            let some = [
                0.0,
                1.0,
                0.5,
                1.5,
                2.0,
                3.0,
                7.5,
                100.0,
                1e9,
                1e30,
                $t::MAX,
                $t::MIN_POSITIVE,
                $t::MIN_POSITIVE / 8.0,
                $t::from_bits(1),
                $t::INFINITY,
                16777215.0,
                4503599627370497.0,
                33.0,
                89.5,
                104.0,
                710.0,
                746.0,
                1025.0,
                1076.0,
            ];
            let some: Vec<$t> = some.into_iter().flat_map(|x: $t| [x, -x]).chain([$t::NAN]).collect();
            let (x, y): (Vec<$t>, Vec<$t>) = some.iter().flat_map(|&x| some.iter().map(move |&y| (x, y))).unzip();
            for level in SimdLevel::available() {
                for ((&x, &y), got) in x.iter().zip(&y).zip(results(level, f, &x, &y)) {
                    let want: $t = F::scalar(x, y);
                    let exact = !want.is_normal() && (want == 0.0 || !want.is_finite());
                    let same = want.to_bits() == got.to_bits() || want.is_nan() && got.is_nan();
                    let sign = want.is_nan() || want.is_sign_negative() == got.is_sign_negative();
                    assert!(
                        if exact { same } else { sign && got.is_finite() },
                        "{name}({x}, {y}) at {level} gave {got}, not {want}"
                    );
                }
            }
        };
    }
    check!(f32);
    check!(f64);
}

macro_rules! tests {
    ($($f:ident: $x:expr, $y:expr, f32 $bound_32:expr, f64 $bound_64:expr;)+) => {$(
        mod $f {
            #[test]
            fn f32() {
                super::measure_32(super::function::$f, stringify!($f), $x, $y, $bound_32);
            }
            #[test]
            fn f64() {
                super::measure_64(super::function::$f, stringify!($f), $x, $y, $bound_64);
            }
            #[test]
            fn special() {
                super::special(super::function::$f, stringify!($f));
            }
        }
    )+};
}
const NONE: (f64, f64) = (0.0, 1.0);
tests! {
    exp: (-110.0, 95.0), super::NONE, f32 1.1, f64 1.0;
    exp2: (-155.0, 130.0), super::NONE, f32 1.2, f64 1.0;
    ln: (0.0, 64.0), super::NONE, f32 0.9, f64 1.0;
    log2: (0.0, 64.0), super::NONE, f32 1.9, f64 1.0;
    log10: (0.0, 64.0), super::NONE, f32 1.6, f64 2.0;
    sin: (-1e5, 1e5), super::NONE, f32 2.1, f64 2.0;
    cos: (-1e5, 1e5), super::NONE, f32 2.1, f64 2.0;
    tan: (-1e5, 1e5), super::NONE, f32 1.1, f64 4.0;
    tanh: (-40.0, 40.0), super::NONE, f32 1.3, f64 2.0;
    atan: (-100.0, 100.0), super::NONE, f32 1.6, f64 2.0;
    atan2: (-10.0, 10.0), (-10.0, 10.0), f32 1.5, f64 2.0;
    powf: (0.0, 20.0), (-30.0, 30.0), f32 0.51, f64 0.0;
}
