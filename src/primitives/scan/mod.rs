//! Scan: the combination of all elements up to each.

pub(super) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::Result;
use crate::operator::Operator;
use crate::plan::{Operation, Problem};
use crate::source::{IntoSource, Source};
use crate::task::{Primitive, Survey, Task};

use super::{Fill, describe, with_operator};

impl Engine {
    /// The inclusive scan (prefix sum, for [`Sum`](crate::operator::Sum)): `out[i] = source[0] ∘ ... ∘ source[i]`.
    ///
    /// [`exclusive`](Task::exclusive) leaves `source[i]` itself out; [`init`](Task::init) puts a value before the first element;
    /// [`into`](Task::into) writes into memory that exists. Empty input gives an empty array.
    ///
    /// Bound by bytes: one read and one write an element on the CPU (on several threads a tile is read a second time, from the
    /// cache), two reads and one write on a GPU. The source is evaluated twice where it is read twice.
    ///
    /// Integer scans are the same everywhere. Float scans are the same from run to run of one plan (backend, SIMD level, one or
    /// several workers), and differ by rounding between plans.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let prefix = engine.scan(iota(1..6_u32), Sum).run()?;
    /// assert_eq!(prefix.as_slice()?, [1, 3, 6, 10, 15]);
    /// let offsets = engine.scan(&[3_u32, 1, 2], Sum).exclusive().init(100).run()?;
    /// assert_eq!(offsets.as_slice()?, [100, 103, 104]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn scan<S, O>(&self, source: S, operator: O) -> Task<'_, Scan<S::Source, O>>
    where
        S: IntoSource<Item: Element>,
        O: Operator<S::Item>,
    {
        Task::new(self, Scan { source: source.into_source(), operator, exclusive: false, init: None })
    }
}

/// See [`Engine::scan`].
pub struct Scan<S: Source, O> {
    source: S,
    operator: O,
    exclusive: bool,
    init: Option<S::Item>,
}

impl<'e, S: Source<Item: Element>, O: Operator<S::Item>> Task<'e, Scan<S, O>> {
    /// Leaves the element itself out: `out[0]` is the initial value, or the operator's identity.
    pub fn exclusive(self) -> Self {
        self.with(|scan| Scan { exclusive: true, ..scan })
    }

    /// Puts a value before the first element.
    pub fn init(self, init: S::Item) -> Self {
        self.with(|scan| Scan { init: Some(init), ..scan })
    }
}

impl<S: Source<Item: Element>, O: Operator<S::Item>> Scan<S, O> {
    #[cfg(feature = "gpu")]
    pub(crate) fn inclusive(source: S, operator: O) -> Self {
        Scan { source, operator, exclusive: false, init: None }
    }

    pub(crate) fn on_cpu(&self) -> cpu::Scan<'_, S::Item, S, O> {
        cpu::Scan { source: &self.source, op: &self.operator, exclusive: self.exclusive, init: self.init }
    }
}

impl<S: Source<Item: Element>, O: Operator<S::Item>> Primitive for Scan<S, O> {
    type Output = Array<S::Item>;

    #[inline]
    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let problem = with_operator(describe(survey, Operation::Scan, &self.source)?, &self.operator);
        Ok(Problem { allocates: true, ..problem })
    }
    #[inline]
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)?;
        self.operator.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    #[inline]
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        Ok(Array::from_memory(engine, cpu.allocate(n, |out| self.on_cpu().run(cpu, out, n))?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        gpu::scan(on, self)
    }
}

impl<S: Source<Item: Element>, O: Operator<S::Item>> Fill for Scan<S, O> {
    type Item = S::Item;

    fn outputs(&self) -> Result<usize> {
        self.source.len()
    }
    fn fill(&mut self, cpu: &Cpu<'_>, n: usize, out: ViewMut<'_, S::Item>) -> Result<()> {
        self.on_cpu().run(cpu, out, n)
    }
}
