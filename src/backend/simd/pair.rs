//! Two vectors in flight: a level whose every value is a pair of another level's.
//!
//! A kernel with a loop is bound by latency: each step needs the one before. Two independent vectors evaluated side by side fill
//! the gaps (mandelbrot gains a factor of 1.7). The drivers take `Pair<L>` where `Source::LOOPS` says so.

use crate::array::Data;
use crate::element::{Element, Integer, Offset, Scalar};
use crate::kernel::{FloatLane, In, IntLane, Lane, Lanes, MaskLane, NumLane, Rare};

use super::{Level, Span, VectorLane, ViewMut};

/// The level `L`, two vectors at a time.
#[derive(Clone, Copy, Debug)]
pub struct Pair<L>(pub L);

/// A pair of vectors: the lower and the upper half of the lanes.
#[derive(Clone, Copy, Debug)]
pub struct Two<V>(V, V);

/// What the halves cover. If all lanes that exist are in the lower half, the upper repeats the last of them.
#[inline(always)]
fn halves<L: Level>(i: Span) -> (Span, Span) {
    if i.count > L::WIDTH {
        let upper = i.base.wrapping_add_signed(i.stride.wrapping_mul(L::WIDTH as isize));
        (Span { count: L::WIDTH, ..i }, Span { base: upper, count: i.count - L::WIDTH, ..i })
    } else {
        (i, Span { base: i.element(L::WIDTH), count: 1, ..i })
    }
}

/// What is evaluated on a pair, as something that the level of its halves evaluates.
struct OfPair<R>(R);
impl<L: Level, R: Rare<Pair<L>>> Rare<L> for OfPair<R> {
    type Out = R::Out;
    #[inline(always)]
    fn run(self, l: L) -> R::Out {
        self.0.run(Pair(l))
    }
}

impl<L: Level> Lanes for Pair<L> {
    const WIDTH: usize = 2 * L::WIDTH;
    type Uniform = L::Uniform;
    type Mask = Two<L::Mask>;
    type F32 = Two<L::F32>;
    type F64 = Two<L::F64>;
    type I32 = Two<L::I32>;
    type U32 = Two<L::U32>;
    type I64 = Two<L::I64>;
    type U64 = Two<L::U64>;
    type Slice<'a, T: Element> = L::Slice<'a, T>;
    type Index = Span;
    type Loop = L::Loop;
    type Range<T: Integer> = L::Range<T>;

