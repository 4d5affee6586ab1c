//! Memory: spans at any stride, partial vectors under a mask, gathers, streaming stores. It moves bits, so there is one form for
//! each size of a lane.

use std::arch::x86_64::*;
use std::mem::transmute;

use super::field::{Words4, Words8, of_words};
use super::{Avx512, F32, F64, I32, I64, Mask, U32, U64, W, below, high_i, lanes_of, low_i, reversed, reversed_8, zero_extend};
use crate::backend::simd::lanewise::variables;
use crate::backend::simd::{Span, VectorLane, View, ViewMut};
use crate::element::Element;
use crate::kernel::Lane;

/// The distance between lanes in bytes, if the offsets of 16 lanes fit 32 bits.
#[inline(always)]
fn near(stride: isize, step: usize) -> Option<i32> {
    let bytes = stride.wrapping_mul(step as isize);
    (bytes.unsigned_abs() <= (i32::MAX / W as i32) as usize).then_some(bytes as i32)
}

/// Byte offsets of the lanes of a span from its first element.
#[inline(always)]
pub(super) fn offsets(l: Avx512, i: Span, bytes: i32) -> __m512i {
    // SAFETY: the token proves the instructions; registers only.
    unsafe { _mm512_mullo_epi32(lanes_of(l, i), _mm512_set1_epi32(bytes)) }
}

/// Reads a span element by element. It takes no vectors, so it may be a call.
#[cold]
#[inline(never)]
pub(super) fn read_each<T: Element>(s: View<'_, T>, i: Span) -> [T; W] {
    std::array::from_fn(|j| s.read(i.element(j)))
}
/// Writes a span element by element.
#[cold]
#[inline(never)]
pub(super) fn write_each<T: Element>(x: &[T; W], to: ViewMut<'_, T>, i: Span) {
    for (j, &x) in x.iter().enumerate().take(i.count) {
        to.write(i.element(j), x);
    }
}
/// Reads at any index element by element.
#[cold]
#[inline(never)]
pub(super) fn gather_each<T: Element>(s: View<'_, T>, i: &[u32; W]) -> [T; W] {
    i.map(|i| s.read((i as usize).min(s.len() - 1)))
}

/// A vector of words that stand so many bytes apart. With gathers a stencil on elements of seven words took twice as long (AMD Zen 5).
macro_rules! one_by_one {
    ($p:expr, $step:expr, $word:ty) => {{
        let mut words = [0 as $word; 64 / size_of::<$word>()];
        for (lane, word) in words.iter_mut().enumerate() {
            *word = $p.wrapping_byte_add(lane * $step).read_unaligned();
        }
        transmute::<[$word; 64 / size_of::<$word>()], __m512i>(words)
    }};
}

/// Writes a vector to words that stand so many bytes apart.
macro_rules! write_one_by_one {
    ($p:expr, $step:expr, $word:ty, $x:expr) => {
        for (lane, word) in transmute::<__m512i, [$word; 64 / size_of::<$word>()]>($x).into_iter().enumerate() {
            $p.wrapping_byte_add(lane * $step).write_unaligned(word);
        }
    };
}

