//! Histogram: how many elements fall into each bin, or what they weigh.

mod bins;
pub(super) mod cpu;
mod entry;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;

pub use bins::{Bins, Edges, Even, Numbered, Spread};
pub use entry::Amount;

use std::ops::Range;

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::{Element, Number};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::kernel::cost::{Cost, Ops};
use crate::plan::{Operation, Problem};
use crate::source::{self, IntoSource, Source, Zip2, zip};
use crate::task::{Primitive, Survey, Task};

use super::{Fill, describe};
use entry::Entry;

impl Engine {
    /// How often each of the numbers `0..bins` occurs; others are not counted.
    ///
    /// The numbers may be computed by a kernel, when and where they are read. Several channels are counted in one pass with
    /// `channel * bins + value` for a number. [`weights`](Task::weights) adds what each element weighs instead of 1.
    ///
    /// Exact, and the same everywhere: no order is seen in a sum of integers. Empty input gives zeros. Bound by bytes on a GPU, and
    /// by one addition in memory an element on the CPU; each element is read once. A bin may receive any share of the elements, all
    /// of them too. The bins should be fewer than the elements: on several cores each has a table of them, which are added up.
    ///
    /// # Errors
    /// When the task is run: [`Error::Bins`] for no bins; [`Error::TooLarge`] for more than 2^32 - 2 bins or 2^32 - 1 elements.
    ///
    /// ```
    /// use granule::kernel;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let counts = engine.histogram(&[1_u32, 3, 1, 9], 4).run()?;
    /// assert_eq!(counts.as_slice()?, [0, 2, 0, 1]);
    ///
    /// // Two bins for each of three channels.
    /// let pixels = [0xff0000_u32, 0xff00ff, 0x00ff00];
    /// let numbers = iota(0..9_u32).map(kernel!([pixels: &[u32] = &pixels] |i: u32| {
    ///     let value = pixels[(i / 3) as usize] >> (8 * (i % 3)) & 255;
    ///     i % 3 * 2 + value / 128
    /// }));
    /// let counts = engine.histogram(numbers, 3 * 2).run()?;
    /// assert_eq!(counts.as_slice()?, [2, 1, 2, 1, 1, 2]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn histogram<S>(&self, source: S, bins: usize) -> Task<'_, Histogram<S::Source, Numbered>>
    where
        S: IntoSource<Item = u32>,
    {
        Task::new(self, Histogram { source: source.into_source(), bins: Numbered(bins) })
    }

    /// How many elements fall into each of `bins` bins that divide a range evenly: `f32`, `i32` or `u32`, and up to 2^20 bins.
    ///
    /// Edge `k` is `lo + k * ((hi - lo) / bins)`, computed in `f64`; the last is `hi`. Bin `k` holds the elements from edge `k` to below
    /// edge `k + 1`, compared without rounding; the last bin holds `hi` too. That is numpy's rule. NaN and what lies outside is not
    /// counted. The same on every backend (but a GPU may take an `f32` below 2^-126 for zero).
    ///
    /// Each element reads one edge at a computed place. Otherwise as [`Engine::histogram`].
    ///
    /// # Errors
    /// When the task is run: [`Error::Bins`] for no bins, if `lo` is not below `hi`, or if an `f32` range is wider than the largest
    /// `f32` or a bin is narrower than 2^-126; [`Error::TooLarge`] for more than 2^20 bins or 2^32 - 1 elements.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let counts = engine.histogram_even(&[0.1_f32, 0.6, 0.5, 1.0, 1.1], 0.0..1.0, 2).run()?;
    /// assert_eq!(counts.as_slice()?, [1, 3]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn histogram_even<T, S>(&self, source: S, range: Range<T>, bins: usize) -> Task<'_, Histogram<S::Source, Even<T>>>
    where
        T: Spread,
        S: IntoSource<Item = T>,
    {
        Task::new(self, Histogram { source: source.into_source(), bins: Even::new(range, bins) })
    }

    /// How many elements fall between given edges: one bin less than edges.
    ///
    /// Bin `k` holds the elements from `edges[k]` to below `edges[k + 1]`, and the last bin `edges[k + 1]` too: numpy's rule. NaN and
    /// what lies outside is not counted. About log2 of the number of edges of reads at computed places for each element. Otherwise as
    /// [`Engine::histogram`].
    ///
    /// # Errors
    /// When the task is run: [`Error::Bins`] for fewer than two edges, or if they are not in ascending order (equal ones may follow each
    /// other) or one is NaN; [`Error::TooLarge`] for more than 2^32 - 1 edges or elements.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let counts = engine.histogram_edges(&[3, 10, 11, 99, 100, 101], &[0, 10, 100]).run()?;
    /// assert_eq!(counts.as_slice()?, [1, 4]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn histogram_edges<'d, T, S>(&self, source: S, edges: &'d [T]) -> Task<'_, Histogram<S::Source, Edges<'d, T>>>
    where
        T: Number + Element,
        S: IntoSource<Item = T>,
    {
        Task::new(self, Histogram { source: source.into_source(), bins: Edges(edges) })
    }
}

