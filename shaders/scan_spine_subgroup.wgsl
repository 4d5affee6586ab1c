// The same scan, with shuffles inside a subgroup. Of any subgroup size.

var<workgroup> spine: array<Item, 256>;

fn scan_spine(thread: u32, item: Item) {
    // All threads are here, so the number of active lanes is the width.
    let width = subgroupAdd(1u);
    var acc = item;
    let lane = thread % width;
    for (var step = 1u; step < width; step <<= 1u) {
        let before = shuffle_up_Item(acc, step);
        if lane >= step {
            acc = combine(before, acc);
        }
    }
    // The last lane of each subgroup holds its total; what comes before a subgroup is folded left to right.
    spine[thread] = acc;
    workgroupBarrier();
    let start = thread - lane;
    if start > 0u {
        var before = spine[width - 1u];
        for (var last = 2u * width - 1u; last < start; last += width) {
            before = combine(before, spine[last]);
        }
        acc = combine(before, acc);
    }
    workgroupBarrier();
    spine[thread] = acc;
    workgroupBarrier();
}
