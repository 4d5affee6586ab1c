//! Along an axis on the CPU: rows are combined with the rows before them in vectors along the memory, a stripe at a time, whose sums stay in
//! the first-level cache; four rows a time, so that a sum is read and written once for each four elements.
//!
//! What lies side by side may be narrower than a vector, or a single element. Then rows are taken side by side for as long as the operator
//! commutes, and folded by halving in the end: of single elements in registers, four rows of the grid at a time, so that as many streams
//! are read. If it does not, or the rows are short, each lane has a row of its own; squares of such rows are turned in registers.

use std::ops::Range;

use crate::array::Data;
use crate::backend::cpu::Cpu;
use crate::backend::memory::Memory;
use crate::backend::simd::{Level, MOST, Span, View, ViewMut, WithLevel, extract, first, slide_down, store, turn};
use crate::element::Element;
use crate::error::Result;
use crate::kernel::{Varying, ops};
use crate::operator::Operator;
use crate::primitives::map;
use crate::source::{SliceSource, Source, constant};

use super::{Along, LANES, Layout, STRIPE};

/// A body for each vector of `0..n`: no closure, which might not be inlined.
macro_rules! each {
    ($level:ident, $n:expr, |$span:ident| $body:block) => {{
        let (mut i, n) = (0, $n);
        while i < n {
            let $span = Span::new(i, $level::WIDTH.min(n - i));
            $body
            i += $level::WIDTH;
        }
    }};
}

/// Elements that a worker takes at a time, about.
const GRAIN: usize = 32 * 1024;
/// Elements of a row from which on squares are turned; shorter ones are gathered.
const TURNED: usize = 3;
/// Bytes of vectors that registers hold, and leave room for others.
const REGISTERS: usize = 1024;

/// Writes the combination of the elements along the axis.
pub(crate) fn reduce<T: Element, S: Source<Item = T>, O: Operator<T>>(
    cpu: &Cpu<'_>,
    source: &S,
    op: &O,
    layout: Layout,
    out: ViewMut<'_, T>,
) -> Result<()> {
    if layout.along.len == 0 {
        return map::cpu::fill(cpu, &constant(op.identity()), out, layout.along.outputs());
    }
    if layout.parts == 1 {
        return parts(cpu, source, op, layout, out);
    }
    let each = cpu.allocate(layout.of_parts().outputs() * layout.parts, |each| parts(cpu, source, op, layout, each))?;
    let each = SliceSource::new(Data::Slice(&each));
    parts(cpu, &each, op, Layout::whole(layout.of_parts()), out)
}

/// Writes the combination of each part.
pub(super) fn parts<T: Element, S: Source<Item = T>, O: Operator<T>>(
    cpu: &Cpu<'_>,
    source: &S,
    op: &O,
    layout: Layout,
    out: ViewMut<'_, T>,
) -> Result<()> {
    let stripes = layout.along.inner.div_ceil(STRIPE);
    let units = layout.along.outer * layout.parts * stripes;
    let each = (GRAIN / (layout.rows * layout.along.inner.clamp(1, STRIPE))).max(1);
    let each = if layout.along.inner == 1 { each.next_multiple_of(LANES) } else { each };
    cpu.for_each_chunk(units.div_ceil(each), |chunk| {
        let units = chunk * each..((chunk + 1) * each).min(units);
        cpu.at_level(Reduce { source, op, layout, stripes, units, out });
    })
}

/// Reduces some stripes of some parts.
struct Reduce<'a, S: Source<Item: Element>, O> {
    source: &'a S,
    op: &'a O,
    layout: Layout,
    stripes: usize,
    units: Range<usize>,
    out: ViewMut<'a, S::Item>,
}

impl<S: Source<Item: Element>, O: Operator<S::Item>> WithLevel for Reduce<'_, S, O> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        let Along { inner, .. } = self.layout.along;
        if self.layout.beside == LANES && L::WIDTH == 16 {
            self.in_registers::<L, 4>(l);
        } else if self.layout.beside == LANES && L::WIDTH == 8 {
            self.in_registers::<L, 8>(l);
        } else if self.layout.beside > 1 {
            self.side_by_side(l, self.units.clone());
        } else if inner == 1 {
            self.a_row_a_lane(l);
        } else {
            self.striped(l);
        }
    }
}