/// See [`Engine::histogram`].
pub struct Histogram<S, B> {
    source: S,
    bins: B,
}

/// See [`Engine::histogram`] and `weights`.
pub struct Weighted<S, B, W> {
    histogram: Histogram<S, B>,
    weights: W,
}

impl<'e, S: Source, B: Bins<S::Item>> Task<'e, Histogram<S, B>> {
    /// Adds what each element weighs to its bin, instead of 1. There are as many weights as elements.
    ///
    /// Sums of integers wrap, and are exact and the same everywhere. Sums of floats are added up in an order that the number of
    /// elements and bins fixes: they have the same bits at every SIMD level and worker count. They run on the CPU alone: no GPU adds
    /// floats in a fixed order in memory that is shared, so a call that is pinned to one gives
    /// [`Error::Unsupported`]; multiply by a power of two and round to `i32` to count there. So do 64-bit weights.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let sums = engine.histogram(&[1_u32, 0, 1], 2).weights(&[0.5_f32, 4.0, 0.25]).run()?;
    /// assert_eq!(sums.as_slice()?, [4.0, 0.75]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn weights<W: IntoSource<Item: Amount>>(self, weights: W) -> Task<'e, Weighted<S, B, W::Source>> {
        let weights = weights.into_source();
        self.with(|histogram| Weighted { histogram, weights })
    }
}

impl<S: Source, B: Bins<S::Item>> Histogram<S, B> {
    /// The bins' numbers.
    fn numbers(&self) -> source::Map<S, impl Kernel<S::Item, Out = u32>> {
        source::Map::new(self.source, self.bins.kernel())
    }
}

impl<S: Source, B: Bins<S::Item>, W: Source> Weighted<S, B, W> {
    /// The bins' numbers and what goes there.
    fn entries(&self) -> Zip2<source::Map<S, impl Kernel<S::Item, Out = u32>>, W> {
        zip(self.histogram.numbers(), self.weights)
    }
}

/// What an addition in memory takes of the throughput of simple operations on numbers in registers.
const ADDITION: Cost =
    Cost { bytes_read: 0.0, bytes_random: 0.0, ops: Ops::simple(2.0), loops_unknown: false, loops_passed: false };

/// The problem of adding up these entries.
fn problem<E: Entry, S: Source<Item = E>>(survey: &Survey<'_>, entries: &S, bins: usize) -> Result<Problem> {
    let limit = u32::MAX as usize;
    if bins >= limit {
        return Err(Error::TooLarge { elements: bins, limit: limit - 1 });
    }
    let mut problem = describe(survey, Operation::Histogram, entries)?;
    if problem.n > limit {
        return Err(Error::TooLarge { elements: problem.n, limit });
    }
    if !E::Amount::ON_GPU {
        problem.gpu.refused = problem.gpu.refused.or(Some(entry::REFUSED));
    }
    // How fast it is depends on the number of bins.
    let code = problem.code.rotate_left(17) ^ u64::from(bins.ilog2());
    Ok(Problem { item_bytes: bins * size_of::<E::Amount>(), combine: ADDITION, code, allocates: true, ..problem })
}

macro_rules! primitive {
    ($histogram:ty, [$($generics:tt)*], $sum:ty, $entries:ident, $($bins:ident).+) => {
        impl<$($generics)*> Primitive for $histogram {
            type Output = Array<$sum>;

            fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
                problem(survey, &self.$entries(), self.outputs()?)
            }
            fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
                self.$entries().data(visitor)
            }
            fn inherit(&self, output: &Self::Output, forgone: f64) {
                output.forgo(forgone);
            }
            fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
                Ok(Array::from_memory(engine, cpu::histogram(cpu, &self.$entries(), self.outputs()?, n)?))
            }
            #[cfg(feature = "gpu")]
            fn start_gpu<'t>(
                &'t mut self,
                on: crate::backend::gpu::Recording<'_>,
            ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
                gpu::histogram(on, &self.$entries(), self.outputs()?)
            }
        }

        impl<$($generics)*> Fill for $histogram {
            type Item = $sum;

            fn outputs(&self) -> Result<usize> {
                self.$($bins).+.check()
            }
            fn fill(&mut self, cpu: &Cpu<'_>, n: usize, out: ViewMut<'_, $sum>) -> Result<()> {
                let mut sums = cpu::histogram(cpu, &self.$entries(), self.outputs()?, n)?;
                let bins = sums.len();
                out.copy(0, ViewMut::of(&mut sums), bins);
                Ok(())
            }
        }
    };
}
primitive!(Histogram<S, B>, [S: Source, B: Bins<S::Item>], u32, numbers, bins);
primitive!(Weighted<S, B, W>, [S: Source, B: Bins<S::Item>, W: Source<Item: Amount>], W::Item, entries, histogram.bins);
