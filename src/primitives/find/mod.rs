//! Find: the first element for which a kernel says true, and what follows from whether there is one.

pub(super) mod cpu;
#[cfg(feature = "gpu")]
mod gpu;

use crate::array::DataVisitor;
use crate::backend::cpu::Cpu;
use crate::element::{Equal, Number};
use crate::engine::Engine;
use crate::error::Result;
use crate::kernel::{Kernel, Lanes, Varying, ops};
use crate::operator::Sum;
use crate::plan::{Operation, Problem};
use crate::source::{IntoSource, Source, zip};
use crate::task::{Primitive, Survey, Task};

use super::describe;
use super::reduce::Reduce;
use super::then::Then;

impl Engine {
    /// The index of the first element for which a kernel says true; `None` if there is none.
    ///
    /// Bound by bytes. On the CPU what lies behind the first hit is left alone, but for what other workers have begun; a GPU reads
    /// everything.
    ///
    /// ```
    /// use granule::kernel;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.find_first(&[3, 8, 1, 9], kernel!(|x: i32| x > 5)).run()?, Some(1));
    /// assert_eq!(engine.find_first(&[3, 8, 1, 9], kernel!(|x: i32| x > 9)).run()?, None);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn find_first<S, K>(&self, source: S, kernel: K) -> Task<'_, Find<impl Source<Item = bool>>>
    where
        S: IntoSource,
        K: Kernel<S::Item, Out = bool>,
    {
        Task::new(self, Find { source: source.map(kernel) })
    }

    /// Whether a kernel says true for any element; false if there is none. As [`Engine::find_first`].
    ///
    /// ```
    /// use granule::kernel;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert!(engine.any(&[3, 8, 1, 9], kernel!(|x: i32| x == 8)).run()?);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn any<S, K>(&self, source: S, kernel: K) -> Task<'_, Then<Find<impl Source<Item = bool>>, bool>>
    where
        S: IntoSource,
        K: Kernel<S::Item, Out = bool>,
    {
        self.find_first(source, kernel).then(|found| found.is_some())
    }

    /// Whether a kernel says true for all elements; true if there is none. As [`Engine::find_first`].
    ///
    /// ```
    /// use granule::kernel;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert!(engine.all(&[3, 8, 1, 9], kernel!(|x: i32| x < 10)).run()?);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn all<S, K>(&self, source: S, kernel: K) -> Task<'_, Then<Find<impl Source<Item = bool>>, bool>>
    where
        S: IntoSource,
        K: Kernel<S::Item, Out = bool>,
    {
        self.find_first(source.map(kernel), Not).then(|found| found.is_none())
    }

    /// How many elements a kernel says true for.
    ///
    /// Bound by bytes: a reduction. Up to 2^32 - 1 elements, [`Error::TooLarge`](crate::Error::TooLarge) for more.
    ///
    /// ```
    /// use granule::kernel;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.count(&[3, 8, 1, 9], kernel!(|x: i32| x > 2)).run()?, 3);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn count<S, K>(&self, source: S, kernel: K) -> Task<'_, Then<Reduce<impl Source<Item = u32>, Sum>, usize>>
    where
        S: IntoSource,
        K: Kernel<S::Item, Out = bool>,
    {
        self.reduce(source.map(kernel).map(One), Sum).then_up_to(u32::MAX as usize, |count| count as usize)
    }

    /// The first index at which two sources differ, by `!=`: NaN differs from all. As [`Engine::find_first`] otherwise; the sources are
    /// equally long.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.mismatch(&[1, 2, 3], &[1, 5, 3]).run()?, Some(1));
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn mismatch<A, B>(&self, a: A, b: B) -> Task<'_, Find<impl Source<Item = bool>>>
    where
        A: IntoSource<Item: Equal>,
        B: IntoSource<Item = A::Item>,
    {
        self.find_first(zip(a, b), Unlike)
    }

    /// Whether two sources hold the same, by `==`: NaN equals nothing. As [`Engine::mismatch`].
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert!(engine.equal(&[1, 2, 3], iota(1..4)).run()?);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn equal<A, B>(&self, a: A, b: B) -> Task<'_, Then<Find<impl Source<Item = bool>>, bool>>
    where
        A: IntoSource<Item: Equal>,
        B: IntoSource<Item = A::Item>,
    {
        self.mismatch(a, b).then(|found| found.is_none())
    }

    /// Whether no element is below the one before it. NaN is below nothing, and nothing below it. As [`Engine::find_first`].
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert!(engine.is_sorted(&[1, 2, 2, 5]).run()?);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn is_sorted<S>(&self, source: S) -> Task<'_, Then<Find<impl Source<Item = bool>>, bool>>
    where
        S: IntoSource<Item: Number>,
    {
        self.find_first(source.pairs(), Falls).then(|found| found.is_none())
    }
}

/// The first index at which a source is true. See [`Engine::find_first`].
pub struct Find<S> {
    source: S,
}

impl<S: Source<Item = bool>> Primitive for Find<S> {
    type Output = Option<usize>;

    #[inline]
    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        Ok(Problem { result_on_host: true, ..describe(survey, Operation::Reduce, &self.source)? })
    }
    #[inline]
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)
    }
    fn run_cpu(&mut self, _: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        cpu::find(cpu, &self.source, n)
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        gpu::find(on, &self.source)
    }
}

macro_rules! kernels {
    ($($(#[$doc:meta])* $name:ident<$($t:ident: $bound:ident)?>($x:ty) -> $out:ty = |$l:ident, $p:pat_param| $body:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        struct $name;

        impl<$($t: $bound)?> Kernel<$x> for $name {
            type Out = $out;
            #[inline(always)]
            fn eval<L: Lanes>(&self, $l: L, $p: Varying<L, $x>) -> Varying<L, $out> {
                $body
            }
        }
    )+};
}
kernels! {
    /// `!x`
    Not<>(bool) -> bool = |l, x| ops::not(l, x);
    /// 1 for true, 0 for false.
    One<>(bool) -> u32 = |l, x| ops::select(l, x, ops::lit(l, 1), ops::lit(l, 0));
    /// `a != b`
    Unlike<T: Equal>((T, T)) -> bool = |l, Varying((a, b))| ops::ne(l, a, b);
    /// Whether the second is below the first.
    Falls<T: Number>((T, T)) -> bool = |l, Varying((x, next))| ops::lt(l, next, x);
}
