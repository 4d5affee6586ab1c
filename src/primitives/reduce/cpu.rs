//! Reduce on the CPU, in the canonical order.
//!
//! The order belongs to the operation and not to the machine, so the same bits come out at every level and worker count:
//! - commutative: element `i` of a tile sits in lane `i mod 128`, row `i / 128`. Each lane folds its rows in order; then the 128
//!   lanes fold by halving, lane `j` with lane `j + half`;
//! - not commutative: a tile is 128 runs of 32 consecutive elements. A run folds left to right; runs fold in adjacent pairs;
//! - the results of the tiles are the input of the next round, until one is left.
//!
//! Elements that do not exist are not folded, so no identity enters the arithmetic.

use crate::array::Data;
use crate::backend::cpu::{Cpu, TILE};
use crate::backend::simd::{Level, Pair, Span, ViewMut, WithLevel, extract, first, slide_down, store};
use crate::element::Element;
use crate::error::Result;
use crate::kernel::ops;
use crate::operator::Operator;
use crate::primitives::total::{Total, combine};
use crate::source::{SliceSource, Source};

/// Lanes of a tile.
const LANES: usize = 128;
/// Elements of a run.
const RUN: usize = TILE / LANES;

/// Combines all `n` elements of the source.
pub(crate) fn reduce<T: Element, S: Source<Item = T>, O: Operator<T>>(cpu: &Cpu<'_>, source: &S, op: &O, n: usize) -> Result<T> {
    let tiles = n.div_ceil(TILE);
    if tiles == 0 {
        return Ok(op.identity());
    }
    if tiles == 1 {
        let mut result = [std::mem::MaybeUninit::uninit()];
        let out = ViewMut::new(&mut result);
        cpu.at_level(Tiles { source, op, from: 0, to: n, out });
        return Ok(out.read(0));
    }
    if cpu.unordered {
        return total(cpu, source, op, n);
    }
    let results = cpu.allocate(tiles, |out| {
        cpu.for_each_range(n, |range| cpu.at_level(Tiles { source, op, from: range.start, to: range.end, out }))
    })?;
    let rest = Cpu { workers: 1, ..cpu.clone() };
    reduce(&rest, &SliceSource::new(Data::Slice(&results)), op, tiles)
}

/// The same without the canonical order: each chunk on its own, and the chunks from left to right.
fn total<T: Element, S: Source<Item = T>, O: Operator<T>>(cpu: &Cpu<'_>, source: &S, op: &O, n: usize) -> Result<T> {
    let grain = if cpu.workers <= 1 && cpu.deadline.is_none() { n } else { cpu.grain.max(TILE) };
    let chunks = n.div_ceil(grain);
    let results = cpu.allocate(chunks, |out| {
        cpu.for_each_chunk(chunks, |chunk| {
            let range = chunk * grain..((chunk + 1) * grain).min(n);
            out.write(chunk, cpu.at_level(Total { source, op, range }));
        })
    })?;
    Ok(results[1..].iter().fold(results[0], |all, &chunk| combine(op, all, chunk)))
}

struct Tiles<'a, T, S, O> {
    source: &'a S,
    op: &'a O,
    from: usize,
    to: usize,
    out: ViewMut<'a, T>,
}

impl<T: Element, S: Source<Item = T>, O: Operator<T>> WithLevel for Tiles<'_, T, S, O> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        if S::LOOPS { self.each(Pair(l)) } else { self.each(l) }
    }
}

impl<T: Element, S: Source<Item = T>, O: Operator<T>> Tiles<'_, T, S, O> {
    #[inline(always)]
    fn each<L: Level>(self, l: L) {
        let (bound, out) = (self.source.bind(l), self.out.whole());
        let mut from = self.from;
        while from + TILE <= self.to {
            out.write(from / TILE, tile::<L, T, S, O>(l, bound, self.op, from, TILE));
            from += TILE;
        }
        if from < self.to {
            out.write(from / TILE, tile::<L, T, S, O>(l, bound, self.op, from, self.to - from));
        }
    }
}

/// Folds the `n` elements (1 to 4096) from `from` on.
#[inline(always)]
fn tile<'a, L: Level, T: Element, S: Source<Item = T> + 'a, O: Operator<T>>(
    l: L,
    bound: S::Bound<'a, L>,
    op: &O,
    from: usize,
    n: usize,
) -> T {
    if O::COMMUTATIVE { halving::<L, T, S, O>(l, bound, op, from, n) } else { pairing::<L, T, S, O>(l, bound, op, from, n) }
}

/// Vectors that a block keeps in registers at once.
const BLOCK: usize = 8;

