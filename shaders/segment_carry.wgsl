// Combines what the tiles before have left of a segment with what it has in the tile in which it ends: a tile a thread.
// The source is the inclusive scan of what all tiles have left.
// params: number of tiles, number of the first tile, number of the tile with which the window of the source begins, number of blocks of
// 256 that a workgroup takes; where the first segment begins in the window of the offsets, the first element, where the first
// segment's result is in the window of the output.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let begin = (group.y * groups.x + group.x) * params.w;
    let end = min((begin + params.w) * 256u, params.x);
    for (var tile = begin * 256u + thread; tile < end; tile += 256u) {
        let segment = load_starts(tile);
        if params.y + tile > 0u && segment < load_starts(tile + 1u) {
            let before = source(params.y + tile - 1u - params.z);
            if (before.f0 & 1u) != 0u {
                let at = params.more.z + segment;
                // How many elements were read when the tile begins.
                let read = tile * 1024u - segment;
                var all = before;
                if load_offsets(params.more.x + segment + 1u) - params.more.y > read {
                    all = combine(before, there(load_out(at)));
                }
                store_out(at, value_of(all));
            }
        }
    }
}
