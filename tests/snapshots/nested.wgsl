alias Item = u32;
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return dst[i];
}
fn store_dst(i: u32, v: Item) {
    dst[i] = v;
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 1>;
@group(0) @binding(2) var<storage, read> source_d0: array<u32>;
fn source(i: u32) -> Item {
    var x0: u32;
    var x1: u32;
    var x2: u32;
    let v0 = source_u[0].x + i;
    let v1 = source_d0[v0];
    x0 = 0u;
    x1 = 0u;
    loop {
        let v2 = x1;
        let v3 = v2 < v1;
        let v4 = !v3;
        if v4 {
            break;
        }
        x2 = 0u;
        loop {
            let v5 = x2;
            let v6 = v5 < 5u;
            let v7 = !v6;
            if v7 {
                break;
            }
            let v8 = v5 + 1u;
            x2 = v8;
            let v9 = x1;
            let v10 = v5 == v9;
            if v10 {
                continue;
            }
            let v11 = x1;
            let v12 = v5 + v11;
            let v13 = 6u < v12;
            if v13 {
                break;
            }
            let v14 = x1;
            let v15 = v14 * 10u;
            let v16 = v15 + v5;
            let v17 = x0;
            let v18 = v17 + v16;
            x0 = v18;
        }
        let v19 = x1;
        let v20 = v19 + 1u;
        x1 = v20;
    }
    let v21 = x0;
    return v21;
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
