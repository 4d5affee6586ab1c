//! The portable level: 4 lanes, on the `wide` crate. SSE2 on x86-64, NEON on aarch64, simd128 on wasm, scalars elsewhere.
//!
//! `wide` chooses its instructions at compile time, so a build for a newer CPU (`-C target-cpu`) improves this level by itself.

use wide::{bytemuck::cast, f32x4, f64x4, i32x4, i64x4, u32x4, u64x4};

use crate::kernel::{FloatLane, IntLane, Lane, Lanes, MaskLane, NumLane, Rare};

use super::lanewise::{arrays, lanewise, methods, permuted, reads, transcendentals, variables, writes};
use super::{Level, Span, VectorLane, View, ViewMut, level::level_common, philox};

/// Number of lanes.
const W: usize = 4;

/// The level that every CPU of the target has.
#[derive(Clone, Copy, Debug)]
pub struct Base;

/// Four truth values: 0 or -1.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Mask(i32x4);
/// Four `f32`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct F32(f32x4);
/// Four `f64`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct F64(f64x4);
/// Four `i32`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct I32(i32x4);
/// Four `u32`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct U32(u32x4);
/// Four `i64`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct I64(i64x4);
/// Four `u64`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct U64(u64x4);

arrays! { F32: f32 = 0.0; F64: f64 = 0.0; I32: i32 = 0; U32: u32 = 0; I64: i64 = 0; U64: u64 = 0; }

impl Lanes for Base {
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
        let mut out = U32::ZEROS;
        for (lane, out) in out.iter_mut().enumerate() {
            *out = i.element(lane) as u32;
        }
        U32::from_array(out)
    }
    #[inline(always)]
    fn index_u64(self, i: Span) -> U64 {
        let mut out = U64::ZEROS;
        for (lane, out) in out.iter_mut().enumerate() {
            *out = i.element(lane) as u64;
        }
        U64::from_array(out)
    }
    #[inline(always)]
    fn f32_bits(self, x: F32) -> U32 {
        U32(cast(x.0))
    }
    #[inline(always)]
    fn f32_from_bits(self, x: U32) -> F32 {
        F32(cast(x.0))
    }
    #[inline(always)]
    fn f64_bits(self, x: F64) -> U64 {
        U64(cast(x.0))
    }
    #[inline(always)]
    fn f64_from_bits(self, x: U64) -> F64 {
        F64(cast(x.0))
    }
    #[inline(always)]
    fn mul_hi(self, a: U32, b: U32) -> U32 {
        U32(a.0.mul_keep_high(b.0))
    }
    #[inline(always)]
    fn philox_words(self, i: Span, key: [u32; 2], stream: u32) -> Option<U32> {
        // One block: scalar products are as fast as those of two lanes.
        if !philox::in_order(i, W) {
            return None;
        }
        Some(U32::from_array(philox::block(philox::first_block(i), stream, key)))
    }
    #[inline(always)]
    fn rarely<R: Rare<Self>>(self, rare: R) -> R::Out {
        #[inline(never)]
        fn called<R: Rare<Base>>(l: Base, rare: R) -> R::Out {
            rare.run(l)
        }
        called(self, rare)
    }
    #[inline(always)]
    fn mask_all(self) -> Mask {
        Mask(i32x4::splat(-1))
    }
    #[inline(always)]
    fn mask_none(self) -> Mask {
        Mask(i32x4::splat(0))
    }
    #[inline(always)]
    fn any(self, m: Mask) -> bool {
        m.0.any()
    }
}

impl Level for Base {
    const FMA: bool = FUSES;

    #[inline(always)]
    fn view<T: crate::element::Element>(self, v: crate::backend::simd::View<'_, T>) -> Self::Slice<'_, T> {
        v
    }
    #[inline(always)]
    fn first(self, n: usize) -> Mask {
        Mask(i32x4::new([0, 1, 2, 3]).simd_lt(i32x4::splat(n.min(W) as i32)))
    }
    #[inline(always)]
    fn bits(self, m: Mask) -> u32 {
        m.0.to_bitmask()
    }
    #[inline(always)]
    fn fence(self) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every x86-64 CPU has SSE2.
        unsafe {
            std::arch::x86_64::_mm_sfence()
        }
    }
}

