// The sum of the numbers of all threads before this one, and of all 256, through workgroup memory (Hillis and Steele 1986).

var<workgroup> counted: array<u32, 256>;

fn count_before(thread: u32, own: u32) -> vec2<u32> {
    var acc = own;
    counted[thread] = acc;
    workgroupBarrier();
    for (var step = 1u; step < 256u; step <<= 1u) {
        var before = 0u;
        if thread >= step {
            before = counted[thread - step];
        }
        workgroupBarrier();
        acc += before;
        counted[thread] = acc;
        workgroupBarrier();
    }
    let all = counted[255];
    workgroupBarrier();
    return vec2<u32>(acc - own, all);
}
