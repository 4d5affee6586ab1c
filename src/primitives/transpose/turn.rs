//! A block of words in memory, turned in registers.
//!
//! Lines of the source are read once and whole, and those of the block after this one are asked for meanwhile, row by row, since no
//! hardware foresees where the next row begins. The requests are spread among the stores: many at once wait for the stores that are under
//! way. Measured at 4096 x 4096 `f32` on one core of an EPYC: 0.65 to 0.73 of a copy's speed; in a plain program with large pages 0.9, and
//! with the requests of a square at once 0.7.
//!
//! Lines of the result are written whole, past the caches if there are many. Where not every row of the result begins at a line, each
//! column's part of a block is put together in the first-level cache, and ends where a line does.

use std::ops::Range;

use crate::backend::simd::{Level, MOST, Span, View, ViewMut, WithLevel, prefetch, store, stream, turn};
use crate::element::{Element, Scalar};
use crate::kernel::{Varying, ops};

/// Bytes of a cache line.
pub(super) const LINE_BYTES: usize = 64;
/// Vectors that are written before lines are asked for.
const EACH: usize = 4;

/// The rows and columns of a block.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Block {
    pub(super) down: Range<usize>,
    pub(super) across: Range<usize>,
}

/// How a block is turned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    /// From registers to the result.
    Direct,
    /// As a part of each column, which begins with so many of the rows before it, at most.
    Parts(usize),
    /// As one part, of all rows: they are no more than the lanes of a vector.
    Interleaved,
}

/// Writes a block of a grid of so many rows to the grid's transpose.
pub(super) struct Turn<'a, T: Word> {
    /// The block, from its first row, or those before it that are needed; and how far apart its rows are.
    pub(super) from: View<'a, T>,
    pub(super) pitch: usize,
    pub(super) block: Block,
    pub(super) rows: usize,
    pub(super) out: ViewMut<'a, T>,
    pub(super) way: Way,
    /// Whether the result is written past the caches. The caller orders such stores.
    pub(super) streams: bool,
    /// What is asked for meanwhile.
    pub(super) next: Lines,
    /// Where parts are put together.
    pub(super) scratch: ViewMut<'a, T>,
}

impl<T: Word> WithLevel for Turn<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        if self.streams { self.each::<L, true>(l) } else { self.each::<L, false>(l) }
    }
}

/// How far apart columns are put together.
pub(super) fn apart(height: usize) -> usize {
    height.next_multiple_of(MOST) + MOST
}

