//! Windows: what a kernel sees of a grid around one of its elements.

use crate::array::DataVisitor;
use crate::element::Value;
use crate::error::Result;
use crate::kernel::{Lanes, Uniform, Varying};

/// The elements of a grid of `D` axes around the one that is computed, at most `R` away on each axis: a kernel's parameter.
///
/// `w.at(dy, dx)` is the element that is `dy` rows and `dx` columns further on (`w.at(dx)` of one axis, `w.at(dz, dy, dx)` of three).
/// Offsets are the same for all elements: literals, uniforms, loop counters. One beyond the radius reads as far away as the radius.
///
/// In a kernel a window is no value but a way to read; see [`Grid::stencil`](super::Grid::stencil). Here it is what the plain function
/// is given, such as in a test:
///
/// ```
/// use granule::grid::Window;
/// use granule::prelude::*;
///
/// #[kernel]
/// fn laplace(w: Window<f32, 2>) -> f32 {
///     w.at(-1, 0) + w.at(1, 0) + w.at(0, -1) + w.at(0, 1) - 4.0 * w.at(0, 0)
/// }
///
/// let square = |[_, x]: [i32; 2]| (x * x) as f32;
/// assert_eq!(laplace(Window::new(&square)), 2.0);
/// ```
pub struct Window<'a, T, const D: usize, const R: usize = 1>(&'a dyn Fn([i32; D]) -> T);

impl<T, const D: usize, const R: usize> Clone for Window<'_, T, D, R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, const D: usize, const R: usize> Copy for Window<'_, T, D, R> {}

impl<'a, T, const D: usize, const R: usize> Window<'a, T, D, R> {
    /// The window in which this function gives the element at each offset.
    pub fn new(element: &'a dyn Fn([i32; D]) -> T) -> Self {
        Window(element)
    }

    fn read(&self, offset: [i32; D]) -> T {
        self.0(offset.map(|x| x.clamp(-(R as i32), R as i32)))
    }
}

impl<T, const R: usize> Window<'_, T, 1, R> {
    /// The element so many places further on.
    pub fn at(&self, dx: i32) -> T {
        self.read([dx])
    }
}

impl<T, const R: usize> Window<'_, T, 2, R> {
    /// The element so many rows and columns further on.
    pub fn at(&self, dy: i32, dx: i32) -> T {
        self.read([dy, dx])
    }
}

impl<T, const R: usize> Window<'_, T, 3, R> {
    /// The element so many planes, rows and columns further on.
    pub fn at(&self, dz: i32, dy: i32, dx: i32) -> T {
        self.read([dz, dy, dx])
    }
}

/// A window in the lanes `L`.
pub trait Neighbours<L: Lanes, T: Value, const D: usize>: Copy {
    /// The elements at this offset from those that the lanes stand for.
    fn at(self, l: L, offset: [Uniform<L, i32>; D]) -> Varying<L, T>;
}

/// A function from a window on a grid of `T` to a value, evaluated in any lanes: a kernel whose parameter is a [`Window`]. Written with
/// `#[kernel]` or `kernel!`.
pub trait Stencil<T: Value, const D: usize>: Copy + Send + Sync {
    /// What it returns.
    type Out: Value;
    /// How far from the middle it reads.
    const RADIUS: usize;
    /// As [`Kernel::LOOPS`](crate::kernel::Kernel::LOOPS).
    const LOOPS: bool = false;

    /// Evaluates the kernel on every lane.
    fn eval<L: Lanes, W: Neighbours<L, T, D>>(&self, l: L, window: W) -> Varying<L, Self::Out>;

    /// Shows the slices that the kernel reads.
    fn data<V: DataVisitor>(&self, _visitor: &mut V) -> Result<()> {
        Ok(())
    }
}
