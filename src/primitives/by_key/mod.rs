//! By key: elements whose keys are equal and that stand side by side are a run, and what is done is done in each run by itself.
//!
//! All of it is made of the other primitives: a scan with an operator that stays within a run, and selections of where runs begin and
//! end.

mod runs;

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::{Cpu, new_vec};
use crate::element::{Element, Equal};
use crate::engine::Engine;
use crate::error::Result;
use crate::operator::{Operator, Sum};
use crate::plan::{Operation, Problem};
use crate::source::{Constant, IntoSource, Map, Source, Zip2, constant, zip};
use crate::task::{Primitive, Survey, Task};

use super::scan::Scan;
use super::select::{Filter, Flagged};
use super::{describe, with_operator};
use runs::{Before, Heads, Second, Segmented, heads, tails};

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

    /// Of each run of equal neighbouring keys the key and the first value. As [`Engine::unique`]; keys and values are equally many.
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
    /// Bound by bytes. A scan of all values, whose prefixes are written and read once, and two selections: a run may be of any length
    /// at the same price.
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
        Task::new(self, ReduceByKey(ByKey { keys: keys.into_source(), values: values.into_source(), operator }))
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
    pub fn scan_by_key<K, V, O>(&self, keys: K, values: V, operator: O) -> Task<'_, ScanByKey<K::Source, V::Source, O>>
    where
        K: IntoSource<Item: Element + Equal>,
        V: IntoSource<Item: Element>,
        O: Operator<V::Item>,
    {
        let by_key = ByKey { keys: keys.into_source(), values: values.into_source(), operator };
        Task::new(self, ScanByKey { by_key, exclusive: false })
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
        let heads = heads(self.keys);
        Ok((picked(self.keys, heads).run_cpu(engine, cpu, n)?, picked(self.values, heads).run_cpu(engine, cpu, n)?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        engine: &Engine,
        gpu: &std::sync::Arc<crate::backend::gpu::Gpu>,
        grain: usize,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        let heads = heads(self.keys);
        let keys = picked(self.keys, heads).start_gpu(engine, gpu, grain)?.array();
        let values = picked(self.values, heads).start_gpu(engine, gpu, grain)?.array().counted_with(&keys);
        Ok(crate::backend::gpu::Started::Ready((keys, values)))
    }
}

/// Values with keys, and an operator.
struct ByKey<K, V, O> {
    keys: K,
    values: V,
    operator: O,
}

impl<K: Source<Item: Element + Equal>, V: Source<Item: Element>, O: Operator<V::Item>> ByKey<K, V, O> {
    /// The scan whose prefixes reach back to where the run begins.
    fn scan(&self) -> Scan<Zip2<Heads<K>, V>, Segmented<O>> {
        Scan::inclusive(zip(heads(self.keys), self.values), Segmented(self.operator))
    }

    /// How many keys there are.
    fn len(&self) -> Result<usize> {
        zip(self.keys, self.values).len()
    }

    fn problem(&self, survey: &Survey<'_>) -> Result<Problem> {
        let problem = describe(survey, Operation::Scan, &zip(self.keys, self.values))?;
        Ok(Problem { allocates: true, ..with_operator(problem, &self.operator) })
    }

    fn data<D: DataVisitor>(&self, visitor: &mut D) -> Result<()> {
        self.keys.data(visitor)?;
        self.values.data(visitor)?;
        self.operator.data(visitor)
    }

    fn scan_on_cpu(&self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Array<(bool, V::Item)>> {
        let scan = self.scan();
        Ok(Array::from_vec(engine, new_vec(n, |out| scan.on_cpu().run(cpu, out, n))?))
    }
}

/// See [`Engine::reduce_by_key`].
pub struct ReduceByKey<K, V, O>(ByKey<K, V, O>);

impl<K: Source<Item: Element + Equal>, V: Source<Item: Element>, O: Operator<V::Item>> Primitive for ReduceByKey<K, V, O> {
    type Output = (Array<K::Item>, Array<V::Item>);

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        // Where the last run ends must be known.
        self.0.len()?;
        self.0.problem(survey)
    }
    fn data<D: DataVisitor>(&self, visitor: &mut D) -> Result<()> {
        self.0.data(visitor)
    }
    fn inherit(&self, (keys, values): &Self::Output, forgone: f64) {
        keys.forgo(forgone);
        values.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        let scanned = self.0.scan_on_cpu(engine, cpu, n)?;
        let keys = picked(self.0.keys, heads(self.0.keys)).run_cpu(engine, cpu, n)?;
        let values = picked((&scanned).map(Second), tails(self.0.keys, n)).run_cpu(engine, cpu, n)?;
        Ok((keys, values))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        engine: &Engine,
        gpu: &std::sync::Arc<crate::backend::gpu::Gpu>,
        grain: usize,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        let scanned = super::scan::gpu::scan(engine, gpu, &self.0.scan(), grain)?.array();
        let keys = picked(self.0.keys, heads(self.0.keys)).start_gpu(engine, gpu, grain)?.array();
        let mut values = picked((&scanned).map(Second), tails(self.0.keys, self.0.len()?));
        let values = values.start_gpu(engine, gpu, grain)?.array().counted_with(&keys);
        Ok(crate::backend::gpu::Started::Ready((keys, values)))
    }
}

/// See [`Engine::scan_by_key`].
pub struct ScanByKey<K, V, O> {
    by_key: ByKey<K, V, O>,
    exclusive: bool,
}

impl<'e, K: Source<Item: Element + Equal>, V: Source<Item: Element>, O: Operator<V::Item>> Task<'e, ScanByKey<K, V, O>> {
    /// Leaves the value itself out: the first of each run is the operator's identity.
    pub fn exclusive(self) -> Self {
        self.with(|scan| ScanByKey { exclusive: true, ..scan })
    }
}

impl<K: Source<Item: Element + Equal>, V: Source<Item: Element>, O: Operator<V::Item>> Primitive for ScanByKey<K, V, O> {
    type Output = Array<V::Item>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        self.by_key.problem(survey)
    }
    fn data<D: DataVisitor>(&self, visitor: &mut D) -> Result<()> {
        self.by_key.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        let scanned = self.by_key.scan_on_cpu(engine, cpu, n)?;
        let out = if self.exclusive {
            let before = zip(heads(self.by_key.keys), (&scanned).beside(-1)).map(Before(self.by_key.operator));
            new_vec(n, |out| super::map::cpu::fill(cpu, &before, out, n))?
        } else {
            new_vec(n, |out| super::map::cpu::fill(cpu, &(&scanned).map(Second), out, n))?
        };
        Ok(Array::from_vec(engine, out))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        engine: &Engine,
        gpu: &std::sync::Arc<crate::backend::gpu::Gpu>,
        grain: usize,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        let scanned = super::scan::gpu::scan(engine, gpu, &self.by_key.scan(), grain)?.array();
        let out = if self.exclusive {
            let before = zip(heads(self.by_key.keys), (&scanned).beside(-1)).map(Before(self.by_key.operator));
            super::map::gpu::evaluate(engine, gpu, &before, grain)?
        } else {
            super::map::gpu::evaluate(engine, gpu, &(&scanned).map(Second), grain)?
        };
        Ok(crate::backend::gpu::Started::Ready(out))
    }
}
