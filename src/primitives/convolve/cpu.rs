//! Convolution on the CPU: a tile of the grid is copied with what lies around it, the boundary's elements too, to where it stays in the
//! second-level cache; there each row of results is made of whole vectors at shifted places, four at a time.

use crate::backend::cpu::Cpu;
use crate::backend::simd::{Fence, Level, Span, View, ViewMut, WithLevel, extract, store, stream};
use crate::element::{Element, Number};
use crate::error::Result;
use crate::kernel::{Rare, ops};
use crate::source::Source;

use super::halo::{Frame, Pass};

/// Elements of a tile with what lies around it, about.
const TILE: usize = 96 * 1024;
/// Columns of a tile: of grids with rows, and of one row.
const COLUMNS: [usize; 2] = [2048, 16 * 1024];
/// From so many bytes of results on they are written past the caches, as those of a map.
const STREAM_BYTES: usize = 16 << 20;

/// Writes the convolution.
pub(super) fn convolve<T: Number + Element, S: Source<Item = T>>(
    cpu: &Cpu<'_>,
    source: &S,
    frame: &Frame<T>,
    passes: &[Pass<T>],
    out: ViewMut<'_, T>,
) -> Result<()> {
    let [planes, rows, columns] = frame.shape;
    let n = planes * rows * columns;
    if n == 0 {
        return Ok(());
    }
    // What all passes together read around an element.
    let around = |of: fn(&Pass<T>) -> [usize; 3]| {
        let mut most = [0; 3];
        passes.iter().for_each(|pass| (0..3).for_each(|axis| most[axis] = most[axis].max(of(pass)[axis])));
        most
    };
    let (before, after) = (around(|pass| pass.before), around(|pass| pass.after));
    let halo = [0, 1, 2].map(|axis| before[axis] + after[axis]);
    let width = columns.min(COLUMNS[usize::from(planes * rows == 1)]);
    let pitch = width + halo[2];
    let fit = (TILE / (pitch * (halo[0] + 1))).saturating_sub(halo[1]);
    let height = fit.max(2 * halo[1]).max(4).min(rows);
    let (strips, bands) = (columns.div_ceil(width), rows.div_ceil(height));
    let size = pitch * (height + halo[1]) * (halo[0] + 1);
    let streams = n * size_of::<T>() >= STREAM_BYTES;
    cpu.for_each_chunk(planes * bands * strips, |chunk| {
        let (band, strip) = (chunk / strips, chunk % strips);
        let first = [band / bands, band % bands * height, strip * width];
        let extent = [1, height.min(rows - first[1]), width.min(columns - first[2])];
        let tile = Tile { source, frame, passes, before, halo, first, extent, pitch, size, streams, out };
        cpu.at_level(tile);
    })
}

/// A tile of the result.
struct Tile<'a, S: Source> {
    source: &'a S,
    frame: &'a Frame<S::Item>,
    passes: &'a [Pass<S::Item>],
    before: [usize; 3],
    /// How much more is read than written, along each axis.
    halo: [usize; 3],
    first: [usize; 3],
    extent: [usize; 3],
    /// Elements from a row of the copy to the next.
    pitch: usize,
    size: usize,
    streams: bool,
    out: ViewMut<'a, S::Item>,
}

impl<T: Number + Element, S: Source<Item = T>> WithLevel for Tile<'_, S> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        let mut copy: Vec<T> = Vec::with_capacity(self.size);
        let copy = ViewMut::new(copy.spare_capacity_mut());
        let [_, height, width] = self.extent;
        let (tall, wide) = (height + self.halo[1], width + self.halo[2]);
        for plane in 0..=self.halo[0] {
            for row in 0..tall {
                self.fetch(l, plane, row, wide, copy.from((plane * tall + row) * self.pitch));
            }
        }
        let [_, rows, columns] = self.frame.shape;
        let _fence = Fence::<L, true>(l);
        for (number, pass) in self.passes.iter().enumerate() {
            let last = number + 1 == self.passes.len();
            let offsets = self.offsets(pass, tall);
            // What later passes still read around the results of this one.
            let (mut planes, mut lines) = (1, height);
            for later in &self.passes[number + 1..] {
                planes += later.shape[0] - 1;
                lines += later.shape[1] - 1;
            }
            for plane in 0..planes {
                for row in 0..lines {
                    let from = copy.written().from((plane * tall + row) * self.pitch);
                    // In place, a row's results stand where nothing is read any more.
                    let to = if last {
                        self.out.from((self.first[0] * rows + self.first[1] + row) * columns + self.first[2])
                    } else {
                        copy.from((plane * tall + row) * self.pitch)
                    };
                    let stream = last && self.streams;
                    l.rarely(Line { from, to, offsets: &offsets, weights: &pass.weights, width, stream });
                }
            }
        }
    }
}