impl Mask {
    const ZEROS: [bool; W] = [false; W];

    #[inline(always)]
    fn array(self) -> [bool; W] {
        let [a, b, c, d] = self.0.to_array();
        [a != 0, b != 0, c != 0, d != 0]
    }
    #[inline(always)]
    fn from_array([a, b, c, d]: [bool; W]) -> Mask {
        Mask(-i32x4::new([a as i32, b as i32, c as i32, d as i32]))
    }
    /// The mask of 64-bit lanes: each word doubled.
    #[inline(always)]
    fn wide<T: wide::bytemuck::AnyBitPattern>(self) -> T {
        let m: f32x4 = cast(self.0);
        cast([m.unpack_lo(m), m.unpack_hi(m)])
    }
    /// From a mask of 64-bit lanes: one of their equal words.
    #[inline(always)]
    fn narrow<T: wide::bytemuck::NoUninit>(m: T) -> Mask {
        let m: [i32; 8] = cast(m);
        Mask(i32x4::new([m[0], m[2], m[4], m[6]]))
    }
}

/// Memory and moves. `$mask` is the mask `$m` as a vector of the type.
macro_rules! lanes {
    ($($vector:ident $scalar:ty: |$x:ident| $splat:expr, |$m:ident| $mask:expr;)+) => {$(
        impl Lane<Base, $scalar> for $vector {
            variables!(Base, $scalar);

            #[inline(always)]
            fn splat(_: Base, $x: $scalar) -> Self {
                $vector($splat)
            }
            #[inline(always)]
            fn select(self, _: Base, $m: Mask, other: Self) -> Self {
                $vector($mask.bitselect(self.0, other.0))
            }
            #[inline(always)]
            fn load(_: Base, s: View<'_, $scalar>, i: Span) -> Self {
                let whole = i.count >= W && s.contiguous();
                if whole && i.stride == 1 {
                    debug_assert!(i.base + W <= s.len());
                    // SAFETY: the span lies inside the view, whose elements stand side by side.
                    Self::from_array(unsafe { s.pointer(i.base).cast::<[$scalar; W]>().read_unaligned() })
                } else if whole && i.stride == -1 {
                    debug_assert!(i.base < s.len() && i.base + 1 >= W);
                    // SAFETY: as above; the span's last lane is its first element.
                    let [a, b, c, d] = unsafe { s.pointer(i.element(W - 1)).cast::<[$scalar; W]>().read_unaligned() };
                    Self::from_array([d, c, b, a])
                } else if i.stride == 0 {
                    Lane::<Base, $scalar>::splat(Base, s.read(i.base))
                } else if i.count >= W {
                    let i = Span { count: W, ..i }; // then no lane needs a comparison
                    reads!(Self, s, |lane| i.element(lane))
                } else {
                    reads!(Self, s, |lane| i.element(lane))
                }
            }
            #[inline(always)]
            fn gather(_: Base, s: View<'_, $scalar>, i: U32) -> Self {
                if s.is_empty() {
                    return Self::from_array(Self::ZEROS);
                }
                let i = i.array();
                reads!(Self, s, |lane| (i[lane] as usize).min(s.len() - 1))
            }
            #[inline(always)]
            fn permute(self, _: Base, from: U32) -> Self {
                permuted!(self, from)
            }
        }
        impl VectorLane<Base, $scalar> for $vector {
            #[inline(always)]
            fn store(self, _: Base, to: ViewMut<'_, $scalar>, i: Span) {
                let whole = i.count >= W && to.contiguous();
                if whole && i.stride == 1 {
                    debug_assert!(i.base + W <= to.len());
                    // SAFETY: the span lies inside the view, whose elements stand side by side.
                    unsafe { to.pointer(i.base).cast::<[$scalar; W]>().write_unaligned(self.array()) }
                } else if whole && i.stride == -1 {
                    debug_assert!(i.base < to.len() && i.base + 1 >= W);
                    let [a, b, c, d] = self.array();
                    // SAFETY: as above; the span's last lane is its first element.
                    unsafe { to.pointer(i.element(W - 1)).cast::<[$scalar; W]>().write_unaligned([d, c, b, a]) }
                } else if i.count >= W {
                    let i = Span { count: W, ..i }; // as above
                    writes!(self, to, i)
                } else {
                    writes!(self, to, i)
                }
            }
            #[inline(always)]
            fn stream(self, l: Base, to: ViewMut<'_, $scalar>, i: Span) {
                #[cfg(target_arch = "x86_64")]
                if size_of::<$scalar>() >= 4 && i.stride == 1 && i.count >= W && to.contiguous() {
                    let start = to.pointer(i.base).cast::<f32>();
                    if start.addr() % 16 == 0 {
                        debug_assert!(i.base + W <= to.len());
                        let words = self.array();
                        for part in 0..size_of::<[$scalar; W]>() / 16 {
                            // SAFETY: every x86-64 CPU has SSE; the span lies inside the view and is aligned for its 16-byte parts.
                            unsafe {
                                use std::arch::x86_64::{_mm_loadu_ps, _mm_stream_ps};
                                _mm_stream_ps(start.add(4 * part), _mm_loadu_ps(words.as_ptr().cast::<f32>().add(4 * part)));
                            }
                        }
                        return;
                    }
                }
                self.store(l, to, i)
            }
            #[inline(always)]
            fn slide_down<const N: usize>(self, _: Base) -> Self {
                let [a, b, c, d] = self.array();
                Self::from_array(if N == 1 { [b, c, d, a] } else { [c, d, a, b] })
            }
            #[inline(always)]
            fn slide_up<const N: usize>(self, _: Base) -> Self {
                let [a, b, c, d] = self.array();
                Self::from_array(if N == 1 { [d, a, b, c] } else { [c, d, a, b] })
            }
            #[inline(always)]
            fn extract(self, _: Base, lane: usize) -> $scalar {
                self.array()[lane]
            }
        }
    )+};
}
lanes! {
    Mask bool: |x| i32x4::splat(-(x as i32)), |m| m.0;
    F32 f32: |x| f32x4::splat(x), |m| cast::<i32x4, f32x4>(m.0);
    I32 i32: |x| i32x4::splat(x), |m| m.0;
    U32 u32: |x| u32x4::splat(x), |m| cast::<i32x4, u32x4>(m.0);
    F64 f64: |x| f64x4::splat(x), |m| m.wide::<f64x4>();
    I64 i64: |x| i64x4::splat(x), |m| m.wide::<i64x4>();
    U64 u64: |x| u64x4::splat(x), |m| m.wide::<u64x4>();
}

