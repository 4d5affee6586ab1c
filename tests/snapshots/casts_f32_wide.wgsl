fn g_is_nan_f32(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}
fn g_f32_to_i32(x: f32) -> i32 {
    let y = i32(clamp(x, -2147483648.0f, 2147483520.0f));
    return select(select(y, 2147483647i, x >= 2147483648.0f), 0i, g_is_nan_f32(x));
}
fn g_f32_to_u32(x: f32) -> u32 {
    let y = u32(clamp(x, 0.0f, 4294967040.0f));
    return select(select(y, 0xffffffffu, x >= 4294967296.0f), 0u, g_is_nan_f32(x));
}
fn g_f32_to_i64(x: f32) -> i64 {
    let y = i64(clamp(x, -9223372036854775808.0f, 9223371487098961920.0f));
    return select(select(y, 9223372036854775807li, x >= 9223372036854775808.0f), 0li, g_is_nan_f32(x));
}
fn g_f32_to_u64(x: f32) -> u64 {
    let y = u64(clamp(x, 0.0f, 18446742974197923840.0f));
    return select(select(y, 0xfffffffffffffffflu, x >= 18446744073709551616.0f), 0lu, g_is_nan_f32(x));
}
struct Item { f0: f32, f1: i32, f2: u32, f3: f64, f4: i64, f5: u64 }
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return Item(bitcast<f32>(dst[i * 9u + 0u]), bitcast<i32>(dst[i * 9u + 1u]), dst[i * 9u + 2u], bitcast<f64>(((u64(dst[i * 9u + 4u]) << 32u) | u64(dst[i * 9u + 3u]))), bitcast<i64>(((u64(dst[i * 9u + 6u]) << 32u) | u64(dst[i * 9u + 5u]))), ((u64(dst[i * 9u + 8u]) << 32u) | u64(dst[i * 9u + 7u])));
}
fn store_dst(i: u32, v: Item) {
    dst[i * 9u + 0u] = bitcast<u32>(v.f0);
    dst[i * 9u + 1u] = bitcast<u32>(v.f1);
    dst[i * 9u + 2u] = v.f2;
    dst[i * 9u + 3u] = u32(bitcast<u64>(v.f3) & 0xfffffffflu);
    dst[i * 9u + 4u] = u32(bitcast<u64>(v.f3) >> 32u);
    dst[i * 9u + 5u] = u32(bitcast<u64>(v.f4) & 0xfffffffflu);
    dst[i * 9u + 6u] = u32(bitcast<u64>(v.f4) >> 32u);
    dst[i * 9u + 7u] = u32(v.f5 & 0xfffffffflu);
    dst[i * 9u + 8u] = u32(v.f5 >> 32u);
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 1>;
@group(0) @binding(2) var<storage, read> source_d0: array<f32>;
fn source(i: u32) -> Item {
    let v0 = source_u[0].x + i;
    let v1 = source_d0[v0];
    let v2 = g_f32_to_i32(v1);
    let v3 = g_f32_to_u32(v1);
    let v4 = f64(v1);
    let v5 = g_f32_to_i64(v1);
    let v6 = g_f32_to_u64(v1);
    return Item(v1, v2, v3, v4, v5, v6);
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
