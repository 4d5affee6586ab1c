// Counts the elements of each class in each tile: a workgroup some consecutive tiles, one after the other.
// The counts of a class lie side by side, so that their prefix sums say where each tile's elements of it go.
// params: number of elements at most, number of the first tile, number of all tiles, number of tiles that a workgroup takes.

var<workgroup> tally: array<atomic<u32>, 3>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let begin = (group.y * groups.x + group.x) * params.w;
    // Tiles that turn out not to exist are counted too, as empty.
    let end = min(begin + params.w, (params.x + 4095u) / 4096u);
    let n = extent();
    for (var tile = begin; tile < end; tile++) {
        if thread < CLASSES {
            atomicStore(&tally[thread], 0u);
        }
        workgroupBarrier();
        var own = array<u32, 3>();
        let last = min(tile * 4096u + 4096u, n);
        for (var i = tile * 4096u + thread; i < last; i += 256u) {
            let which = class_of(source(i));
            for (var k = 0u; k < CLASSES; k++) {
                own[k] += select(0u, 1u, which == k);
            }
        }
        for (var k = 0u; k < CLASSES; k++) {
            atomicAdd(&tally[k], own[k]);
        }
        workgroupBarrier();
        if thread < CLASSES {
            store_tallies(thread * params.z + params.y + tile, atomicLoad(&tally[thread]));
        }
        workgroupBarrier();
    }
}
