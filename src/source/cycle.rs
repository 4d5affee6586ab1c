//! Counting numbers that begin again.

use crate::array::DataVisitor;
use crate::error::Result;
use crate::kernel::{Lanes, Uniform, Varying, ops};

use super::spread::Divisor;
use super::{Source, UNBOUNDED};

/// Each index modulo a number, without an end: 0, 1, ..., `len - 1`, 0, 1, ...
#[derive(Clone, Copy)]
pub(crate) struct Cycle {
    pub(crate) len: u32,
}

/// A [`Cycle`] made readable.
pub(crate) struct BoundCycle<L: Lanes> {
    len: Uniform<L, u32>,
    divisor: Divisor,
}

impl<L: Lanes> Clone for BoundCycle<L> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<L: Lanes> Copy for BoundCycle<L> {}

// SAFETY: no memory is read.
unsafe impl Source for Cycle {
    type Item = u32;
    type Bound<'a, L: Lanes>
        = BoundCycle<L>
    where
        Self: 'a;

    fn len(&self) -> Result<usize> {
        Ok(UNBOUNDED)
    }
    fn data<V: DataVisitor>(&self, _: &mut V) -> Result<()> {
        Ok(())
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        let len = self.len.max(1);
        BoundCycle { len: ops::uniform(l, len), divisor: Divisor::new(len as usize) }
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, u32>
    where
        Self: 'a,
    {
        let Some((first, _)) = l.index_run(i) else {
            return Self::at(l, bound, Varying(l.index_u32(i)));
        };
        // Of neighbours one is divided; how far on the others are, modulo `len`, is the same for all vectors.
        let (_, place) = bound.divisor.divide(first);
        let (len, lane) = (ops::broadcast(l, bound.len), ops::sub(l, Varying(l.index_u32(i)), ops::lit(l, first as u32)));
        let (on, place) = (ops::rem(l, lane, len), ops::lit(l, place as u32));
        let left = ops::sub(l, len, place);
        ops::select(l, ops::lt(l, on, left), ops::add(l, place, on), ops::sub(l, on, left))
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, u32>
    where
        Self: 'a,
    {
        ops::rem(l, i, ops::broadcast(l, bound.len))
    }
}
