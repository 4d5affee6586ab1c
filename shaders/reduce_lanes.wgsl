// One tile of 4096 elements, by a workgroup, in the canonical order of a commutative reduction: element i in lane i mod 128, each lane
// folds its rows in order.

fn reduce_tile(thread: u32, first: u32, count: u32) -> Item {
    var acc: Item;
    if count == 4096u {
        acc = source(first + thread);
        var at = first + thread + 128u;
        // 31 rows are left: seven at a time, so that seven reads are in flight, and three.
        for (var k = 0u; k < 4u; k++) {
            let a = source(at);
            let b = source(at + 128u);
            let c = source(at + 256u);
            let d = source(at + 384u);
            let e = source(at + 512u);
            let f = source(at + 640u);
            let g = source(at + 768u);
            acc = combine(combine(combine(combine(combine(combine(combine(acc, a), b), c), d), e), f), g);
            at += 896u;
        }
        let a = source(at);
        let b = source(at + 128u);
        let c = source(at + 256u);
        acc = combine(combine(combine(acc, a), b), c);
    } else if thread < count {
        acc = source(first + thread);
        for (var i = thread + 128u; i < count; i += 128u) {
            acc = combine(acc, source(first + i));
        }
    }
    return fold(thread, acc, min(count, 128u));
}
