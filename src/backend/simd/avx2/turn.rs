//! Squares of vectors, turned: first their halves, as if they were elements, and then the elements of each half.

use std::arch::x86_64::*;

use super::{U32, U64, W};

/// A square of 8 vectors.
#[inline(always)]
pub(super) fn turn_32(_: super::Avx2, x: &mut [U32; 16]) {
    // SAFETY: the token proves the instructions; registers only.
    unsafe {
        let mut rows = [[x[0].0; 2]; 4];
        for k in 0..4 {
            let (a, b) = (x[k].0, x[4 + k].0);
            rows[k] = [_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b)];
        }
        for k in 0..2 {
            let (a, b, c, d) = (rows[0][k], rows[1][k], rows[2][k], rows[3][k]);
            let (ab, cd) = (_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d));
            let (ba, dc) = (_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d));
            x[4 * k] = U32(_mm256_unpacklo_epi64(ab, cd));
            x[4 * k + 1] = U32(_mm256_unpackhi_epi64(ab, cd));
            x[4 * k + 2] = U32(_mm256_unpacklo_epi64(ba, dc));
            x[4 * k + 3] = U32(_mm256_unpackhi_epi64(ba, dc));
        }
    }
}

/// A square of 4 registers.
#[inline(always)]
fn turn_4(_: super::Avx2, [a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    // SAFETY: the token proves the instructions; registers only.
    unsafe {
        let (ac, bd) = (_mm256_permute2x128_si256::<0x20>(a, c), _mm256_permute2x128_si256::<0x20>(b, d));
        let (ca, db) = (_mm256_permute2x128_si256::<0x31>(a, c), _mm256_permute2x128_si256::<0x31>(b, d));
        [
            _mm256_unpacklo_epi64(ac, bd),
            _mm256_unpackhi_epi64(ac, bd),
            _mm256_unpacklo_epi64(ca, db),
            _mm256_unpackhi_epi64(ca, db),
        ]
    }
}

/// A square of 8 pairs of registers: four of 4.
#[inline(always)]
pub(super) fn turn_64(l: super::Avx2, x: &mut [U64; 16]) {
    const HALF: usize = W / 2;
    let mut squares = [[x[0].0; HALF]; 4];
    for k in 0..HALF {
        (squares[0][k], squares[1][k]) = (x[k].0, x[k].1);
        (squares[2][k], squares[3][k]) = (x[HALF + k].0, x[HALF + k].1);
    }
    let [a, b, c, d] = squares;
    let (a, b, c, d) = (turn_4(l, a), turn_4(l, b), turn_4(l, c), turn_4(l, d));
    for k in 0..HALF {
        x[k] = U64(a[k], c[k]);
        x[HALF + k] = U64(b[k], d[k]);
    }
}
