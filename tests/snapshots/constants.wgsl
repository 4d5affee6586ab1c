fn g_is_nan_f32(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}
fn g_min_f32(a: f32, b: f32) -> f32 {
    return select(a, b, (b < a) | g_is_nan_f32(a));
}
fn g_max_f32(a: f32, b: f32) -> f32 {
    return select(a, b, (b > a) | g_is_nan_f32(a));
}
struct Item { f0: f32, f1: f32, f2: f32, f3: f32, f4: i32, f5: u32, f6: f32 }
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return Item(bitcast<f32>(dst[i * 7u + 0u]), bitcast<f32>(dst[i * 7u + 1u]), bitcast<f32>(dst[i * 7u + 2u]), bitcast<f32>(dst[i * 7u + 3u]), bitcast<i32>(dst[i * 7u + 4u]), dst[i * 7u + 5u], bitcast<f32>(dst[i * 7u + 6u]));
}
fn store_dst(i: u32, v: Item) {
    dst[i * 7u + 0u] = bitcast<u32>(v.f0);
    dst[i * 7u + 1u] = bitcast<u32>(v.f1);
    dst[i * 7u + 2u] = bitcast<u32>(v.f2);
    dst[i * 7u + 3u] = bitcast<u32>(v.f3);
    dst[i * 7u + 4u] = bitcast<u32>(v.f4);
    dst[i * 7u + 5u] = v.f5;
    dst[i * 7u + 6u] = bitcast<u32>(v.f6);
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 2>;
@group(0) @binding(2) var<storage, read> source_d0: array<f32>;
fn source(i: u32) -> Item {
    let v0 = source_u[0].x + i;
    let v1 = bitcast<f32>(source_u[0].y);
    let v2 = bitcast<f32>(source_u[0].z);
    let v3 = bitcast<f32>(source_u[0].w);
    let v4 = bitcast<f32>(source_u[1].x);
    let v5 = source_d0[v0];
    var v6 = 7u;
    var v7 = 0u;
    let v8 = v6 / v7;
    var v9 = 2147483649u;
    let v10 = v9 << 1u;
    let v11 = g_max_f32(v5, v1);
    let v12 = g_min_f32(v5, v2);
    let v13 = v5 < v3;
    let v14 = select(3.4028235e38f, v4, v13);
    let v15 = v5 + 0.1f;
    var v16 = i32(-2147483648);
    var v17 = -2147483647i;
    let v18 = v16 ^ v17;
    let v19 = v8 + v10;
    var v20 = 1e38f;
    var v21 = 1e-5f;
    let v22 = v20 / v21;
    return Item(v11, v12, v14, v15, v18, v19, v22);
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
