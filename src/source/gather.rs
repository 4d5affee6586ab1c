//! A source read in the order of another source's indices.

use crate::array::DataVisitor;
use crate::error::Result;
use crate::kernel::{Lanes, Uniform, Varying, ops};

use super::{IntoSource, Source};

/// `source[indices[i]]`. An index out of range reads the last element; an empty slice gives zeros.
pub fn gather<S: IntoSource, I: IntoSource<Item = u32>>(source: S, indices: I) -> Gather<S::Source, I::Source> {
    Gather { source: source.into_source(), indices: indices.into_source() }
}

/// See [`gather`].
#[derive(Clone, Copy)]
pub struct Gather<S, I> {
    source: S,
    indices: I,
}

impl<S: Source, I: Source<Item = u32>> Source for Gather<S, I> {
    type Item = S::Item;
    type Bound<'a, L: Lanes>
        = (S::Bound<'a, L>, I::Bound<'a, L>, Uniform<L, u32>)
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
        // Only slices keep to their range by themselves. Other sources compute with the index (counting numbers go on, an offset
        // wraps, a stride ends short of the slice's end), so the index is brought into the range of the source as a whole here.
        let last = self.source.len().map_or(0, |n| n.saturating_sub(1).min(u32::MAX as usize));
        (self.source.bind(l), self.indices.bind(l), ops::uniform(l, last as u32))
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, (source, indices, last): Self::Bound<'a, L>, i: L::Index) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        S::at(l, source, ops::min(l, I::load(l, indices, i), ops::broadcast(l, last)))
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, (source, indices, last): Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        S::at(l, source, ops::min(l, I::at(l, indices, i), ops::broadcast(l, last)))
    }
}
