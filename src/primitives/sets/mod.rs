//! Set operations on sorted data, as `std::set_union` and its like in C++ have them: an element may be there several times.
//!
//! Of `m` equal elements in `a` and `n` in `b` the k-th in `a` is matched with the k-th in `b`; an operation keeps what is matched of each, or
//! what is not.

mod cpu;
#[cfg(feature = "gpu")]
mod gpu;

use crate::array::{Array, Data, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::{Element, Number};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::plan::{GpuNeeds, Operation, Problem};
use crate::source::{IntoSource, Map, Places, SliceSource, Source, Zip2, zip};
use crate::task::{Primitive, Survey, Task};

use super::search::below;
use super::select::Flagged;
use super::{describe_exact, with_comparison};

/// What is kept of one input: these bits, of elements that have a match in the other one and of those that have none.
const MATCHED: u32 = 1;
const UNMATCHED: u32 = 2;
const ALL: u32 = MATCHED | UNMATCHED;
const NONE: u32 = 0;

/// What is kept of `a` and of `b`.
#[derive(Clone, Copy, Hash)]
struct Keep {
    a: u32,
    b: u32,
}

/// Whether the element at a place of a sorted slice is kept. Two searches by halving find its number among its equals and whether there is
/// one to match it, so all elements are looked at independently.
#[granule_macros::kernel]
fn kept<T: Number + Element>(x: T, i: u32, own: &[T], other: &[T], #[uniform] keep: u32) -> bool {
    let at = below(x, other) + (i - below(x, own));
    let matched = at < other.len() as u32 && other[at as usize] == x;
    let bit = if matched { 1 } else { 2 };
    keep & bit != 0
}

/// Whether an element comes first.
#[granule_macros::kernel]
fn less<T: Number + Element>(a: T, b: T) -> bool {
    a < b
}

/// Elements with whether they are kept.
type WithFlags<'d, T, K> = Zip2<SliceSource<'d, T>, Map<Zip2<SliceSource<'d, T>, Places>, K>>;

fn with_flags<'d, T: Number + Element>(
    own: Data<'d, T>,
    other: Data<'d, T>,
    keep: u32,
) -> WithFlags<'d, T, impl Kernel<(T, u32), Out = bool>> {
    let source = SliceSource::new(own);
    zip(source, zip(source, Places).map(kept::with(own, other, keep)))
}

impl Engine {
    /// The elements of `a` that are in `b` too: of `m` equal ones in `a` and `n` in `b` the first `min(m, n)` of `a`
    /// (`std::set_intersection`).
    ///
    /// Both are in ascending order by `<`, without NaN; or else the result is some of the elements. A selection, as [`Engine::filter`]: the
    /// count stays on the GPU until somebody asks. For each element of `a` two searches by halving; neighbours find theirs in the
    /// caches. Exact, and the same everywhere. Up to 2^32 - 1 elements each.
    ///
    /// Inputs above one binding of a GPU are not searched there but merged, with each element's number among its equals: about ten passes,
    /// which read and write 64 bytes in all for each `u32` of both. Up to 2^32 - 1 elements together then, and 2^31 of each.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.set_intersection(&[1, 2, 2, 2, 5], &[2, 2, 3, 5]).run()?.as_slice()?, [2, 2, 5]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn set_intersection<'d, T: Number + Element>(
        &self,
        a: impl Into<Data<'d, T>>,
        b: impl Into<Data<'d, T>>,
    ) -> Task<'_, SetOperation<'d, T>> {
        SetOperation::task(self, a, b, Keep { a: MATCHED, b: NONE })
    }

    /// The elements of `a` that are not in `b`: of `m` equal ones in `a` and `n` in `b` the last `m - n` of `a`, if there are more
    /// (`std::set_difference`). As [`Engine::set_intersection`] otherwise.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.set_difference(&[1, 2, 2, 2, 5], &[2, 2, 3, 5]).run()?.as_slice()?, [1, 2]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn set_difference<'d, T: Number + Element>(
        &self,
        a: impl Into<Data<'d, T>>,
        b: impl Into<Data<'d, T>>,
    ) -> Task<'_, SetOperation<'d, T>> {
        SetOperation::task(self, a, b, Keep { a: UNMATCHED, b: NONE })
    }

    /// The elements that are in `a` or in `b`, in ascending order: of `m` equal ones in `a` and `n` in `b` those of `a`, and then the last
    /// `n - m` of `b`, if there are more (`std::set_union`).
    ///
    /// What [`Engine::set_intersection`] says of order, searches and the count holds here too; and what is kept is merged, as by
    /// [`Engine::merge_by`]. A GPU merges all, and selects then.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.set_union(&[1, 2, 2, 2, 5], &[2, 2, 3, 5]).run()?.as_slice()?, [1, 2, 2, 2, 3, 5]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn set_union<'d, T: Number + Element>(
        &self,
        a: impl Into<Data<'d, T>>,
        b: impl Into<Data<'d, T>>,
    ) -> Task<'_, SetOperation<'d, T>> {
        SetOperation::task(self, a, b, Keep { a: ALL, b: UNMATCHED })
    }

    /// The elements that are in `a` or in `b` but not in both, in ascending order: of `m` equal ones in `a` and `n` in `b` the last `m - n`
    /// of `a`, or the last `n - m` of `b` (`std::set_symmetric_difference`). As [`Engine::set_union`] otherwise.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.set_symmetric_difference(&[1, 2, 2, 2, 5], &[2, 2, 3, 5]).run()?.as_slice()?, [1, 2, 3]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn set_symmetric_difference<'d, T: Number + Element>(
        &self,
        a: impl Into<Data<'d, T>>,
        b: impl Into<Data<'d, T>>,
    ) -> Task<'_, SetOperation<'d, T>> {
        SetOperation::task(self, a, b, Keep { a: UNMATCHED, b: UNMATCHED })
    }
}

