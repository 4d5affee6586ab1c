//! Results written into memory that exists.

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::Result;
use crate::plan::Problem;
use crate::task::{Primitive, Survey, Task};

use super::Destination;

/// A primitive whose result is one array, of a length that is known beforehand.
pub trait Fill: Primitive<Output = Array<Self::Item>> {
    /// What the array holds.
    type Item: Element;

    /// How many elements result.
    fn outputs(&self) -> Result<usize>;

    /// Runs on the CPU, into this memory.
    #[doc(hidden)]
    fn fill(&mut self, cpu: &Cpu<'_>, n: usize, out: ViewMut<'_, Self::Item>) -> Result<()>;
}

impl<'e, P: Fill> Task<'e, P> {
    /// Writes into memory that exists: `&mut [T]`, `&mut Vec<T>` or `&mut Array<T>` of exactly as many elements as result. Running the
    /// task then gives `()`.
    ///
    /// After an error the memory holds what it held, or anything else.
    pub fn into<'d>(self, destination: impl Into<Destination<'d, P::Item>>) -> Task<'e, FillInto<'d, P>> {
        let destination = destination.into();
        self.with(|primitive| FillInto { primitive, destination })
    }
}

/// See [`Task::into`].
pub struct FillInto<'d, P: Fill> {
    primitive: P,
    destination: Destination<'d, P::Item>,
}

impl<P: Fill> Primitive for FillInto<'_, P> {
    type Output = ();

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        // It must be known, and the problem is of as many then.
        let outputs = self.primitive.outputs()?;
        let problem = self.primitive.problem(survey)?;
        self.destination.check(survey.engine(), outputs)?;
        Ok(Problem { result_on_host: matches!(self.destination, Destination::Slice(_)), allocates: false, ..problem })
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.primitive.data(visitor)
    }
    fn inherit(&self, _: &Self::Output, forgone: f64) {
        self.destination.inherit(forgone);
    }
    fn run_cpu(&mut self, _: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<()> {
        self.destination.write(|out| self.primitive.fill(cpu, n, out))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(&'t mut self, on: crate::backend::gpu::Recording<'_>) -> Result<crate::backend::gpu::Started<'t, ()>> {
        Ok(self.primitive.start_gpu(on)?.into_destination(&mut self.destination))
    }
}
