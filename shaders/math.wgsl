// Functions of f32 to a stated accuracy, since WGSL's own are specified loosely and differ from driver to driver. Against the
// true value the error is at most 4 ulp where each + - * / is correctly rounded (2.7 was the most seen); near the zeros of sine
// and cosine it is at most 3e-8. The polynomials of exp, ln, log2, log10, sin, cos, atan and tanh are those of Cephes (Moshier
// 1992).
// No error term is gained by `(a + b) - a`: shader compilers simplify that. Where more than 24 bits are needed, a number is split
// by its bits, and products of short parts are exact.

// x * 2^n for |n| <= 252, in two steps so that neither factor overflows.
fn g_scale(x: f32, n: i32) -> f32 {
    let half = n >> 1u;
    let rest = n - half;
    return x * bitcast<f32>((half + 127i) << 23u) * bitcast<f32>((rest + 127i) << 23u);
}

// e^r - 1 - r over r^2, for |r| <= 0.35.
fn g_exp_series(r: f32) -> f32 {
    let p = ((1.9875691500e-4f * r + 1.3981999507e-3f) * r + 8.3334519073e-3f) * r + 4.1665795894e-2f;
    return (p * r + 1.6666665459e-1f) * r + 5.0000001201e-1f;
}

fn g_exp(x: f32) -> f32 {
    let y = clamp(x, -104.0f, 89.0f);
    let n = floor(y * 1.44269504f + 0.5f);
    let r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
    let z = g_scale(g_exp_series(r) * (r * r) + r + 1.0f, i32(n));
    return select(z, x, g_is_nan_f32(x));
}

fn g_exp2(x: f32) -> f32 {
    let y = clamp(x, -151.0f, 129.0f);
    let n = floor(y + 0.5f);
    let r = (y - n) * 0.693147181f;
    let z = g_scale(g_exp_series(r) * (r * r) + r + 1.0f, i32(n));
    return select(z, x, g_is_nan_f32(x));
}

// A positive finite x as m * 2^e with m in [sqrt(1/2), sqrt(2)), as (m, e). Subnormal numbers are shifted into place first.
fn g_split(x: f32) -> vec2<f32> {
    let bits = bitcast<u32>(x);
    let n = max(countLeadingZeros(bits), 8u) - 8u;
    let normal = bitcast<i32>(bits << n) - bitcast<i32>(n << 23u);
    let e = (normal - 0x3f3504f3i) >> 23u;
    return vec2<f32>(bitcast<f32>(normal - (e << 23u)), f32(e));
}

// ln(1 + f) - f + f^2 / 2
fn g_ln_series(f: f32) -> f32 {
    var p = ((7.0376836292e-2f * f - 1.1514610310e-1f) * f + 1.1676998740e-1f) * f - 1.2420140846e-1f;
    p = ((p * f + 1.4249322787e-1f) * f - 1.6668057665e-1f) * f + 2.0000714765e-1f;
    p = (p * f - 2.4999993993e-1f) * f + 3.3333331174e-1f;
    return f * (f * f) * p;
}

// The logarithm of what is not a positive finite number; y for the rest.
fn g_ln_special(x: f32, y: f32) -> f32 {
    let bits = bitcast<u32>(x);
    if (bits & 0x7fffffffu) == 0u {
        return g_float(0xff800000u);
    }
    if bits == 0x7f800000u || g_is_nan_f32(x) {
        return x;
    }
    if bits >= 0x80000000u {
        return g_float(0x7fc00000u);
    }
    return y;
}

fn g_ln(x: f32) -> f32 {
    let s = g_split(x);
    let f = s.x - 1.0f;
    let small = (g_ln_series(f) - 2.12194440e-4f * s.y) - 0.5f * (f * f);
    return g_ln_special(x, (f + small) + 0.693359375f * s.y);
}

fn g_log2(x: f32) -> f32 {
    let s = g_split(x);
    let f = s.x - 1.0f;
    let small = g_ln_series(f) - 0.5f * (f * f);
    // log2(e) = 1 + 0.4427
    let y = ((small * 0.442695041f + f * 0.442695041f) + small) + f;
    return g_ln_special(x, y + s.y);
}

