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
    let v5 = v3 >> 2u;
    let v6 = v4 << 30u;
    let v7 = v5 | v6;
    let v8 = v4 >> 2u;
    x0 = v7;
    x1 = v8;
    x2 = v2;
    x3 = 0u;
    x4 = v0;
    x5 = v1;
    x6 = 0i;
    loop {
        let v9 = x6;
        let v10 = v9 < 9i;
        let v11 = !v10;
        if v11 {
            break;
        }
        let v12 = v9 + 1i;
        x6 = v12;
        let v13 = x0;
        let v14 = x1;
        let v15 = x2;
        let v16 = x3;
        let v17 = x4;
        let v18 = x5;
        let v19 = 3528531795u * v13;
        let v20 = g_mul_hi(3528531795u, v13);
        let v21 = 3449720151u * v15;
        let v22 = g_mul_hi(3449720151u, v15);
        let v23 = v22 ^ v14;
        let v24 = v23 ^ v17;
        let v25 = v20 ^ v16;
        let v26 = v25 ^ v18;
        x0 = v24;
        x1 = v21;
        x2 = v26;
        x3 = v19;
        let v27 = v17 + 2654435769u;
        let v28 = v18 + 3144134277u;
        x4 = v27;
        x5 = v28;
    }
    let v29 = x0;
    let v30 = x1;
    let v31 = x2;
    let v32 = x3;
    let v33 = x4;
    let v34 = x5;
    let v35 = 3528531795u * v29;
    let v36 = g_mul_hi(3528531795u, v29);
    let v37 = 3449720151u * v31;
    let v38 = g_mul_hi(3449720151u, v31);
    let v39 = v38 ^ v30;
    let v40 = v39 ^ v33;
    let v41 = v36 ^ v32;
    let v42 = v41 ^ v34;
    let v43 = v3 & 2u;
    var v44 = 0u;
    let v45 = v43 == v44;
    let v46 = select(v42, v40, v45);
    let v47 = select(v35, v37, v45);
    let v48 = v3 & 1u;
    var v49 = 0u;
    let v50 = v48 == v49;
    let v51 = select(v47, v46, v50);
    return v51;
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
