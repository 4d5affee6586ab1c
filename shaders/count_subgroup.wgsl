// The same sums, with those of a subgroup's threads in one step. Of any subgroup size.

var<workgroup> counted: array<u32, 256>;

fn count_before(thread: u32, own: u32) -> vec2<u32> {
    // All threads are here, so the number of active lanes is the width.
    let width = subgroupAdd(1u);
    let before = subgroupExclusiveAdd(own);
    let subgroup = thread / width;
    if thread % width == width - 1u {
        counted[subgroup] = before + own;
    }
    workgroupBarrier();
    var sum = vec2<u32>(before, 0u);
    for (var k = 0u; k < 256u / width; k++) {
        let number = counted[k];
        sum += vec2<u32>(select(0u, number, k < subgroup), number);
    }
    workgroupBarrier();
    return sum;
}