impl<S: Source<Item: Element>, O: Operator<S::Item>> Reduce<'_, S, O> {
    /// The first element of a part, and how many rows it has.
    #[inline(always)]
    fn part(&self, number: usize) -> (usize, usize) {
        let Layout { along, parts, .. } = self.layout;
        let (first, rows) = self.layout.part(number % parts);
        ((number / parts * along.len + first) * along.inner, rows)
    }

    #[inline(always)]
    fn striped<L: Level>(self, l: L) {
        let (bound, out, inner) = (self.source.bind(l), self.out.whole(), self.layout.along.inner);
        for unit in self.units.clone() {
            let (number, stripe) = (unit / self.stripes, unit % self.stripes * STRIPE);
            let (first, rows) = self.part(number);
            let width = STRIPE.min(inner - stripe);
            let sums = out.from(number * inner + stripe);
            fold::<L, S, O>(l, bound, self.op, (first + stripe, inner, rows), width, sums);
        }
    }

    #[inline(always)]
    fn side_by_side<L: Level>(&self, l: L, units: Range<usize>) {
        let (bound, out) = (self.source.bind(l), self.out.whole());
        let Layout { along: Along { inner, .. }, beside, .. } = self.layout;
        let mut lanes = Vec::with_capacity(LANES);
        let lanes = ViewMut::new(&mut lanes.spare_capacity_mut()[..LANES]);
        for number in units {
            let (first, rows) = self.part(number);
            let (full, rest) = (rows / beside, rows % beside);
            let width = beside * inner;
            fold::<L, S, O>(l, bound, self.op, (first, width, full), width, lanes);
            // A part that is shorter than this begins with what is left.
            let (count, tail) = (if full > 0 { beside } else { rest }, first + full * width);
            each!(L, rest * inner, |span| {
                let x = S::load(l, bound, span.shift(tail));
                let x = if full > 0 { self.op.combine(l, ops::load(l, l.view(lanes.written()), span), x) } else { x };
                store(l, x, lanes, span);
            });
            let (mut half, mut count) = (beside / 2, count);
            while half > 0 {
                if count > half {
                    each!(L, half.min(count - half) * inner, |span| {
                        let (a, b) = (lanes.written(), lanes.written().from(half * inner));
                        let x = self.op.combine(l, ops::load(l, l.view(a), span), ops::load(l, l.view(b), span));
                        store(l, x, lanes, span);
                    });
                    count = half;
                }
                half /= 2;
            }
            out.copy(number * inner, lanes, inner);
        }
    }

    /// Rows of single elements, `LANES` side by side in `V` vectors.
    #[inline(always)]
    fn in_registers<L: Level, const V: usize>(self, l: L) {
        let Range { start: mut number, end } = self.units;
        while number < end {
            let rows = self.part(number).1;
            if rows < LANES {
                self.side_by_side(l, number..number + 1);
                number += 1;
                continue;
            }
            let bound = self.source.bind(l);
            // Sources of stretches do not stay in registers four times.
            let mut alike = !S::STRETCHES && size_of::<Varying<L, S::Item>>() * V * 4 <= REGISTERS && number + 4 <= end;
            for k in 0..4 {
                alike = alike && self.part(number + k).1 == rows;
            }
            // A source that reads a line at a time is asked once where it is.
            if alike {
                self.some_rows::<L, V, 4, true>(l, bound, number);
                number += 4;
            } else if self.in_one_stretch(l, bound, number) {
                self.some_rows::<L, V, 1, true>(l, bound, number);
                number += 1;
            } else {
                self.some_rows::<L, V, 1, false>(l, bound, number);
                number += 1;
            }
        }
    }

    #[inline(always)]
    fn in_one_stretch<L: Level>(&self, l: L, bound: S::Bound<'_, L>, number: usize) -> bool {
        let (first, rows) = self.part(number);
        S::inner(l, bound, first, first + rows) == first + rows
    }

    /// `R` rows of one length.
    #[inline(always)]
    fn some_rows<L: Level, const V: usize, const R: usize, const INNER: bool>(
        &self,
        l: L,
        bound: S::Bound<'_, L>,
        number: usize,
    ) {
        let (out, rows) = (self.out.whole(), self.part(number).1);
        let (full, rest) = (rows / LANES * LANES, rows % LANES);
        let mut starts = [0; R];
        for (k, start) in starts.iter_mut().enumerate() {
            *start = self.part(number + k).0;
        }
        let sums = stretch::<L, S, O, V, R, INNER>(l, bound, self.op, starts, full);
        for (k, mut sums) in sums.into_iter().enumerate() {
            for (v, sum) in sums.iter_mut().enumerate() {
                if v * L::WIDTH < rest {
                    let count = L::WIDTH.min(rest - v * L::WIDTH);
                    let x = S::load(l, bound, Span::new(starts[k] + full + v * L::WIDTH, count));
                    *sum = first(l, count, self.op.combine(l, *sum, x), *sum);
                }
            }
            let mut half = V / 2;
            while half > 0 {
                for v in 0..half {
                    sums[v] = self.op.combine(l, sums[v], sums[v + half]);
                }
                half /= 2;
            }
            let mut sum = sums[0];
            if L::WIDTH > 8 {
                sum = self.op.combine(l, sum, slide_down(l, sum, 8));
            }
            sum = self.op.combine(l, sum, slide_down(l, sum, 4));
            sum = self.op.combine(l, sum, slide_down(l, sum, 2));
            sum = self.op.combine(l, sum, slide_down(l, sum, 1));
            out.write(number + k, extract(l, sum, 0));
        }
    }

    #[inline(always)]
    fn a_row_a_lane<L: Level>(self, l: L) {
        let (bound, out) = (self.source.bind(l), self.out.whole());
        let Layout { along, parts, rows, .. } = self.layout;
        let Range { start: mut number, end } = self.units;
        while number < end {
            let (part, count) = (number % parts, L::WIDTH.min(end - number));
            // Parts of one length are so far apart; the last may be shorter, and is alone.
            let (count, stride) = match parts {
                1 => (count, along.len),
                _ if part + 1 < parts => (count.min(parts - 1 - part), rows),
                _ => (1, rows),
            };
            let (first, rows) = (number / parts * along.len + part * rows, self.layout.part(part).1);
            let span = Span { base: first, stride: stride as isize, count };
            let mut sum: Varying<L, S::Item> = S::load(l, bound, span);
            let mut row = 1;
            if count == L::WIDTH && rows >= TURNED {
                row = rows;
                for left in (0..rows).step_by(L::WIDTH) {
                    let wide = L::WIDTH.min(rows - left);
                    // Whole vectors reach into the next rows, if these are there.
                    let beyond = first + (L::WIDTH - 1) * stride + left + L::WIDTH;
                    let read = if !S::STRETCHES && beyond <= along.elements() { L::WIDTH } else { wide };
                    let mut lines = [S::load(l, bound, Span::new(first + left, read)); MOST];
                    for (k, line) in lines.iter_mut().enumerate().take(L::WIDTH).skip(1) {
                        *line = S::load(l, bound, Span::new(first + k * stride + left, read));
                    }
                    turn::<L, S::Item, MOST, MOST>(l, &mut lines);
                    for (k, line) in lines.into_iter().enumerate().take(wide) {
                        sum = if left + k == 0 { line } else { self.op.combine(l, sum, line) };
                    }
                }
            }
            while row < rows {
                sum = self.op.combine(l, sum, S::load(l, bound, span.shift(row)));
                row += 1;
            }
            store(l, sum, out, Span::new(number, count));
            number += count;
        }
    }
}

