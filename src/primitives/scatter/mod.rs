//! Scatter: elements written to computed places; what several elements give to one place is defined.

mod collisions;
mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;

pub use collisions::{Collisions, Combined, Last};

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::operator::Operator;
use crate::plan::{GpuNeeds, Operation, Problem};
use crate::source::{IntoSource, Source, constant, zip};
use crate::task::{Primitive, Survey, Task};

use super::map::cpu::fill;
use super::{Destination, describe};

impl Engine {
    /// Writes each value to the place that its index says: `out[indices[i]] = values[i]`, in a new [`Array`] of `len` elements, or with
    /// [`into`](Task::into) in memory that exists, whose other elements stay as they are. In a new array they are zeros.
    ///
    /// - **Collisions**: of several values with one index the last in order stays, as in numpy. The same on every backend.
    /// - **Out of range**: an index that is not below `len` writes nothing, so `u32::MAX` marks values that go nowhere.
    ///
    /// Bound by bytes that are moved to computed places: each value is read and written once. Of several workers each owns a range of the
    /// places and reads all indices; what takes a loop to compute is evaluated into memory before. On a GPU the highest position that
    /// has an index is found by an atomic maximum at its place, which takes a word for each element of the result, and then that
    /// position alone is written: indices are evaluated twice. There are up to 2^32 - 2 values and 2^32 - 1 places.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let out = engine.scatter(&[1.5, 2.5, 3.5], &[4, 0, 4], 6).run()?;
    /// assert_eq!(out.as_slice()?, [2.5, 0.0, 0.0, 0.0, 3.5, 0.0]);
    ///
    /// let mut there = [7, 7, 7, 7];
    /// engine.scatter(iota(0..3), &[2, 9, 0], 4).into(&mut there).run()?;
    /// assert_eq!(there, [2, 7, 0, 7]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn scatter<V, I>(&self, values: V, indices: I, len: usize) -> Task<'_, Scatter<V::Source, I::Source, Last>>
    where
        V: IntoSource<Item: Element>,
        I: IntoSource<Item = u32>,
    {
        let (values, indices) = (values.into_source(), indices.into_source());
        Task::new(self, Scatter { values, indices, len, collisions: Last })
    }

    /// Combines each value into the place that its index says: `out[indices[i]] = operator(out[indices[i]], values[i])`. A new
    /// [`Array`] of `len` elements begins with the operator's identity; with [`into`](Task::into) memory that exists is combined into.
    ///
    /// An index that is not below `len` is left out. **Order**: on the CPU the values of a place are combined in their order, one after
    /// the other, so that every operator, and floats too, give the same bits at every SIMD level and worker count. On a GPU `u32` and
    /// `i32` under [`Sum`](crate::operator::Sum), `Min`, `Max`, `BitAnd`, `BitOr` and `BitXor` are combined by atomics in memory: exact, and
    /// the same as on the CPU. Everything else is sorted by index, which is stable, and reduced by key: integers are the same again,
    /// floats up to rounding, in an order that the values' positions fix.
    ///
    /// Otherwise as [`Engine::scatter`]. Where there are few places, [`histogram`](Engine::histogram) with `weights` adds numbers faster: each
    /// worker has a table of its own.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let most = engine.scatter_reduce(&[3_u32, 9, 4, 1], &[1, 0, 1, 7], 3, Max).run()?;
    /// assert_eq!(most.as_slice()?, [9, 4, 0]);
    ///
    /// let mut degrees = [10, 20];
    /// engine.scatter_reduce(constant(1), &[1, 1, 0], 2, Sum).into(&mut degrees).run()?;
    /// assert_eq!(degrees, [11, 22]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn scatter_reduce<V, I, O>(
        &self,
        values: V,
        indices: I,
        len: usize,
        operator: O,
    ) -> Task<'_, Scatter<V::Source, I::Source, Combined<O>>>
    where
        V: IntoSource<Item: Element>,
        I: IntoSource<Item = u32>,
        O: Operator<V::Item>,
    {
        let (values, indices) = (values.into_source(), indices.into_source());
        Task::new(self, Scatter { values, indices, len, collisions: Combined(operator) })
    }
}

/// See [`Engine::scatter`] and [`Engine::scatter_reduce`].
pub struct Scatter<V, I, C> {
    values: V,
    indices: I,
    len: usize,
    collisions: C,
}

