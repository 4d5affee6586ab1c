// Moves the keys of each block of 2048 to where those of their digit go: a workgroup some consecutive blocks, one after the other.
//
// A block is first sorted by the digit in workgroup memory, four bits and then the other four, so that what goes to one place is
// written side by side. In each of these two rounds a thread counts its eight neighbours' values of the four bits, sixteen counts in
// eight words; the prefix sums of all threads' counts, value by value, say where each one goes (Satish, Harris, Garland: Designing
// efficient sorting algorithms for manycore GPUs, 2009). No order among equals is ever changed.
//
// `prefix` holds the inclusive prefix sums of the blocks' counts, digit by digit.
// params: number of keys, number of the first block, number of all blocks, number of blocks that a workgroup takes; the digit, as for
// counting; the first position of the outputs' windows, and the first behind them; mode in which keys are decoded.

// First the counts, then the elements: their digit, and where they stand in the block.
var<workgroup> shared_words: array<u32, 2048>;
// Where each digit begins in the sorted block.
var<workgroup> starts: array<u32, 256>;

// Sorts the elements in the threads' hands, eight each in order, by four bits.
fn sort_round(thread: u32, items: ptr<function, array<u32, 8>>, shift: u32) {
    for (var k = 0u; k < 8u; k++) {
        shared_words[k * 256u + thread] = 0u;
    }
    for (var j = 0u; j < 8u; j++) {
        let value = ((*items)[j] >> shift) & 15u;
        shared_words[(value & 7u) * 256u + thread] += 1u << ((value >> 3u) * 16u);
    }
    workgroupBarrier();
    var own = 0u;
    for (var k = 0u; k < 8u; k++) {
        own += shared_words[thread * 8u + k];
    }
    let sums = count_before(thread, own);
    // The values from 8 on come after all those below.
    var sum = sums.x + (sums.y << 16u);
    for (var k = 0u; k < 8u; k++) {
        let count = shared_words[thread * 8u + k];
        shared_words[thread * 8u + k] = sum;
        sum += count;
    }
    workgroupBarrier();
    var ranks: array<u32, 8>;
    for (var j = 0u; j < 8u; j++) {
        let value = ((*items)[j] >> shift) & 15u;
        let half = (value >> 3u) * 16u;
        let at = (value & 7u) * 256u + thread;
        ranks[j] = (shared_words[at] >> half) & 65535u;
        shared_words[at] += 1u << half;
    }
    workgroupBarrier();
    for (var j = 0u; j < 8u; j++) {
        shared_words[ranks[j]] = (*items)[j];
    }
    workgroupBarrier();
    for (var j = 0u; j < 8u; j++) {
        (*items)[j] = shared_words[thread * 8u + j];
    }
    workgroupBarrier();
}

fn move_block(thread: u32, block: u32) {
    let first = block * 2048u;
    let count = min(params.x - first, 2048u);
    let digit = params.more.x;
    var items: array<u32, 8>;
    for (var j = 0u; j < 8u; j++) {
        let at = thread * 8u + j;
        // What does not exist has the highest digit and stands last, and so it does in the end.
        var value = 255u;
        if at < count {
            let word = word_of(source(first + at), (digit >> 16u) & 255u);
            value = extractBits(word, digit & 255u, (digit >> 8u) & 255u);
        }
        items[j] = value | (at << 8u);
    }
    sort_round(thread, &items, 0u);
    sort_round(thread, &items, 4u);
    for (var j = 0u; j < 8u; j++) {
        shared_words[thread * 8u + j] = items[j];
    }
    workgroupBarrier();
    for (var i = thread; i < 2048u; i += 256u) {
        let value = shared_words[i] & 255u;
        if i == 0u || (shared_words[max(i, 1u) - 1u] & 255u) != value {
            starts[value] = i;
        }
    }
    workgroupBarrier();
    for (var i = thread; i < count; i += 256u) {
        let item = shared_words[i];
        let value = item & 255u;
        let slot = value * params.z + params.y + block;
        var before = 0u;
        if slot > 0u {
            before = load_prefix(slot - 1u);
        }
        let to = before + i - starts[value];
        if to >= params.more.y && to < params.more.z {
            let at = first + (item >> 8u);
            store_out(to - params.more.y, decode(source(at), params.more.w));
            carry(at, to - params.more.y);
        }
    }
    workgroupBarrier();
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let begin = (group.y * groups.x + group.x) * params.w;
    let end = min(begin + params.w, (params.x + 2047u) / 2048u);
    for (var block = begin; block < end; block++) {
        move_block(thread, block);
    }
}
