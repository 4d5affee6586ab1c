// Scans tiles of 4096 elements: four rounds of 1024, four consecutive elements a thread. A workgroup takes some consecutive tiles,
// one after the other.
// `prefix` holds the inclusive scan of the tiles' totals; `initial` one item.
// params: number of elements at most, number of the first tile, flags (1: exclusive, 2: there is an initial value), number of tiles that a
// workgroup takes.

fn scan_tile(thread: u32, tile: u32) {
    let n = extent();
    let exclusive = (params.z & 1u) != 0u;
    // Whether anything stands before this round, and what: no identity enters the arithmetic.
    var carried = true;
    var carry: Item;
    if params.y + tile > 0u {
        carry = load_prefix(params.y + tile - 1u);
    } else if (params.z & 2u) != 0u {
        carry = load_initial(0u);
    } else {
        carried = false;
    }
    let last = min(tile * 4096u + 4096u, n) - 1u;
    let whole = last - tile * 4096u == 4095u;
    for (var round = 0u; round < 4u; round++) {
        let first = tile * 4096u + round * 1024u + thread * 4u;
        // Elements beyond the end repeat the last: what they make is never stored, and nothing that is comes after them.
        // In a whole tile the four accesses of a thread are side by side without conditions, so that drivers join them to one:
        // four stores with a stride would each touch every sector of the memory.
        var a: Item;
        var b: Item;
        var c: Item;
        var d: Item;
        if whole {
            a = source(first);
            b = source(first + 1u);
            c = source(first + 2u);
            d = source(first + 3u);
        } else {
            a = source(min(first, last));
            b = source(min(first + 1u, last));
            c = source(min(first + 2u, last));
            d = source(min(first + 3u, last));
        }
        b = combine(a, b);
        c = combine(b, c);
        d = combine(c, d);
        scan_spine(thread, d);
        var before = carry;
        var precedes = carried;
        if thread > 0u {
            before = spine[thread - 1u];
            if carried {
                before = combine(carry, before);
            }
            precedes = true;
        }
        var outs = array<Item, 4>(a, b, c, d);
        if precedes {
            outs = array<Item, 4>(combine(before, a), combine(before, b), combine(before, c), combine(before, d));
        }
        if exclusive {
            if !precedes {
                before = combine_identity();
            }
            outs = array<Item, 4>(before, outs[0], outs[1], outs[2]);
        }
        if whole {
            store_out(first, outs[0]);
            store_out(first + 1u, outs[1]);
            store_out(first + 2u, outs[2]);
            store_out(first + 3u, outs[3]);
        } else {
            if first <= last {
                store_out(first, outs[0]);
            }
            if first + 1u <= last {
                store_out(first + 1u, outs[1]);
            }
            if first + 2u <= last {
                store_out(first + 2u, outs[2]);
            }
            if first + 3u <= last {
                store_out(first + 3u, outs[3]);
            }
        }
        let total = spine[255];
        if carried {
            carry = combine(carry, total);
        } else {
            carry = total;
        }
        carried = true;
        workgroupBarrier();
    }
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let begin = (group.y * groups.x + group.x) * params.w;
    let end = min(begin + params.w, (extent() + 4095u) / 4096u);
    for (var tile = begin; tile < end; tile++) {
        scan_tile(thread, tile);
    }
}
