// Combines along an axis: a thread for each result, from the first row of its part to the last.
// params: number of results, elements of the axis, elements behind it, blocks of 256 that a workgroup takes; parts of the axis, rows of a part.

fn visit(i: u32) {
    let inner = params.z;
    let number = i / inner;
    let first = number % params.more.x * params.more.y;
    let rows = min(params.more.y, params.y - first);
    let at = (number / params.more.x * params.y + first) * inner + i % inner;
    var sum = source(at);
    for (var row = 1u; row < rows; row++) {
        sum = combine(sum, source(at + row * inner));
    }
    store_out(i, sum);
}
