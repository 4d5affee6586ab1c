//! A source of one axis, spread over the others of a grid.

use crate::array::DataVisitor;
use crate::error::Result;
use crate::kernel::{Lanes, Uniform, Varying, ops};

use super::{Source, copied, word};

/// Of element `i` of a grid of `n` elements the element `i / inner % len` of the source, which has `len`.
#[derive(Clone, Copy)]
pub(crate) struct Spread<S> {
    source: S,
    n: usize,
    len: usize,
    inner: usize,
}

impl<S> Spread<S> {
    pub(crate) fn new(source: S, n: usize, len: usize, inner: usize) -> Self {
        Spread { source, n, len, inner }
    }
}

/// A number to divide by.
#[derive(Clone, Copy)]
pub(super) struct Divisor {
    by: usize,
    /// ceil(2^64 / by): the upper half of a product with it is the quotient of any number below 2^32 (D. Lemire, O. Kaser, N. Kurz, 2019).
    inverse: u64,
}

impl Divisor {
    pub(super) fn new(by: usize) -> Self {
        Divisor { by, inverse: (u64::MAX / by as u64).wrapping_add(1) }
    }

    /// Quotient and remainder.
    #[inline(always)]
    pub(super) fn divide(self, i: usize) -> (usize, usize) {
        let quotient = if self.inverse == 0 || i > u32::MAX as usize { i / self.by } else { self.of_small(i) };
        (quotient, i - quotient * self.by)
    }

    /// The quotient of a number below 2^32, unless it is by 1.
    #[inline(always)]
    fn of_small(self, i: usize) -> usize {
        ((i as u128 * u128::from(self.inverse)) >> 64) as usize
    }
}

/// A [`Spread`] made readable.
pub(crate) struct BoundSpread<'a, S: Source + 'a, L: Lanes> {
    source: S::Bound<'a, L>,
    len: Divisor,
    inner: Divisor,
    /// What stands before the line whose elements are read, if that is known.
    before: Option<usize>,
    /// The divisors, and the last index: of 32 bits, for what is read at computed indices.
    words: [Uniform<L, u32>; 3],
}

copied!(BoundSpread);

// SAFETY: an index is brought into the length of the inner source, which whoever makes a `Spread` has compared with `len`.
unsafe impl<S: Source> Source for Spread<S> {
    type Item = S::Item;
    type Bound<'a, L: Lanes>
        = BoundSpread<'a, S, L>
    where
        Self: 'a;
    const LOOPS: bool = S::LOOPS;
    const STRETCHES: bool = true;

    fn len(&self) -> Result<usize> {
        Ok(self.n)
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        let (len, inner) = (self.len.max(1), self.inner.max(1));
        let words = [len, inner, self.n.max(1) - 1].map(|x| word(l, x));
        BoundSpread { source: self.source.bind(l), len: Divisor::new(len), inner: Divisor::new(inner), before: None, words }
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        if let Some((first, count)) = l.index_run(i) {
            let (line, beside) = bound.inner.divide(first);
            let (_, place) = bound.len.divide(line);
            if bound.inner.by == 1 && place + count <= bound.len.by {
                return S::load(l, bound.source, l.index_shift(i, place.wrapping_sub(first)));
            }
            if beside + count <= bound.inner.by {
                return S::load(l, bound.source, l.index_shift(l.index_scale(i, 0), place));
            }
        }
        Self::at(l, bound, Varying(l.index_u32(i)))
    }
    #[inline(always)]
    fn inner<'a, L: Lanes>(_: L, bound: Self::Bound<'a, L>, first: usize, end: usize) -> usize
    where
        Self: 'a,
    {
        // Of lines as long as the source, to their end.
        if bound.inner.by > 1 || bound.len.by == 1 || end > u32::MAX as usize {
            return first;
        }
        let (_, place) = bound.len.divide(first);
        end.min(first + bound.len.by - place)
    }
    #[inline(always)]
    fn settle<'a, L: Lanes>(_: L, bound: Self::Bound<'a, L>, first: usize) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        let (_, place) = bound.len.divide(first);
        BoundSpread { before: Some(first - place), ..bound }
    }
    #[inline(always)]
    fn load_inner<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        match l.index_run(i) {
            Some((first, _)) => {
                let before = match bound.before {
                    Some(before) => before,
                    None => bound.len.of_small(first) * bound.len.by,
                };
                S::load(l, bound.source, l.index_shift(i, before.wrapping_neg()))
            }
            None => Self::load(l, bound, i),
        }
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        let [len, inner, last] = bound.words.map(|word| ops::broadcast(l, word));
        S::at(l, bound.source, ops::rem(l, ops::div(l, ops::min(l, i, last), inner), len))
    }
}
