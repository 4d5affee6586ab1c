//! The kernels that give an element its class: the number of the output that it goes to.

use crate::array::DataVisitor;
use crate::element::Value;
use crate::error::Result;
use crate::kernel::{Kernel, Lanes, Varying, ops};

/// The class of what is in no output.
pub(in crate::primitives) const DROPPED: u32 = 3;

/// `first` if a lane's flag is set, else `other`.
#[inline(always)]
fn class<L: Lanes, T: Value>(
    l: L,
    x: Varying<L, T>,
    flag: Varying<L, bool>,
    first: u32,
    other: Varying<L, u32>,
) -> Varying<L, (T, u32)> {
    Varying((x, ops::select(l, flag, ops::lit(l, first), other)))
}

/// Elements for which a kernel says true; the others are dropped.
#[derive(Clone, Copy)]
pub(super) struct Chosen<K>(pub(super) K);

impl<T: Value, K: Kernel<T, Out = bool>> Kernel<T> for Chosen<K> {
    type Out = (T, u32);
    const LOOPS: bool = K::LOOPS;

    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, T>) -> Varying<L, (T, u32)> {
        class(l, x, self.0.eval(l, x), 0, ops::lit(l, DROPPED))
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.0.data(visitor)
    }
}

/// Elements with a flag; those whose flag is false are dropped.
#[derive(Clone, Copy)]
pub struct Flagged;

impl<T: Value> Kernel<(T, bool)> for Flagged {
    type Out = (T, u32);

    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, Varying((x, flag)): Varying<L, (T, bool)>) -> Varying<L, (T, u32)> {
        class(l, x, flag, 0, ops::lit(l, DROPPED))
    }
}

/// Elements for which a kernel says true, then the others.
#[derive(Clone, Copy)]
pub(super) struct Halves<K>(pub(super) K);

impl<T: Value, K: Kernel<T, Out = bool>> Kernel<T> for Halves<K> {
    type Out = (T, u32);
    const LOOPS: bool = K::LOOPS;

    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, T>) -> Varying<L, (T, u32)> {
        class(l, x, self.0.eval(l, x), 0, ops::lit(l, 1))
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.0.data(visitor)
    }
}

/// Elements for which the first kernel says true, those for which the second does, then the others.
#[derive(Clone, Copy)]
pub(super) struct Thirds<A, B>(pub(super) A, pub(super) B);

impl<T: Value, A: Kernel<T, Out = bool>, B: Kernel<T, Out = bool>> Kernel<T> for Thirds<A, B> {
    type Out = (T, u32);
    const LOOPS: bool = A::LOOPS || B::LOOPS;

    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, T>) -> Varying<L, (T, u32)> {
        let second = self.1.eval(l, x);
        let other = ops::select(l, second, ops::lit(l, 1), ops::lit(l, 2));
        class(l, x, self.0.eval(l, x), 0, other)
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.0.data(visitor)?;
        self.1.data(visitor)
    }
}
