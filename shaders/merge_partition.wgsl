// Where each tile of a merge's result begins in the first of the runs that it comes of: a thread searches for one (merge path).
// params: number of tiles, number of the first tile, and what the runs are made of.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let begin = (group.y * groups.x + group.x) * params.w;
    for (var block = begin; block < begin + params.w; block++) {
        let tile = block * 256u + thread;
        if tile < params.x {
            let runs = runs_at(tile * TILE);
            let d = min(tile * TILE - runs.start, runs.left + runs.right);
            var low = d - min(d, runs.right);
            var high = min(d, runs.left);
            while low < high {
                let middle = (low + high) / 2u;
                if precedes(right_of(runs, d - 1u - middle), left_of(runs, middle)) {
                    high = middle;
                } else {
                    low = middle + 1u;
                }
            }
            store_crossings(tile, low);
        }
    }
}
