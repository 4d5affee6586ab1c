//! AVX2 with FMA: 8 lanes. 32-bit types fill a register, 64-bit types a pair.
//!
//! Here are the level, its types, masks and the 32-bit numbers; `memory` reads and writes them, `wide` has the 64-bit numbers.

use std::arch::x86_64::*;

use crate::kernel::{FloatLane, IntLane, Lane, Lanes, MaskLane, NumLane, Rare};

use super::lanewise::{arrays, lanewise, methods, transcendentals};
use super::level::level_common;
use super::{Level, SimdLevel, Span, philox, rarely_avx2};

/// Number of lanes.
const W: usize = 8;

/// The proof that this CPU has AVX2, FMA, BMI1, BMI2, LZCNT and POPCNT.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// The proof, if it can be had.
    #[inline]
    pub fn detect() -> Option<Avx2> {
        (SimdLevel::detect() >= SimdLevel::Avx2).then_some(Avx2(()))
    }
    /// The proof without the check.
    ///
    /// # Safety
    /// The CPU must have the features.
    #[inline(always)]
    pub(super) unsafe fn new_unchecked() -> Self {
        Avx2(())
    }
}

/// Eight truth values: 0 or -1 in 32 bits.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Mask(__m256i);
/// Eight `f32`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct F32(__m256);
/// Eight `i32`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct I32(__m256i);
/// Eight `u32`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct U32(__m256i);
/// Eight `f64`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct F64(__m256d, __m256d);
/// Eight `i64`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct I64(__m256i, __m256i);
/// Eight `u64`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct U64(__m256i, __m256i);

arrays! { F32: f32 = 0.0; F64: f64 = 0.0; I32: i32 = 0; U32: u32 = 0; I64: i64 = 0; U64: u64 = 0; }

/// The same instruction on both registers of a pair.
macro_rules! both {
    ($out:ident: $f:ident $(::<$c:tt>)? ($($x:expr),+)) => {
        $out($f $(::<$c>)? ($($x.0),+), $f $(::<$c>)? ($($x.1),+))
    };
}
/// The lower and the upper half of a register.
macro_rules! low {
    ($x:expr) => {
        _mm256_castsi256_si128($x)
    };
}
macro_rules! high {
    ($x:expr) => {
        _mm256_extracti128_si256::<1>($x)
    };
}
mod field;
mod memory;
mod turn;
mod wide;

impl Lanes for Avx2 {
    const WIDTH: usize = W;
    level_common!();

    type Mask = Mask;
    type F32 = F32;
    type F64 = F64;
    type I32 = I32;
    type U32 = U32;
    type I64 = I64;
    type U64 = U64;

    #[inline(always)]
    fn rarely<R: Rare<Self>>(self, rare: R) -> R::Out {
        // SAFETY: the token is the proof that the CPU has the features that the entry enables.
        unsafe { rarely_avx2(self, rare) }
    }
    methods! { self;
        index_u32(i: Span) -> U32 = U32(_mm256_add_epi32(
            _mm256_mullo_epi32(existing(self, i.count).0, _mm256_set1_epi32(i.stride as i32)),
            _mm256_set1_epi32(i.base as i32),
        ));
        index_u64(i: Span) -> U64 = {
            let lane = existing(self, i.count).to_i64(self);
            lane.mul(self, I64::splat(self, i.stride as i64)).add(self, I64::splat(self, i.base as i64)).to_u64(self)
        };
        f32_bits(x: F32) -> U32 = U32(_mm256_castps_si256(x.0));
        f32_from_bits(x: U32) -> F32 = F32(_mm256_castsi256_ps(x.0));
        f64_bits(x: F64) -> U64 = both!(U64: _mm256_castpd_si256(x));
        f64_from_bits(x: U64) -> F64 = both!(F64: _mm256_castsi256_pd(x));
        mul_hi(a: U32, b: U32) -> U32 = {
            let odd = _mm256_mul_epu32(_mm256_srli_epi64::<32>(a.0), _mm256_srli_epi64::<32>(b.0));
            U32(_mm256_blend_epi32::<0xAA>(_mm256_srli_epi64::<32>(_mm256_mul_epu32(a.0, b.0)), odd))
        };
        // As in `avx512`.
        philox_words(i: Span, key: [u32; 2], stream: u32) -> Option<U32> = if philox::in_order(i, W) {
            let blocks = _mm256_add_epi64(_mm256_set1_epi64x(philox::first_block(i) as i64), _mm256_setr_epi64x(0, 0, 1, 0));
            let mut words = _mm256_blend_epi32::<0xCC>(blocks, _mm256_set1_epi64x(stream as i64));
            let [m0, m1] = philox::MULTIPLIERS;
            let factors = _mm256_setr_epi64x(m0 as i64, m1 as i64, m0 as i64, m1 as i64);
            for round in 0..philox::ROUNDS {
                let [k0, k1] = philox::round_key(key, round);
                let keys = _mm256_setr_epi64x(k0 as i64, k1 as i64, k0 as i64, k1 as i64);
                let swapped = _mm256_shuffle_epi32::<0b00_01_10_11>(_mm256_mul_epu32(words, factors));
                words = _mm256_xor_si256(swapped, _mm256_xor_si256(_mm256_srli_epi64::<32>(words), keys));
            }
            Some(U32(words))
        } else {
            None
        };
        mask_all() -> Mask = Mask(_mm256_set1_epi32(-1));
        mask_none() -> Mask = Mask(_mm256_setzero_si256());
        any(m: Mask) -> bool = _mm256_movemask_ps(_mm256_castsi256_ps(m.0)) != 0;
    }
}

