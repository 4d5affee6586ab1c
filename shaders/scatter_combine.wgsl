// Combines each element into its place, which no other has.
// params: number of elements at most, the first place of the window, number of its places, number of tiles that a workgroup takes.

fn visit(i: u32) {
    // What lies below the window is above it too, modulo 2^32.
    let at = load_places(i) - params.y;
    if at < params.z {
        store_out(at, combine(load_out(at), source(i)));
    }
}