    #[inline(always)]
    fn uniform_level(self) -> L::Uniform {
        self.0.uniform_level()
    }
    #[inline(always)]
    fn slice<T: Element>(self, data: Data<'_, T>) -> Self::Slice<'_, T> {
        self.0.slice(data)
    }
    #[inline(always)]
    fn slice_len<T: Element>(self, s: Self::Slice<'_, T>) -> In<L::Uniform, u32> {
        self.0.slice_len(s)
    }
    #[inline(always)]
    unsafe fn field<'a, T: Element, F: Element>(self, s: Self::Slice<'a, T>, at: Offset) -> Self::Slice<'a, F> {
        // SAFETY: the caller's promise.
        unsafe { self.0.field::<T, F>(s, at) }
    }
    #[inline(always)]
    fn prefetch<T: Element>(self, s: Self::Slice<'_, T>, first: usize, count: usize) {
        self.0.prefetch(s, first, count);
    }
    #[inline(always)]
    fn uniform<S: Scalar>(self, x: S) -> S::In<L::Uniform> {
        self.0.uniform(x)
    }
    #[inline(always)]
    fn gather_uniform<S: Scalar>(self, s: Self::Slice<'_, S>, i: In<L::Uniform, u32>) -> S::In<L::Uniform> {
        self.0.gather_uniform::<S>(s, i)
    }
    #[inline(always)]
    fn index_shift(self, i: Span, by: usize) -> Span {
        i.shift(by)
    }
    #[inline(always)]
    fn index_beside(self, i: Span, by: isize, last: usize) -> Option<Span> {
        i.beside(by, last)
    }
    #[inline(always)]
    fn index_run(self, i: Span) -> Option<(usize, usize)> {
        i.run()
    }
    #[inline(always)]
    fn index_of_run(self, first: usize, count: usize) -> Option<Span> {
        Some(Span::new(first, count))
    }
    #[inline(always)]
    fn known(self, x: In<L::Uniform, i32>) -> Option<i32> {
        self.0.known(x)
    }
    #[inline(always)]
    fn index_by(self, i: Span, by: In<L::Uniform, i32>) -> Span {
        self.0.index_by(i, by)
    }
    #[inline(always)]
    fn index_nudge(self, _: Span, _: Self::U32) -> Option<Span> {
        None
    }
    #[inline(always)]
    fn index_flip(self, i: Span, last: usize) -> Span {
        i.flip(last)
    }
    #[inline(always)]
    fn index_scale(self, i: Span, by: usize) -> Span {
        i.scale(by)
    }
    #[inline(always)]
    fn index_u32(self, i: Span) -> Self::U32 {
        let (a, b) = halves::<L>(i);
        Two(self.0.index_u32(a), self.0.index_u32(b))
    }
    #[inline(always)]
    fn index_u64(self, i: Span) -> Self::U64 {
        let (a, b) = halves::<L>(i);
        Two(self.0.index_u64(a), self.0.index_u64(b))
    }
    #[inline(always)]
    fn f32_bits(self, x: Self::F32) -> Self::U32 {
        Two(self.0.f32_bits(x.0), self.0.f32_bits(x.1))
    }
    #[inline(always)]
    fn f32_from_bits(self, x: Self::U32) -> Self::F32 {
        Two(self.0.f32_from_bits(x.0), self.0.f32_from_bits(x.1))
    }
    #[inline(always)]
    fn f64_bits(self, x: Self::F64) -> Self::U64 {
        Two(self.0.f64_bits(x.0), self.0.f64_bits(x.1))
    }
    #[inline(always)]
    fn f64_from_bits(self, x: Self::U64) -> Self::F64 {
        Two(self.0.f64_from_bits(x.0), self.0.f64_from_bits(x.1))
    }
    #[inline(always)]
    fn mul_hi(self, a: Self::U32, b: Self::U32) -> Self::U32 {
        Two(self.0.mul_hi(a.0, b.0), self.0.mul_hi(a.1, b.1))
    }
    #[inline(always)]
    fn philox_words(self, i: Span, key: [In<L::Uniform, u32>; 2], stream: In<L::Uniform, u32>) -> Option<Self::U32> {
        let (a, b) = halves::<L>(i);
        Some(Two(self.0.philox_words(a, key, stream)?, self.0.philox_words(b, key, stream)?))
    }
    #[inline(always)]
    fn rarely<R: Rare<Self>>(self, rare: R) -> R::Out {
        self.0.rarely(OfPair(rare))
    }
    #[inline(always)]
    fn mask_all(self) -> Self::Mask {
        Two(self.0.mask_all(), self.0.mask_all())
    }
    #[inline(always)]
    fn mask_none(self) -> Self::Mask {
        Two(self.0.mask_none(), self.0.mask_none())
    }
    #[inline(always)]
    fn any(self, m: Self::Mask) -> bool {
        self.0.any(m.0.or(self.0, m.1))
    }
    #[inline(always)]
    fn if_then(self, outer: Self::Mask, c: Self::Mask) -> Self::Mask {
        outer.and(self, c)
    }
    #[inline(always)]
    fn if_else(self, outer: Self::Mask, c: Self::Mask) -> Self::Mask {
        outer.and(self, c.not(self))
    }
    #[inline(always)]
    fn if_end(self, then: Self::Mask, other: Self::Mask) -> Self::Mask {
        then.or(self, other)
    }
    #[inline(always)]
    fn loop_begin(self) -> L::Loop {
        self.0.loop_begin()
    }
    #[inline(always)]
    fn loop_next(self, state: &mut L::Loop, m: Self::Mask) -> bool {
        self.0.loop_next(state, m.0.or(self.0, m.1))
    }
    #[inline(always)]
    fn loop_while(self, m: Self::Mask, c: Self::Mask) -> Self::Mask {
        m.and(self, c)
    }
    #[inline(always)]
    fn loop_break(self) -> Self::Mask {
        self.mask_none()
    }
    #[inline(always)]
    fn loop_continue(self) -> Self::Mask {
        self.mask_none()
    }
    #[inline(always)]
    fn range<T: Integer>(self, from: T::In<L::Uniform>, to: T::In<L::Uniform>, inclusive: bool) -> L::Range<T> {
        self.0.range::<T>(from, to, inclusive)
    }
    #[inline(always)]
    fn range_next<T: Integer>(self, r: &mut L::Range<T>, m: Self::Mask) -> Option<T::In<L::Uniform>> {
        self.0.range_next::<T>(r, m.0.or(self.0, m.1))
    }
    #[inline(always)]
    fn scope_begin(self) {}
    #[inline(always)]
    fn scope_return(self) -> Self::Mask {
        self.mask_none()
    }
    #[inline(always)]
    fn scope_check(self) {}
    #[inline(always)]
    fn scope_end(self) {}
}

