// How many segments have ended where each tile of the path begins, and where the last one ends: by halving, a tile a thread.
// The source is the window of the offsets; element `params.more.x` of it is where the first segment begins.
// params: number of tiles and one, number of segments, length of the path, number of blocks of 256 that a workgroup takes; where the
// first segment begins in the window, steps of a tile, the first element.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let begin = (group.y * groups.x + group.x) * params.w;
    let end = min((begin + params.w) * 256u, params.x);
    for (var tile = begin * 256u + thread; tile < end; tile += 256u) {
        let far = min(tile * params.more.y, params.z);
        var ended = 0u;
        var left = params.y;
        while left > 0u {
            let half = left / 2u;
            // The end of a segment comes when it and all before it have ended and their elements were read.
            if source(params.more.x + ended + half + 1u) - params.more.z + ended + half < far {
                ended += half + 1u;
                left -= half + 1u;
            } else {
                left = half;
            }
        }
        store_starts(tile, ended);
    }
}