impl Level for Avx2 {
    const FMA: bool = true;

    #[inline(always)]
    fn view<T: crate::element::Element>(self, v: crate::backend::simd::View<'_, T>) -> Self::Slice<'_, T> {
        v
    }
    methods! { self;
        first(n: usize) -> Mask = Mask(_mm256_cmpgt_epi32(_mm256_set1_epi32(n.min(W) as i32), iota(self)));
        bits(m: Mask) -> u32 = _mm256_movemask_ps(_mm256_castsi256_ps(m.0)) as u32;
        fence() -> () = _mm_sfence();
    }
    #[inline(always)]
    fn turn_32(self, lines: &mut [U32; 16]) -> bool {
        turn::turn_32(self, lines);
        true
    }
    #[inline(always)]
    fn turn_64(self, lines: &mut [U64; 16]) -> bool {
        turn::turn_64(self, lines);
        true
    }
}

methods! { fn l: Avx2;
    /// The lane numbers.
    iota() -> __m256i = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    /// The lane numbers; from `count` on, that of the last lane that exists.
    existing(count: usize) -> I32 = if count >= W { I32(iota(l)) } else {
        I32(_mm256_min_epi32(iota(l), _mm256_set1_epi32(count as i32 - 1)))
    };
    /// Two registers of 64-bit lanes as one of their low words.
    low_words(a: __m256i, b: __m256i) -> __m256i = {
        let words = _mm256_shuffle_ps::<0x88>(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b));
        _mm256_permute4x64_epi64::<0xD8>(_mm256_castps_si256(words))
    };
    /// The number of ones in each byte: a table of 16, looked up for either half (Mula, Kurz and Lemire 2018).
    byte_ones(x: __m256i) -> __m256i = {
        let table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
        let nibble = _mm256_set1_epi8(15);
        _mm256_add_epi8(
            _mm256_shuffle_epi8(table, _mm256_and_si256(x, nibble)),
            _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16::<4>(x), nibble)),
        )
    };
    /// The bits of each byte in reverse order, by the same way.
    byte_reversed(x: __m256i) -> __m256i = {
        let table = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15));
        let nibble = _mm256_set1_epi8(15);
        _mm256_or_si256(
            _mm256_slli_epi16::<4>(_mm256_shuffle_epi8(table, _mm256_and_si256(x, nibble))),
            _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16::<4>(x), nibble)),
        )
    };
}

const TRUNC: i32 = _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC;

impl Mask {
    const ZEROS: [bool; W] = [false; W];

