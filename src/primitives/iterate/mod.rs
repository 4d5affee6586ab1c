//! Iteration: a stencil applied many times, each time to what came before.

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::Result;
use crate::grid::{Boundary, Stencil, Stenciled};
use crate::plan::{Operation, Problem};
use crate::source::{IntoSource, Source};
use crate::task::{Primitive, Survey, Task};

use super::describe;
use super::map::cpu::fill;

impl Engine {
    /// Applies a stencil `steps` times: first to its grid, then to what came out. The result is a new [`Array`], row-major as the grid;
    /// of no steps it is the grid's elements.
    ///
    /// The steps take turns with two arrays, on the CPU or on the GPU, and nothing is copied or read back between them: one pass a step, which
    /// reads and writes each element once. On the CPU a deadline is looked at in every step. Deterministic, as a map is.
    ///
    /// ```
    /// use granule::grid::{Grid, Torus, Window};
    /// use granule::kernel;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let left = kernel!(|w: Window<u32, 1>| w.at(1));
    /// let moved = engine.iterate(Grid::new(&[1, 2, 3, 4, 5], [5])?.stencil(Torus, left), 3).run()?;
    /// assert_eq!(moved.as_slice()?, [4, 5, 1, 2, 3]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn iterate<S, B, K, const D: usize>(
        &self,
        stencil: Stenciled<S, B, K, D>,
        steps: usize,
    ) -> Task<'_, Iterate<Stenciled<S, B, K, D>>>
    where
        S: Source<Item: Element>,
        B: Boundary<S::Item>,
        K: Stencil<S::Item, D, Out = S::Item>,
    {
        Task::new(self, Iterate { stencil, steps })
    }
}

/// See [`Engine::iterate`].
pub struct Iterate<S> {
    stencil: S,
    steps: usize,
}

impl<S, B, K, const D: usize> Primitive for Iterate<Stenciled<S, B, K, D>>
where
    S: Source<Item: Element>,
    B: Boundary<S::Item>,
    K: Stencil<S::Item, D, Out = S::Item>,
{
    type Output = Array<S::Item>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let one = describe(survey, Operation::Map, &self.stencil)?;
        Ok(Problem { steps: self.steps.max(1), allocates: true, code: one.code.rotate_left(17), ..one })
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.stencil.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        if self.steps == 0 {
            return Ok(Array::from_memory(engine, cpu.allocate(n, |out| fill(cpu, self.stencil.grid(), out, n))?));
        }
        let mut now = cpu.allocate(n, |out| fill(cpu, &self.stencil, out, n))?;
        if self.steps > 1 {
            let mut next = cpu.allocate(n, |out| fill(cpu, &self.stencil.over((&now).into_source()), out, n))?;
            for _ in 2..self.steps {
                std::mem::swap(&mut now, &mut next);
                fill(cpu, &self.stencil.over((&now).into_source()), ViewMut::of(&mut next), n)?;
            }
            now = next;
        }
        Ok(Array::from_memory(engine, now))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        use super::map::gpu::map;

        if self.steps == 0 {
            return map(on, self.stencil.grid());
        }
        let mut now = map(on, &self.stencil)?.array();
        for _ in 1..self.steps {
            now = map(on, &self.stencil.over((&now).into_source()))?.array();
        }
        Ok(crate::backend::gpu::Started::Ready(now))
    }
}
