//! The scan along an axis.

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
#[cfg(feature = "gpu")]
use crate::backend::gpu::{Recording, Started};
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::grid::Grid;
use crate::operator::Operator;
use crate::plan::{Operation, Problem};
use crate::primitives::Fill;
#[cfg(feature = "gpu")]
use crate::primitives::by_key;
use crate::primitives::segments::scan_equal;
use crate::source::Source;
use crate::task::{Primitive, Survey, Task};

use super::{Along, Layout, cpu, problem};

impl Engine {
    /// The combination of the elements along an axis up to each: of a grid of `[rows, columns]` axis 0 goes down the columns, axis 1 along the
    /// rows. The result has the grid's shape. [`exclusive`](Task::exclusive) leaves the element itself out, so that the first is the operator's
    /// identity.
    ///
    /// Integers are the same everywhere. Along the last axis it is a [segmented scan](Engine::segmented_scan) of equal lengths, with its order
    /// and its cost. Along another one the order is from the first element to the last; a long axis is cut in parts where the others are short,
    /// as the shape alone says, so that floats have the same bits at every SIMD level, for every number of workers and on every GPU whose
    /// arithmetic is IEEE.
    ///
    /// Bound by bytes: one read and one write an element, in the order in which they stand in memory; an axis in parts is read twice. On a GPU
    /// the data of the grid must fit one binding.
    ///
    /// # Errors
    /// When the task is run: [`Error::OutOfRange`] if the grid has no such axis; [`Error::TooLarge`] for 2^32 elements or more along the last
    /// axis.
    ///
    /// ```
    /// use granule::grid::Grid;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let grid = Grid::new(&[1, 2, 3, 10, 20, 30], [2, 3])?;
    /// assert_eq!(engine.scan_axis(grid, 0, Sum).run()?.as_slice()?, [1, 2, 3, 11, 22, 33]);
    /// assert_eq!(engine.scan_axis(grid, 1, Sum).exclusive().run()?.as_slice()?, [0, 1, 3, 0, 10, 30]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn scan_axis<S, O, const D: usize>(&self, grid: Grid<S, D>, axis: usize, operator: O) -> Task<'_, ScanAxis<S, O>>
    where
        S: Source<Item: Element>,
        O: Operator<S::Item>,
    {
        Task::new(self, ScanAxis { source: grid.source(), along: Along::new(grid.shape(), axis), operator, exclusive: false })
    }
}

/// See [`Engine::scan_axis`].
pub struct ScanAxis<S, O> {
    source: S,
    along: Result<Along>,
    operator: O,
    exclusive: bool,
}

impl<'e, S: Source<Item: Element>, O: Operator<S::Item>> Task<'e, ScanAxis<S, O>> {
    /// Leaves the element itself out: the first along the axis is the operator's identity.
    pub fn exclusive(self) -> Self {
        self.with(|scan| ScanAxis { exclusive: true, ..scan })
    }
}

impl<S: Source<Item: Element>, O: Operator<S::Item>> Primitive for ScanAxis<S, O> {
    type Output = Array<S::Item>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let along = self.along.clone()?;
        if along.inner != 1 {
            return problem(survey, Operation::ScanAxis, (&self.source, along, &self.operator));
        }
        let (elements, limit) = (along.elements(), u32::MAX as usize);
        if elements > limit {
            return Err(Error::TooLarge { elements, limit });
        }
        problem(survey, Operation::Scan, (&self.source, along, &self.operator))
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)?;
        self.operator.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        Ok(Array::from_memory(engine, cpu.allocate(n, |out| self.fill(cpu, n, out))?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(&'t mut self, on: Recording<'_>) -> Result<Started<'t, Self::Output>> {
        let along = self.along.clone()?;
        if along.inner != 1 {
            return super::gpu::scan(on, &self.source, &self.operator, (Layout::new(along, false), self.exclusive));
        }
        by_key::gpu::scan_equal(on, (self.source, along.len, self.operator), self.exclusive)
    }
}

impl<S: Source<Item: Element>, O: Operator<S::Item>> Fill for ScanAxis<S, O> {
    type Item = S::Item;

    fn outputs(&self) -> Result<usize> {
        self.along.clone().map(Along::elements)
    }
    fn fill(&mut self, cpu: &Cpu<'_>, _: usize, out: ViewMut<'_, S::Item>) -> Result<()> {
        let along = self.along.clone()?;
        if along.inner != 1 {
            return cpu::scan(cpu, &self.source, &self.operator, (Layout::new(along, false), self.exclusive), out);
        }
        scan_equal(cpu, (&self.source, &self.operator), (along.outer, along.len), self.exclusive, out)
    }
}
