fn g_is_nan_f32(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}
fn g_max_f32(a: f32, b: f32) -> f32 {
    return select(a, b, (b > a) | g_is_nan_f32(a));
}
alias Item = f32;
@group(0) @binding(0) var<storage, read> src: array<f32>;
fn load_src(i: u32) -> Item {
    return src[i];
}
@group(0) @binding(1) var<storage, read_write> dst: array<f32>;
fn load_dst(i: u32) -> Item {
    return dst[i];
}
fn store_dst(i: u32, v: Item) {
    dst[i] = v;
}
fn shuffle_up_Item(v: Item, n: u32) -> Item {
    return subgroupShuffleUp(v, n);
}
fn shuffle_down_Item(v: Item, n: u32) -> Item {
    return subgroupShuffleDown(v, n);
}
@group(0) @binding(2) var<uniform> combine_u: array<vec4<u32>, 1>;
fn combine(a: Item, b: Item) -> Item {
    let v0 = g_max_f32(a, b);
    return v0;
}
fn combine_identity() -> Item {
    let v0 = bitcast<f32>(combine_u[0].x);
    return v0;
}
@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) i: u32) {
    let v = combine(combine_identity(), load_src(i));
    store_dst(i, combine(v, shuffle_down_Item(shuffle_up_Item(v, 1u), 1u)));
}
