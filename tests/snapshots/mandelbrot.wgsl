alias Item = u32;
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return dst[i];
}
fn store_dst(i: u32, v: Item) {
    dst[i] = v;
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 1>;
@group(0) @binding(2) var<storage, read> source_d0: array<f32>;
@group(0) @binding(3) var<storage, read> source_d1: array<f32>;
fn source(i: u32) -> Item {
    var x0: f32;
    var x1: f32;
    var x2: u32;
    let v0 = source_u[0].x + i;
    let v1 = source_u[0].y + i;
    let v2 = source_u[0].z;
    let v3 = source_d0[v0];
    let v4 = source_d1[v1];
    x0 = 0.0f;
    x1 = 0.0f;
    x2 = 0u;
    loop {
        let v5 = x0;
        let v6 = v5 * v5;
        let v7 = x1;
        let v8 = v7 * v7;
        let v9 = x2;
        let v10 = v9 < v2;
        let v11 = v6 + v8;
        let v12 = v11 <= 4.0f;
        let v13 = v10 & v12;
        let v14 = !v13;
        if v14 {
            break;
        }
        let v15 = v6 - v8;
        let v16 = v15 + v3;
        let v17 = 2.0f * v5;
        let v18 = v17 * v7;
        let v19 = v18 + v4;
        x1 = v19;
        x0 = v16;
        let v20 = v9 + 1u;
        x2 = v20;
    }
    let v21 = x2;
    return v21;
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
