//! Grids: shapes of one, two or three axes over any source, and stencils that read the neighbours of each element.
//!
//! A [`Grid`] says how the elements of a source stand: row-major, the last axis runs along the memory. A *stencil* is a kernel
//! whose parameter is a [`Window`] on the grid. Laid over a grid with a [`Boundary`] it is a source like every other: it is mapped,
//! reduced, filtered and zipped without the results being stored. A flat grid and a torus differ in the boundary alone.
//!
//! ```
//! use granule::grid::{Grid, Torus, Window};
//! use granule::prelude::*;
//!
//! /// Conway's Game of Life.
//! #[kernel]
//! fn life(w: Window<u32, 2>) -> u32 {
//!     let around = w.at(-1, -1) + w.at(-1, 0) + w.at(-1, 1) + w.at(0, -1) + w.at(0, 1) + w.at(1, -1) + w.at(1, 0) + w.at(1, 1);
//!     if around == 3 || around == 2 && w.at(0, 0) == 1 { 1 } else { 0 }
//! }
//!
//! let engine = Engine::new()?;
//! #[rustfmt::skip]
//! let blinker = [
//!     0, 0, 0, 0,
//!     1, 1, 1, 0,
//!     0, 0, 0, 0,
//!     0, 0, 0, 0,
//! ];
//! let next = engine.collect(Grid::new(&blinker, [4, 4])?.stencil(Torus, life::with())).run()?;
//! assert_eq!(next.as_slice()?, [0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
//! # Ok::<(), granule::Error>(())
//! ```

mod boundary;
mod edge;
mod shape;
mod stencil;
mod window;

pub use boundary::{Boundary, Clamp, Fixed, Reflect, Torus};
pub use stencil::Stenciled;
pub use window::{Neighbours, Stencil, Window};

use crate::error::{Error, Result};
use crate::source::{IntoSource, Source, UNBOUNDED};

/// A source whose elements stand in a grid of `D` axes, row-major: the last axis runs along the memory.
#[derive(Clone, Copy)]
pub struct Grid<S, const D: usize> {
    source: S,
    shape: [usize; D],
}

impl<S, const D: usize> std::fmt::Debug for Grid<S, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grid").field("shape", &self.shape).finish_non_exhaustive()
    }
}

impl<S: Source, const D: usize> Grid<S, D> {
    /// Gives a source a shape: `[n]`, `[rows, columns]` or `[planes, rows, columns]`. (An array whose length only the device knows is
    /// waited for.)
    ///
    /// # Errors
    /// [`Error::Shape`] if the shape has another number of elements than the source; [`Error::Unbounded`] if that has no end; what the
    /// source's length gives.
    pub fn new(source: impl IntoSource<Source = S, Item = S::Item>, shape: [usize; D]) -> Result<Self> {
        const { assert!(D >= 1 && D <= 3, "a grid has one, two or three axes") };
        let source = source.into_source();
        let elements = source.len()?;
        if elements == UNBOUNDED {
            return Err(Error::Unbounded);
        }
        if shape.iter().try_fold(1, |n: usize, &size| n.checked_mul(size)) != Some(elements) {
            return Err(Error::Shape { shape: shape.to_vec(), elements });
        }
        Ok(Grid { source, shape })
    }

    /// What stands in it.
    pub(crate) fn source(&self) -> S {
        self.source
    }

    /// Elements of each axis.
    pub fn shape(&self) -> [usize; D] {
        self.shape
    }

    /// The source of `kernel(window)` for the window on each element, where `boundary` says what stands beyond the edges.
    ///
    /// Each element is read from memory about once, whatever the radius. Where all windows of a vector lie in the grid, neighbours
    /// are whole vectors read at shifted indices; the boundary costs at the edges alone. On a GPU all data of the grid must fit
    /// one binding. Grids have fewer than 2^31 elements; a larger one gives [`Error::TooLarge`] when it is run. An axis may be shorter
    /// than the radius, and an empty grid gives no elements.
    ///
    /// ```
    /// use granule::grid::{Clamp, Grid, Window};
    /// use granule::kernel;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let slope = kernel!(|w: Window<f32, 1>| 0.5 * (w.at(1) - w.at(-1)));
    /// let steepest = engine.reduce(Grid::new(&[0.0, 1.0, 4.0, 9.0], [4])?.stencil(Clamp, slope), Max).run()?;
    /// assert_eq!(steepest, 4.0);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn stencil<B: Boundary<S::Item>, K: Stencil<S::Item, D>>(self, boundary: B, kernel: K) -> Stenciled<S, B, K, D> {
        Stenciled { grid: self, boundary, kernel }
    }
}
