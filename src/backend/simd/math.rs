//! The transcendental functions, for any level, in its own arithmetic. [`OneLane`](super::OneLane) has std's instead.
//!
//! The bounds are the largest error that `tests/math.rs` saw, in units in the last place: `f32` over 1.5 million points against
//! `f64`, `f64` over 400 thousand against std, which is itself within one. NaN, infinities, signed zeros, subnormal
//! arguments and results come out as std has them.

mod circular;
mod exponential;
mod formula;
mod real;

use super::Level;
use exponential::Base;
use formula::{V, patch};

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident: $F:ident($($a:ident),+) = $body:expr;)+) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $name<L: Level>(l: L, $($a: L::$F),+) -> L::$F {
            $(let $a = V(l, $a);)+
            $body.1
        }
    )+};
}
functions! {
    /// e^x. Max ulp: 1.1.
    exp_f32: F32(x) = exponential::exp::<L, f32>(x);
    /// 2^x. Max ulp: 1.2.
    exp2_f32: F32(x) = exponential::exp2::<L, f32>(x);
    /// Natural logarithm. Max ulp: 0.9.
    ln_f32: F32(x) = exponential::log_32(x, Base::<f32>::E);
    /// Logarithm to base 2. Max ulp: 1.0 with FMA, 1.9 without.
    log2_f32: F32(x) = exponential::log_32(x, Base::<f32>::TWO);
    /// Logarithm to base 10. Max ulp: 1.0 with FMA, 1.6 without.
    log10_f32: F32(x) = exponential::log_32(x, Base::<f32>::TEN);
    /// Sine. Max ulp: 2.1 up to 2e5; std beyond.
    sin_f32: F32(x) = circular::sin(x, |x: f32, _| x.sin());
    /// Cosine. Max ulp: 2.1 up to 2e5; std beyond.
    cos_f32: F32(x) = circular::cos(x, |x: f32, _| x.cos());
    /// Tangent. Max ulp: 1.1 (in `f64`) up to 1e6; std beyond.
    tan_f32: F32(x) = {
        let x: V<L, f32> = x;
        patch(x.abs().above(1e6), x, x, circular::tan_64(x.cast::<f64>()).cast::<f32>(), |x, _| x.tan())
    };
    /// Hyperbolic tangent. Max ulp: 1.3.
    tanh_f32: F32(x) = exponential::tanh::<L, f32>(x);
    /// Arc tangent. Max ulp: 1.6.
    atan_f32: F32(x) = circular::atan::<L, f32>(x);
    /// Angle. Max ulp: 1.5.
    atan2_f32: F32(y, x) = circular::atan2::<L, f32>(y, x);
    /// Power. Max ulp: 0.51 (in `f64`).
    powf_f32: F32(x, y) = exponential::pow_32(x, y);

    /// e^x. Max ulp: 1.
    exp_f64: F64(x) = exponential::exp::<L, f64>(x);
    /// 2^x. Max ulp: 1.
    exp2_f64: F64(x) = exponential::exp2::<L, f64>(x);
    /// Natural logarithm. Max ulp: 1.
    ln_f64: F64(x) = exponential::ln_64(x);
    /// Logarithm to base 2. Max ulp: 1.
    log2_f64: F64(x) = exponential::log_64(x, Base::<f64>::TWO);
    /// Logarithm to base 10. Max ulp: 2.
    log10_f64: F64(x) = exponential::log_64(x, Base::<f64>::TEN);
    /// Sine. Max ulp: 2 up to 2e6; std beyond.
    sin_f64: F64(x) = circular::sin(x, |x: f64, _| x.sin());
    /// Cosine. Max ulp: 2 up to 2e6; std beyond.
    cos_f64: F64(x) = circular::cos(x, |x: f64, _| x.cos());
    /// Tangent. Max ulp: 4 up to 1e6; std beyond.
    tan_f64: F64(x) = {
        let x: V<L, f64> = x;
        patch(x.abs().above(1e6), x, x, circular::tan_64(x), |x, _| x.tan())
    };
    /// Hyperbolic tangent. Max ulp: 2.
    tanh_f64: F64(x) = exponential::tanh::<L, f64>(x);
    /// Arc tangent. Max ulp: 2.
    atan_f64: F64(x) = circular::atan::<L, f64>(x);
    /// Angle. Max ulp: 2.
    atan2_f64: F64(y, x) = circular::atan2::<L, f64>(y, x);
    /// Power. Error: that of std, lane by lane.
    powf_f64: F64(x, y) = exponential::pow_64(x, y);
}
