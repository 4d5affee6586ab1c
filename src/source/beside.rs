//! A source read beside its index.

use crate::array::DataVisitor;
use crate::error::Result;
use crate::kernel::{Lanes, Uniform, Varying, ops};

use super::{Source, UNBOUNDED, copied, word};

/// See [`IntoSource::beside`](super::IntoSource::beside).
#[derive(Clone, Copy)]
pub struct Beside<S> {
    source: S,
    by: isize,
}

impl<S> Beside<S> {
    pub(crate) fn new(source: S, by: isize) -> Self {
        Beside { source, by }
    }
}

/// A [`Beside`] made readable.
pub struct BoundBeside<'a, S: Source + 'a, L: Lanes> {
    source: S::Bound<'a, L>,
    by: isize,
    last: usize,
    /// How far, and the last index: of 32 bits, for what is read at computed indices.
    far: Uniform<L, u32>,
    end: Uniform<L, u32>,
}

copied!(BoundBeside);

impl<'a, S: Source, L: Lanes> BoundBeside<'a, S, L> {
    #[inline(always)]
    fn at(self, l: L, i: Varying<L, u32>) -> Varying<L, S::Item> {
        let (far, end) = (ops::broadcast(l, self.far), ops::broadcast(l, self.end));
        let i = ops::min(l, i, end);
        let beside = if self.by < 0 {
            ops::sub(l, ops::max(l, i, far), far)
        } else {
            ops::add(l, ops::min(l, i, ops::sub(l, end, far)), far)
        };
        S::at(l, self.source, beside)
    }
}

// SAFETY: the length is that of the source, and the index is brought into range.
unsafe impl<S: Source> Source for Beside<S> {
    type Item = S::Item;
    type Bound<'a, L: Lanes>
        = BoundBeside<'a, S, L>
    where
        Self: 'a;
    const LOOPS: bool = S::LOOPS;

    fn len(&self) -> Result<usize> {
        self.source.len()
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
        let last = self.source.len().unwrap_or(UNBOUNDED).saturating_sub(1);
        // Further than from one end to the other is no further.
        let most = last.min(isize::MAX as usize) as isize;
        let by = self.by.clamp(-most, most);
        let (far, end) = (word(l, by.unsigned_abs()), word(l, last));
        BoundBeside { source: self.source.bind(l), by, last, far, end }
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        match l.index_beside(i, bound.by, bound.last) {
            Some(beside) => S::load(l, bound.source, beside),
            None => bound.at(l, Varying(l.index_u32(i))),
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
