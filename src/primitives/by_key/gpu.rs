//! Runs on a GPU: a scan with an operator that stays within a run, and then what is wanted of the prefixes.

use crate::array::{Array, DataVisitor};
use crate::backend::gpu::{Recording, Started};
use crate::element::{Element, Equal, Value};
use crate::error::Result;
use crate::kernel::{Kernel, Lanes, Varying, ops};
use crate::operator::Operator;
use crate::primitives::map::gpu::map;
use crate::primitives::scan::{self, Scan};
use crate::source::{IntoSource, Source, zip};
use crate::task::Primitive;

use super::picked;
use super::runs::{heads, tails};

/// What a reduction by key gives.
type KeysAndSums<K, V> = (Array<<K as Source>::Item>, Array<<V as Source>::Item>);

/// Records the combination of the values of each run of equal keys into new arrays: what the prefixes are where runs end.
pub(in crate::primitives) fn reduce<'t, K, V, O>(
    on: Recording<'_>,
    (keys, values, operator): (K, V, O),
) -> Result<Started<'t, KeysAndSums<K, V>>>
where
    K: Source<Item: Element + Equal>,
    V: Source<Item: Element>,
    O: Operator<V::Item>,
{
    let scan = Scan::inclusive(zip(heads(keys), values), Segmented(operator));
    let scanned = scan::gpu::scan(on, &scan)?.array();
    let first = picked(keys, heads(keys)).start_gpu(on)?.array();
    let ends = tails(keys, zip(keys, values).len()?);
    let sums = picked((&scanned).map(Second), ends).start_gpu(on)?.array().counted_with(&first);
    Ok(Started::Ready((first, sums)))
}

/// Records the scan into a new array.
pub(crate) fn scan<'t, H: Source<Item = bool>, V: Source<Item: Element>, O: Operator<V::Item>>(
    on: Recording<'_>,
    (heads, values, operator): (H, V, O),
    exclusive: bool,
) -> Result<Started<'t, Array<V::Item>>> {
    let scanned = scan::gpu::scan(on, &Scan::inclusive(zip(heads, values), Segmented(operator)))?.array();
    if exclusive { map(on, &zip(heads, (&scanned).beside(-1)).map(Before(operator))) } else { map(on, &(&scanned).map(Second)) }
}

/// An operator of elements that know whether they begin a run: what stands before the last beginning is not combined.
///
/// Associative as the operator is (J. T. Schwartz, "Ultracomputers", 1980; G. Blelloch, "Prefix sums and their applications", 1990).
#[derive(Clone, Copy)]
struct Segmented<O>(O);

impl<T: Value, O: Operator<T>> Operator<(bool, T)> for Segmented<O> {
    const COMMUTATIVE: bool = false;

    #[inline(always)]
    fn identity(&self) -> (bool, T) {
        (false, self.0.identity())
    }
    #[inline(always)]
    fn combine<L: Lanes>(&self, l: L, a: Varying<L, (bool, T)>, b: Varying<L, (bool, T)>) -> Varying<L, (bool, T)> {
        let (Varying((begun, x)), Varying((begins, y))) = (a, b);
        let value = ops::select(l, begins, y, self.0.combine(l, x, y));
        Varying((ops::or(l, begun, begins), value))
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.0.data(visitor)
    }
}

/// The value of a pair.
#[derive(Clone, Copy)]
struct Second;

impl<T: Value> Kernel<(bool, T)> for Second {
    type Out = T;
    #[inline(always)]
    fn eval<L: Lanes>(&self, _: L, Varying((_, value)): Varying<L, (bool, T)>) -> Varying<L, T> {
        value
    }
}

/// Of whether a run begins, and what was combined up to the element before: that, or nothing yet.
#[derive(Clone, Copy)]
struct Before<O>(O);

impl<T: Value, O: Operator<T>> Kernel<(bool, (bool, T))> for Before<O> {
    type Out = T;
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, Varying((begins, Varying((_, before)))): Varying<L, (bool, (bool, T))>) -> Varying<L, T> {
        ops::select(l, begins, ops::lit(l, self.0.identity()), before)
    }
}
