alias Item = f32;
@group(0) @binding(0) var<storage, read_write> dst: array<f32>;
fn load_dst(i: u32) -> Item {
    return dst[i];
}
fn store_dst(i: u32, v: Item) {
    dst[i] = v;
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 1>;
@group(0) @binding(2) var<storage, read> source_d0: array<f32>;
fn source(i: u32) -> Item {
    let v0 = source_u[0].x + i * source_u[0].y;
    let v1 = source_d0[v0];
    return v1;
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
