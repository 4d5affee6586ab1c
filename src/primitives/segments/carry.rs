//! What is combined, if anything is: an operator that needs no identity, and stops where a segment has ended.

use crate::array::DataVisitor;
use crate::element::Value;
use crate::error::Result;
use crate::kernel::{Kernel, Lanes, Varying, ops};
use crate::operator::Operator;

/// There is a value.
pub(super) const HAS: u32 = 1;
/// A segment has ended since: what stands before reaches no further.
pub(super) const ENDED: u32 = 2;

/// The operator over states and values.
///
/// The identity of the other operator never enters the arithmetic: a minimum of NaN alone is NaN.
#[derive(Clone, Copy)]
pub(in crate::primitives) struct Carry<O>(pub(in crate::primitives) O);

impl<T: Value, O: Operator<T>> Operator<(u32, T)> for Carry<O> {
    const COMMUTATIVE: bool = false;

    fn identity(&self) -> (u32, T) {
        (0, self.0.identity())
    }
    #[inline(always)]
    fn combine<L: Lanes>(&self, l: L, a: Varying<L, (u32, T)>, b: Varying<L, (u32, T)>) -> Varying<L, (u32, T)> {
        let (Varying((before, x)), Varying((after, y))) = (a, b);
        let is = |state, flag| ops::ne(l, ops::and(l, state, ops::lit(l, flag)), ops::lit(l, 0));
        let ended = is(after, ENDED);
        let alone = ops::or(l, ended, ops::not(l, is(before, HAS)));
        let both = ops::select(l, is(after, HAS), self.0.combine(l, x, y), x);
        let state = ops::select(l, ended, after, ops::or(l, before, after));
        Varying((state, ops::select(l, alone, y, both)))
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.0.data(visitor)
    }
}

/// An element as a value that is there.
#[derive(Clone, Copy)]
pub(in crate::primitives) struct There;

impl<T: Value> Kernel<T> for There {
    type Out = (u32, T);
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, T>) -> Varying<L, (u32, T)> {
        Varying((ops::lit(l, HAS), x))
    }
}
