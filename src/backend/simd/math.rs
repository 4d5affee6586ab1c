//! Transcendental functions lane by lane, through std.

use super::{Level, Span, VectorLane};
use crate::array::Data;
use crate::kernel::Lane;

/// The width of the widest level.
const MOST: usize = 32;

macro_rules! lane_by_lane {
    ($T:ident $t:ident: $($name:ident = $f:ident($($a:ident),+);)+) => {$(
        #[inline(always)]
        pub(crate) fn $name<L: Level>(l: L, $($a: L::$T),+) -> L::$T {
            let mut out = [0.0; MOST];
            for (j, out) in out[..L::WIDTH].iter_mut().enumerate() {
                *out = $t::$f($(<L::$T as VectorLane<L, $t>>::extract($a, l, j)),+);
            }
            <L::$T as Lane<L, $t>>::load(l, l.slice(Data::Slice(&out)), Span::new(0, L::WIDTH))
        }
    )+};
}
lane_by_lane! { F32 f32:
    exp_f32 = exp(x);
    exp2_f32 = exp2(x);
    ln_f32 = ln(x);
    log2_f32 = log2(x);
    log10_f32 = log10(x);
    sin_f32 = sin(x);
    cos_f32 = cos(x);
    tan_f32 = tan(x);
    tanh_f32 = tanh(x);
    atan_f32 = atan(x);
    atan2_f32 = atan2(y, x);
    powf_f32 = powf(x, y);
}
lane_by_lane! { F64 f64:
    exp_f64 = exp(x);
    exp2_f64 = exp2(x);
    ln_f64 = ln(x);
    log2_f64 = log2(x);
    log10_f64 = log10(x);
    sin_f64 = sin(x);
    cos_f64 = cos(x);
    tan_f64 = tan(x);
    tanh_f64 = tanh(x);
    atan_f64 = atan(x);
    atan2_f64 = atan2(y, x);
    powf_f64 = powf(x, y);
}