/// Of `R` rows of `full` elements, which begin there, those side by side in `V` vectors.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "by index they stay in registers")]
fn stretch<L: Level, S: Source<Item: Element>, O: Operator<S::Item>, const V: usize, const R: usize, const INNER: bool>(
    l: L,
    bound: S::Bound<'_, L>,
    op: &O,
    starts: [usize; R],
    full: usize,
) -> [[Varying<L, S::Item>; V]; R] {
    let mut bounds = [bound; R];
    if INNER {
        for k in 0..R {
            bounds[k] = S::settle(l, bound, starts[k]);
        }
    }
    let span = Span::new(starts[0], L::WIDTH);
    let x = if INNER { S::load_inner(l, bounds[0], span) } else { S::load(l, bound, span) };
    let mut sums = [[x; V]; R];
    for v in 0..V {
        for k in 0..R {
            let span = Span::new(starts[k] + v * L::WIDTH, L::WIDTH);
            sums[k][v] = if INNER { S::load_inner(l, bounds[k], span) } else { S::load(l, bound, span) };
        }
    }
    let mut i = LANES;
    while i < full {
        for v in 0..V {
            for k in 0..R {
                let span = Span::new(starts[k] + i + v * L::WIDTH, L::WIDTH);
                let x = if INNER { S::load_inner(l, bounds[k], span) } else { S::load(l, bound, span) };
                sums[k][v] = op.combine(l, sums[k][v], x);
            }
        }
        i += LANES;
    }
    sums
}