impl<L: Level> Level for Pair<L> {
    const FMA: bool = L::FMA;

    #[inline(always)]
    fn view<T: crate::element::Element>(self, v: crate::backend::simd::View<'_, T>) -> Self::Slice<'_, T> {
        self.0.view(v)
    }
    #[inline(always)]
    fn first(self, n: usize) -> Self::Mask {
        Two(self.0.first(n), self.0.first(n.saturating_sub(L::WIDTH)))
    }
    #[inline(always)]
    fn bits(self, m: Self::Mask) -> u32 {
        self.0.bits(m.0) | self.0.bits(m.1) << L::WIDTH
    }
    #[inline(always)]
    fn fence(self) {
        self.0.fence();
    }
}

impl<L: Level, S: Scalar, V: Lane<L, S>> Lane<Pair<L>, S> for Two<V> {
    #[inline(always)]
    fn splat(l: Pair<L>, x: S) -> Self {
        Two(V::splat(l.0, x), V::splat(l.0, x))
    }
    #[inline(always)]
    fn broadcast(l: Pair<L>, x: S::In<L::Uniform>) -> Self {
        Two(V::broadcast(l.0, x), V::broadcast(l.0, x))
    }
    #[inline(always)]
    fn select(self, l: Pair<L>, m: Two<L::Mask>, other: Self) -> Self {
        Two(self.0.select(l.0, m.0, other.0), self.1.select(l.0, m.1, other.1))
    }
    #[inline(always)]
    fn load(l: Pair<L>, s: L::Slice<'_, S>, i: Span) -> Self {
        let (a, b) = halves::<L>(i);
        Two(V::load(l.0, s, a), V::load(l.0, s, b))
    }
    #[inline(always)]
    fn gather(l: Pair<L>, s: L::Slice<'_, S>, i: Two<L::U32>) -> Self {
        Two(V::gather(l.0, s, i.0), V::gather(l.0, s, i.1))
    }
    #[inline(always)]
    fn permute(self, l: Pair<L>, from: Two<L::U32>) -> Self {
        let (Two(a, b), l) = (self, l.0);
        let (upper, zero) = (L::U32::splat(l, L::WIDTH as u32), L::U32::splat(l, 0));
        let (low, high) = (from.0.bit_and(l, upper).eq(l, zero), from.1.bit_and(l, upper).eq(l, zero));
        Two(a.permute(l, from.0).select(l, low, b.permute(l, from.0)), a.permute(l, from.1).select(l, high, b.permute(l, from.1)))
    }
    #[inline(always)]
    fn var(self, l: Pair<L>) -> Self {
        Two(self.0.var(l.0), self.1.var(l.0))
    }
    #[inline(always)]
    fn get(self, l: Pair<L>) -> Self {
        Two(self.0.get(l.0), self.1.get(l.0))
    }
    #[inline(always)]
    fn set(&mut self, l: Pair<L>, value: Self) {
        self.0.set(l.0, value.0);
        self.1.set(l.0, value.1);
    }
    #[inline(always)]
    fn set_masked(&mut self, l: Pair<L>, m: Two<L::Mask>, value: Self) {
        self.0.set_masked(l.0, m.0, value.0);
        self.1.set_masked(l.0, m.1, value.1);
    }
}

/// Moves by `N` lanes within the halves, and fills what crosses over from the other half moved by the rest, `W - N` lanes. For
/// powers of two that is `N + 2N + ... + W/2`.
macro_rules! across {
    ($l:ident, $from:ident by $slide:ident, N = $n:ident, W = $w:expr) => {{
        let mut x = $from;
        if $n <= 1 && $w > 1 {
            x = x.$slide::<1>($l);
        }
        if $n <= 2 && $w > 2 {
            x = x.$slide::<2>($l);
        }
        if $n <= 4 && $w > 4 {
            x = x.$slide::<4>($l);
        }
        if $n <= 8 && $w > 8 {
            x = x.$slide::<8>($l);
        }
        if $n <= 16 && $w > 16 {
            x = x.$slide::<16>($l);
        }
        x
    }};
}

impl<L: Level, S: Scalar, V: VectorLane<L, S>> VectorLane<Pair<L>, S> for Two<V> {
    #[inline(always)]
    fn store(self, l: Pair<L>, to: ViewMut<'_, S>, i: Span) {
        let (a, b) = halves::<L>(i);
        self.0.store(l.0, to, a);
        if i.count > L::WIDTH {
            self.1.store(l.0, to, b);
        }
    }
    #[inline(always)]
    fn stream(self, l: Pair<L>, to: ViewMut<'_, S>, i: Span) {
        let (a, b) = halves::<L>(i);
        self.0.stream(l.0, to, a);
        if i.count > L::WIDTH {
            self.1.stream(l.0, to, b);
        }
    }
    #[inline(always)]
    fn compress(self, l: Pair<L>, keep: u32, to: ViewMut<'_, S>, at: usize) {
        let low = keep & ((1 << L::WIDTH) - 1);
        self.0.compress(l.0, low, to, at);
        self.1.compress(l.0, keep >> L::WIDTH, to, at + low.count_ones() as usize);
    }
    #[inline(always)]
    fn slide_down<const N: usize>(self, l: Pair<L>) -> Self {
        let (Two(a, b), l) = (self, l.0);
        if N >= L::WIDTH {
            return Two(b, b);
        }
        let crossing = across!(l, b by slide_up, N = N, W = L::WIDTH);
        Two(a.slide_down::<N>(l).select(l, l.first(L::WIDTH - N), crossing), b.slide_down::<N>(l))
    }
    #[inline(always)]
    fn slide_up<const N: usize>(self, l: Pair<L>) -> Self {
        let (Two(a, b), l) = (self, l.0);
        if N >= L::WIDTH {
            return Two(a, a);
        }
        let crossing = across!(l, a by slide_down, N = N, W = L::WIDTH);
        Two(a.slide_up::<N>(l), crossing.select(l, l.first(N), b.slide_up::<N>(l)))
    }
    #[inline(always)]
    fn extract(self, l: Pair<L>, lane: usize) -> S {
        if lane < L::WIDTH { self.0.extract(l.0, lane) } else { self.1.extract(l.0, lane - L::WIDTH) }
    }
}

/// Methods that act on the halves alike: by the kinds of their other operands and of their result.
macro_rules! halfwise {
    (one -> $R:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f(self, l: Pair<L>) -> $R {
            Two(self.0.$f(l.0), self.1.$f(l.0))
        }
    )+};
    (two $A:ty => $R:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f(self, l: Pair<L>, o: $A) -> $R {
            Two(self.0.$f(l.0, o.0), self.1.$f(l.0, o.1))
        }
    )+};
}

