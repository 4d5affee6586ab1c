//! AVX2 with FMA: 8 lanes. 32-bit types fill a register, 64-bit types a pair.

use std::arch::x86_64::*;

use crate::kernel::{FloatLane, IntLane, Lane, Lanes, MaskLane, NumLane};

use super::lanewise::{arrays, lanewise, methods, reads, transcendentals, variables, writes};
use super::level::level_common;
use super::{Level, SimdLevel, Span, VectorLane, View, ViewMut};

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
impl Lanes for Avx2 {
    level_common!();

    type Mask = Mask;
    type F32 = F32;
    type F64 = F64;
    type I32 = I32;
    type U32 = U32;
    type I64 = I64;
    type U64 = U64;

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
        mask_all() -> Mask = Mask(_mm256_set1_epi32(-1));
        mask_none() -> Mask = Mask(_mm256_setzero_si256());
        any(m: Mask) -> bool = _mm256_movemask_ps(_mm256_castsi256_ps(m.0)) != 0;
    }
}

impl Level for Avx2 {
    const WIDTH: usize = W;
    const FMA: bool = true;

    methods! { self;
        first(n: usize) -> Mask = Mask(_mm256_cmpgt_epi32(_mm256_set1_epi32(n.min(W) as i32), iota(self)));
        fence() -> () = _mm_sfence();
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

/// Moves and masked memory of 32-bit lanes, whatever their type.
impl U32 {
    methods! { self, l: Avx2;
        reversed() -> U32 = U32(_mm256_permutevar8x32_epi32(self.0, _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0)));
        /// Lane `j` gets lane `j + by` modulo the width.
        rotated(by: i32) -> U32 = U32(_mm256_permutevar8x32_epi32(self.0, _mm256_add_epi32(iota(l), _mm256_set1_epi32(by))));
    }
    /// # Safety
    /// An element lies at each of the indices, which are below 2^31.
    #[inline(always)]
    unsafe fn gathered(_: Avx2, p: *const i32, i: U32) -> U32 {
        // SAFETY: the caller's promise, and the token's.
        unsafe { U32(_mm256_i32gather_epi32::<4>(p, i.0)) }
    }
    /// # Safety
    /// An element lies at each of the lanes of `m`.
    #[inline(always)]
    unsafe fn read_masked(_: Avx2, p: *const i32, m: Mask) -> U32 {
        // SAFETY: the caller's promise, and the token's.
        unsafe { U32(_mm256_maskload_epi32(p, m.0)) }
    }
    /// # Safety
    /// An element may be written at each of the lanes of `m`.
    #[inline(always)]
    unsafe fn write_masked(self, _: Avx2, p: *mut i32, m: Mask) {
        // SAFETY: the caller's promise, and the token's.
        unsafe { _mm256_maskstore_epi32(p, m.0, self.0) }
    }
    /// # Safety
    /// A vector may be written, and its address is a multiple of 32.
    #[inline(always)]
    unsafe fn write_streaming(self, _: Avx2, p: *mut i32) {
        // SAFETY: the caller's promise, and the token's.
        unsafe { _mm256_stream_si256(p.cast(), self.0) }
    }
}
/// Moves and masked memory of 64-bit lanes, whatever their type.
impl U64 {
    methods! { self, l: Avx2;
        reversed() -> U64 = U64(_mm256_permute4x64_epi64::<0x1B>(self.1), _mm256_permute4x64_epi64::<0x1B>(self.0));
        /// Lane `j` gets lane `j + by` modulo the width; `by` is 1, 2 or 4 in magnitude.
        rotated(by: i32) -> U64 = {
            let (a, b) = (self.0, self.1);
            let inner = _mm256_permute2x128_si256::<0x21>(a, b); // lanes 2 to 5
            let outer = _mm256_permute2x128_si256::<0x21>(b, a); // lanes 6, 7, 0, 1
            match by {
                1 => U64(_mm256_alignr_epi8::<8>(inner, a), _mm256_alignr_epi8::<8>(outer, b)),
                -1 => U64(_mm256_alignr_epi8::<8>(a, outer), _mm256_alignr_epi8::<8>(b, inner)),
                2 => U64(inner, outer),
                -2 => U64(outer, inner),
                _ => U64(b, a),
            }
        };
    }
    /// # Safety
    /// An element lies at each of the indices, which are below 2^31.
    #[inline(always)]
    unsafe fn gathered(_: Avx2, p: *const i64, i: U32) -> U64 {
        // SAFETY: the caller's promise, and the token's.
        unsafe { U64(_mm256_i32gather_epi64::<8>(p, low!(i.0)), _mm256_i32gather_epi64::<8>(p, high!(i.0))) }
    }
    /// # Safety
    /// An element lies at each of the lanes of `m`.
    #[inline(always)]
    unsafe fn read_masked(l: Avx2, p: *const i64, m: Mask) -> U64 {
        let m = m.wide(l);
        // SAFETY: the caller's promise, and the token's; lanes not in the mask are not touched.
        unsafe { U64(_mm256_maskload_epi64(p, m.0), _mm256_maskload_epi64(p.wrapping_add(4), m.1)) }
    }
    /// # Safety
    /// An element may be written at each of the lanes of `m`.
    #[inline(always)]
    unsafe fn write_masked(self, l: Avx2, p: *mut i64, m: Mask) {
        let m = m.wide(l);
        // SAFETY: the caller's promise, and the token's; lanes not in the mask are not touched.
        unsafe {
            _mm256_maskstore_epi64(p, m.0, self.0);
            _mm256_maskstore_epi64(p.wrapping_add(4), m.1, self.1);
        }
    }
    /// # Safety
    /// A pair may be written, and its address is a multiple of 32.
    #[inline(always)]
    unsafe fn write_streaming(self, _: Avx2, p: *mut i64) {
        // SAFETY: the caller's promise, and the token's.
        unsafe {
            _mm256_stream_si256(p.cast(), self.0);
            _mm256_stream_si256(p.add(4).cast(), self.1);
        }
    }
}

/// Memory and moves of a number type, through the unsigned type of its size, `$raw`.
macro_rules! lanes {
    ($($vector:ident $scalar:ident as $raw:ident $word:ident { $($splat_select:tt)* } |$l:ident, $x:ident| $to:expr, $from:expr;)+) => {$(
        impl $vector {
            #[inline(always)]
            #[allow(unused_variables)] // reinterpreting an integer needs no token
            fn raw(self, $l: Avx2) -> $raw {
                let $x = self;
                $to
            }
            #[inline(always)]
            #[allow(unused_variables)] // as above
            fn from_raw($l: Avx2, $x: $raw) -> Self {
                $from
            }
        }
        impl Lane<Avx2, $scalar> for $vector {
            variables!(Avx2, $scalar);
            $($splat_select)*

            #[inline(always)]
            fn load(l: Avx2, s: View<'_, $scalar>, i: Span) -> Self {
                if s.contiguous() && i.count >= W && (i.stride == 1 || i.stride == -1) {
                    let first = if i.stride == 1 { i.base } else { i.element(W - 1) };
                    debug_assert!(first + W <= s.len());
                    // SAFETY: the span lies inside the view, whose elements stand side by side.
                    let x = Self::from_array(unsafe { s.pointer(first).cast::<[$scalar; W]>().read_unaligned() });
                    if i.stride == 1 { x } else { Self::from_raw(l, x.raw(l).reversed(l)) }
                } else if s.contiguous() && i.stride == 1 {
                    let m = l.first(i.count);
                    // SAFETY: the lanes below `count` lie inside the view, whose elements stand side by side.
                    let x = unsafe { $raw::read_masked(l, s.pointer(i.base).cast::<$word>(), m) };
                    let last = Lane::<Avx2, $scalar>::splat(l, s.read(i.element(W - 1)));
                    Lane::<Avx2, $scalar>::select(Self::from_raw(l, x), l, m, last)
                } else if i.count >= W {
                    let i = Span { count: W, ..i }; // then no lane needs a comparison
                    reads!(Self, s, |lane| i.element(lane))
                } else {
                    reads!(Self, s, |lane| i.element(lane))
                }
            }
            #[inline(always)]
            fn gather(l: Avx2, s: View<'_, $scalar>, i: U32) -> Self {
                if s.is_empty() {
                    Self::from_array(Self::ZEROS)
                } else if s.contiguous() && s.len() <= i32::MAX as usize {
                    let i = i.min(l, U32::splat(l, s.len() as u32 - 1));
                    // SAFETY: the indices are below the length, which is below 2^31.
                    Self::from_raw(l, unsafe { $raw::gathered(l, s.pointer(0).cast::<$word>(), i) })
                } else {
                    let i = i.array();
                    reads!(Self, s, |lane| (i[lane] as usize).min(s.len() - 1))
                }
            }
        }
        impl VectorLane<Avx2, $scalar> for $vector {
            #[inline(always)]
            fn store(self, l: Avx2, to: ViewMut<'_, $scalar>, i: Span) {
                if to.contiguous() && i.count >= W && (i.stride == 1 || i.stride == -1) {
                    let first = if i.stride == 1 { i.base } else { i.element(W - 1) };
                    debug_assert!(first + W <= to.len());
                    let x = if i.stride == 1 { self } else { Self::from_raw(l, self.raw(l).reversed(l)) };
                    // SAFETY: the span lies inside the view, whose elements stand side by side.
                    unsafe { to.pointer(first).cast::<[$scalar; W]>().write_unaligned(x.array()) }
                } else if to.contiguous() && i.stride == 1 {
                    debug_assert!(i.base + i.count <= to.len());
                    // SAFETY: the lanes below `count` lie inside the view, whose elements stand side by side.
                    unsafe { self.raw(l).write_masked(l, to.pointer(i.base).cast::<$word>(), l.first(i.count)) }
                } else if i.count >= W {
                    let i = Span { count: W, ..i }; // as above
                    writes!(self, to, i)
                } else {
                    writes!(self, to, i)
                }
            }
            #[inline(always)]
            fn stream(self, l: Avx2, to: ViewMut<'_, $scalar>, i: Span) {
                let p = to.pointer(i.base);
                if to.contiguous() && i.count >= W && i.stride == 1 && p.addr() % 32 == 0 {
                    debug_assert!(i.base + W <= to.len());
                    // SAFETY: the span lies inside the view, whose elements stand side by side, and it is aligned.
                    unsafe { self.raw(l).write_streaming(l, p.cast::<$word>()) }
                } else {
                    self.store(l, to, i)
                }
            }
            #[inline(always)]
            fn slide_down<const N: usize>(self, l: Avx2) -> Self {
                Self::from_raw(l, self.raw(l).rotated(l, N as i32))
            }
            #[inline(always)]
            fn slide_up<const N: usize>(self, l: Avx2) -> Self {
                Self::from_raw(l, self.raw(l).rotated(l, -(N as i32)))
            }
            #[inline(always)]
            fn extract(self, _: Avx2, lane: usize) -> $scalar {
                self.array()[lane]
            }
        }
    )+};
}
lanes! {
    F32 f32 as U32 i32 {
        methods! { fn l: Avx2; splat(x: f32) -> Self = F32(_mm256_set1_ps(x)); }
        methods! { self, l: Avx2; select(m: Mask, o: Self) -> Self = F32(_mm256_blendv_ps(o.0, self.0, _mm256_castsi256_ps(m.0))); }
    } |l, x| l.f32_bits(x), l.f32_from_bits(x);
    I32 i32 as U32 i32 {
        methods! { fn l: Avx2; splat(x: i32) -> Self = I32(_mm256_set1_epi32(x)); }
        methods! { self, l: Avx2; select(m: Mask, o: Self) -> Self = I32(_mm256_blendv_epi8(o.0, self.0, m.0)); }
    } |l, x| U32(x.0), I32(x.0);
    U32 u32 as U32 i32 {
        methods! { fn l: Avx2; splat(x: u32) -> Self = U32(_mm256_set1_epi32(x as i32)); }
        methods! { self, l: Avx2; select(m: Mask, o: Self) -> Self = U32(_mm256_blendv_epi8(o.0, self.0, m.0)); }
    } |l, x| x, x;
    F64 f64 as U64 i64 {
        methods! { fn l: Avx2; splat(x: f64) -> Self = F64(_mm256_set1_pd(x), _mm256_set1_pd(x)); }
        methods! { self, l: Avx2; select(m: Mask, o: Self) -> Self = { let m = m.wide_pd(l); both!(F64: _mm256_blendv_pd(o, self, m)) }; }
    } |l, x| l.f64_bits(x), l.f64_from_bits(x);
    I64 i64 as U64 i64 {
        methods! { fn l: Avx2; splat(x: i64) -> Self = I64(_mm256_set1_epi64x(x), _mm256_set1_epi64x(x)); }
        methods! { self, l: Avx2; select(m: Mask, o: Self) -> Self = { let m = m.wide(l); both!(I64: _mm256_blendv_epi8(o, self, m)) }; }
    } |l, x| U64(x.0, x.1), I64(x.0, x.1);
    U64 u64 as U64 i64 {
        methods! { fn l: Avx2; splat(x: u64) -> Self = U64(_mm256_set1_epi64x(x as i64), _mm256_set1_epi64x(x as i64)); }
        methods! { self, l: Avx2; select(m: Mask, o: Self) -> Self = { let m = m.wide(l); both!(U64: _mm256_blendv_epi8(o, self, m)) }; }
    } |l, x| x, x;
}

impl Lane<Avx2, bool> for Mask {
    variables!(Avx2, bool);

