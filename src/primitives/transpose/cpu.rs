//! Transpose on the CPU, in blocks: the rows of a block are read in vectors into memory that stays in the first-level cache, and written
//! from there as rows of the result.
//!
//! Between the two as many vectors as a vector has lanes are turned in registers, in steps of half, a quarter, ... of the lanes: each
//! exchanges the squares beside the diagonal (J. O. Eklundh, "A fast computer method for matrix transposing", 1972). Lines of the
//! source are read once, whole, and next to each other, so that rows whose distance is a power of two do not evict one another before
//! they are used.

use std::ops::Range;

use crate::array::Data;
use crate::backend::cpu::{Cpu, TILE};
use crate::backend::simd::{Fence, Level, Span, ViewMut, WithLevel, extract, slide_down, slide_up, store, stream};
use crate::element::{Element, Offset, Value};
use crate::error::Result;
use crate::kernel::{Varying, ops};
use crate::source::Source;

/// Above this much output the caches are no help to whoever reads it next.
const STREAM_BYTES: usize = 16 << 20;
/// Lanes of a vector, at most.
const MOST: usize = 16;

/// The rows and columns of a block of a grid.
#[derive(Clone, Copy)]
struct Blocks {
    rows: usize,
    columns: usize,
    /// Of a block.
    height: usize,
    width: usize,
}

impl Blocks {
    /// Square blocks where the grid has room for them; else longer ones, of about as many elements.
    fn of([rows, columns]: [usize; 2], side: usize) -> Blocks {
        let fit = |short: usize, long: usize| (side * side / short / MOST * MOST).max(MOST).min(long);
        let (height, width) = match (rows < side, columns < side) {
            (false, false) => (side, side),
            (true, _) => (rows, fit(rows, columns)),
            (false, true) => (fit(columns, rows), columns),
        };
        Blocks { rows, columns, height, width }
    }

    fn down(self) -> usize {
        self.rows.div_ceil(self.height)
    }

    fn count(self) -> usize {
        self.down() * self.columns.div_ceil(self.width)
    }

    /// The rows and the columns of a block. Those of the same columns follow each other.
    #[inline(always)]
    fn block(self, number: usize) -> (Range<usize>, Range<usize>) {
        let (top, left) = (number % self.down() * self.height, number / self.down() * self.width);
        (top..(top + self.height).min(self.rows), left..(left + self.width).min(self.columns))
    }
}

/// Writes the transpose of a grid to `out`.
pub(super) fn transpose<S: Source<Item: Element>>(
    cpu: &Cpu<'_>,
    source: &S,
    shape: [usize; 2],
    out: ViewMut<'_, S::Item>,
) -> Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    // A block and its lines stay in the first-level cache.
    let side = match size_of::<S::Item>() {
        ..=4 => 64,
        ..=16 => 32,
        _ => 16,
    };
    let blocks = Blocks::of(shape, side);
    let streams = out.len() * size_of::<S::Item>() >= STREAM_BYTES;
    let mut leaves = Vec::new();
    S::Item::leaves(Offset::START, &mut leaves);
    let turns = leaves.len() == 1;
    // Work is shared out by tiles: so many blocks are one.
    let each = TILE / (side * side);
    cpu.for_each_range(blocks.count().div_ceil(each) * TILE, |range| {
        let numbers = range.start / TILE * each..(range.end / TILE * each).min(blocks.count());
        cpu.at_level(Turn { source, out, blocks, numbers, streams, turns });
    })
}

/// Transposes some of the blocks.
struct Turn<'a, S: Source<Item: Element>> {
    source: &'a S,
    out: ViewMut<'a, S::Item>,
    blocks: Blocks,
    numbers: Range<usize>,
    /// Whether the result is written past the caches.
    streams: bool,
    /// Whether vectors are turned in registers.
    turns: bool,
}

impl<S: Source<Item: Element>> WithLevel for Turn<'_, S> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        if self.streams { self.each::<L, true>(l) } else { self.each::<L, false>(l) }
    }
}

impl<S: Source<Item: Element>> Turn<'_, S> {
    #[inline(always)]
    fn each<L: Level, const STREAM: bool>(self, l: L) {
        let (bound, out, Blocks { rows, columns, height, width }) = (self.source.bind(l), self.out.whole(), self.blocks);
        let _fence = Fence::<L, STREAM>(l);
        // What is there is written over before it is read.
        let some = extract(l, S::load(l, bound, Span::new(0, 1)), 0);
        let mut block = vec![some; height * width];
        for number in self.numbers {
            let (down, across) = self.blocks.block(number);
            let to = ViewMut::of(&mut block);
            for (k, row) in down.clone().enumerate() {
                let mut i = 0;
                while i < across.len() {
                    let count = L::WIDTH.min(across.len() - i);
                    let from = Span::new(row * columns + across.start + i, count);
                    store(l, S::load(l, bound, from), to, Span::new(k * width + i, count));
                    i += count;
                }
            }
            let from = ops::slice(l, Data::Slice(&block)).0;
            let mut c = 0;
            if self.turns {
                while c + L::WIDTH <= across.len() {
                    let mut r = 0;
                    while r < down.len() {
                        let count = L::WIDTH.min(down.len() - r);
                        let mut lines = [ops::load(l, from, Span::new(r * width + c, L::WIDTH)); MOST];
                        for k in 1..L::WIDTH {
                            // Rows that are not there repeat the last.
                            let row = r + if k < count { k } else { count - 1 };
                            lines[k] = ops::load(l, from, Span::new(row * width + c, L::WIDTH));
                        }
                        turn(l, &mut lines);
                        for (k, line) in lines.into_iter().enumerate().take(L::WIDTH) {
                            let to = Span::new((across.start + c + k) * rows + down.start + r, count);
                            if STREAM { stream(l, line, out, to) } else { store(l, line, out, to) }
                        }
                        r += count;
                    }
                    c += L::WIDTH;
                }
            }
            for c in c..across.len() {
                for r in 0..down.len() {
                    out.write((across.start + c) * rows + down.start + r, block[r * width + c]);
                }
            }
        }
    }
}

/// Transposes the square of as many vectors as a vector has lanes.
#[inline(always)]
fn turn<L: Level, T: Value>(l: L, lines: &mut [Varying<L, T>; MOST]) {
    if L::WIDTH > 8 {
        exchange(l, lines, 8);
    }
    if L::WIDTH > 4 {
        exchange(l, lines, 4);
    }
    exchange(l, lines, 2);
    exchange(l, lines, 1);
}

/// Exchanges the upper right with the lower left in each square of twice so many lines.
#[inline(always)]
fn exchange<L: Level, T: Value>(l: L, lines: &mut [Varying<L, T>; MOST], half: usize) {
    let lane = Varying::<L, u32>(l.index_u32(Span::new(0, L::WIDTH)));
    let left = ops::eq(l, ops::and(l, lane, ops::lit(l, half as u32)), ops::lit(l, 0));
    for k in 0..L::WIDTH {
        if k & half == 0 {
            let (a, b) = (lines[k], lines[k + half]);
            lines[k] = ops::select(l, left, a, slide_up(l, b, half));
            lines[k + half] = ops::select(l, left, slide_down(l, a, half), b);
        }
    }
}
