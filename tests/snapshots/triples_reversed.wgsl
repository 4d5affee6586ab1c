struct Item { f0: bool, f1: f32 }
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return Item((dst[i * 2u + 0u] != 0u), bitcast<f32>(dst[i * 2u + 1u]));
}
fn store_dst(i: u32, v: Item) {
    dst[i * 2u + 0u] = select(0u, 1u, v.f0);
    dst[i * 2u + 1u] = bitcast<u32>(v.f1);
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 1>;
@group(0) @binding(2) var<storage, read> source_d0: array<u32>;
fn source(i: u32) -> Item {
    let v0 = source_u[0].x - i;
    let v1 = bitcast<f32>(source_d0[v0 * 3u + 0u]);
    let v2 = source_d0[v0 * 3u + 1u];
    let v3 = (source_d0[v0 * 3u + 2u] != 0u);
    let v4 = f32(v2);
    let v5 = select(v4, v1, v3);
    let v6 = v5 < 5.0f;
    let v7 = v3 != v6;
    return Item(v7, v5);
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