fn g_log10(x: f32) -> f32 {
    let s = g_split(x);
    let f = s.x - 1.0f;
    let small = g_ln_series(f) - 0.5f * (f * f);
    // log10(e) and log10(2), each in a short part and a rest
    let low = ((f + small) * 7.00731903e-4f + small * 0.43359375f) + s.y * 2.48745664e-4f;
    return g_ln_special(x, (low + f * 0.43359375f) + s.y * 0.30078125f);
}

// The high word of a product.
fn g_mul_high(a: u32, b: u32) -> u32 {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let middle = a1 * b0 + ((a0 * b0) >> 16u);
    let other = a0 * b1 + (middle & 0xffffu);
    return a1 * b1 + (middle >> 16u) + (other >> 16u);
}

// 32 zero bits, then the bits of 2 / pi, by words.
fn g_two_over_pi(k: u32) -> u32 {
    switch k {
        case 1u: {
            return 0xa2f9836eu;
        }
        case 2u: {
            return 0x4e441529u;
        }
        case 3u: {
            return 0xfc2757d1u;
        }
        case 4u: {
            return 0xf534ddc0u;
        }
        case 5u: {
            return 0xdb629599u;
        }
        case 6u: {
            return 0x3c439041u;
        }
        case 7u: {
            return 0xfe5163abu;
        }
        default: {
            return 0u;
        }
    }
}

// |x| = r + q * pi / 2 with |r| <= pi / 4, as (r, q modulo 4). Below 8192 by subtraction in three parts (Cody and Waite 1980);
// above by the bits of 2 / pi that matter (Payne and Hanek 1983). Bits of 2 / pi that yield multiples of 4 are left out.
fn g_reduce(x: f32) -> vec2<f32> {
    let a = abs(x);
    if a < 8192.0f {
        let n = floor(a * 0.636619772f + 0.5f);
        let r = ((a - n * 1.5703125f) - n * 4.837512969970703125e-4f) - n * 7.54978995489188216e-8f;
        return vec2<f32>(r, f32(u32(n) & 3u));
    }
    let bits = bitcast<u32>(a);
    let m = (bits & 0x7fffffu) | 0x800000u;
    let at = (bits >> 23u) - 120u;
    let k = at >> 5u;
    let by = at & 31u;
    var w0 = g_two_over_pi(k);
    var w1 = g_two_over_pi(k + 1u);
    var w2 = g_two_over_pi(k + 2u);
    if by > 0u {
        w0 = (w0 << by) | (w1 >> (32u - by));
        w1 = (w1 << by) | (w2 >> (32u - by));
        w2 = (w2 << by) | (g_two_over_pi(k + 3u) >> (32u - by));
    }
    let low = m * w1 + g_mul_high(m, w2);
    let carry = select(0u, 1u, low < m * w1);
    let high = m * w0 + g_mul_high(m, w1) + carry;
    // Two bits of quadrant, then the fraction of a quadrant, which is taken to the nearest.
    let fraction = (high << 2u) | (low >> 30u);
    let up = fraction >> 31u;
    let q = (high >> 30u) + up;
    let negative = up == 1u;
    let f1 = select(fraction, ~fraction, negative);
    let f0 = select(low << 2u, ~(low << 2u), negative);
    let n = countLeadingZeros(f1);
    let top = select(f1, (f1 << n) | (f0 >> (32u - n)), n > 0u && n < 32u);
    let r = g_scale(f32(top >> 1u), -31i - i32(min(n, 31u))) * 1.57079633f;
    return vec2<f32>(select(r, -r, negative), f32(q & 3u));
}

fn g_sin_series(r: f32) -> f32 {
    let z = r * r;
    return ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
}

fn g_cos_series(r: f32) -> f32 {
    let z = r * r;
    return ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z - 0.5f * z + 1.0f;
}

