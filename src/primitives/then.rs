//! A primitive whose result is made into another value.

use crate::array::DataVisitor;
use crate::backend::cpu::Cpu;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::plan::Problem;
use crate::task::{Primitive, Survey, Task};

/// What `P` gives, made into an `O` that is no array.
pub struct Then<P: Primitive, O> {
    primitive: P,
    /// Elements that there may be.
    limit: usize,
    make: fn(P::Output) -> O,
}

impl<'e, P: Primitive> Task<'e, P> {
    /// The same call, of whose result something is made.
    pub(super) fn then<O>(self, make: fn(P::Output) -> O) -> Task<'e, Then<P, O>> {
        self.then_up_to(usize::MAX, make)
    }

    /// The same of so many elements at most.
    pub(super) fn then_up_to<O>(self, limit: usize, make: fn(P::Output) -> O) -> Task<'e, Then<P, O>> {
        self.with(|primitive| Then { primitive, limit, make })
    }
}

impl<P: Primitive, O> Primitive for Then<P, O> {
    type Output = O;

    #[inline]
    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let problem = self.primitive.problem(survey)?;
        if problem.n > self.limit {
            return Err(Error::TooLarge { elements: problem.n, limit: self.limit });
        }
        Ok(problem)
    }
    #[inline]
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.primitive.data(visitor)
    }
    #[inline]
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<O> {
        self.primitive.run_cpu(engine, cpu, n).map(self.make)
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(&'t mut self, on: crate::backend::gpu::Recording<'_>) -> Result<crate::backend::gpu::Started<'t, O>> {
        let make = self.make;
        Ok(self.primitive.start_gpu(on)?.map(make))
    }
}