    #[inline(always)]
    fn array(self) -> [bool; W] {
        let (words, mut out) = (I32(self.0).array(), Self::ZEROS);
        for (out, word) in out.iter_mut().zip(words) {
            *out = word != 0;
        }
        out
    }
    #[inline(always)]
    fn from_array(x: [bool; W]) -> Mask {
        let mut out = I32::ZEROS;
        for (out, x) in out.iter_mut().zip(x) {
            *out = -(x as i32);
        }
        Mask(I32::from_array(out).0)
    }
    methods! { self, l: Avx2;
        /// The masks of 64-bit lanes.
        wide() -> I64 = I64(_mm256_cvtepi32_epi64(low!(self.0)), _mm256_cvtepi32_epi64(high!(self.0)));
        wide_pd() -> F64 = { let m = self.wide(l); both!(F64: _mm256_castsi256_pd(m)) };
    }
    methods! { fn l: Avx2;
        /// From comparisons.
        ps(m: __m256) -> Mask = Mask(_mm256_castps_si256(m));
        pd(m: F64) -> Mask = Mask(low_words(l, _mm256_castpd_si256(m.0), _mm256_castpd_si256(m.1)));
        epi64(m: I64) -> Mask = Mask(low_words(l, m.0, m.1));
    }
}

impl MaskLane<Avx2> for Mask {
    methods! { self, l: Avx2;
        and(o: Self) -> Self = Mask(_mm256_and_si256(self.0, o.0));
        or(o: Self) -> Self = Mask(_mm256_or_si256(self.0, o.0));
        xor(o: Self) -> Self = Mask(_mm256_xor_si256(self.0, o.0));
        not() -> Self = Mask(_mm256_xor_si256(self.0, _mm256_set1_epi32(-1)));
    }
}

impl NumLane<Avx2, f32> for F32 {
    methods! { self, l: Avx2;
        add(o: Self) -> Self = F32(_mm256_add_ps(self.0, o.0));
        sub(o: Self) -> Self = F32(_mm256_sub_ps(self.0, o.0));
        mul(o: Self) -> Self = F32(_mm256_mul_ps(self.0, o.0));
        div(o: Self) -> Self = F32(_mm256_div_ps(self.0, o.0));
        rem(o: Self) -> Self = lanewise!(Self: NumLane::rem(self, o));
        neg() -> Self = F32(_mm256_xor_ps(self.0, _mm256_set1_ps(-0.0)));
        abs() -> Self = F32(_mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0));
        // The instruction gives its second operand unless the first is less (greater): wrong only where self is NaN.
        min(o: Self) -> Self = o.select(l, self.is_nan(l), F32(_mm256_min_ps(o.0, self.0)));
        max(o: Self) -> Self = o.select(l, self.is_nan(l), F32(_mm256_max_ps(o.0, self.0)));
        eq(o: Self) -> Mask = Mask::ps(l, _mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, o.0));
        lt(o: Self) -> Mask = Mask::ps(l, _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, o.0));
        le(o: Self) -> Mask = Mask::ps(l, _mm256_cmp_ps::<_CMP_LE_OQ>(self.0, o.0));
        to_f32() -> F32 = self;
        to_f64() -> F64 = F64(_mm256_cvtps_pd(_mm256_castps256_ps128(self.0)), _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(self.0)));
        // The instruction gives MIN out of range: right below, all bits inverted above, and NaN is made 0 first.
        to_i32() -> I32 = {
            let number = _mm256_and_ps(self.0, _mm256_cmp_ps::<_CMP_ORD_Q>(self.0, self.0));
            let above = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_GE_OQ>(self.0, _mm256_set1_ps(2_147_483_648.0)));
            I32(_mm256_xor_si256(_mm256_cvttps_epi32(number), above))
        };
        // The upper half of the range is converted 2^31 lower and its top bit set again. Beyond, the instruction gives that bit
        // alone, and all are inverted.
        to_u32() -> U32 = {
            let middle = _mm256_set1_ps(2_147_483_648.0);
            let positive = _mm256_max_ps(self.0, _mm256_setzero_ps()); // 0 for NaN
            let upper = _mm256_cmp_ps::<_CMP_GE_OQ>(positive, middle);
            let low = _mm256_sub_ps(positive, _mm256_and_ps(upper, middle));
            let above = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_GE_OQ>(low, middle));
            let top = _mm256_slli_epi32::<31>(_mm256_castps_si256(upper));
            U32(_mm256_xor_si256(_mm256_xor_si256(_mm256_cvttps_epi32(low), top), above))
        };
        to_i64() -> I64 = lanewise!(I64: NumLane::to_i64(self));
        to_u64() -> U64 = lanewise!(U64: NumLane::to_u64(self));
    }
}
impl FloatLane<Avx2, f32> for F32 {
    transcendentals!(f32 Avx2);
    methods! { self, l: Avx2;
        mul_add(a: Self, b: Self) -> Self = F32(_mm256_fmadd_ps(self.0, a.0, b.0));
        sqrt() -> Self = F32(_mm256_sqrt_ps(self.0));
        floor() -> Self = F32(_mm256_floor_ps(self.0));
        ceil() -> Self = F32(_mm256_ceil_ps(self.0));
        trunc() -> Self = F32(_mm256_round_ps::<TRUNC>(self.0));
        // The fraction is exact, so halves are recognised; the sign is set again, since `-0 + 0` is `+0`.
        round() -> Self = {
            let (t, sign) = (self.trunc(l), _mm256_and_ps(self.0, _mm256_set1_ps(-0.0)));
            let half = _mm256_cmp_ps::<_CMP_GE_OQ>(self.sub(l, t).abs(l).0, _mm256_set1_ps(0.5));
            F32(_mm256_or_ps(sign, _mm256_add_ps(t.0, _mm256_and_ps(half, _mm256_or_ps(sign, _mm256_set1_ps(1.0))))))
        };
        is_nan() -> Mask = Mask::ps(l, _mm256_cmp_ps::<_CMP_UNORD_Q>(self.0, self.0));
        copysign(o: Self) -> Self = F32(_mm256_or_ps(self.abs(l).0, _mm256_and_ps(o.0, _mm256_set1_ps(-0.0))));
    }
}

