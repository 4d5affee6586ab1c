//! The first few of a source in order, and the one at a place in the order, without a sort of all.

mod cpu;
#[cfg(feature = "gpu")]
mod gpu;
mod rank;

pub use rank::Row;

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::kernel::cost::{Cost, Ops};
use crate::plan::{GpuNeeds, Operation, Problem};
use crate::source::{IntoSource, Source};
use crate::task::{Primitive, Survey, Task};

use super::sort::SortKey;
use super::{Fill, describe_exact};

impl Engine {
    /// The `k` largest elements, the largest first; with [`smallest`](Task::smallest) the smallest, the smallest first.
    ///
    /// Elements are `u32`, `i32`, `f32`, `u64`, `i64` or `f64`, in the total order of [`Engine::sort`]: NaN is larger than all numbers, and
    /// -NaN smaller. The same on every backend, to the bit. No `k` gives an empty array.
    ///
    /// A radix select: the last wanted element is found digit by digit, from counts, and what comes before it is sorted. On the CPU the
    /// source is read twice for elements that are spread (once more for every eleven bits that all share); on a GPU once for
    /// every eight bits, and twice more.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let x = [3, 9, 1, 9, 4];
    /// assert_eq!(engine.top_k(&x, 3).run()?.as_slice()?, [9, 9, 4]);
    /// assert_eq!(engine.top_k(&x, 2).smallest().run()?.as_slice()?, [1, 3]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the task is run: [`Error::TooFew`] if there are fewer than `k` elements; [`Error::TooLarge`] for more than 2^32 - 1.
    #[inline]
    pub fn top_k<S: IntoSource<Item: SortKey>>(&self, source: S, k: usize) -> Task<'_, TopK<S::Source>> {
        Task::new(self, TopK { source: source.into_source(), k, largest: true })
    }

    /// The positions of the `k` largest elements, that of the largest first; those of equal elements ascend, and of equal ones that do
    /// not all fit the first are there. As [`Engine::top_k`] otherwise.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.arg_top_k(&[3, 9, 1, 9, 4], 3).run()?.as_slice()?, [1, 3, 4]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn arg_top_k<S: IntoSource<Item: SortKey>>(&self, source: S, k: usize) -> Task<'_, ArgTopK<S::Source>> {
        Task::new(self, ArgTopK(TopK { source: source.into_source(), k, largest: true }))
    }

    /// The element that stands at place `k`, from 0 on, once the source is sorted in ascending order: 0 gives the smallest, half of the
    /// length the upper median. A radix select, as [`Engine::top_k`], without the sort.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.nth_element(&[3, 9, 1, 9, 4], 2).run()?, 4);
    /// # Ok::<(), granule::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the task is run: [`Error::TooFew`] if there are not more than `k` elements; [`Error::TooLarge`] for more than 2^32 - 1.
    #[inline]
    pub fn nth_element<S: IntoSource<Item: SortKey>>(&self, source: S, k: usize) -> Task<'_, NthElement<S::Source>> {
        Task::new(self, NthElement { source: source.into_source(), k })
    }
}

/// See [`Engine::top_k`].
pub struct TopK<S> {
    source: S,
    k: usize,
    largest: bool,
}

/// See [`Engine::arg_top_k`].
pub struct ArgTopK<S>(TopK<S>);

/// See [`Engine::nth_element`].
pub struct NthElement<S> {
    source: S,
    k: usize,
}

impl<'e, S: Source<Item: SortKey>> Task<'e, TopK<S>> {
    /// The smallest elements, the smallest first.
    pub fn smallest(self) -> Self {
        self.with(|top_k| TopK { largest: false, ..top_k })
    }
}

impl<'e, S: Source<Item: SortKey>> Task<'e, ArgTopK<S>> {
    /// The positions of the smallest elements, that of the smallest first.
    pub fn smallest(self) -> Self {
        self.with(|ArgTopK(top_k)| ArgTopK(TopK { largest: false, ..top_k }))
    }
}

