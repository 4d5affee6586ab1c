// The words of a source's elements, as the ordered form of keys or as they are: a block of 1024 elements at a time.
// params: number of elements, mode of the keys, 0, number of blocks that a workgroup takes.

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
            store_out(i, encode(words_of(source(i)), params.y));
        }
    }
}
