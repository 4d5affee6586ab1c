//! A source read in another order: reversed, from an offset, up to a length, with a stride. Each is an affine map of the index.

use crate::array::DataVisitor;
use crate::element::Value;
use crate::error::{Error, Result};
use crate::kernel::{Lanes, Uniform, Varying, ops};

use super::{Source, UNBOUNDED, word};

macro_rules! reshape {
    (
        $(#[$doc:meta])* $name:ident { $($field:ident),* }
        len |$self:ident, $n:ident| $len:expr;
        amount $amount:expr;
        load |$l:ident, $i:ident, $by:ident| $load:expr;
        at |$ln:ident, $j:ident, $p:ident, $count:ident| $at:expr;
    ) => {
        $(#[$doc])*
        #[must_use = "a source is read when a task runs: nothing was moved"]
        #[derive(Clone, Copy)]
        pub struct $name<S> {
            source: S,
            $($field: usize,)*
        }

        impl<S> $name<S> {
            pub(crate) fn new(source: S $(, $field: usize)*) -> Self {
                $name { source $(, $field)* }
            }
        }

        // SAFETY: the index is mapped into the range of the inner source, as its length says: see each `len` and `load`.
        unsafe impl<S: Source> Source for $name<S>
        where
            S::Item: Value,
        {
            type Item = S::Item;
            type Bound<'a, L: Lanes> = (S::Bound<'a, L>, usize, Uniform<L, u32>, usize) where Self: 'a;
            const LOOPS: bool = S::LOOPS;

            fn len(&$self) -> Result<usize> {
                let $n = $self.source.len()?;
                $len
            }
            fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
                self.source.data(visitor)
            }
            #[inline(always)]
            fn bind<'a, L: Lanes>(&'a $self, l: L) -> Self::Bound<'a, L> where Self: 'a {
                let by: usize = $amount;
                ($self.source.bind(l), by, word(l, by), Source::len($self).unwrap_or(0))
            }
            #[inline(always)]
            fn load<'a, L: Lanes>($l: L, (source, $by, _, _): Self::Bound<'a, L>, $i: L::Index) -> Varying<L, S::Item> where Self: 'a {
                S::load($l, source, $load)
            }
            #[inline(always)]
            fn at<'a, L: Lanes>($ln: L, (source, _, $p, $count): Self::Bound<'a, L>, $j: Varying<L, u32>) -> Varying<L, S::Item> where Self: 'a {
                let $p = ops::broadcast($ln, $p);
                S::at($ln, source, $at)
            }
        }
    };
}

reshape! {
    /// See [`IntoSource::reverse`](super::IntoSource::reverse).
    Reverse {}
    len |self, n| if n == UNBOUNDED { Err(Error::Unbounded) } else { Ok(n) };
    amount self.source.len().map_or(0, |n| n.saturating_sub(1));
    load |l, i, last| l.index_flip(i, last);
    // An index beyond the end would wrap below zero: the nearest element of the reversed source is the first of the source.
    at |l, i, last, _len| ops::sub(l, last, ops::min(l, i, last));
}

reshape! {
    /// See [`IntoSource::skip`](super::IntoSource::skip).
    Skip { by }
    len |self, n| Ok(if n == UNBOUNDED { n } else { n.saturating_sub(self.by) });
    amount self.by;
    load |l, i, by| l.index_shift(i, by);
    // An index that would wrap reads the last element, as every other one beyond the end.
    at |l, i, by, _len| {
        let most = ops::sub(l, ops::lit(l, u32::MAX), by);
        ops::add(l, ops::min(l, i, most), by)
    };
}

reshape! {
    /// See [`IntoSource::take`](super::IntoSource::take).
    Take { n }
    len |self, n| Ok(n.min(self.n));
    amount self.n.saturating_sub(1);
    load |_l, i, _by| i;
    at |l, i, last, _len| ops::min(l, i, last);
}

reshape! {
    /// See [`IntoSource::step_by`](super::IntoSource::step_by).
    StepBy { step }
    len |self, n| Ok(if n == UNBOUNDED { n } else { n.div_ceil(self.step.max(1)) });
    amount self.step.max(1);
    load |l, i, by| l.index_scale(i, by);
    // As in `Skip`; and the last element of this source is not always that of the other.
    at |l, i, by, len| {
        let last = word(l, len.saturating_sub(1));
        ops::mul(l, ops::min(l, i, ops::broadcast(l, last)), by)
    };
}
