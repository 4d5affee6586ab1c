//! Operators of the user's own, for reductions and scans.

use granule::prelude::*;

use crate::oracle::{Precision, Same};

/// A 2 by 2 matrix. Its product is associative to the bit, and does not commute.
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub(crate) struct Matrix {
    pub(crate) a: u32,
    pub(crate) b: u32,
    pub(crate) c: u32,
    pub(crate) d: u32,
}

pub(crate) const ONE: Matrix = Matrix { a: 1, b: 0, c: 0, d: 1 };

impl Same for Matrix {
    fn same(&self, o: &Self, _: Precision) -> bool {
        self == o
    }
}

#[operator(identity = Matrix { a: 1, b: 0, c: 0, d: 1 })]
pub(crate) fn matrix_product(x: Matrix, y: Matrix) -> Matrix {
    Matrix {
        a: x.a.wrapping_mul(y.a).wrapping_add(x.b.wrapping_mul(y.c)),
        b: x.a.wrapping_mul(y.b).wrapping_add(x.b.wrapping_mul(y.d)),
        c: x.c.wrapping_mul(y.a).wrapping_add(x.d.wrapping_mul(y.c)),
        d: x.c.wrapping_mul(y.b).wrapping_add(x.d.wrapping_mul(y.d)),
    }
}

/// `x -> f.0 * x + f.1`, one after the other.
#[operator(identity = (1, 0))]
pub(crate) fn compose(f: (u32, u32), g: (u32, u32)) -> (u32, u32) {
    (f.0.wrapping_mul(g.0), f.1.wrapping_mul(g.0).wrapping_add(g.1))
}

/// The last one that is set: a segmented broadcast. Has a truth value in it.
#[operator(identity = (false, 0))]
pub(crate) fn latest(a: (bool, i32), b: (bool, i32)) -> (bool, i32) {
    if b.0 { b } else { a }
}

#[operator(identity = modulus * 0, commutative)]
pub(crate) fn add_modulo(a: u32, b: u32, #[uniform] modulus: u32) -> u32 {
    (a + b) % modulus
}
