// One tile of 4096 elements, by a workgroup, in the canonical order of a reduction that does not commute: 128 runs of 32 consecutive
// elements; a run folds left to right, runs fold in adjacent pairs.

var<workgroup> folded: array<Item, 128>;

fn reduce_tile(thread: u32, first: u32, count: u32) -> Item {
    var acc: Item;
    let start = thread * 32u;
    let runs = (count + 31u) / 32u;
    if start < count {
        acc = source(first + start);
        let end = min(start + 32u, count);
        for (var i = start + 1u; i < end; i++) {
            acc = combine(acc, source(first + i));
        }
    }
    folded[thread] = acc;
    workgroupBarrier();
    for (var step = 1u; step < 128u; step <<= 1u) {
        if thread % (2u * step) == 0u && thread + step < runs {
            acc = combine(acc, folded[thread + step]);
            folded[thread] = acc;
        }
        workgroupBarrier();
    }
    return acc;
}
