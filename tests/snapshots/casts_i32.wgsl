struct Item { f0: f32, f1: i32, f2: u32 }
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return Item(bitcast<f32>(dst[i * 3u + 0u]), bitcast<i32>(dst[i * 3u + 1u]), dst[i * 3u + 2u]);
}
fn store_dst(i: u32, v: Item) {
    dst[i * 3u + 0u] = bitcast<u32>(v.f0);
    dst[i * 3u + 1u] = bitcast<u32>(v.f1);
    dst[i * 3u + 2u] = v.f2;
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 1>;
@group(0) @binding(2) var<storage, read> source_d0: array<i32>;
fn source(i: u32) -> Item {
    let v0 = source_u[0].x + i;
    let v1 = source_d0[v0];
    let v2 = f32(v1);
    let v3 = bitcast<u32>(v1);
    return Item(v2, v1, v3);
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
