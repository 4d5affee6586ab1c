//! AVX-512: 16 lanes, masks in their own registers. The 64-bit types are pairs of registers, lanes 0-7 and 8-15.
//!
//! The instruction set is that of Skylake-X (x86-64-v4): F, BW, CD, DQ, VL, with AVX2, FMA and the bit
//! instructions of x86-64-v3. Every method is one line of a table.

use std::arch::x86_64::*;
use std::mem::transmute;

use crate::element::Element;
use crate::kernel::{FloatLane, IntLane, Lane, Lanes, MaskLane, NumLane};

use super::level::level_common;
use super::{Level, OneLane, Span, VectorLane, View, ViewMut, math};

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

#[inline(always)]
fn join(low: __mmask8, high: __mmask8) -> Mask {
    Mask(low as u16 | (high as u16) << 8)
}
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

// ---- memory ---------------------------------------------------------------------------------------------------------------

/// The distance between lanes in bytes, if the offsets of 16 lanes fit 32 bits.
#[inline(always)]
fn near(stride: isize, step: usize) -> Option<i32> {
    let bytes = stride.wrapping_mul(step as isize);
    (bytes.unsigned_abs() <= (i32::MAX / W as i32) as usize).then_some(bytes as i32)
}

/// Byte offsets of the lanes of a span from its first element.
#[inline(always)]
fn offsets(l: Avx512, i: Span, bytes: i32) -> __m512i {
    // SAFETY: the token proves the instructions; registers only.
    unsafe { _mm512_mullo_epi32(lanes_of(l, i), _mm512_set1_epi32(bytes)) }
}

/// Reads a span element by element. It takes no vectors, so it may be a call.
#[cold]
#[inline(never)]
fn read_each<T: Element>(s: View<'_, T>, i: Span) -> [T; W] {
    std::array::from_fn(|j| s.read(i.element(j)))
}
/// Writes a span element by element.
#[cold]
#[inline(never)]
fn write_each<T: Element>(x: &[T; W], to: ViewMut<'_, T>, i: Span) {
    for (j, &x) in x.iter().enumerate().take(i.count) {
        to.write(i.element(j), x);
    }
}
/// Reads at any index element by element.
#[cold]
#[inline(never)]
fn gather_each<T: Element>(s: View<'_, T>, i: &[u32; W]) -> [T; W] {
    i.map(|i| s.read((i as usize).min(s.len() - 1)))
}

