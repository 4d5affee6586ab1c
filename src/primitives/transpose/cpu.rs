//! Transpose on the CPU, in blocks that stay in the second-level cache: strip by strip, so that the pages of a strip's lines are found
//! without a walk, in the source and in the result.
//!
//! What is in memory is read there, anything else is evaluated a block at a time. Elements of four or eight bytes are moved as words: see
//! `turn`. Others are moved one by one, in squares.

use std::ops::Range;

use crate::backend::cpu::Cpu;
use crate::backend::simd::{Base, Fence, Level, MOST, Span, View, ViewMut, WithLevel, store};
use crate::element::Element;
use crate::error::Result;
use crate::primitives::map;
use crate::source::Source;

use super::turn::{Block, LINE_BYTES, Lines, Turn, Way, Word, apart};

/// Above this much output the caches are no help to whoever reads it next.
const STREAM_BYTES: usize = 16 << 20;
/// Bytes of a block's row, and of its column, if the grid has room for them.
const ROW_BYTES: usize = 1024;
const COLUMN_BYTES: usize = 512;
/// Of its column, if rows are short.
const MOST_COLUMN_BYTES: usize = 4096;
/// Bytes of a row whose blocks follow each other.
const STRIP_BYTES: usize = 2048;
/// Bytes that are put together at a time, of few rows or columns: they stay in the first-level cache.
const PART_BYTES: usize = 16 << 10;
/// Rows and columns of the squares of elements that are not words: whole lines of the cache, but no fewer than these.
const SIDE: usize = 8;
const MOST_SIDE: usize = 64;

/// The rows and columns of a grid in blocks.
#[derive(Clone, Copy, Debug)]
struct Blocks {
    rows: usize,
    columns: usize,
    /// Of a block.
    height: usize,
    width: usize,
    /// Rows of the first blocks, if they are fewer: lines of the result then begin where those of the cache do. And columns, for those
    /// of the source.
    head: usize,
    lead: usize,
    /// Blocks side by side in a strip.
    strip: usize,
}

impl Blocks {
    fn of([rows, columns]: [usize; 2], bytes: usize, way: Way) -> Blocks {
        let (width, height) = if way == Way::Interleaved {
            (PART_BYTES / (rows * bytes), rows)
        } else {
            let beside = columns.next_power_of_two().max(4);
            (ROW_BYTES / bytes, (PART_BYTES / beside).clamp(COLUMN_BYTES, MOST_COLUMN_BYTES) / bytes)
        };
        let lines = |n: usize, most: usize| (n / MOST).max(1).saturating_mul(MOST).min(most);
        let (height, width) = (lines(height, rows), lines(width, columns));
        let strip = (STRIP_BYTES / (width * bytes)).max(1);
        Blocks { rows, columns, height, width, head: 0, lead: 0, strip }
    }

    fn elements(self) -> usize {
        self.height * self.width
    }

    fn down(self) -> usize {
        (self.rows - self.head).div_ceil(self.height) + usize::from(self.head > 0)
    }

    fn across(self) -> usize {
        (self.columns - self.lead).div_ceil(self.width) + usize::from(self.lead > 0)
    }

    fn count(self) -> usize {
        self.down() * self.across()
    }

    /// A block: strip by strip, from the top down.
    fn block(self, number: usize) -> Block {
        let whole = self.down() * self.strip;
        let (first, rest) = (number / whole * self.strip, number % whole);
        let wide = self.strip.min(self.across() - first);
        let (row, column) = (rest / wide, first + rest % wide);
        Block { down: range(row, self.height, self.head, self.rows), across: range(column, self.width, self.lead, self.columns) }
    }
}

/// Of `n` lines in parts of so many, but for the first that has `head`, if that is not 0, the part with this number.
fn range(number: usize, each: usize, head: usize, n: usize) -> Range<usize> {
    let ahead = if head > 0 { each - head } else { 0 };
    (number * each).saturating_sub(ahead)..((number + 1) * each - ahead).min(n)
}

/// Writes the transpose of a grid to `out`.
pub(super) fn transpose<S: Source<Item: Element>>(
    cpu: &Cpu<'_>,
    source: &S,
    shape: [usize; 2],
    out: ViewMut<'_, S::Item>,
) -> Result<()> {
    if shape.contains(&1) || out.is_empty() {
        return map::cpu::fill(cpu, source, out, out.len());
    }
    match size_of::<S::Item>() {
        4 if S::Item::PACKED => words::<S, u32>(cpu, source, shape, out),
        8 if S::Item::PACKED => words::<S, u64>(cpu, source, shape, out),
        _ => {
            let blocks = Blocks::of(shape, size_of::<S::Item>(), Way::Direct);
            each(cpu, source, blocks, 0, |rows, block, _| one_by_one(rows, block, blocks.rows, out))
        }
    }
}

