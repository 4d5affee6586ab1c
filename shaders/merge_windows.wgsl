// What is merged: of a window of one and a window of the other input, both sorted, what the merge's path passes.
// params.z: where the first window begins; params.more: the number of the pair of windows, and where the second begins.
// `path` says where the path leaves each pair. The output is the window that begins where both begin.

struct Runs { start: u32, left: u32, right: u32, i: u32, j: u32 }

fn runs_at(first: u32) -> Runs {
    var begin = Vertex(0u, 0u);
    if params.more.x > 0u {
        begin = load_path(params.more.x - 1u);
    }
    let end = load_path(params.more.x);
    return Runs(0u, end.f0 - begin.f0, end.f1 - begin.f1, begin.f0 - params.z, begin.f1 - params.more.y);
}

fn left_of(runs: Runs, i: u32) -> Item {
    return source(runs.i + i);
}

fn right_of(runs: Runs, j: u32) -> Item {
    return load_others(runs.j + j);
}

// How many elements this dispatch merges.
fn merged() -> u32 {
    let runs = runs_at(0u);
    return runs.left + runs.right;
}

// Where a tile of the result stands in the output.
fn place(tile: u32) -> u32 {
    let runs = runs_at(0u);
    return runs.i + runs.j + tile * TILE;
}
