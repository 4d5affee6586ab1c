//! The constants of the formulas, for `f32` and `f64`.
//!
//! Polynomials are minimax fits of relative error by the exchange algorithm (Remez 1934), computed with 80 digits on these
//! intervals. Constants whose products must be exact are cut into parts of few bits (Cody and Waite 1980).
#![allow(clippy::excessive_precision, clippy::approx_constant)] // the digits as they were computed; the compiler rounds them

use super::formula::V;
use crate::backend::simd::Level;
use crate::element::{Cast, Float, Integer, Scalar};
use crate::kernel::ops::Bits;

/// A float type with the constants of its formulas.
pub(super) trait Real: Float + Scalar + Default + Bits<Bits = Self::Word> {
    /// Its bits.
    type Word: Integer + Cast<Self>;
    /// Number of stored bits of the significand.
    const FRACTION: u32;
    /// How far the lowest bit is from the sign.
    const TOP: u32;
    /// 1.5 * 2^FRACTION: adding it rounds to the nearest integer, which then stands in the low bits.
    const MAGIC: Self;
    /// The bits of `MAGIC`, less twice the exponent's bias.
    const MAGIC_LESS_BIASES: Self::Word;
    /// The bits of 1.
    const ONE_BITS: Self::Word;
    /// The bits of sqrt(1/2), rounded.
    const ROOT_HALF_BITS: Self::Word;
    /// The bits of a significand.
    const FRACTION_MASK: Self::Word;
    /// The smallest normal number.
    const NORMAL: Self;
    /// 2^FRACTION, 2^FRACTION + bias, and 2^FRACTION + bias + FRACTION.
    const SHIFT: [Self; 3];
    /// The bits of 2^FRACTION.
    const SHIFT_BITS: Self::Word;
    const HALF: Self;
    const TWO: Self;
    const INFINITY: Self;
    const NAN: Self;

    /// log2(e)
    const LOG2E: Self;
    /// ln(2): a part of few bits, and the rest.
    const LN2: [Self; 2];
    /// Up to this magnitude `exp` is a normal number.
    const EXP_NEAR: Self;
    /// Up to this magnitude `exp2` is a normal number.
    const EXP2_NEAR: Self;
    /// Beyond these `exp` is 0 or infinite.
    const EXP_RANGE: [Self; 2];
    /// Beyond these `exp2` is 0 or infinite.
    const EXP2_RANGE: [Self; 2];
    /// Up to this magnitude `tanh` is a polynomial.
    const TANH_NEAR: Self;
    /// Beyond this `tanh` is 1.
    const TANH_RANGE: Self;
    /// 1 / pi
    const FRAC_1_PI: Self;
    /// pi, and what it lacks.
    const PI: [Self; 2];

    /// (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2.
    fn exp_polynomial<L: Level>(r: V<L, Self>) -> V<L, Self>;
    /// (tanh(a) - a) / a^3 where s = a^2, |a| <= 5/8.
    fn tanh_polynomial<L: Level>(s: V<L, Self>) -> V<L, Self>;
    /// (sin(r) - r) / r^3 where s = r^2, |r| <= pi / 2.
    fn sin_polynomial<L: Level>(s: V<L, Self>) -> V<L, Self>;
    /// (atan(a) - a) / a^3 where s = a^2, |a| <= 1.
    fn atan_polynomial<L: Level>(s: V<L, Self>) -> V<L, Self>;
}

macro_rules! shared {
    ($t:ident, $word:ident, $magic:expr, $root:expr) => {
        type Word = $word;
        const FRACTION: u32 = $t::MANTISSA_DIGITS - 1;
        const TOP: u32 = $word::BITS - 1;
        const MAGIC: $t = $magic;
        const MAGIC_LESS_BIASES: $word = $t::to_bits($magic) - 2 * ($t::MAX_EXP as $word - 1);
        const ONE_BITS: $word = $t::to_bits(1.0);
        const ROOT_HALF_BITS: $word = $root;
        const FRACTION_MASK: $word = (1 << Self::FRACTION) - 1;
        const NORMAL: $t = $t::MIN_POSITIVE;
        const SHIFT: [$t; 3] = {
            let shift = $magic / 1.5;
            [shift, shift + ($t::MAX_EXP - 1) as $t, shift + ($t::MAX_EXP - 1 + Self::FRACTION as i32) as $t]
        };
        const SHIFT_BITS: $word = $t::to_bits($magic / 1.5);
        const TANH_NEAR: $t = 0.625;
        const HALF: $t = 0.5;
        const TWO: $t = 2.0;
        const INFINITY: $t = $t::INFINITY;
        const NAN: $t = $t::NAN;
        const LOG2E: $t = std::$t::consts::LOG2_E;
        const FRAC_1_PI: $t = std::$t::consts::FRAC_1_PI;
    };
}

macro_rules! polynomial {
    ($($f:ident = $c:expr;)+) => {$(
        #[inline(always)]
        fn $f<L: Level>(x: V<L, Self>) -> V<L, Self> {
            x.polynomial($c)
        }
    )+};
}

