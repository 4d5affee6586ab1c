//! Merge: two sorted sources in one order.

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::kernel::cost::{Cost, Ops};
use crate::kernel::{Kernel, Lanes, Varying, ops};
use crate::plan::{GpuNeeds, Operation, Problem};
use crate::source::{IntoSource, Source};
use crate::task::{Primitive, Survey, Task};

use super::sort::SortKey;
use super::{Fill, describe_exact, with_comparison};

impl Engine {
    /// The elements of two sources that are in ascending order, all in ascending order. Stable: of equal elements those of `a` come first,
    /// and those of one source keep their order.
    ///
    /// Elements are `u32`, `i32`, `f32`, `u64`, `i64` or `f64`, in the total order of [`Engine::sort`], which tells -0 from +0 and has
    /// a place for NaN. Deterministic: the same on every backend. If a source is empty the other is copied. If one is not in order, the
    /// result is some of the elements, in no order.
    ///
    /// One pass: each element is read and written once, by merge path; besides each worker, and each workgroup, searches for where its
    /// share begins. A GPU evaluates a source that is computed beforehand.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let merged = engine.merge(&[1, 3, 3, 9], &[2, 3, 10]).run()?;
    /// assert_eq!(merged.as_slice()?, [1, 2, 3, 3, 3, 9, 10]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn merge<A, B>(&self, a: A, b: B) -> Task<'_, Merge<A::Source, B::Source, TotalOrder>>
    where
        A: IntoSource<Item: SortKey + Element>,
        B: IntoSource<Item = A::Item>,
    {
        Task::new(self, Merge { a: a.into_source(), b: b.into_source(), less: TotalOrder })
    }

    /// The same in an order of the caller's: `less(a, b)` says whether `a` comes before `b`. Elements are of any type; sources that are
    /// zipped are merged as pairs, of a key and a value for instance.
    ///
    /// `less` has to be a strict weak order, as for [`Engine::sort_by`], and both sources in it. Otherwise as [`Engine::merge`].
    ///
    /// ```
    /// use granule::kernel;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let first = kernel!(|a: (u32, f32), b: (u32, f32)| a.0 < b.0);
    /// let merged = engine.merge_by(zip(&[1, 4], &[0.1, 0.4]), zip(&[1, 2], &[1.1, 1.2]), first).run()?;
    /// assert_eq!(merged.as_slice()?, [(1, 0.1), (1, 1.1), (2, 1.2), (4, 0.4)]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn merge_by<A, B, K>(&self, a: A, b: B, less: K) -> Task<'_, Merge<A::Source, B::Source, K>>
    where
        A: IntoSource<Item: Element>,
        B: IntoSource<Item = A::Item>,
        K: Kernel<(A::Item, A::Item), Out = bool>,
    {
        Task::new(self, Merge { a: a.into_source(), b: b.into_source(), less })
    }
}

/// Whether one sort key is below another, in the total order of [`SortKey`].
#[derive(Clone, Copy)]
pub struct TotalOrder;

impl<T: SortKey> Kernel<(T, T)> for TotalOrder {
    type Out = bool;

    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, Varying((a, b)): Varying<L, (T, T)>) -> Varying<L, bool> {
        ops::lt(l, T::ordered_in(l, a), T::ordered_in(l, b))
    }
}

/// See [`Engine::merge`].
pub struct Merge<A, B, K> {
    a: A,
    b: B,
    less: K,
}

/// The cost of an element that is of one source or of the other, of so many.
fn mean((a, left): (Cost, usize), (b, right): (Cost, usize)) -> Cost {
    let share = left as f32 / (left + right).max(1) as f32;
    let mean = |a: f32, b: f32| a * share + b * (1.0 - share);
    Cost {
        bytes_read: mean(a.bytes_read, b.bytes_read),
        bytes_random: mean(a.bytes_random, b.bytes_random),
        ops: Ops {
            simple: mean(a.ops.simple, b.ops.simple),
            divide: mean(a.ops.divide, b.ops.divide),
            function: mean(a.ops.function, b.ops.function),
        },
        loops_unknown: a.loops_unknown || b.loops_unknown,
        loops_passed: a.loops_passed || b.loops_passed,
    }
}

impl<T: Element, A: Source<Item = T>, B: Source<Item = T>, K: Kernel<(T, T), Out = bool>> Primitive for Merge<A, B, K> {
    type Output = Array<T>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let a = describe_exact(survey, Operation::Merge, &self.a)?;
        let b = describe_exact(survey, Operation::Merge, &self.b)?;
        let Some(n) = a.n.checked_add(b.n) else {
            return Err(Error::TooLarge { elements: usize::MAX, limit: isize::MAX as usize / size_of::<T>() });
        };
        // Sources are bound one after the other if they are computed; then both as they are, the path through them, where tiles begin,
        // and the output.
        let gpu = GpuNeeds { bindings: a.gpu.bindings.max(b.gpu.bindings).max(4) + 1, ..a.gpu.and(b.gpu) };
        let element = mean((a.element, a.n), (b.element, b.n));
        let code = a.code.rotate_left(31) ^ b.code;
        Ok(with_comparison(Problem { n, element, gpu, code, allocates: true, ..a }, &self.less))
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.a.data(visitor)?;
        self.b.data(visitor)?;
        self.less.data(visitor)
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
        gpu::merge(on, (&self.a, &self.b), &self.less)
    }
}

impl<T: Element, A: Source<Item = T>, B: Source<Item = T>, K: Kernel<(T, T), Out = bool>> Fill for Merge<A, B, K> {
    type Item = T;

    fn outputs(&self) -> Result<usize> {
        Ok(self.a.len()?.saturating_add(self.b.len()?))
    }
    fn fill(&mut self, cpu: &Cpu<'_>, _: usize, out: ViewMut<'_, T>) -> Result<()> {
        cpu::merge(cpu, (&self.a, &self.b), (self.a.len()?, self.b.len()?), &self.less, out)
    }
}