/// How a vector meets memory. `$load`, `$store`... work on the bits, by size.
macro_rules! lane {
    ($($V:ident: $t:ty = $zero:expr, |$x:ident| $splat:expr, |$m:ident, $a:ident, $b:ident| $select:expr, |$v:ident| $bits:expr, |$w:ident| $from:expr,
        $Bits:ty: $load:ident $load_by:ident $gather:ident $permute:ident $store:ident $stream:ident $compress:ident $down:ident $up:ident;)+) => {$(
        impl $V {
            #[allow(dead_code)] // only what goes lane by lane needs it
            pub(super) const ZEROS: [$t; W] = [$zero; W];
            #[inline(always)]
            pub(super) fn array(self) -> [$t; W] {
                // SAFETY: same size, no padding, and every bit pattern is a value.
                unsafe { transmute(self) }
            }
            #[inline(always)]
            #[allow(dead_code)] // as above
            pub(super) fn from_array(x: [$t; W]) -> Self {
                // SAFETY: as above.
                unsafe { transmute(x) }
            }
            methods! { self, l:
                bits() -> $Bits = { let $v = self; $bits };
            }
            #[inline(always)]
            #[allow(unused_unsafe)] // integers are their bits
            fn from_bits(_: Avx512, $w: $Bits) -> Self {
                // SAFETY: the token proves the instructions; registers only.
                unsafe { $from }
            }
        }
        impl Lane<Avx512, $t> for $V {
            #[inline(always)]
            fn splat(_: Avx512, $x: $t) -> Self {
                // SAFETY: the token proves the instructions; registers only.
                unsafe { $splat }
            }
            #[inline(always)]
            fn select(self, _: Avx512, $m: Mask, $b: Self) -> Self {
                let $a = self;
                // SAFETY: as above.
                unsafe { $select }
            }
            #[inline(always)]
            fn load(l: Avx512, s: View<'_, $t>, i: Span) -> Self {
                Self::from_bits(l, $load(l, s, i))
            }
            #[inline(always)]
            fn load_by(l: Avx512, s: View<'_, $t>, i: Span, by: i32) -> Self {
                Self::from_bits(l, $load_by(l, s, i, by))
            }
            #[inline(always)]
            fn gather(l: Avx512, s: View<'_, $t>, i: U32) -> Self {
                Self::from_bits(l, $gather(l, s, i))
            }
            #[inline(always)]
            fn permute(self, l: Avx512, from: U32) -> Self {
                Self::from_bits(l, $permute(l, self.bits(l), from))
            }
            variables!(Avx512, $t);
        }
        impl VectorLane<Avx512, $t> for $V {
            #[inline(always)]
            fn store(self, l: Avx512, to: ViewMut<'_, $t>, i: Span) {
                $store(l, self.bits(l), to, i);
            }
            #[inline(always)]
            fn stream(self, l: Avx512, to: ViewMut<'_, $t>, i: Span) {
                $stream(l, self.bits(l), to, i);
            }
            #[inline(always)]
            fn compress(self, l: Avx512, keep: u32, to: ViewMut<'_, $t>, at: usize) {
                $compress(l, self.bits(l), keep, to, at);
            }
            #[inline(always)]
            fn slide_down<const N: usize>(self, l: Avx512) -> Self {
                Self::from_bits(l, $down::<N>(l, self.bits(l)))
            }
            #[inline(always)]
            fn slide_up<const N: usize>(self, l: Avx512) -> Self {
                Self::from_bits(l, $up::<N>(l, self.bits(l)))
            }
            #[inline(always)]
            fn extract(self, _: Avx512, lane: usize) -> $t {
                self.array()[lane % W]
            }
        }
    )+};
}
lane! {
    F32: f32 = 0.0, |x| F32(_mm512_set1_ps(x)), |m, a, b| F32(_mm512_mask_blend_ps(m.0, b.0, a.0)), |x| _mm512_castps_si512(x.0), |x| F32(_mm512_castsi512_ps(x)),
        __m512i: load_4 load_4_by gather_4 permute_4 store_4 stream_4 compress_4 down_4 up_4;
    I32: i32 = 0, |x| I32(_mm512_set1_epi32(x)), |m, a, b| I32(_mm512_mask_blend_epi32(m.0, b.0, a.0)), |x| x.0, |x| I32(x),
        __m512i: load_4 load_4_by gather_4 permute_4 store_4 stream_4 compress_4 down_4 up_4;
    U32: u32 = 0, |x| U32(_mm512_set1_epi32(x as i32)), |m, a, b| U32(_mm512_mask_blend_epi32(m.0, b.0, a.0)), |x| x.0, |x| U32(x),
        __m512i: load_4 load_4_by gather_4 permute_4 store_4 stream_4 compress_4 down_4 up_4;
    F64: f64 = 0.0, |x| F64(_mm512_set1_pd(x), _mm512_set1_pd(x)), |m, a, b| F64(_mm512_mask_blend_pd(m.0 as u8, b.0, a.0), _mm512_mask_blend_pd((m.0 >> 8) as u8, b.1, a.1)),
        |x| (_mm512_castpd_si512(x.0), _mm512_castpd_si512(x.1)), |x| F64(_mm512_castsi512_pd(x.0), _mm512_castsi512_pd(x.1)), (__m512i, __m512i): load_8 load_8_by gather_8 permute_8 store_8 stream_8 compress_8 down_8 up_8;
    I64: i64 = 0, |x| I64(_mm512_set1_epi64(x), _mm512_set1_epi64(x)), |m, a, b| I64(_mm512_mask_blend_epi64(m.0 as u8, b.0, a.0), _mm512_mask_blend_epi64((m.0 >> 8) as u8, b.1, a.1)),
        |x| (x.0, x.1), |x| I64(x.0, x.1), (__m512i, __m512i): load_8 load_8_by gather_8 permute_8 store_8 stream_8 compress_8 down_8 up_8;
    U64: u64 = 0, |x| U64(_mm512_set1_epi64(x as i64), _mm512_set1_epi64(x as i64)), |m, a, b| U64(_mm512_mask_blend_epi64(m.0 as u8, b.0, a.0), _mm512_mask_blend_epi64((m.0 >> 8) as u8, b.1, a.1)),
        |x| (x.0, x.1), |x| U64(x.0, x.1), (__m512i, __m512i): load_8 load_8_by gather_8 permute_8 store_8 stream_8 compress_8 down_8 up_8;
}

