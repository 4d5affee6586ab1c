//! By segment: elements that stand side by side are a segment, as offsets tell, and what is done is done in each by itself.

#[cfg(feature = "gpu")]
pub(super) mod carry;
mod cpu;
mod csr;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub(super) mod offsets;
mod path;

pub use csr::Csr;

use crate::array::{Array, Data, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::operator::Operator;
use crate::plan::{Operation, Problem};
use crate::source::{IntoSource, Source};
use crate::task::{Primitive, Survey, Task};

use super::by_key::ScanRuns;
use super::by_key::runs::from_the_first;
use super::{Fill, describe_exact, with_operator};
use offsets::Offsets;

impl Engine {
    /// Combines the elements of each segment: `out[i] = values[offsets[i]] ∘ ... ∘ values[offsets[i + 1] - 1]`.
    ///
    /// There is one offset more than segments; the first is 0, the last is the number of values, and none is below the one before it
    /// (the row offsets of a sparse matrix, CUB's segment offsets). An empty segment gives the operator's identity. No offset is a
    /// mistake; a single 0 gives an empty array.
    ///
    /// The elements of a segment are combined from left to right but for an operator that commutes, whose elements change places in
    /// long segments. How they are grouped depends on the backend and, on the CPU, on the SIMD level: integers are the same everywhere,
    /// floats the same from run to run of one plan and for every number of workers.
    ///
    /// Bound by bytes: each value and each offset is read once and each result written once; offsets are read once more to be checked,
    /// those of an [`Array`] at the first call alone. Work is shared out by elements and segments together (D. Merrill,
    /// M. Garland, "Merge-based parallel sparse matrix-vector multiplication", 2016): one segment of everything and many empty ones
    /// are no harder than others.
    ///
    /// # Errors
    /// When the task is run: [`Error::Offsets`] for offsets that are not as above; [`Error::TooLarge`] for more than 2^32 - 1 values.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let sums = engine.segmented_reduce(&[1, 2, 3, 4], &[0, 3, 3, 4], Sum).run()?;
    /// assert_eq!(sums.as_slice()?, [6, 0, 4]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn segmented_reduce<'d, V, O>(
        &self,
        values: V,
        offsets: impl Into<Data<'d, u32>>,
        operator: O,
    ) -> Task<'_, SegmentedReduce<'d, V::Source, O>>
    where
        V: IntoSource<Item: Element>,
        O: Operator<V::Item>,
    {
        Task::new(self, SegmentedReduce::new(values.into_source(), offsets.into(), operator, Ok(())))
    }

    /// The combination of each segment's elements up to each: a scan that begins anew with each segment. Offsets, order and errors are
    /// those of [`Engine::segmented_reduce`]. [`exclusive`](Task::exclusive) leaves the element itself out.
    ///
    /// Bound by bytes: one read and one write an element on the CPU, and one read an offset; on several threads what a link has of the
    /// segment that ends in a later one is read twice, the second time from the cache. On a GPU a flag an element is written, and the
    /// cost is then that of [`Engine::scan_by_key`].
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let sums = engine.segmented_scan(&[1, 2, 3, 4], &[0, 3, 3, 4], Sum).run()?;
    /// assert_eq!(sums.as_slice()?, [1, 3, 6, 4]);
    /// let before = engine.segmented_scan(&[1, 2, 3, 4], &[0, 3, 3, 4], Sum).exclusive().run()?;
    /// assert_eq!(before.as_slice()?, [0, 1, 3, 0]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn segmented_scan<'d, V, O>(
        &self,
        values: V,
        offsets: impl Into<Data<'d, u32>>,
        operator: O,
    ) -> Task<'_, SegmentedScan<'d, V::Source, O>>
    where
        V: IntoSource<Item: Element>,
        O: Operator<V::Item>,
    {
        let (values, offsets) = (values.into_source(), Offsets::new(offsets.into()));
        Task::new(self, SegmentedScan { values, offsets, operator, exclusive: false })
    }

    /// The same of segments that are given by flags: an element whose flag is true begins one, and so does the first of all. Flags and
    /// values are equally many. Words are flags after `.map(kernel!(|word: u32| word != 0))`.
    ///
    /// [`exclusive`](Task::exclusive) leaves the element itself out. As [`Engine::scan_by_key`] otherwise.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let sums = engine.segmented_scan_flagged(&[1, 2, 3, 4], &[false, false, true, false], Sum).run()?;
    /// assert_eq!(sums.as_slice()?, [1, 3, 3, 7]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn segmented_scan_flagged<V, F, O>(
        &self,
        values: V,
        heads: F,
        operator: O,
    ) -> Task<'_, ScanRuns<impl Source<Item = bool>, V::Source, O>>
    where
        V: IntoSource<Item: Element>,
        F: IntoSource<Item = bool>,
        O: Operator<V::Item>,
    {
        Task::new(self, ScanRuns::new(from_the_first(heads.into_source()), values.into_source(), operator))
    }
}

