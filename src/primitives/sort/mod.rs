//! Sort: elements in the order of their keys.

pub(super) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
mod key;
mod radix;
mod segmented;

pub use key::{Ordered, SortKey};
pub use segmented::{SegmentedValues, Segments};

use std::ops::Range;

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::memory::Memory;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::plan::{GpuNeeds, Operation, Problem};
use crate::source::{IntoSource, SliceSource, Source, zip};
use crate::task::{Primitive, Survey, Task};

use super::{Destination, Fill, cost, describe_exact};

impl Engine {
    /// The keys in ascending order, in a new [`Array`], or with [`into`](Task::into) in memory that exists.
    ///
    /// Keys are `u32`, `i32`, `f32`, `u64`, `i64` or `f64`; floats in the total order of [`f32::total_cmp`], which is
    /// -NaN < -inf < ... < -0 < +0 < ... < +inf < NaN ([`SortKey`]). [`descending`](Task::descending) turns the order round, and
    /// [`bits`](Task::bits) sorts by some of the bits alone. Stable: keys that are equal in the bits that take part keep their order.
    /// Deterministic: the same on every backend, to the bit. Empty input gives an empty array.
    ///
    /// A radix sort. On the CPU many keys are read twice and written once to split them, and twice more in the second-level cache; on a
    /// GPU they are read twice and written once for every eight bits, with room for as many keys once more. The source is evaluated
    /// twice if there are many keys (above 384 KiB), else once; and once on a GPU.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let sorted = engine.sort(&[2.5_f32, f32::NAN, -1.0, 0.0, -0.0]).run()?;
    /// let sorted = sorted.as_slice()?;
    /// assert_eq!(sorted[..4], [-1.0, -0.0, 0.0, 2.5]);
    /// assert!(sorted[1].is_sign_negative() && sorted[4].is_nan());
    /// assert_eq!(engine.sort(&[3, 1, 2]).descending().run()?.as_slice()?, [3, 2, 1]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn sort<S: IntoSource<Item: SortKey>>(&self, source: S) -> Task<'_, Sort<S::Source>> {
        Task::new(self, Sort { source: source.into_source(), order: Order::default(), along: Nothing })
    }

    /// Sorts keys where they are: in a `&mut [T]`, a `&mut Vec<T>` or a `&mut Array<T>`. As [`Engine::sort`] otherwise. While it runs there
    /// is room for as many keys once more.
    ///
    /// After an error the memory holds what it held, or anything else.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let mut x = [3, -1, 2];
    /// engine.sort_in_place(&mut x).descending().run()?;
    /// assert_eq!(x, [3, 2, -1]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn sort_in_place<'e, 'd, T: SortKey>(&'e self, keys: impl Into<Destination<'d, T>>) -> Task<'e, Sort<InPlace<'d, T>>> {
        Task::new(self, Sort { source: InPlace(keys.into()), order: Order::default(), along: Nothing })
    }

    /// The keys in ascending order, and the values in the order of their keys. Stable: values of equal keys keep their order. Keys and
    /// values are equally many. As [`Engine::sort`] otherwise; the values' source is evaluated once.
    ///
    /// Values of up to 16 bytes move with their keys. Of larger ones their positions do, and they themselves once, at random.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let (keys, values) = engine.sort_pairs(&[3_u32, 1, 3, 2], &[0.0, 0.1, 0.2, 0.3]).run()?;
    /// assert_eq!((keys.as_slice()?, values.as_slice()?), (&[1, 2, 3, 3][..], &[0.1, 0.3, 0.0, 0.2][..]));
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn sort_pairs<S, V>(&self, keys: S, values: V) -> Task<'_, Sort<S::Source, Values<V::Source>>>
    where
        S: IntoSource<Item: SortKey>,
        V: IntoSource<Item: Element>,
    {
        let along = Values(values.into_source());
        Task::new(self, Sort { source: keys.into_source(), order: Order::default(), along })
    }

    /// The positions of the keys in ascending order of the keys: `keys[out[0]]` is the smallest. Positions of equal keys ascend. As
    /// [`Engine::sort`] otherwise.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let x = [0.5_f32, -2.0, 9.0, -2.0];
    /// let order = engine.arg_sort(&x).run()?;
    /// assert_eq!(order.as_slice()?, [1, 3, 0, 2]);
    /// assert_eq!(engine.collect(gather(&x, &order)).run()?.as_slice()?, [-2.0, -2.0, 0.5, 9.0]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more than 2^32 - 1 keys.
    #[inline]
    pub fn arg_sort<S: IntoSource<Item: SortKey>>(&self, keys: S) -> Task<'_, Sort<S::Source, Positions>> {
        Task::new(self, Sort { source: keys.into_source(), order: Order::default(), along: Positions })
    }
}

