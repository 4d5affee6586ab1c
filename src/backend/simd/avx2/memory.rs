//! Memory: whole and partial spans, gathers, streaming stores, and moves between lanes. The numbers go through the unsigned type
//! of their size.

use std::arch::x86_64::*;

use super::{Avx2, F32, F64, I32, I64, Mask, U32, U64, W, iota};
use crate::backend::simd::lanewise::{methods, permuted, reads, variables, writes};
use crate::backend::simd::{Level, Span, VectorLane, View, ViewMut};
use crate::kernel::{Lane, Lanes, NumLane};

/// For every set of 8 lanes the lanes of it, a byte each, and then any.
static PACKED: [i64; 256] = {
    let mut table = [0; 256];
    let mut set = 0;
    while set < 256 {
        let (mut lane, mut at) = (0, 0);
        while lane < W {
            if set >> lane & 1 != 0 {
                table[set] |= (lane as i64) << (8 * at);
                at += 1;
            }
            lane += 1;
        }
        set += 1;
    }
    table
};

/// Moves and masked memory of 32-bit lanes, whatever their type.
impl U32 {
    methods! { self, l: Avx2;
        reversed() -> U32 = U32(_mm256_permutevar8x32_epi32(self.0, _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0)));
        /// Lane `j` gets lane `j + by` modulo the width.
        rotated(by: i32) -> U32 = self.permuted(l, U32(_mm256_add_epi32(iota(l), _mm256_set1_epi32(by))));
        permuted(from: U32) -> U32 = U32(_mm256_permutevar8x32_epi32(self.0, from.0));
    }
    /// # Safety
    /// A vector may be written.
    #[inline(always)]
    unsafe fn write_compressed(self, _: Avx2, p: *mut i32, keep: u32) {
        // SAFETY: the caller's promise, and the token's.
        unsafe {
            let order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(PACKED[keep as usize & 0xFF]));
            _mm256_storeu_si256(p.cast(), _mm256_permutevar8x32_epi32(self.0, order));
        }
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
    #[inline(always)]
    fn permuted(self, _: Avx2, from: U32) -> U64 {
        permuted!(self, from)
    }
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
    /// A pair may be written.
    #[inline(always)]
    unsafe fn write_compressed(self, l: Avx2, p: *mut i64, keep: u32) {
        let halves = [(self.0, keep & 0xF, 0), (self.1, keep >> 4 & 0xF, (keep & 0xF).count_ones() as usize)];
        for (x, keep, at) in halves {
            // Two 32-bit lanes for each of 64 bits.
            let pairs = ((keep & 1) * 3) | ((keep & 2) * 6) | ((keep & 4) * 12) | ((keep & 8) * 24);
            // SAFETY: the caller's promise, and the token's; the second half begins in the first.
            unsafe { U32(x).write_compressed(l, p.wrapping_add(at).cast(), pairs) };
        }
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
                } else if i.stride == 0 {
                    Lane::<Avx2, $scalar>::splat(l, s.read(i.base))
                } else if i.count >= W {
                    if i.stride == 1 {
                        // SAFETY: all lanes are elements of the view.
                        if let Some(x) = unsafe { $raw::read_field(l, s.pointer(i.base).cast::<$word>(), s.step()) } {
                            return Self::from_raw(l, x);
                        }
                    }
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
            #[inline(always)]
            fn permute(self, l: Avx2, from: U32) -> Self {
                Self::from_raw(l, self.raw(l).permuted(l, from))
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
            fn compress(self, l: Avx2, keep: u32, to: ViewMut<'_, $scalar>, at: usize) {
                if to.contiguous() {
                    debug_assert!(at + W <= to.len());
                    // SAFETY: the memory of a whole vector from `at` on exists, and its elements stand side by side.
                    unsafe { self.raw(l).write_compressed(l, to.pointer(at).cast::<$word>(), keep) }
                } else {
                    let (x, mut at) = (self.array(), at);
                    for (lane, x) in x.into_iter().enumerate() {
                        to.write(at, x);
                        at += (keep >> lane & 1) as usize;
                    }
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
    #[inline(always)]
    fn permute(self, l: Avx2, from: U32) -> Self {
        Mask(U32(self.0).permuted(l, from).0)
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
