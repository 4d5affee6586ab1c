// Sorts each tile of elements by itself: a workgroup some consecutive tiles, one after the other. A thread sorts EACH neighbours, by exchanging
// those that stand side by side (N. Habermann, "Parallel neighbor-sort", 1972); then runs are merged in workgroup memory, two by two.
// params: number of elements, nothing, nothing, number of tiles that a workgroup takes.

fn sort_tile(thread: u32, tile: u32) {
    let first = tile * TILE;
    let count = min(params.x - first, TILE);
    for (var i = thread; i < count; i += 256u) {
        staged[i] = source(first + i);
    }
    workgroupBarrier();
    let mine = min(thread * EACH, count);
    let own = min(count - mine, EACH);
    var items: array<Item, EACH>;
    for (var k = 0u; k < own; k++) {
        items[k] = staged[mine + k];
    }
    for (var round = 0u; round < own; round++) {
        for (var k = (round & 1u) + 1u; k < own; k += 2u) {
            let a = items[k - 1u];
            let b = items[k];
            if precedes(b, a) {
                items[k - 1u] = b;
                items[k] = a;
            }
        }
    }
    put_staged(thread, count, &items);
    for (var run = EACH; run < TILE; run *= 2u) {
        let start = mine - mine % (2u * run);
        let left = min(run, count - start);
        let right = min(run, count - start - left);
        merge_staged(Staged(start, left, start + left, right), mine - start, &items);
        put_staged(thread, count, &items);
    }
    for (var i = thread; i < count; i += 256u) {
        store_out(first + i, staged[i]);
    }
    workgroupBarrier();
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let begin = (group.y * groups.x + group.x) * params.w;
    let end = min(begin + params.w, (params.x + TILE - 1u) / TILE);
    for (var tile = begin; tile < end; tile++) {
        sort_tile(thread, tile);
    }
}