/// See [`Engine::sort`], [`Engine::sort_pairs`] and [`Engine::arg_sort`].
pub struct Sort<S, A = Nothing> {
    source: S,
    order: Order,
    along: A,
}

/// Keys are sorted alone.
pub struct Nothing;

/// Keys that are sorted where they are.
pub struct InPlace<'d, T: Element>(Destination<'d, T>);

/// These values move along with the keys.
pub struct Values<V>(V);

/// The positions of the keys are wanted, and not the keys.
pub struct Positions;

/// In which order.
#[derive(Clone, Default)]
pub(crate) struct Order {
    pub(crate) descending: bool,
    /// The bits of the ordered form that take part; all if nothing is said.
    pub(crate) bits: Option<Range<u32>>,
}

impl Order {
    /// The bits that take part, of a key as wide as `all`.
    pub(crate) fn mask(&self, all: u64) -> u64 {
        let below = |bit: u32| 1_u64.checked_shl(bit).map_or(u64::MAX, |bit| bit - 1);
        self.bits.as_ref().map_or(all, |bits| below(bits.end) & !below(bits.start))
    }

    fn check<T: SortKey>(&self) -> Result<()> {
        let width = 8 * size_of::<T>() as u32;
        match &self.bits {
            Some(bits) if bits.start > bits.end || bits.end > width => Err(Error::Config {
                message: format!("a sort by the bits {}..{}: the keys have the bits 0..{width}", bits.start, bits.end),
            }),
            _ => Ok(()),
        }
    }
}

/// The problem of a sort of what this source reads. If that is data as they are, a GPU moves it in words, of whatever type it is.
fn describe_sort<S: Source<Item: Element>>(survey: &mut Survey<'_>, source: &S, plain: bool) -> Result<Problem> {
    let problem = describe_exact(survey, Operation::Sort, source)?;
    let gpu = problem.gpu;
    // Counts and outputs besides.
    let gpu = GpuNeeds { int64: gpu.int64 && !plain, float64: gpu.float64 && !plain, bindings: gpu.bindings.max(2) + 3, ..gpu };
    Ok(Problem { gpu, ..problem })
}

/// Whether a source gives data as they are.
fn is_plain<S: Source<Item: Element>>(source: &S) -> bool {
    cost::of_source(source, 0).plain
}

impl<'e, S, A> Task<'e, Sort<S, A>>
where
    Sort<S, A>: Primitive,
{
    /// The largest first. Equal keys keep their order, as in the ascending one.
    pub fn descending(self) -> Self {
        self.with(|sort| Sort { order: Order { descending: true, ..sort.order }, ..sort })
    }

    /// Sorts by these bits of the keys' ordered form ([`SortKey`]) alone, where bit 0 is the lowest. Keys that are equal in them keep
    /// their order. Fewer bits take less time. Running the task gives [`Error::Config`] if the keys have not so many.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let by_high_byte = engine.sort(&[0x0203_u32, 0x0102, 0x0201, 0x0101]).bits(8..16).run()?;
    /// assert_eq!(by_high_byte.as_slice()?, [0x0102, 0x0101, 0x0203, 0x0201]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn bits(self, bits: Range<u32>) -> Self {
        self.with(|sort| Sort { order: Order { bits: Some(bits), ..sort.order }, ..sort })
    }
}

impl<S: Source<Item: SortKey>> Primitive for Sort<S> {
    type Output = Array<S::Item>;