impl MaskLane<Base> for Mask {
    methods! { self, l: Base;
        and(o: Self) -> Self = Mask(self.0 & o.0);
        or(o: Self) -> Self = Mask(self.0 | o.0);
        xor(o: Self) -> Self = Mask(self.0 ^ o.0);
        not() -> Self = Mask(!self.0);
    }
}

/// What the two float types share.
macro_rules! float {
    ($vector:ident $simd:ident $scalar:ident $whole:expr; |$m:ident| $mask:expr; $($casts:tt)*) => {
        impl NumLane<Base, $scalar> for $vector {
            methods! { self, l: Base;
                add(o: Self) -> Self = $vector(self.0 + o.0);
                sub(o: Self) -> Self = $vector(self.0 - o.0);
                mul(o: Self) -> Self = $vector(self.0 * o.0);
                div(o: Self) -> Self = $vector(self.0 / o.0);
                rem(o: Self) -> Self = lanewise!(Self: NumLane::rem(self, o));
                neg() -> Self = $vector(self.0 ^ $simd::splat(-0.0));
                abs() -> Self = $vector(self.0 & !$simd::splat(-0.0));
                min(o: Self) -> Self = $vector((o.0.simd_lt(self.0) | self.0.simd_ne(self.0)).bitselect(o.0, self.0));
                max(o: Self) -> Self = $vector((o.0.simd_gt(self.0) | self.0.simd_ne(self.0)).bitselect(o.0, self.0));
                eq(o: Self) -> Mask = { let $m = self.0.simd_eq(o.0); $mask };
                lt(o: Self) -> Mask = { let $m = self.0.simd_lt(o.0); $mask };
                le(o: Self) -> Mask = { let $m = self.0.simd_le(o.0); $mask };
            }
            methods! { $($casts)* }
        }
        impl $vector {
            /// Towards zero. Adding and subtracting 2^mantissa rounds a smaller magnitude to a nearby integer, which is at most
            /// one too large; larger magnitudes are integers. Used where the target has no instruction.
            #[inline(always)]
            fn truncated(self) -> $simd {
                let (sign, whole, one) = ($simd::splat(-0.0), $simd::splat($whole), $simd::splat(1.0));
                let size = self.0 & !sign;
                let near = size + whole - whole;
                let down = near - (near.simd_gt(size) & one);
                size.simd_lt(whole).bitselect(down | (self.0 & sign), self.0)
            }
        }
        impl FloatLane<Base, $scalar> for $vector {
            transcendentals!($scalar Base);
            methods! { self, l: Base;
                mul_add(a: Self, b: Self) -> Self = if FUSES { $vector(self.0.mul_add(a.0, b.0)) } else { self.fused(a, b) };
                sqrt() -> Self = $vector(self.0.sqrt());
                floor() -> Self = if ROUNDS { $vector(self.0.floor()) } else {
                    let t = self.truncated();
                    // `t - 0` keeps the sign of a zero.
                    $vector(t - (t.simd_gt(self.0) & $simd::splat(1.0)))
                };
                ceil() -> Self = if ROUNDS { $vector(self.0.ceil()) } else {
                    let (t, sign) = (self.truncated(), $simd::splat(-0.0));
                    // The sign again: `-0 + 0` is `+0`.
                    $vector((t + (t.simd_lt(self.0) & $simd::splat(1.0))) | (self.0 & sign))
                };
                trunc() -> Self = if ROUNDS { $vector(self.0.trunc()) } else { $vector(self.truncated()) };
                round() -> Self = {
                    let (t, sign) = (self.trunc(l).0, $simd::splat(-0.0));
                    // The fraction is exact, so halves are recognised.
                    let half = ((self.0 - t) & !sign).simd_ge($simd::splat(0.5));
                    $vector((t + (half & ($simd::splat(1.0) | (self.0 & sign)))) | (self.0 & sign))
                };
                is_nan() -> Mask = { let $m = self.0.simd_ne(self.0); $mask };
                copysign(o: Self) -> Self = $vector($simd::splat(-0.0).bitselect(o.0, self.0));
            }
        }
    };
}

