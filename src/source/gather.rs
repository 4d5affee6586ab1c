//! A source read in the order of another source's indices.

use crate::array::DataVisitor;
use crate::error::Result;
use crate::kernel::{Lanes, Varying};

use super::{IntoSource, Source};

/// `source[indices[i]]`. An index out of range reads the last element; an empty slice gives zeros, and an empty
/// source that is computed gives what it computes at its start.
pub fn gather<S: IntoSource, I: IntoSource<Item = u32>>(source: S, indices: I) -> Gather<S::Source, I::Source> {
    Gather { source: source.into_source(), indices: indices.into_source() }
}

/// See [`gather`].
#[derive(Clone, Copy)]
pub struct Gather<S, I> {
    source: S,
    indices: I,
}

// SAFETY: indices are in range by the length of `indices`, and `source` is read at any index, which brings it into range.
unsafe impl<S: Source, I: Source<Item = u32>> Source for Gather<S, I> {
    type Item = S::Item;
    type Bound<'a, L: Lanes>
        = (S::Bound<'a, L>, I::Bound<'a, L>)
    where
        Self: 'a;
    const LOOPS: bool = S::LOOPS || I::LOOPS;

    fn len(&self) -> Result<usize> {
        self.source.len()?;
        self.indices.len()
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)?;
        self.indices.data(visitor)
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        (self.source.bind(l), self.indices.bind(l))
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, (source, indices): Self::Bound<'a, L>, i: L::Index) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        S::at(l, source, I::load(l, indices, i))
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, (source, indices): Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        S::at(l, source, I::at(l, indices, i))
    }
}