/// What the two 32-bit integers share.
macro_rules! words {
    ($vector:ident $scalar:ident $min:ident $max:ident $shr:ident; $($rest:tt)*) => {
        impl NumLane<Avx2, $scalar> for $vector {
            methods! { self, l: Avx2;
                add(o: Self) -> Self = $vector(_mm256_add_epi32(self.0, o.0));
                sub(o: Self) -> Self = $vector(_mm256_sub_epi32(self.0, o.0));
                mul(o: Self) -> Self = $vector(_mm256_mullo_epi32(self.0, o.0));
                // The remainder is that of the quotient, which is the dividend if the divisor is 0: then 0 is asked for.
                rem(o: Self) -> Self = {
                    let rest = self.sub(l, self.div(l, o).mul(l, o));
                    $vector(_mm256_andnot_si256(_mm256_cmpeq_epi32(o.0, _mm256_setzero_si256()), rest.0))
                };
                neg() -> Self = $vector(_mm256_sub_epi32(_mm256_setzero_si256(), self.0));
                min(o: Self) -> Self = $vector($min(self.0, o.0));
                max(o: Self) -> Self = $vector($max(self.0, o.0));
                eq(o: Self) -> Mask = Mask(_mm256_cmpeq_epi32(self.0, o.0));
                le(o: Self) -> Mask = Mask(_mm256_cmpeq_epi32(self.0, $min(self.0, o.0)));
            }
            methods! { $($rest)* }
        }
        impl IntLane<Avx2, $scalar> for $vector {
            methods! { self, l: Avx2;
                bit_and(o: Self) -> Self = $vector(_mm256_and_si256(self.0, o.0));
                bit_or(o: Self) -> Self = $vector(_mm256_or_si256(self.0, o.0));
                bit_xor(o: Self) -> Self = $vector(_mm256_xor_si256(self.0, o.0));
                bit_not() -> Self = $vector(_mm256_xor_si256(self.0, _mm256_set1_epi32(-1)));
                shl(by: U32) -> Self = $vector(_mm256_sllv_epi32(self.0, _mm256_and_si256(by.0, _mm256_set1_epi32(31))));
                shr(by: U32) -> Self = $vector($shr(self.0, _mm256_and_si256(by.0, _mm256_set1_epi32(31))));
                count_ones() -> U32 = {
                    let pairs = _mm256_maddubs_epi16(byte_ones(l, self.0), _mm256_set1_epi8(1));
                    U32(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
                };
                leading_zeros() -> U32 = {
                    // The ones from the first on: what is left are the leading zeros.
                    let x = _mm256_or_si256(self.0, _mm256_srli_epi32::<1>(self.0));
                    let x = _mm256_or_si256(x, _mm256_srli_epi32::<2>(x));
                    let x = _mm256_or_si256(x, _mm256_srli_epi32::<4>(x));
                    let x = _mm256_or_si256(x, _mm256_srli_epi32::<8>(x));
                    U32(_mm256_or_si256(x, _mm256_srli_epi32::<16>(x))).bit_not(l).count_ones(l)
                };
                // The zeros below the last one are the ones that a decrement leaves there.
                trailing_zeros() -> U32 =
                    U32(_mm256_andnot_si256(self.0, _mm256_add_epi32(self.0, _mm256_set1_epi32(-1)))).count_ones(l);
                reverse_bits() -> Self = {
                    let bytes = _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
                    $vector(_mm256_shuffle_epi8(byte_reversed(l, self.0), _mm256_broadcastsi128_si256(bytes)))
                };
            }
        }
    };
}
words! { I32 i32 _mm256_min_epi32 _mm256_max_epi32 _mm256_srav_epi32; self, l: Avx2;
    // A quotient of 32-bit integers rounded to 53 bits does not reach the next integer; `MIN / -1` overflows to MIN.
    div(o: Self) -> Self = {
        let (a, b) = (self.to_f64(l), o.to_f64(l));
        let (low, high) = (_mm256_cvttpd_epi32(_mm256_div_pd(a.0, b.0)), _mm256_cvttpd_epi32(_mm256_div_pd(a.1, b.1)));
        self.select(l, o.eq(l, I32::splat(l, 0)), I32(_mm256_set_m128i(high, low)))
    };
    abs() -> Self = I32(_mm256_abs_epi32(self.0));
    lt(o: Self) -> Mask = Mask(_mm256_cmpgt_epi32(o.0, self.0));
    to_f32() -> F32 = F32(_mm256_cvtepi32_ps(self.0));
    to_f64() -> F64 = F64(_mm256_cvtepi32_pd(low!(self.0)), _mm256_cvtepi32_pd(high!(self.0)));
    to_i32() -> I32 = self;
    to_u32() -> U32 = U32(self.0);
    to_i64() -> I64 = I64(_mm256_cvtepi32_epi64(low!(self.0)), _mm256_cvtepi32_epi64(high!(self.0)));
    to_u64() -> U64 = self.to_i64(l).to_u64(l);
}
words! { U32 u32 _mm256_min_epu32 _mm256_max_epu32 _mm256_srlv_epi32; self, l: Avx2;
    // As for `i32`.
    div(o: Self) -> Self = self.select(l, o.eq(l, U32::splat(l, 0)), self.to_f64(l).div(l, o.to_f64(l)).to_u32(l));
    abs() -> Self = self;
    lt(o: Self) -> Mask = o.le(l, self).not(l);
    // Both halves convert exactly, so the sum rounds once.
    to_f32() -> F32 = {
        let high = _mm256_cvtepi32_ps(_mm256_srli_epi32::<16>(self.0));
        let low = _mm256_cvtepi32_ps(_mm256_and_si256(self.0, _mm256_set1_epi32(0xFFFF)));
        F32(_mm256_fmadd_ps(high, _mm256_set1_ps(65536.0), low))
    };
    // Converted 2^31 lower.
    to_f64() -> F64 = I32(_mm256_xor_si256(self.0, _mm256_set1_epi32(i32::MIN))).to_f64(l).add(l, F64::splat(l, 2_147_483_648.0));
    to_i32() -> I32 = I32(self.0);
    to_u32() -> U32 = self;
    to_i64() -> I64 = I64(_mm256_cvtepu32_epi64(low!(self.0)), _mm256_cvtepu32_epi64(high!(self.0)));
    to_u64() -> U64 = self.to_i64(l).to_u64(l);
}
