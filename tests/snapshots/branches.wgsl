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
    var x0: f32;
    var x1: f32;
    let v0 = source_u[0].x + i;
    let v1 = source_d0[v0];
    var v2 = 0.0f;
    let v3 = v1 < v2;
    if v3 {
        let v4 = v1 < -10.0f;
        if v4 {
            x0 = 1.0f;
        } else {
            let v5 = -v1;
            x0 = v5;
        }
        let v6 = x0;
        x1 = v6;
    } else {
        let v7 = v1 * 2.0f;
        x1 = v7;
    }
    let v8 = x1;
    return v8;
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
