//! A source read from somewhere within on, and around its end.

use crate::array::DataVisitor;
use crate::error::{Error, Result};
use crate::kernel::{Lanes, Uniform, Varying, ops};

use super::{Source, UNBOUNDED, copied, word};

/// See [`IntoSource::rotate`](super::IntoSource::rotate).
#[must_use = "a source is read when a task runs: nothing was moved"]
#[derive(Clone, Copy)]
pub struct Rotate<S> {
    source: S,
    by: isize,
}

impl<S> Rotate<S> {
    pub(crate) fn new(source: S, by: isize) -> Self {
        Rotate { source, by }
    }
}

/// A [`Rotate`] made readable.
pub struct BoundRotate<'a, S: Source + 'a, L: Lanes> {
    source: S::Bound<'a, L>,
    /// Where it begins, and how many elements stand there up to the end.
    by: usize,
    room: usize,
    /// The same, of 32 bits, and the last index.
    start: Uniform<L, u32>,
    ahead: Uniform<L, u32>,
    last: Uniform<L, u32>,
}

copied!(BoundRotate);

impl<'a, S: Source, L: Lanes> BoundRotate<'a, S, L> {
    /// What is added to these indices, modulo 2^32.
    #[inline(always)]
    fn nudge(self, l: L, i: Varying<L, u32>) -> Varying<L, u32> {
        let (start, ahead) = (ops::broadcast(l, self.start), ops::broadcast(l, self.ahead));
        ops::select(l, ops::lt(l, i, ahead), start, ops::sub(l, ops::lit(l, 0), ahead))
    }

    #[inline(always)]
    fn at(self, l: L, i: Varying<L, u32>) -> Varying<L, S::Item> {
        let i = ops::min(l, i, ops::broadcast(l, self.last));
        S::at(l, self.source, ops::add(l, i, self.nudge(l, i)))
    }

    /// What is added to the index of an element, modulo the size of an address.
    #[inline(always)]
    fn shift(self, i: usize) -> usize {
        if i < self.room { self.by } else { self.room.wrapping_neg() }
    }
}

// SAFETY: the length is that of the source: from `by` on there are `room` elements, and the others are read from the start on.
unsafe impl<S: Source> Source for Rotate<S> {
    type Item = S::Item;
    type Bound<'a, L: Lanes>
        = BoundRotate<'a, S, L>
    where
        Self: 'a;
    const LOOPS: bool = S::LOOPS;
    const STRETCHES: bool = S::STRETCHES;

    fn len(&self) -> Result<usize> {
        let (n, limit) = (self.source.len()?, u32::MAX as usize);
        if n == UNBOUNDED {
            return Err(Error::Unbounded);
        }
        if n > limit { Err(Error::TooLarge { elements: n, limit }) } else { Ok(n) }
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        // The task has asked for the length before.
        let n = self.source.len().unwrap_or(0).min(u32::MAX as usize);
        let by = self.by.rem_euclid(n.max(1) as isize) as usize;
        let (start, ahead, last) = (word(l, by), word(l, n - by), word(l, n.saturating_sub(1)));
        BoundRotate { source: self.source.bind(l), by, room: n - by, start, ahead, last }
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        let index = Varying(l.index_u32(i));
        match l.index_run(i) {
            Some((first, count)) if first >= bound.room || first + count <= bound.room => {
                S::load(l, bound.source, l.index_shift(i, bound.shift(first)))
            }
            Some(_) => bound.at(l, index),
            None => match l.index_nudge(i, bound.nudge(l, index).0) {
                Some(rotated) => S::load(l, bound.source, rotated),
                None => bound.at(l, index),
            },
        }
    }
    #[inline(always)]
    fn inner<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, first: usize, end: usize) -> usize
    where
        Self: 'a,
    {
        let shift = bound.shift(first);
        let end = if first < bound.room { end.min(bound.room) } else { end };
        S::inner(l, bound.source, first.wrapping_add(shift), end.wrapping_add(shift)).wrapping_sub(shift)
    }
    #[inline(always)]
    fn load_inner<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        match l.index_run(i) {
            Some((first, _)) => S::load_inner(l, bound.source, l.index_shift(i, bound.shift(first))),
            None => Self::load(l, bound, i),
        }
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        bound.at(l, i)
    }
}