impl<T: Number + Element, S: Source<Item = T>> Tile<'_, S> {
    /// How far from the first that it reads each weight's element stands.
    fn offsets(&self, pass: &Pass<T>, tall: usize) -> Vec<u32> {
        let [_, rows, columns] = pass.shape;
        let at = |t: usize| (t / columns / rows * tall + t / columns % rows) * self.pitch + t % columns;
        (0..pass.weights.len()).map(|t| at(t) as u32).collect()
    }

    /// Copies a row with what lies beside it.
    #[inline(always)]
    fn fetch<L: Level>(&self, l: L, plane: usize, row: usize, wide: usize, to: ViewMut<'_, T>) {
        let (bound, to, frame) = (self.source.bind(l), to.whole(), self.frame);
        let [_, rows, columns] = frame.shape;
        let start = |axis: usize, i: usize| (self.first[axis] + i) as isize - self.before[axis] as isize;
        let places = (frame.place(0, start(0, plane)), frame.place(1, start(1, row)));
        let (Some(plane), Some(row)) = places else {
            let x = ops::broadcast(l, ops::uniform::<L, T>(l, frame.outside.unwrap_or(T::ZERO)));
            let mut i = 0;
            while i < wide {
                store(l, x, to, Span::new(i, L::WIDTH.min(wide - i)));
                i += L::WIDTH;
            }
            return;
        };
        let base = (plane * rows + row) * columns;
        // Beside the grid, in the grid, and beside it again.
        let from = start(2, 0);
        let inside = (-from).clamp(0, wide as isize) as usize;
        let until = (columns as isize - from).clamp(inside as isize, wide as isize) as usize;
        let mut i = inside;
        while i < until {
            let count = L::WIDTH.min(until - i);
            let x = S::load(l, bound, Span::new(base.wrapping_add_signed(from + i as isize), count));
            store(l, x, to, Span::new(i, count));
            i += L::WIDTH;
        }
        for i in (0..inside).chain(until..wide) {
            let x = match frame.place(2, from + i as isize) {
                Some(column) => extract(l, S::load(l, bound, Span::new(base + column, 1)), 0),
                None => frame.outside.unwrap_or(T::ZERO),
            };
            to.write(i, x);
        }
    }
}

/// A row of results.
struct Line<'a, T> {
    from: View<'a, T>,
    to: ViewMut<'a, T>,
    offsets: &'a [u32],
    weights: &'a [T],
    width: usize,
    stream: bool,
}

impl<L: Level, T: Number + Element> Rare<L> for Line<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self, l: L) {
        let (from, to) = (self.from.whole(), self.to.whole());
        // Up to where streaming stores are possible.
        let head = if self.stream { to.elements_to_alignment(0).min(self.width) } else { 0 };
        let mut i = 0;
        while i < self.width {
            let until = if i < head { head } else { self.width };
            if i + 4 * L::WIDTH <= until {
                let mut sums = [ops::lit::<L, T>(l, T::SUM_IDENTITY); 4];
                for (&offset, &weight) in self.offsets.iter().zip(self.weights) {
                    let weight = ops::broadcast(l, ops::uniform::<L, T>(l, weight));
                    for (k, sum) in sums.iter_mut().enumerate() {
                        let x = ops::load(l, l.view(from), Span::new(offset as usize + i + k * L::WIDTH, L::WIDTH));
                        *sum = ops::add(l, *sum, ops::mul(l, weight, x));
                    }
                }
                for (k, sum) in sums.into_iter().enumerate() {
                    let span = Span::new(i + k * L::WIDTH, L::WIDTH);
                    if self.stream { stream(l, sum, to, span) } else { store(l, sum, to, span) }
                }
                i += 4 * L::WIDTH;
            } else {
                let count = L::WIDTH.min(until - i);
                let mut sum = ops::lit::<L, T>(l, T::SUM_IDENTITY);
                for (&offset, &weight) in self.offsets.iter().zip(self.weights) {
                    let weight = ops::broadcast(l, ops::uniform::<L, T>(l, weight));
                    let x = ops::load(l, l.view(from), Span::new(offset as usize + i, count));
                    sum = ops::add(l, sum, ops::mul(l, weight, x));
                }
                store(l, sum, to, Span::new(i, count));
                i += count;
            }
        }
    }
}
