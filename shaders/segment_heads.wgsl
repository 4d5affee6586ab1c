// Flags the first element of each segment that is not empty.
// The source is a window of the offsets.
// params: number of segments, where the first of them begins in the window, nothing, number of blocks of 256 that a workgroup takes; the
// first element of the window of the flags, and the first behind it.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let begin = (group.y * groups.x + group.x) * params.w;
    let end = min((begin + params.w) * 256u, params.x);
    for (var segment = begin * 256u + thread; segment < end; segment += 256u) {
        let at = source(params.y + segment);
        if at >= params.more.x && at < params.more.y && at < source(params.y + segment + 1u) {
            store_flags(at - params.more.x, true);
        }
    }
}
