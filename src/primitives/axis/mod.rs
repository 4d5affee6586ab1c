//! Along an axis of a grid: its elements combined, or scanned, for each place of the other axes.

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
mod scan;

pub use scan::ScanAxis;

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
use crate::plan::{GpuNeeds, Operation, Problem};
use crate::source::Source;
use crate::task::{Primitive, Survey, Task};

use super::{Fill, describe_exact, with_operator};

impl Engine {
    /// Combines the elements along an axis: of a grid of `[rows, columns]` axis 0 gives an element for each column, axis 1 one for each row,
    /// as numpy counts them. The result is the grid without that axis, row-major.
    ///
    /// Sources, types and operators are those of [`Engine::reduce`]. An axis of no elements gives the operator's identity; otherwise the
    /// identity does not enter the arithmetic.
    ///
    /// The order is that of the shape alone, so that floats have the same bits at every SIMD level, for every number of workers, and on every
    /// GPU whose arithmetic is IEEE: from the first element to the last; but a long axis is cut in parts where the others are short, and an
    /// operator that commutes takes 64 elements of a row side by side (of narrower rows several rows), which are then folded by halving.
    ///
    /// Bound by bytes: each element is read once, in the order in which they stand in memory, whatever the axis. On a GPU the data of the
    /// grid must fit one binding.
    ///
    /// # Errors
    /// When the task is run: [`Error::OutOfRange`] if the grid has no such axis.
    ///
    /// ```
    /// use granule::grid::Grid;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let grid = Grid::new(&[1, 2, 3, 10, 20, 30], [2, 3])?;
    /// assert_eq!(engine.reduce_axis(grid, 0, Sum).run()?.as_slice()?, [11, 22, 33]);
    /// assert_eq!(engine.reduce_axis(grid, 1, Max).run()?.as_slice()?, [3, 30]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn reduce_axis<S, O, const D: usize>(&self, grid: Grid<S, D>, axis: usize, operator: O) -> Task<'_, ReduceAxis<S, O>>
    where
        S: Source<Item: Element>,
        O: Operator<S::Item>,
    {
        Task::new(self, ReduceAxis::new(grid.source(), Along::new(grid.shape(), axis), operator))
    }
}

/// See [`Engine::reduce_axis`].
pub struct ReduceAxis<S, O> {
    source: S,
    along: Result<Along>,
    operator: O,
}

impl<S, O> ReduceAxis<S, O> {
    pub(crate) fn new(source: S, along: Result<Along>, operator: O) -> Self {
        ReduceAxis { source, along, operator }
    }
}

/// A shape, as an axis sees it: what is before it, its own elements, and what is behind it, which lies side by side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Along {
    pub(crate) outer: usize,
    pub(crate) len: usize,
    pub(crate) inner: usize,
}

impl Along {
    fn new<const D: usize>(shape: [usize; D], axis: usize) -> Result<Along> {
        let Some(&len) = shape.get(axis) else {
            return Err(Error::OutOfRange { place: 0, index: axis, len: D });
        };
        Ok(Along { outer: shape[..axis].iter().product(), len, inner: shape[axis + 1..].iter().product() })
    }

    /// How many elements result of a reduction.
    pub(crate) fn outputs(self) -> usize {
        self.outer * self.inner
    }

    /// How many there are.
    fn elements(self) -> usize {
        self.outputs() * self.len
    }
}

/// Elements that are folded side by side.
pub(crate) const LANES: usize = 64;
/// Elements of a stripe: neighbours that are combined with those of the next rows while they stay in the first-level cache.
pub(crate) const STRIPE: usize = 1024;
/// Elements of a part, at least.
const PART: usize = 64 * 1024;
/// Parts and stripes that are enough to share.
const ENOUGH: usize = 64;
/// Rows of a part at most: one thread of a GPU goes through them.
const MOST_ROWS: usize = 32 * 1024;

/// How an axis is gone along. It depends on the shape alone, and the order of the operations on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Layout {
    pub(crate) along: Along,
    /// In how many parts it is cut.
    pub(crate) parts: usize,
    /// Elements of a part; the last may have fewer.
    pub(crate) rows: usize,
    /// How many rows are folded side by side: a power of two.
    pub(crate) beside: usize,
}