#[inline(always)]
fn load_4<T: Element>(l: Avx512, s: View<'_, T>, i: Span) -> __m512i {
    // SAFETY: the lanes below `count` are elements of the view (the drivers' contract for spans), and no other memory is read:
    // masked lanes touch none, and clamped lanes read the last of those elements. Unaligned forms throughout.
    unsafe {
        if s.contiguous() && i.stride == 1 {
            if i.count >= W {
                return _mm512_loadu_si512(s.pointer(i.base).cast());
            }
            return _mm512_permutexvar_epi32(lanes_of(l, i), _mm512_maskz_loadu_epi32(below(i.count), s.pointer(i.base).cast()));
        }
        if s.contiguous() && i.stride == -1 && i.count >= W {
            return reversed(l, _mm512_loadu_si512(s.pointer(i.base.wrapping_sub(W - 1)).cast()));
        }
        if i.stride == 1 && i.count >= W {
            let p = s.pointer(i.base).cast::<i32>();
            of_words!(s.step(), 4: 2 3 4, |K| Words4::read::<K>(l, p));
            return one_by_one!(p, s.step(), i32);
        }
        if i.stride == 0 {
            return _mm512_set1_epi32(s.pointer(i.base).cast::<i32>().read_unaligned());
        }
        if let Some(bytes) = near(i.stride, s.step()) {
            return _mm512_i32gather_epi32::<1>(offsets(l, i, bytes), s.pointer(i.base).cast());
        }
        _mm512_loadu_si512(read_each(s, i).as_ptr().cast())
    }
}
#[inline(always)]
fn load_8<T: Element>(l: Avx512, s: View<'_, T>, i: Span) -> (__m512i, __m512i) {
    // SAFETY: as in `load_4`.
    unsafe {
        if s.contiguous() && i.stride == 1 && i.count >= W {
            let p = s.pointer(i.base).cast::<__m512i>();
            return (_mm512_loadu_si512(p), _mm512_loadu_si512(p.add(1)));
        }
        if s.contiguous() && i.stride == -1 && i.count >= W {
            let p = s.pointer(i.base.wrapping_sub(W - 1)).cast::<__m512i>();
            return (reversed_8(l, _mm512_loadu_si512(p.add(1))), reversed_8(l, _mm512_loadu_si512(p)));
        }
        if i.stride == 1 && i.count >= W {
            let (p, q) = (s.pointer(i.base).cast::<i64>(), s.pointer(i.base.wrapping_add(W / 2)).cast::<i64>());
            of_words!(s.step(), 8: 2 3 4, |K| (Words8::read::<K>(l, p), Words8::read::<K>(l, q)));
            return (one_by_one!(p, s.step(), i64), one_by_one!(q, s.step(), i64));
        }
        if i.stride == 0 {
            let x = _mm512_set1_epi64(s.pointer(i.base).cast::<i64>().read_unaligned());
            return (x, x);
        }
        if let Some(bytes) = near(i.stride, s.step()) {
            let (at, p) = (offsets(l, i, bytes), s.pointer(i.base));
            return (_mm512_i32gather_epi64::<1>(low_i(l, at), p.cast()), _mm512_i32gather_epi64::<1>(high_i(l, at), p.cast()));
        }
        let x = read_each(s, i);
        let p = (&raw const x).cast::<__m512i>();
        (_mm512_loadu_si512(p), _mm512_loadu_si512(p.add(1)))
    }
}

