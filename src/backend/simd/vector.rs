//! Whole values (scalars, tuples, structs) as vectors: the leaf-wise moves of a level, lifted to any element.

use crate::element::{Element, LeafMap, LeafVisit, Offset, Scalar, Value};
use crate::kernel::{Varying, ops};

use super::{Level, OneLane, Span, ViewMut};

struct Store<'a, L, T>(L, ViewMut<'a, T>, Span);
impl<L: Level, T: Element> LeafVisit<L> for Store<'_, L, T> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, x: S::In<L>, at: Offset) {
        S::store(self.0, x, self.1.field::<S>(at), self.2);
    }
}

/// Writes the lanes of a span.
#[inline(always)]
pub(crate) fn store<L: Level, T: Element>(l: L, x: Varying<L, T>, to: ViewMut<'_, T>, i: Span) {
    T::visit(&mut Store(l, to, i), x.0, Offset::START);
}

struct Stream<'a, L, T>(L, ViewMut<'a, T>, Span);
impl<L: Level, T: Element> LeafVisit<L> for Stream<'_, L, T> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, x: S::In<L>, at: Offset) {
        S::stream(self.0, x, self.1.field::<S>(at), self.2);
    }
}

/// Writes the lanes of a span past the caches, where the hardware can.
#[inline(always)]
pub(crate) fn stream<L: Level, T: Element>(l: L, x: Varying<L, T>, to: ViewMut<'_, T>, i: Span) {
    T::visit(&mut Stream(l, to, i), x.0, Offset::START);
}

struct Compress<'a, L, T>(L, u32, ViewMut<'a, T>, usize);
impl<L: Level, T: Element> LeafVisit<L> for Compress<'_, L, T> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, x: S::In<L>, at: Offset) {
        S::compress(self.0, x, self.1, self.2.field::<S>(at), self.3);
    }
}

/// Writes the lanes of `keep` (a bit each) side by side from element `at` on. See [`VectorLane::compress`](super::VectorLane::compress)
/// for what else is written.
#[inline(always)]
pub(crate) fn compress<L: Level, T: Element>(l: L, x: Varying<L, T>, keep: u32, to: ViewMut<'_, T>, at: usize) {
    T::visit(&mut Compress(l, keep, to, at), x.0, Offset::START);
}

/// Orders the streaming stores of a driver when it is done, and also when a kernel's panic ends it: the memory is the caller's.
pub(crate) struct Fence<L: Level, const STREAM: bool>(pub(crate) L);
impl<L: Level, const STREAM: bool> Drop for Fence<L, STREAM> {
    #[inline(always)]
    fn drop(&mut self) {
        if STREAM {
            self.0.fence();
        }
    }
}

struct SlideDown<L, const N: usize>(L);
impl<L: Level, const N: usize> LeafMap<L, L> for SlideDown<L, N> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, x: S::In<L>) -> S::In<L> {
        S::slide_down::<L, N>(self.0, x)
    }
}

struct SlideUp<L, const N: usize>(L);
impl<L: Level, const N: usize> LeafMap<L, L> for SlideUp<L, N> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, x: S::In<L>) -> S::In<L> {
        S::slide_up::<L, N>(self.0, x)
    }
}

macro_rules! slide {
    ($(#[$doc:meta])* $f:ident $map:ident) => {
        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $f<L: Level, T: Value>(l: L, x: Varying<L, T>, n: usize) -> Varying<L, T> {
            Varying(match n {
                1 => T::map(&mut $map::<L, 1>(l), x.0),
                2 => T::map(&mut $map::<L, 2>(l), x.0),
                4 => T::map(&mut $map::<L, 4>(l), x.0),
                8 => T::map(&mut $map::<L, 8>(l), x.0),
                16 => T::map(&mut $map::<L, 16>(l), x.0),
                _ => unreachable!("a slide is a power of two below the width"),
            })
        }
    };
}
slide!(
    /// Lane `j` gets lane `j + n`. `n` is a power of two below the width, known where this is inlined.
    slide_down SlideDown
);
slide!(
    /// Lane `j` gets lane `j - n`. `n` is a power of two below the width, known where this is inlined.
    slide_up SlideUp
);

struct Extract<L>(L, usize);
impl<L: Level> LeafMap<L, OneLane> for Extract<L> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, x: S::In<L>) -> S::In<OneLane> {
        S::extract(self.0, x, self.1).to_one()
    }
}

/// The value of one lane.
#[inline(always)]
pub(crate) fn extract<L: Level, T: Value>(l: L, x: Varying<L, T>, lane: usize) -> T {
    T::from_one(T::map(&mut Extract(l, lane), x.0))
}

/// `x` where a lane is below `n`, else `other`.
#[inline(always)]
pub(crate) fn first<L: Level, T: Value>(l: L, n: usize, x: Varying<L, T>, other: Varying<L, T>) -> Varying<L, T> {
    ops::select(l, Varying(l.first(n)), x, other)
}

/// Lanes of a vector of a level, at most.
pub(crate) const MOST: usize = 16;

/// Turns the square of as many vectors as a vector has lanes, rows into columns. The first `FROM` lines are given and the first `TO`
/// wanted: all, or a power of two from 4 on, with all of the other.
///
/// In steps of half, a quarter, ... of the lanes: each exchanges the squares beside the diagonal (J. O. Eklundh, "A fast computer method for
/// matrix transposing", 1972).
#[inline(always)]
pub(crate) fn turn<L: Level, T: Value, const FROM: usize, const TO: usize>(l: L, lines: &mut [Varying<L, T>; MOST]) {
    // The steps may be taken in any order: here most lines are still missing, or not wanted any more, in those that go far.
    if FROM < MOST {
        exchange::<L, T, FROM, TO>(l, lines, 1);
        exchange::<L, T, FROM, TO>(l, lines, 2);
        if L::WIDTH > 4 {
            exchange::<L, T, FROM, TO>(l, lines, 4);
        }
    }
    if L::WIDTH > 8 {
        exchange::<L, T, FROM, TO>(l, lines, 8);
    }
    if FROM == MOST {
        if L::WIDTH > 4 {
            exchange::<L, T, FROM, TO>(l, lines, 4);
        }
        exchange::<L, T, FROM, TO>(l, lines, 2);
        exchange::<L, T, FROM, TO>(l, lines, 1);
    }
}

/// Exchanges the upper right with the lower left in each square of twice so many lines.
#[inline(always)]
fn exchange<L: Level, T: Value, const FROM: usize, const TO: usize>(l: L, lines: &mut [Varying<L, T>; MOST], half: usize) {
    let lane = Varying::<L, u32>(l.index_u32(Span::new(0, L::WIDTH)));
    let left = ops::eq(l, ops::and(l, lane, ops::lit(l, half as u32)), ops::lit(l, 0));
    for k in 0..L::WIDTH {
        if k & half != 0 || k >= FROM.max(half) || k >= TO.max(half) {
            continue;
        }
        let (a, b) = (lines[k], lines[k + half]);
        if FROM <= half {
            lines[k + half] = slide_down(l, a, half);
            continue;
        }
        lines[k] = ops::select(l, left, a, slide_up(l, b, half));
        if half < TO {
            lines[k + half] = ops::select(l, left, slide_down(l, a, half), b);
        }
    }
}
