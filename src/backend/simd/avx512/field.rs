//! Fields of structs that stand side by side. Of as many vectors as an element has words, masked loads read the field alone, and shuffles put
//! its lanes together: with gathers a sum of complex numbers took four times as long. Words are written one by one, which the compiler makes vectors
//! of where fields follow each other: with scatters pairs took five times as long, and with masked stores two to three times in memory that no
//! cache holds. Truth values, a byte each, are written by masked stores.

use std::arch::x86_64::*;

use super::{Avx512, W};

/// The words of the field in the `b`th vector of `lanes` words, a bit each, if every `k`th word is one.
const fn held(k: usize, lanes: usize, b: usize) -> u64 {
    let (mut words, mut lane) = (0, 0);
    while lane < lanes {
        // There is no element beyond the vector's.
        let word = b * lanes + lane;
        words |= ((word.is_multiple_of(k) && word < k * W) as u64) << lane;
        lane += 1;
    }
    words
}

/// Fields of 32 and of 64 bits: the words of `$int`, of which a vector has `$N`.
macro_rules! fields {
    ($($Words:ident: $N:literal of $int:ty, $bits:ty, $load:ident $pair:ident $join:ident;)+) => {$(
        pub(super) struct $Words;

        impl $Words {
            /// The word of each lane, counted over the vectors and again from each `of`th one on.
            const fn words(k: usize, of: usize) -> [$int; $N] {
                let (mut words, mut lane) = ([0; $N], 0);
                while lane < $N {
                    words[lane] = (k * lane % (of * $N)) as $int;
                    lane += 1;
                }
                words
            }
            /// The lanes whose word is in the `b`th vector.
            const fn there(k: usize, b: usize) -> $bits {
                let (mut there, mut lane) = (0, 0);
                while lane < $N {
                    there |= ((k * lane / $N == b) as $bits) << lane;
                    lane += 1;
                }
                there
            }
            #[inline(always)]
            unsafe fn order(x: [$int; $N]) -> __m512i {
                // SAFETY: the caller has the token.
                unsafe { _mm512_loadu_si512((&raw const x).cast()) }
            }
            /// The lanes whose word is in the `B`th vector, and the others of `x`.
            #[inline(always)]
            unsafe fn joined<const K: usize, const B: usize>(p: *const $int, x: __m512i) -> __m512i {
                if B >= K {
                    return x;
                }
                // SAFETY: the caller's promise; only words of the field are read.
                unsafe {
                    let part = $load(const { held(K, $N, B) as $bits }, p.wrapping_add(B * $N));
                    $join(x, const { $Words::there(K, B) }, Self::order(const { $Words::words(K, 1) }), part)
                }
            }
            /// A vector of a field of elements of `K` words, which are 2 to 4.
            ///
            /// # Safety
            /// The elements exist from `p` on, where the first one's field is.
            #[inline(always)]
            pub(super) unsafe fn read<const K: usize>(_: Avx512, p: *const $int) -> __m512i {
                // SAFETY: only words of the field are read; the token proves the instructions.
                unsafe {
                    let first = $load(const { held(K, $N, 0) as $bits }, p);
                    let second = $load(const { held(K, $N, 1) as $bits }, p.wrapping_add($N));
                    let x = $pair(first, Self::order(const { $Words::words(K, 2) }), second);
                    let x = Self::joined::<K, 2>(p, x);
                    Self::joined::<K, 3>(p, x)
                }
            }
        }
    )+};
}
fields! {
    Words4: 16 of i32, u16, _mm512_maskz_loadu_epi32 _mm512_permutex2var_epi32 _mm512_mask_permutexvar_epi32;
    Words8: 8 of i64, u8, _mm512_maskz_loadu_epi64 _mm512_permutex2var_epi64 _mm512_mask_permutexvar_epi64;
}

/// Runs `$body` with the number of words of an element as a constant, if it is among these.
macro_rules! of_words {
    ($step:expr, $size:literal: $($k:literal)+, |$K:ident| $body:expr) => {
        match $step {
            $(step if step == $k * $size => {
                const $K: usize = $k;
                return $body;
            })+
            _ => {}
        }
    };
}
pub(super) use of_words;

/// Truth values, a byte each.
pub(super) struct Bytes;

impl Bytes {
    /// Those in the `B`th vector, at their places among all.
    #[inline(always)]
    unsafe fn part<const K: usize, const B: usize>(p: *const i8) -> u16 {
        if 64 * B > K * (W - 1) {
            return 0;
        }
        // SAFETY: the caller's promise; only bytes of the field are read.
        unsafe {
            let x = _mm512_maskz_loadu_epi8(const { held(K, 64, B) }, p.wrapping_add(64 * B));
            (_pext_u64(_mm512_test_epi8_mask(x, x), const { held(K, 64, B) }) << (64 * B).div_ceil(K)) as u16
        }
    }
    /// A vector of truth values in elements of `K` bytes, up to 32: a bit each.
    ///
    /// # Safety
    /// The elements exist from `p` on, where the first one's field is.
    #[inline(always)]
    pub(super) unsafe fn read<const K: usize>(_: Avx512, p: *const i8) -> u16 {
        // SAFETY: only bytes of the field are read; the token proves the instructions.
        unsafe {
            let low = Self::part::<K, 0>(p) | Self::part::<K, 1>(p) | Self::part::<K, 2>(p) | Self::part::<K, 3>(p);
            low | Self::part::<K, 4>(p) | Self::part::<K, 5>(p) | Self::part::<K, 6>(p) | Self::part::<K, 7>(p)
        }
    }
    #[inline(always)]
    unsafe fn put<const K: usize, const B: usize>(p: *mut i8, bits: u16) {
        if 64 * B <= K * (W - 1) {
            // SAFETY: the caller's promise; only bytes of the field are written.
            unsafe {
                let set = _pdep_u64(u64::from(bits) >> (64 * B).div_ceil(K), const { held(K, 64, B) });
                _mm512_mask_storeu_epi8(p.wrapping_add(64 * B), const { held(K, 64, B) }, _mm512_maskz_set1_epi8(set, 1));
            }
        }
    }
    /// Writes a vector of truth values, a bit each, to elements of `K` bytes, up to 32.
    ///
    /// # Safety
    /// As for `read`.
    #[inline(always)]
    pub(super) unsafe fn write<const K: usize>(_: Avx512, p: *mut i8, bits: u16) {
        // SAFETY: only bytes of the field are written; the token proves the instructions.
        unsafe {
            Self::put::<K, 0>(p, bits);
            Self::put::<K, 1>(p, bits);
            Self::put::<K, 2>(p, bits);
            Self::put::<K, 3>(p, bits);
            Self::put::<K, 4>(p, bits);
            Self::put::<K, 5>(p, bits);
            Self::put::<K, 6>(p, bits);
            Self::put::<K, 7>(p, bits);
        }
    }
}
