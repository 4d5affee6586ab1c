//! By key: elements whose keys are equal and that stand side by side are a run, and what is done is done in each run by itself.
//!
//! On the CPU it is one pass. On a GPU it is made of the other primitives: a scan with an operator that stays within a run, and
//! selections of where runs begin and end.

mod cpu;
#[cfg(feature = "gpu")]
pub(super) mod gpu;
pub(super) mod runs;

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::{Element, Equal};
use crate::engine::Engine;
use crate::error::Result;
use crate::operator::{Operator, Sum};
use crate::plan::{Operation, Problem};
use crate::source::{Constant, IntoSource, Map, Source, Zip2, constant, zip};
use crate::task::{Primitive, Survey, Task};

use super::select::{Filter, Flagged};
use super::{Fill, describe, with_operator};
use runs::heads;

/// The elements of a source whose flag is set.
type Picked<S, F> = Filter<Map<Zip2<S, F>, Flagged>>;

fn picked<S: Source<Item: Element>, F: Source<Item = bool>>(source: S, flags: F) -> Picked<S, F> {
    Filter::new(zip(source, flags).map(Flagged))
}

impl Engine {
    /// Of each run of equal neighbours the first element, in order: of a sorted source every value once. Equal is `==`: a NaN is a run of
    /// its own, -0 and 0 are one.
    ///
    /// A selection, as [`Engine::filter`]: each element is read twice, the second time from the cache.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.unique(&[1, 1, 5, 5, 5, 1]).run()?.as_slice()?, [1, 5, 1]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn unique<S>(&self, source: S) -> Task<'_, Filter<impl Source<Item = (S::Item, u32)>>>
    where
        S: IntoSource<Item: Element + Equal>,
    {
        let source = source.into_source();
        Task::new(self, picked(source, heads(source)))
    }

    /// Of each run of equal neighbouring keys the key and the first value. As [`Engine::unique`]; keys and values are equally many. On the
    /// CPU one pass; on a GPU two selections.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let (keys, values) = engine.unique_by_key(&[1, 1, 5], &[0.1, 0.2, 0.3]).run()?;
    /// assert_eq!((keys.as_slice()?, values.as_slice()?), (&[1, 5][..], &[0.1, 0.3][..]));
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn unique_by_key<K, V>(&self, keys: K, values: V) -> Task<'_, UniqueByKey<K::Source, V::Source>>
    where
        K: IntoSource<Item: Element + Equal>,
        V: IntoSource<Item: Element>,
    {
        Task::new(self, UniqueByKey { keys: keys.into_source(), values: values.into_source() })
    }

    /// Combines the values of each run of equal neighbouring keys: the keys of the runs, and what came of each.
    ///
    /// The values of a run are combined from left to right, in an order that depends on the backend: integers are the same everywhere,
    /// floats the same from run to run of one plan, as for [`Engine::scan`]. Equal is `==`, as for [`Engine::unique`]. No keys give no
    /// runs; keys and values are equally many.
    ///
    /// Bound by bytes. On the CPU keys and values are read once and the results written once (and copied once more, from the cache); a
    /// key that is computed is evaluated up to three times. On a GPU it is a scan of all values, whose prefixes are written and read once, and two selections. A run may be of any length.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let (keys, sums) = engine.reduce_by_key(&[1, 1, 5, 5, 1], &[10, 20, 1, 2, 3], Sum).run()?;
    /// assert_eq!((keys.as_slice()?, sums.as_slice()?), (&[1, 5, 1][..], &[30, 3, 3][..]));
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn reduce_by_key<K, V, O>(&self, keys: K, values: V, operator: O) -> Task<'_, ReduceByKey<K::Source, V::Source, O>>
    where
        K: IntoSource<Item: Element + Equal>,
        V: IntoSource<Item: Element>,
        O: Operator<V::Item>,
    {
        Task::new(self, ReduceByKey { keys: keys.into_source(), values: values.into_source(), operator })
    }

    /// The value of each run of equal neighbours, and how long it is. A [`reduce_by_key`](Engine::reduce_by_key) of ones.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let (values, lengths) = engine.run_length_encode(&[7, 7, 7, 2, 7]).run()?;
    /// assert_eq!((values.as_slice()?, lengths.as_slice()?), (&[7, 2, 7][..], &[3, 1, 1][..]));
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn run_length_encode<S>(&self, source: S) -> Task<'_, ReduceByKey<S::Source, Constant<u32>, Sum>>
    where
        S: IntoSource<Item: Element + Equal>,
    {
        self.reduce_by_key(source, constant(1_u32), Sum)
    }

    /// The combination of the values of each run of equal neighbouring keys up to each: a scan that begins anew with each run.
    /// [`exclusive`](Task::exclusive) leaves the value itself out. Order and cost are those of [`Engine::reduce_by_key`].
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let sums = engine.scan_by_key(&[1, 1, 5, 5, 1], &[10, 20, 1, 2, 3], Sum).run()?;
    /// assert_eq!(sums.as_slice()?, [10, 30, 1, 3, 3]);
    /// let before = engine.scan_by_key(&[1, 1, 5, 5, 1], &[10, 20, 1, 2, 3], Sum).exclusive().run()?;
    /// assert_eq!(before.as_slice()?, [0, 10, 0, 1, 0]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn scan_by_key<K, V, O>(
        &self,
        keys: K,
        values: V,
        operator: O,
    ) -> Task<'_, ScanRuns<impl Source<Item = bool>, V::Source, O>>
    where
        K: IntoSource<Item: Element + Equal>,
        V: IntoSource<Item: Element>,
        O: Operator<V::Item>,
    {
        Task::new(self, ScanRuns::new(heads(keys.into_source()), values.into_source(), operator))
    }
}

