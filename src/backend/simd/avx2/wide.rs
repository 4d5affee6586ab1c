//! The 64-bit numbers: pairs of registers. AVX2 has no product, no arithmetic shift and no conversions for them.

use std::arch::x86_64::*;

use super::{Avx2, F32, F64, I32, I64, Mask, TRUNC, U32, U64, byte_ones, byte_reversed, low_words};
use crate::backend::simd::lanewise::{lanewise, methods, transcendentals};
use crate::kernel::{FloatLane, IntLane, Lane, MaskLane, NumLane};

methods! { fn l: Avx2;
    /// 64-bit product: low by low, and the two mixed products in the upper half.
    mul_64(a: __m256i, b: __m256i) -> __m256i = {
        let mixed = _mm256_mullo_epi32(a, _mm256_shuffle_epi32::<0xB1>(b));
        let upper = _mm256_slli_epi64::<32>(_mm256_add_epi32(mixed, _mm256_shuffle_epi32::<0xB1>(mixed)));
        _mm256_add_epi64(_mm256_mul_epu32(a, b), upper)
    };
    /// Arithmetic shift of 64-bit lanes: the logical one, then the sign bit at its new place is extended.
    sra_64(x: __m256i, by: __m256i) -> __m256i = {
        let sign = _mm256_srlv_epi64(_mm256_set1_epi64x(i64::MIN), by);
        _mm256_sub_epi64(_mm256_xor_si256(_mm256_srlv_epi64(x, by), sign), sign)
    };
    /// `f64` to `i32`: NaN to 0, then clamped.
    pd_to_i32(x: __m256d) -> __m128i = {
        let number = _mm256_and_pd(x, _mm256_cmp_pd::<_CMP_ORD_Q>(x, x));
        let clamped = _mm256_min_pd(_mm256_max_pd(number, _mm256_set1_pd(i32::MIN as f64)), _mm256_set1_pd(i32::MAX as f64));
        _mm256_cvttpd_epi32(clamped)
    };
    /// `f64` to `u32`: what is not positive to 0, clamped, truncated, and converted 2^31 lower.
    pd_to_u32(x: __m256d) -> __m128i = {
        let positive = _mm256_and_pd(x, _mm256_cmp_pd::<_CMP_GT_OQ>(x, _mm256_setzero_pd()));
        let whole = _mm256_round_pd::<TRUNC>(_mm256_min_pd(positive, _mm256_set1_pd(u32::MAX as f64)));
        let low = _mm256_cvttpd_epi32(_mm256_sub_pd(whole, _mm256_set1_pd(2_147_483_648.0)));
        _mm_xor_si128(low, _mm_set1_epi32(i32::MIN))
    };
}

