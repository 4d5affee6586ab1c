//! Map: a kernel applied to every element.

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::{Cpu, new_vec};
use crate::element::Element;
use crate::engine::Engine;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::plan::{Operation, Problem};
use crate::source::{self, IntoSource, Source};
use crate::task::{Primitive, Survey, Task};

use super::{Destination, describe, describe_exact};

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

impl<'e, S: Source<Item: Element>> Task<'e, Map<S>> {
    /// Writes into memory that exists: `&mut [T]`, `&mut Vec<T>` or `&mut Array<T>` of exactly as many elements. Running the task
    /// then gives `()`.
    ///
    /// After an error the memory holds what it held, or part of the new values.
    pub fn into<'d>(self, destination: impl Into<Destination<'d, S::Item>>) -> Task<'e, MapInto<'d, S>> {
        let destination = destination.into();
        self.with(|map| MapInto { source: map.source, destination })
    }
}

/// See [`Engine::map`] and `into`.
pub struct MapInto<'d, S: Source<Item: Element>> {
    source: S,
    destination: Destination<'d, S::Item>,
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
        Ok(Array::from_vec(engine, new_vec(n, |out| cpu::fill(cpu, &self.source, out, n))?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        engine: &Engine,
        gpu: &std::sync::Arc<crate::backend::gpu::Gpu>,
        _: usize,
        grain: usize,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        gpu::map(engine, gpu, &self.source, grain)
    }
}

impl<S: Source<Item: Element>> Primitive for MapInto<'_, S> {
    type Output = ();

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let problem = describe_exact(survey, Operation::Map, &self.source)?;
        self.destination.check(survey.engine(), problem.n)?;
        Ok(Problem { result_on_host: matches!(self.destination, Destination::Slice(_)), ..problem })
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)
    }
    fn inherit(&self, _: &Self::Output, forgone: f64) {
        self.destination.inherit(forgone);
    }
    fn run_cpu(&mut self, _: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<()> {
        self.destination.write(|out| cpu::fill(cpu, &self.source, out, n))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        engine: &Engine,
        gpu: &std::sync::Arc<crate::backend::gpu::Gpu>,
        _: usize,
        grain: usize,
    ) -> Result<crate::backend::gpu::Started<'t, ()>> {
        let result = gpu::map(engine, gpu, &self.source, grain)?;
        Ok(result.into_destination(&mut self.destination))
    }
}