    methods! { fn l: Avx2;
        splat(x: bool) -> Self = Mask(_mm256_set1_epi32(-(x as i32)));
    }
    methods! { self, l: Avx2;
        select(m: Mask, o: Self) -> Self = Mask(_mm256_blendv_epi8(o.0, self.0, m.0));
    }
    #[inline(always)]
    fn load(_: Avx2, s: View<'_, bool>, i: Span) -> Self {
        if s.contiguous() && i.count >= W && i.stride == 1 {
            debug_assert!(i.base + W <= s.len());
            // SAFETY: the span lies inside the view, whose elements stand side by side; the token proves the instructions.
            unsafe {
                let words = _mm256_cvtepu8_epi32(_mm_loadl_epi64(s.pointer(i.base).cast()));
                Mask(_mm256_sub_epi32(_mm256_setzero_si256(), words))
            }
        } else {
            reads!(Self, s, |lane| i.element(lane))
        }
    }
    #[inline(always)]
    fn gather(_: Avx2, s: View<'_, bool>, i: U32) -> Self {
        if s.is_empty() {
            return Self::from_array(Self::ZEROS);
        }
        let i = i.array();
        reads!(Self, s, |lane| (i[lane] as usize).min(s.len() - 1))
    }
}
impl VectorLane<Avx2, bool> for Mask {
    #[inline(always)]
    fn store(self, _: Avx2, to: ViewMut<'_, bool>, i: Span) {
        if to.contiguous() && i.count >= W && i.stride == 1 {
            debug_assert!(i.base + W <= to.len());
            // SAFETY: the span lies inside the view, whose elements stand side by side; the bytes are 0 or 1; the token proves
            // the instructions.
            unsafe {
                let halves = _mm_packs_epi32(low!(self.0), high!(self.0));
                let bytes = _mm_abs_epi8(_mm_packs_epi16(halves, halves));
                _mm_storel_epi64(to.pointer(i.base).cast(), bytes);
            }
        } else {
            writes!(self, to, i)
        }
    }
    #[inline(always)]
    fn slide_down<const N: usize>(self, l: Avx2) -> Self {
        Mask(U32(self.0).rotated(l, N as i32).0)
    }
    #[inline(always)]
    fn slide_up<const N: usize>(self, l: Avx2) -> Self {
        Mask(U32(self.0).rotated(l, -(N as i32)).0)
    }
    #[inline(always)]
    fn extract(self, _: Avx2, lane: usize) -> bool {
        self.array()[lane]
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
