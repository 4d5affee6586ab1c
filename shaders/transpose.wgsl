// Transposes: a workgroup some consecutive squares of a grid, one after the other, each by way of its memory.
// params: number of elements of the rows at hand, number of squares, squares side by side, squares that a workgroup takes; columns, rows,
// the first row, and the first column of the window.

var<workgroup> square: array<Item, CELLS>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let columns = params.more.x;
    let rows = params.more.y;
    let here = extent() / columns;
    let begin = min((group.y * groups.x + group.x) * params.w, params.y);
    let end = min(begin + params.w, params.y);
    for (var k = begin; k < end; k++) {
        let top = k / params.z * SIDE;
        let left = k % params.z * SIDE;
        for (var i = thread; i < SIDE * SIDE; i += 256u) {
            let r = top + i / SIDE;
            let c = params.more.w + left + i % SIDE;
            if r < here && c < columns {
                square[i / SIDE * (SIDE + 1u) + i % SIDE] = source(r * columns + c);
            }
        }
        workgroupBarrier();
        for (var i = thread; i < SIDE * SIDE; i += 256u) {
            let r = top + i % SIDE;
            let c = left + i / SIDE;
            if r < here && params.more.w + c < columns {
                store_out(c * rows + params.more.z + r, square[i % SIDE * (SIDE + 1u) + i / SIDE]);
            }
        }
        workgroupBarrier();
    }
}