impl NumLane<Avx2, f64> for F64 {
    methods! { self, l: Avx2;
        add(o: Self) -> Self = both!(F64: _mm256_add_pd(self, o));
        sub(o: Self) -> Self = both!(F64: _mm256_sub_pd(self, o));
        mul(o: Self) -> Self = both!(F64: _mm256_mul_pd(self, o));
        div(o: Self) -> Self = both!(F64: _mm256_div_pd(self, o));
        rem(o: Self) -> Self = lanewise!(Self: NumLane::rem(self, o));
        neg() -> Self = both!(F64: _mm256_xor_pd(self, Self::splat(l, -0.0)));
        abs() -> Self = both!(F64: _mm256_andnot_pd(Self::splat(l, -0.0), self));
        // As for `f32`.
        min(o: Self) -> Self = { let nan = self.unordered(l); let r = both!(F64: _mm256_min_pd(o, self)); both!(F64: _mm256_blendv_pd(r, o, nan)) };
        max(o: Self) -> Self = { let nan = self.unordered(l); let r = both!(F64: _mm256_max_pd(o, self)); both!(F64: _mm256_blendv_pd(r, o, nan)) };
        eq(o: Self) -> Mask = Mask::pd(l, both!(F64: _mm256_cmp_pd::<_CMP_EQ_OQ>(self, o)));
        lt(o: Self) -> Mask = Mask::pd(l, both!(F64: _mm256_cmp_pd::<_CMP_LT_OQ>(self, o)));
        le(o: Self) -> Mask = Mask::pd(l, both!(F64: _mm256_cmp_pd::<_CMP_LE_OQ>(self, o)));
        to_f32() -> F32 = F32(_mm256_set_m128(_mm256_cvtpd_ps(self.1), _mm256_cvtpd_ps(self.0)));
        to_f64() -> F64 = self;
        to_i32() -> I32 = I32(_mm256_set_m128i(pd_to_i32(l, self.1), pd_to_i32(l, self.0)));
        to_u32() -> U32 = U32(_mm256_set_m128i(pd_to_u32(l, self.1), pd_to_u32(l, self.0)));
        to_i64() -> I64 = lanewise!(I64: NumLane::to_i64(self));
        to_u64() -> U64 = lanewise!(U64: NumLane::to_u64(self));
    }
}
impl F64 {
    methods! { self, l: Avx2;
        unordered() -> F64 = both!(F64: _mm256_cmp_pd::<_CMP_UNORD_Q>(self, self));
    }
}
impl FloatLane<Avx2, f64> for F64 {
    transcendentals!(f64 Avx2);
    methods! { self, l: Avx2;
        mul_add(a: Self, b: Self) -> Self = both!(F64: _mm256_fmadd_pd(self, a, b));
        sqrt() -> Self = both!(F64: _mm256_sqrt_pd(self));
        floor() -> Self = both!(F64: _mm256_floor_pd(self));
        ceil() -> Self = both!(F64: _mm256_ceil_pd(self));
        trunc() -> Self = both!(F64: _mm256_round_pd::<TRUNC>(self));
        // As for `f32`.
        round() -> Self = {
            let (t, sign) = (self.trunc(l), both!(F64: _mm256_and_pd(self, Self::splat(l, -0.0))));
            let half = both!(F64: _mm256_cmp_pd::<_CMP_GE_OQ>(self.sub(l, t).abs(l), Self::splat(l, 0.5)));
            let one = both!(F64: _mm256_or_pd(sign, Self::splat(l, 1.0)));
            let up = t.add(l, both!(F64: _mm256_and_pd(half, one)));
            both!(F64: _mm256_or_pd(sign, up))
        };
        is_nan() -> Mask = Mask::pd(l, self.unordered(l));
        copysign(o: Self) -> Self = { let sign = both!(F64: _mm256_and_pd(o, Self::splat(l, -0.0))); both!(F64: _mm256_or_pd(self.abs(l), sign)) };
    }
}

