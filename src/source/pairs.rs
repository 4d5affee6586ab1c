//! Neighbours read together.

use crate::array::DataVisitor;
use crate::error::Result;
use crate::kernel::{Lanes, Varying, ops};

use super::{Source, UNBOUNDED};

/// See [`IntoSource::pairs`](super::IntoSource::pairs).
#[derive(Clone, Copy)]
pub struct Pairs<S>(S);

impl<S> Pairs<S> {
    pub(crate) fn new(source: S) -> Self {
        Pairs(source)
    }
}

// SAFETY: there is one pair less than elements, so the second index of a pair is in range as well.
unsafe impl<S: Source> Source for Pairs<S> {
    type Item = (S::Item, S::Item);
    type Bound<'a, L: Lanes>
        = S::Bound<'a, L>
    where
        Self: 'a;
    const LOOPS: bool = S::LOOPS;

    fn len(&self) -> Result<usize> {
        self.0.len().map(|n| if n == UNBOUNDED { n } else { n.saturating_sub(1) })
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.0.data(visitor)
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        self.0.bind(l)
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, Self::Item>
    where
        Self: 'a,
    {
        Varying((S::load(l, bound, i), S::load(l, bound, l.index_shift(i, 1))))
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, Self::Item>
    where
        Self: 'a,
    {
        // Beyond the end both are the last element, or the last pair: either is the nearest that there is.
        let next = ops::add(l, ops::min(l, i, ops::lit(l, u32::MAX - 1)), ops::lit(l, 1));
        Varying((S::at(l, bound, i), S::at(l, bound, next)))
    }
}
