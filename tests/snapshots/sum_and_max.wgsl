struct Item { f0: f32, f1: i32 }
@group(0) @binding(0) var<storage, read> src: array<u32>;
fn load_src(i: u32) -> Item {
    return Item(bitcast<f32>(src[i * 2u + 0u]), bitcast<i32>(src[i * 2u + 1u]));
}
@group(0) @binding(1) var<storage, read_write> dst: array<u32>;
fn load_dst(i: u32) -> Item {
    return Item(bitcast<f32>(dst[i * 2u + 0u]), bitcast<i32>(dst[i * 2u + 1u]));
}
fn store_dst(i: u32, v: Item) {
    dst[i * 2u + 0u] = bitcast<u32>(v.f0);
    dst[i * 2u + 1u] = bitcast<u32>(v.f1);
}
fn shuffle_up_Item(v: Item, n: u32) -> Item {
    return Item(subgroupShuffleUp(v.f0, n), subgroupShuffleUp(v.f1, n));
}
fn shuffle_down_Item(v: Item, n: u32) -> Item {
    return Item(subgroupShuffleDown(v.f0, n), subgroupShuffleDown(v.f1, n));
}
@group(0) @binding(2) var<uniform> combine_u: array<vec4<u32>, 1>;
fn combine(a: Item, b: Item) -> Item {
    let v0 = a.f0 + b.f0;
    let v1 = select(a.f1, b.f1, b.f1 > a.f1);
    return Item(v0, v1);
}
fn combine_identity() -> Item {
    let v0 = bitcast<f32>(combine_u[0].x);
    let v1 = bitcast<i32>(combine_u[0].y);
    return Item(v0, v1);
}
@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) i: u32) {
    let v = combine(combine_identity(), load_src(i));
    store_dst(i, combine(v, shuffle_down_Item(shuffle_up_Item(v, 1u), 1u)));
}
