//! Two sources read in turn.

use crate::array::DataVisitor;
use crate::error::{Error, Result};
use crate::kernel::{Lanes, Uniform, Varying, ops};

use super::{IntoSource, Source, UNBOUNDED, zip};

/// Reads two sources in turn: `a[0], b[0], a[1], b[1], ...`. Their lengths must be equal (or one of them unbounded).
///
/// Elements are read at computed places, on a GPU from one binding: to store what is interleaved, and where there are more than two,
/// [`transpose`](crate::Engine::transpose) a grid of as many rows.
///
/// ```
/// use granule::prelude::*;
///
/// let engine = Engine::new()?;
/// let both = engine.collect(interleave(&[1, 3, 5], iota(2..5))).run()?;
/// assert_eq!(both.as_slice()?, [1, 2, 3, 3, 5, 4]);
/// let (even, odd) = (&both).deinterleave();
/// assert_eq!(engine.reduce(zip(even, odd), (Sum, Sum)).run()?, (9, 9));
/// # Ok::<(), granule::Error>(())
/// ```
pub fn interleave<A: IntoSource, B: IntoSource<Item = A::Item>>(a: A, b: B) -> Interleave<A::Source, B::Source> {
    Interleave { a: a.into_source(), b: b.into_source() }
}

/// See [`interleave`].
#[derive(Clone, Copy)]
pub struct Interleave<A, B> {
    a: A,
    b: B,
}

// SAFETY: both sources are read at any index, which brings it into range.
unsafe impl<A: Source, B: Source<Item = A::Item>> Source for Interleave<A, B> {
    type Item = A::Item;
    type Bound<'a, L: Lanes>
        = (A::Bound<'a, L>, B::Bound<'a, L>, Uniform<L, u32>)
    where
        Self: 'a;
    const LOOPS: bool = A::LOOPS || B::LOOPS;

    fn len(&self) -> Result<usize> {
        let (n, limit) = (zip(self.a, self.b).len()?, u32::MAX as usize);
        match n {
            UNBOUNDED => Ok(n),
            n if n > limit / 2 => Err(Error::TooLarge { elements: n, limit: limit / 2 }),
            n => Ok(2 * n),
        }
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.a.data(visitor)?;
        self.b.data(visitor)
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        let last = Source::len(self).unwrap_or(0).saturating_sub(1).min(u32::MAX as usize);
        (self.a.bind(l), self.b.bind(l), ops::uniform(l, last as u32))
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, A::Item>
    where
        Self: 'a,
    {
        Self::at(l, bound, Varying(l.index_u32(i)))
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, (a, b, last): Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, A::Item>
    where
        Self: 'a,
    {
        let (i, one) = (ops::min(l, i, ops::broadcast(l, last)), ops::lit(l, 1));
        let pair = ops::shr(l, i, one);
        let second = ops::eq(l, ops::and(l, i, one), one);
        ops::select(l, second, B::at(l, b, pair), A::at(l, a, pair))
    }
}
