// Combines along an axis whose rows are narrow: a workgroup for each part. Rows are taken side by side, each thread combines what stands in its
// place, and the rows are folded by halving.
// params: number of parts in all, elements of the axis, elements behind it, nothing; parts of the axis, rows of a part, rows side by side.

var<workgroup> lanes: array<Item, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group.y * groups.x + group.x;
    let inner = params.z;
    let beside = params.more.z;
    let mine = thread / inner;
    if number < params.x {
        let first = number % params.more.x * params.more.y;
        let rows = min(params.more.y, params.y - first);
        let at = (number / params.more.x * params.y + first) * inner + thread;
        if mine < min(beside, rows) {
            var sum = source(at);
            for (var row = beside; row + mine < rows; row += beside) {
                sum = combine(sum, source(at + row * inner));
            }
            lanes[thread] = sum;
        }
        workgroupBarrier();
        var count = min(beside, rows);
        for (var half = beside / 2u; half > 0u; half /= 2u) {
            if mine < half && mine + half < count {
                lanes[thread] = combine(lanes[thread], lanes[thread + half * inner]);
            }
            count = min(count, half);
            workgroupBarrier();
        }
        if thread < inner {
            store_out(number * inner + thread, lanes[thread]);
        }
    }
}
