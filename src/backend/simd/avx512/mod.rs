//! AVX-512: 16 lanes, masks in their own registers. The 64-bit types are pairs of registers, lanes 0-7 and 8-15.
//!
//! The instruction set is that of Skylake-X (x86-64-v4): F, BW, CD, DQ, VL, with AVX2, FMA and the bit
//! instructions of x86-64-v3. Every method is one line of a table.
//!
//! Here are the level, its types and the 32-bit numbers; `memory` reads and writes them, `mask` holds truth values, `wide` the
//! 64-bit numbers.

use std::arch::x86_64::*;

use crate::kernel::{FloatLane, IntLane, Lanes, MaskLane, NumLane, Rare};

use super::lanewise::transcendentals;
use super::level::level_common;
use super::{Level, Span, philox, rarely_avx512};

/// Number of lanes.
const W: usize = 16;

/// The AVX-512 level. A value of it is the proof that this CPU has the instructions.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// The level, without asking the CPU.
    ///
    /// # Safety
    /// The CPU has all that [`Avx512::detect`] asks for.
    #[inline(always)]
    pub(super) unsafe fn new_unchecked() -> Self {
        Avx512(())
    }

    /// The level, if this CPU has it.
    #[inline]
    pub fn detect() -> Option<Self> {
        use std::is_x86_feature_detected as has;
        let v3 = has!("avx2") && has!("fma") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt");
        let v4 = has!("avx512f") && has!("avx512bw") && has!("avx512cd") && has!("avx512dq") && has!("avx512vl");
        // SAFETY: the lines above asked for every feature that is needed.
        (v3 && v4).then(|| unsafe { Avx512::new_unchecked() })
    }
}

/// 16 truth values.
#[derive(Clone, Copy, Debug)]
pub struct Mask(__mmask16);
/// 16 `f32`.
#[derive(Clone, Copy, Debug)]
pub struct F32(__m512);
/// 16 `i32`.
#[derive(Clone, Copy, Debug)]
pub struct I32(__m512i);
/// 16 `u32`.
#[derive(Clone, Copy, Debug)]
pub struct U32(__m512i);
/// 16 `f64`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct F64(__m512d, __m512d);
/// 16 `i64`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct I64(__m512i, __m512i);
/// 16 `u64`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct U64(__m512i, __m512i);

/// A table of methods, a line each.
macro_rules! methods {
    ($self:ident, $l:ident: $($name:ident($($a:ident: $A:ty),*) -> $R:ty = $body:expr;)+) => {$(
        #[inline(always)]
        #[allow(unused_unsafe, unused_variables)] // some lines call no intrinsic
        fn $name($self, $l: Avx512 $(, $a: $A)*) -> $R {
            // SAFETY: `$l` is the proof that the CPU has the instructions, and they touch registers only.
            unsafe { $body }
        }
    )+};
}

/// An expression lane by lane, on scalars.
macro_rules! each {
    ($T:ident; $($x:ident = $a:expr),+ => $body:expr) => {{
        $(let $x = $a.array();)+
        let mut out = $T::ZEROS;
        let mut j = 0;
        while j < W {
            $(let $x = $x[j];)+
            out[j] = $body;
            j += 1;
        }
        $T::from_array(out)
    }};
}

mod field;
mod mask;
mod memory;
mod turn;
mod wide;

use memory::offsets;

/// The mask of the first `n` lanes.
#[inline(always)]
fn below(n: usize) -> __mmask16 {
    ((1_u32 << n.min(W)) - 1) as u16
}