// The sine of a number that was reduced; NaN if that was not finite.
fn g_sin_reduced(x: f32, r: f32, q: u32) -> f32 {
    let y = select(g_sin_series(r), g_cos_series(r), (q & 1u) == 1u);
    let z = select(y, -y, (q & 2u) == 2u);
    return select(z, g_float(0x7fc00000u), (bitcast<u32>(x) & 0x7fffffffu) >= 0x7f800000u);
}

fn g_sin(x: f32) -> f32 {
    let s = g_reduce(x);
    let y = g_sin_reduced(x, s.x, u32(s.y));
    return select(y, -y, bitcast<u32>(x) >= 0x80000000u);
}

fn g_cos(x: f32) -> f32 {
    let s = g_reduce(x);
    return g_sin_reduced(x, s.x, u32(s.y) + 1u);
}

fn g_tan(x: f32) -> f32 {
    let s = g_reduce(x);
    let y = g_sin_reduced(x, s.x, u32(s.y)) / g_sin_reduced(x, s.x, u32(s.y) + 1u);
    return select(y, -y, bitcast<u32>(x) >= 0x80000000u);
}

fn g_tanh(x: f32) -> f32 {
    let a = abs(x);
    if a < 0.625f {
        let z = x * x;
        var p = (-5.70498872745e-3f * z + 2.06390887954e-2f) * z - 5.37397155531e-2f;
        p = (p * z + 1.33314422036e-1f) * z - 3.33332819422e-1f;
        return p * z * x + x;
    }
    let y = 1.0f - 2.0f / (g_exp(min(a, 10.0f) * 2.0f) + 1.0f);
    return select(g_copysign_f32(y, x), x, g_is_nan_f32(x));
}

// For 0 <= a.
fn g_atan_positive(a: f32) -> f32 {
    var base = 0.0f;
    var rest = 0.0f;
    var t = a;
    if a > 2.414213562f {
        base = 1.57079637f;
        rest = -4.37113883e-8f;
        t = -1.0f / a;
    } else if a > 0.414213562f {
        base = 0.785398185f;
        rest = -2.18556941e-8f;
        t = (a - 1.0f) / (a + 1.0f);
    }
    let z = t * t;
    let p = ((8.05374449538e-2f * z - 1.38776856032e-1f) * z + 1.99777106478e-1f) * z - 3.33329491539e-1f;
    return base + ((p * z * t + rest) + t);
}

fn g_atan(x: f32) -> f32 {
    return select(g_copysign_f32(g_atan_positive(abs(x)), x), x, g_is_nan_f32(x));
}

fn g_atan2(y: f32, x: f32) -> f32 {
    if g_is_nan_f32(x) || g_is_nan_f32(y) {
        return g_float(0x7fc00000u);
    }
    let a = abs(x);
    let b = abs(y);
    let low = min(a, b);
    let high = max(a, b);
    var q = 0.0f;
    if bitcast<u32>(low) == 0x7f800000u {
        q = 1.0f;
    } else if high > 0.0f {
        // Quotients of very large and very small numbers may leave the range in which division is exact.
        let s = select(select(1.0f, 16777216.0f, high < 1e-30f), 5.9604645e-8f, high > 1e30f);
        q = (low * s) / (high * s);
    }
    var r = g_atan_positive(q);
    if b > a {
        r = (1.57079637f - r) - 4.37113883e-8f;
    }
    if bitcast<u32>(x) >= 0x80000000u {
        r = (3.14159274f - r) - 8.74227766e-8f;
    }
    return g_copysign_f32(r, y);
}

