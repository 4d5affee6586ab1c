// Writes the elements that were found to be the last with their index: a workgroup some consecutive tiles.
// params: as in `scatter_claim.wgsl`.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let n = extent();
    let tiles = (n + 4095u) / 4096u;
    let begin = min((group.y * groups.x + group.x) * params.w, tiles);
    let end = min(min(begin + params.w, tiles) * 4096u, n);
    for (var i = begin * 4096u + thread; i < end; i += 256u) {
        let x = source(i);
        let at = x.f0 - params.y;
        if at < params.z {
            if load_winners(at) == params.more.x + i + 1u {
                store_out(at, value_of(x));
            }
        }
    }
}
