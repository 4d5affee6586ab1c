// Moves the elements of each tile to where those of their class go: a workgroup some consecutive tiles, one after the other, each in
// four rounds of 1024, four consecutive elements a thread.
// `prefix` holds the inclusive prefix sums of the tiles' counts, class by class; `totals` receives how many there are of each class.
// params: number of elements at most, number of the first tile, number of all tiles, number of tiles that a workgroup takes; the first
// position of the outputs' windows, and the first behind them.

fn counted_before(k: u32) -> u32 {
    if k == 0u {
        return 0u;
    }
    return load_prefix(k - 1u);
}

fn move_round(thread: u32, tile: u32, round: u32, n: u32, at: vec3<u32>) -> vec3<u32> {
    let start = min(tile * 4096u + round * 1024u, n);
    let first = min(start + thread * 4u, n);
    let count = min(n - first, 4u);
    var items: array<Item, 4>;
    // 0 and 1 are counted, in a half of a word each.
    var own = 0u;
    for (var j = 0u; j < count; j++) {
        items[j] = source(first + j);
        let which = class_of(items[j]);
        own += select(0u, 1u, which == 0u) + select(0u, 65536u, which == 1u);
    }
    let sums = count_before(thread, own);
    // Where there is a class 2, every element has a class, so it has the rest.
    let before = vec2<u32>(sums.x & 65535u, sums.x >> 16u);
    var next = at + vec3<u32>(before, first - start - before.x - before.y);
    for (var j = 0u; j < count; j++) {
        let which = class_of(items[j]);
        if which < CLASSES {
            put(which, next[which], items[j]);
            next[which] += 1u;
        }
    }
    let all = vec2<u32>(sums.y & 65535u, sums.y >> 16u);
    return at + vec3<u32>(all, min(n - start, 1024u) - all.x - all.y);
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let begin = (group.y * groups.x + group.x) * params.w;
    let n = extent();
    let end = min(begin + params.w, (n + 4095u) / 4096u);
    if begin == 0u && params.y == 0u && thread < CLASSES {
        store_totals(thread, load_prefix((thread + 1u) * params.z - 1u) - counted_before(thread * params.z));
    }
    for (var tile = begin; tile < end; tile++) {
        var at: vec3<u32>;
        for (var k = 0u; k < CLASSES; k++) {
            at[k] = counted_before(k * params.z + params.y + tile) - counted_before(k * params.z);
        }
        for (var round = 0u; round < 4u; round++) {
            at = move_round(thread, tile, round, n, at);
        }
    }
}
