struct Item { f0: u32, f1: u32, f2: u32, f3: u32, f4: u32, f5: u32, f6: u32, f7: u32, f8: u32, f9: u32, f10: u32, f11: u32, f12: u32, f13: u32, f14: u32, f15: u32, f16: u32, f17: u32, f18: u32, f19: bool, f20: bool, f21: bool, f22: u32 }
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return Item(dst[i * 23u + 0u], dst[i * 23u + 1u], dst[i * 23u + 2u], dst[i * 23u + 3u], dst[i * 23u + 4u], dst[i * 23u + 5u], dst[i * 23u + 6u], dst[i * 23u + 7u], dst[i * 23u + 8u], dst[i * 23u + 9u], dst[i * 23u + 10u], dst[i * 23u + 11u], dst[i * 23u + 12u], dst[i * 23u + 13u], dst[i * 23u + 14u], dst[i * 23u + 15u], dst[i * 23u + 16u], dst[i * 23u + 17u], dst[i * 23u + 18u], (dst[i * 23u + 19u] != 0u), (dst[i * 23u + 20u] != 0u), (dst[i * 23u + 21u] != 0u), dst[i * 23u + 22u]);
}
fn store_dst(i: u32, v: Item) {
    dst[i * 23u + 0u] = v.f0;
    dst[i * 23u + 1u] = v.f1;
    dst[i * 23u + 2u] = v.f2;
    dst[i * 23u + 3u] = v.f3;
    dst[i * 23u + 4u] = v.f4;
    dst[i * 23u + 5u] = v.f5;
    dst[i * 23u + 6u] = v.f6;
    dst[i * 23u + 7u] = v.f7;
    dst[i * 23u + 8u] = v.f8;
    dst[i * 23u + 9u] = v.f9;
    dst[i * 23u + 10u] = v.f10;
    dst[i * 23u + 11u] = v.f11;
    dst[i * 23u + 12u] = v.f12;
    dst[i * 23u + 13u] = v.f13;
    dst[i * 23u + 14u] = v.f14;
    dst[i * 23u + 15u] = v.f15;
    dst[i * 23u + 16u] = v.f16;
    dst[i * 23u + 17u] = v.f17;
    dst[i * 23u + 18u] = v.f18;
    dst[i * 23u + 19u] = select(0u, 1u, v.f19);
    dst[i * 23u + 20u] = select(0u, 1u, v.f20);
    dst[i * 23u + 21u] = select(0u, 1u, v.f21);
    dst[i * 23u + 22u] = v.f22;
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 1>;
@group(0) @binding(2) var<storage, read> source_d0: array<u32>;
fn source(i: u32) -> Item {
    let v0 = source_u[0].x + i;
    let v1 = source_d0[v0 * 2u + 0u];
    let v2 = source_d0[v0 * 2u + 1u];
    let v3 = v1 + v2;
    let v4 = v1 - v2;
    let v5 = v1 * v2;
    let v6 = v1 / v2;
    let v7 = v1 % v2;
    let v8 = select(v1, v2, v2 < v1);
    let v9 = select(v1, v2, v2 > v1);
    let v10 = 0u - v1;
    let v11 = v1;
    let v12 = v1 & v2;
    let v13 = v1 | v2;
    let v14 = v1 ^ v2;
    let v15 = ~v1;
    let v16 = v1 << (v2 & 31u);
    let v17 = v1 >> (v2 & 31u);
    let v18 = reverseBits(v1);
    let v19 = countOneBits(v1);
    let v20 = countLeadingZeros(v1);
    let v21 = countTrailingZeros(v1);
    let v22 = v1 == v2;
    let v23 = v1 < v2;
    let v24 = v1 <= v2;
    var v25 = 0u;
    let v26 = v1 < v25;
    var v27 = 0u;
    let v28 = select(v1, v27, v26);
    let v29 = 1u < v28;
    let v30 = select(v28, 1u, v29);
    return Item(v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v30);
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