/// What the two 64-bit integers share. Division, and conversion to floats, have no instructions.
macro_rules! pairs {
    ($vector:ident $scalar:ident; $($rest:tt)*) => {
        impl NumLane<Avx2, $scalar> for $vector {
            methods! { self, l: Avx2;
                add(o: Self) -> Self = both!($vector: _mm256_add_epi64(self, o));
                sub(o: Self) -> Self = both!($vector: _mm256_sub_epi64(self, o));
                mul(o: Self) -> Self = $vector(mul_64(l, self.0, o.0), mul_64(l, self.1, o.1));
                div(o: Self) -> Self = lanewise!(Self: NumLane::div(self, o));
                rem(o: Self) -> Self = lanewise!(Self: NumLane::rem(self, o));
                neg() -> Self = $vector::splat(l, 0).sub(l, self);
                min(o: Self) -> Self = { let m = o.less(l, self); both!($vector: _mm256_blendv_epi8(self, o, m)) };
                max(o: Self) -> Self = { let m = self.less(l, o); both!($vector: _mm256_blendv_epi8(self, o, m)) };
                eq(o: Self) -> Mask = Mask::epi64(l, both!(I64: _mm256_cmpeq_epi64(self, o)));
                lt(o: Self) -> Mask = Mask::epi64(l, self.less(l, o));
                le(o: Self) -> Mask = o.lt(l, self).not(l);
                to_f32() -> F32 = lanewise!(F32: NumLane::to_f32(self));
                to_f64() -> F64 = lanewise!(F64: NumLane::to_f64(self));
                to_i32() -> I32 = I32(low_words(l, self.0, self.1));
                to_u32() -> U32 = U32(low_words(l, self.0, self.1));
                to_i64() -> I64 = I64(self.0, self.1);
                to_u64() -> U64 = U64(self.0, self.1);
            }
            methods! { $($rest)* }
        }
        impl IntLane<Avx2, $scalar> for $vector {
            methods! { self, l: Avx2;
                bit_and(o: Self) -> Self = both!($vector: _mm256_and_si256(self, o));
                bit_or(o: Self) -> Self = both!($vector: _mm256_or_si256(self, o));
                bit_xor(o: Self) -> Self = both!($vector: _mm256_xor_si256(self, o));
                bit_not() -> Self = both!($vector: _mm256_xor_si256(self, $vector::splat(l, !0)));
                shl(by: U32) -> Self = { let by = by.below_64(l); both!($vector: _mm256_sllv_epi64(self, by)) };
                shr(by: U32) -> Self = self.shifted_right(l, by.below_64(l));
                count_ones() -> U32 = {
                    let zero = _mm256_setzero_si256();
                    U32(low_words(l, _mm256_sad_epu8(byte_ones(l, self.0), zero), _mm256_sad_epu8(byte_ones(l, self.1), zero)))
                };
                // As for 32 bits, and one step more.
                leading_zeros() -> U32 = {
                    let x = U64(self.0, self.1);
                    let half = both!(U64: _mm256_srli_epi64::<1>(x));
                    let x = x.bit_or(l, half);
                    let half = both!(U64: _mm256_srli_epi64::<2>(x));
                    let x = x.bit_or(l, half);
                    let half = both!(U64: _mm256_srli_epi64::<4>(x));
                    let x = x.bit_or(l, half);
                    let half = both!(U64: _mm256_srli_epi64::<8>(x));
                    let x = x.bit_or(l, half);
                    let half = both!(U64: _mm256_srli_epi64::<16>(x));
                    let x = x.bit_or(l, half);
                    let half = both!(U64: _mm256_srli_epi64::<32>(x));
                    x.bit_or(l, half).bit_not(l).count_ones(l)
                };
                trailing_zeros() -> U32 = {
                    let below = self.add(l, $vector::splat(l, !0));
                    both!(U64: _mm256_andnot_si256(self, below)).count_ones(l)
                };
                reverse_bits() -> Self = {
                    let bytes = _mm_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);
                    let bytes = _mm256_broadcastsi128_si256(bytes);
                    $vector(
                        _mm256_shuffle_epi8(byte_reversed(l, self.0), bytes),
                        _mm256_shuffle_epi8(byte_reversed(l, self.1), bytes),
                    )
                };
            }
        }
    };
}
pairs! { I64 i64; self, l: Avx2;
    abs() -> Self = { let m = self.less(l, I64::splat(l, 0)); self.bit_xor(l, m).sub(l, m) };
}
pairs! { U64 u64; self, l: Avx2;
    abs() -> Self = self;
}
impl I64 {
    methods! { self, l: Avx2;
        less(o: I64) -> I64 = both!(I64: _mm256_cmpgt_epi64(o, self));
        shifted_right(by: I64) -> I64 = I64(sra_64(l, self.0, by.0), sra_64(l, self.1, by.1));
    }
}
impl U64 {
    methods! { self, l: Avx2;
        /// Signed comparison, 2^63 lower.
        less(o: U64) -> I64 = {
            let sign = U64::splat(l, 1 << 63);
            self.bit_xor(l, sign).to_i64(l).less(l, o.bit_xor(l, sign).to_i64(l))
        };
        shifted_right(by: I64) -> U64 = both!(U64: _mm256_srlv_epi64(self, by));
    }
}
impl U32 {
    methods! { self, l: Avx2;
        /// Shift amounts for 64-bit lanes.
        below_64() -> I64 = U32(_mm256_and_si256(self.0, _mm256_set1_epi32(63))).to_i64(l);
    }
}
