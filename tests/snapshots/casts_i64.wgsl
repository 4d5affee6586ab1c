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
@group(0) @binding(2) var<storage, read> source_d0: array<i64>;
fn source(i: u32) -> Item {
    let v0 = source_u[0].x + i;
    let v1 = source_d0[v0];
    let v2 = f32(v1);
    let v3 = bitcast<i32>(u32(bitcast<u64>(v1) & 0xfffffffflu));
    let v4 = u32(bitcast<u64>(v1) & 0xfffffffflu);
    let v5 = f64(v1);
    let v6 = bitcast<u64>(v1);
    return Item(v2, v3, v4, v5, v1, v6);
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