/// Of neighbours in order a load at a distance that is no multiple of the width reads two cache lines. Two vectors that others are taken
/// out of as well, and a shuffle, are faster: 5 loads in place of 7 of cache lines for the five-point stencil.
#[inline(always)]
fn load_4_by<T: Element>(l: Avx512, s: View<'_, T>, i: Span, by: i32) -> __m512i {
    if !(s.contiguous() && i.stride == 1 && i.count >= W && by != 0 && by.unsigned_abs() < W as u32) {
        return load_4(l, s, i.shift(by as isize as usize));
    }
    let p = s.pointer(if by < 0 { i.base.wrapping_sub(W) } else { i.base }).cast::<__m512i>();
    // SAFETY: a vector before and a vector behind the span are in range, by the caller's promise; the token proves the instructions.
    unsafe {
        let from = _mm512_add_epi32(lanes_of(l, Span::new(0, W)), _mm512_set1_epi32(by & (W as i32 - 1)));
        _mm512_permutex2var_epi32(_mm512_loadu_si512(p), from, _mm512_loadu_si512(p.add(1)))
    }
}
/// As [`load_4_by`].
#[inline(always)]
fn load_8_by<T: Element>(l: Avx512, s: View<'_, T>, i: Span, by: i32) -> (__m512i, __m512i) {
    let (half, rest) = (W as i32 / 2, by & (W as i32 / 2 - 1));
    if !(s.contiguous() && i.stride == 1 && i.count >= W && rest != 0 && by.unsigned_abs() < W as u32) {
        return load_8(l, s, i.shift(by as isize as usize));
    }
    let p = s.pointer(i.base.wrapping_add_signed((by & -half) as isize)).cast::<__m512i>();
    // SAFETY: as in `load_4_by`: three halves of vectors, from at most one vector before the span to at most one behind it.
    unsafe {
        let from = _mm512_add_epi64(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), _mm512_set1_epi64(rest as i64));
        let (a, b, c) = (_mm512_loadu_si512(p), _mm512_loadu_si512(p.add(1)), _mm512_loadu_si512(p.add(2)));
        (_mm512_permutex2var_epi64(a, from, b), _mm512_permutex2var_epi64(b, from, c))
    }
}

/// The index vector in range, if a gather with 32-bit offsets reaches all of the slice. The offset is the index times `step`.
#[inline(always)]
fn reach<T: Element>(s: View<'_, T>, scale: usize) -> Option<u32> {
    let last = s.len() - 1;
    let most = if s.contiguous() { last } else { last.saturating_mul(s.step()) };
    debug_assert!(!s.contiguous() || s.step() == scale);
    (most <= i32::MAX as usize).then_some(last as u32)
}
#[inline(always)]
fn gather_4<T: Element>(_: Avx512, s: View<'_, T>, i: U32) -> __m512i {
    // SAFETY: indices are clamped to the last element of a slice that is not empty, so every address is that of an element;
    // `reach` proved that indices (times the step, where the view is strided) are not negative as 32-bit numbers.
    unsafe {
        if s.is_empty() {
            return _mm512_setzero_si512();
        }
        let Some(last) = reach(s, 4) else {
            return _mm512_loadu_si512(gather_each(s, &i.array()).as_ptr().cast());
        };
        let i = _mm512_min_epu32(i.0, _mm512_set1_epi32(last as i32));
        if s.contiguous() {
            return _mm512_i32gather_epi32::<4>(i, s.pointer(0).cast());
        }
        _mm512_i32gather_epi32::<1>(_mm512_mullo_epi32(i, _mm512_set1_epi32(s.step() as i32)), s.pointer(0).cast())
    }
}
#[inline(always)]
fn gather_8<T: Element>(l: Avx512, s: View<'_, T>, i: U32) -> (__m512i, __m512i) {
    // SAFETY: as in `gather_4`.
    unsafe {
        if s.is_empty() {
            return (_mm512_setzero_si512(), _mm512_setzero_si512());
        }
        let Some(last) = reach(s, 8) else {
            let x = gather_each(s, &i.array());
            let p = (&raw const x).cast::<__m512i>();
            return (_mm512_loadu_si512(p), _mm512_loadu_si512(p.add(1)));
        };
        let (i, p) = (_mm512_min_epu32(i.0, _mm512_set1_epi32(last as i32)), s.pointer(0));
        if s.contiguous() {
            return (_mm512_i32gather_epi64::<8>(low_i(l, i), p.cast()), _mm512_i32gather_epi64::<8>(high_i(l, i), p.cast()));
        }
        let at = _mm512_mullo_epi32(i, _mm512_set1_epi32(s.step() as i32));
        (_mm512_i32gather_epi64::<1>(low_i(l, at), p.cast()), _mm512_i32gather_epi64::<1>(high_i(l, at), p.cast()))
    }
}

