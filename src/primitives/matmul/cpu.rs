//! The product of matrices on the CPU, as GotoBLAS and BLIS have it (K. Goto, R. van de Geijn, 2008; F. Van Zee, R. van de Geijn, 2015).
//!
//! ```text
//! for each slab of columns of b                   what is packed of b stays in the last cache
//!     pack its panels: NR columns, 256 rows       all workers
//!     for each block of rows of a                 a worker at a time
//!         for each 256 columns of it
//!             pack them                           stays in the second-level cache
//!             for each panel of b                 stays in the first-level cache
//!                 for each MR rows: the kernel    MR x NR of the result stay in registers
//! ```
//!
//! Departures: all rows of a slab of `b` are packed at once, so that workers wait for each other once a slab; and a panel of `a` keeps its
//! rows, one behind the other, so that packing copies vectors. The kernel reads them a row apart, which is a constant of its addresses.
//!
//! An element's sum is made of the kernel's sums over 256 products, in ascending order: nothing of it depends on blocks or workers.

use std::ops::Range;

use crate::backend::cpu::Cpu;
use crate::backend::simd::{Level, Span, View, ViewMut, WithLevel, first, store};
use crate::error::Result;
use crate::kernel::{Rare, ops};
use crate::matrix::Matrix;
use crate::primitives::map;
use crate::source::{Source, constant};

use super::Dims;

/// Products that the kernel adds up at a time.
const DEPTH: usize = 256;
/// Rows of a block of `a`, about: with 256 columns it fills a part of a second-level cache.
const BLOCK_ROWS: usize = 144;
/// Elements of a slab of `b`, at most, if that is a panel.
const SLAB: usize = 8 << 20;
/// Blocks for each worker, at least, where there are rows and columns enough.
const BLOCKS_PER_WORKER: usize = 4;

/// The kernel's rows, and its columns in vectors: as many as there are registers for, with one row of `b` and an element of `a`.
#[inline(always)]
const fn tile(width: usize) -> (usize, usize) {
    if width >= 16 { (12, 2) } else { (6, 2) }
}

/// A matrix of which panels are made: lines of the panel's own direction, each as long as the sums.
struct Operand<'a, S> {
    source: &'a S,
    /// Lines in all.
    lines: usize,
    /// Elements from a line to the next, and from an element of a line to the next.
    strides: (usize, usize),
}

impl<'a, S: Source<Item = f32>> Operand<'a, S> {
    /// Of the rows, or the columns, of a matrix.
    fn new(matrix: &Matrix<S>, source: &'a S, of_rows: bool) -> Self {
        let [rows, columns] = matrix.shape();
        let (lines, depth) = if of_rows { (rows, columns) } else { (columns, rows) };
        let side_by_side = of_rows != matrix.is_transposed();
        Operand { source, lines, strides: if side_by_side { (depth, 1) } else { (1, lines) } }
    }
}

