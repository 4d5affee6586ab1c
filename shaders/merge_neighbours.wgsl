// What is merged: neighbouring sorted runs of one buffer, two by two.
// params.z: elements of a run; params.more.x: elements in all.

struct Runs { start: u32, left: u32, right: u32 }

// The runs that a tile of the result comes of: where in the result theirs begins, and how many elements they have.
fn runs_at(first: u32) -> Runs {
    // A pair may reach beyond what a number can say, but not begin there.
    let start = first - first % params.z - select(0u, params.z, (first / params.z) % 2u == 1u);
    let left = min(params.z, params.more.x - start);
    return Runs(start, left, min(params.z, params.more.x - start - left));
}

fn left_of(runs: Runs, i: u32) -> Item {
    return source(runs.start + i);
}

fn right_of(runs: Runs, j: u32) -> Item {
    return source(runs.start + runs.left + j);
}

// How many elements this dispatch merges.
fn merged() -> u32 {
    return params.x;
}

// Where a tile of the result stands in the output.
fn place(tile: u32) -> u32 {
    return (tile - params.y) * TILE;
}