impl Real for f32 {
    shared!(f32, u32, 12582912.0, 0x3f35_04f3);
    const LN2: [f32; 2] = [0.693359375, -0.00021219444005469058277];
    const EXP_NEAR: f32 = 87.0;
    const EXP2_NEAR: f32 = 126.0;
    const EXP_RANGE: [f32; 2] = [-104.0, 89.0];
    const EXP2_RANGE: [f32; 2] = [-151.0, 129.0];
    const TANH_RANGE: f32 = 10.0;
    const PI: [f32; 2] = [3.1415927410125732422, -8.7422780003724856617e-8];
    polynomial! {
        // Relative error 3.2e-9 of e^r.
        exp_polynomial = [0.5000000096884636321, 0.166665177089676785, 0.04166620058117593052, 0.008369025225509981475, 0.001395082539673520473];
        // 4.5e-9
        tanh_polynomial = [-0.333332811885457813, 0.133314204032298665, -0.05373779672441278835, 0.02063253714942047042, -0.005697371049250874528];
        // 2.4e-11: more than the format needs, so that rounding alone does not carry a sine above 1.
        sin_polynomial = [
            -0.166666666257371103, 0.008333331090554647054, -0.0001984086577515618328, 2.752525603843110972e-6, -2.388659232087909424e-8,
        ];
        // 2.6e-9
        atan_polynomial = [
            -0.3333329909406659801, 0.1999854843190239457, -0.1426424311000960372, 0.1095219240213857658, -0.08403467462503684356,
            0.0579578553610091022, -0.03117808121145247457, 0.01091472094062252265, -0.001793645388769918965,
        ];
    }
}

impl Real for f64 {
    shared!(f64, u64, 6755399441055744.0, 0x3fe6_a09e_667f_3bcd);
    const LN2: [f64; 2] = [0.69314718055920820916, 7.3710025651677988999e-13];
    const EXP_NEAR: f64 = 708.0;
    const EXP2_NEAR: f64 = 1022.0;
    const EXP_RANGE: [f64; 2] = [-746.0, 710.0];
    const EXP2_RANGE: [f64; 2] = [-1076.0, 1025.0];
    const TANH_RANGE: f64 = 20.0;
    const PI: [f64; 2] = [3.141592653589793116, 1.2246467991473531772e-16];
    polynomial! {
        // Relative error 5.5e-20 of e^r.
        exp_polynomial = [
            0.4999999999999999997, 0.1666666666666668417, 0.04166666666666672475, 0.008333333333316484272, 0.001388888888885831339,
            0.0001984126989769917452, 0.00002480158737400312795, 2.755723358763676685e-6, 2.755723312985538105e-7,
            2.511246915932660096e-8, 2.092701594968928286e-9,
        ];
        // 3.9e-19
        tanh_polynomial = [
            -0.3333333333333331207, 0.1333333333332962513, -0.05396825396599416467, 0.02186948846694669496, -0.008863234284605494808,
            0.003592113722583352926, -0.001455724152514367699, 0.0005894440869319420759, -0.0002369899492649594865,
            0.00009151954254943922978, -0.00003014749476414830695, 6.024751672350472506e-6,
        ];
        // 4.1e-22
        sin_polynomial = [
            -0.1666666666666666666, 0.008333333333333333015, -0.0001984126984126966844, 2.755731922393965087e-6,
            -2.505210837841934324e-8, 1.605904319087579448e-10, -7.64712703573494873e-13, 2.810197849209321299e-15,
            -7.980908513355262992e-18,
        ];
        // 4.6e-18
        atan_polynomial = [
            -0.3333333333333306805, 0.1999999999995145831, -0.1428571428257501759, 0.1111111100702442221, -0.09090907002975828274,
            0.07692279839258668751, -0.06666404058305993527, 0.05880527824065042676, -0.05253518614676141312,
            0.04722322485069413504, -0.04219179792950631334, 0.03664193037026244786, -0.02990389270090598668,
            0.02198489908726519054, -0.01390060635177920747, 0.007196538010711655168, -0.002884937362540014407,
            0.0008313288435941604934, -0.0001521624441888601234, 0.00001322523950567431581,
        ];
    }
}

/// (cos(r) - 1 + s / 2) / s^2 where s = r^2, |r| <= pi / 4. Absolute error 1.2e-22 of cos(r).
pub(super) const COS: [f64; 7] = [
    0.0416666666666666666,
    -0.001388888888888887095,
    0.0000248015873015687792,
    -2.755731921424742691e-7,
    2.08767541194124588e-9,
    -1.147026599248453216e-11,
    4.736907475280396542e-14,
];
/// (ln(1 + f) - f) / f^2 for 1 + f from sqrt(1/2) to sqrt(2). Relative error 4.2e-9 of ln(1 + f).
pub(super) const LN_32: [f64; 9] = [
    -0.4999998799887574136,
    0.3333332474061731761,
    -0.250016177523746146,
    0.2000206604307261039,
    -0.1660824938871742581,
    0.1417936304587885474,
    -0.1324782579346651866,
    0.1292339537921705943,
    -0.07633400167739892031,
];
/// (2 atanh(s) - 2 s) / s^3 where z = s^2, |s| <= 0.1716. Relative error 1.4e-18 of 2 atanh(s).
pub(super) const LN_64: [f64; 7] = [
    0.6666666666666739379,
    0.3999999999937798756,
    0.2857142875130136624,
    0.222221975874654172,
    0.1818361898475129641,
    0.1531256988972718921,
    0.1481154087855287025,
];