#[inline(always)]
pub(super) fn permute_4(_: Avx512, x: __m512i, from: U32) -> __m512i {
    // SAFETY: the token proves the instructions; registers only.
    unsafe { _mm512_permutexvar_epi32(from.0, x) }
}
#[inline(always)]
fn permute_8(l: Avx512, x: (__m512i, __m512i), from: U32) -> (__m512i, __m512i) {
    let from = zero_extend(l, from.0);
    // SAFETY: as above.
    unsafe { (_mm512_permutex2var_epi64(x.0, from.0, x.1), _mm512_permutex2var_epi64(x.0, from.1, x.1)) }
}

#[inline(always)]
fn store_4<T: Element>(l: Avx512, x: __m512i, to: ViewMut<'_, T>, i: Span) {
    // SAFETY: the lanes below `count` are elements of the view, which is an exclusive borrow; masked lanes touch no memory.
    unsafe {
        if to.contiguous() && i.stride == 1 {
            let p = to.pointer(i.base);
            if i.count >= W {
                return _mm512_storeu_si512(p.cast(), x);
            }
            return _mm512_mask_storeu_epi32(p.cast(), below(i.count), x);
        }
        if i.stride == 1 && i.count >= W {
            let p = to.pointer(i.base).cast::<i32>();
            return write_one_by_one!(p, to.step(), i32, x);
        }
        if let Some(bytes) = near(i.stride, to.step()) {
            return _mm512_mask_i32scatter_epi32::<1>(to.pointer(i.base).cast(), below(i.count), offsets(l, i, bytes), x);
        }
        write_each(&std::mem::transmute_copy::<__m512i, [T; W]>(&x), to, i);
    }
}
#[inline(always)]
fn store_8<T: Element>(l: Avx512, x: (__m512i, __m512i), to: ViewMut<'_, T>, i: Span) {
    let m = below(i.count);
    // SAFETY: as in `store_4`.
    unsafe {
        if to.contiguous() && i.stride == 1 {
            let p = to.pointer(i.base).cast::<__m512i>();
            if i.count >= W {
                _mm512_storeu_si512(p, x.0);
                return _mm512_storeu_si512(p.add(1), x.1);
            }
            _mm512_mask_storeu_epi64(p.cast(), m as u8, x.0);
            return _mm512_mask_storeu_epi64(p.wrapping_add(1).cast(), (m >> 8) as u8, x.1);
        }
        if i.stride == 1 && i.count >= W {
            let (p, q) = (to.pointer(i.base).cast::<i64>(), to.pointer(i.base.wrapping_add(W / 2)).cast::<i64>());
            write_one_by_one!(p, to.step(), i64, x.0);
            return write_one_by_one!(q, to.step(), i64, x.1);
        }
        if let Some(bytes) = near(i.stride, to.step()) {
            let (at, p) = (offsets(l, i, bytes), to.pointer(i.base));
            _mm512_mask_i32scatter_epi64::<1>(p.cast(), m as u8, low_i(l, at), x.0);
            return _mm512_mask_i32scatter_epi64::<1>(p.cast(), (m >> 8) as u8, high_i(l, at), x.1);
        }
        write_each(&std::mem::transmute_copy::<(__m512i, __m512i), [T; W]>(&x), to, i);
    }
}
#[inline(always)]
fn stream_4<T: Element>(l: Avx512, x: __m512i, to: ViewMut<'_, T>, i: Span) {
    let p = to.pointer(i.base).cast::<__m512i>();
    if to.contiguous() && i.stride == 1 && i.count >= W && p.is_aligned() {
        // SAFETY: as in `store_4`, and aligned.
        return unsafe { _mm512_stream_si512(p, x) };
    }
    store_4(l, x, to, i);
}
#[inline(always)]
fn stream_8<T: Element>(l: Avx512, x: (__m512i, __m512i), to: ViewMut<'_, T>, i: Span) {
    let p = to.pointer(i.base).cast::<__m512i>();
    if to.contiguous() && i.stride == 1 && i.count >= W && p.is_aligned() {
        // SAFETY: as in `store_8`, and aligned.
        return unsafe {
            _mm512_stream_si512(p, x.0);
            _mm512_stream_si512(p.add(1), x.1);
        };
    }
    store_8(l, x, to, i);
}

