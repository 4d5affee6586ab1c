// The inclusive scan of one item a thread over 256 threads, in order, through workgroup memory (Hillis and Steele 1986).
// Afterwards spine[j] is the combination of the items of threads 0 to j.

var<workgroup> spine: array<Item, 256>;

fn scan_spine(thread: u32, item: Item) {
    var acc = item;
    spine[thread] = acc;
    workgroupBarrier();
    for (var step = 1u; step < 256u; step <<= 1u) {
        var before: Item;
        if thread >= step {
            before = spine[thread - step];
        }
        workgroupBarrier();
        if thread >= step {
            acc = combine(before, acc);
            spine[thread] = acc;
        }
        workgroupBarrier();
    }
}
