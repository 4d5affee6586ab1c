struct Item { f0: i32, f1: f32, f2: f32 }
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return Item(bitcast<i32>(dst[i * 3u + 0u]), bitcast<f32>(dst[i * 3u + 1u]), bitcast<f32>(dst[i * 3u + 2u]));
}
fn store_dst(i: u32, v: Item) {
    dst[i * 3u + 0u] = bitcast<u32>(v.f0);
    dst[i * 3u + 1u] = bitcast<u32>(v.f1);
    dst[i * 3u + 2u] = bitcast<u32>(v.f2);
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 2>;
fn source(i: u32) -> Item {
    let v0 = bitcast<i32>(source_u[0].x);
    let v1 = bitcast<f32>(source_u[0].y);
    let v2 = bitcast<f32>(source_u[0].z);
    let v3 = source_u[0].w + i;
    let v4 = source_u[1].x - i;
    let v5 = bitcast<i32>(v3);
    let v6 = v0 + v5;
    let v7 = f32(v4);
    let v8 = v2 + v7;
    return Item(v6, v1, v8);
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
