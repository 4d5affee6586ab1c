//! Reading data: in order, beside it, and at any index.

use crate::array::Data;
use crate::element::{Element, LeafBuild, Offset, Scalar};
use crate::kernel::{In, Lanes, Uniform, Varying};

struct Load<'a, L: Lanes, T: Element>(L, L::Slice<'a, T>, L::Index);
impl<L: Lanes, T: Element> LeafBuild<L> for Load<'_, L, T> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, at: Offset) -> S::In<L> {
        // SAFETY: `T::build` gives the leaf's type and offset, and an `Element` vouches for them.
        S::load(self.0, unsafe { self.0.field::<T, S>(self.1, at) }, self.2)
    }
}

/// The elements that the index stands for. The index is in range.
#[inline(always)]
pub fn load<'a, L: Lanes, T: Element>(l: L, s: L::Slice<'a, T>, i: L::Index) -> Varying<L, T> {
    Varying(T::build(&mut Load::<'a, L, T>(l, s, i), Offset::START))
}

struct LoadBy<'a, L: Lanes, T: Element>(L, L::Slice<'a, T>, L::Index, In<L::Uniform, i32>);
impl<L: Lanes, T: Element> LeafBuild<L> for LoadBy<'_, L, T> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, at: Offset) -> S::In<L> {
        // SAFETY: `T::build` gives the leaf's type and offset, and an `Element` vouches for them.
        S::load_by(self.0, unsafe { self.0.field::<T, S>(self.1, at) }, self.2, self.3)
    }
}

/// The elements `by` further on than those that the index stands for. All up to a vector's width beside these are in range.
#[inline(always)]
pub fn load_by<'a, L: Lanes, T: Element>(l: L, s: L::Slice<'a, T>, i: L::Index, by: Uniform<L, i32>) -> Varying<L, T> {
    Varying(T::build(&mut LoadBy::<'a, L, T>(l, s, i, by.0.0), Offset::START))
}

struct Gather<'a, L: Lanes, T: Element>(L, L::Slice<'a, T>, L::U32);
impl<L: Lanes, T: Element> LeafBuild<L> for Gather<'_, L, T> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, at: Offset) -> S::In<L> {
        // SAFETY: `T::build` gives the leaf's type and offset, and an `Element` vouches for them.
        S::gather(self.0, unsafe { self.0.field::<T, S>(self.1, at) }, self.2)
    }
}

/// A kernel's `&[T]` parameter.
pub struct Slice<'a, L: Lanes, T: Element>(pub L::Slice<'a, T>);

impl<L: Lanes, T: Element> Clone for Slice<'_, L, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<L: Lanes, T: Element> Copy for Slice<'_, L, T> {}

/// Makes data readable in a kernel.
#[inline(always)]
pub fn slice<L: Lanes, T: Element>(l: L, data: Data<'_, T>) -> Slice<'_, L, T> {
    Slice(l.slice(data))
}

/// `s.len()`
#[inline(always)]
pub fn len<'a, L: Lanes, T: Element>(l: L, s: Slice<'a, L, T>) -> Uniform<L, usize> {
    Uniform(Varying(l.slice_len(s.0)))
}

/// `s[i]` where `i` differs from lane to lane: a gather. Out of range reads the nearest element in range.
#[inline(always)]
pub fn index<'a, L: Lanes, T: Element>(l: L, s: Slice<'a, L, T>, i: Varying<L, usize>) -> Varying<L, T> {
    Varying(T::build(&mut Gather::<'a, L, T>(l, s.0, i.0), Offset::START))
}

struct GatherUniform<'a, L: Lanes, T: Element>(L, L::Slice<'a, T>, <L::Uniform as Lanes>::U32);
impl<L: Lanes, T: Element> LeafBuild<L::Uniform> for GatherUniform<'_, L, T> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, at: Offset) -> S::In<L::Uniform> {
        // SAFETY: `T::build` gives the leaf's type and offset, and an `Element` vouches for them.
        self.0.gather_uniform::<S>(unsafe { self.0.field::<T, S>(self.1, at) }, self.2)
    }
}

/// `s[i]` where `i` is uniform: one read, the same for all lanes. Out of range reads the nearest element in range.
#[inline(always)]
pub fn index_uniform<'a, L: Lanes, T: Element>(l: L, s: Slice<'a, L, T>, i: Uniform<L, usize>) -> Uniform<L, T> {
    Uniform(Varying(T::build::<L::Uniform, _>(&mut GatherUniform::<'a, L, T>(l, s.0, i.0.0), Offset::START)))
}
