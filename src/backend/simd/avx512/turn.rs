//! Squares of vectors, turned: first blocks of 128 bits, as if they were elements, and then the elements of each block.

use std::arch::x86_64::*;

use super::{U32, U64, W};

/// Turns four vectors of four blocks.
macro_rules! blocks {
    ($a:expr, $b:expr, $c:expr, $d:expr) => {{
        let (low, high) = (_mm512_shuffle_i32x4::<0x44>($a, $b), _mm512_shuffle_i32x4::<0xEE>($a, $b));
        let (below, above) = (_mm512_shuffle_i32x4::<0x44>($c, $d), _mm512_shuffle_i32x4::<0xEE>($c, $d));
        [
            _mm512_shuffle_i32x4::<0x88>(low, below),
            _mm512_shuffle_i32x4::<0xDD>(low, below),
            _mm512_shuffle_i32x4::<0x88>(high, above),
            _mm512_shuffle_i32x4::<0xDD>(high, above),
        ]
    }};
}

/// A square of 16 vectors.
#[inline(always)]
pub(super) fn turn_32(_: super::Avx512, x: &mut [U32; W]) {
    // SAFETY: the token proves the instructions; registers only.
    unsafe {
        let mut rows = [[x[0].0; 4]; 4];
        for k in 0..4 {
            rows[k] = blocks!(x[k].0, x[4 + k].0, x[8 + k].0, x[12 + k].0);
        }
        for k in 0..4 {
            let (a, b, c, d) = (rows[0][k], rows[1][k], rows[2][k], rows[3][k]);
            let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
            let (ba, dc) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
            x[4 * k] = U32(_mm512_unpacklo_epi64(ab, cd));
            x[4 * k + 1] = U32(_mm512_unpackhi_epi64(ab, cd));
            x[4 * k + 2] = U32(_mm512_unpacklo_epi64(ba, dc));
            x[4 * k + 3] = U32(_mm512_unpackhi_epi64(ba, dc));
        }
    }
}

/// A square of 8 registers.
#[inline(always)]
fn turn_8(_: super::Avx512, x: [__m512i; 8]) -> [__m512i; 8] {
    // SAFETY: the token proves the instructions; registers only.
    unsafe {
        let (even, odd) = (blocks!(x[0], x[2], x[4], x[6]), blocks!(x[1], x[3], x[5], x[7]));
        let mut turned = x;
        for k in 0..4 {
            turned[2 * k] = _mm512_unpacklo_epi64(even[k], odd[k]);
            turned[2 * k + 1] = _mm512_unpackhi_epi64(even[k], odd[k]);
        }
        turned
    }
}

/// A square of 16 pairs of registers: four of 8.
#[inline(always)]
pub(super) fn turn_64(l: super::Avx512, x: &mut [U64; W]) {
    let mut squares = [[x[0].0; 8]; 4];
    for k in 0..8 {
        (squares[0][k], squares[1][k]) = (x[k].0, x[k].1);
        (squares[2][k], squares[3][k]) = (x[8 + k].0, x[8 + k].1);
    }
    let [a, b, c, d] = squares;
    let (a, b, c, d) = (turn_8(l, a), turn_8(l, b), turn_8(l, c), turn_8(l, d));
    for k in 0..8 {
        x[k] = U64(a[k], c[k]);
        x[8 + k] = U64(b[k], d[k]);
    }
}