/// What counting an element takes, one at a time, and looking at it once more: measured, for what a core does in a vector lane meanwhile.
const COUNTED: Cost =
    Cost { bytes_read: 0.0, bytes_random: 0.0, ops: Ops::simple(5.0), loops_unknown: false, loops_passed: false };

/// The problem of choosing the first `k` of a source, of which the result has so many bytes.
fn problem<S: Source<Item: Element>>(survey: &Survey<'_>, source: &S, k: usize, item_bytes: usize) -> Result<Problem> {
    let problem = describe_exact(survey, Operation::TopK, source)?;
    if k > problem.n {
        return Err(Error::TooFew { wanted: k, there: problem.n });
    }
    let limit = u32::MAX as usize;
    if problem.n > limit {
        return Err(Error::TooLarge { elements: problem.n, limit });
    }
    // The place, the counts, what is selected.
    let gpu = GpuNeeds { bindings: problem.gpu.bindings + 5, ..problem.gpu };
    // The first few take less than half of all.
    let code = problem.code.rotate_left(11) ^ u64::from(k.max(1).ilog2());
    Ok(Problem { item_bytes, combine: COUNTED, gpu, code, ..problem })
}

impl<T: SortKey, S: Source<Item = T>> Primitive for TopK<S> {
    type Output = Array<T>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        Ok(Problem { allocates: true, ..problem(survey, &self.source, self.k, self.k * size_of::<T>())? })
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        Ok(Array::from_memory(engine, cpu.allocate(self.k, |out| self.fill(cpu, n, out))?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        if self.k == 0 {
            return Ok(crate::backend::gpu::Started::Ready(Array::empty(on.engine)));
        }
        gpu::keys(on, &self.source, self.k, self.largest)
    }
}

impl<T: SortKey, S: Source<Item = T>> Fill for TopK<S> {
    type Item = T;

    fn outputs(&self) -> Result<usize> {
        Ok(self.k)
    }
    fn fill(&mut self, cpu: &Cpu<'_>, n: usize, out: ViewMut<'_, T>) -> Result<()> {
        cpu::keys(cpu, &self.source, n, self.largest, out)
    }
}

impl<S: Source<Item: SortKey>> Fill for ArgTopK<S> {
    type Item = u32;

    fn outputs(&self) -> Result<usize> {
        Ok(self.0.k)
    }
    fn fill(&mut self, cpu: &Cpu<'_>, n: usize, out: ViewMut<'_, u32>) -> Result<()> {
        cpu::positions(cpu, &self.0.source, n, self.0.largest, out)
    }
}

impl<T: SortKey, S: Source<Item = T>> Primitive for ArgTopK<S> {
    type Output = Array<u32>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let problem = problem(survey, &self.0.source, self.0.k, self.0.k * size_of::<u32>())?;
        Ok(Problem { allocates: true, code: problem.code.rotate_left(1), ..problem })
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.0.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        Ok(Array::from_memory(engine, cpu.allocate(self.0.k, |out| self.fill(cpu, n, out))?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        let TopK { source, k, largest } = &self.0;
        if *k == 0 {
            return Ok(crate::backend::gpu::Started::Ready(Array::empty(on.engine)));
        }
        gpu::positions(on, source, *k, *largest)
    }
}

impl<T: SortKey, S: Source<Item = T>> Primitive for NthElement<S> {
    type Output = T;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let problem = problem(survey, &self.source, self.k.saturating_add(1), size_of::<T>())?;
        Ok(Problem { result_on_host: true, code: problem.code.rotate_left(2), ..problem })
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)
    }
    fn run_cpu(&mut self, _: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<T> {
        cpu::nth(cpu, &self.source, n, self.k)
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(&'t mut self, on: crate::backend::gpu::Recording<'_>) -> Result<crate::backend::gpu::Started<'t, T>> {
        gpu::nth(on, &self.source, self.k)
    }
}