/// Whether `wide` has a fused multiply-add in this build.
const FUSES: bool = cfg!(any(target_feature = "fma", all(target_arch = "aarch64", target_feature = "neon")));
/// Whether `wide` has instructions that round to integers in this build.
const ROUNDS: bool =
    cfg!(any(target_feature = "sse4.1", target_feature = "simd128", all(target_arch = "aarch64", target_feature = "neon")));

float! { F32 f32x4 f32 8_388_608.0; |m| Mask(cast(m)); self, l: Base;
    to_f32() -> F32 = self;
    to_f64() -> F64 = lanewise!(F64: NumLane::to_f64(self));
    to_i32() -> I32 = I32(self.0.trunc_int());
    to_u32() -> U32 = {
        // The upper half of the range is converted 2^31 lower; beyond it the conversion saturates, and so does the result.
        let positive = self.0 & self.0.simd_gt(f32x4::splat(0.0));
        let upper = positive.simd_ge(f32x4::splat(2_147_483_648.0));
        let low = (positive - (upper & f32x4::splat(2_147_483_648.0))).trunc_int();
        U32(cast(low ^ (cast::<f32x4, i32x4>(upper) & i32x4::splat(i32::MIN))))
    };
    to_i64() -> I64 = lanewise!(I64: NumLane::to_i64(self));
    to_u64() -> U64 = lanewise!(U64: NumLane::to_u64(self));
}
float! { F64 f64x4 f64 4_503_599_627_370_496.0; |m| Mask::narrow(m); self, l: Base;
    to_f32() -> F32 = lanewise!(F32: NumLane::to_f32(self));
    to_f64() -> F64 = self;
    to_i32() -> I32 = lanewise!(I32: NumLane::to_i32(self));
    to_u32() -> U32 = lanewise!(U32: NumLane::to_u32(self));
    to_i64() -> I64 = lanewise!(I64: NumLane::to_i64(self));
    to_u64() -> U64 = lanewise!(U64: NumLane::to_u64(self));
}

