// Writes the elements that were found to be the last with their index.
// params: as in `scatter_claim.wgsl`.

fn visit(i: u32) {
    let x = source(i);
    let at = x.f0 - params.y;
    if at < params.z {
        if load_winners(at) == params.more.x + i + 1u {
            store_out(at, value_of(x));
        }
    }
}
