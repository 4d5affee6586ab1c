//! Runs on the CPU: elements that stand side by side and are combined among themselves, whatever their lengths.
//!
//! A block of elements has a flag for each: whether it begins a run. Within a vector the prefixes are made in log2(width) steps, and a
//! lane takes nothing from beyond the last beginning (the segmented scan of J. T. Schwartz, "Ultracomputers", 1980). So the work is
//! that of the elements, and no branch depends on where runs begin. A block in which none begins is combined in lanes. (Of four lanes a
//! plain loop makes more, though a branch that is not foreseen costs as much as five elements.)

use std::ops::Range;

use crate::array::Data;
use crate::backend::simd::{Level, Span, ViewMut, compress, extract, first, slide_up, store};
use crate::element::Element;
use crate::kernel::{MaskLane, Varying, ops};
use crate::operator::Operator;
use crate::source::Source;

use super::total::{combine, total};

/// Elements of a block: their flags stay in the first cache, and elements that are in lanes for no reason are few.
pub(crate) const BLOCK: usize = 1024;
/// Elements that a vector may write beyond those that it keeps.
pub(crate) const SLACK: usize = 32;

/// A range in blocks.
pub(crate) fn blocks(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(BLOCK).map(move |from| from..(from + BLOCK).min(end))
}

/// Lanes of a vector in which the steps of a prefix are no gain over combining one element after the other.
const NARROW: usize = 4;

/// Which elements of a block begin a run. Behind the block there is none.
pub(crate) struct Flags([bool; BLOCK + SLACK]);

impl Flags {
    pub(crate) fn new() -> Self {
        Flags([false; BLOCK + SLACK])
    }

    /// None of the first `count`.
    #[inline(always)]
    pub(crate) fn clear(&mut self, count: usize) {
        self.0[..count + SLACK].fill(false);
    }

    /// The element with this place in the block begins a run.
    #[inline(always)]
    pub(crate) fn set(&mut self, place: usize) {
        debug_assert!(place < BLOCK, "place {place} of a block");
        self.0[place % BLOCK] = true;
    }

    /// Those of a range, as a source says; how many there are.
    #[inline(always)]
    pub(crate) fn fill<'a, L: Level, H: Source<Item = bool> + 'a>(
        &mut self,
        l: L,
        heads: H::Bound<'a, L>,
        range: Range<usize>,
    ) -> usize {
        let count = range.len();
        let to = ViewMut::of(&mut self.0);
        let (mut i, mut ones) = (0, 0);
        while i + L::WIDTH <= count {
            let flags = H::load(l, heads, Span::new(range.start + i, L::WIDTH));
            ones += l.bits(flags.0).count_ones();
            store(l, flags, to, Span::new(i, L::WIDTH));
            i += L::WIDTH;
        }
        if i < count {
            let flags = Varying(H::load(l, heads, Span::new(range.start + i, count - i)).0.and(l, l.first(count - i)));
            ones += l.bits(flags.0).count_ones();
            store(l, flags, to, Span::new(i, L::WIDTH));
        }
        self.0[count..count + SLACK].fill(false);
        ones as usize
    }

    /// The last place of a range's that begins a run.
    #[inline(always)]
    pub(crate) fn last(&self, count: usize) -> Option<usize> {
        self.0[..count].iter().rposition(|&begins| begins)
    }

    #[inline(always)]
    fn bind<L: Level>(&self, l: L) -> ops::Slice<'_, L, bool> {
        ops::slice(l, Data::Slice(&self.0))
    }
}

/// The combination of a vector's elements from the last flagged one on up to each; before the first flagged one, from `carry` on. Moves
/// the carry on to the element `last`.
#[inline(always)]
fn step<L: Level, T: Element, O: Operator<T>>(
    l: L,
    op: &O,
    flags: Varying<L, bool>,
    x: Varying<L, T>,
    last: usize,
    carry: &mut Varying<L, T>,
) -> Varying<L, T> {
    let begins = l.bits(flags.0).trailing_zeros() as usize;
    let mut x = x;
    let mut stays: Varying<L, bool> = Varying(flags.0.or(l, l.first(1)));
    let mut step = 1;
    while step < L::WIDTH {
        x = ops::select(l, stays, x, op.combine(l, slide_up(l, x, step), x));
        stays = Varying(stays.0.or(l, slide_up(l, stays, step).0));
        step *= 2;
    }
    let all = first(l, begins, op.combine(l, *carry, x), x);
    let end = ops::lit(l, extract(l, x, last));
    *carry = first(l, if begins > last { L::WIDTH } else { 0 }, op.combine(l, *carry, end), end);
    all
}

/// A block's elements, evaluated: those that are read at computed places are all on their way before the first is combined.
pub(crate) struct Items<T>(Vec<T>);

impl<T: Element> Items<T> {
    /// Room for a block, which holds this.
    pub(crate) fn new(x: T) -> Self {
        Items(vec![x; BLOCK])
    }

    #[inline(always)]
    fn evaluate<'a, L: Level, S: Source<Item = T> + 'a>(&mut self, l: L, bound: S::Bound<'a, L>, range: Range<usize>) {
        let to = ViewMut::of(&mut self.0);
        let mut i = range.start;
        while i + L::WIDTH <= range.end {
            store(l, S::load(l, bound, Span::new(i, L::WIDTH)), to, Span::new(i - range.start, L::WIDTH));
            i += L::WIDTH;
        }
        if i < range.end {
            let count = range.end - i;
            store(l, S::load(l, bound, Span::new(i, count)), to, Span::new(i - range.start, count));
        }
    }
}

