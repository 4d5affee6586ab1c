struct Item { f0: f32, f1: u32 }
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return Item(bitcast<f32>(dst[i * 2u + 0u]), dst[i * 2u + 1u]);
}
fn store_dst(i: u32, v: Item) {
    dst[i * 2u + 0u] = bitcast<u32>(v.f0);
    dst[i * 2u + 1u] = v.f1;
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 1>;
@group(0) @binding(2) var<storage, read> source_d0: array<u32>;
@group(0) @binding(3) var<storage, read> source_d1: array<u32>;
fn source(i: u32) -> Item {
    let v0 = source_u[0].y + i;
    let v1 = source_d0[v0];
    let v2 = min(v1, max(source_u[0].x, 1u) - 1u);
    let v3 = select(0.0f, bitcast<f32>(source_d1[v2 * 2u + 0u]), source_u[0].x != 0u);
    let v4 = select(0u, source_d1[v2 * 2u + 1u], source_u[0].x != 0u);
    return Item(v3, v4);
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
