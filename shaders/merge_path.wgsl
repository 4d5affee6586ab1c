// Where the path of a merge leaves a pair of windows, one of each input: behind the last element of one of them. One thread searches. The
// path may not enter the pair at all; it stays where it is then.
// params: 1, whether these are the last windows of their inputs (1 and 2), where the first begins; the number of the pair, where the second
// begins, and how many elements they have.

fn path_from(at: Vertex) -> Vertex {
    let end = Vertex(params.z + params.more.z, params.more.y + params.more.w);
    // Behind the last window of an input there is none: what is left of the other one's window is taken along here.
    let enters = at.f0 >= params.z && (at.f0 < end.f0 || (params.y & 1u) != 0u)
        && at.f1 >= params.more.y && (at.f1 < end.f1 || (params.y & 2u) != 0u);
    if !enters {
        return at;
    }
    if at.f0 == end.f0 || at.f1 == end.f1 {
        return end;
    }
    let a = source(params.more.z - 1u);
    let b = load_others(params.more.w - 1u);
    let second = precedes(b, a);
    if second && (params.y & 2u) != 0u || !second && (params.y & 1u) != 0u {
        return end;
    }
    if second {
        // Those of the first that come before the last of the second.
        var low = at.f0;
        var high = end.f0;
        while low < high {
            let middle = low + (high - low) / 2u;
            if precedes(b, source(middle - params.z)) {
                high = middle;
            } else {
                low = middle + 1u;
            }
        }
        return Vertex(low, end.f1);
    }
    var low = at.f1;
    var high = end.f1;
    while low < high {
        let middle = low + (high - low) / 2u;
        if precedes(load_others(middle - params.more.y), a) {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    return Vertex(end.f0, low);
}

@compute @workgroup_size(1)
fn main() {
    var at = Vertex(0u, 0u);
    if params.more.x > 0u {
        at = load_path(params.more.x - 1u);
    }
    store_path(params.more.x, path_from(at));
}