impl Layout {
    /// Of a reduction, of which rows may be folded side by side if the operator commutes.
    pub(crate) fn new(along: Along, commutes: bool) -> Layout {
        let Along { outer, len, inner } = along;
        let units = outer * inner.div_ceil(STRIPE);
        let wanted = if units == 0 { 1 } else { ENOUGH.div_ceil(units).min(along.elements() / PART) };
        let wanted = wanted.max(len.div_ceil(MOST_ROWS)).max(1);
        let rows = len.div_ceil(wanted).max(1);
        let parts = len.div_ceil(rows).max(1);
        let beside = if commutes { prev_power_of_two(LANES / inner.max(1)) } else { 1 };
        Layout { along, parts, rows, beside: if rows >= beside { beside } else { 1 } }
    }

    /// From the first element to the last, in one part.
    pub(crate) fn whole(along: Along) -> Layout {
        Layout { along, parts: 1, rows: along.len.max(1), beside: 1 }
    }

    /// The first row of a part, and how many it has.
    #[inline(always)]
    pub(crate) fn part(self, part: usize) -> (usize, usize) {
        let first = part * self.rows;
        (first, self.rows.min(self.along.len - first))
    }

    /// The parts' results as what they are combined from.
    pub(crate) fn of_parts(self) -> Along {
        Along { len: self.parts, ..self.along }
    }
}

fn prev_power_of_two(n: usize) -> usize {
    if n < 2 { 1 } else { 1 << n.ilog2() }
}

/// The problem of going along an axis.
fn problem<S: Source<Item: Element>, O: Operator<S::Item>>(
    survey: &Survey<'_>,
    operation: Operation,
    (source, along, operator): (&S, Along, &O),
) -> Result<Problem> {
    let problem = with_operator(describe_exact(survey, operation, source)?, operator);
    // Besides the source: the result, and what parts have before them.
    let gpu = GpuNeeds { bindings: problem.gpu.bindings + 2, ..problem.gpu };
    // How fast it is depends on the axis.
    let code = problem.code.rotate_left(17) ^ u64::from(along.inner > 1);
    Ok(Problem { gpu, code, allocates: true, ..problem })
}

impl<S: Source<Item: Element>, O: Operator<S::Item>> Primitive for ReduceAxis<S, O> {
    type Output = Array<S::Item>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let along = self.along.clone()?;
        let problem = problem(survey, Operation::ReduceAxis, (&self.source, along, &self.operator))?;
        Ok(Problem { item_bytes: along.outputs() * size_of::<S::Item>(), ..problem })
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)?;
        self.operator.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        Ok(Array::from_memory(engine, cpu.allocate(self.outputs()?, |out| self.fill(cpu, n, out))?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(&'t mut self, on: Recording<'_>) -> Result<Started<'t, Self::Output>> {
        let layout = Layout::new(self.along.clone()?, O::COMMUTATIVE);
        gpu::reduce(on, &self.source, &self.operator, layout)
    }
}

impl<S: Source<Item: Element>, O: Operator<S::Item>> Fill for ReduceAxis<S, O> {
    type Item = S::Item;

    fn outputs(&self) -> Result<usize> {
        self.along.clone().map(Along::outputs)
    }
    fn fill(&mut self, cpu: &Cpu<'_>, _: usize, out: ViewMut<'_, S::Item>) -> Result<()> {
        let layout = Layout::new(self.along.clone()?, O::COMMUTATIVE);
        cpu::reduce(cpu, &self.source, &self.operator, layout, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_axis() {
        for (outer, len, inner) in
            [(1, 1, 1), (1, 1 << 20, 1), (3, 100_003, 7), (1000, 5, 1), (1, 70_000, 65), (0, 5, 1), (2, 0, 3)]
        {
            for commutes in [false, true] {
                let along = Along { outer, len, inner };
                let layout = Layout::new(along, commutes);
                let covered: usize = if len == 0 { 0 } else { (0..layout.parts).map(|part| layout.part(part).1).sum() };
                assert_eq!(covered, len, "{layout:?}");
                assert!(layout.beside * inner <= LANES.max(inner) && layout.rows >= layout.beside, "{layout:?}");
            }
        }
    }
}
