//! Convolution of a grid with weights that are known when it runs.

mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
mod halo;

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
#[cfg(feature = "gpu")]
use crate::backend::gpu::{Recording, Started};
use crate::backend::simd::ViewMut;
use crate::element::{Element, Number};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::grid::{Boundary, Grid};
use crate::plan::{GpuNeeds, Operation, Problem};
use crate::source::Source;
use crate::task::{Primitive, Survey, Task};

use super::{Fill, describe_exact};
use halo::{Frame, Pass};

impl Engine {
    /// The convolution of a grid of one to three axes with a table of weights, row-major, of so many along each axis: `out[p]` is the sum of
    /// `weights[q] * x[p + c - q]` over the whole table, where `c` is its middle, `shape / 2` rounded down; `boundary` says what stands beyond the
    /// edges. That is scipy's `ndimage.convolve`. With the table turned about its middle it is a correlation.
    ///
    /// Sources and types are those of a map; the result is a new [`Array`], row-major as the grid. An axis may be shorter than the table, and an
    /// empty grid gives nothing. The products of an element are added in ascending order of what is read of the grid, each rounded before:
    /// the same bits everywhere, but for a GPU whose driver fuses.
    ///
    /// One pass: elements are read about once, whatever the number of weights; a product and a sum for each weight. On the CPU tiles of the
    /// grid are copied with what lies around them, so that no edge is seen where the weights are applied. On a GPU the data of the grid must
    /// fit one binding. Weights that are products of one vector for each axis are cheaper by
    /// [`convolve_separable`](Engine::convolve_separable); weights that a kernel knows beforehand, or what is not a sum, by a
    /// [stencil](Grid::stencil).
    ///
    /// # Errors
    /// When the task is run: [`Error::Shape`] if the table has another number of weights than its shape says, or none;
    /// [`Error::TooLarge`] for an axis of 2^30 elements or weights.
    ///
    /// ```
    /// use granule::grid::{Clamp, Grid};
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let line = Grid::new(&[1.0, 2.0, 4.0, 8.0], [4])?;
    /// let slope = engine.convolve(line, Clamp, &[0.5, 0.0, -0.5], [3]).run()?;
    /// assert_eq!(slope.as_slice()?, [0.5, 1.5, 3.0, 2.0]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn convolve<'w, S, B, const D: usize>(
        &self,
        grid: Grid<S, D>,
        boundary: B,
        weights: &'w [S::Item],
        shape: [usize; D],
    ) -> Task<'_, Convolve<'w, S, S::Item>>
    where
        S: Source<Item: Number + Element>,
        B: Boundary<S::Item>,
    {
        let table = Weights { values: weights, shape: three(shape), axes: D };
        Task::new(self, Convolve { source: grid.source(), frame: Frame::new(grid.shape(), boundary), tables: vec![table] })
    }

    /// The convolution with weights that are products of one vector for each axis, the first axis first: `weights[0][i] * weights[1][j]` of two.
    ///
    /// As [`convolve`](Engine::convolve) with the table of all products, but for rounding, with as many operations as the vectors have weights
    /// together: rows first, then columns, then planes. What comes of the rows stays in the caches on a CPU, and on the device on a GPU.
    ///
    /// ```
    /// use granule::grid::{Grid, Torus};
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let mut dot = [0.0; 25];
    /// dot[12] = 16.0;
    /// let binomial: &[f32] = &[0.25, 0.5, 0.25];
    /// let blurred = engine.convolve_separable(Grid::new(&dot, [5, 5])?, Torus, [binomial, binomial]).run()?;
    /// assert_eq!(blurred.as_slice()?[5..15], [0.0, 1.0, 2.0, 1.0, 0.0, 0.0, 2.0, 4.0, 2.0, 0.0]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn convolve_separable<'w, S, B, const D: usize>(
        &self,
        grid: Grid<S, D>,
        boundary: B,
        weights: [&'w [S::Item]; D],
    ) -> Task<'_, Convolve<'w, S, S::Item>>
    where
        S: Source<Item: Number + Element>,
        B: Boundary<S::Item>,
    {
        let along = |axis: usize| {
            let mut shape = [1; D];
            shape[axis] = weights[axis].len();
            Weights { values: weights[axis], shape: three(shape), axes: D }
        };
        let tables = (0..D).rev().map(along).collect();
        Task::new(self, Convolve { source: grid.source(), frame: Frame::new(grid.shape(), boundary), tables })
    }
}

/// A shape of up to three axes as one of three.
fn three<const D: usize>(shape: [usize; D]) -> [usize; 3] {
    let mut three = [1; 3];
    three[3 - D..].copy_from_slice(&shape);
    three
}

/// A table of weights.
#[derive(Clone, Copy)]
struct Weights<'w, T> {
    values: &'w [T],
    shape: [usize; 3],
    /// How many of the axes the grid has.
    axes: usize,
}

/// See [`Engine::convolve`].
pub struct Convolve<'w, S, T> {
    source: S,
    frame: Frame<T>,
    /// One table, or one for each axis: the last axis first.
    tables: Vec<Weights<'w, T>>,
}

/// Elements and weights of an axis: places are added to as `i32`.
const LIMIT: usize = 1 << 30;

impl<'w, T: Number + Element, S: Source<Item = T>> Convolve<'w, S, T> {
    /// What is done one after the other, if the weights make sense.
    fn passes(&self) -> Result<Vec<Pass<T>>> {
        for Weights { values, shape, axes } in &self.tables {
            if shape.iter().try_fold(1, |n: usize, &size| n.checked_mul(size)) != Some(values.len()) || values.is_empty() {
                return Err(Error::Shape { shape: shape[3 - axes..].to_vec(), elements: values.len() });
            }
            if let Some(&elements) = shape.iter().chain(&self.frame.shape).find(|&&size| size >= LIMIT) {
                return Err(Error::TooLarge { elements, limit: LIMIT - 1 });
            }
        }
        Ok(self.tables.iter().map(|table| Pass::new(table.values, table.shape)).collect())
    }
}

impl<T: Number + Element, S: Source<Item = T>> Primitive for Convolve<'_, S, T> {
    type Output = Array<T>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let passes = self.passes()?;
        let weights: usize = passes.iter().map(|pass| pass.weights.len()).sum();
        let mut problem = describe_exact(survey, Operation::Map, &self.source)?;
        problem.element.ops.simple += 2.0 * weights as f32;
        // Besides the source: the weights, what is read beyond the edges, and the result.
        let gpu = GpuNeeds { bindings: problem.gpu.bindings + 3, rounds_f32: true, ..problem.gpu };
        let code = problem.code.rotate_left(11) ^ (passes.len() as u64) << 32 ^ u64::from(weights.ilog2());
        Ok(Problem { gpu, code, allocates: true, ..problem })
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        Ok(Array::from_memory(engine, cpu.allocate(n, |out| self.fill(cpu, n, out))?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(&'t mut self, on: Recording<'_>) -> Result<Started<'t, Self::Output>> {
        gpu::convolve(on, &self.source, &self.frame, &self.passes()?)
    }
}

impl<T: Number + Element, S: Source<Item = T>> Fill for Convolve<'_, S, T> {
    type Item = T;

    fn outputs(&self) -> Result<usize> {
        self.source.len()
    }
    fn fill(&mut self, cpu: &Cpu<'_>, _: usize, out: ViewMut<'_, T>) -> Result<()> {
        cpu::convolve(cpu, &self.source, &self.frame, &self.passes()?, out)
    }
}
