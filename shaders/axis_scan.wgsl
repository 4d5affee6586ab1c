// Scans along an axis: a thread for each place behind it in each part, from the first row of the part to the last.
// params: number of threads, elements of the axis, elements behind it, blocks of 256 that a workgroup takes; parts of the axis, rows of a part.

fn visit(i: u32) {
    let inner = params.z;
    let number = i / inner;
    let first = number % params.more.x * params.more.y;
    let rows = min(params.more.y, params.y - first);
    let at = (number / params.more.x * params.y + first) * inner + i % inner;
    let carried = CARRIED && first > 0u;
    var sum = combine_identity();
    if carried {
        sum = before_part(i);
    }
    for (var row = 0u; row < rows; row++) {
        if EXCLUSIVE {
            store_out(at + row * inner, sum);
        }
        let x = source(at + row * inner);
        if row > 0u || carried {
            sum = combine(sum, x);
        } else {
            sum = x;
        }
        if !EXCLUSIVE {
            store_out(at + row * inner, sum);
        }
    }
}
