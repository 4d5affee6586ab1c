//! Sources: anything that can be read by index. They nest lazily and are fused into the primitive that consumes them.

mod beside;
mod cycle;
mod gather;
mod interleave;
mod iota;
mod map;
mod pairs;
mod reshape;
mod rotate;
mod slice;
mod spread;
mod zip;

pub use beside::Beside;
pub(crate) use cycle::Cycle;
pub use gather::{Gather, gather};
pub use interleave::{Interleave, interleave};
pub use iota::{Constant, Iota, constant, iota};
pub(crate) use iota::{Count, Places};
pub use map::Map;
pub use pairs::Pairs;
pub use reshape::{Reverse, Skip, StepBy, Take};
pub use rotate::Rotate;
pub use slice::SliceSource;
pub(crate) use spread::Spread;
pub use zip::{Zip2, Zip3, zip, zip3, zip4, zip5, zip6};

use crate::array::{Data, DataVisitor, Pending};
use crate::element::{Element, Value};
use crate::error::Result;
use crate::kernel::{Kernel, Lanes, Uniform, Varying, ops};
use crate::random::Shuffle;

/// What is read of a source is copied as it is bound, whatever that is bound to.
macro_rules! copied {
    ($bound:ident $(, $param:ident)*) => {
        impl<S: Source, $($param,)* L: Lanes> Clone for $bound<'_, S, $($param,)* L> {
            #[inline(always)]
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<S: Source, $($param,)* L: Lanes> Copy for $bound<'_, S, $($param,)* L> {}
    };
}
use copied;

/// A number that is added to computed indices, or compared with them: these have 32 bits.
#[inline(always)]
fn word<L: Lanes>(l: L, x: usize) -> Uniform<L, u32> {
    ops::uniform(l, x.min(u32::MAX as usize) as u32)
}

/// The length of a source without an end, such as [`constant`].
pub const UNBOUNDED: usize = usize::MAX;

/// Something that can be read by index, in any lanes.
///
/// # Safety
/// Primitives load every index below [`len`](Source::len), and memory is read there without a check. So a length must not change
/// while a task runs; it must be no larger than what `load` can read; and an implementation that wraps another source must load
/// from it what is below that one's length. (A computation on elements needs none of this: it is a
/// [`Kernel`].)
#[allow(clippy::len_without_is_empty, reason = "the length may be an error: nobody can branch on emptiness alone")]
pub unsafe trait Source: Copy + Send + Sync {
    /// What is read.
    type Item: Value;
    /// The source made readable in the lanes `L`: a slice has become a pointer, or a storage binding.
    type Bound<'a, L: Lanes>: Copy
    where
        Self: 'a;
    /// Whether evaluating an element involves a loop.
    const LOOPS: bool = false;

    /// Whether [`inner`](Source::inner) gives more than one stretch: neighbours in memory are then read from several places at once.
    const STRETCHES: bool = false;
    /// Whether it reads structs in order, field by field: each cache line is met several times, and what was asked for ahead is there by then.
    const FIELDS: bool = false;

    /// Number of elements; [`UNBOUNDED`] if there is no end. An error if inputs that are read together differ in length.
    fn len(&self) -> Result<usize>;
    /// The length, if it is one that only a GPU knows yet and needs not be known to read the source there in order.
    fn pending(&self) -> Option<Pending> {
        None
    }
    /// The data, if the source is nothing else: its elements as they stand in memory.
    fn plain(&self) -> Option<Data<'_, Self::Item>>
    where
        Self::Item: Element,
    {
        None
    }
    /// Shows the data that is read, in order.
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()>;
    /// Makes the source readable. Its data was prepared for this backend before.
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a;
    /// The elements that the index stands for. The index is in range.
    fn load<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, Self::Item>
    where
        Self: 'a;
    /// Where the stretch of neighbours that begins at `first` ends, at most at `end`: in it [`load_inner`](Source::load_inner) may stand for
    /// [`load`](Source::load). `first` if there is none there.
    #[inline(always)]
    fn inner<'a, L: Lanes>(_l: L, _bound: Self::Bound<'a, L>, _first: usize, end: usize) -> usize
    where
        Self: 'a,
    {
        end
    }
    /// The same source, which knows of the stretch that begins at `first`: [`load_inner`](Source::load_inner) need not find it again, and
    /// may be asked for its elements alone.
    #[inline(always)]
    fn settle<'a, L: Lanes>(_l: L, bound: Self::Bound<'a, L>, _first: usize) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        bound
    }
    /// As [`load`](Source::load), of neighbours that lie in one stretch: without asking again where they are.
    #[inline(always)]
    fn load_inner<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, Self::Item>
    where
        Self: 'a,
    {
        Self::load(l, bound, i)
    }
    /// The elements `by` further on than those that the index stands for. All of the source up to a vector's width before the first of
    /// these and behind the last is in range, as for [`Lane::load_by`](crate::kernel::Lane::load_by).
    #[inline(always)]
    fn load_by<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index, by: Uniform<L, i32>) -> Varying<L, Self::Item>
    where
        Self: 'a,
    {
        Self::load(l, bound, l.index_by(i, by.0.0))
    }
    /// Asks for what `count` elements from `first` on read in order, which need not exist, to be in the caches soon.
    #[inline(always)]
    fn prefetch<'a, L: Lanes>(_l: L, _bound: Self::Bound<'a, L>, _first: usize, _count: usize)
    where
        Self: 'a,
    {
    }
    /// The elements at any index a lane; out of range reads the nearest in range.
    fn at<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, Self::Item>
    where
        Self: 'a;
}

