//! Slices, vectors and arrays as sources.

use crate::array::{Array, Data, DataVisitor, Pending};
use crate::element::Element;
use crate::error::Result;
use crate::kernel::{Lanes, Uniform, Varying, ops};

use super::{IntoSource, Source};

/// Data in memory, read in order.
pub struct SliceSource<'s, T: Element>(Data<'s, T>);

impl<'s, T: Element> SliceSource<'s, T> {
    pub(crate) fn new(data: Data<'s, T>) -> Self {
        SliceSource(data)
    }
}

impl<T: Element> Clone for SliceSource<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: Element> Copy for SliceSource<'_, T> {}

// SAFETY: the length is that of the data, and `at` brings its indices into range.
unsafe impl<'s, T: Element> Source for SliceSource<'s, T> {
    type Item = T;
    type Bound<'a, L: Lanes>
        = ops::Slice<'a, L, T>
    where
        Self: 'a;
    // Of one field, an element is as large as its alignment.
    const FIELDS: bool = size_of::<T>() > align_of::<T>();

    fn len(&self) -> Result<usize> {
        match self.0 {
            Data::Slice(s) => Ok(s.len()),
            Data::Array(a) => a.len(),
        }
    }
    fn pending(&self) -> Option<Pending> {
        match self.0 {
            Data::Slice(_) => None,
            Data::Array(a) => a.pending().cloned(),
        }
    }
    fn plain(&self) -> Option<Data<'_, T>> {
        Some(self.0)
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        visitor.visit(self.0)
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        ops::slice(l, self.0)
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, T>
    where
        Self: 'a,
    {
        ops::load(l, bound.0, i)
    }
    #[inline(always)]
    fn load_by<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index, by: Uniform<L, i32>) -> Varying<L, T>
    where
        Self: 'a,
    {
        ops::load_by(l, bound.0, i, by)
    }
    #[inline(always)]
    fn prefetch<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, first: usize, count: usize)
    where
        Self: 'a,
    {
        l.prefetch(bound.0, first, count);
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, T>
    where
        Self: 'a,
    {
        ops::index(l, bound, Varying(i.0))
    }
}

impl<'s, T: Element> From<SliceSource<'s, T>> for Data<'s, T> {
    fn from(source: SliceSource<'s, T>) -> Self {
        source.0
    }
}

macro_rules! into_source {
    ($($from:ty),+) => {$(
        impl<'s, T: Element> IntoSource for &'s $from {
            type Source = SliceSource<'s, T>;
            type Item = T;
            fn into_source(self) -> SliceSource<'s, T> {
                SliceSource::new(self.into())
            }
        }
    )+};
}
into_source!([T], Vec<T>, Array<T>);

impl<'s, T: Element, const N: usize> IntoSource for &'s [T; N] {
    type Source = SliceSource<'s, T>;
    type Item = T;
    fn into_source(self) -> SliceSource<'s, T> {
        SliceSource::new(self.as_slice().into())
    }
}
