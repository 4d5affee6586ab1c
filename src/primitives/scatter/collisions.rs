//! What several elements give to one place.

use crate::array::DataVisitor;
use crate::backend::simd::OneLane;
use crate::element::{Element, LeafBuild, Offset, Scalar};
use crate::error::Result;
use crate::operator::Operator;
use crate::plan::Problem;
use crate::primitives::total::combine;
use crate::primitives::with_operator;

#[cfg(feature = "gpu")]
use {
    super::gpu,
    crate::backend::gpu::{Buffer, Recording},
    crate::primitives::map::gpu::data,
    crate::source::{IntoSource, Source, constant},
};

/// What several elements give to one place: [`Last`] or [`Combined`].
pub trait Collisions<T: Element>: Copy + Send + Sync {
    /// What is there before.
    #[doc(hidden)]
    fn start(&self) -> T;
    /// What is there after another.
    #[doc(hidden)]
    fn meet(&self, before: T, x: T) -> T;
    /// The problem with what this adds to it.
    #[doc(hidden)]
    fn describe(&self, problem: Problem) -> Problem;
    /// Shows the slices that are read.
    #[doc(hidden)]
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()>;
    /// Memory for so many elements, with what is there before.
    #[cfg(feature = "gpu")]
    #[doc(hidden)]
    fn started(&self, on: Recording<'_>, len: usize) -> Result<Buffer>;
    /// Records the scatter into memory of so many elements.
    #[cfg(feature = "gpu")]
    #[doc(hidden)]
    fn record<I: Source<Item = u32>, V: Source<Item = T>>(
        &self,
        on: Recording<'_>,
        entries: (&I, &V),
        out: (&Buffer, usize),
    ) -> Result<()>;
}

/// The last in order stays.
#[derive(Clone, Copy, Debug)]
pub struct Last;

/// They are combined by an operator.
#[derive(Clone, Copy, Debug)]
pub struct Combined<O>(pub(super) O);

/// Makes an element of zeros.
struct Zeros;

impl LeafBuild<OneLane> for Zeros {
    fn leaf<S: Scalar>(&mut self, _: Offset) -> S::In<OneLane> {
        S::ZERO.to_one()
    }
}

impl<T: Element> Collisions<T> for Last {
    fn start(&self) -> T {
        T::from_one(T::build(&mut Zeros, Offset::START))
    }
    #[inline(always)]
    fn meet(&self, _: T, x: T) -> T {
        x
    }
    fn describe(&self, problem: Problem) -> Problem {
        problem
    }
    fn data<V: DataVisitor>(&self, _: &mut V) -> Result<()> {
        Ok(())
    }
    #[cfg(feature = "gpu")]
    fn started(&self, on: Recording<'_>, len: usize) -> Result<Buffer> {
        let out = on.executor().items(T::WORDS, len as u64)?;
        on.gpu.clear(&out, 0, len as u64 * crate::backend::gpu::element_bytes::<T>())?;
        Ok(out)
    }
    #[cfg(feature = "gpu")]
    fn record<I: Source<Item = u32>, V: Source<Item = T>>(
        &self,
        on: Recording<'_>,
        entries: (&I, &V),
        out: (&Buffer, usize),
    ) -> Result<()> {
        gpu::last(on, entries, out)
    }
}

impl<T: Element, O: Operator<T>> Collisions<T> for Combined<O> {
    fn start(&self) -> T {
        self.0.identity()
    }
    #[inline(always)]
    fn meet(&self, before: T, x: T) -> T {
        combine(&self.0, before, x)
    }
    fn describe(&self, mut problem: Problem) -> Problem {
        // What is there is read as well.
        problem.element.bytes_random += size_of::<T>() as f32;
        #[cfg(feature = "gpu")]
        if gpu::atomic::<T, O>().is_none() {
            problem.operation = crate::plan::Operation::ScatterReduce;
        }
        with_operator::<T, O>(problem, &self.0)
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.0.data(visitor)
    }
    #[cfg(feature = "gpu")]
    fn started(&self, on: Recording<'_>, len: usize) -> Result<Buffer> {
        if len == 0 {
            return on.executor().items(T::WORDS, 0);
        }
        data(on, &constant(self.0.identity()).take(len))
    }
    #[cfg(feature = "gpu")]
    fn record<I: Source<Item = u32>, V: Source<Item = T>>(
        &self,
        on: Recording<'_>,
        entries: (&I, &V),
        out: (&Buffer, usize),
    ) -> Result<()> {
        match gpu::atomic::<T, O>() {
            Some(function) => gpu::combine_atomically(on, entries, function, out),
            None => gpu::combine_sorted(on, entries, &self.0, out),
        }
    }
}
