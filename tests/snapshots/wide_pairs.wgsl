struct Item { f0: u32, f1: f64 }
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return Item(dst[i * 3u + 0u], bitcast<f64>(((u64(dst[i * 3u + 2u]) << 32u) | u64(dst[i * 3u + 1u]))));
}
fn store_dst(i: u32, v: Item) {
    dst[i * 3u + 0u] = v.f0;
    dst[i * 3u + 1u] = u32(bitcast<u64>(v.f1) & 0xfffffffflu);
    dst[i * 3u + 2u] = u32(bitcast<u64>(v.f1) >> 32u);
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 1>;
@group(0) @binding(2) var<storage, read> source_d0: array<u32>;
fn source(i: u32) -> Item {
    let v0 = source_u[0].x + i;
    let v1 = source_d0[v0 * 3u + 0u];
    let v2 = bitcast<f64>(((u64(source_d0[v0 * 3u + 2u]) << 32u) | u64(source_d0[v0 * 3u + 1u])));
    return Item(v1, v2);
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
