// Adds up each bin in the workgroup's memory, and then adds that to all: a workgroup some consecutive tiles.
// A bin has several counters, a power of two, which neighbouring threads take in turn, so that fewer wait for each other where most
// elements fall into few bins. A thread adds up what it finds in one bin one after the other before it goes to memory.
// params: number of elements at most, number of bins, counters of a bin, number of tiles that a workgroup takes.

var<workgroup> table: array<atomic<u32>, 4096>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let bins = params.y;
    let counters = params.z;
    for (var slot = thread; slot < bins * counters; slot += 256u) {
        atomicStore(&table[slot], 0u);
    }
    workgroupBarrier();
    let n = extent();
    let tiles = (n + 4095u) / 4096u;
    let begin = min((group.y * groups.x + group.x) * params.w, tiles);
    let end = min(min(begin + params.w, tiles) * 4096u, n);
    let counter = thread & (counters - 1u);
    var bin = bins;
    var sum = 0u;
    for (var i = begin * 4096u + thread; i < end; i += 256u) {
        let x = source(i);
        if bin_of(x) != bin {
            if bin < bins {
                atomicAdd(&table[bin * counters + counter], sum);
            }
            bin = bin_of(x);
            sum = 0u;
        }
        sum += amount_of(x);
    }
    if bin < bins {
        atomicAdd(&table[bin * counters + counter], sum);
    }
    workgroupBarrier();
    for (bin = thread; bin < bins; bin += 256u) {
        sum = 0u;
        for (var k = 0u; k < counters; k++) {
            sum += atomicLoad(&table[bin * counters + k]);
        }
        if sum != 0u {
            atomicAdd(&sums[bin], sum);
        }
    }
}
