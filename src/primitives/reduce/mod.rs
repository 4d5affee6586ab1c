//! Reduce: all elements combined into one.

mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
#[cfg(feature = "gpu")]
pub(crate) use gpu::{Range, Tiles};

use crate::array::DataVisitor;
use crate::backend::cpu::Cpu;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::Result;
use crate::operator::Operator;
use crate::plan::{Operation, Problem};
use crate::source::{IntoSource, Source};
use crate::task::{Primitive, Survey, Task};

use super::{describe, with_operator};

impl Engine {
    /// Combines all elements with an operator.
    ///
    /// Bound by bytes for light kernels: each element is read once. Empty input gives the operator's identity.
    ///
    /// **Deterministic across machines.** The order in which elements are combined belongs to the operation: a tile is 4096
    /// elements; for a commutative operator element `i` of a tile sits in lane `i mod 128`, lanes fold their rows in order and then
    /// one another by halving; for others a tile is 128 runs of 32, and runs fold in adjacent pairs; tile results are folded in the
    /// same way until one is left. So a sum of floats has the same bits at every SIMD level, worker count and grain, and on every
    /// GPU with IEEE arithmetic. (A fused kernel that uses `exp`, `sin` and their like is as exact as those are: their bounds
    /// differ between backends.) A GPU without IEEE arithmetic is not chosen for floats, unless the call is pinned to it.
    /// [`unordered`](Task::unordered) gives this up.
    ///
    /// NaN: a sum with a NaN is NaN; `Min` and `Max` give a number if there is one.
    ///
    /// ```
    /// use granule::kernel;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let x = [3.0_f32, -1.0, 4.0, 1.0];
    /// assert_eq!(engine.reduce(&x, Sum).run()?, 7.0);
    /// assert_eq!(engine.reduce((&x).map(kernel!(|v: f32| v * v)), Max).run()?, 16.0);
    /// assert_eq!(engine.reduce(zip(&x, iota(0..4_u32)), ArgMin).run()?, (-1.0, 1));
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn reduce<S, O>(&self, source: S, operator: O) -> Task<'_, Reduce<S::Source, O>>
    where
        S: IntoSource<Item: Element>,
        O: Operator<S::Item>,
    {
        Task::new(self, Reduce { source: source.into_source(), operator })
    }
}

/// See [`Engine::reduce`].
pub struct Reduce<S, O> {
    source: S,
    operator: O,
}

impl<S: Source<Item: Element>, O: Operator<S::Item>> Primitive for Reduce<S, O> {
    type Output = S::Item;

    #[inline]
    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let problem = describe(survey, Operation::Reduce, &self.source)?;
        Ok(with_operator(Problem { result_on_host: true, ..problem }, &self.operator))
    }
    #[inline]
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)?;
        self.operator.data(visitor)
    }
    #[inline]
    fn run_cpu(&mut self, _: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        cpu::reduce(cpu, &self.source, &self.operator, n)
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        gpu::reduce(on, &self.source, &self.operator)
    }
}
