//! What a SIMD level adds to [`Lanes`]: stores, and moves between lanes. The drivers of the primitives are generic over this.

use crate::element::{Element, Scalar};
use crate::kernel::{Lane, Lanes};

use super::{Span, View, ViewMut};

/// A SIMD level. Its value is the proof that this CPU has it.
pub trait Level:
    Lanes<
        Index = Span,
        Mask: VectorLane<Self, bool>,
        F32: VectorLane<Self, f32>,
        F64: VectorLane<Self, f64>,
        I32: VectorLane<Self, i32>,
        U32: VectorLane<Self, u32>,
        I64: VectorLane<Self, i64>,
        U64: VectorLane<Self, u64>,
    > + Send
    + Sync
{
    /// Whether `mul_add` is one instruction. Where it is not, the library's own maths multiplies and adds instead.
    const FMA: bool = false;

    /// Memory that a driver wrote, to be read in these lanes.
    fn view<T: Element>(self, v: View<'_, T>) -> Self::Slice<'_, T>;
    /// The lanes below `n`.
    fn first(self, n: usize) -> Self::Mask;
    /// The lanes of a mask as bits, lane 0 lowest.
    fn bits(self, m: Self::Mask) -> u32;
    /// Orders streaming stores before whatever comes next.
    fn fence(self);
    /// Turns the square of the first `WIDTH` vectors, rows into columns, and says so, if the level has instructions for it.
    #[inline(always)]
    fn turn_32(self, _: &mut [Self::U32; 16]) -> bool {
        false
    }
    /// The same of wider lanes.
    #[inline(always)]
    fn turn_64(self, _: &mut [Self::U64; 16]) -> bool {
        false
    }
}

/// A vector that lives in registers.
pub trait VectorLane<L: Level, S: Scalar>: Lane<L, S> {
    /// Writes the lanes below `i.count` to the elements of the span.
    fn store(self, l: L, to: ViewMut<'_, S>, i: Span);
    /// As `store`, past the caches where the hardware can (full, aligned, contiguous spans); else as `store`.
    #[inline(always)]
    fn stream(self, l: L, to: ViewMut<'_, S>, i: Span) {
        self.store(l, to, i);
    }
    /// Writes the lanes of `keep` (a bit each) side by side from element `at` on. The memory of a whole vector from there must exist,
    /// and what is not written with a kept lane may hold anything afterwards.
    #[inline(always)]
    fn compress(self, l: L, keep: u32, to: ViewMut<'_, S>, at: usize) {
        let mut at = at;
        for lane in 0..L::WIDTH {
            to.write(at, self.extract(l, lane));
            at += (keep >> lane & 1) as usize;
        }
    }
    /// Lane `j` gets lane `j + N`; the last `N` lanes may hold anything. `N` is a power of two below the width.
    fn slide_down<const N: usize>(self, l: L) -> Self;
    /// Lane `j` gets lane `j - N`; the first `N` lanes may hold anything. `N` is a power of two below the width.
    fn slide_up<const N: usize>(self, l: L) -> Self;
    /// The value of one lane.
    fn extract(self, l: L, lane: usize) -> S;
}

/// The part of [`Lanes`] that is the same at every SIMD level: views, spans, and control flow by masks.
macro_rules! level_common {
    () => {
        type Uniform = $crate::backend::simd::OneLane;
        type Slice<'a, T: $crate::element::Element> = $crate::backend::simd::View<'a, T>;
        type Index = $crate::backend::simd::Span;
        type Loop = ();
        type Range<T: $crate::element::Integer> = $crate::backend::simd::level::UniformRange<T>;

        #[inline(always)]
        fn uniform_level(self) -> Self::Uniform {
            $crate::backend::simd::OneLane
        }
        #[inline(always)]
        fn slice<T: $crate::element::Element>(self, data: $crate::array::Data<'_, T>) -> Self::Slice<'_, T> {
            $crate::backend::simd::View::new(data.host())
        }
        #[inline(always)]
        fn slice_len<T: $crate::element::Element>(self, s: Self::Slice<'_, T>) -> u32 {
            s.len().min(u32::MAX as usize) as u32
        }
        #[inline(always)]
        unsafe fn field<'a, T: $crate::element::Element, F: $crate::element::Element>(
            self,
            s: Self::Slice<'a, T>,
            at: $crate::element::Offset,
        ) -> Self::Slice<'a, F> {
            s.field(at)
        }
        #[inline(always)]
        fn prefetch<T: $crate::element::Element>(self, s: Self::Slice<'_, T>, first: usize, count: usize) {
            s.prefetch(first, count);
        }
        #[inline(always)]
        fn uniform<S: $crate::element::Scalar>(self, x: S) -> S::In<Self::Uniform> {
            x.to_one()
        }
        #[inline(always)]
        fn gather_uniform<S: $crate::element::Scalar>(self, s: Self::Slice<'_, S>, i: u32) -> S::In<Self::Uniform> {
            if s.is_empty() { S::ZERO.to_one() } else { s.read((i as usize).min(s.len() - 1)).to_one() }
        }
        #[inline(always)]
        fn index_shift(self, i: Self::Index, by: usize) -> Self::Index {
            i.shift(by)
        }
        #[inline(always)]
        fn index_beside(self, i: Self::Index, by: isize, last: usize) -> Option<Self::Index> {
            i.beside(by, last)
        }
        #[inline(always)]
        fn index_run(self, i: Self::Index) -> Option<(usize, usize)> {
            i.run()
        }
        #[inline(always)]
        fn index_of_run(self, first: usize, count: usize) -> Option<Self::Index> {
            Some($crate::backend::simd::Span::new(first, count))
        }
        #[inline(always)]
        fn known(self, x: i32) -> Option<i32> {
            Some(x)
        }
        #[inline(always)]
        fn index_by(self, i: Self::Index, by: i32) -> Self::Index {
            i.shift(by as isize as usize)
        }
        #[inline(always)]
        fn index_nudge(self, _: Self::Index, _: Self::U32) -> Option<Self::Index> {
            None
        }
        #[inline(always)]
        fn index_flip(self, i: Self::Index, last: usize) -> Self::Index {
            i.flip(last)
        }
        #[inline(always)]
        fn index_scale(self, i: Self::Index, by: usize) -> Self::Index {
            i.scale(by)
        }
        #[inline(always)]
        fn if_else(self, outer: Self::Mask, c: Self::Mask) -> Self::Mask {
            outer.and(self, c.not(self))
        }
        #[inline(always)]
        fn if_then(self, outer: Self::Mask, c: Self::Mask) -> Self::Mask {
            outer.and(self, c)
        }
        #[inline(always)]
        fn if_end(self, then: Self::Mask, other: Self::Mask) -> Self::Mask {
            then.or(self, other)
        }
        #[inline(always)]
        fn loop_begin(self) -> Self::Loop {}
        #[inline(always)]
        fn loop_next(self, _: &mut Self::Loop, m: Self::Mask) -> bool {
            self.any(m)
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
        fn range<T: $crate::element::Integer>(
            self,
            from: T::In<Self::Uniform>,
            to: T::In<Self::Uniform>,
            inclusive: bool,
        ) -> Self::Range<T> {
            $crate::backend::simd::level::UniformRange::new(T::from_one(from), T::from_one(to), inclusive)
        }
        #[inline(always)]
        fn range_next<T: $crate::element::Integer>(self, r: &mut Self::Range<T>, m: Self::Mask) -> Option<T::In<Self::Uniform>> {
            if self.any(m) { r.next().map(T::to_one) } else { None }
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
    };
}
pub(crate) use level_common;

/// The counter of a `for` over a uniform range.
pub struct UniformRange<T> {
    next: T,
    last: T,
    more: bool,
}

impl<T: crate::element::Integer> UniformRange<T> {
    #[inline(always)]
    pub(crate) fn new(from: T, to: T, inclusive: bool) -> Self {
        let more = if inclusive { from <= to } else { from < to };
        UniformRange { next: from, last: if inclusive || !more { to } else { to - T::ONE }, more }
    }
}

impl<T: crate::element::Integer> Iterator for UniformRange<T> {
    type Item = T;
    #[inline(always)]
    fn next(&mut self) -> Option<T> {
        if !self.more {
            return None;
        }
        let i = self.next;
        self.more = i != self.last;
        if self.more {
            self.next = i + T::ONE;
        }
        Some(i)
    }
}
