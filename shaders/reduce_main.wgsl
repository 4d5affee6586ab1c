// Reduces each tile to one item.
// params: number of elements, where the first tile's result goes.

@compute @workgroup_size(128)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let tile = group.y * groups.x + group.x;
    if tile >= (params.x + 4095u) / 4096u {
        return;
    }
    let first = tile * 4096u;
    let acc = reduce_tile(thread, first, min(4096u, params.x - first));
    if thread == 0u {
        store_out(params.y + tile, acc);
    }
}
