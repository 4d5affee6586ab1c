//! Selection: the elements that a kernel or a flag chooses, side by side and in their order.

mod classes;
pub(super) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;

pub(super) use classes::DROPPED;
pub use classes::Flagged;
use classes::{Chosen, Halves, Thirds};

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::plan::{Operation, Problem};
use crate::source::{IntoSource, Source, UNBOUNDED, zip};
use crate::task::{Primitive, Survey, Task};

use super::describe;

impl Engine {
    /// The elements for which a kernel says true, in their order (stream compaction).
    ///
    /// The number of them is counted where they are selected. On a GPU it stays there: the [`Array`] can be passed on without
    /// waiting, and its [`len`](Array::len) waits. Empty input gives an empty array.
    ///
    /// Bound by bytes: each element is read once and what is kept is written once on the CPU (and copied once more, from the cache);
    /// on a GPU the source is evaluated twice. Deterministic: nothing is computed but the kernel.
    ///
    /// ```
    /// use granule::kernel;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let small = engine.filter(&[3, 8, 1, 9, 2], kernel!(|x: i32| x < 5)).run()?;
    /// assert_eq!(small.as_slice()?, [3, 1, 2]);
    /// assert_eq!(engine.reduce(&small, Sum).run()?, 6);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn filter<S, K>(&self, source: S, keep: K) -> Task<'_, Filter<impl Source<Item = (S::Item, u32)>>>
    where
        S: IntoSource<Item: Element>,
        K: Kernel<S::Item, Out = bool>,
    {
        Task::new(self, Filter::new(source.map(Chosen(keep))))
    }

    /// The elements whose flag is true, in their order. As [`Engine::filter`] otherwise; source and flags are equally long.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let kept = engine.filter_flagged(&[3, 8, 1], &[true, false, true]).run()?;
    /// assert_eq!(kept.as_slice()?, [3, 1]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn filter_flagged<S, F>(&self, source: S, flags: F) -> Task<'_, Filter<impl Source<Item = (S::Item, u32)>>>
    where
        S: IntoSource<Item: Element>,
        F: IntoSource<Item = bool>,
    {
        Task::new(self, Filter::new(zip(source, flags).map(Flagged)))
    }

    /// Two arrays: the elements for which a kernel says true, and the others, each in their order (a stable partition).
    ///
    /// Contract and cost are those of [`Engine::filter`], with every element written once.
    ///
    /// ```
    /// use granule::kernel;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let [small, large] = engine.partition(&[3, 8, 1, 9, 2], kernel!(|x: i32| x < 5)).run()?;
    /// assert_eq!((small.as_slice()?, large.as_slice()?), (&[3, 1, 2][..], &[8, 9][..]));
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn partition<S, K>(&self, source: S, first: K) -> Task<'_, Select<impl Source<Item = (S::Item, u32)>, 2>>
    where
        S: IntoSource<Item: Element>,
        K: Kernel<S::Item, Out = bool>,
    {
        Task::new(self, Select { source: source.map(Halves(first)) })
    }

    /// Three arrays: the elements for which the first kernel says true, of the others those for which the second does, and the rest,
    /// each in their order. As [`Engine::partition`] otherwise.
    ///
    /// ```
    /// use granule::kernel;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let x = [3, 8, 1, 9, 5];
    /// let [less, equal, more] = engine.partition3(&x, kernel!(|x: i32| x < 5), kernel!(|x: i32| x == 5)).run()?;
    /// assert_eq!((less.as_slice()?, equal.as_slice()?, more.as_slice()?), (&[3, 1][..], &[5][..], &[8, 9][..]));
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn partition3<S, A, B>(&self, source: S, first: A, second: B) -> Task<'_, Select<impl Source<Item = (S::Item, u32)>, 3>>
    where
        S: IntoSource<Item: Element>,
        A: Kernel<S::Item, Out = bool>,
        B: Kernel<S::Item, Out = bool>,
    {
        Task::new(self, Select { source: source.map(Thirds(first, second)) })
    }
}

/// The elements of each of `K` classes. See [`Engine::partition`].
///
/// An item of the source is an element and its class; what has a class of `K` or more is dropped.
pub struct Select<S, const K: usize> {
    source: S,
}

/// See [`Engine::filter`].
pub struct Filter<S> {
    select: Select<S, 1>,
}

impl<T: Element, S: Source<Item = (T, u32)>, const K: usize> Primitive for Select<S, K> {
    type Output = [Array<T>; K];

    #[inline]
    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let problem = describe(survey, Operation::Select, &self.source)?;
        Ok(Problem { item_bytes: size_of::<T>(), allocates: true, ..problem })
    }
    #[inline]
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.iter().for_each(|array| array.forgo(forgone));
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        Ok(cpu::select::<T, S, K>(cpu, &self.source, n)?.map(|out| Array::from_memory(engine, out)))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        gpu::select::<T, S, K>(on, &self.source)
    }
}

impl<S> Filter<S> {
    pub(crate) fn new(source: S) -> Self {
        Filter { select: Select { source } }
    }
}

impl<'e, T: Element, S: Source<Item = (T, u32)>> Task<'e, Filter<S>> {
    /// Writes into memory that exists, which must be as long as the source. Running the task then gives how many elements were kept:
    /// they stand at the beginning, and what follows holds anything.
    ///
    /// ```
    /// use granule::kernel;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let mut out = [0; 5];
    /// let kept = engine.filter(&[3, 8, 1, 9, 2], kernel!(|x: i32| x < 5)).into(&mut out).run()?;
    /// assert_eq!(out[..kept], [3, 1, 2]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn into<'d>(self, destination: &'d mut [T]) -> Task<'e, FilterInto<'d, S, T>> {
        self.with(|filter| FilterInto { filter, destination })
    }
}

/// See [`Engine::filter`] and `into`.
pub struct FilterInto<'d, S, T> {
    filter: Filter<S>,
    destination: &'d mut [T],
}

impl<T: Element, S: Source<Item = (T, u32)>> Primitive for FilterInto<'_, S, T> {
    type Output = usize;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let n = self.filter.select.source.len()?;
        if n != UNBOUNDED && n > self.destination.len() {
            return Err(Error::LengthMismatch { left: n, right: self.destination.len() });
        }
        Ok(Problem { result_on_host: true, allocates: false, ..self.filter.problem(survey)? })
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.filter.data(visitor)
    }
    fn run_cpu(&mut self, _: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<usize> {
        let out = ViewMut::of(self.destination);
        cpu::select_into(cpu, &self.filter.select.source, n, [out]).map(|[kept]| kept)
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(&'t mut self, on: crate::backend::gpu::Recording<'_>) -> Result<crate::backend::gpu::Started<'t, usize>> {
        let kept = self.filter.start_gpu(on)?.array();
        kept.copy_later(self.destination)
    }
}

impl<T: Element, S: Source<Item = (T, u32)>> Primitive for Filter<S> {
    type Output = Array<T>;

    #[inline]
    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        self.select.problem(survey)
    }
    #[inline]
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.select.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        self.select.run_cpu(engine, cpu, n).map(|[kept]| kept)
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        Ok(self.select.start_gpu(on)?.map(|[kept]| kept))
    }
}
