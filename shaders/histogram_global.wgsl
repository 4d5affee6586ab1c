// Adds up bins that do not fit into a workgroup's memory: a workgroup some consecutive tiles.
// A thread adds up what it finds in one bin one after the other before it goes to memory.
// params: number of elements at most, the first bin of the window, number of its bins, number of tiles that a workgroup takes.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let bins = params.z;
    let n = extent();
    let tiles = (n + 4095u) / 4096u;
    let begin = min((group.y * groups.x + group.x) * params.w, tiles);
    let end = min(min(begin + params.w, tiles) * 4096u, n);
    // What lies below the window is above it too, modulo 2^32.
    var bin = bins;
    var sum = 0u;
    for (var i = begin * 4096u + thread; i < end; i += 256u) {
        let x = source(i);
        if bin_of(x) - params.y != bin {
            if bin < bins {
                atomicAdd(&sums[bin], sum);
            }
            bin = bin_of(x) - params.y;
            sum = 0u;
        }
        sum += amount_of(x);
    }
    if bin < bins {
        atomicAdd(&sums[bin], sum);
    }
}
