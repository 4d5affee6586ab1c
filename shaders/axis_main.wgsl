// Visits each number below that of the results, or of the threads: a workgroup some consecutive blocks of 256.
// params: how many there are, nothing, nothing, blocks that a workgroup takes.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let begin = (group.y * groups.x + group.x) * params.w * 256u;
    let end = min(begin + params.w * 256u, params.x);
    for (var i = begin + thread; i < end; i += 256u) {
        visit(i);
    }
}
