// The same for keys of two words, low first.

fn encode(x: Key, mode: u32) -> Key {
    var low = x.f0;
    var high = x.f1;
    if (mode & 3u) == 2u {
        high ^= 0x80000000u;
    } else if (mode & 3u) == 3u {
        let flip = select(0u, 0xffffffffu, (high >> 31u) == 1u);
        low ^= flip;
        high ^= flip | 0x80000000u;
    }
    let turn = select(0u, 0xffffffffu, (mode & 4u) != 0u);
    return Key(low ^ turn, high ^ turn);
}

fn decode(x: Key, mode: u32) -> Key {
    let turn = select(0u, 0xffffffffu, (mode & 4u) != 0u);
    var low = x.f0 ^ turn;
    var high = x.f1 ^ turn;
    if (mode & 3u) == 2u {
        high ^= 0x80000000u;
    } else if (mode & 3u) == 3u {
        let flip = select(0xffffffffu, 0u, (high >> 31u) == 1u);
        low ^= flip;
        high ^= flip | 0x80000000u;
    }
    return Key(low, high);
}

fn word_of(x: Key, which: u32) -> u32 {
    return select(x.f0, x.f1, which == 1u);
}