/// The same of elements that are words.
fn words<S: Source<Item: Element>, U: Word>(
    cpu: &Cpu<'_>,
    source: &S,
    shape: [usize; 2],
    out: ViewMut<'_, S::Item>,
) -> Result<()> {
    let (bytes, out) = (size_of::<U>(), out.words::<U>());
    let line = LINE_BYTES / bytes;
    let streams = out.len() * bytes >= STREAM_BYTES && out.pointer(0).addr().is_multiple_of(bytes);
    let way = if shape[0] <= cpu.level.lanes() && shape[0] < MOST {
        Way::Interleaved
    } else if streams && !shape[0].is_multiple_of(line) {
        Way::Parts(line)
    } else {
        Way::Direct
    };
    let mut blocks = Blocks::of(shape, bytes, way);
    if streams && way == Way::Direct {
        blocks.head = out.elements_to_alignment(0) % blocks.height;
    }
    if let Some(data) = source.plain()
        && way != Way::Interleaved
        && shape[1].is_multiple_of(line)
    {
        blocks.lead = View::new(data.host()).elements_to_alignment() % blocks.width;
    }
    let before = if let Way::Parts(before) = way { before } else { 0 };
    let room = match way {
        Way::Interleaved => blocks.elements() + MOST,
        _ => blocks.width.next_power_of_two().clamp(4, MOST) * apart(before + blocks.height),
    };
    each(cpu, source, blocks, before, |Rows { from, pitch }, block, next| {
        let (from, mut scratch) = (from.words(), Vec::with_capacity(room));
        let scratch = ViewMut::new(&mut scratch.spare_capacity_mut()[..room]);
        cpu.at_level(Turn { from, pitch, block, rows: blocks.rows, out, way, streams, next, scratch });
    })
}

/// Rows of a block in memory, those before it that are wanted first, and how far apart they are.
struct Rows<'a, T> {
    from: View<'a, T>,
    pitch: usize,
}

/// Calls `turn` for each block, with what is wanted of the rows before it, and the lines of the block that comes next.
fn each<S: Source<Item: Element>>(
    cpu: &Cpu<'_>,
    source: &S,
    blocks: Blocks,
    before: usize,
    turn: impl Fn(Rows<'_, S::Item>, Block, Lines) + Sync,
) -> Result<()> {
    let some = |numbers: Range<usize>| {
        // Stores past the caches are ordered also when a kernel's panic ends this.
        let _fence = Fence::<Base, true>(Base);
        let mut evaluated = Vec::new();
        let grid = source.plain().map(|data| View::new(data.host()));
        let lines = |number| grid.map_or(Lines::NONE, |grid| Lines::of(grid, blocks.columns, blocks.block(number)));
        lines(numbers.start).ask(usize::MAX);
        for number in numbers.clone() {
            let (block, columns) = (blocks.block(number), blocks.columns);
            let top = block.down.start.saturating_sub(before);
            let rows = match grid {
                Some(grid) => Rows { from: grid.from(top * columns + block.across.start), pitch: columns },
                None => {
                    let rows = top..block.down.end;
                    let room = rows.len() * block.across.len();
                    evaluated.reserve(room);
                    let to = ViewMut::new(&mut evaluated.spare_capacity_mut()[..room]);
                    cpu.at_level(Evaluate { source, columns, rows, across: block.across.clone(), to });
                    Rows { from: to.written(), pitch: block.across.len() }
                }
            };
            let next = if number + 1 < numbers.end { lines(number + 1) } else { Lines::NONE };
            turn(rows, block, next);
        }
    };
    if cpu.workers <= 1 && cpu.deadline.is_none() {
        some(0..blocks.count());
        return Ok(());
    }
    let each = (cpu.grain / blocks.elements()).max(1);
    cpu.for_each_chunk(blocks.count().div_ceil(each), |chunk| some(chunk * each..((chunk + 1) * each).min(blocks.count())))
}

/// Writes what a block has of some rows, side by side.
struct Evaluate<'a, S: Source<Item: Element>> {
    source: &'a S,
    columns: usize,
    rows: Range<usize>,
    across: Range<usize>,
    to: ViewMut<'a, S::Item>,
}

impl<S: Source<Item: Element>> WithLevel for Evaluate<'_, S> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        let (bound, to, mut at) = (self.source.bind(l), self.to.whole(), 0);
        for row in self.rows {
            let (mut i, end) = (row * self.columns + self.across.start, row * self.columns + self.across.end);
            while i < end {
                let span = Span::new(i, L::WIDTH.min(end - i));
                store(l, S::load(l, bound, span), to, Span::new(at, span.count));
                i += span.count;
                at += span.count;
            }
        }
    }
}

/// Writes a block of elements of any size: squares of whole lines are copied to where they lie side by side, and written from there.
fn one_by_one<T: Element>(Rows { from, pitch }: Rows<'_, T>, block: Block, rows: usize, out: ViewMut<'_, T>) {
    let (from, out, Block { down, across }) = (from.whole(), out.whole(), block);
    let side = (4 * LINE_BYTES / size_of::<T>()).clamp(SIDE, MOST_SIDE);
    let mut square = Vec::with_capacity(side * side);
    let square = ViewMut::new(&mut square.spare_capacity_mut()[..side * side]);
    for left in (0..across.len()).step_by(side) {
        let width = side.min(across.len() - left);
        for top in (0..down.len()).step_by(side) {
            let height = side.min(down.len() - top);
            for row in 0..height {
                for column in 0..width {
                    square.write(row * side + column, from.read((top + row) * pitch + left + column));
                }
            }
            for column in 0..width {
                for row in 0..height {
                    out.write((across.start + left + column) * rows + down.start + top + row, square.read(row * side + column));
                }
            }
        }
    }
}
