//! From a random word to a number of a distribution, as functions that kernels call.

use granule_macros::kernel;

/// 2^-24
const UNIT: f32 = 1.0 / (1 << 24) as f32;

/// A number in [0, 1) from a random word: its upper 24 bits, times 2^-24. Exact, so the same on every backend.
#[kernel]
pub fn unit(word: u32) -> f32 {
    (word >> 8) as i32 as f32 * UNIT
}

/// 2^-31
const HALF: f32 = 1.0 / (1_u32 << 31) as f32;
/// The bits of the square root of a half, and those of 1 less those.
const ROOT: u32 = 0x3F35_04F3;
const ABOVE_ROOT: u32 = 0x3F80_0000 - ROOT;

/// -log2(t) for t in (0, 1]: the exponent, and a polynomial of what is left of t in [sqrt(1/2), sqrt(2)). The error is below 2e-7.
#[kernel]
fn minus_log2(t: f32) -> f32 {
    let moved = t.to_bits().wrapping_add(ABOVE_ROOT);
    let whole = (127 - (moved >> 23) as i32) as f32;
    let f = f32::from_bits((moved & 0x007F_FFFF).wrapping_add(ROOT)) - 1.0;
    let p = 0.123_109_68 * f - 0.205_861_88;
    let p = p * f + 0.216_078_22;
    let p = p * f - 0.239_169_88;
    let p = p * f + 0.287_903_25;
    let p = p * f - 0.360_693_28;
    let p = p * f + 0.480_910_75;
    let p = p * f - 0.721_347_45;
    let p = p * f + std::f32::consts::LOG2_E;
    whole - p * f
}

/// A number of the standard normal distribution from a random word, by inversion.
///
/// The sign is the highest bit, so the numbers are symmetric to the bit. The other 31 bits, plus 1/2 and over 2^31, are the chance q of a
/// larger magnitude: the result is the z with erfc(z / sqrt(2)) = q. As in M. Giles, "Approximating the erfinv function", GPU Computing Gems, 2011, z / (1 - q) is a
/// smooth function of v = -log(q (2 - q)): a polynomial of v near the centre, and of its square root in the tails; the
/// coefficients are interpolations at Chebyshev nodes, made for this function.
///
/// The relative error is below 4e-7, in the tails too. It is made of additions, products and a square root alone, so
/// it has the same bits on every CPU and SIMD level. A GPU that contracts or rounds otherwise differs in the last bits.
#[kernel]
pub fn gaussian(word: u32) -> f32 {
    let bits = word & 0x7FFF_FFFF;
    let q = (bits as i32 as f32 + 0.5) * HALF;
    // 1 - q, from the bits, so that it is exact where it is small.
    let x = ((bits ^ 0x7FFF_FFFF) as i32 as f32 + 0.5) * HALF;
    let v = minus_log2(q * (1.0 + x));
    let c = v - 4.0;
    let mut p = -3.716_385_5e-10 * c + 4.737_813e-10;
    p = p * c + 5.157_654e-8;
    p = p * c - 4.062_928e-7;
    p = p * c - 2.219_626_1e-6;
    p = p * c + 6.797_704e-5;
    p = p * c - 4.802_743_5e-4;
    p = p * c - 3.469_31e-3;
    p = p * c + 0.239_282_16;
    p = p * c + 2.217_919_8;
    if v > 8.0 {
        let r = v.sqrt() - 4.25;
        p = 6.008_897e-6 * r + 9.779_564e-6;
        p = p * r - 9.717_42e-5;
        p = p * r + 2.027_092_6e-4;
        p = p * r - 3.158_735e-4;
        p = p * r + 6.417_224_6e-4;
        p = p * r - 1.560_547e-3;
        p = p * r + 2.993_129_4e-3;
        p = p * r + 1.186_372_3;
        p = p * r + 4.771_740_4;
    }
    f32::from_bits((p * x).to_bits() | (word & 0x8000_0000))
}