/// Scans so many segments of so many elements each on the CPU; fewer than 2^32 in all.
pub(super) fn scan_equal<V: Source<Item: Element>, O: Operator<V::Item>>(
    cpu: &Cpu<'_>,
    (source, op): (&V, &O),
    (segments, len): (usize, usize),
    exclusive: bool,
    out: ViewMut<'_, V::Item>,
) -> Result<()> {
    if segments * len == 0 {
        return Ok(());
    }
    let offsets: Vec<u32> = (0..=segments).map(|segment| (segment * len) as u32).collect();
    cpu::Segments { source, op, offsets: &offsets }.scan(cpu, exclusive, out)
}

/// See [`Engine::segmented_reduce`].
pub struct SegmentedReduce<'d, V, O> {
    values: V,
    offsets: Offsets<'d>,
    operator: O,
    /// Whether what it was made of fits together.
    fits: Result<()>,
}

impl<'d, V, O> SegmentedReduce<'d, V, O> {
    fn new(values: V, offsets: Data<'d, u32>, operator: O, fits: Result<()>) -> Self {
        SegmentedReduce { values, offsets: Offsets::new(offsets), operator, fits }
    }
}

/// The problem of what is done with values in segments.
fn problem<V: Source<Item: Element>, O: Operator<V::Item>>(
    survey: &Survey<'_>,
    operation: Operation,
    (values, offsets, operator): (&V, &Offsets<'_>, &O),
) -> Result<Problem> {
    let segments = offsets.segments()?;
    let mut problem = with_operator(describe_exact(survey, operation, values)?, operator);
    if problem.n > u32::MAX as usize {
        return Err(Error::TooLarge { elements: problem.n, limit: u32::MAX as usize });
    }
    problem.element.bytes_read += 4.0 * (segments as f64 / problem.n.max(1) as f64) as f32;
    // The offsets, where tiles begin, what they have left, and the result.
    problem.gpu.bindings += 4;
    Ok(Problem { allocates: true, ..problem })
}

impl<V: Source<Item: Element>, O: Operator<V::Item>> Primitive for SegmentedReduce<'_, V, O> {
    type Output = Array<V::Item>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        self.fits.clone()?;
        let problem = problem(survey, Operation::SegmentedReduce, (&self.values, &self.offsets, &self.operator))?;
        Ok(Problem { item_bytes: self.offsets.segments()? * size_of::<V::Item>(), ..problem })
    }
    fn data<D: DataVisitor>(&self, visitor: &mut D) -> Result<()> {
        self.values.data(visitor)?;
        visitor.visit(self.offsets.words())?;
        self.operator.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        Ok(Array::from_memory(engine, cpu.allocate(self.outputs()?, |out| self.fill(cpu, n, out))?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        let path = path::Path::new(self.offsets.check_alone(self.values.len()?)?);
        gpu::reduce(on, (&self.values, &self.operator), &self.offsets, path)
    }
}

impl<V: Source<Item: Element>, O: Operator<V::Item>> Fill for SegmentedReduce<'_, V, O> {
    type Item = V::Item;

    fn outputs(&self) -> Result<usize> {
        self.offsets.segments()
    }
    fn fill(&mut self, cpu: &Cpu<'_>, n: usize, out: ViewMut<'_, V::Item>) -> Result<()> {
        let offsets = self.offsets.check(cpu, n)?;
        cpu::Segments { source: &self.values, op: &self.operator, offsets }.reduce(cpu, out)
    }
}

/// See [`Engine::segmented_scan`].
pub struct SegmentedScan<'d, V, O> {
    values: V,
    offsets: Offsets<'d>,
    operator: O,
    exclusive: bool,
}

impl<'e, 'd, V: Source<Item: Element>, O: Operator<V::Item>> Task<'e, SegmentedScan<'d, V, O>> {
    /// Leaves the element itself out: the first of each segment is the operator's identity.
    pub fn exclusive(self) -> Self {
        self.with(|scan| SegmentedScan { exclusive: true, ..scan })
    }
}

impl<V: Source<Item: Element>, O: Operator<V::Item>> Primitive for SegmentedScan<'_, V, O> {
    type Output = Array<V::Item>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        problem(survey, Operation::Scan, (&self.values, &self.offsets, &self.operator))
    }
    fn data<D: DataVisitor>(&self, visitor: &mut D) -> Result<()> {
        self.values.data(visitor)?;
        visitor.visit(self.offsets.words())?;
        self.operator.data(visitor)
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
        let n = self.values.len()?;
        self.offsets.check_alone(n)?;
        if n == 0 {
            return Ok(crate::backend::gpu::Started::Ready(Array::empty(on.engine)));
        }
        let heads = gpu::heads(on, &self.offsets, n)?;
        super::by_key::gpu::scan(on, ((&heads).into_source(), self.values, self.operator), self.exclusive)
    }
}

impl<V: Source<Item: Element>, O: Operator<V::Item>> Fill for SegmentedScan<'_, V, O> {
    type Item = V::Item;

    fn outputs(&self) -> Result<usize> {
        self.values.len()
    }
    fn fill(&mut self, cpu: &Cpu<'_>, n: usize, out: ViewMut<'_, V::Item>) -> Result<()> {
        let offsets = self.offsets.check(cpu, n)?;
        cpu::Segments { source: &self.values, op: &self.operator, offsets }.scan(cpu, self.exclusive, out)
    }
}