impl F32 {
    /// `self * a + b`, rounded once, without an instruction for it: the product is exact in `f64`, the sum is rounded there to odd
    /// (of its two neighbours, the one whose last bit is 1), and then the rounding to `f32` is that of the exact sum (Boldo and
    /// Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008).
    #[inline(always)]
    fn fused(self, a: F32, b: F32) -> F32 {
        let (x, y, z) = (self.to_f64(Base).0, a.to_f64(Base).0, b.to_f64(Base).0);
        let product = x * y;
        let sum = product + z;
        // What the rounding lost (Knuth's two-sum); NaN, and so neither below nor above 0, if an operand is infinite.
        let part = sum - product;
        let lost = (product - (sum - part)) + (z - part);
        let zero = f64x4::splat(0.0);
        let (lost_below, lost_above) = (lost.simd_lt(zero), lost.simd_gt(zero));
        let inexact: i64x4 = cast(lost_below | lost_above);
        // One step away from zero if the lost part has the sign of the sum, else one towards it.
        let against: i64x4 = cast(lost_below ^ sum.simd_lt(zero));
        let step = (against & i64x4::splat(-2)) + i64x4::splat(1);
        let bits: i64x4 = cast(sum);
        let if_even = (bits & i64x4::splat(1)) - i64x4::splat(1);
        F64(cast(bits + (step & if_even & inexact))).to_f32(Base)
    }
}
impl F64 {
    /// `self * a + b`, rounded once, without an instruction for it: slow, one call of the C library a lane.
    #[inline(always)]
    fn fused(self, a: F64, b: F64) -> F64 {
        lanewise!(F64: FloatLane::mul_add(self, a, b))
    }
}

