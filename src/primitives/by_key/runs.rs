//! Runs of equal neighbours: which elements begin one and which end one.

use crate::element::Equal;
use crate::kernel::{Kernel, Lanes, MaskLane, Varying, ops};
use crate::source::{Beside, IntoSource, Map, Places, Source, Zip2, Zip3, zip, zip3};

/// Whether each element begins a run: the first does, and each that differs from the one before it.
pub(super) type Heads<S> = Map<Zip3<S, Beside<S>, Places>, Differs>;

/// See [`Heads`].
pub(super) fn heads<S: Source<Item: Equal>>(source: S) -> Heads<S> {
    zip3(source, source.beside(-1), Places).map(Differs { edge: 0 })
}

/// Whether each of `n` elements ends a run: the last does, and each that differs from the one after it.
#[cfg(feature = "gpu")]
pub(super) fn tails<S: Source<Item: Equal>>(source: S, n: usize) -> Heads<S> {
    zip3(source, source.beside(1), Places).map(Differs { edge: n.saturating_sub(1) as u32 })
}

/// Flags, of which the first is set whatever it says: with all elements a run begins.
pub(in crate::primitives) fn from_the_first<H: Source<Item = bool>>(flags: H) -> Map<Zip2<H, Places>, OrFirst> {
    zip(flags, Places).map(OrFirst)
}

/// See [`from_the_first`].
#[derive(Clone, Copy)]
pub(in crate::primitives) struct OrFirst;

impl Kernel<(bool, u32)> for OrFirst {
    type Out = bool;
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, Varying((flag, i)): Varying<L, (bool, u32)>) -> Varying<L, bool> {
        Varying(flag.0.or(l, ops::eq(l, i, ops::lit(l, 0)).0))
    }
}

/// Whether an element differs from its neighbour, or is the one at the edge, which has none.
#[derive(Clone, Copy)]
pub(super) struct Differs {
    edge: u32,
}

impl<T: Equal> Kernel<(T, T, u32)> for Differs {
    type Out = bool;
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, Varying((x, beside, i)): Varying<L, (T, T, u32)>) -> Varying<L, bool> {
        let edge = ops::broadcast(l, ops::uniform(l, self.edge));
        Varying(ops::ne(l, x, beside).0.or(l, ops::eq(l, i, edge).0))
    }
}
