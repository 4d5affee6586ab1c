alias Item = u32;
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return dst[i];
}
fn store_dst(i: u32, v: Item) {
    dst[i] = v;
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 1>;
fn source(i: u32) -> Item {
    var x0: bool;
    var x1: u32;
    var x2: u32;
    let v0 = source_u[0].x;
    let v1 = source_u[0].y + i;
    let v2 = v0 + v1;
    x0 = false;
    loop {
        x1 = 0u;
        x2 = 0u;
        loop {
            let v3 = x2;
            let v4 = v3 + 1u;
            x2 = v4;
            loop {
                var v5 = true;
                let v6 = !v5;
                if v6 {
                    break;
                }
                let v7 = x2;
                let v8 = v7 * v2;
                let v9 = 50u < v8;
                if v9 {
                    let v10 = x2;
                    x1 = v10;
                    x0 = true;
                    break;
                }
                let v11 = x2;
                let v12 = v11 % 3u;
                var v13 = 0u;
                let v14 = v12 == v13;
                if v14 {
                    break;
                }
                let v15 = x2;
                let v16 = v15 + 1u;
                x2 = v16;
            }
            let v17 = x0;
            if v17 {
                break;
            }
            let v18 = x2;
            let v19 = 90u < v18;
            if v19 {
                x1 = 7u;
                x0 = true;
                break;
            }
        }
        let v20 = x0;
        if v20 {
            break;
        }
        break;
    }
    let v21 = x1;
    return v21;
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
