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
    var x0: bool;
    var x1: u32;
    var x2: u32;
    var x3: bool;
    var x4: u32;
    var x5: u32;
    let v0 = source_u[0].x + i;
    let v1 = source_u[0].y;
    let v2 = source_d0[v0];
    x0 = false;
    loop {
        x1 = 0u;
        x2 = 0u;
        loop {
            let v3 = x2;
            let v4 = v3 < v1;
            let v5 = !v4;
            if v5 {
                break;
            }
            let v6 = v3 + 1u;
            x2 = v6;
            let v7 = min(v3, max(source_u[0].y, 1u) - 1u);
            let v8 = select(0.0f, source_d1[v7], source_u[0].y != 0u);
            let v9 = v2 < v8;
            if v9 {
                x1 = v3;
                x0 = true;
                break;
            }
        }
        let v10 = x0;
        if v10 {
            break;
        }
        x1 = 4294967295u;
        break;
    }
    let v11 = x1;
    x3 = false;
    loop {
        x4 = 0u;
        x5 = 0u;
        loop {
            let v12 = x5;
            let v13 = v12 + 1u;
            x5 = v13;
            loop {
                var v14 = true;
                let v15 = !v14;
                if v15 {
                    break;
                }
                let v16 = x5;
                let v17 = v16 * v11;
                let v18 = 50u < v17;
                if v18 {
                    let v19 = x5;
                    x4 = v19;
                    x3 = true;
                    break;
                }
                let v20 = x5;
                let v21 = v20 % 3u;
                var v22 = 0u;
                let v23 = v21 == v22;
                if v23 {
                    break;
                }
                let v24 = x5;
                let v25 = v24 + 1u;
                x5 = v25;
            }
            let v26 = x3;
            if v26 {
                break;
            }
            let v27 = x5;
            let v28 = 90u < v27;
            if v28 {
                x4 = 7u;
                x3 = true;
                break;
            }
        }
        let v29 = x3;
        if v29 {
            break;
        }
        break;
    }
    let v30 = x4;
    return v30;
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
