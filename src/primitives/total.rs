//! The combination of a range, in whatever order is fastest: what a scan needs of a link before it scans it, and what a reduction
//! does when it is freed from the canonical order. An operator that does not commute keeps the order of the elements.

use std::ops::Range;

use crate::backend::simd::{Level, OneLane, Span, WithLevel, extract, first, slide_down, slide_up};
use crate::element::{Element, Value};
use crate::kernel::{Varying, ops};
use crate::operator::Operator;
use crate::source::Source;

/// Combines two single values.
#[inline(always)]
pub(crate) fn combine<T: Value, O: Operator<T>>(op: &O, a: T, b: T) -> T {
    T::from_one(op.combine(OneLane, Varying(a.to_one()), Varying(b.to_one())).0)
}

/// The combination of a range.
pub(crate) struct Total<'a, S, O> {
    pub(crate) source: &'a S,
    pub(crate) op: &'a O,
    pub(crate) range: Range<usize>,
}

impl<T: Element, S: Source<Item = T>, O: Operator<T>> WithLevel for Total<'_, S, O> {
    type Out = T;
    #[inline(always)]
    fn run<L: Level>(self, l: L) -> T {
        total::<L, T, S, O>(l, self.source.bind(l), self.op, self.range)
    }
}

/// The combination of a range of a source that is bound.
#[inline(always)]
pub(crate) fn total<'a, L: Level, T: Element, S: Source<Item = T> + 'a, O: Operator<T>>(
    l: L,
    bound: S::Bound<'a, L>,
    op: &O,
    range: Range<usize>,
) -> T {
    let Range { start: mut i, end } = range;
    if O::COMMUTATIVE && end - i >= 4 * L::WIDTH {
        // Lanes need not be kept in order: four accumulators, folded once at the end.
        let mut acc = [ops::lit(l, op.identity()); 4];
        for acc in &mut acc {
            *acc = S::load(l, bound, Span::new(i, L::WIDTH));
            i += L::WIDTH;
        }
        while i + 4 * L::WIDTH <= end {
            for acc in &mut acc {
                *acc = op.combine(l, *acc, S::load(l, bound, Span::new(i, L::WIDTH)));
                i += L::WIDTH;
            }
        }
        let mut x = op.combine(l, op.combine(l, acc[0], acc[1]), op.combine(l, acc[2], acc[3]));
        while i < end {
            let span = Span::new(i, L::WIDTH.min(end - i));
            x = first(l, span.count, op.combine(l, x, S::load(l, bound, span)), x);
            i += span.count;
        }
        let mut half = L::WIDTH / 2;
        while half > 0 {
            x = op.combine(l, x, slide_down(l, x, half));
            half /= 2;
        }
        return extract(l, x, 0);
    }
    let mut total: Option<T> = None;
    while i < end {
        let span = Span::new(i, L::WIDTH.min(end - i));
        let local = extract(l, prefixes(l, op, S::load(l, bound, span)), span.count - 1);
        total = Some(match total {
            Some(total) => combine(op, total, local),
            None => local,
        });
        i += span.count;
    }
    total.unwrap_or_else(|| op.identity())
}

/// The inclusive prefixes within one vector (Hillis and Steele 1986).
#[inline(always)]
pub(crate) fn prefixes<L: Level, T: Element, O: Operator<T>>(l: L, op: &O, x: Varying<L, T>) -> Varying<L, T> {
    let mut x = x;
    let mut step = 1;
    while step < L::WIDTH {
        x = first(l, step, x, op.combine(l, slide_up(l, x, step), x));
        step *= 2;
    }
    x
}
