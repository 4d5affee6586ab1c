//! Replication: each element as often as its count says.

mod cpu;
#[cfg(feature = "gpu")]
mod gpu;

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::kernel::{Lanes, Varying, ops};
use crate::operator::Operator;
use crate::plan::{GpuNeeds, Operation, Problem};
use crate::source::{IntoSource, Source, zip};
use crate::task::{Primitive, Survey, Task};

use super::describe_exact;

impl Engine {
    /// Each value as often as its count says, in order: numpy's `repeat`, Thrust's "expand".
    ///
    /// How many elements result is known when the counts are added up: up to 2^32 - 2, [`Error::TooLarge`] for more. On a GPU that is
    /// waited for, unless [`up_to`](Task::up_to) says how many there can be; then the number stays there until somebody asks. Values
    /// and counts are equally many; none give an empty array. Deterministic: nothing is computed but the sources.
    ///
    /// The counts are scanned, which writes a word for each. On the CPU workers share out the result, each searches for where its part
    /// begins, and runs are written in vectors. On a GPU each element of the result searches the prefix sums for its value: about log2 of the
    /// number of counts of reads, most of which its neighbours do as well.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let runs = engine.replicate(&[1.5, 2.5, 3.5], &[2, 0, 3]).run()?;
    /// assert_eq!(runs.as_slice()?, [1.5, 1.5, 3.5, 3.5, 3.5]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn replicate<V, C>(&self, values: V, counts: C) -> Task<'_, Replicate<V::Source, C::Source>>
    where
        V: IntoSource<Item: Element>,
        C: IntoSource<Item = u32>,
    {
        Task::new(self, Replicate { values: values.into_source(), counts: counts.into_source(), most: None })
    }
}

/// See [`Engine::replicate`].
pub struct Replicate<V, C> {
    values: V,
    counts: C,
    most: Option<usize>,
}

impl<V: Source<Item: Element>, C: Source<Item = u32>> Task<'_, Replicate<V, C>> {
    /// Gives the first `most` elements, if there are more. On a GPU memory for so many is taken, and nobody waits for their number.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let few = engine.replicate(&[1, 2, 3], &[2, 1, 3]).up_to(4).run()?;
    /// assert_eq!(few.as_slice()?, [1, 1, 2, 3]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn up_to(self, most: usize) -> Self {
        self.with(|replicate| Replicate { most: Some(most), ..replicate })
    }
}

/// Elements that there can be: one less than the sum that stands for all that are greater.
const LIMIT: usize = u32::MAX as usize - 1;
/// Copies of a value that a plan assumes, if nothing is said.
const ASSUMED: usize = 4;

impl<V: Source<Item: Element>, C: Source<Item = u32>> Primitive for Replicate<V, C> {
    type Output = Array<V::Item>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        if let Some(elements) = self.most.filter(|&most| most > LIMIT) {
            return Err(Error::TooLarge { elements, limit: LIMIT });
        }
        let problem = describe_exact(survey, Operation::Scan, &zip(self.values, self.counts))?;
        let each = self.most.map_or(ASSUMED, |most| (most / problem.n.max(1)).max(1));
        let gpu = GpuNeeds { bindings: problem.gpu.bindings + 2, ..problem.gpu };
        let code = problem.code.rotate_left(11) ^ u64::from(each.ilog2());
        Ok(Problem { item_bytes: each * size_of::<V::Item>(), allocates: true, gpu, code, ..problem })
    }
    fn data<D: DataVisitor>(&self, visitor: &mut D) -> Result<()> {
        self.values.data(visitor)?;
        self.counts.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        let runs = cpu::replicate(cpu, &self.values, &self.counts, n, |sum| self.elements(sum))?;
        Ok(Array::from_memory(engine, runs))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        gpu::replicate(on, self)
    }
}

impl<V, C> Replicate<V, C> {
    /// How many elements there are, if the counts add up to this.
    fn elements(&self, sum: u32) -> Result<usize> {
        match (sum as usize, self.most) {
            (sum, Some(most)) => Ok(sum.min(most)),
            (sum, None) if sum > LIMIT => Err(Error::TooLarge { elements: sum, limit: LIMIT }),
            (sum, None) => Ok(sum),
        }
    }
}

/// Addition that does not go beyond the largest number.
#[derive(Clone, Copy)]
struct Saturating;

impl Operator<u32> for Saturating {
    const COMMUTATIVE: bool = true;

    fn identity(&self) -> u32 {
        0
    }
    #[inline(always)]
    fn combine<L: Lanes>(&self, l: L, a: Varying<L, u32>, b: Varying<L, u32>) -> Varying<L, u32> {
        let sum = ops::add(l, a, b);
        ops::select(l, ops::lt(l, sum, a), ops::lit(l, u32::MAX), sum)
    }
}
