// Counts the digits of the keys in each block of 2048: a workgroup some consecutive blocks, one after the other.
// The counts of a digit lie side by side, so that their prefix sums say where each block's keys of it go.
// params: number of keys, number of the first block, number of all blocks, number of blocks that a workgroup takes; the digit: its
// lowest bit, its width, and in which word of a key it is.

var<workgroup> tally: array<atomic<u32>, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let begin = (group.y * groups.x + group.x) * params.w;
    let end = min(begin + params.w, (params.x + 2047u) / 2048u);
    let digit = params.more.x;
    for (var block = begin; block < end; block++) {
        atomicStore(&tally[thread], 0u);
        workgroupBarrier();
        let last = min(block * 2048u + 2048u, params.x);
        for (var i = block * 2048u + thread; i < last; i += 256u) {
            let word = word_of(source(i), (digit >> 16u) & 255u);
            atomicAdd(&tally[extractBits(word, digit & 255u, (digit >> 8u) & 255u)], 1u);
        }
        workgroupBarrier();
        store_tallies(thread * params.z + params.y + block, atomicLoad(&tally[thread]));
        workgroupBarrier();
    }
}
