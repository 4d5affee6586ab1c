// Finds the last element with each index.
// A place holds one more than the highest position that has its index; zero if none has.
// params: number of elements at most, the first place of the window, number of its places, number of tiles that a workgroup takes; the
// number of the first element.

fn visit(i: u32) {
    // What lies below the window is above it too, modulo 2^32.
    let at = source(i) - params.y;
    if at < params.z {
        atomicMax(&winners[at], params.more.x + i + 1u);
    }
}