impl<T: Word> Turn<'_, T> {
    #[inline(always)]
    fn each<L: Level, const STREAM: bool>(mut self, l: L) {
        if self.way == Way::Interleaved {
            return match self.block.down.len() {
                ..=4 => self.interleaved::<L, STREAM, 4>(l),
                5..=8 => self.interleaved::<L, STREAM, 8>(l),
                _ => self.interleaved::<L, STREAM, MOST>(l),
            };
        }
        let width = self.block.across.len();
        for left in (0..width).step_by(L::WIDTH) {
            match width - left {
                rest if rest >= L::WIDTH && self.way == Way::Direct => self.direct::<L, STREAM>(l, left),
                rest @ 0..=4 => self.parts::<L, STREAM, 4>(l, left, rest.min(L::WIDTH)),
                rest @ 5..=8 => self.parts::<L, STREAM, 8>(l, left, rest.min(L::WIDTH)),
                rest => self.parts::<L, STREAM, MOST>(l, left, rest.min(L::WIDTH)),
            }
        }
    }

    /// The vectors of as many rows from `top` on as vectors have lanes. Rows that are not there repeat the last of `height`; of columns
    /// `count` are wanted, and what comes after them may be read.
    #[inline(always)]
    fn square<L: Level>(&self, l: L, (top, height): (usize, usize), left: usize, count: usize) -> [Varying<L, T>; MOST] {
        let (from, mut at) = (l.view(self.from.whole()), top * self.pitch + left);
        let full = top + L::WIDTH <= height && at + (L::WIDTH - 1) * self.pitch + L::WIDTH <= self.from.len();
        let mut lines = [ops::load(l, from, Span::new(at, if full { L::WIDTH } else { count })); MOST];
        if full {
            for line in lines.iter_mut().take(L::WIDTH).skip(1) {
                at += self.pitch;
                *line = ops::load(l, from, Span::new(at, L::WIDTH));
            }
        } else {
            for (k, line) in lines.iter_mut().enumerate().take(L::WIDTH).skip(1) {
                let row = (top + k).min(height - 1);
                *line = ops::load(l, from, Span::new(row * self.pitch + left, count));
            }
        }
        lines
    }

    /// Writes as many columns as vectors have lanes.
    #[inline(always)]
    fn direct<L: Level, const STREAM: bool>(&mut self, l: L, left: usize) {
        let (Block { down, across }, out, mut next) = (self.block.clone(), self.out.whole(), self.next);
        for top in (0..down.len()).step_by(L::WIDTH) {
            let mut lines = self.square(l, (top, down.len()), left, L::WIDTH);
            turn_words::<L, T, MOST, MOST>(l, &mut lines);
            let at = (across.start + left) * self.rows + down.start + top;
            let count = L::WIDTH.min(down.len() - top);
            // Line by line, since a loop would keep them in memory.
            four::<L, T, STREAM, 0>(l, &lines, out, (at, self.rows, count));
            next.ask(EACH * L::WIDTH * size_of::<T>() / LINE_BYTES);
            if L::WIDTH > 4 {
                four::<L, T, STREAM, 4>(l, &lines, out, (at, self.rows, count));
                next.ask(EACH * L::WIDTH * size_of::<T>() / LINE_BYTES);
            }
            if L::WIDTH > 8 {
                four::<L, T, STREAM, 8>(l, &lines, out, (at, self.rows, count));
                next.ask(EACH * L::WIDTH * size_of::<T>() / LINE_BYTES);
                four::<L, T, STREAM, 12>(l, &lines, out, (at, self.rows, count));
                next.ask(EACH * L::WIDTH * size_of::<T>() / LINE_BYTES);
            }
        }
        self.next = next;
    }

    /// Writes `count` columns, each in one part. `TO` is at least as many, if not as many as the lanes of a vector.
    #[inline(always)]
    fn parts<L: Level, const STREAM: bool, const TO: usize>(&mut self, l: L, left: usize, count: usize) {
        let Way::Parts(before) = self.way else { return self.parts_from::<L, STREAM, TO>(l, left, count, 0) };
        self.parts_from::<L, STREAM, TO>(l, left, count, before.min(self.block.down.start));
    }

    #[inline(always)]
    fn parts_from<L: Level, const STREAM: bool, const TO: usize>(&mut self, l: L, left: usize, count: usize, before: usize) {
        let Block { down, across } = self.block.clone();
        let (height, scratch) = (before + down.len(), self.scratch.whole());
        let apart = apart(height);
        for top in (0..height).step_by(L::WIDTH) {
            let mut lines = self.square(l, (top, height), left, count);
            turn_words::<L, T, MOST, TO>(l, &mut lines);
            let wanted = if TO < L::WIDTH { TO } else { L::WIDTH };
            for (k, line) in lines.iter().enumerate().take(wanted) {
                store(l, *line, scratch, Span::new(k * apart + top, L::WIDTH));
            }
        }
        for k in 0..count {
            let column = (across.start + left + k) * self.rows;
            let (mut start, mut end) = (down.start, down.end);
            if before > 0 {
                start -= self.out.elements_into_line(column + start);
            }
            if matches!(self.way, Way::Parts(_)) && end < self.rows {
                end -= self.out.elements_into_line(column + end);
            }
            self.part::<L, STREAM>(l, k * apart + before - (down.start - start), column + start, end - start);
        }
    }

    /// Writes all rows side by side. `FROM` is at least as many, if not as many as the lanes of a vector.
    #[inline(always)]
    fn interleaved<L: Level, const STREAM: bool, const FROM: usize>(&mut self, l: L) {
        let (height, across, scratch) = (self.block.down.len(), self.block.across.clone(), self.scratch.whole());
        for left in (0..across.len()).step_by(L::WIDTH) {
            let count = L::WIDTH.min(across.len() - left);
            let mut lines = [ops::lit(l, T::ZERO); MOST];
            for (k, line) in lines.iter_mut().enumerate().take(FROM).take(height) {
                *line = ops::load(l, l.view(self.from.whole()), Span::new(k * self.pitch + left, count));
            }
            turn_words::<L, T, FROM, MOST>(l, &mut lines);
            // What is written beyond a line's end is written over by the next.
            for (k, line) in lines.into_iter().enumerate().take(count) {
                store(l, line, scratch, Span::new((left + k) * height, L::WIDTH));
            }
        }
        self.part::<L, STREAM>(l, 0, across.start * height, across.len() * height);
    }

    /// Writes `count` elements that were put together to where the result has element `at`.
    #[inline(always)]
    fn part<L: Level, const STREAM: bool>(&mut self, l: L, first: usize, at: usize, count: usize) {
        let (from, out, mut next) = (l.view(self.scratch.whole().written()), self.out.whole(), self.next);
        let mut i = 0;
        let head = if STREAM { out.elements_to_alignment(at).min(count) } else { 0 };
        while i < head {
            let n = L::WIDTH.min(head - i);
            store(l, ops::load(l, from, Span::new(first + i, n)), out, Span::new(at + i, n));
            i += n;
        }
        while i + L::WIDTH <= count {
            let mut k = 0;
            while k < EACH && i + L::WIDTH <= count {
                let (x, to) = (ops::load(l, from, Span::new(first + i, L::WIDTH)), Span::new(at + i, L::WIDTH));
                if STREAM {
                    stream(l, x, out, to)
                } else {
                    store(l, x, out, to)
                }
                i += L::WIDTH;
                k += 1;
            }
            next.ask(EACH * L::WIDTH * size_of::<T>() / LINE_BYTES);
        }
        if i < count {
            store(l, ops::load(l, from, Span::new(first + i, count - i)), out, Span::new(at + i, count - i));
        }
        self.next = next;
    }
}