/// How a vector meets memory. `$load`, `$store`... work on the bits, by size.
macro_rules! lane {
    ($($V:ident: $t:ty = $zero:expr, |$x:ident| $splat:expr, |$m:ident, $a:ident, $b:ident| $select:expr, |$v:ident| $bits:expr, |$w:ident| $from:expr,
        $Bits:ty: $load:ident $gather:ident $store:ident $stream:ident $down:ident $up:ident;)+) => {$(
        impl $V {
            #[allow(dead_code)] // only what goes lane by lane needs it
            const ZEROS: [$t; W] = [$zero; W];
            #[inline(always)]
            fn array(self) -> [$t; W] {
                // SAFETY: same size, no padding, and every bit pattern is a value.
                unsafe { transmute(self) }
            }
            #[inline(always)]
            #[allow(dead_code)] // as above
            fn from_array(x: [$t; W]) -> Self {
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
            fn broadcast(l: Avx512, x: $t) -> Self {
                Self::splat(l, x)
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
            fn gather(l: Avx512, s: View<'_, $t>, i: U32) -> Self {
                Self::from_bits(l, $gather(l, s, i))
            }
            variable!($t);
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
/// A variable is its value.
macro_rules! variable {
    ($t:ty) => {
        #[inline(always)]
        fn var(self, _: Avx512) -> Self {
            self
        }
        #[inline(always)]
        fn get(self, _: Avx512) -> Self {
            self
        }
        #[inline(always)]
        fn set(&mut self, _: Avx512, value: Self) {
            *self = value;
        }
        #[inline(always)]
        fn set_masked(&mut self, l: Avx512, m: Mask, value: Self) {
            *self = <Self as Lane<Avx512, $t>>::select(value, l, m, *self);
        }
    };
}
lane! {
    F32: f32 = 0.0, |x| F32(_mm512_set1_ps(x)), |m, a, b| F32(_mm512_mask_blend_ps(m.0, b.0, a.0)), |x| _mm512_castps_si512(x.0), |x| F32(_mm512_castsi512_ps(x)),
        __m512i: load_4 gather_4 store_4 stream_4 down_4 up_4;
    I32: i32 = 0, |x| I32(_mm512_set1_epi32(x)), |m, a, b| I32(_mm512_mask_blend_epi32(m.0, b.0, a.0)), |x| x.0, |x| I32(x),
        __m512i: load_4 gather_4 store_4 stream_4 down_4 up_4;
    U32: u32 = 0, |x| U32(_mm512_set1_epi32(x as i32)), |m, a, b| U32(_mm512_mask_blend_epi32(m.0, b.0, a.0)), |x| x.0, |x| U32(x),
        __m512i: load_4 gather_4 store_4 stream_4 down_4 up_4;
    F64: f64 = 0.0, |x| F64(_mm512_set1_pd(x), _mm512_set1_pd(x)), |m, a, b| F64(_mm512_mask_blend_pd(m.0 as u8, b.0, a.0), _mm512_mask_blend_pd((m.0 >> 8) as u8, b.1, a.1)),
        |x| (_mm512_castpd_si512(x.0), _mm512_castpd_si512(x.1)), |x| F64(_mm512_castsi512_pd(x.0), _mm512_castsi512_pd(x.1)), (__m512i, __m512i): load_8 gather_8 store_8 stream_8 down_8 up_8;
    I64: i64 = 0, |x| I64(_mm512_set1_epi64(x), _mm512_set1_epi64(x)), |m, a, b| I64(_mm512_mask_blend_epi64(m.0 as u8, b.0, a.0), _mm512_mask_blend_epi64((m.0 >> 8) as u8, b.1, a.1)),
        |x| (x.0, x.1), |x| I64(x.0, x.1), (__m512i, __m512i): load_8 gather_8 store_8 stream_8 down_8 up_8;
    U64: u64 = 0, |x| U64(_mm512_set1_epi64(x as i64), _mm512_set1_epi64(x as i64)), |m, a, b| U64(_mm512_mask_blend_epi64(m.0 as u8, b.0, a.0), _mm512_mask_blend_epi64((m.0 >> 8) as u8, b.1, a.1)),
        |x| (x.0, x.1), |x| U64(x.0, x.1), (__m512i, __m512i): load_8 gather_8 store_8 stream_8 down_8 up_8;
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
        if let Some(bytes) = near(i.stride, s.step()) {
            let (at, p) = (offsets(l, i, bytes), s.pointer(i.base));
            return (_mm512_i32gather_epi64::<1>(low_i(l, at), p.cast()), _mm512_i32gather_epi64::<1>(high_i(l, at), p.cast()));
        }
        let x = read_each(s, i);
        let p = (&raw const x).cast::<__m512i>();
        (_mm512_loadu_si512(p), _mm512_loadu_si512(p.add(1)))
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

// ---- the level ------------------------------------------------------------------------------------------------------------

impl Lanes for Avx512 {
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
    const WIDTH: usize = W;
    const FMA: bool = true;

    #[inline(always)]
    fn first(self, n: usize) -> Mask {
        Mask(below(n))
    }
    #[inline(always)]
    fn fence(self) {
        // SAFETY: every x86-64 CPU has it.
        unsafe { _mm_sfence() }
    }
}

// ---- truth values ---------------------------------------------------------------------------------------------------------

impl Mask {
    #[inline(always)]
    fn from_array(x: [bool; W]) -> Mask {
        let mut m = 0;
        let mut j = 0;
        while j < W {
            m |= (x[j] as u16) << j;
            j += 1;
        }
        Mask(m)
    }
}

impl Lane<Avx512, bool> for Mask {
    #[inline(always)]
    fn splat(_: Avx512, x: bool) -> Mask {
        Mask((x as u16).wrapping_neg())
    }
    #[inline(always)]
    fn broadcast(l: Avx512, x: bool) -> Mask {
        Mask::splat(l, x)
    }
    #[inline(always)]
    fn select(self, _: Avx512, m: Mask, other: Mask) -> Mask {
        Mask(self.0 & m.0 | other.0 & !m.0)
    }
    #[inline(always)]
    fn load(_: Avx512, s: View<'_, bool>, i: Span) -> Mask {
        if !(s.contiguous() && i.stride == 1) {
            return Mask::from_array(read_each(s, i));
        }
        let p = s.pointer(i.base);
        // SAFETY: the lanes below `count` are elements of the view; masked lanes touch no memory.
        unsafe {
            if i.count >= W {
                let x = _mm_loadu_si128(p.cast());
                return Mask(_mm_test_epi8_mask(x, x));
            }
            let x = _mm_maskz_loadu_epi8(below(i.count), p.cast());
            let m = _mm_test_epi8_mask(x, x);
            let last = (m >> (i.count - 1) & 1).wrapping_neg();
            Mask(m | last & !below(i.count))
        }
    }
    #[inline(always)]
    fn gather(_: Avx512, s: View<'_, bool>, i: U32) -> Mask {
        if s.is_empty() { Mask(0) } else { Mask::from_array(gather_each(s, &i.array())) }
    }
    variable!(bool);
}

impl VectorLane<Avx512, bool> for Mask {
    #[inline(always)]
    fn store(self, _: Avx512, to: ViewMut<'_, bool>, i: Span) {
        // SAFETY: the lanes below `count` are elements of the view, which is an exclusive borrow; the bytes are 0 or 1.
        unsafe {
            let x = _mm_maskz_set1_epi8(self.0, 1);
            if to.contiguous() && i.stride == 1 {
                return if i.count >= W {
                    _mm_storeu_si128(to.pointer(i.base).cast(), x)
                } else {
                    _mm_mask_storeu_epi8(to.pointer(i.base).cast(), below(i.count), x)
                };
            }
            write_each(&transmute::<__m128i, [bool; W]>(x), to, i);
        }
    }
    #[inline(always)]
    fn stream(self, l: Avx512, to: ViewMut<'_, bool>, i: Span) {
        let p = to.pointer(i.base).cast::<__m128i>();
        if to.contiguous() && i.stride == 1 && i.count >= W && p.is_aligned() {
            // SAFETY: as in `store`, and aligned.
            return unsafe { _mm_stream_si128(p, _mm_maskz_set1_epi8(self.0, 1)) };
        }
        self.store(l, to, i);
    }
    #[inline(always)]
    fn slide_down<const N: usize>(self, _: Avx512) -> Mask {
        Mask(self.0 >> (N % W))
    }
    #[inline(always)]
    fn slide_up<const N: usize>(self, _: Avx512) -> Mask {
        Mask(self.0 << (N % W))
    }
    #[inline(always)]
    fn extract(self, _: Avx512, lane: usize) -> bool {
        self.0 >> (lane % W) & 1 != 0
    }
}

impl MaskLane<Avx512> for Mask {
    methods! { self, l:
        and(o: Mask) -> Mask = Mask(self.0 & o.0);
        or(o: Mask) -> Mask = Mask(self.0 | o.0);
        xor(o: Mask) -> Mask = Mask(self.0 ^ o.0);
        not() -> Mask = Mask(!self.0);
    }
}

// ---- 32 bits --------------------------------------------------------------------------------------------------------------

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
        exp() -> F32 = math::exp_f32(l, self);
        exp2() -> F32 = math::exp2_f32(l, self);
        ln() -> F32 = math::ln_f32(l, self);
        log2() -> F32 = math::log2_f32(l, self);
        log10() -> F32 = math::log10_f32(l, self);
        sin() -> F32 = math::sin_f32(l, self);
        cos() -> F32 = math::cos_f32(l, self);
        tan() -> F32 = math::tan_f32(l, self);
        tanh() -> F32 = math::tanh_f32(l, self);
        atan() -> F32 = math::atan_f32(l, self);
        atan2(o: F32) -> F32 = math::atan2_f32(l, self, o);
        powf(o: F32) -> F32 = math::powf_f32(l, self, o);
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

// ---- 64 bits --------------------------------------------------------------------------------------------------------------

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
        exp() -> F64 = math::exp_f64(l, self);
        exp2() -> F64 = math::exp2_f64(l, self);
        ln() -> F64 = math::ln_f64(l, self);
        log2() -> F64 = math::log2_f64(l, self);
        log10() -> F64 = math::log10_f64(l, self);
        sin() -> F64 = math::sin_f64(l, self);
        cos() -> F64 = math::cos_f64(l, self);
        tan() -> F64 = math::tan_f64(l, self);
        tanh() -> F64 = math::tanh_f64(l, self);
        atan() -> F64 = math::atan_f64(l, self);
        atan2(o: F64) -> F64 = math::atan2_f64(l, self, o);
        powf(o: F64) -> F64 = math::powf_f64(l, self, o);
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
