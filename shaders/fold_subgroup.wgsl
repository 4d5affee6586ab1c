// The same fold, in the same order, with shuffles for the steps that stay inside the first subgroup. Of any subgroup size.

var<workgroup> folded: array<Item, 128>;

fn fold(thread: u32, item: Item, exist: u32) -> Item {
    var acc = item;
    folded[thread] = acc;
    workgroupBarrier();
    // All threads are here, and behind a barrier, so the number of active lanes is the width.
    let width = subgroupAdd(1u);
    var half = 64u;
    for (; half >= width; half >>= 1u) {
        if thread < half && thread + half < exist {
            acc = combine(acc, folded[thread + half]);
            folded[thread] = acc;
        }
        workgroupBarrier();
    }
    for (; half > 0u; half >>= 1u) {
        let other = shuffle_down_Item(acc, half);
        if thread < half && thread + half < exist {
            acc = combine(acc, other);
        }
    }
    return acc;
}