/// The cache lines of a block, row by row.
#[derive(Clone, Copy)]
pub(super) struct Lines {
    /// The address of the line that is next, and where its row ends.
    next: usize,
    end: usize,
    /// Rows after it, the bytes that a row has, and those from one to the next.
    left: usize,
    row: usize,
    stride: usize,
}

impl Lines {
    pub(super) const NONE: Lines = Lines { next: 0, end: 0, left: 0, row: 0, stride: 0 };

    /// Of a block of a grid in memory.
    pub(super) fn of<T: Element>(grid: View<'_, T>, columns: usize, Block { down, across }: Block) -> Lines {
        let bytes = size_of::<T>();
        let next = grid.pointer(down.start * columns + across.start).addr();
        if across.len() == columns {
            return Lines { next, end: next + down.len() * columns * bytes, ..Lines::NONE };
        }
        let row = across.len() * bytes;
        Lines { next, end: next + row, left: down.len() - 1, row, stride: columns * bytes }
    }

    /// Asks for so many.
    #[inline(always)]
    pub(super) fn ask(&mut self, count: usize) {
        if self.end.saturating_sub(self.next) > count.saturating_mul(LINE_BYTES) {
            for k in 0..count {
                prefetch(self.next + k * LINE_BYTES);
            }
            self.next += count * LINE_BYTES;
            return;
        }
        for _ in 0..count {
            if self.next >= self.end {
                if self.left == 0 {
                    return;
                }
                self.left -= 1;
                self.next = self.end - self.row + self.stride;
                self.end += self.stride;
            }
            prefetch(self.next);
            self.next += LINE_BYTES;
        }
    }
}

/// Writes four of the lines of a square, from `K` on: the first line's begins at an element, the others are so far apart, and have so many.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "by index they stay in registers")]
fn four<L: Level, T: Word, const STREAM: bool, const K: usize>(
    l: L,
    lines: &[Varying<L, T>; MOST],
    out: ViewMut<'_, T>,
    (at, apart, count): (usize, usize, usize),
) {
    for k in K..K + 4 {
        let to = Span::new(at + k * apart, count);
        if STREAM { stream(l, lines[k], out, to) } else { store(l, lines[k], out, to) }
    }
}

/// Words that levels can turn.
pub(super) trait Word: Scalar {
    /// Turns a square and says so, if the level has instructions for it.
    fn turned<L: Level>(l: L, lines: &mut [Self::In<L>; MOST]) -> bool;
}
impl Word for u32 {
    #[inline(always)]
    fn turned<L: Level>(l: L, lines: &mut [L::U32; MOST]) -> bool {
        l.turn_32(lines)
    }
}
impl Word for u64 {
    #[inline(always)]
    fn turned<L: Level>(l: L, lines: &mut [L::U64; MOST]) -> bool {
        l.turn_64(lines)
    }
}

/// Turns a square of words, of whose lines the first `FROM` are given and the first `TO` wanted.
#[inline(always)]
fn turn_words<L: Level, T: Word, const FROM: usize, const TO: usize>(l: L, lines: &mut [Varying<L, T>; MOST]) {
    if FROM == MOST {
        let mut whole = [lines[0].0; MOST];
        for k in 1..L::WIDTH {
            whole[k] = lines[k].0;
        }
        if T::turned(l, &mut whole) {
            for k in 0..L::WIDTH {
                lines[k] = Varying(whole[k]);
            }
            return;
        }
    }
    turn::<L, T, FROM, TO>(l, lines);
}