/// Writes `c + a * b`.
pub(crate) fn matmul<A: Source<Item = f32>, B: Source<Item = f32>, C: Source<Item = f32>>(
    cpu: &Cpu<'_>,
    (a, b, plus): (&Matrix<A>, &Matrix<B>, Option<&C>),
    dims: Dims,
    out: ViewMut<'_, f32>,
) -> Result<()> {
    let Dims { m, k, n } = dims;
    match plus {
        Some(c) => map::cpu::fill(cpu, c, out, m * n)?,
        None if k == 0 => map::cpu::fill(cpu, &constant(0.0), out, m * n)?,
        None => {}
    }
    if m * n * k == 0 {
        return Ok(());
    }
    let (from_a, from_b) = (a.source(), b.source());
    let (a, b) = (Operand::new(a, &from_a, true), Operand::new(b, &from_b, false));
    let width = cpu.at_level(Width);
    let (rows, vectors) = tile(width);
    let panel = vectors * width;
    let slab = (SLAB / k / panel).max(1) * panel;
    for start in (0..n).step_by(slab) {
        let columns = start..(start + slab).min(n);
        let padded = columns.len().next_multiple_of(panel);
        let packed = cpu.allocate(padded * k, |packed| {
            let each = (64 * 1024 / (k * panel)).max(1);
            cpu.for_each_chunk((padded / panel).div_ceil(each), |chunk| {
                let panels = chunk * each..((chunk + 1) * each).min(padded / panel);
                cpu.at_level(PackColumns { b: &b, first: start, panels, depth: k, padded, packed });
            })
        })?;
        // Blocks of rows that come out even, and columns cut too if there are few.
        let wanted = if cpu.workers > 1 { BLOCKS_PER_WORKER * cpu.workers } else { 1 };
        let blocks = m.div_ceil(BLOCK_ROWS).next_multiple_of(cpu.workers.max(1));
        let height = m.div_ceil(blocks).next_multiple_of(rows);
        let blocks = m.div_ceil(height);
        let cuts = wanted.div_ceil(blocks).min(padded / panel);
        let length = (padded / panel).div_ceil(cuts) * panel;
        let cuts = padded.div_ceil(length);
        cpu.for_each_chunk(blocks * cuts, |chunk| {
            let (block, cut) = (chunk / cuts, chunk % cuts);
            let rows = block * height..((block + 1) * height).min(m);
            let columns = start + cut * length..(start + (cut + 1) * length).min(columns.end);
            let packed = View::new(&packed);
            cpu.at_level(Block { a: &a, rows, columns, first: start, padded, packed, k, n, adds: plus.is_some(), out });
        })?;
    }
    Ok(())
}

/// The number of lanes.
struct Width;
impl WithLevel for Width {
    type Out = usize;
    #[inline(always)]
    fn run<L: Level>(self, _: L) -> usize {
        L::WIDTH
    }
}

/// Copies vectors of elements that are `step` apart, the last one filled up with zeros.
#[inline(always)]
fn copy<L: Level, S: Source<Item = f32>>(
    l: L,
    bound: S::Bound<'_, L>,
    from: usize,
    step: usize,
    count: usize,
    out: ViewMut<'_, f32>,
    at: usize,
) {
    let zero = ops::lit::<L, f32>(l, 0.0);
    let mut i = 0;
    while i < count {
        let here = L::WIDTH.min(count - i);
        let x = if step == 1 {
            S::load(l, bound, Span::new(from + i, here))
        } else {
            S::load(l, bound, Span { base: from + i * step, stride: step as isize, count: here })
        };
        let x = if here < L::WIDTH { first(l, here, x, zero) } else { x };
        store(l, x, out, Span::new(at + i, L::WIDTH));
        i += L::WIDTH;
    }
}

/// Packs panels of `b`: 256 rows of the first, of the second, and so on; then the next 256 rows.
struct PackColumns<'a, S> {
    b: &'a Operand<'a, S>,
    first: usize,
    panels: Range<usize>,
    depth: usize,
    padded: usize,
    packed: ViewMut<'a, f32>,
}

impl<S: Source<Item = f32>> WithLevel for PackColumns<'_, S> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        let (bound, packed, (line, step)) = (self.b.source.bind(l), self.packed.whole(), self.b.strides);
        let panel = tile(L::WIDTH).1 * L::WIDTH;
        for p in 0..self.depth {
            let (start, height) = (p / DEPTH * DEPTH, DEPTH.min(self.depth - p / DEPTH * DEPTH));
            for number in self.panels.clone() {
                let column = self.first + number * panel;
                let at = start * self.padded + number * panel * height + (p - start) * panel;
                let count = panel.min(self.b.lines - column);
                copy::<L, S>(l, bound, column * line + p * step, line, count, packed, at);
                let mut filled = count.next_multiple_of(L::WIDTH);
                while filled < panel {
                    store(l, ops::lit::<L, f32>(l, 0.0), packed, Span::new(at + filled, L::WIDTH));
                    filled += L::WIDTH;
                }
            }
        }
    }
}