/// See [`Engine::scatter`] and `into`.
pub struct ScatterInto<'d, V: Source<Item: Element>, I, C> {
    scatter: Scatter<V, I, C>,
    destination: Destination<'d, V::Item>,
}

impl<'e, V: Source<Item: Element>, I: Source<Item = u32>, C: Collisions<V::Item>> Task<'e, Scatter<V, I, C>> {
    /// Writes into what is in memory: `&mut [T]`, `&mut Vec<T>` or `&mut Array<T>` of exactly as many elements as there are places. Running
    /// the task then gives `()`.
    ///
    /// After an error some of the values may have been written.
    pub fn into<'d>(self, destination: impl Into<Destination<'d, V::Item>>) -> Task<'e, ScatterInto<'d, V, I, C>> {
        let destination = destination.into();
        self.with(|scatter| ScatterInto { scatter, destination })
    }
}

impl<V: Source<Item: Element>, I: Source<Item = u32>, C: Collisions<V::Item>> Scatter<V, I, C> {
    fn run(&self, cpu: &Cpu<'_>, n: usize, out: ViewMut<'_, V::Item>) -> Result<()> {
        cpu::scatter(cpu, (&self.indices, &self.values), n, &self.collisions, out)
    }
}

impl<V: Source<Item: Element>, I: Source<Item = u32>, C: Collisions<V::Item>> Primitive for Scatter<V, I, C> {
    type Output = Array<V::Item>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let limit = u32::MAX as usize;
        if self.len > limit {
            return Err(Error::TooLarge { elements: self.len, limit });
        }
        let mut problem = describe(survey, Operation::Scatter, &zip(self.indices, self.values))?;
        if problem.n >= limit {
            return Err(Error::TooLarge { elements: problem.n, limit: limit - 1 });
        }
        let each = size_of::<V::Item>();
        problem.element.bytes_random += each as f32;
        // The positions that were found, and the result.
        let gpu = GpuNeeds { bindings: problem.gpu.bindings + 2, ..problem.gpu };
        // How fast it is depends on how far places lie apart.
        let code = problem.code.rotate_left(17) ^ u64::from(self.len.max(1).ilog2());
        let problem = Problem { item_bytes: self.len * each, allocates: true, gpu, code, ..problem };
        Ok(self.collisions.describe(problem))
    }
    fn data<D: DataVisitor>(&self, visitor: &mut D) -> Result<()> {
        self.values.data(visitor)?;
        self.indices.data(visitor)?;
        self.collisions.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        let start = constant(self.collisions.start());
        let mut out = cpu.allocate(self.len, |out| fill(cpu, &start, out, self.len))?;
        self.run(cpu, n, ViewMut::of(&mut out))?;
        Ok(Array::from_memory(engine, out))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        let out = self.collisions.started(on, self.len)?;
        self.collisions.record(on, (&self.indices, &self.values), (&out, self.len))?;
        Ok(gpu::array(on, self.len, out))
    }
}

impl<V: Source<Item: Element>, I: Source<Item = u32>, C: Collisions<V::Item>> Primitive for ScatterInto<'_, V, I, C> {
    type Output = ();

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let problem = self.scatter.problem(survey)?;
        self.destination.check(survey.engine(), self.scatter.len)?;
        Ok(Problem { result_on_host: matches!(self.destination, Destination::Slice(_)), allocates: false, ..problem })
    }
    fn data<D: DataVisitor>(&self, visitor: &mut D) -> Result<()> {
        self.scatter.data(visitor)?;
        visitor.visit(self.destination.data())
    }
    fn inherit(&self, _: &Self::Output, forgone: f64) {
        self.destination.inherit(forgone);
    }
    fn run_cpu(&mut self, _: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<()> {
        let out = match &mut self.destination {
            Destination::Slice(slice) => slice,
            Destination::Array(array) => array.overwrite_host().expect("the task has brought its arrays to the host"),
        };
        self.scatter.run(cpu, n, ViewMut::of(out))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(&'t mut self, on: crate::backend::gpu::Recording<'_>) -> Result<crate::backend::gpu::Started<'t, ()>> {
        let Scatter { values, indices, len, collisions } = &self.scatter;
        let out = gpu::there(on, self.destination.data())?;
        collisions.record(on, (indices, values), (&out, *len))?;
        Ok(gpu::array(on, *len, out).into_destination(&mut self.destination))
    }
}
