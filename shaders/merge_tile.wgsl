// A tile of elements in workgroup memory, and merges there: each of 256 threads finds where its EACH elements of the result begin (merge
// path: Green, McColl, Bader 2012), and takes them one by one. Whatever `precedes` says, no other memory is read.

var<workgroup> staged: array<Item, TILE>;

// Two runs in the tile: where the first begins and how many it has, and of the second.
struct Staged { a: u32, left: u32, b: u32, right: u32 }

// How many of the first run are among the first `d` of the result.
fn staged_crossing(runs: Staged, d: u32) -> u32 {
    var low = d - min(d, runs.right);
    var high = min(d, runs.left);
    while low < high {
        let middle = (low + high) / 2u;
        if precedes(staged[runs.b + d - 1u - middle], staged[runs.a + middle]) {
            high = middle;
        } else {
            low = middle + 1u;
        }
    }
    return low;
}

// The elements of the result from the `d`-th on, as far as there are any.
fn merge_staged(runs: Staged, d: u32, items: ptr<function, array<Item, EACH>>) {
    var i = staged_crossing(runs, d);
    var j = d - i;
    for (var k = 0u; k < EACH; k++) {
        if i >= runs.left && j >= runs.right {
            break;
        }
        var second = i >= runs.left;
        if !second && j < runs.right {
            second = precedes(staged[runs.b + j], staged[runs.a + i]);
        }
        if second {
            (*items)[k] = staged[runs.b + j];
            j++;
        } else {
            (*items)[k] = staged[runs.a + i];
            i++;
        }
    }
}

// Puts what the threads hold side by side, `count` elements in all. Before and after, all threads are here.
fn put_staged(thread: u32, count: u32, items: ptr<function, array<Item, EACH>>) {
    workgroupBarrier();
    for (var k = 0u; k < EACH; k++) {
        let at = thread * EACH + k;
        if at < count {
            staged[at] = (*items)[k];
        }
    }
    workgroupBarrier();
}
