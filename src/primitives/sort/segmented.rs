//! Segmented sort: each segment by itself.

use crate::array::{Array, Data, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::memory::Memory;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::plan::{GpuNeeds, Problem};
use crate::primitives::Fill;
use crate::primitives::segments::offsets::Offsets;
use crate::source::{IntoSource, Source, zip};
use crate::task::{Primitive, Survey, Task};

use super::{Order, Sort, SortKey, cpu, describe_sort};

impl Engine {
    /// The keys of each segment in ascending order, where the segment stands: segment `i` is what lies from `offsets[i]` to below
    /// `offsets[i + 1]`.
    ///
    /// There is one offset more than segments; the first is 0, the last is the number of keys, and none is below the one before it.
    /// Segments may be of any length, empty ones too. Keys, order, [`descending`](Task::descending) and [`bits`](Task::bits) are those of
    /// [`Engine::sort`]. Stable, and the same everywhere.
    ///
    /// On the CPU each segment is a part of a radix sort that was split beforehand: small ones are sorted where they stand, many by
    /// one worker; those that are larger than a worker's share by all. A GPU sorts all keys, and then by the numbers of
    /// their segments, which takes the same for segments of any length: two sorts, the second of as many bits as there are of segments,
    /// and a search among the offsets for each key.
    ///
    /// # Errors
    /// When the task is run: [`Error::Offsets`] for offsets that are not as above; [`Error::TooLarge`] for more than 2^32 - 1 keys.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let sorted = engine.segmented_sort(&[5, 3, 4, 9, 1], &[0, 3, 3, 5]).run()?;
    /// assert_eq!(sorted.as_slice()?, [3, 4, 5, 1, 9]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn segmented_sort<'d, S: IntoSource<Item: SortKey>>(
        &self,
        keys: S,
        offsets: impl Into<Data<'d, u32>>,
    ) -> Task<'_, Sort<S::Source, Segments<'d>>> {
        Task::new(
            self,
            Sort { source: keys.into_source(), order: Order::default(), along: Segments(Offsets::new(offsets.into())) },
        )
    }

    /// The keys of each segment in ascending order, and the values in the order of their keys. As [`Engine::segmented_sort`] otherwise;
    /// keys and values are equally many.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let (keys, values) = engine.segmented_sort_pairs(&[5, 3, 9, 1], iota(0..4_u32), &[0, 2, 4]).run()?;
    /// assert_eq!((keys.as_slice()?, values.as_slice()?), (&[3, 5, 1, 9][..], &[1, 0, 3, 2][..]));
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn segmented_sort_pairs<'d, S, V>(
        &self,
        keys: S,
        values: V,
        offsets: impl Into<Data<'d, u32>>,
    ) -> Task<'_, Sort<S::Source, SegmentedValues<'d, V::Source>>>
    where
        S: IntoSource<Item: SortKey>,
        V: IntoSource<Item: Element>,
    {
        let along = SegmentedValues { segments: Segments(Offsets::new(offsets.into())), values: values.into_source() };
        Task::new(self, Sort { source: keys.into_source(), order: Order::default(), along })
    }
}

/// Keys are sorted within these segments.
#[derive(Clone, Copy)]
pub struct Segments<'d>(Offsets<'d>);

/// Keys are sorted within these segments, and these values move along.
pub struct SegmentedValues<'d, V> {
    segments: Segments<'d>,
    values: V,
}

impl Segments<'_> {
    /// The problem of a sort within these segments.
    fn problem(&self, problem: Problem) -> Result<Problem> {
        let limit = u32::MAX as usize;
        if problem.n > limit {
            return Err(Error::TooLarge { elements: problem.n, limit });
        }
        let gpu = GpuNeeds { bindings: problem.gpu.bindings + 1, ..problem.gpu };
        Ok(Problem { gpu, allocates: true, code: problem.code.rotate_left(3), ..problem })
    }
}

