// Brings elements to their places by the positions at which they stood: a block of 1024 at a time.
// params: number of positions, words of an element, 0, number of blocks that a workgroup takes; the first element of the window that
// is read, and the first behind it.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let begin = (group.y * groups.x + group.x) * params.w;
    let end = min(begin + params.w, (params.x + 1023u) / 1024u);
    for (var block = begin; block < end; block++) {
        let last = min(block * 1024u + 1024u, params.x);
        for (var i = block * 1024u + thread; i < last; i += 256u) {
            let position = source(i);
            if position >= params.more.x && position < params.more.y {
                for (var word = 0u; word < params.y; word++) {
                    store_out(i * params.y + word, load_values((position - params.more.x) * params.y + word));
                }
            }
        }
    }
}
