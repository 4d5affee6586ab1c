//! The transcendental functions, for any level, in its own arithmetic. [`OneLane`](super::OneLane) has std's instead.
//!
//! The bounds are the largest error seen by `tests/math.rs`, in units in the last place. NaN, infinities, signed zeros, subnormal
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
    /// e^x.
    exp_f32: F32(x) = exponential::exp::<L, f32>(x);
    /// 2^x.
    exp2_f32: F32(x) = exponential::exp2::<L, f32>(x);
    /// Natural logarithm.
    ln_f32: F32(x) = exponential::log_32(x, Base::<f32>::E);
    /// Logarithm to base 2.
    log2_f32: F32(x) = exponential::log_32(x, Base::<f32>::TWO);
    /// Logarithm to base 10.
    log10_f32: F32(x) = exponential::log_32(x, Base::<f32>::TEN);
    /// Sine.
    sin_f32: F32(x) = circular::sin(x, |x: f32, _| x.sin());
    /// Cosine.
    cos_f32: F32(x) = circular::cos(x, |x: f32, _| x.cos());
    /// Tangent.
    tan_f32: F32(x) = {
        let x: V<L, f32> = x;
        patch(x.abs().above(1e6), x, x, circular::tan_64(x.cast::<f64>()).cast::<f32>(), |x, _| x.tan())
    };
    /// Hyperbolic tangent.
    tanh_f32: F32(x) = exponential::tanh::<L, f32>(x);
    /// Arc tangent.
    atan_f32: F32(x) = circular::atan::<L, f32>(x);
    /// Angle.
    atan2_f32: F32(y, x) = circular::atan2::<L, f32>(y, x);
    /// Power.
    powf_f32: F32(x, y) = exponential::pow_32(x, y);

    /// e^x.
    exp_f64: F64(x) = exponential::exp::<L, f64>(x);
    /// 2^x.
    exp2_f64: F64(x) = exponential::exp2::<L, f64>(x);
    /// Natural logarithm.
    ln_f64: F64(x) = exponential::ln_64(x);
    /// Logarithm to base 2.
    log2_f64: F64(x) = exponential::log_64(x, Base::<f64>::TWO);
    /// Logarithm to base 10.
    log10_f64: F64(x) = exponential::log_64(x, Base::<f64>::TEN);
    /// Sine.
    sin_f64: F64(x) = circular::sin(x, |x: f64, _| x.sin());
    /// Cosine.
    cos_f64: F64(x) = circular::cos(x, |x: f64, _| x.cos());
    /// Tangent.
    tan_f64: F64(x) = {
        let x: V<L, f64> = x;
        patch(x.abs().above(1e6), x, x, circular::tan_64(x), |x, _| x.tan())
    };
    /// Hyperbolic tangent.
    tanh_f64: F64(x) = exponential::tanh::<L, f64>(x);
    /// Arc tangent.
    atan_f64: F64(x) = circular::atan::<L, f64>(x);
    /// Angle.
    atan2_f64: F64(y, x) = circular::atan2::<L, f64>(y, x);
    /// Power.
    powf_f64: F64(x, y) = exponential::pow_64(x, y);
}
