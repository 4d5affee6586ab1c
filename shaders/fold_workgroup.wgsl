// Folds the items of 128 threads by halving, thread j with thread j + half, through workgroup memory. Threads from `exist` on
// have no item. The result is thread 0's.

var<workgroup> folded: array<Item, 128>;

fn fold(thread: u32, item: Item, exist: u32) -> Item {
    var acc = item;
    folded[thread] = acc;
    workgroupBarrier();
    for (var half = 64u; half > 0u; half >>= 1u) {
        if thread < half && thread + half < exist {
            acc = combine(acc, folded[thread + half]);
            folded[thread] = acc;
        }
        workgroupBarrier();
    }
    return acc;
}
