//! A source with a kernel applied to every element.

use crate::array::{Count, DataVisitor, Pending};
use crate::error::Result;
use crate::kernel::{Kernel, Lanes, Uniform, Varying};

use super::{Source, copied};

/// See [`IntoSource::map`](super::IntoSource::map).
#[derive(Clone, Copy)]
pub struct Map<S, K> {
    source: S,
    kernel: K,
}

impl<S, K> Map<S, K> {
    pub(crate) fn new(source: S, kernel: K) -> Self {
        Map { source, kernel }
    }
}

/// A [`Map`] made readable.
pub struct BoundMap<'a, S: Source + 'a, K, L: Lanes> {
    source: S::Bound<'a, L>,
    kernel: &'a K,
}

copied!(BoundMap, K);

// SAFETY: the length and the indices are those of the source.
unsafe impl<S: Source, K: Kernel<S::Item>> Source for Map<S, K> {
    type Item = K::Out;
    type Bound<'a, L: Lanes>
        = BoundMap<'a, S, K, L>
    where
        Self: 'a;
    const LOOPS: bool = S::LOOPS || K::LOOPS;
    const STRETCHES: bool = S::STRETCHES;
    const FIELDS: bool = S::FIELDS;

    fn len(&self) -> Result<usize> {
        self.source.len()
    }
    fn pending(&self) -> Option<Pending> {
        self.source.pending()?;
        // What a kernel reads at computed indices must know where it ends.
        self.kernel.data(&mut Count).ok()?;
        self.source.pending()
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)?;
        self.kernel.data(visitor)
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        BoundMap { source: self.source.bind(l), kernel: &self.kernel }
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, K::Out>
    where
        Self: 'a,
    {
        bound.kernel.eval(l, S::load(l, bound.source, i))
    }
    #[inline(always)]
    fn inner<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, first: usize, end: usize) -> usize
    where
        Self: 'a,
    {
        S::inner(l, bound.source, first, end)
    }
    #[inline(always)]
    fn settle<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, first: usize) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        BoundMap { source: S::settle(l, bound.source, first), ..bound }
    }
    #[inline(always)]
    fn load_inner<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, K::Out>
    where
        Self: 'a,
    {
        bound.kernel.eval(l, S::load_inner(l, bound.source, i))
    }
    #[inline(always)]
    fn load_by<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index, by: Uniform<L, i32>) -> Varying<L, K::Out>
    where
        Self: 'a,
    {
        bound.kernel.eval(l, S::load_by(l, bound.source, i, by))
    }
    #[inline(always)]
    fn prefetch<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, first: usize, count: usize)
    where
        Self: 'a,
    {
        S::prefetch(l, bound.source, first, count);
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, K::Out>
    where
        Self: 'a,
    {
        bound.kernel.eval(l, S::at(l, bound.source, i))
    }
}
