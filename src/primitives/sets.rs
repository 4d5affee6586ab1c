//! Set operations on sorted data, as `std::set_union` and its like in C++ have them: an element may be there several times.
//!
//! Of `m` equal elements in `a` and `n` in `b` the k-th in `a` is matched with the k-th in `b`. Two searches by halving find an element's
//! number among its equals and whether there is one to match it, so all elements are looked at independently; then it is a selection, or
//! a merge of what is kept.

use crate::array::{Array, Data, DataVisitor};
use crate::backend::cpu::Cpu;
use crate::element::{Element, Number};
use crate::engine::Engine;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::plan::{GpuNeeds, Operation, Problem};
use crate::source::{IntoSource, Map, Places, SliceSource, Source, Zip2, zip};
use crate::task::{Primitive, Survey, Task};

use super::search::below;
use super::select::{self, Filter, Flagged};
use super::{describe_exact, merge, with_comparison};

/// Whether the element at a place of a sorted slice has its match in another.
#[granule_macros::kernel]
fn matched<T: Number + Element>(x: T, i: u32, own: &[T], other: &[T]) -> bool {
    let at = below(x, other) + (i - below(x, own));
    at < other.len() as u32 && other[at as usize] == x
}

/// Whether it has none.
#[granule_macros::kernel]
fn unmatched<T: Number + Element>(x: T, i: u32, own: &[T], other: &[T]) -> bool {
    !matched(x, i, own, other)
}

/// Whether an element comes first.
#[granule_macros::kernel]
fn less<T: Number + Element>(a: T, b: T) -> bool {
    a < b
}

/// The same of elements with flags.
#[cfg(feature = "gpu")]
#[granule_macros::kernel]
fn less_flagged<T: Number + Element>(a: (T, bool), b: (T, bool)) -> bool {
    a.0 < b.0
}

/// Elements with whether they are kept.
type Kept<'d, T, K> = Zip2<SliceSource<'d, T>, Map<Zip2<SliceSource<'d, T>, Places>, K>>;

fn kept<'d, T: Element, K: Kernel<(T, u32), Out = bool>>(data: Data<'d, T>, keep: K) -> Kept<'d, T, K> {
    let source = SliceSource::new(data);
    zip(source, zip(source, Places).map(keep))
}

impl Engine {
    /// The elements of `a` that are in `b` too: of `m` equal ones in `a` and `n` in `b` the first `min(m, n)` of `a`
    /// (`std::set_intersection`).
    ///
    /// Both are in ascending order by `<`, without NaN; or else the result is some of the elements. A selection, as [`Engine::filter`]: the
    /// count stays on the GPU until somebody asks. For each element of `a` two searches by halving; neighbours find theirs in the
    /// caches. Exact, and the same everywhere. Up to 2^32 - 1 elements each; on a GPU each has to fit one binding, for it is searched at
    /// computed places.
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
    ) -> Task<'_, Filter<impl Source<Item = (T, u32)>>> {
        let (a, b) = (a.into(), b.into());
        Task::new(self, Filter::new(kept(a, matched::with(a, b)).map(Flagged)))
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
    ) -> Task<'_, Filter<impl Source<Item = (T, u32)>>> {
        let (a, b) = (a.into(), b.into());
        Task::new(self, Filter::new(kept(a, unmatched::with(a, b)).map(Flagged)))
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
    ) -> Task<'_, Union<'d, T>> {
        Task::new(self, Union { a: a.into(), b: b.into(), symmetric: false })
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
    ) -> Task<'_, Union<'d, T>> {
        Task::new(self, Union { a: a.into(), b: b.into(), symmetric: true })
    }
}

/// See [`Engine::set_union`] and [`Engine::set_symmetric_difference`].
pub struct Union<'d, T: Element> {
    a: Data<'d, T>,
    b: Data<'d, T>,
    /// Whether what is in both is left out.
    symmetric: bool,
}

impl<T: Number + Element> Primitive for Union<'_, T> {
    type Output = Array<T>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let a = describe_exact(survey, Operation::Merge, &kept(self.a, unmatched::with(self.a, self.b)))?;
        let b = SliceSource::new(self.b).len()?;
        // What is searched, flags, and what is merged.
        let gpu = GpuNeeds { bindings: a.gpu.bindings + 4, ..a.gpu };
        let code = a.code.rotate_left(5) ^ u64::from(self.symmetric);
        let problem = Problem { n: a.n.saturating_add(b), gpu, code, item_bytes: size_of::<T>(), allocates: true, ..a };
        Ok(with_comparison::<T, _>(problem, &less::with()))
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        visitor.visit(self.a)?;
        visitor.visit(self.b)
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, _: usize) -> Result<Self::Output> {
        let only = |own: Data<'_, T>, other: Data<'_, T>| {
            let source = kept(own, unmatched::with(own, other)).map(Flagged);
            select::cpu::select::<T, _, 1>(cpu, &source, own.len()).map(|[kept]| kept)
        };
        let b = only(self.b, self.a)?;
        let own;
        let a = if self.symmetric {
            own = only(self.a, self.b)?;
            &own[..]
        } else {
            self.a.host()
        };
        let n = a.len() + b.len();
        let merged = cpu.allocate(n, |out| {
            merge::cpu::merge(cpu, (&a.into_source(), &(&b).into_source()), (a.len(), b.len()), &less::with(), out)
        })?;
        Ok(Array::from_memory(engine, merged))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(
        &'t mut self,
        on: crate::backend::gpu::Recording<'_>,
    ) -> Result<crate::backend::gpu::Started<'t, Self::Output>> {
        use crate::source::constant;

        let first = SliceSource::new(self.a);
        let b = kept(self.b, unmatched::with(self.b, self.a));
        let less = less_flagged::with();
        let merged = if self.symmetric {
            let a = kept(self.a, unmatched::with(self.a, self.b));
            merge::gpu::merge(on, (&a, &b), &less)?.array()
        } else {
            merge::gpu::merge(on, (&zip(first, constant(true)), &b), &less)?.array()
        };
        let kept = select::gpu::select::<T, _, 1>(on, &(&merged).map(Flagged))?;
        Ok(kept.map(|[kept]| kept))
    }
}
