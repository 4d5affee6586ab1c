//! What the levels share of Philox 4x32-10 in order: where a whole vector is whole blocks, and their counters and keys.

use crate::kernel::philox::{self, WEYL};

use super::Span;

pub(super) use crate::kernel::philox::MULTIPLIERS;

/// Number of rounds.
pub(super) const ROUNDS: u32 = 10;

/// Whether the span is a whole vector of whole blocks in order.
#[inline(always)]
pub(super) fn in_order(i: Span, width: usize) -> bool {
    i.stride == 1 && i.count >= width && i.base.is_multiple_of(4)
}

/// The number of a span's first block: the lower two words of its counter. The third is the stream, the fourth 0.
#[inline(always)]
pub(super) fn first_block(i: Span) -> u64 {
    i.base as u64 / 4
}

/// The key of a round.
#[inline(always)]
pub(super) fn round_key(key: [u32; 2], round: u32) -> [u32; 2] {
    [key[0].wrapping_add(WEYL[0].wrapping_mul(round)), key[1].wrapping_add(WEYL[1].wrapping_mul(round))]
}

/// A block.
#[inline(always)]
pub(super) fn block(number: u64, stream: u32, [k0, k1]: [u32; 2]) -> [u32; 4] {
    let (a, b, c, d) = philox::philox((number as u32, (number >> 32) as u32, stream, 0), (k0, k1));
    [a, b, c, d]
}