/// The canonical fold of a commutative operator: the rows of a tile lane by lane, then the 128 lanes by halving.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "the counter names the column in memory too, and the accumulators are registers")]
fn halving<'a, L: Level, T: Element, S: Source<Item = T> + 'a, O: Operator<T>>(
    l: L,
    bound: S::Bound<'a, L>,
    op: &O,
    from: usize,
    n: usize,
) -> T {
    let vectors = LANES / L::WIDTH;
    let block = if vectors < BLOCK { vectors } else { BLOCK };
    if n == TILE {
        // Column blocks of the tile, so that a narrow level keeps its accumulators in registers too.
        let mut lanes = [[ops::lit(l, op.identity()); BLOCK]; LANES / BLOCK];
        for b in 0..vectors / block {
            let mut acc = [lanes[0][0]; BLOCK];
            for v in 0..block {
                acc[v] = S::load(l, bound, Span::new(from + (b * block + v) * L::WIDTH, L::WIDTH));
            }
            for row in 1..TILE / LANES {
                for v in 0..block {
                    let at = from + row * LANES + (b * block + v) * L::WIDTH;
                    acc[v] = op.combine(l, acc[v], S::load(l, bound, Span::new(at, L::WIDTH)));
                }
            }
            lanes[b] = acc;
        }
        let mut half = vectors / 2;
        while half > 0 {
            for v in 0..half {
                let (x, y) = (lanes[v / block][v % block], lanes[(v + half) / block][(v + half) % block]);
                lanes[v / block][v % block] = op.combine(l, x, y);
            }
            half /= 2;
        }
        let mut x = lanes[0][0];
        let mut half = L::WIDTH / 2;
        while half > 0 {
            x = op.combine(l, x, slide_down(l, x, half));
            half /= 2;
        }
        return extract(l, x, 0);
    }
    // As many vectors as the level needs for 128 lanes, and no more: they are all initialised. The conditions are constants, so
    // that a level compiles its own variant only.
    if const { LANES / L::WIDTH <= 4 } {
        partial_halving::<L, T, S, O, 4>(l, bound, op, from, n)
    } else if const { LANES / L::WIDTH <= 8 } {
        partial_halving::<L, T, S, O, 8>(l, bound, op, from, n)
    } else if const { LANES / L::WIDTH <= 16 } {
        partial_halving::<L, T, S, O, 16>(l, bound, op, from, n)
    } else {
        partial_halving::<L, T, S, O, 32>(l, bound, op, from, n)
    }
}

/// The same fold where some elements do not exist: at most one tile of a call comes here.
#[inline(always)]
fn partial_halving<'a, L: Level, T: Element, S: Source<Item = T> + 'a, O: Operator<T>, const VECTORS: usize>(
    l: L,
    bound: S::Bound<'a, L>,
    op: &O,
    from: usize,
    n: usize,
) -> T {
    let vectors = n.min(LANES).div_ceil(L::WIDTH);
    let mut acc = [ops::lit(l, op.identity()); VECTORS];
    for (v, acc) in acc.iter_mut().enumerate().take(vectors) {
        let mut i = v * L::WIDTH;
        *acc = S::load(l, bound, Span::new(from + i, L::WIDTH.min(n - i)));
        i += LANES;
        while i < n {
            let count = L::WIDTH.min(n - i);
            let x = S::load(l, bound, Span::new(from + i, count));
            *acc = first(l, count, op.combine(l, *acc, x), *acc);
            i += LANES;
        }
    }
    let mut exist = n.min(LANES);
    let mut half = LANES / 2;
    while half > 0 {
        if exist > half {
            if half >= L::WIDTH {
                for v in 0..(exist - half).div_ceil(L::WIDTH) {
                    let count = L::WIDTH.min(exist - half - v * L::WIDTH);
                    acc[v] = first(l, count, op.combine(l, acc[v], acc[v + half / L::WIDTH]), acc[v]);
                }
            } else {
                acc[0] = first(l, exist - half, op.combine(l, acc[0], slide_down(l, acc[0], half)), acc[0]);
            }
            exist = half;
        }
        half /= 2;
    }
    extract(l, acc[0], 0)
}

#[inline(always)]
fn pairing<'a, L: Level, T: Element, S: Source<Item = T> + 'a, O: Operator<T>>(
    l: L,
    bound: S::Bound<'a, L>,
    op: &O,
    from: usize,
    n: usize,
) -> T {
    let runs = n.div_ceil(RUN);
    let mut results = [std::mem::MaybeUninit::<T>::uninit(); LANES];
    let out = ViewMut::new(&mut results);
    let mut run = 0;
    while run < runs {
        // Lane `j` folds run `run + j`; the last run may be shorter than the others.
        let here = n - run * RUN;
        let start = Span { base: from + run * RUN, stride: RUN as isize, count: L::WIDTH.min(here.div_ceil(RUN)) };
        let mut acc = S::load(l, bound, start);
        for e in 1..RUN.min(here) {
            let span = Span { count: L::WIDTH.min((here - e).div_ceil(RUN)), ..start.shift(e) };
            acc = first(l, span.count, op.combine(l, acc, S::load(l, bound, span)), acc);
        }
        store(l, acc, out, Span::new(run, L::WIDTH.min(runs - run)));
        run += L::WIDTH;
    }
    let mut left = runs;
    while left > 1 {
        for j in 0..left / 2 {
            out.write(j, combine(op, out.read(2 * j), out.read(2 * j + 1)));
        }
        if left % 2 == 1 {
            out.write(left / 2, out.read(left - 1));
        }
        left = left.div_ceil(2);
    }
    out.read(0)
}