/// Compression happens in the register, and a whole vector is stored: storing compressed is many times slower on some CPUs.
#[inline(always)]
fn compress_4<T: Element>(l: Avx512, x: __m512i, keep: u32, to: ViewMut<'_, T>, at: usize) {
    // SAFETY: the token proves the instructions; registers only.
    let x = unsafe { _mm512_maskz_compress_epi32(keep as u16, x) };
    store_4(l, x, to, Span::new(at, W));
}
#[inline(always)]
fn compress_8<T: Element>(l: Avx512, x: (__m512i, __m512i), keep: u32, to: ViewMut<'_, T>, at: usize) {
    let (low, high) = (keep as u8, (keep >> 8) as u8);
    // SAFETY: the token proves the instructions; registers only.
    let x = unsafe { (_mm512_maskz_compress_epi64(low, x.0), _mm512_maskz_compress_epi64(high, x.1)) };
    let next = at + low.count_ones() as usize;
    if to.contiguous() {
        debug_assert!(next + W / 2 <= to.len());
        // SAFETY: the memory of a whole vector from `at` on exists, the second half begins in its first.
        unsafe {
            _mm512_storeu_si512(to.pointer(at).cast(), x.0);
            _mm512_storeu_si512(to.pointer(next).cast(), x.1);
        }
    } else {
        store_8(l, x, to, Span::new(at, low.count_ones() as usize));
        store_8(l, (x.1, x.1), to, Span::new(next, high.count_ones() as usize));
    }
}

/// `valignd`/`valignq` take their distance as an immediate, which a generic constant cannot become: a match that folds away.
macro_rules! slide {
    ($($name:ident($x:ident: $V:ty) = $($k:literal => $body:expr),+;)+) => {$(
        #[inline(always)]
        fn $name<const N: usize>(_: Avx512, $x: $V) -> $V {
            debug_assert!(N.is_power_of_two() && N < W);
            // SAFETY: the token proves the instructions; registers only.
            unsafe {
                match N {
                    $($k => $body,)+
                    _ => $x,
                }
            }
        }
    )+};
}
slide! {
    down_4(x: __m512i) = 1 => _mm512_alignr_epi32::<1>(x, x), 2 => _mm512_alignr_epi32::<2>(x, x), 4 => _mm512_alignr_epi32::<4>(x, x), 8 => _mm512_alignr_epi32::<8>(x, x);
    up_4(x: __m512i) = 1 => _mm512_alignr_epi32::<15>(x, x), 2 => _mm512_alignr_epi32::<14>(x, x), 4 => _mm512_alignr_epi32::<12>(x, x), 8 => _mm512_alignr_epi32::<8>(x, x);
    down_8(x: (__m512i, __m512i)) =
        1 => (_mm512_alignr_epi64::<1>(x.1, x.0), _mm512_alignr_epi64::<1>(x.1, x.1)),
        2 => (_mm512_alignr_epi64::<2>(x.1, x.0), _mm512_alignr_epi64::<2>(x.1, x.1)),
        4 => (_mm512_alignr_epi64::<4>(x.1, x.0), _mm512_alignr_epi64::<4>(x.1, x.1)),
        8 => (x.1, x.1);
    up_8(x: (__m512i, __m512i)) =
        1 => (_mm512_alignr_epi64::<7>(x.0, x.0), _mm512_alignr_epi64::<7>(x.1, x.0)),
        2 => (_mm512_alignr_epi64::<6>(x.0, x.0), _mm512_alignr_epi64::<6>(x.1, x.0)),
        4 => (_mm512_alignr_epi64::<4>(x.0, x.0), _mm512_alignr_epi64::<4>(x.1, x.0)),
        8 => (x.0, x.0);
}