/// What moves between registers and their halves, as one line each.
macro_rules! moves {
    ($($name:ident($($a:ident: $A:ty),*) -> $R:ty = $body:expr;)+) => {$(
        #[inline(always)]
        fn $name(_: Avx512 $(, $a: $A)*) -> $R {
            // SAFETY: the token is the proof that the CPU has the instructions, and they touch registers only.
            unsafe { $body }
        }
    )+};
}
moves! {
    low_i(x: __m512i) -> __m256i = _mm512_castsi512_si256(x);
    high_i(x: __m512i) -> __m256i = _mm512_extracti64x4_epi64::<1>(x);
    join_i(a: __m256i, b: __m256i) -> __m512i = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(a), b);
    low_f(x: __m512) -> __m256 = _mm512_castps512_ps256(x);
    high_f(x: __m512) -> __m256 = _mm512_extractf32x8_ps::<1>(x);
    join_f(a: __m256, b: __m256) -> __m512 = _mm512_insertf32x8::<1>(_mm512_castps256_ps512(a), b);
    lane_numbers() -> __m512i = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    // The lane that each lane stands for: from `count` on, the last.
    lanes_of(i: Span) -> __m512i = _mm512_min_epu32(lane_numbers(Avx512(())), _mm512_set1_epi32(i.count.min(W) as i32 - 1));
    sign_extend(x: __m512i) -> (__m512i, __m512i) = (_mm512_cvtepi32_epi64(_mm512_castsi512_si256(x)), _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64::<1>(x)));
    zero_extend(x: __m512i) -> (__m512i, __m512i) = (_mm512_cvtepu32_epi64(_mm512_castsi512_si256(x)), _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64::<1>(x)));
    reversed(x: __m512i) -> __m512i = _mm512_permutexvar_epi32(_mm512_setr_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), x);
    reversed_8(x: __m512i) -> __m512i = _mm512_permutexvar_epi64(_mm512_setr_epi64(7, 6, 5, 4, 3, 2, 1, 0), x);
    // Ones in each byte: two table look-ups of four bits (Mula, "SSSE3: fast popcount", 2008).
    ones_in_bytes(x: __m512i) -> __m512i = {
        let table = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
        let four = _mm512_set1_epi8(15);
        let low = _mm512_shuffle_epi8(table, _mm512_and_si512(x, four));
        _mm512_add_epi8(low, _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16::<4>(x), four)))
    };
    // The bits of each byte in reverse order, by the same look-ups.
    reversed_in_bytes(x: __m512i) -> __m512i = {
        let table = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15));
        let four = _mm512_set1_epi8(15);
        let low = _mm512_shuffle_epi8(table, _mm512_and_si512(x, four));
        _mm512_or_si512(_mm512_slli_epi16::<4>(low), _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16::<4>(x), four)))
    };
    swapped_in_4(x: __m512i) -> __m512i = _mm512_shuffle_epi8(x, _mm512_broadcast_i32x4(_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)));
    swapped_in_8(x: __m512i) -> __m512i = _mm512_shuffle_epi8(x, _mm512_broadcast_i32x4(_mm_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8)));
}

impl Lanes for Avx512 {
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
    fn index_u32(self, i: Span) -> U32 {
        // SAFETY: the token proves the instructions; registers only.
        unsafe { U32(_mm512_add_epi32(_mm512_set1_epi32(i.base as i32), offsets(self, i, i.stride as i32))) }
    }
    #[inline(always)]
    fn index_u64(self, i: Span) -> U64 {
        // SAFETY: as above.
        unsafe {
            let (a, b) = zero_extend(self, lanes_of(self, i));
            let (base, stride) = (_mm512_set1_epi64(i.base as i64), _mm512_set1_epi64(i.stride as i64));
            U64(_mm512_add_epi64(base, _mm512_mullo_epi64(a, stride)), _mm512_add_epi64(base, _mm512_mullo_epi64(b, stride)))
        }
    }
    #[inline(always)]
    fn f32_bits(self, x: F32) -> U32 {
        // SAFETY: a cast of a register.
        unsafe { U32(_mm512_castps_si512(x.0)) }
    }
    #[inline(always)]
    fn f32_from_bits(self, x: U32) -> F32 {
        // SAFETY: as above.
        unsafe { F32(_mm512_castsi512_ps(x.0)) }
    }
    #[inline(always)]
    fn f64_bits(self, x: F64) -> U64 {
        // SAFETY: as above.
        unsafe { U64(_mm512_castpd_si512(x.0), _mm512_castpd_si512(x.1)) }
    }
    #[inline(always)]
    fn f64_from_bits(self, x: U64) -> F64 {
        // SAFETY: as above.
        unsafe { F64(_mm512_castsi512_pd(x.0), _mm512_castsi512_pd(x.1)) }
    }
    #[inline(always)]
    fn mul_hi(self, a: U32, b: U32) -> U32 {
        // SAFETY: as above.
        unsafe {
            let odd = _mm512_mul_epu32(_mm512_srli_epi64::<32>(a.0), _mm512_srli_epi64::<32>(b.0));
            U32(_mm512_mask_mov_epi32(_mm512_srli_epi64::<32>(_mm512_mul_epu32(a.0, b.0)), 0xAAAA, odd))
        }
    }
    /// Four lanes are a block. The two words that a round multiplies stand in even lanes, where the instruction takes its operands,
    /// and the four halves of the products are the next words in reverse order: nothing is computed twice or thrown away.
    #[inline(always)]
    fn philox_words(self, i: Span, key: [u32; 2], stream: u32) -> Option<U32> {
        if !philox::in_order(i, W) {
            return None;
        }
        // SAFETY: the token proves the instructions; registers only.
        unsafe {
            // A block's number fills a lane of 64 bits: it may carry.
            let blocks = _mm512_maskz_set1_epi64(0x55, philox::first_block(i) as i64);
            let above = _mm512_setr_epi64(0, stream as i64, 1, stream as i64, 2, stream as i64, 3, stream as i64);
            let mut words = _mm512_add_epi64(blocks, above);
            let [m0, m1] = philox::MULTIPLIERS;
            let factors = _mm512_broadcast_i32x4(_mm_set_epi64x(m1 as i64, m0 as i64));
            for round in 0..philox::ROUNDS {
                let [k0, k1] = philox::round_key(key, round);
                let keys = _mm512_broadcast_i32x4(_mm_set_epi64x(k1 as i64, k0 as i64));
                let swapped = _mm512_shuffle_epi32::<0b00_01_10_11>(_mm512_mul_epu32(words, factors));
                // 0x96 is the exclusive or of three.
                words = _mm512_ternarylogic_epi32::<0x96>(swapped, _mm512_srli_epi64::<32>(words), keys);
            }
            Some(U32(words))
        }
    }
    #[inline(always)]
    fn rarely<R: Rare<Self>>(self, rare: R) -> R::Out {
        // SAFETY: the token is the proof that the CPU has the features that the entry enables.
        unsafe { rarely_avx512(self, rare) }
    }
    #[inline(always)]
    fn mask_all(self) -> Mask {
        Mask(u16::MAX)
    }
    #[inline(always)]
    fn mask_none(self) -> Mask {
        Mask(0)
    }
    #[inline(always)]
    fn any(self, m: Mask) -> bool {
        m.0 != 0
    }
}

