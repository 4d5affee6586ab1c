//! Replication on a GPU: prefix sums of the counts, in which each element of the result searches for its value.

use crate::array::{Array, DataVisitor, Pending};
use crate::backend::gpu::{Recording, Started};
use crate::element::Element;
use crate::error::Result;
use crate::kernel::{Kernel, Lanes, Varying, ops};
use crate::primitives::map::gpu::map;
use crate::primitives::scan::{self, Scan};
use crate::primitives::search::not_above;
use crate::source::{IntoSource, Source, gather, iota, zip};

use super::{Replicate, Saturating};

/// Records it into a new array.
pub(super) fn replicate<'t, V: Source<Item: Element>, C: Source<Item = u32>>(
    on: Recording<'_>,
    call: &Replicate<V, C>,
) -> Result<Started<'t, Array<V::Item>>> {
    let n = zip(call.values, call.counts).len()?;
    if n == 0 || call.most == Some(0) {
        return Ok(Started::Ready(Array::empty(on.engine)));
    }
    let ends = scan::gpu::scan(on, &Scan::inclusive(call.counts, Saturating))?.array();
    let runs = |elements: usize| gather(call.values, iota(0..elements as u32).map(not_above::with(&ends)));
    match call.most {
        None => {
            let sum = ends.device(on.gpu)?.download_word(n as u32 - 1)?;
            map(on, &runs(call.elements(sum)?))
        }
        Some(most) => {
            let sum = map(on, &(&ends).skip(n - 1).map(AtMost(most as u32)))?.array();
            let pending = Pending::new(most, sum.device(on.gpu)?.clone(), 0);
            map(on, &Counted { source: runs(most), pending: &pending })
        }
    }
}

/// The lesser of two numbers.
#[derive(Clone, Copy)]
struct AtMost(u32);

impl Kernel<u32> for AtMost {
    type Out = u32;
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, u32>) -> Varying<L, u32> {
        ops::min(l, x, ops::lit(l, self.0))
    }
}

/// The elements of a source, of which there are as many as the device counts.
#[derive(Clone, Copy)]
struct Counted<'p, S> {
    source: S,
    pending: &'p Pending,
}

// SAFETY: the source has as many elements as can be counted.
unsafe impl<S: Source> Source for Counted<'_, S> {
    type Item = S::Item;
    type Bound<'a, L: Lanes>
        = S::Bound<'a, L>
    where
        Self: 'a;
    const LOOPS: bool = S::LOOPS;

    fn len(&self) -> Result<usize> {
        self.source.len()
    }
    fn pending(&self) -> Option<Pending> {
        Some(self.pending.clone())
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        self.source.bind(l)
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        S::load(l, bound, i)
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        S::at(l, bound, i)
    }
}
