struct Item { f0: i32, f1: i32, f2: i32, f3: i32, f4: i32, f5: i32, f6: i32, f7: i32, f8: i32, f9: i32, f10: i32, f11: i32, f12: i32, f13: i32, f14: i32, f15: i32, f16: u32, f17: u32, f18: u32, f19: bool, f20: bool, f21: bool, f22: i32 }
@group(0) @binding(0) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return Item(bitcast<i32>(dst[i * 23u + 0u]), bitcast<i32>(dst[i * 23u + 1u]), bitcast<i32>(dst[i * 23u + 2u]), bitcast<i32>(dst[i * 23u + 3u]), bitcast<i32>(dst[i * 23u + 4u]), bitcast<i32>(dst[i * 23u + 5u]), bitcast<i32>(dst[i * 23u + 6u]), bitcast<i32>(dst[i * 23u + 7u]), bitcast<i32>(dst[i * 23u + 8u]), bitcast<i32>(dst[i * 23u + 9u]), bitcast<i32>(dst[i * 23u + 10u]), bitcast<i32>(dst[i * 23u + 11u]), bitcast<i32>(dst[i * 23u + 12u]), bitcast<i32>(dst[i * 23u + 13u]), bitcast<i32>(dst[i * 23u + 14u]), bitcast<i32>(dst[i * 23u + 15u]), dst[i * 23u + 16u], dst[i * 23u + 17u], dst[i * 23u + 18u], (dst[i * 23u + 19u] != 0u), (dst[i * 23u + 20u] != 0u), (dst[i * 23u + 21u] != 0u), bitcast<i32>(dst[i * 23u + 22u]));
}
fn store_dst(i: u32, v: Item) {
    dst[i * 23u + 0u] = bitcast<u32>(v.f0);
    dst[i * 23u + 1u] = bitcast<u32>(v.f1);
    dst[i * 23u + 2u] = bitcast<u32>(v.f2);
    dst[i * 23u + 3u] = bitcast<u32>(v.f3);
    dst[i * 23u + 4u] = bitcast<u32>(v.f4);
    dst[i * 23u + 5u] = bitcast<u32>(v.f5);
    dst[i * 23u + 6u] = bitcast<u32>(v.f6);
    dst[i * 23u + 7u] = bitcast<u32>(v.f7);
    dst[i * 23u + 8u] = bitcast<u32>(v.f8);
    dst[i * 23u + 9u] = bitcast<u32>(v.f9);
    dst[i * 23u + 10u] = bitcast<u32>(v.f10);
    dst[i * 23u + 11u] = bitcast<u32>(v.f11);
    dst[i * 23u + 12u] = bitcast<u32>(v.f12);
    dst[i * 23u + 13u] = bitcast<u32>(v.f13);
    dst[i * 23u + 14u] = bitcast<u32>(v.f14);
    dst[i * 23u + 15u] = bitcast<u32>(v.f15);
    dst[i * 23u + 16u] = v.f16;
    dst[i * 23u + 17u] = v.f17;
    dst[i * 23u + 18u] = v.f18;
    dst[i * 23u + 19u] = select(0u, 1u, v.f19);
    dst[i * 23u + 20u] = select(0u, 1u, v.f20);
    dst[i * 23u + 21u] = select(0u, 1u, v.f21);
    dst[i * 23u + 22u] = bitcast<u32>(v.f22);
}
@group(0) @binding(1) var<uniform> source_u: array<vec4<u32>, 1>;
@group(0) @binding(2) var<storage, read> source_d0: array<u32>;
fn source(i: u32) -> Item {
    let v0 = source_u[0].x + i;
    let v1 = bitcast<i32>(source_d0[v0 * 2u + 0u]);
    let v2 = bitcast<i32>(source_d0[v0 * 2u + 1u]);
    let v3 = v1 + v2;
    let v4 = v1 - v2;
    let v5 = v1 * v2;
    let v6 = v1 / v2;
    let v7 = v1 % v2;
    let v8 = select(v1, v2, v2 < v1);
    let v9 = select(v1, v2, v2 > v1);
    let v10 = -v1;
    let v11 = abs(v1);
    let v12 = v1 & v2;
    let v13 = v1 | v2;
    let v14 = v1 ^ v2;
    let v15 = ~v1;
    let v16 = bitcast<u32>(v2);
    let v17 = v1 << (v16 & 31u);
    let v18 = v1 >> (v16 & 31u);
    let v19 = bitcast<i32>(reverseBits(bitcast<u32>(v1)));
    let v20 = countOneBits(bitcast<u32>(v1));
    let v21 = countLeadingZeros(bitcast<u32>(v1));
    let v22 = countTrailingZeros(bitcast<u32>(v1));
    let v23 = v1 == v2;
    let v24 = v1 < v2;
    let v25 = v1 <= v2;
    var v26 = 0i;
    let v27 = v1 < v26;
    var v28 = 0i;
    let v29 = select(v1, v28, v27);
    let v30 = 1i < v29;
    let v31 = select(v29, 1i, v30);
    return Item(v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v17, v18, v19, v20, v21, v22, v23, v24, v25, v31);
}
@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}