/// What can be used as a source: every source, and slices, vectors and arrays by reference.
pub trait IntoSource {
    /// The source it becomes.
    type Source: Source<Item = Self::Item>;
    /// What is read.
    type Item: Value;
    /// Converts.
    fn into_source(self) -> Self::Source;

    /// This source with a kernel applied to every element, when and where it is read.
    fn map<K: Kernel<Self::Item>>(self, kernel: K) -> Map<Self::Source, K>
    where
        Self: Sized,
    {
        Map::new(self.into_source(), kernel)
    }

    /// The elements in reverse order.
    fn reverse(self) -> Reverse<Self::Source>
    where
        Self: Sized,
    {
        Reverse::new(self.into_source())
    }

    /// Without the first `n` elements; empty if there are fewer.
    fn skip(self, n: usize) -> Skip<Self::Source>
    where
        Self: Sized,
    {
        Skip::new(self.into_source(), n)
    }

    /// The first `n` elements; all if there are fewer.
    fn take(self, n: usize) -> Take<Self::Source>
    where
        Self: Sized,
    {
        Take::new(self.into_source(), n)
    }

    /// The element that is `by` places further on; where there is none, the nearest: the first, or the last.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.collect((&[1, 4, 9, 16]).beside(-1)).run()?.as_slice()?, [1, 1, 4, 9]);
    /// assert_eq!(engine.collect((&[1, 4, 9, 16]).beside(2)).run()?.as_slice()?, [9, 16, 16, 16]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    fn beside(self, by: isize) -> Beside<Self::Source>
    where
        Self: Sized,
    {
        Beside::new(self.into_source(), by)
    }

    /// Each element with its next: one pair less than elements, none of fewer than two.
    ///
    /// ```
    /// use granule::kernel;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let steps = engine.map((&[1, 4, 9, 16]).pairs(), kernel!(|x: i32, next: i32| next - x)).run()?;
    /// assert_eq!(steps.as_slice()?, [3, 5, 7]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    fn pairs(self) -> Pairs<Self::Source>
    where
        Self: Sized,
    {
        Pairs::new(self.into_source())
    }

    /// Every `step`-th element, from the first on. `step` is at least 1.
    fn step_by(self, step: usize) -> StepBy<Self::Source>
    where
        Self: Sized,
    {
        StepBy::new(self.into_source(), step)
    }

    /// The elements from index `by` on, and then those before it: as `rotate_left` of std. A negative number rotates to the right, as
    /// numpy's `roll` does, and any number is taken modulo the length. Up to 2^32 - 1 elements.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.collect((&[1, 2, 3, 4, 5]).rotate(2)).run()?.as_slice()?, [3, 4, 5, 1, 2]);
    /// assert_eq!(engine.collect((&[1, 2, 3, 4, 5]).rotate(-1)).run()?.as_slice()?, [5, 1, 2, 3, 4]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    fn rotate(self, by: isize) -> Rotate<Self::Source>
    where
        Self: Sized,
    {
        Rotate::new(self.into_source(), by)
    }

    /// Every second element, from the first and from the second on: what [`interleave`] puts together. The first source has one more of an
    /// odd number of elements. A grid of more columns is split by [`transpose`](crate::Engine::transpose).
    fn deinterleave(self) -> (StepBy<Self::Source>, StepBy<Skip<Self::Source>>)
    where
        Self: Sized,
    {
        let source = self.into_source();
        (source.step_by(2), source.skip(1).step_by(2))
    }

    /// The elements in a random order that the seed fixes: `gather(source, permutation(n, seed))`, see
    /// [`permutation`](crate::random::permutation()). The same on every backend and for every split. Each element is read at a
    /// computed place. Up to 2^32 - 1 elements.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let mut cards = engine.collect(iota(0..52).shuffle(7)).run()?.into_vec()?;
    /// cards.sort();
    /// assert!(cards.into_iter().eq(0..52));
    /// # Ok::<(), granule::Error>(())
    /// ```
    fn shuffle(self, seed: u64) -> Shuffle<Self::Source>
    where
        Self: Sized,
    {
        Shuffle::new(self.into_source(), seed)
    }
}

impl<S: Source> IntoSource for S {
    type Source = S;
    type Item = S::Item;
    fn into_source(self) -> S {
        self
    }
}
