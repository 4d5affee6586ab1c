//! Sources that are computed, not read: counting numbers and constants.

use std::ops::Range;

use crate::array::DataVisitor;
use crate::element::{Cast, Number, Value};
use crate::error::{Error, Result};
use crate::kernel::{Lanes, Uniform, Varying, ops};

use super::{Source, UNBOUNDED};

/// The numbers `range.start`, `range.start + 1`, ..., below `range.end`.
///
/// For floats the i-th is `start + i as f32`. An empty range gives no elements.
pub fn iota<T: Count>(range: Range<T>) -> Iota<T> {
    Iota { start: range.start, len: T::count(&range) }
}

/// See [`iota`].
#[derive(Clone, Copy, Debug)]
pub struct Iota<T> {
    start: T,
    len: usize,
}

/// A number type that [`iota`] can count in.
pub trait Count: Number {
    /// How many numbers the range holds.
    fn count(range: &Range<Self>) -> usize;
    /// How many it can count.
    const LIMIT: usize;
    /// The grid index as this type.
    fn of_index<L: Lanes>(l: L, i: L::Index) -> Varying<L, Self>;
    /// A 32-bit index as this type.
    fn of_u32<L: Lanes>(l: L, i: Varying<L, u32>) -> Varying<L, Self>;
}

macro_rules! count {
    ($($t:ident $index:ident $via:ident $count:ident $wide:ident),+) => {$(
        impl Count for $t {
            #[allow(clippy::cast_lossless)] // one body for all types
            fn count(range: &Range<Self>) -> usize {
                $count(range.start as $wide, range.end as $wide)
            }
            const LIMIT: usize = $via::MAX as usize;
            #[inline(always)]
            fn of_index<L: Lanes>(l: L, i: L::Index) -> Varying<L, Self> {
                Varying(<$via as Cast<$t>>::cast(l, l.$index(i)))
            }
            #[inline(always)]
            fn of_u32<L: Lanes>(l: L, i: Varying<L, u32>) -> Varying<L, Self> {
                Varying(<u32 as Cast<$t>>::cast(l, i.0))
            }
        }
    )+};
}
count!(
    u32 index_u32 u32 whole i128, i32 index_u32 u32 whole i128, u64 index_u64 u64 whole i128, i64 index_u64 u64 whole i128,
    f32 index_u32 u32 steps f64, f64 index_u64 u64 steps f64
);

/// How many whole numbers a range holds.
fn whole(start: i128, end: i128) -> usize {
    (end - start).clamp(0, UNBOUNDED as i128 - 1) as usize
}

/// How many steps of one a range holds: a fraction of a step begins with a number too.
fn steps(start: f64, end: f64) -> usize {
    if start < end { ((end - start).ceil() as usize).min(UNBOUNDED - 1) } else { 0 }
}

// SAFETY: no memory is read.
unsafe impl<T: Count> Source for Iota<T> {
    type Item = T;
    type Bound<'a, L: Lanes>
        = (Uniform<L, T>, usize)
    where
        Self: 'a;

    fn len(&self) -> Result<usize> {
        if self.len > T::LIMIT {
            return Err(Error::TooLarge { elements: self.len, limit: T::LIMIT });
        }
        Ok(self.len)
    }
    fn data<V: DataVisitor>(&self, _: &mut V) -> Result<()> {
        Ok(())
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        (ops::uniform(l, self.start), self.len)
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, (start, _): Self::Bound<'a, L>, i: L::Index) -> Varying<L, T>
    where
        Self: 'a,
    {
        ops::add(l, ops::broadcast(l, start), T::of_index(l, i))
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, (start, len): Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, T>
    where
        Self: 'a,
    {
        let last = ops::uniform(l, len.saturating_sub(1).min(u32::MAX as usize) as u32);
        ops::add(l, ops::broadcast(l, start), T::of_u32(l, ops::min(l, i, ops::broadcast(l, last))))
    }
}

/// The same value at every index, without an end: `zip(&x, constant(2.0))`.
pub fn constant<T: Value>(value: T) -> Constant<T> {
    Constant(value)
}

/// See [`constant`].
#[derive(Clone, Copy, Debug)]
pub struct Constant<T>(T);

// SAFETY: no memory is read.
unsafe impl<T: Value> Source for Constant<T> {
    type Item = T;
    type Bound<'a, L: Lanes>
        = Uniform<L, T>
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
        ops::uniform(l, self.0)
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, value: Self::Bound<'a, L>, _: L::Index) -> Varying<L, T>
    where
        Self: 'a,
    {
        ops::broadcast(l, value)
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, value: Self::Bound<'a, L>, _: Varying<L, u32>) -> Varying<L, T>
    where
        Self: 'a,
    {
        ops::broadcast(l, value)
    }
}

/// Each index, without an end.
#[derive(Clone, Copy)]
pub(crate) struct Places;

// SAFETY: no memory is read.
unsafe impl Source for Places {
    type Item = u32;
    type Bound<'a, L: Lanes>
        = ()
    where
        Self: 'a;

    fn len(&self) -> Result<usize> {
        Ok(UNBOUNDED)
    }
    fn data<V: DataVisitor>(&self, _: &mut V) -> Result<()> {
        Ok(())
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, _: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, _: Self::Bound<'a, L>, i: L::Index) -> Varying<L, u32>
    where
        Self: 'a,
    {
        Varying(l.index_u32(i))
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(_: L, _: Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, u32>
    where
        Self: 'a,
    {
        i
    }
}
