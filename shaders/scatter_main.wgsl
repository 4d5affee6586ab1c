// Visits each element once, in any order: a workgroup some consecutive tiles.
// params: number of elements at most, nothing, nothing, number of tiles that a workgroup takes.

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
        visit(i);
    }
}
