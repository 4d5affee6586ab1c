// What is merged: two buffers of sorted elements.
// params.z: elements of the first; params.more.x: of the second.

struct Runs { start: u32, left: u32, right: u32 }

// The runs that a tile of the result comes of: where in the result theirs begins, and how many elements they have.
fn runs_at(first: u32) -> Runs {
    return Runs(0u, params.z, params.more.x);
}

fn left_of(runs: Runs, i: u32) -> Item {
    return source(i);
}

fn right_of(runs: Runs, j: u32) -> Item {
    return load_others(j);
}

// How many elements this dispatch merges.
fn merged() -> u32 {
    return params.x;
}

// Where a tile of the result stands in the output.
fn place(tile: u32) -> u32 {
    return (tile - params.y) * TILE;
}
