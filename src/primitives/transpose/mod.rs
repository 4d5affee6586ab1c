//! Transpose: the rows of a grid become its columns.

mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::Result;
use crate::grid::Grid;
use crate::plan::{Operation, Problem};
use crate::source::Source;
use crate::task::{Primitive, Survey, Task};

use super::{Fill, describe};

impl Engine {
    /// The elements of a grid of `[rows, columns]` as those of one of `[columns, rows]`: `out[c * rows + r] = source[r * columns + c]`,
    /// in a new [`Array`], or with [`into`](Task::into) in memory that exists.
    ///
    /// Bound by bytes: each element is read once and written once, in blocks that the first-level cache holds, or a workgroup's memory;
    /// elements of one number are turned in registers. Deterministic: nothing is computed but the source. A grid without elements
    /// gives none. On a GPU an element has up to 63 words.
    ///
    /// The transpose of a grid of `k` columns splits what is interleaved into `k` planes, and that of `k` rows interleaves them.
    ///
    /// ```
    /// use granule::grid::Grid;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let turned = engine.transpose(Grid::new(&[1, 2, 3, 4, 5, 6], [2, 3])?).run()?;
    /// assert_eq!(turned.as_slice()?, [1, 4, 2, 5, 3, 6]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn transpose<S: Source<Item: Element>>(&self, grid: Grid<S, 2>) -> Task<'_, Transpose<S>> {
        Task::new(self, Transpose { grid })
    }
}

/// See [`Engine::transpose`].
pub struct Transpose<S> {
    grid: Grid<S, 2>,
}

impl<S: Source<Item: Element>> Primitive for Transpose<S> {
    type Output = Array<S::Item>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let problem = describe(survey, Operation::Map, &self.grid.source())?;
        Ok(Problem { allocates: true, code: problem.code.rotate_left(29), ..problem })
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.grid.source().data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        Ok(Array::from_memory(engine, cpu.allocate(n, |out| self.fill(cpu, n, out))?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        gpu::transpose(on, &self.grid.source(), self.grid.shape())
    }
}

impl<S: Source<Item: Element>> Fill for Transpose<S> {
    type Item = S::Item;

    fn outputs(&self) -> Result<usize> {
        Ok(self.grid.shape().iter().product())
    }
    fn fill(&mut self, cpu: &Cpu<'_>, _: usize, out: ViewMut<'_, S::Item>) -> Result<()> {
        cpu::transpose(cpu, &self.grid.source(), self.grid.shape(), out)
    }
}
