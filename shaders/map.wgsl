// Map: blocks of 1024 elements, four a thread, a workgroup apart, so that neighbours read and write side by side.
// params: number of elements at most, nothing, nothing, number of consecutive blocks that a workgroup takes.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let n = extent();
    let begin = (group.y * groups.x + group.x) * params.w;
    let end = min(begin + params.w, (n + 1023u) / 1024u);
    for (var block = begin; block < end; block++) {
        let first = block * 1024u + thread;
        if first + 768u < n {
            let a = source(first);
            let b = source(first + 256u);
            let c = source(first + 512u);
            let d = source(first + 768u);
            store_out(first, a);
            store_out(first + 256u, b);
            store_out(first + 512u, c);
            store_out(first + 768u, d);
        } else {
            for (var i = first; i < n; i += 256u) {
                store_out(i, source(i));
            }
        }
    }
}