/// See [`Engine::unique_by_key`].
pub struct UniqueByKey<K, V> {
    keys: K,
    values: V,
}

impl<K: Source<Item: Element + Equal>, V: Source<Item: Element>> Primitive for UniqueByKey<K, V> {
    type Output = (Array<K::Item>, Array<V::Item>);

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let problem = describe(survey, Operation::Select, &zip(self.keys, self.values))?;
        Ok(Problem { allocates: true, ..problem })
    }
    fn data<D: DataVisitor>(&self, visitor: &mut D) -> Result<()> {
        self.keys.data(visitor)?;
        self.values.data(visitor)
    }
    fn inherit(&self, (keys, values): &Self::Output, forgone: f64) {
        keys.forgo(forgone);
        values.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        let (keys, values) = cpu::unique(cpu, &heads(self.keys), (&self.keys, &self.values), n)?;
        Ok((Array::from_memory(engine, keys), Array::from_memory(engine, values)))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        let heads = heads(self.keys);
        let keys = picked(self.keys, heads).start_gpu(on)?.array();
        let values = picked(self.values, heads).start_gpu(on)?.array().counted_with(&keys);
        Ok(crate::backend::gpu::Started::Ready((keys, values)))
    }
}

/// The problem of going through values and where runs begin with an operator.
fn problem<H: Source<Item = bool>, V: Source<Item: Element>, O: Operator<V::Item>>(
    survey: &Survey<'_>,
    heads: H,
    values: V,
    operator: &O,
) -> Result<Problem> {
    let problem = describe(survey, Operation::Scan, &zip(heads, values))?;
    Ok(Problem { item_bytes: size_of::<V::Item>(), allocates: true, ..with_operator(problem, operator) })
}

/// See [`Engine::reduce_by_key`].
pub struct ReduceByKey<K, V, O> {
    keys: K,
    values: V,
    operator: O,
}

impl<K: Source<Item: Element + Equal>, V: Source<Item: Element>, O: Operator<V::Item>> Primitive for ReduceByKey<K, V, O> {
    type Output = (Array<K::Item>, Array<V::Item>);

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        // Where the last run ends must be known.
        zip(self.keys, self.values).len()?;
        let problem = problem(survey, heads(self.keys), self.values, &self.operator)?;
        Ok(Problem { item_bytes: size_of::<K::Item>() + size_of::<V::Item>(), ..problem })
    }
    fn data<D: DataVisitor>(&self, visitor: &mut D) -> Result<()> {
        self.keys.data(visitor)?;
        self.values.data(visitor)?;
        self.operator.data(visitor)
    }
    fn inherit(&self, (keys, values): &Self::Output, forgone: f64) {
        keys.forgo(forgone);
        values.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        let runs = cpu::Runs { heads: &heads(self.keys), values: &self.values, op: &self.operator };
        let (keys, values) = runs.reduce(cpu, &self.keys, n)?;
        Ok((Array::from_memory(engine, keys), Array::from_memory(engine, values)))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        gpu::reduce(on, (self.keys, self.values, self.operator))
    }
}

/// A scan that begins anew where a flag says so. See [`Engine::scan_by_key`] and [`Engine::segmented_scan_flagged`].
pub struct ScanRuns<H, V, O> {
    heads: H,
    values: V,
    operator: O,
    exclusive: bool,
}

impl<H, V, O> ScanRuns<H, V, O> {
    pub(super) fn new(heads: H, values: V, operator: O) -> Self {
        ScanRuns { heads, values, operator, exclusive: false }
    }
}

impl<'e, H: Source<Item = bool>, V: Source<Item: Element>, O: Operator<V::Item>> Task<'e, ScanRuns<H, V, O>> {
    /// Leaves the value itself out: the first of each run is the operator's identity.
    pub fn exclusive(self) -> Self {
        self.with(|scan| ScanRuns { exclusive: true, ..scan })
    }
}

impl<H: Source<Item = bool>, V: Source<Item: Element>, O: Operator<V::Item>> Primitive for ScanRuns<H, V, O> {
    type Output = Array<V::Item>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        problem(survey, self.heads, self.values, &self.operator)
    }
    fn data<D: DataVisitor>(&self, visitor: &mut D) -> Result<()> {
        self.heads.data(visitor)?;
        self.values.data(visitor)?;
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
        gpu::scan(on, (self.heads, self.values, self.operator), self.exclusive)
    }
}

impl<H: Source<Item = bool>, V: Source<Item: Element>, O: Operator<V::Item>> Fill for ScanRuns<H, V, O> {
    type Item = V::Item;

    fn outputs(&self) -> Result<usize> {
        zip(self.heads, self.values).len()
    }
    fn fill(&mut self, cpu: &Cpu<'_>, n: usize, out: ViewMut<'_, V::Item>) -> Result<()> {
        let runs = cpu::Runs { heads: &self.heads, values: &self.values, op: &self.operator };
        runs.scan(cpu, self.exclusive, out, n)
    }
}
