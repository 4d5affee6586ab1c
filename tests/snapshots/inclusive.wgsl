alias Item = i32;
@group(0) @binding(0) var<storage, read_write> dst: array<i32>;
fn load_dst(i: u32) -> Item {
    return dst[i];
}
fn store_dst(i: u32, v: Item) {
    dst[i] = v;
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 1>;
@group(0) @binding(2) var<storage, read> source_d0: array<i32>;
fn source(i: u32) -> Item {
    var x0: i32;
    var x1: bool;
    var x2: i32;
    let v0 = source_u[0].x + i;
    let v1 = bitcast<i32>(source_u[0].y);
    let v2 = source_d0[v0];
    x0 = 0i;
    let v3 = v1 <= 2147483647i;
    x1 = v3;
    x2 = v1;
    loop {
        let v4 = x2;
        let v5 = x1;
        let v6 = !v5;
        if v6 {
            break;
        }
        let v7 = v4 == 2147483647i;
        let v8 = !v7;
        x1 = v8;
        let v9 = v4 + 1i;
        x2 = v9;
        let v10 = v4 ^ v2;
        let v11 = v10 & 15i;
        let v12 = x0;
        let v13 = v12 + v11;
        x0 = v13;
    }
    let v14 = x0;
    return v14;
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