/// Combines the runs of a range, and writes what is combined when one begins: the run before it. Gives what is combined at the end,
/// and how many were written.
#[inline(always)]
pub(crate) fn close<'a, L: Level, T: Element, S: Source<Item = T> + 'a, O: Operator<T>>(
    l: L,
    bound: S::Bound<'a, L>,
    op: &O,
    (flags, items, range): (&Flags, &mut Items<T>, Range<usize>),
    carry: T,
    to: ViewMut<'_, T>,
) -> (T, usize) {
    items.evaluate::<L, S>(l, bound, range.clone());
    if L::WIDTH <= NARROW {
        return close_one_by_one(op, (flags, items, range.len()), carry, to);
    }
    let block = (flags.bind(l), ops::slice::<L, T>(l, Data::Slice(&items.0)));
    let (mut carry, mut at, mut i) = (ops::lit(l, carry), 0, 0);
    let (count, to) = (range.len(), to.whole());
    while i + L::WIDTH <= count {
        at += emit(l, op, block, Span::new(i, L::WIDTH), &mut carry, to, at);
        i += L::WIDTH;
    }
    if i < count {
        at += emit(l, op, block, Span::new(i, count - i), &mut carry, to, at);
    }
    (extract(l, carry, 0), at)
}

/// The same, one element after the other.
#[inline(always)]
fn close_one_by_one<T: Element, O: Operator<T>>(
    op: &O,
    (flags, items, count): (&Flags, &Items<T>, usize),
    carry: T,
    to: ViewMut<'_, T>,
) -> (T, usize) {
    let (mut sum, mut at, to) = (carry, 0, to.whole());
    for (&x, &begins) in items.0[..count].iter().zip(&flags.0) {
        if begins {
            to.write(at, sum);
            at += 1;
            sum = x;
        } else {
            sum = combine(op, sum, x);
        }
    }
    (sum, at)
}

#[inline(always)]
fn emit<L: Level, T: Element, O: Operator<T>>(
    l: L,
    op: &O,
    (flags, items): (ops::Slice<'_, L, bool>, ops::Slice<'_, L, T>),
    span: Span,
    carry: &mut Varying<L, T>,
    to: ViewMut<'_, T>,
    at: usize,
) -> usize {
    let begins = ops::load(l, flags.0, Span::new(span.base, L::WIDTH));
    let before = *carry;
    let all = step(l, op, begins, ops::load(l, items.0, span), span.count - 1, carry);
    let keep = l.bits(begins.0);
    compress(l, first(l, 1, before, slide_up(l, all, 1)), keep, to, at);
    keep.count_ones() as usize
}

/// Writes the prefixes of the runs of a range; gives what is combined at its end.
#[inline(always)]
pub(crate) fn prefix<'a, L: Level, T: Element, S: Source<Item = T> + 'a, O: Operator<T>, const EXCLUSIVE: bool>(
    l: L,
    bound: S::Bound<'a, L>,
    op: &O,
    (flags, range): (&Flags, Range<usize>),
    carry: T,
    out: ViewMut<'_, T>,
) -> T {
    let (flags, out) = (flags.bind(l), out.whole());
    let mut carry = ops::lit(l, carry);
    let mut i = range.start;
    while i + L::WIDTH <= range.end {
        let place = Span::new(i - range.start, L::WIDTH);
        pass::<L, T, S, O, EXCLUSIVE>(l, bound, op, ops::load(l, flags.0, place), Span::new(i, L::WIDTH), &mut carry, out);
        i += L::WIDTH;
    }
    if i < range.end {
        let place = Span::new(i - range.start, L::WIDTH);
        pass::<L, T, S, O, EXCLUSIVE>(l, bound, op, ops::load(l, flags.0, place), Span::new(i, range.end - i), &mut carry, out);
    }
    extract(l, carry, 0)
}

#[inline(always)]
fn pass<'a, L: Level, T: Element, S: Source<Item = T> + 'a, O: Operator<T>, const EXCLUSIVE: bool>(
    l: L,
    bound: S::Bound<'a, L>,
    op: &O,
    begins: Varying<L, bool>,
    span: Span,
    carry: &mut Varying<L, T>,
    out: ViewMut<'_, T>,
) {
    let before = *carry;
    let all = step(l, op, begins, S::load(l, bound, span), span.count - 1, carry);
    let prefix = if EXCLUSIVE {
        ops::select(l, begins, ops::lit(l, op.identity()), first(l, 1, before, slide_up(l, all, 1)))
    } else {
        all
    };
    store(l, prefix, out, span);
}

/// Writes the elements of a range that are flagged, side by side; how many there are.
#[inline(always)]
pub(crate) fn pick<'a, L: Level, T: Element, S: Source<Item = T> + 'a>(
    l: L,
    bound: S::Bound<'a, L>,
    (flags, range): (&Flags, Range<usize>),
    to: ViewMut<'_, T>,
    at: usize,
) -> usize {
    let (flags, to) = (flags.bind(l), to.whole());
    let (mut i, mut picked) = (range.start, 0);
    while i < range.end {
        let keep = l.bits(ops::load::<L, bool>(l, flags.0, Span::new(i - range.start, L::WIDTH)).0);
        let span = Span::new(i, L::WIDTH.min(range.end - i));
        compress(l, S::load(l, bound, span), keep, to, at + picked);
        picked += keep.count_ones() as usize;
        i += L::WIDTH;
    }
    picked
}

/// The combination of a range in lanes, behind what was combined before it.
#[inline(always)]
pub(crate) fn add<'a, L: Level, T: Element, S: Source<Item = T> + 'a, O: Operator<T>>(
    l: L,
    bound: S::Bound<'a, L>,
    op: &O,
    before: Option<T>,
    range: Range<usize>,
) -> T {
    let total = total::<L, T, S, O>(l, bound, op, range);
    match before {
        Some(before) => combine(op, before, total),
        None => total,
    }
}
