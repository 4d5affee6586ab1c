// Combines segments along a path of elements and ends, each end behind the last element of its segment: tiles of 1024 steps, four
// consecutive steps a thread. A workgroup takes some consecutive tiles, one after the other.
// `starts` tells how many segments have ended where a tile begins; `out` receives what is combined at each end, of what is in the tile;
// `carries` what each tile has left at its end.
// params: number of elements, number of the first tile, length of the path, number of tiles that a workgroup takes; where the first
// segment begins in the window of the offsets, the first element, where the first segment's result is in the window of the output.

var<workgroup> ends: array<atomic<u32>, 256>;

fn end_of(segment: u32) -> u32 {
    return load_offsets(params.more.x + segment + 1u) - params.more.y;
}

fn path_tile(thread: u32, tile: u32) {
    let begin = tile * 1024u;
    let end = min(begin + 1024u, params.z);
    let first = load_starts(tile);
    let last = load_starts(tile + 1u);
    // How many segments end in each thread's steps, and so in those before.
    atomicStore(&ends[thread], 0u);
    workgroupBarrier();
    for (var segment = first + thread; segment < last; segment += 256u) {
        atomicAdd(&ends[(end_of(segment) + segment - begin) / 4u], 1u);
    }
    workgroupBarrier();
    let own = atomicLoad(&ends[thread]);
    let before = count_before(thread, own).x;

    var fresh = combine_identity();
    fresh.f0 = 2u;
    let mine = first + before;
    var segment = mine;
    let stop = min(begin + thread * 4u + 4u, end);
    var step = min(begin + thread * 4u, end);
    var i = step - segment;
    var acc = combine_identity();
    // What belongs to the first segment that ends here may have begun in another thread.
    var head = acc;
    for (var k = 0u; k < own; k++) {
        let to = end_of(segment);
        while i < to {
            acc = combine(acc, source(i));
            i++;
        }
        if k == 0u {
            head = acc;
        } else {
            store_out(params.more.z + segment, value_of(acc));
        }
        acc = fresh;
        segment++;
        step = i + segment;
    }
    while step < stop {
        acc = combine(acc, source(i));
        i++;
        step++;
    }

    // Threads leave their loops at different times, and a scan takes those of a subgroup together.
    workgroupBarrier();
    scan_spine(thread, acc);
    if own > 0u {
        if thread > 0u {
            head = combine(spine[thread - 1u], head);
        }
        store_out(params.more.z + mine, value_of(head));
    }
    if thread == 255u {
        store_carries(params.y + tile, spine[255]);
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
    let end = min(begin + params.w, (params.z + 1023u) / 1024u);
    for (var tile = begin; tile < end; tile++) {
        path_tile(thread, tile);
    }
}
