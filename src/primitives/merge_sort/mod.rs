//! Merge sort: elements in the order of a comparison.

mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::plan::{GpuNeeds, Operation, Problem};
use crate::source::{IntoSource, Source};
use crate::task::{Primitive, Survey, Task};

use super::{Fill, describe_exact, with_comparison};

impl Engine {
    /// The elements in an order of the caller's, in a new [`Array`]: `less(a, b)` says whether `a` comes before `b`. Stable: elements of
    /// which neither comes before the other keep their order.
    ///
    /// `less` has to be a strict weak order (nothing comes before itself; if `a` comes before `b` and `b` before `c`, then `a` before `c`;
    /// and likewise where neither of two comes first). `<` of floats is none where there are NaNs. If it is not, elements may
    /// be missing or repeated, and nothing worse. With an order in which the machine rounds, such as one by a sine, what is nearly
    /// equal may stand one way round on a CPU and the other on a GPU; otherwise the result is the same everywhere. Empty input gives an
    /// empty array.
    ///
    /// A merge sort of any element: each element is evaluated once, and compared about log2(n) times. On the CPU what fits a
    /// second-level cache is read and written there, and all is read and written once for every doubling from there on; on a GPU once
    /// for every doubling from 2048 elements on (fewer for wide elements). There is room for as many elements once more. Numbers are
    /// sorted faster by [`Engine::sort`], elements by a number that is computed by [`Engine::sort_pairs`].
    ///
    /// ```
    /// use granule::element::Vec2;
    /// use granule::prelude::*;
    ///
    /// #[kernel]
    /// fn nearer(a: Vec2, b: Vec2) -> bool {
    ///     a.length_squared() < b.length_squared()
    /// }
    ///
    /// let engine = Engine::new()?;
    /// let points = [Vec2::new(3.0, 4.0), Vec2::new(0.0, 1.0), Vec2::new(-2.0, 0.0)];
    /// let sorted = engine.sort_by(&points, nearer::with()).run()?;
    /// assert_eq!(sorted.as_slice()?, [points[1], points[2], points[0]]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn sort_by<S, K>(&self, source: S, less: K) -> Task<'_, SortBy<S::Source, K>>
    where
        S: IntoSource<Item: Element>,
        K: Kernel<(S::Item, S::Item), Out = bool>,
    {
        Task::new(self, SortBy { source: source.into_source(), less })
    }
}

/// See [`Engine::sort_by`].
pub struct SortBy<S, K> {
    source: S,
    less: K,
}

impl<T: Element, S: Source<Item = T>, K: Kernel<(T, T), Out = bool>> Primitive for SortBy<S, K> {
    type Output = Array<T>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let problem = describe_exact(survey, Operation::MergeSort, &self.source)?;
        // The source and the output; then two runs, the path through them, where tiles begin, and the output.
        let gpu = GpuNeeds { bindings: (problem.gpu.bindings + 1).max(5), ..problem.gpu };
        Ok(with_comparison(Problem { gpu, allocates: true, ..problem }, &self.less))
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)?;
        self.less.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        Ok(Array::from_memory(engine, cpu.allocate(n, |out| cpu::sort(cpu, &self.source, &self.less, out))?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        gpu::sort(on, &self.source, &self.less)
    }
}

impl<T: Element, S: Source<Item = T>, K: Kernel<(T, T), Out = bool>> Fill for SortBy<S, K> {
    type Item = T;

    fn outputs(&self) -> Result<usize> {
        self.source.len()
    }
    fn fill(&mut self, cpu: &Cpu<'_>, _: usize, out: ViewMut<'_, T>) -> Result<()> {
        cpu::sort(cpu, &self.source, &self.less, out)
    }
}