// log2(k / 16) in two parts, the first a multiple of 2^-12.
fn g_log2_table(k: u32) -> vec2<f32> {
    switch k {
        case 11u: {
            return vec2<f32>(-0.54052734375f, -4.1037612390937284e-05f);
        }
        case 12u: {
            return vec2<f32>(-0.4150390625f, 1.5632211898264359e-06f);
        }
        case 13u: {
            return vec2<f32>(-0.299560546875f, 2.650160979555949e-07f);
        }
        case 14u: {
            return vec2<f32>(-0.192626953125f, -1.8124817870557308e-05f);
        }
        case 15u: {
            return vec2<f32>(-0.093017578125f, -9.182626672554761e-05f);
        }
        case 17u: {
            return vec2<f32>(0.08740234375f, 6.0497499362099916e-05f);
        }
        case 18u: {
            return vec2<f32>(0.169921875f, 3.1264423796528718e-06f);
        }
        case 19u: {
            return vec2<f32>(0.248046875f, -0.00011936155351577327f);
        }
        case 20u: {
            return vec2<f32>(0.322021484375f, -9.338948439108208e-05f);
        }
        case 21u: {
            return vec2<f32>(0.392333984375f, -1.6561596567044035e-05f);
        }
        case 22u: {
            return vec2<f32>(0.45947265625f, -4.1037612390937284e-05f);
        }
        case 23u: {
            return vec2<f32>(0.523681640625f, -0.00011968456965405494f);
        }
        default: {
            return vec2<f32>(0.0f, 0.0f);
        }
    }
}

// The first 12 bits of the significand.
fn g_high_part(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
}

// x^y for finite x > 0 and finite y, by 2^(y log2(x)) with the logarithm to about 35 bits: x = m 2^e, k / 16 is near 1 / m, and
// r = m k / 16 - 1 is exact and small. The logarithm's first part is a multiple of 2^-12 and takes most of it.
fn g_pow_positive(x: f32, y: f32) -> f32 {
    let s = g_split(x);
    let k = floor(16.0f / s.x + 0.5f);
    let c = k * 0.0625f;
    let mh = g_high_part(s.x);
    let r = (mh * c - 1.0f) + (s.x - mh) * c;
    let t = g_log2_table(u32(k));
    let rh = g_high_part(r);
    let main = rh * 1.4423828125f;
    let step = floor(main * 4096.0f) * 0.000244140625f;
    let series = r * r * ((((-0.166666667f * r + 0.2f) * r - 0.25f) * r + 0.333333333f) * r - 0.5f) * 1.44269504f;
    let high = (s.y - t.x) + step;
    let low = (main - step) + ((series + ((r - rh) * 1.4423828125f + r * 0.00031222839606925845f)) - t.y);
    let about = y * high + y * low;
    if about > 129.0f {
        return g_float(0x7f800000u);
    }
    if about < -151.0f {
        return 0.0f;
    }
    let n = floor(about + 0.5f);
    let yh = g_high_part(y);
    let hh = g_high_part(high);
    let f = (((yh * hh - n) + yh * (high - hh)) + (y - yh) * high) + y * low;
    let z = f * 0.693147181f;
    return g_scale(g_exp_series(z) * (z * z) + z + 1.0f, i32(n));
}

fn g_pow(x: f32, y: f32) -> f32 {
    let ax = abs(x);
    let ay = abs(y);
    if ay == 0.0f || bitcast<u32>(x) == 0x3f800000u {
        return 1.0f;
    }
    if g_is_nan_f32(x) || g_is_nan_f32(y) {
        return g_float(0x7fc00000u);
    }
    let half = y * 0.5f;
    let integer = ay >= 8388608.0f || trunc(y) == y;
    let odd = integer && ay < 16777216.0f && trunc(half) != half;
    let negative = bitcast<u32>(x) >= 0x80000000u;
    let large = g_float(0x7f800000u);
    var z = 0.0f;
    if bitcast<u32>(ay) == 0x7f800000u {
        z = select(select(0.0f, large, (ax > 1.0f) == (y > 0.0f)), 1.0f, ax == 1.0f);
    } else if ax == 0.0f || bitcast<u32>(ax) == 0x7f800000u {
        z = select(0.0f, large, (ax > 1.0f) == (y > 0.0f));
    } else if negative && !integer {
        return g_float(0x7fc00000u);
    } else {
        z = g_pow_positive(ax, y);
    }
    return select(z, -z, negative && odd);
}
