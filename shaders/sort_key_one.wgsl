// Keys of one word, whose ordered form compares as an unsigned number.
// mode: 0 as it is; 1 an unsigned integer, 2 a signed one, 3 a float; and 4 more if the order is descending.

fn encode(x: Key, mode: u32) -> Key {
    var bits = x;
    if (mode & 3u) == 2u {
        bits ^= 0x80000000u;
    } else if (mode & 3u) == 3u {
        bits ^= select(0u, 0xffffffffu, (bits >> 31u) == 1u) | 0x80000000u;
    }
    return select(bits, ~bits, (mode & 4u) != 0u);
}

fn decode(x: Key, mode: u32) -> Key {
    var bits = select(x, ~x, (mode & 4u) != 0u);
    if (mode & 3u) == 2u {
        bits ^= 0x80000000u;
    } else if (mode & 3u) == 3u {
        bits ^= select(0xffffffffu, 0u, (bits >> 31u) == 1u) | 0x80000000u;
    }
    return bits;
}

fn word_of(x: Key, which: u32) -> u32 {
    return x;
}
