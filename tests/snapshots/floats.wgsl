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
struct Item { f0: f32, f1: f32, f2: f32, f3: f32, f4: f32, f5: f32, f6: f32, f7: f32, f8: f32, f9: f32, f10: f32, f11: f32, f12: f32, f13: f32, f14: f32, f15: f32, f16: bool, f17: bool, f18: bool, f19: f32 }
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return Item(bitcast<f32>(dst[i * 20u + 0u]), bitcast<f32>(dst[i * 20u + 1u]), bitcast<f32>(dst[i * 20u + 2u]), bitcast<f32>(dst[i * 20u + 3u]), bitcast<f32>(dst[i * 20u + 4u]), bitcast<f32>(dst[i * 20u + 5u]), bitcast<f32>(dst[i * 20u + 6u]), bitcast<f32>(dst[i * 20u + 7u]), bitcast<f32>(dst[i * 20u + 8u]), bitcast<f32>(dst[i * 20u + 9u]), bitcast<f32>(dst[i * 20u + 10u]), bitcast<f32>(dst[i * 20u + 11u]), bitcast<f32>(dst[i * 20u + 12u]), bitcast<f32>(dst[i * 20u + 13u]), bitcast<f32>(dst[i * 20u + 14u]), bitcast<f32>(dst[i * 20u + 15u]), (dst[i * 20u + 16u] != 0u), (dst[i * 20u + 17u] != 0u), (dst[i * 20u + 18u] != 0u), bitcast<f32>(dst[i * 20u + 19u]));
}
fn store_dst(i: u32, v: Item) {
    dst[i * 20u + 0u] = bitcast<u32>(v.f0);
    dst[i * 20u + 1u] = bitcast<u32>(v.f1);
    dst[i * 20u + 2u] = bitcast<u32>(v.f2);
    dst[i * 20u + 3u] = bitcast<u32>(v.f3);
    dst[i * 20u + 4u] = bitcast<u32>(v.f4);
    dst[i * 20u + 5u] = bitcast<u32>(v.f5);
    dst[i * 20u + 6u] = bitcast<u32>(v.f6);
    dst[i * 20u + 7u] = bitcast<u32>(v.f7);
    dst[i * 20u + 8u] = bitcast<u32>(v.f8);
    dst[i * 20u + 9u] = bitcast<u32>(v.f9);
    dst[i * 20u + 10u] = bitcast<u32>(v.f10);
    dst[i * 20u + 11u] = bitcast<u32>(v.f11);
    dst[i * 20u + 12u] = bitcast<u32>(v.f12);
    dst[i * 20u + 13u] = bitcast<u32>(v.f13);
    dst[i * 20u + 14u] = bitcast<u32>(v.f14);
    dst[i * 20u + 15u] = bitcast<u32>(v.f15);
    dst[i * 20u + 16u] = select(0u, 1u, v.f16);
    dst[i * 20u + 17u] = select(0u, 1u, v.f17);
    dst[i * 20u + 18u] = select(0u, 1u, v.f18);
    dst[i * 20u + 19u] = bitcast<u32>(v.f19);
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 1>;
@group(0) @binding(2) var<storage, read> source_d0: array<u32>;
fn source(i: u32) -> Item {
    let v0 = source_u[0].x + i;
    let v1 = bitcast<f32>(source_d0[v0 * 2u + 0u]);
    let v2 = bitcast<f32>(source_d0[v0 * 2u + 1u]);
    let v3 = v1 + v2;
    let v4 = v1 - v2;
    let v5 = v1 * v2;
    let v6 = v1 / v2;
    let v7 = g_rem_f32(v1, v2);
    let v8 = g_min_f32(v1, v2);
    let v9 = g_max_f32(v1, v2);
    let v10 = g_copysign_f32(v1, v2);
    let v11 = -v1;
    let v12 = abs(v1);
    let v13 = sqrt(v1);
    let v14 = floor(v1);
    let v15 = ceil(v1);
    let v16 = trunc(v1);
    let v17 = g_round_f32(v1);
    let v18 = g_is_nan_f32(v1);
    let v19 = g_copysign_f32(1.0f, v1);
    let v20 = select(v19, v1, v18);
    let v21 = v1 < v2;
    let v22 = v1 <= v2;
    let v23 = fma(v1, v2, v1);
    return Item(v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v20, v21, v22, v18, v23);
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