/// See [`Engine::set_union`] and [`Engine::set_intersection`].
pub struct SetOperation<'d, T: Element> {
    a: Data<'d, T>,
    b: Data<'d, T>,
    keep: Keep,
}

impl<'d, T: Number + Element> SetOperation<'d, T> {
    fn task<'e>(engine: &'e Engine, a: impl Into<Data<'d, T>>, b: impl Into<Data<'d, T>>, keep: Keep) -> Task<'e, Self> {
        Task::new(engine, SetOperation { a: a.into(), b: b.into(), keep })
    }

    /// The most elements that can result.
    fn bound(&self) -> usize {
        self.a.len().saturating_add(if self.keep.b == NONE { 0 } else { self.b.len() })
    }
}

impl<T: Number + Element> Primitive for SetOperation<'_, T> {
    type Output = Array<T>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let selected = with_flags(self.a, self.b, self.keep.a);
        let operation = if self.keep.b == NONE { Operation::Select } else { Operation::Merge };
        let a = describe_exact(survey, operation, &selected)?;
        let b = SliceSource::new(self.b).len()?;
        let code = a.code.rotate_left(5) ^ u64::from(self.keep.a << 2 | self.keep.b);
        let problem = Problem { code, item_bytes: size_of::<T>(), allocates: true, ..a };
        if operation == Operation::Select {
            return Ok(problem);
        }
        // What is searched, flags, and what is merged.
        let gpu = GpuNeeds { bindings: a.gpu.bindings + 4, ..a.gpu };
        Ok(with_comparison::<T, _>(Problem { n: a.n.saturating_add(b), gpu, ..problem }, &less::with()))
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        visitor.visit(self.a)?;
        visitor.visit(self.b)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, _: usize) -> Result<Self::Output> {
        let [out] = cpu.allocate_each(self.bound(), |[out]| Ok([cpu::write(cpu, self, out)?]))?;
        Ok(Array::from_memory(engine, out))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        gpu::start(on, self)
    }
}

impl<'e, 'd, T: Number + Element> Task<'e, SetOperation<'d, T>> {
    /// Writes into memory that exists, which must have room for as many elements as there can be: those of `a`, and of a union or a symmetric
    /// difference those of `b` too. Running the task then gives how many result: they stand at the beginning, and what follows holds anything.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let mut out = [0; 7];
    /// let n = engine.set_union(&[1, 3, 5], &[2, 3, 4, 5]).into(&mut out).run()?;
    /// assert_eq!(out[..n], [1, 2, 3, 4, 5]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn into<'o>(self, destination: &'o mut [T]) -> Task<'e, SetInto<'o, 'd, T>> {
        self.with(|operation| SetInto { operation, destination })
    }
}

/// See [`Engine::set_union`] and `into`.
pub struct SetInto<'o, 'd, T: Element> {
    operation: SetOperation<'d, T>,
    destination: &'o mut [T],
}

impl<T: Number + Element> Primitive for SetInto<'_, '_, T> {
    type Output = usize;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let problem = self.operation.problem(survey)?;
        let (left, right) = (self.operation.bound(), self.destination.len());
        if left > right {
            return Err(Error::LengthMismatch { left, right });
        }
        Ok(Problem { result_on_host: true, allocates: false, ..problem })
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.operation.data(visitor)
    }
    fn run_cpu(&mut self, _: &Engine, cpu: &Cpu<'_>, _: usize) -> Result<usize> {
        cpu::write(cpu, &self.operation, ViewMut::of(self.destination))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(&'t mut self, on: crate::backend::gpu::Recording<'_>) -> Result<crate::backend::gpu::Started<'t, usize>> {
        let kept = gpu::start(on, &self.operation)?.array();
        kept.copy_later(self.destination)
    }
}
