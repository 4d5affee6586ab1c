// Reduces each tile to one item: a workgroup some consecutive tiles, one after the other.
// params: number of elements at most, where the first tile's result goes, nothing, number of tiles that a workgroup takes.

@compute @workgroup_size(128)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let begin = (group.y * groups.x + group.x) * params.w;
    let n = extent();
    let end = min(begin + params.w, (n + 4095u) / 4096u);
    for (var tile = begin; tile < end; tile++) {
        let first = tile * 4096u;
        // Ends behind a barrier that follows its last reading of workgroup memory, so the next one may write there.
        let acc = reduce_tile(thread, first, min(4096u, n - first));
        if thread == 0u {
            store_out(params.y + tile, acc);
        }
    }
    if n == 0u && begin == 0u && params.y == 0u && thread == 0u {
        store_out(0u, combine_identity());
    }
}
