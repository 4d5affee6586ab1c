//! Fields of structs that stand side by side: of as many vectors as an element has words, masked loads read the field alone, and shuffles put
//! its lanes together. Written they are one by one: masked stores take tens of cycles on some CPUs.

use std::arch::x86_64::*;

use super::{Avx2, U32, U64, W};

/// All bits of the 32-bit words of the field in the `b`th vector, if it is of every `k`th group of `words` words.
const fn held(k: usize, words: usize, b: usize) -> [i32; W] {
    let (mut held, mut word) = ([0; W], 0);
    while word < W {
        held[word] = -(((b * W + word) / words).is_multiple_of(k) as i32);
        word += 1;
    }
    held
}
/// Where in the `b`th vector the words of a vector of the field stand; anywhere for those of others.
const fn places(k: usize, words: usize, b: usize) -> [i32; W] {
    let (mut places, mut word) = ([0; W], 0);
    while word < W {
        let at = word / words * k * words + word % words;
        places[word] = if at / W == b { (at % W) as i32 } else { 0 };
        word += 1;
    }
    places
}
/// All bits of the words of a vector of the field that stand in the `b`th vector.
const fn there(k: usize, words: usize, b: usize) -> [i32; W] {
    let (mut there, mut word) = ([0; W], 0);
    while word < W {
        there[word] = -(((word / words * k * words + word % words) / W == b) as i32);
        word += 1;
    }
    there
}

/// # Safety
/// Whoever calls has the token.
#[inline(always)]
unsafe fn vector(x: [i32; W]) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe { _mm256_loadu_si256((&raw const x).cast()) }
}
/// The words that are in the `b`th vector, the others as they are.
///
/// # Safety
/// As for `read`.
#[inline(always)]
unsafe fn part<const K: usize, const WORDS: usize>(p: *const i32, b: usize, tables: [[i32; W]; 3], others: __m256i) -> __m256i {
    let [held, places, there] = tables;
    // SAFETY: the caller's promise; only words of the field are read.
    unsafe {
        let words = _mm256_maskload_epi32(p.wrapping_add(b * W), vector(held));
        _mm256_blendv_epi8(others, _mm256_permutevar8x32_epi32(words, vector(places)), vector(there))
    }
}
macro_rules! tables {
    ($K:ident $WORDS:ident $b:literal) => {
        const { [held($K, $WORDS, $b), places($K, $WORDS, $b), there($K, $WORDS, $b)] }
    };
}
/// A vector of a field of `WORDS` words in elements of `K` times as many, 2 to 4 times.
///
/// # Safety
/// The elements exist from `p` on, where the first one's field is.
#[inline(always)]
unsafe fn read<const K: usize, const WORDS: usize>(_: Avx2, p: *const i32) -> __m256i {
    // SAFETY: the caller's promise; the token proves the instructions.
    unsafe {
        let mut x = _mm256_maskload_epi32(p, vector(const { held(K, WORDS, 0) }));
        x = _mm256_permutevar8x32_epi32(x, vector(const { places(K, WORDS, 0) }));
        x = part::<K, WORDS>(p, 1, tables!(K WORDS 1), x);
        if K > 2 {
            x = part::<K, WORDS>(p, 2, tables!(K WORDS 2), x);
        }
        if K > 3 {
            x = part::<K, WORDS>(p, 3, tables!(K WORDS 3), x);
        }
        x
    }
}

impl U32 {
    /// A field of elements of `step` bytes, if that is two to four times its size.
    ///
    /// # Safety
    /// As for [`read`].
    #[inline(always)]
    pub(super) unsafe fn read_field(l: Avx2, p: *const i32, step: usize) -> Option<U32> {
        // SAFETY: the caller's promise.
        unsafe {
            match step {
                8 => Some(U32(read::<2, 1>(l, p))),
                12 => Some(U32(read::<3, 1>(l, p))),
                16 => Some(U32(read::<4, 1>(l, p))),
                _ => None,
            }
        }
    }
}
impl U64 {
    /// As for 32 bits.
    ///
    /// # Safety
    /// As for [`read`].
    #[inline(always)]
    pub(super) unsafe fn read_field(l: Avx2, p: *const i64, step: usize) -> Option<U64> {
        let (p, q) = (p.cast(), p.wrapping_byte_add(step * W / 2).cast());
        // SAFETY: the caller's promise.
        unsafe {
            match step {
                16 => Some(U64(read::<2, 2>(l, p), read::<2, 2>(l, q))),
                24 => Some(U64(read::<3, 2>(l, p), read::<3, 2>(l, q))),
                32 => Some(U64(read::<4, 2>(l, p), read::<4, 2>(l, q))),
                _ => None,
            }
        }
    }
}
