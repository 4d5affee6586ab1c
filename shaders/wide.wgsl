// 64-bit scalars.

fn g_is_nan_f64(x: f64) -> bool {
    return !(x == x);
}

fn g_min_f64(a: f64, b: f64) -> f64 {
    return select(a, b, (b < a) | g_is_nan_f64(a));
}

fn g_max_f64(a: f64, b: f64) -> f64 {
    return select(a, b, (b > a) | g_is_nan_f64(a));
}

fn g_copysign_f64(a: f64, b: f64) -> f64 {
    return bitcast<f64>((bitcast<u64>(a) & 0x7ffffffffffffffflu) | ((bitcast<u64>(b) >> 63u) << 63u));
}

fn g_round_f64(x: f64) -> f64 {
    let t = trunc(x);
    return select(t, t + select(-1.0lf, 1.0lf, x > 0.0lf), abs(x - t) >= 0.5lf);
}

fn g_f64_to_i32(x: f64) -> i32 {
    let y = i32(clamp(x, -2147483648.0lf, 2147483647.0lf));
    return select(y, 0i, g_is_nan_f64(x));
}

fn g_f64_to_u32(x: f64) -> u32 {
    let y = u32(clamp(x, 0.0lf, 4294967295.0lf));
    return select(y, 0u, g_is_nan_f64(x));
}

fn g_f32_to_i64(x: f32) -> i64 {
    let y = i64(clamp(x, -9223372036854775808.0f, 9223371487098961920.0f));
    return select(select(y, 9223372036854775807li, x >= 9223372036854775808.0f), 0li, g_is_nan_f32(x));
}

fn g_f32_to_u64(x: f32) -> u64 {
    let y = u64(clamp(x, 0.0f, 18446742974197923840.0f));
    return select(select(y, 0xfffffffffffffffflu, x >= 18446744073709551616.0f), 0lu, g_is_nan_f32(x));
}

fn g_f64_to_i64(x: f64) -> i64 {
    let y = i64(clamp(x, -9223372036854775808.0lf, 9223372036854774784.0lf));
    return select(select(y, 9223372036854775807li, x >= 9223372036854775808.0lf), 0li, g_is_nan_f64(x));
}

fn g_f64_to_u64(x: f64) -> u64 {
    let y = u64(clamp(x, 0.0lf, 18446744073709549568.0lf));
    return select(select(y, 0xfffffffffffffffflu, x >= 18446744073709551616.0lf), 0lu, g_is_nan_f64(x));
}

fn g_low(x: u64) -> u32 {
    return u32(x & 0xfffffffflu);
}

fn g_high(x: u64) -> u32 {
    return u32(x >> 32u);
}

fn g_count_ones_u64(x: u64) -> u32 {
    return countOneBits(g_low(x)) + countOneBits(g_high(x));
}

fn g_leading_zeros_u64(x: u64) -> u32 {
    let high = countLeadingZeros(g_high(x));
    return select(high, 32u + countLeadingZeros(g_low(x)), high == 32u);
}

fn g_trailing_zeros_u64(x: u64) -> u32 {
    let low = countTrailingZeros(g_low(x));
    return select(low, 32u + countTrailingZeros(g_high(x)), low == 32u);
}

fn g_reverse_bits_u64(x: u64) -> u64 {
    return (u64(reverseBits(g_low(x))) << 32u) | u64(reverseBits(g_high(x)));
}
