// Combines numbers in memory, in any order.
// params: number of elements at most, the first place of the window, number of its places, number of tiles that a workgroup takes.

fn visit(i: u32) {
    let x = source(i);
    // What lies below the window is above it too, modulo 2^32.
    let at = x.f0 - params.y;
    if at < params.z {
        meet(at, x);
    }
}