impl Level for Avx512 {
    const FMA: bool = true;

    #[inline(always)]
    fn view<T: crate::element::Element>(self, v: crate::backend::simd::View<'_, T>) -> Self::Slice<'_, T> {
        v
    }
    #[inline(always)]
    fn first(self, n: usize) -> Mask {
        Mask(below(n))
    }
    #[inline(always)]
    fn bits(self, m: Mask) -> u32 {
        m.0.into()
    }
    #[inline(always)]
    fn fence(self) {
        // SAFETY: every x86-64 CPU has it.
        unsafe { _mm_sfence() }
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

impl NumLane<Avx512, f32> for F32 {
    methods! { self, l:
        add(o: F32) -> F32 = F32(_mm512_add_ps(self.0, o.0));
        sub(o: F32) -> F32 = F32(_mm512_sub_ps(self.0, o.0));
        mul(o: F32) -> F32 = F32(_mm512_mul_ps(self.0, o.0));
        div(o: F32) -> F32 = F32(_mm512_div_ps(self.0, o.0));
        rem(o: F32) -> F32 = each!(F32; a = self, b = o => a % b);
        neg() -> F32 = F32(_mm512_xor_ps(self.0, _mm512_set1_ps(-0.0)));
        abs() -> F32 = F32(_mm512_abs_ps(self.0));
        // `vminps(o, self)` is `o < self ? o : self`; what is left is a NaN in `self`.
        min(o: F32) -> F32 = F32(_mm512_mask_mov_ps(_mm512_min_ps(o.0, self.0), self.is_nan(l).0, o.0));
        max(o: F32) -> F32 = F32(_mm512_mask_mov_ps(_mm512_max_ps(o.0, self.0), self.is_nan(l).0, o.0));
        eq(o: F32) -> Mask = Mask(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(self.0, o.0));
        lt(o: F32) -> Mask = Mask(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, o.0));
        le(o: F32) -> Mask = Mask(_mm512_cmp_ps_mask::<_CMP_LE_OQ>(self.0, o.0));
        to_f32() -> F32 = self;
        to_f64() -> F64 = F64(_mm512_cvtps_pd(low_f(l, self.0)), _mm512_cvtps_pd(high_f(l, self.0)));
        // Out of range the instructions give 2^31 (2^63) signed and all ones unsigned: right but for large positive, and for NaN.
        to_i32() -> I32 = {
            let x = _mm512_maskz_cvttps_epi32(_mm512_cmp_ps_mask::<_CMP_ORD_Q>(self.0, self.0), self.0);
            let large = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(self.0, _mm512_set1_ps(2147483648.0));
            I32(_mm512_mask_mov_epi32(x, large, _mm512_set1_epi32(i32::MAX)))
        };
        to_u32() -> U32 = U32(_mm512_maskz_cvttps_epu32(_mm512_cmp_ps_mask::<_CMP_GE_OQ>(self.0, _mm512_setzero_ps()), self.0));
        to_i64() -> I64 = self.to_f64(l).to_i64(l);
        to_u64() -> U64 = self.to_f64(l).to_u64(l);
    }
}

impl FloatLane<Avx512, f32> for F32 {
    transcendentals!(f32 Avx512);
    methods! { self, l:
        mul_add(a: F32, b: F32) -> F32 = F32(_mm512_fmadd_ps(self.0, a.0, b.0));
        sqrt() -> F32 = F32(_mm512_sqrt_ps(self.0));
        floor() -> F32 = F32(_mm512_roundscale_ps::<0x09>(self.0));
        ceil() -> F32 = F32(_mm512_roundscale_ps::<0x0A>(self.0));
        trunc() -> F32 = F32(_mm512_roundscale_ps::<0x0B>(self.0));
        // Towards zero, and one more if the exact remainder is a half or more.
        round() -> F32 = {
            let t = _mm512_roundscale_ps::<0x0B>(self.0);
            let half = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(_mm512_abs_ps(_mm512_sub_ps(self.0, t)), _mm512_set1_ps(0.5));
            let one = F32(_mm512_set1_ps(1.0)).copysign(l, self);
            F32(_mm512_mask_add_ps(t, half, t, one.0))
        };
        is_nan() -> Mask = Mask(_mm512_cmp_ps_mask::<_CMP_UNORD_Q>(self.0, self.0));
        // 0xCA is `a ? b : c` on bits.
        copysign(o: F32) -> F32 = F32(_mm512_castsi512_ps(_mm512_ternarylogic_epi32::<0xCA>(
            _mm512_set1_epi32(i32::MIN), _mm512_castps_si512(o.0), _mm512_castps_si512(self.0))));
    }
}

impl NumLane<Avx512, i32> for I32 {
    methods! { self, l:
        add(o: I32) -> I32 = I32(_mm512_add_epi32(self.0, o.0));
        sub(o: I32) -> I32 = I32(_mm512_sub_epi32(self.0, o.0));
        mul(o: I32) -> I32 = I32(_mm512_mullo_epi32(self.0, o.0));
        // In f64: the quotient of two 32-bit integers truncates correctly, and MIN / -1 = 2^31 converts to MIN.
        div(o: I32) -> I32 = {
            let (a, b) = (self.to_f64(l), o.to_f64(l));
            let q = join_i(l, _mm512_cvttpd_epi32(_mm512_div_pd(a.0, b.0)), _mm512_cvttpd_epi32(_mm512_div_pd(a.1, b.1)));
            I32(_mm512_mask_mov_epi32(self.0, _mm512_test_epi32_mask(o.0, o.0), q))
        };
        rem(o: I32) -> I32 = I32(_mm512_maskz_mov_epi32(_mm512_test_epi32_mask(o.0, o.0), self.sub(l, self.div(l, o).mul(l, o)).0));
        neg() -> I32 = I32(_mm512_sub_epi32(_mm512_setzero_si512(), self.0));
        abs() -> I32 = I32(_mm512_abs_epi32(self.0));
        min(o: I32) -> I32 = I32(_mm512_min_epi32(self.0, o.0));
        max(o: I32) -> I32 = I32(_mm512_max_epi32(self.0, o.0));
        eq(o: I32) -> Mask = Mask(_mm512_cmpeq_epi32_mask(self.0, o.0));
        lt(o: I32) -> Mask = Mask(_mm512_cmplt_epi32_mask(self.0, o.0));
        le(o: I32) -> Mask = Mask(_mm512_cmple_epi32_mask(self.0, o.0));
        to_f32() -> F32 = F32(_mm512_cvtepi32_ps(self.0));
        to_f64() -> F64 = F64(_mm512_cvtepi32_pd(low_i(l, self.0)), _mm512_cvtepi32_pd(high_i(l, self.0)));
        to_i32() -> I32 = self;
        to_u32() -> U32 = U32(self.0);
        to_i64() -> I64 = { let x = sign_extend(l, self.0); I64(x.0, x.1) };
        to_u64() -> U64 = { let x = sign_extend(l, self.0); U64(x.0, x.1) };
    }
}

impl NumLane<Avx512, u32> for U32 {
    methods! { self, l:
        add(o: U32) -> U32 = U32(_mm512_add_epi32(self.0, o.0));
        sub(o: U32) -> U32 = U32(_mm512_sub_epi32(self.0, o.0));
        mul(o: U32) -> U32 = U32(_mm512_mullo_epi32(self.0, o.0));
        div(o: U32) -> U32 = {
            let (a, b) = (self.to_f64(l), o.to_f64(l));
            let q = join_i(l, _mm512_cvttpd_epu32(_mm512_div_pd(a.0, b.0)), _mm512_cvttpd_epu32(_mm512_div_pd(a.1, b.1)));
            U32(_mm512_mask_mov_epi32(self.0, _mm512_test_epi32_mask(o.0, o.0), q))
        };
        rem(o: U32) -> U32 = U32(_mm512_maskz_mov_epi32(_mm512_test_epi32_mask(o.0, o.0), self.sub(l, self.div(l, o).mul(l, o)).0));
        neg() -> U32 = U32(_mm512_sub_epi32(_mm512_setzero_si512(), self.0));
        abs() -> U32 = self;
        min(o: U32) -> U32 = U32(_mm512_min_epu32(self.0, o.0));
        max(o: U32) -> U32 = U32(_mm512_max_epu32(self.0, o.0));
        eq(o: U32) -> Mask = Mask(_mm512_cmpeq_epu32_mask(self.0, o.0));
        lt(o: U32) -> Mask = Mask(_mm512_cmplt_epu32_mask(self.0, o.0));
        le(o: U32) -> Mask = Mask(_mm512_cmple_epu32_mask(self.0, o.0));
        to_f32() -> F32 = F32(_mm512_cvtepu32_ps(self.0));
        to_f64() -> F64 = F64(_mm512_cvtepu32_pd(low_i(l, self.0)), _mm512_cvtepu32_pd(high_i(l, self.0)));
        to_i32() -> I32 = I32(self.0);
        to_u32() -> U32 = self;
        to_i64() -> I64 = { let x = zero_extend(l, self.0); I64(x.0, x.1) };
        to_u64() -> U64 = { let x = zero_extend(l, self.0); U64(x.0, x.1) };
    }
}

/// What signed and unsigned 32-bit integers share. `$shr` is the right shift.
macro_rules! bits_32 {
    ($($V:ident: $t:ty, $shr:ident;)+) => {$(
        impl IntLane<Avx512, $t> for $V {
            methods! { self, l:
                bit_and(o: Self) -> Self = Self(_mm512_and_si512(self.0, o.0));
                bit_or(o: Self) -> Self = Self(_mm512_or_si512(self.0, o.0));
                bit_xor(o: Self) -> Self = Self(_mm512_xor_si512(self.0, o.0));
                bit_not() -> Self = Self(_mm512_xor_si512(self.0, _mm512_set1_epi32(-1)));
                shl(by: U32) -> Self = Self(_mm512_sllv_epi32(self.0, _mm512_and_si512(by.0, _mm512_set1_epi32(31))));
                shr(by: U32) -> Self = Self($shr(self.0, _mm512_and_si512(by.0, _mm512_set1_epi32(31))));
                count_ones() -> U32 = {
                    let pairs = _mm512_maddubs_epi16(ones_in_bytes(l, self.0), _mm512_set1_epi8(1));
                    U32(_mm512_madd_epi16(pairs, _mm512_set1_epi16(1)))
                };
                leading_zeros() -> U32 = U32(_mm512_lzcnt_epi32(self.0));
                // The zeros below the lowest one, as ones.
                trailing_zeros() -> U32 = {
                    let zeros = _mm512_andnot_si512(self.0, _mm512_sub_epi32(self.0, _mm512_set1_epi32(1)));
                    U32(_mm512_sub_epi32(_mm512_set1_epi32(32), _mm512_lzcnt_epi32(zeros)))
                };
                reverse_bits() -> Self = Self(swapped_in_4(l, reversed_in_bytes(l, self.0)));
            }
        }
    )+};
}
bits_32! {
    I32: i32, _mm512_srav_epi32;
    U32: u32, _mm512_srlv_epi32;
}
