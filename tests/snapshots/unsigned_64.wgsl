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
struct Item { f0: u64, f1: u64, f2: u64, f3: u64, f4: u64, f5: u64, f6: u64, f7: u64, f8: u64, f9: u64, f10: u64, f11: u64, f12: u64, f13: u64, f14: u64, f15: u64, f16: u32, f17: u32, f18: u32, f19: bool, f20: bool, f21: bool, f22: u64 }
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return Item(((u64(dst[i * 40u + 1u]) << 32u) | u64(dst[i * 40u + 0u])), ((u64(dst[i * 40u + 3u]) << 32u) | u64(dst[i * 40u + 2u])), ((u64(dst[i * 40u + 5u]) << 32u) | u64(dst[i * 40u + 4u])), ((u64(dst[i * 40u + 7u]) << 32u) | u64(dst[i * 40u + 6u])), ((u64(dst[i * 40u + 9u]) << 32u) | u64(dst[i * 40u + 8u])), ((u64(dst[i * 40u + 11u]) << 32u) | u64(dst[i * 40u + 10u])), ((u64(dst[i * 40u + 13u]) << 32u) | u64(dst[i * 40u + 12u])), ((u64(dst[i * 40u + 15u]) << 32u) | u64(dst[i * 40u + 14u])), ((u64(dst[i * 40u + 17u]) << 32u) | u64(dst[i * 40u + 16u])), ((u64(dst[i * 40u + 19u]) << 32u) | u64(dst[i * 40u + 18u])), ((u64(dst[i * 40u + 21u]) << 32u) | u64(dst[i * 40u + 20u])), ((u64(dst[i * 40u + 23u]) << 32u) | u64(dst[i * 40u + 22u])), ((u64(dst[i * 40u + 25u]) << 32u) | u64(dst[i * 40u + 24u])), ((u64(dst[i * 40u + 27u]) << 32u) | u64(dst[i * 40u + 26u])), ((u64(dst[i * 40u + 29u]) << 32u) | u64(dst[i * 40u + 28u])), ((u64(dst[i * 40u + 31u]) << 32u) | u64(dst[i * 40u + 30u])), dst[i * 40u + 32u], dst[i * 40u + 33u], dst[i * 40u + 34u], (dst[i * 40u + 35u] != 0u), (dst[i * 40u + 36u] != 0u), (dst[i * 40u + 37u] != 0u), ((u64(dst[i * 40u + 39u]) << 32u) | u64(dst[i * 40u + 38u])));
}
fn store_dst(i: u32, v: Item) {
    dst[i * 40u + 0u] = u32(v.f0 & 0xfffffffflu);
    dst[i * 40u + 1u] = u32(v.f0 >> 32u);
    dst[i * 40u + 2u] = u32(v.f1 & 0xfffffffflu);
    dst[i * 40u + 3u] = u32(v.f1 >> 32u);
    dst[i * 40u + 4u] = u32(v.f2 & 0xfffffffflu);
    dst[i * 40u + 5u] = u32(v.f2 >> 32u);
    dst[i * 40u + 6u] = u32(v.f3 & 0xfffffffflu);
    dst[i * 40u + 7u] = u32(v.f3 >> 32u);
    dst[i * 40u + 8u] = u32(v.f4 & 0xfffffffflu);
    dst[i * 40u + 9u] = u32(v.f4 >> 32u);
    dst[i * 40u + 10u] = u32(v.f5 & 0xfffffffflu);
    dst[i * 40u + 11u] = u32(v.f5 >> 32u);
    dst[i * 40u + 12u] = u32(v.f6 & 0xfffffffflu);
    dst[i * 40u + 13u] = u32(v.f6 >> 32u);
    dst[i * 40u + 14u] = u32(v.f7 & 0xfffffffflu);
    dst[i * 40u + 15u] = u32(v.f7 >> 32u);
    dst[i * 40u + 16u] = u32(v.f8 & 0xfffffffflu);
    dst[i * 40u + 17u] = u32(v.f8 >> 32u);
    dst[i * 40u + 18u] = u32(v.f9 & 0xfffffffflu);
    dst[i * 40u + 19u] = u32(v.f9 >> 32u);
    dst[i * 40u + 20u] = u32(v.f10 & 0xfffffffflu);
    dst[i * 40u + 21u] = u32(v.f10 >> 32u);
    dst[i * 40u + 22u] = u32(v.f11 & 0xfffffffflu);
    dst[i * 40u + 23u] = u32(v.f11 >> 32u);
    dst[i * 40u + 24u] = u32(v.f12 & 0xfffffffflu);
    dst[i * 40u + 25u] = u32(v.f12 >> 32u);
    dst[i * 40u + 26u] = u32(v.f13 & 0xfffffffflu);
    dst[i * 40u + 27u] = u32(v.f13 >> 32u);
    dst[i * 40u + 28u] = u32(v.f14 & 0xfffffffflu);
    dst[i * 40u + 29u] = u32(v.f14 >> 32u);
    dst[i * 40u + 30u] = u32(v.f15 & 0xfffffffflu);
    dst[i * 40u + 31u] = u32(v.f15 >> 32u);
    dst[i * 40u + 32u] = v.f16;
    dst[i * 40u + 33u] = v.f17;
    dst[i * 40u + 34u] = v.f18;
    dst[i * 40u + 35u] = select(0u, 1u, v.f19);
    dst[i * 40u + 36u] = select(0u, 1u, v.f20);
    dst[i * 40u + 37u] = select(0u, 1u, v.f21);
    dst[i * 40u + 38u] = u32(v.f22 & 0xfffffffflu);
    dst[i * 40u + 39u] = u32(v.f22 >> 32u);
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 1>;
@group(0) @binding(2) var<storage, read> source_d0: array<u32>;
fn source(i: u32) -> Item {
    let v0 = source_u[0].x + i;
    let v1 = ((u64(source_d0[v0 * 4u + 1u]) << 32u) | u64(source_d0[v0 * 4u + 0u]));
    let v2 = ((u64(source_d0[v0 * 4u + 3u]) << 32u) | u64(source_d0[v0 * 4u + 2u]));
    let v3 = v1 + v2;
    let v4 = v1 - v2;
    let v5 = v1 * v2;
    let v6 = v1 / v2;
    let v7 = v1 % v2;
    let v8 = select(v1, v2, v2 < v1);
    let v9 = select(v1, v2, v2 > v1);
    let v10 = 0lu - v1;
    let v11 = v1;
    let v12 = v1 & v2;
    let v13 = v1 | v2;
    let v14 = v1 ^ v2;
    let v15 = ~v1;
    let v16 = u32(v2 & 0xfffffffflu);
    let v17 = v1 << (v16 & 63u);
    let v18 = v1 >> (v16 & 63u);
    let v19 = g_reverse_bits_u64(v1);
    let v20 = g_count_ones_u64(v1);
    let v21 = g_leading_zeros_u64(v1);
    let v22 = g_trailing_zeros_u64(v1);
    let v23 = v1 == v2;
    let v24 = v1 < v2;
    let v25 = v1 <= v2;
    var v26 = 0lu;
    let v27 = v1 < v26;
    var v28 = 0lu;
    let v29 = select(v1, v28, v27);
    let v30 = 1lu < v29;
    let v31 = select(v29, 1lu, v30);
    return Item(v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v17, v18, v19, v20, v21, v22, v23, v24, v25, v31);
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
