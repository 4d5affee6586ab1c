// Merges: a workgroup some consecutive tiles of the result, one after the other. What a tile comes of is brought to workgroup memory and
// merged there.
// `crossings` says where each tile begins in the first of its runs.
// params: elements of the result's window, its first tile, and what the runs are made of; number of tiles that a workgroup takes.

fn merge_tile(thread: u32, tile: u32) {
    let first = tile * TILE;
    let runs = runs_at(first);
    let d = first - runs.start;
    // What there is: the runs end in the tile, or it is full.
    let count = min(runs.left + runs.right - d, TILE);
    let begin = load_crossings(tile);
    var end = runs.left;
    if d + TILE < runs.left + runs.right {
        end = load_crossings(tile + 1u);
    }
    // An order that is none may have given anything up to the length of a run.
    let left = min(max(end, begin) - begin, count);
    let right = min(count - left, runs.right - (d - begin));
    for (var i = thread; i < left; i += 256u) {
        staged[i] = left_of(runs, begin + i);
    }
    for (var j = thread; j < right; j += 256u) {
        staged[left + j] = right_of(runs, d - begin + j);
    }
    workgroupBarrier();
    var items: array<Item, EACH>;
    merge_staged(Staged(0u, left, left, right), min(thread * EACH, left + right), &items);
    put_staged(thread, count, &items);
    for (var i = thread; i < count; i += 256u) {
        store_out(place(tile) + i, staged[i]);
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
    let end = min(begin + params.w, (merged() + TILE - 1u) / TILE);
    for (var tile = begin; tile < end; tile++) {
        merge_tile(thread, params.y + tile);
    }
}
