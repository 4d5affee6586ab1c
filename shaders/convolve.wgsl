// A convolution: a thread for each result, which goes through the weights in their order.
// halo: the shape of the grid, the shape of the weights, how far before an element they read, how far behind; then for each axis the
// places that are read for those before its first and behind its last, 2^32 - 1 for what is outside. weights: the value outside stands last.
// params: number of elements, nothing, nothing, blocks of 256 that a workgroup takes.

fn word(i: u32) -> u32 {
    return load_halo(i);
}

// The place on an axis that is read for place p + t - before, where the axis has its table at `table`.
fn place(p: u32, t: u32, axis: u32, table: u32) -> u32 {
    let n = word(axis);
    let before = word(6u + axis);
    let i = p + t;
    if i < before {
        return word(table + i);
    }
    if i - before >= n {
        return word(table + i - n);
    }
    return i - before;
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let begin = (group.y * groups.x + group.x) * params.w * 256u;
    let end = min(begin + params.w * 256u, params.x);
    let rows = word(1u);
    let columns = word(2u);
    let deep = word(3u);
    let tall = word(4u);
    let wide = word(5u);
    let before = word(8u);
    let of_rows = 12u + word(6u) + word(9u);
    let of_columns = of_rows + word(7u) + word(10u);
    let outside = load_weights(deep * tall * wide);
    for (var i = begin + thread; i < end; i += 256u) {
        let x = i % columns;
        let y = i / columns % rows;
        let z = i / columns / rows;
        let inner = x >= before && x + word(11u) < columns;
        var sum = load_weights(deep * tall * wide);
        var at = 0u;
        for (var dz = 0u; dz < deep; dz++) {
            let plane = place(z, dz, 0u, 12u);
            for (var dy = 0u; dy < tall; dy++) {
                let row = place(y, dy, 1u, of_rows);
                let there = plane != 4294967295u && row != 4294967295u;
                let first = (plane * rows + row) * columns;
                for (var dx = 0u; dx < wide; dx++) {
                    var value = outside;
                    if there {
                        if inner {
                            value = source(first + x + dx - before);
                        } else {
                            let column = place(x, dx, 2u, of_columns);
                            if column != 4294967295u {
                                value = source(first + column);
                            }
                        }
                    }
                    let product = load_weights(at) * value;
                    if at == 0u {
                        sum = product;
                    } else {
                        sum = sum + product;
                    }
                    at++;
                }
            }
        }
        store_out(i, sum);
    }
}