    #[inline]
    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        self.order.check::<S::Item>()?;
        Ok(Problem { allocates: true, ..describe_sort(survey, &self.source, is_plain(&self.source))? })
    }
    #[inline]
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        Ok(Array::from_memory(engine, cpu.allocate(n, |out| cpu::sort(cpu, &self.source, &self.order, out))?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        gpu::sort(on, &self.source, &self.order)
    }
}

impl<S: Source<Item: SortKey>> Fill for Sort<S> {
    type Item = S::Item;

    fn outputs(&self) -> Result<usize> {
        self.source.len()
    }
    fn fill(&mut self, cpu: &Cpu<'_>, _: usize, out: ViewMut<'_, S::Item>) -> Result<()> {
        cpu::sort(cpu, &self.source, &self.order, out)
    }
}

impl<T: SortKey> Primitive for Sort<InPlace<'_, T>> {
    type Output = ();

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        self.order.check::<T>()?;
        let problem = describe_sort(survey, &SliceSource::new(self.source.0.data()), true)?;
        Ok(Problem { result_on_host: matches!(self.source.0, Destination::Slice(_)), ..problem })
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        visitor.visit(self.source.0.data())
    }
    fn inherit(&self, _: &Self::Output, forgone: f64) {
        self.source.0.inherit(forgone);
    }
    fn run_cpu(&mut self, _: &Engine, cpu: &Cpu<'_>, _: usize) -> Result<()> {
        let keys = match &mut self.source.0 {
            Destination::Slice(slice) => slice,
            Destination::Array(array) => array.overwrite_host().expect("the task has brought its arrays to the host"),
        };
        cpu::sort_in_place(cpu, &self.order, keys)
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(&'t mut self, on: crate::backend::gpu::Recording<'_>) -> Result<crate::backend::gpu::Started<'t, ()>> {
        let result = gpu::sort(on, &SliceSource::new(self.source.0.data()), &self.order)?;
        Ok(result.into_destination(&mut self.source.0))
    }
}

impl<S: Source<Item: SortKey>, V: Source<Item: Element>> Primitive for Sort<S, Values<V>> {
    type Output = (Array<S::Item>, Array<V::Item>);

    #[inline]
    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        self.order.check::<S::Item>()?;
        let (pairs, plain) = (zip(self.source, self.along.0), is_plain(&self.source) && is_plain(&self.along.0));
        let item_bytes = size_of::<S::Item>() + size_of::<V::Item>();
        Ok(Problem { allocates: true, item_bytes, ..describe_sort(survey, &pairs, plain)? })
    }
    #[inline]
    fn data<D: DataVisitor>(&self, visitor: &mut D) -> Result<()> {
        self.source.data(visitor)?;
        self.along.0.data(visitor)
    }
    fn inherit(&self, (keys, values): &Self::Output, forgone: f64) {
        keys.forgo(forgone);
        values.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        let mut values = Memory::default();
        let keys = cpu.allocate(n, |keys| {
            values = cpu.allocate(n, |values| cpu::sort_pairs(cpu, &self.source, &self.along.0, &self.order, (keys, values)))?;
            Ok(())
        })?;
        Ok((Array::from_memory(engine, keys), Array::from_memory(engine, values)))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        gpu::sort_pairs(on, &self.source, &self.along.0, &self.order)
    }
}

impl<S: Source<Item: SortKey>> Primitive for Sort<S, Positions> {
    type Output = Array<u32>;

    #[inline]
    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        self.order.check::<S::Item>()?;
        let problem = describe_sort(survey, &self.source, is_plain(&self.source))?;
        let limit = u32::MAX as usize;
        if problem.n > limit {
            return Err(Error::TooLarge { elements: problem.n, limit });
        }
        // A position moves along with each key, of which the result has nothing.
        Ok(Problem { allocates: true, item_bytes: size_of::<S::Item>() + size_of::<u32>(), ..problem })
    }
    #[inline]
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        Ok(Array::from_memory(engine, cpu.allocate(n, |out| cpu::arg_sort(cpu, &self.source, &self.order, out))?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        gpu::arg_sort(on, &self.source, &self.order)
    }
}