/// Writes the combination of `rows` rows of `width` elements, which begin `pitch` elements apart.
#[inline(always)]
fn fold<L: Level, S: Source<Item: Element>, O: Operator<S::Item>>(
    l: L,
    bound: S::Bound<'_, L>,
    op: &O,
    (first, pitch, rows): (usize, usize, usize),
    width: usize,
    sums: ViewMut<'_, S::Item>,
) {
    if rows == 0 {
        return;
    }
    let sums = sums.whole();
    let head = (rows - 1) % 4 + 1;
    each!(L, width, |span| {
        let mut sum = S::load(l, bound, span.shift(first));
        for row in 1..head {
            sum = op.combine(l, sum, S::load(l, bound, span.shift(first + row * pitch)));
        }
        store(l, sum, sums, span);
    });
    for row in (head..rows).step_by(4) {
        let from = first + row * pitch;
        each!(L, width, |span| {
            let sum = op.combine(l, ops::load(l, l.view(sums.written()), span), S::load(l, bound, span.shift(from)));
            let sum = op.combine(
                l,
                op.combine(l, sum, S::load(l, bound, span.shift(from + pitch))),
                S::load(l, bound, span.shift(from + 2 * pitch)),
            );
            store(l, op.combine(l, sum, S::load(l, bound, span.shift(from + 3 * pitch))), sums, span);
        });
    }
}

/// Writes the combination of the elements up to each, of columns.
pub(super) fn scan<T: Element, S: Source<Item = T>, O: Operator<T>>(
    cpu: &Cpu<'_>,
    source: &S,
    op: &O,
    (layout, exclusive): (Layout, bool),
    out: ViewMut<'_, T>,
) -> Result<()> {
    if layout.along.elements() == 0 {
        return Ok(());
    }
    let mut before = Memory::default();
    if layout.parts > 1 {
        let all = layout.of_parts().elements();
        let sums = cpu.allocate(all, |sums| parts(cpu, source, op, layout, sums))?;
        let sums = SliceSource::new(Data::Slice(&sums));
        before = cpu.allocate(all, |before| scan(cpu, &sums, op, (Layout::whole(layout.of_parts()), true), before))?;
    }
    let stripes = layout.along.inner.div_ceil(STRIPE);
    let units = layout.along.outer * layout.parts * stripes;
    let each = (GRAIN / (layout.rows * layout.along.inner.clamp(1, STRIPE))).max(1);
    cpu.for_each_chunk(units.div_ceil(each), |chunk| {
        let units = chunk * each..((chunk + 1) * each).min(units);
        let before = View::new(&before);
        let parts = Reduce { source, op, layout, stripes, units, out };
        cpu.at_level(Scan { parts, before, exclusive });
    })
}

/// Scans some stripes of some parts. A row is combined with what was written for the row before it.
struct Scan<'a, S: Source<Item: Element>, O> {
    parts: Reduce<'a, S, O>,
    /// What stands before each part; nothing, if there is one part.
    before: View<'a, S::Item>,
    exclusive: bool,
}

impl<S: Source<Item: Element>, O: Operator<S::Item>> WithLevel for Scan<'_, S, O> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        if self.exclusive { self.each::<L, true>(l) } else { self.each::<L, false>(l) }
    }
}

impl<S: Source<Item: Element>, O: Operator<S::Item>> Scan<'_, S, O> {
    #[inline(always)]
    fn each<L: Level, const EXCLUSIVE: bool>(self, l: L) {
        let Reduce { source, op, layout, stripes, ref units, out } = self.parts;
        let (bound, out, inner) = (source.bind(l), out.whole(), layout.along.inner);
        for unit in units.clone() {
            let (number, stripe) = (unit / stripes, unit % stripes * STRIPE);
            let (first, rows) = self.parts.part(number);
            let (first, width) = (first + stripe, STRIPE.min(inner - stripe));
            // The first part has nothing before it.
            let carried = number % layout.parts > 0;
            let before = if carried { self.before.from(number * inner + stripe) } else { self.before };
            each!(L, width, |span| {
                let x = if EXCLUSIVE {
                    match carried {
                        true => ops::load(l, l.view(before), span),
                        false => ops::lit(l, op.identity()),
                    }
                } else {
                    let x = S::load(l, bound, span.shift(first));
                    match carried {
                        true => op.combine(l, ops::load(l, l.view(before), span), x),
                        false => x,
                    }
                };
                store(l, x, out, span.shift(first));
            });
            for row in 1..rows {
                let (above, here) = (first + (row - 1) * inner, first + row * inner);
                each!(L, width, |span| {
                    let x = S::load(l, bound, span.shift(if EXCLUSIVE { above } else { here }));
                    let x = if EXCLUSIVE && row == 1 && !carried {
                        x
                    } else {
                        op.combine(l, ops::load(l, l.view(out.written()), span.shift(above)), x)
                    };
                    store(l, x, out, span.shift(here));
                });
            }
        }
    }
}
