// What WGSL leaves open, or defines otherwise than Rust: conversions, rounding, minima, remainders of f32.
// NaN is told by its bits: compilers with fast maths take `x == x` for true.

// A float by its bits: a call, since a constant NaN or infinity is refused.
fn g_float(bits: u32) -> f32 {
    return bitcast<f32>(bits);
}

fn g_is_nan_f32(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn g_min_f32(a: f32, b: f32) -> f32 {
    return select(a, b, (b < a) | g_is_nan_f32(a));
}

fn g_max_f32(a: f32, b: f32) -> f32 {
    return select(a, b, (b > a) | g_is_nan_f32(a));
}

fn g_copysign_f32(a: f32, b: f32) -> f32 {
    return bitcast<f32>((bitcast<u32>(a) & 0x7fffffffu) | (bitcast<u32>(b) & 0x80000000u));
}

// Halves away from zero. The difference is exact.
fn g_round_f32(x: f32) -> f32 {
    let t = trunc(x);
    return select(t, t + g_copysign_f32(1.0f, x), abs(x - t) >= 0.5f);
}

fn g_f32_to_i32(x: f32) -> i32 {
    let y = i32(clamp(x, -2147483648.0f, 2147483520.0f));
    return select(select(y, 2147483647i, x >= 2147483648.0f), 0i, g_is_nan_f32(x));
}

fn g_f32_to_u32(x: f32) -> u32 {
    let y = u32(clamp(x, 0.0f, 4294967040.0f));
    return select(select(y, 0xffffffffu, x >= 4294967296.0f), 0u, g_is_nan_f32(x));
}

// The upper half of the product of two numbers, from the products of their halves.
fn g_mul_hi(a: u32, b: u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let mixed = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let other = (a & 0xffffu) * (b >> 16u) + (mixed & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (mixed >> 16u) + (other >> 16u);
}

// The upper half of start + i * step, of 64 bits each.
fn g_affine_high(start_low: u32, start_high: u32, i: u32, step_low: u32, step_high: u32) -> u32 {
    let low = i * step_low;
    let carry = select(0u, 1u, start_low + low < low);
    return start_high + g_mul_hi(i, step_low) + i * step_high + carry;
}

// The exact remainder, by long division of the significands, eight bits a step.
fn g_rem_f32(a: f32, b: f32) -> f32 {
    let ua = bitcast<u32>(a) & 0x7fffffffu;
    let ub = bitcast<u32>(b) & 0x7fffffffu;
    if ua >= 0x7f800000u || ub > 0x7f800000u || ub == 0u {
        return g_float(0x7fc00000u);
    }
    if ua < ub {
        return a;
    }
    var ea = i32(ua >> 23u);
    var eb = i32(ub >> 23u);
    var ma = ua & 0x7fffffu;
    var mb = ub & 0x7fffffu;
    if ea == 0i {
        ea = 1i;
    } else {
        ma = ma | 0x800000u;
    }
    if eb == 0i {
        eb = 1i;
    } else {
        mb = mb | 0x800000u;
    }
    ma = ma % mb;
    loop {
        if ea <= eb || ma == 0u {
            break;
        }
        let n = min(ea - eb, 8i);
        ma = (ma << u32(n)) % mb;
        ea = ea - n;
    }
    // ma * 2^(eb - 150), with the leading bit moved up to its place.
    let up = min(i32(countLeadingZeros(ma)) - 8i, eb - 1i);
    ma = ma << u32(max(up, 0i));
    let e = select(0u, u32(eb - up), ma >= 0x800000u);
    let bits = (e << 23u) | (ma & 0x7fffffu);
    return bitcast<f32>(select(bits, 0u, ma == 0u) | (bitcast<u32>(a) & 0x80000000u));
}
