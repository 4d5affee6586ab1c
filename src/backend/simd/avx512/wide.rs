//! The 64-bit numbers: pairs of registers.

use std::arch::x86_64::*;

use super::{Avx512, F32, F64, I32, I64, Mask, U32, U64, W};
use super::{join_f, join_i, ones_in_bytes, reversed_in_bytes, swapped_in_8, zero_extend};
use crate::backend::simd::OneLane;
use crate::backend::simd::lanewise::transcendentals;
use crate::kernel::{FloatLane, IntLane, Lane, NumLane};

/// An intrinsic, or an expression, on both registers of pairs. Not a closure: it would not be inlined before all else.
macro_rules! both {
    ($($x:ident = $a:expr),+ => $body:expr) => {
        Self({ $(let $x = $a.0;)+ $body }, { $(let $x = $a.1;)+ $body })
    };
    ($f:expr; $a:expr) => { Self($f($a.0), $f($a.1)) };
    ($f:expr; $a:expr, $b:expr) => { Self($f($a.0, $b.0), $f($a.1, $b.1)) };
    ($f:expr; $a:expr, $b:expr, $c:expr) => { Self($f($a.0, $b.0, $c.0), $f($a.1, $b.1, $c.1)) };
}

/// The mask of a comparison of pairs.
macro_rules! test {
    ($f:expr; $a:expr, $b:expr) => {
        join($f($a.0, $b.0), $f($a.1, $b.1))
    };
}

/// The mask of both halves.
#[inline(always)]
fn join(low: __mmask8, high: __mmask8) -> Mask {
    Mask(low as u16 | (high as u16) << 8)
}
impl NumLane<Avx512, f64> for F64 {
    methods! { self, l:
        add(o: F64) -> F64 = both!(_mm512_add_pd; self, o);
        sub(o: F64) -> F64 = both!(_mm512_sub_pd; self, o);
        mul(o: F64) -> F64 = both!(_mm512_mul_pd; self, o);
        div(o: F64) -> F64 = both!(_mm512_div_pd; self, o);
        rem(o: F64) -> F64 = each!(F64; a = self, b = o => a % b);
        neg() -> F64 = both!(x = self => _mm512_xor_pd(x, _mm512_set1_pd(-0.0)));
        abs() -> F64 = both!(_mm512_abs_pd; self);
        min(o: F64) -> F64 = o.select(l, self.is_nan(l), both!(_mm512_min_pd; o, self));
        max(o: F64) -> F64 = o.select(l, self.is_nan(l), both!(_mm512_max_pd; o, self));
        eq(o: F64) -> Mask = test!(_mm512_cmp_pd_mask::<_CMP_EQ_OQ>; self, o);
        lt(o: F64) -> Mask = test!(_mm512_cmp_pd_mask::<_CMP_LT_OQ>; self, o);
        le(o: F64) -> Mask = test!(_mm512_cmp_pd_mask::<_CMP_LE_OQ>; self, o);
        to_f32() -> F32 = F32(join_f(l, _mm512_cvtpd_ps(self.0), _mm512_cvtpd_ps(self.1)));
        to_f64() -> F64 = self;
        to_i32() -> I32 = {
            let x = I32(join_i(l, _mm512_cvttpd_epi32(self.0), _mm512_cvttpd_epi32(self.1)));
            let x = I32::splat(l, i32::MAX).select(l, F64::splat(l, 2147483648.0).le(l, self), x);
            I32::splat(l, 0).select(l, self.is_nan(l), x)
        };
        to_u32() -> U32 = {
            let x = U32(join_i(l, _mm512_cvttpd_epu32(self.0), _mm512_cvttpd_epu32(self.1)));
            x.select(l, F64::splat(l, 0.0).le(l, self), U32::splat(l, 0))
        };
        to_i64() -> I64 = {
            let x = I64(_mm512_cvttpd_epi64(self.0), _mm512_cvttpd_epi64(self.1));
            let x = I64::splat(l, i64::MAX).select(l, F64::splat(l, 9223372036854775808.0).le(l, self), x);
            I64::splat(l, 0).select(l, self.is_nan(l), x)
        };
        to_u64() -> U64 = {
            let x = U64(_mm512_cvttpd_epu64(self.0), _mm512_cvttpd_epu64(self.1));
            x.select(l, F64::splat(l, 0.0).le(l, self), U64::splat(l, 0))
        };
    }
}

impl FloatLane<Avx512, f64> for F64 {
    transcendentals!(f64 Avx512);
    methods! { self, l:
        mul_add(a: F64, b: F64) -> F64 = both!(_mm512_fmadd_pd; self, a, b);
        sqrt() -> F64 = both!(_mm512_sqrt_pd; self);
        floor() -> F64 = both!(_mm512_roundscale_pd::<0x09>; self);
        ceil() -> F64 = both!(_mm512_roundscale_pd::<0x0A>; self);
        trunc() -> F64 = both!(_mm512_roundscale_pd::<0x0B>; self);
        round() -> F64 = {
            let t = self.trunc(l);
            let half = F64::splat(l, 0.5).le(l, self.sub(l, t).abs(l));
            t.add(l, F64::splat(l, 1.0).copysign(l, self)).select(l, half, t)
        };
        is_nan() -> Mask = test!(_mm512_cmp_pd_mask::<_CMP_UNORD_Q>; self, self);
        copysign(o: F64) -> F64 = both!(a = self, b = o => _mm512_castsi512_pd(_mm512_ternarylogic_epi64::<0xCA>(
            _mm512_set1_epi64(i64::MIN), _mm512_castpd_si512(b), _mm512_castpd_si512(a))));
    }
}

