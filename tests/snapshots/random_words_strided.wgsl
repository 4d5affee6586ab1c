// The upper half of the product of two numbers, from the products of their halves.
fn g_mul_hi(a: u32, b: u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let mixed = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let other = (a & 0xffffu) * (b >> 16u) + (mixed & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (mixed >> 16u) + (other >> 16u);
}
// The upper half of start + i * step, of 64 bits each.
fn g_affine_high(start_low: u32, start_high: u32, i: u32, step_low: u32, step_high: u32) -> u32 {
    let low = i * step_low;
    let carry = select(0u, 1u, start_low + low < low);
    return start_high + g_mul_hi(i, step_low) + i * step_high + carry;
}
alias Item = u32;
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return dst[i];
}
fn store_dst(i: u32, v: Item) {
    dst[i] = v;
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 3>;
fn source(i: u32) -> Item {
    var x0: u32;
    var x1: u32;
    var x2: u32;
    var x3: u32;
    var x4: u32;
    var x5: u32;
    var x6: i32;
    let v0 = source_u[0].x;
    let v1 = source_u[0].y;
    let v2 = source_u[0].z;
    let v3 = source_u[0].w + i * source_u[1].x;
    let v4 = g_affine_high(source_u[1].y, source_u[1].z, i, source_u[1].w, source_u[2].x);
    var v5 = 2i;
    let v6 = bitcast<u32>(v5);
    let v7 = v3 >> (v6 & 31u);
    var v8 = 30i;
    let v9 = bitcast<u32>(v8);
    let v10 = v4 << (v9 & 31u);
    let v11 = v7 | v10;
    let v12 = v4 >> (v6 & 31u);
    x0 = v11;
    x1 = v12;
    x2 = v2;
    x3 = 0u;
    x4 = v0;
    x5 = v1;
    x6 = 0i;
    loop {
        let v13 = x6;
        let v14 = v13 < 9i;
        let v15 = !v14;
        if v15 {
            break;
        }
        let v16 = v13 + 1i;
        x6 = v16;
        let v17 = x0;
        let v18 = x1;
        let v19 = x2;
        let v20 = x3;
        let v21 = x4;
        let v22 = x5;
        let v23 = 3528531795u * v17;
        let v24 = g_mul_hi(3528531795u, v17);
        let v25 = 3449720151u * v19;
        let v26 = g_mul_hi(3449720151u, v19);
        let v27 = v26 ^ v18;
        let v28 = v27 ^ v21;
        let v29 = v24 ^ v20;
        let v30 = v29 ^ v22;
        x0 = v28;
        x1 = v25;
        x2 = v30;
        x3 = v23;
        let v31 = v21 + 2654435769u;
        let v32 = v22 + 3144134277u;
        x4 = v31;
        x5 = v32;
    }
    let v33 = x0;
    let v34 = x1;
    let v35 = x2;
    let v36 = x3;
    let v37 = x4;
    let v38 = x5;
    let v39 = 3528531795u * v33;
    let v40 = g_mul_hi(3528531795u, v33);
    let v41 = 3449720151u * v35;
    let v42 = g_mul_hi(3449720151u, v35);
    let v43 = v42 ^ v34;
    let v44 = v43 ^ v37;
    let v45 = v40 ^ v36;
    let v46 = v45 ^ v38;
    let v47 = v3 & 2u;
    var v48 = 0u;
    let v49 = v47 == v48;
    let v50 = select(v46, v44, v49);
    let v51 = select(v39, v41, v49);
    let v52 = v3 & 1u;
    var v53 = 0u;
    let v54 = v52 == v53;
    let v55 = select(v51, v50, v54);
    return v55;
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
