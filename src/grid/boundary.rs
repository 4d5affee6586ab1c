//! What a window reads beyond the edges of its grid.

use crate::element::Value;
use crate::kernel::{Lanes, Uniform, Varying, ops};

mod sealed {
    /// What is read without a check is read where these say.
    pub trait Sealed {}
}
use sealed::Sealed;

/// Which element stands at a place that the grid has not. It holds for each axis by itself. There are these four: [`Fixed`], [`Clamp`],
/// [`Reflect`] and [`Torus`].
pub trait Boundary<T: Value>: Sealed + Copy + Send + Sync {
    /// Whether what stands beyond one end of an axis is read at the other.
    const PERIODIC: bool = false;

    /// The value of every element outside, where it is not one of the grid. Either every value of the type has one, or none.
    fn outside(&self) -> Option<T> {
        None
    }

    /// The place in `0..n` that is read for the place `p` of an axis of `n` elements. `near` promises that `-n <= p < 2 * n`; `p` and `n`
    /// are such that `p - 2 * n` and `p + 2 * n` wrap at most once.
    fn place<L: Lanes>(l: L, p: Varying<L, i32>, n: Varying<L, i32>, near: bool) -> Varying<L, i32>;
}

/// A constant outside: numpy's `"constant"`, `v v | a b c | v v`.
#[derive(Clone, Copy, Debug)]
pub struct Fixed<T>(pub T);

/// The nearest element: numpy's `"edge"`, `a a | a b c | c c`.
#[derive(Clone, Copy, Debug)]
pub struct Clamp;

/// Mirrored at the middle of the last element, which is not repeated: numpy's `"reflect"`, `c b | a b c | b a`. An axis of one
/// element repeats it.
#[derive(Clone, Copy, Debug)]
pub struct Reflect;

/// Periodic, so that the opposite edges meet: numpy's `"wrap"`, `b c | a b c | a b`.
#[derive(Clone, Copy, Debug)]
pub struct Torus;

impl<T> Sealed for Fixed<T> {}
impl Sealed for Clamp {}
impl Sealed for Reflect {}
impl Sealed for Torus {}

impl<T: Value> Boundary<T> for Fixed<T> {
    fn outside(&self) -> Option<T> {
        Some(self.0)
    }
    #[inline(always)]
    fn place<L: Lanes>(l: L, p: Varying<L, i32>, n: Varying<L, i32>, _: bool) -> Varying<L, i32> {
        clamp(l, p, n)
    }
}

impl<T: Value> Boundary<T> for Clamp {
    #[inline(always)]
    fn place<L: Lanes>(l: L, p: Varying<L, i32>, n: Varying<L, i32>, _: bool) -> Varying<L, i32> {
        clamp(l, p, n)
    }
}

impl<T: Value> Boundary<T> for Reflect {
    #[inline(always)]
    fn place<L: Lanes>(l: L, p: Varying<L, i32>, n: Varying<L, i32>, near: bool) -> Varying<L, i32> {
        let last = ops::sub(l, n, ops::lit(l, 1));
        let period = ops::add(l, last, last);
        let p = ops::abs(l, p);
        // Of one element the period is 0, and so is the remainder.
        let p = if near { p } else { ops::rem(l, p, period) };
        ops::min(l, p, ops::abs(l, ops::sub(l, period, p)))
    }
}

impl<T: Value> Boundary<T> for Torus {
    const PERIODIC: bool = true;

    #[inline(always)]
    fn place<L: Lanes>(l: L, p: Varying<L, i32>, n: Varying<L, i32>, near: bool) -> Varying<L, i32> {
        let p = if near { ops::select(l, ops::lt(l, p, n), p, ops::sub(l, p, n)) } else { ops::rem(l, p, n) };
        ops::select(l, ops::lt(l, p, ops::lit(l, 0)), ops::add(l, p, n), p)
    }
}

/// The nearest place in `0..n`.
#[inline(always)]
fn clamp<L: Lanes>(l: L, p: Varying<L, i32>, n: Varying<L, i32>) -> Varying<L, i32> {
    let last = ops::sub(l, n, ops::lit(l, 1));
    ops::max(l, ops::min(l, p, last), ops::lit(l, 0))
}

/// A [`Boundary`] as it is bound: what stands outside.
pub(super) type Outside<L, T> = Option<Uniform<L, T>>;