impl<S: Source<Item: SortKey>> Primitive for Sort<S, Segments<'_>> {
    type Output = Array<S::Item>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        self.order.check::<S::Item>()?;
        self.along.problem(describe_sort(survey, &self.source, false)?)
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)?;
        visitor.visit(self.along.0.words())
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
        use super::gpu;

        let offsets = self.along.0.check_alone(self.source.len()?)?;
        let positions = crate::source::iota(0..self.source.len()? as u32);
        let (keys, positions) = gpu::sort_pairs(on, &self.source, &positions, &self.order)?.ready();
        let (by, order) = by_segment(&positions, self.along.0.words(), offsets.len());
        Ok(gpu::sort_pairs(on, &by, &(&keys).into_source(), &order)?.map(|(_, keys)| keys))
    }
}

/// The segments' numbers, from 1 on, of what stood at these positions; and a sort by them, of which there is one less than offsets.
#[cfg(feature = "gpu")]
fn by_segment<'p>(positions: &'p Array<u32>, offsets: Data<'p, u32>, count: usize) -> (impl Source<Item = u32> + use<'p>, Order) {
    let bits = count.next_power_of_two().ilog2().max(1);
    let numbers = positions.map(crate::primitives::search::not_above::with(offsets));
    (numbers, Order { descending: false, bits: Some(0..bits.min(32)) })
}

impl<S: Source<Item: SortKey>> Fill for Sort<S, Segments<'_>> {
    type Item = S::Item;

    fn outputs(&self) -> Result<usize> {
        self.source.len()
    }
    fn fill(&mut self, cpu: &Cpu<'_>, n: usize, out: ViewMut<'_, S::Item>) -> Result<()> {
        cpu::sort_segments(cpu, &self.source, &self.order, self.along.0.check(cpu, n)?, out)
    }
}

impl<S: Source<Item: SortKey>, V: Source<Item: Element>> Primitive for Sort<S, SegmentedValues<'_, V>> {
    type Output = (Array<S::Item>, Array<V::Item>);

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        self.order.check::<S::Item>()?;
        let SegmentedValues { segments, values } = &self.along;
        let problem = segments.problem(describe_sort(survey, &zip(self.source, *values), false)?)?;
        Ok(Problem { item_bytes: size_of::<S::Item>() + size_of::<V::Item>(), ..problem })
    }
    fn data<D: DataVisitor>(&self, visitor: &mut D) -> Result<()> {
        self.source.data(visitor)?;
        self.along.values.data(visitor)?;
        visitor.visit(self.along.segments.0.words())
    }
    fn inherit(&self, (keys, values): &Self::Output, forgone: f64) {
        keys.forgo(forgone);
        values.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        let SegmentedValues { segments, values } = &self.along;
        let offsets = segments.0.check(cpu, n)?;
        let mut along = Memory::default();
        let keys = cpu.allocate(n, |keys| {
            along =
                cpu.allocate(n, |out| cpu::sort_pairs_in_segments(cpu, &self.source, values, &self.order, offsets, (keys, out)))?;
            Ok(())
        })?;
        Ok((Array::from_memory(engine, keys), Array::from_memory(engine, along)))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        use super::gpu;
        use crate::primitives::map::gpu::map;
        use crate::source::gather;

        let SegmentedValues { segments, values } = &self.along;
        let offsets = segments.0.check_alone(self.source.len()?)?;
        let sorted = gpu::arg_sort(on, &self.source, &self.order)?.array();
        let (by, order) = by_segment(&sorted, segments.0.words(), offsets.len());
        let (_, positions) = gpu::sort_pairs(on, &by, &(&sorted).into_source(), &order)?.ready();
        let keys = map(on, &gather(self.source, &positions))?.array();
        let values = map(on, &gather(*values, &positions))?.array();
        Ok(crate::backend::gpu::Started::Ready((keys, values)))
    }
}