/// A block of rows of the result, in some columns.
struct Block<'a, S> {
    a: &'a Operand<'a, S>,
    rows: Range<usize>,
    columns: Range<usize>,
    /// The first column of the slab, and how many are packed.
    first: usize,
    padded: usize,
    packed: View<'a, f32>,
    k: usize,
    n: usize,
    /// Whether there is something in the result to add to.
    adds: bool,
    out: ViewMut<'a, f32>,
}

impl<S: Source<Item = f32>> WithLevel for Block<'_, S> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        // The branches are decided when this is compiled.
        if L::WIDTH >= 16 { self.each::<L, 12, 2>(l) } else { self.each::<L, 6, 2>(l) }
    }
}

impl<S: Source<Item = f32>> Block<'_, S> {
    #[inline(always)]
    fn each<L: Level, const R: usize, const V: usize>(self, l: L) {
        let (bound, out) = (self.a.source.bind(l), self.out.whole());
        let (line, step) = self.a.strides;
        let (panel, height) = (V * L::WIDTH, self.rows.len().next_multiple_of(R));
        let mut block: Vec<f32> = vec![0.0; height * DEPTH];
        let from = ViewMut::of(&mut block);
        for start in (0..self.k).step_by(DEPTH) {
            let depth = DEPTH.min(self.k - start);
            for (i, row) in self.rows.clone().enumerate() {
                copy::<L, S>(l, bound, row * line + start * step, step, depth, from, i * DEPTH);
            }
            let adds = self.adds || start > 0;
            for column in self.columns.clone().step_by(panel) {
                let of_b = start * self.padded + (column - self.first) * depth;
                let columns = panel.min(self.columns.end - column);
                for i in (0..self.rows.len()).step_by(R) {
                    l.rarely(Tile::<'_, R, V> {
                        a: from.written().from(i * DEPTH),
                        b: self.packed.from(of_b),
                        depth,
                        out: out.from((self.rows.start + i) * self.n + column),
                        line: self.n,
                        rows: R.min(self.rows.len() - i),
                        columns,
                        adds,
                    });
                }
            }
        }
    }
}

/// The sums of `depth` products of `R` rows of `a`, which are 256 elements apart, with `V` vectors of columns of `b`, and where they go. A
/// function of its own: what is around it would have the registers.
struct Tile<'a, const R: usize, const V: usize> {
    a: View<'a, f32>,
    b: View<'a, f32>,
    depth: usize,
    out: ViewMut<'a, f32>,
    /// Elements from a row of the result to the next.
    line: usize,
    /// What there is room for.
    rows: usize,
    columns: usize,
    adds: bool,
}

impl<L: Level, const R: usize, const V: usize> Rare<L> for Tile<'_, R, V> {
    type Out = ();
    #[inline(always)]
    fn run(self, l: L) {
        let (a, b, out) = (self.a.whole(), self.b.whole(), self.out.whole());
        let mut sums = [[ops::lit::<L, f32>(l, -0.0); V]; R];
        for p in 0..self.depth {
            let mut row = [sums[0][0]; V];
            for (v, x) in row.iter_mut().enumerate() {
                *x = ops::load(l, l.view(b), Span::new((p * V + v) * L::WIDTH, L::WIDTH));
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                let x = ops::broadcast(l, ops::uniform::<L, f32>(l, a.read(i * DEPTH + p)));
                for (sum, y) in sums.iter_mut().zip(row) {
                    *sum = if L::FMA { ops::mul_add(l, x, y, *sum) } else { ops::add(l, *sum, ops::mul(l, x, y)) };
                }
            }
        }
        for (i, sums) in sums.into_iter().enumerate() {
            if i < self.rows {
                for (v, sum) in sums.into_iter().enumerate() {
                    if v * L::WIDTH < self.columns {
                        let span = Span::new(i * self.line + v * L::WIDTH, L::WIDTH.min(self.columns - v * L::WIDTH));
                        let sum = if self.adds { ops::add(l, ops::load(l, l.view(out.written()), span), sum) } else { sum };
                        store(l, sum, out, span);
                    }
                }
            }
        }
    }
}
