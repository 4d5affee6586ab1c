//! Search in sorted data, and what else is a map or a reduction with a kernel of the library's own.

use crate::array::Data;
use crate::element::{Element, Number};
use crate::engine::Engine;
use crate::kernel::{Kernel, Lanes, Varying, ops};
use crate::operator::Sum;
use crate::source::{self, IntoSource, Source, zip};
use crate::task::Task;

use super::map::Map;
use super::reduce::Reduce;

/// How many elements of a sorted slice are below `x`: halving (branch-free, every lane takes the same steps).
#[granule_macros::kernel]
fn below<T: Number + Element>(x: T, sorted: &[T]) -> u32 {
    let mut first = 0;
    let mut left = sorted.len();
    while left > 0 {
        let half = left / 2;
        if sorted[first + half] < x {
            first = first + half + 1;
            left = left - half - 1;
        } else {
            left = half;
        }
    }
    first as u32
}

/// How many elements of a sorted slice are not above `x`.
#[granule_macros::kernel]
fn not_above<T: Number + Element>(x: T, sorted: &[T]) -> u32 {
    let mut first = 0;
    let mut left = sorted.len();
    while left > 0 {
        let half = left / 2;
        if sorted[first + half] <= x {
            first = first + half + 1;
            left = left - half - 1;
        } else {
            left = half;
        }
    }
    first as u32
}