/// What the four integer types share.
macro_rules! integer {
    ($vector:ident $simd:ident $scalar:ident; |$m:ident| $mask:expr; $($rest:tt)*) => {
        impl NumLane<Base, $scalar> for $vector {
            methods! { self, l: Base;
                add(o: Self) -> Self = $vector(self.0 + o.0);
                sub(o: Self) -> Self = $vector(self.0 - o.0);
                mul(o: Self) -> Self = $vector(self.0 * o.0);
                div(o: Self) -> Self = lanewise!(Self: NumLane::div(self, o));
                rem(o: Self) -> Self = lanewise!(Self: NumLane::rem(self, o));
                neg() -> Self = $vector($simd::splat(0) - self.0);
                min(o: Self) -> Self = $vector(self.0.min(o.0));
                max(o: Self) -> Self = $vector(self.0.max(o.0));
                eq(o: Self) -> Mask = { let $m = self.0.simd_eq(o.0); $mask };
                lt(o: Self) -> Mask = { let $m = self.0.simd_lt(o.0); $mask };
                le(o: Self) -> Mask = { let $m = self.0.simd_le(o.0); $mask };
            }
            methods! { $($rest)* }
        }
        impl IntLane<Base, $scalar> for $vector {
            methods! { self, l: Base;
                bit_and(o: Self) -> Self = $vector(self.0 & o.0);
                bit_or(o: Self) -> Self = $vector(self.0 | o.0);
                bit_xor(o: Self) -> Self = $vector(self.0 ^ o.0);
                bit_not() -> Self = $vector(!self.0);
                // Of constant amounts, the usual case, the compiler makes vector shifts; for others SSE2 has none.
                shl(by: U32) -> Self = lanewise!(Self: IntLane::shl(self, by));
                shr(by: U32) -> Self = lanewise!(Self: IntLane::shr(self, by));
                count_ones() -> U32 = lanewise!(U32: IntLane::count_ones(self));
                leading_zeros() -> U32 = lanewise!(U32: IntLane::leading_zeros(self));
                trailing_zeros() -> U32 = lanewise!(U32: IntLane::trailing_zeros(self));
                reverse_bits() -> Self = lanewise!(Self: IntLane::reverse_bits(self));
            }
        }
    };
}
integer! { I32 i32x4 i32; |m| Mask(m); self, l: Base;
    abs() -> Self = I32(self.0.abs());
    to_f32() -> F32 = F32(f32x4::from_i32x4(self.0));
    to_f64() -> F64 = F64(f64x4::from_i32x4(self.0));
    to_i32() -> I32 = self;
    to_u32() -> U32 = U32(cast(self.0));
    to_i64() -> I64 = lanewise!(I64: NumLane::to_i64(self));
    to_u64() -> U64 = lanewise!(U64: NumLane::to_u64(self));
}
integer! { U32 u32x4 u32; |m| Mask(cast(m)); self, l: Base;
    abs() -> Self = self;
    to_f32() -> F32 = {
        // Both halves convert exactly, so the sum rounds once.
        let high = f32x4::from_i32x4(cast(self.0 >> 16_u32));
        let low = f32x4::from_i32x4(cast(self.0 & u32x4::splat(0xFFFF)));
        F32(high * f32x4::splat(65536.0) + low)
    };
    to_f64() -> F64 = F64(f64x4::from_i32x4(cast(self.0 ^ u32x4::splat(1 << 31))) + f64x4::splat(2_147_483_648.0));
    to_i32() -> I32 = I32(cast(self.0));
    to_u32() -> U32 = self;
    to_i64() -> I64 = lanewise!(I64: NumLane::to_i64(self));
    to_u64() -> U64 = lanewise!(U64: NumLane::to_u64(self));
}
integer! { I64 i64x4 i64; |m| Mask::narrow(m); self, l: Base;
    abs() -> Self = I64(self.0.abs());
    to_f32() -> F32 = lanewise!(F32: NumLane::to_f32(self));
    to_f64() -> F64 = lanewise!(F64: NumLane::to_f64(self));
    to_i32() -> I32 = lanewise!(I32: NumLane::to_i32(self));
    to_u32() -> U32 = lanewise!(U32: NumLane::to_u32(self));
    to_i64() -> I64 = self;
    to_u64() -> U64 = U64(cast(self.0));
}
integer! { U64 u64x4 u64; |m| Mask::narrow(m); self, l: Base;
    abs() -> Self = self;
    to_f32() -> F32 = lanewise!(F32: NumLane::to_f32(self));
    to_f64() -> F64 = lanewise!(F64: NumLane::to_f64(self));
    to_i32() -> I32 = lanewise!(I32: NumLane::to_i32(self));
    to_u32() -> U32 = lanewise!(U32: NumLane::to_u32(self));
    to_i64() -> I64 = I64(cast(self.0));
    to_u64() -> U64 = self;
}
