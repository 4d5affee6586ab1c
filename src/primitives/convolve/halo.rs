//! What a convolution reads: which elements around each, and which where the grid has none.

use crate::backend::simd::OneLane;
use crate::element::Number;
use crate::grid::Boundary;
use crate::kernel::Varying;
#[cfg(feature = "gpu")]
use crate::kernel::ops;

/// A shape, and what stands beyond its edges.
#[derive(Clone, Copy)]
pub(super) struct Frame<T> {
    pub(super) shape: [usize; 3],
    /// What stands outside, if that is one value.
    pub(super) outside: Option<T>,
    /// The place that is read for a place of an axis of so many elements.
    place: fn(i32, i32) -> i32,
}

impl<T: Number> Frame<T> {
    pub(super) fn new<B: Boundary<T>, const D: usize>(shape: [usize; D], boundary: B) -> Self {
        let place = |p, n| B::place(OneLane, Varying(p), Varying(n), false).0;
        Frame { shape: super::three(shape), outside: boundary.outside(), place }
    }

    /// The place on an axis that is read for a place that may lie beyond its ends; `None` for what stands outside.
    pub(super) fn place(&self, axis: usize, p: isize) -> Option<usize> {
        let n = self.shape[axis];
        if p >= 0 && (p as usize) < n {
            return Some(p as usize);
        }
        match self.outside {
            Some(_) => None,
            None => Some((self.place)(p as i32, n as i32) as usize),
        }
    }
}

/// A table of weights, turned about its middle, so that weights and what they are multiplied with go in the same direction.
pub(super) struct Pass<T> {
    pub(super) weights: Vec<T>,
    pub(super) shape: [usize; 3],
    /// How far before an element it reads, and how far behind it.
    pub(super) before: [usize; 3],
    pub(super) after: [usize; 3],
}

impl<T: Number> Pass<T> {
    pub(super) fn new(weights: &[T], shape: [usize; 3]) -> Self {
        let weights = weights.iter().rev().copied().collect();
        Pass { weights, shape, before: shape.map(|size| size - 1 - size / 2), after: shape.map(|size| size / 2) }
    }

    /// What comes of a place where the same value stands everywhere: the sum in the order of all others.
    #[cfg(feature = "gpu")]
    pub(super) fn of_one(&self, x: T) -> T {
        let one = |x: T| Varying(x.to_one());
        let sum = self.weights.iter().fold(one(T::SUM_IDENTITY), |sum, &weight| {
            ops::add(OneLane, sum, ops::mul::<OneLane, T>(OneLane, one(weight), one(x)))
        });
        T::from_one(sum.0)
    }
}