/// The 64-bit integers. `$min`... differ by sign; there is no division, so it goes lane by lane as in one lane.
macro_rules! bits_64 {
    ($($V:ident: $t:ty, $min:ident $max:ident $eq:ident $lt:ident $le:ident $to_ps:ident $to_pd:ident $shr:ident, |$x:ident| $abs:expr;)+) => {$(
        impl NumLane<Avx512, $t> for $V {
            methods! { self, l:
                add(o: Self) -> Self = both!(_mm512_add_epi64; self, o);
                sub(o: Self) -> Self = both!(_mm512_sub_epi64; self, o);
                mul(o: Self) -> Self = both!(_mm512_mullo_epi64; self, o);
                div(o: Self) -> Self = each!($V; a = self, b = o => NumLane::div(a, OneLane, b));
                rem(o: Self) -> Self = each!($V; a = self, b = o => NumLane::rem(a, OneLane, b));
                neg() -> Self = both!(x = self => _mm512_sub_epi64(_mm512_setzero_si512(), x));
                abs() -> Self = both!($x = self => $abs);
                min(o: Self) -> Self = both!($min; self, o);
                max(o: Self) -> Self = both!($max; self, o);
                eq(o: Self) -> Mask = test!($eq; self, o);
                lt(o: Self) -> Mask = test!($lt; self, o);
                le(o: Self) -> Mask = test!($le; self, o);
                to_f32() -> F32 = F32(join_f(l, $to_ps(self.0), $to_ps(self.1)));
                to_f64() -> F64 = F64($to_pd(self.0), $to_pd(self.1));
                to_i32() -> I32 = I32(join_i(l, _mm512_cvtepi64_epi32(self.0), _mm512_cvtepi64_epi32(self.1)));
                to_u32() -> U32 = U32(join_i(l, _mm512_cvtepi64_epi32(self.0), _mm512_cvtepi64_epi32(self.1)));
                to_i64() -> I64 = I64(self.0, self.1);
                to_u64() -> U64 = U64(self.0, self.1);
            }
        }
        impl IntLane<Avx512, $t> for $V {
            methods! { self, l:
                bit_and(o: Self) -> Self = both!(_mm512_and_si512; self, o);
                bit_or(o: Self) -> Self = both!(_mm512_or_si512; self, o);
                bit_xor(o: Self) -> Self = both!(_mm512_xor_si512; self, o);
                bit_not() -> Self = both!(x = self => _mm512_xor_si512(x, _mm512_set1_epi64(-1)));
                shl(by: U32) -> Self = {
                    let by = zero_extend(l, _mm512_and_si512(by.0, _mm512_set1_epi32(63)));
                    both!(_mm512_sllv_epi64; self, by)
                };
                shr(by: U32) -> Self = {
                    let by = zero_extend(l, _mm512_and_si512(by.0, _mm512_set1_epi32(63)));
                    both!($shr; self, by)
                };
                count_ones() -> U32 = {
                    let none = _mm512_setzero_si512();
                    let bytes = (ones_in_bytes(l, self.0), ones_in_bytes(l, self.1));
                    U64(_mm512_sad_epu8(bytes.0, none), _mm512_sad_epu8(bytes.1, none)).to_u32(l)
                };
                leading_zeros() -> U32 = U64(_mm512_lzcnt_epi64(self.0), _mm512_lzcnt_epi64(self.1)).to_u32(l);
                trailing_zeros() -> U32 = {
                    let one = _mm512_set1_epi64(1);
                    let zeros: Self = both!(x = self => _mm512_andnot_si512(x, _mm512_sub_epi64(x, one)));
                    U32::splat(l, 64).sub(l, zeros.leading_zeros(l))
                };
                reverse_bits() -> Self = both!(x = self => swapped_in_8(l, reversed_in_bytes(l, x)));
            }
        }
    )+};
}
bits_64! {
    I64: i64, _mm512_min_epi64 _mm512_max_epi64 _mm512_cmpeq_epi64_mask _mm512_cmplt_epi64_mask _mm512_cmple_epi64_mask
        _mm512_cvtepi64_ps _mm512_cvtepi64_pd _mm512_srav_epi64, |x| _mm512_abs_epi64(x);
    U64: u64, _mm512_min_epu64 _mm512_max_epu64 _mm512_cmpeq_epu64_mask _mm512_cmplt_epu64_mask _mm512_cmple_epu64_mask
        _mm512_cvtepu64_ps _mm512_cvtepu64_pd _mm512_srlv_epi64, |x| x;
}
