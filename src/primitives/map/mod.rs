//! Map: a kernel applied to every element.

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::plan::{Operation, Problem};
use crate::source::{self, IntoSource, Source};
use crate::task::{Primitive, Survey, Task};

use super::{Fill, describe};

impl Engine {
    /// Applies a kernel to every element: `out[i] = kernel(source[i])`, in a new [`Array`], or with [`into`](Task::into) in memory
    /// that exists.
    ///
    /// Bound by bytes for light kernels (one read, one write an element), by arithmetic for heavy ones. Deterministic: an
    /// element's result depends on nothing else. Empty input gives an empty array.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// #[kernel]
    /// fn saxpy(x: f32, y: f32, #[uniform] a: f32) -> f32 {
    ///     a * x + y
    /// }
    ///
    /// let engine = Engine::new()?;
    /// let z = engine.map(zip(&[1.0, 2.0], &[10.0, 20.0]), saxpy::with(3.0)).run()?;
    /// assert_eq!(z.as_slice()?, [13.0, 26.0]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn map<S, K>(&self, source: S, kernel: K) -> Task<'_, Map<source::Map<S::Source, K>>>
    where
        S: IntoSource,
        K: Kernel<S::Item, Out: Element>,
    {
        self.collect(source.map(kernel))
    }

    /// Evaluates a source into a new [`Array`]: a map without a kernel of its own.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.collect(iota(0..5_u32).reverse()).run()?.as_slice()?, [4, 3, 2, 1, 0]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn collect<S: IntoSource<Item: Element>>(&self, source: S) -> Task<'_, Map<S::Source>> {
        Task::new(self, Map { source: source.into_source() })
    }
}

/// See [`Engine::map`].
pub struct Map<S> {
    source: S,
}

impl<S: Source<Item: Element>> Primitive for Map<S> {
    type Output = Array<S::Item>;

    #[inline]
    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        Ok(Problem { allocates: true, ..describe(survey, Operation::Map, &self.source)? })
    }
    #[inline]
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    #[inline]
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        Ok(Array::from_memory(engine, cpu.allocate(n, |out| cpu::fill(cpu, &self.source, out, n))?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        gpu::map(on, &self.source)
    }
}

impl<S: Source<Item: Element>> Fill for Map<S> {
    type Item = S::Item;

    fn outputs(&self) -> Result<usize> {
        self.source.len()
    }
    fn fill(&mut self, cpu: &Cpu<'_>, n: usize, out: ViewMut<'_, S::Item>) -> Result<()> {
        cpu::fill(cpu, &self.source, out, n)
    }
}