impl<L: Level, V: MaskLane<L>> MaskLane<Pair<L>> for Two<V> {
    halfwise!(one -> Self: not);
    halfwise!(two Self => Self: and or xor);
}

impl<L: Level, S: Scalar, V: NumLane<L, S>> NumLane<Pair<L>, S> for Two<V> {
    halfwise!(one -> Self: neg abs);
    halfwise!(two Self => Self: add sub mul div rem min max);
    halfwise!(two Self => Two<L::Mask>: eq lt le);
    halfwise!(one -> Two<L::F32>: to_f32);
    halfwise!(one -> Two<L::F64>: to_f64);
    halfwise!(one -> Two<L::I32>: to_i32);
    halfwise!(one -> Two<L::U32>: to_u32);
    halfwise!(one -> Two<L::I64>: to_i64);
    halfwise!(one -> Two<L::U64>: to_u64);
}

impl<L: Level, S: Scalar, V: IntLane<L, S>> IntLane<Pair<L>, S> for Two<V> {
    halfwise!(one -> Self: bit_not reverse_bits);
    halfwise!(two Self => Self: bit_and bit_or bit_xor);
    halfwise!(two Two<L::U32> => Self: shl shr);
    halfwise!(one -> Two<L::U32>: count_ones leading_zeros trailing_zeros);
}

impl<L: Level, S: Scalar, V: FloatLane<L, S>> FloatLane<Pair<L>, S> for Two<V> {
    halfwise!(one -> Self: sqrt floor ceil trunc round exp exp2 ln log2 log10 sin cos tan tanh atan);
    halfwise!(two Self => Self: copysign atan2 powf);
    halfwise!(one -> Two<L::Mask>: is_nan);
    #[inline(always)]
    fn mul_add(self, l: Pair<L>, a: Self, b: Self) -> Self {
        Two(self.0.mul_add(l.0, a.0, b.0), self.1.mul_add(l.0, a.1, b.1))
    }
}
