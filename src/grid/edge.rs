//! Windows that may lead out of the grid.
//!
//! Neighbours in one row read whole vectors of other rows, which the boundary names as a whole. Where such a vector leads beyond the
//! ends of its row, the vector at that end is read, and a shuffle puts its lanes where the boundary says. Neighbours that go on in
//! the next row are evaluated once for each of the rows. Only elements that are not in order are read lane by lane.
#![allow(clippy::needless_range_loop, reason = "an axis indexes several arrays; iterators would put closures between the lanes")]

use std::marker::PhantomData;

use crate::backend::simd::OneLane;
use crate::kernel::{Lanes, Rare, Uniform, Varying, ops};
use crate::source::Source;

use super::boundary::Boundary;
use super::stencil::{BoundStencil, Readable};
use super::window::{Neighbours, Stencil};

/// So many rows in one vector are evaluated one after the other. More are read lane by lane.
pub(super) const ROWS: usize = 4;

/// Windows of neighbours in order in one row, which may lead out of the grid.
struct Row<'e, 'a, S: Source + 'a, B, L: Lanes, const D: usize> {
    grid: &'e Readable<'a, S, L, D>,
    /// The boundary is a type.
    boundary: PhantomData<B>,
    /// The place of the first of so many.
    place: [usize; D],
    count: usize,
    /// The first element of their row, and whether all rows of their windows lie in the grid.
    start: usize,
    amid: bool,
    /// Whether the kernel has loops.
    loops: bool,
    /// How many lanes before it stand for other rows' elements. Like those behind the last, they stand for the nearest of this row.
    before: usize,
    /// The place of each lane's element in the row.
    columns: Varying<L, i32>,
}

impl<'a, S: Source, B: Boundary<S::Item>, L: Lanes, const D: usize> Neighbours<L, S::Item, D> for &Row<'_, 'a, S, B, L, D> {
    #[inline(always)]
    fn at(self, l: L, offset: [Uniform<L, i32>; D]) -> Varying<L, S::Item> {
        let Readable { source, ref shape, outside } = *self.grid;
        let within = shape.within(l, offset);
        let mut offset = [0; D];
        for axis in 0..D {
            // Where there are runs, uniform numbers are known.
            offset[axis] = l.known(within[axis].0.0).unwrap_or_default();
        }
        // The row that is read: all of it lies in the grid, or outside.
        let (mut first, mut by) = (0, 0);
        for axis in 0..D - 1 {
            by = (by + offset[axis] as isize) * shape.size(axis + 1) as isize;
        }
        if self.amid {
            first = self.start.wrapping_add_signed(by);
        } else {
            for axis in 0..D - 1 {
                let (p, n) = (self.place[axis] as i32 + offset[axis], shape.size(axis) as i32);
                let mut q = p;
                if p < 0 || p >= n {
                    if let Some(outside) = outside {
                        return ops::broadcast(l, outside);
                    }
                    q = B::place(OneLane, Varying(p), Varying(n), shape.near(axis)).0;
                }
                first = (first + q as usize) * shape.size(axis + 1);
            }
        }
        let column = self.place[D - 1] as isize + offset[D - 1] as isize;
        if column >= 0
            && column as usize + self.count <= shape.size(D - 1)
            && (self.before == 0 || !self.loops && first + column as usize >= self.before)
            && let Some(index) = l.index_of_run(first + column as usize - self.before, self.before + self.count)
        {
            // The lanes before may read what their elements do not, where that cannot keep a loop from its end.
            return S::load(l, source, index);
        }
        Bent { row: self, first, offset: offset[D - 1] }.run(l)
    }
}

/// What neighbours in one row read of the row that begins with the element `first`, so many places further on, which lead beyond it.
/// It is short enough to be worked on in place: a fifth faster on small grids than called.
struct Bent<'r, 'e, 'a, S: Source + 'a, B, L: Lanes, const D: usize> {
    row: &'r Row<'e, 'a, S, B, L, D>,
    first: usize,
    offset: i32,
}

impl<S: Source, B: Boundary<S::Item>, L: Lanes, const D: usize> Rare<L> for Bent<'_, '_, '_, S, B, L, D> {
    type Out = Varying<L, S::Item>;
    #[inline(always)]
    fn run(self, l: L) -> Varying<L, S::Item> {
        let Bent { row, first, offset } = self;
        let Readable { source, ref shape, outside } = *row.grid;
        let axis = D - 1;
        let n = shape.size(axis);
        let p = ops::add(l, row.columns, broadcast(l, offset));
        let q = B::place(l, p, ops::broadcast(l, shape.lengths[axis]), shape.near(axis));
        // Of the vector that all lanes read but those beyond an end, moved into the row. What they read is in it too if the boundary
        // reads near the end.
        let width = L::WIDTH.min(n);
        let start = (row.place[axis] as isize + offset as isize - row.before as isize).clamp(0, (n - width) as isize) as usize;
        let mut x = None;
        if shape.radius < L::WIDTH
            && let Some(index) = l.index_of_run(first + start, width)
        {
            let lane = from(l, q, start);
            let mut vector = ops::permute(l, S::load(l, source, index), lane);
            if B::PERIODIC && n > width {
                let other = n - width - start;
                if let Some(index) = l.index_of_run(first + other, width) {
                    let far = ops::permute(l, S::load(l, source, index), from(l, q, other));
                    vector = ops::select(l, ops::lt(l, lane, ops::lit(l, width as u32)), vector, far);
                }
            }
            x = Some(vector);
        }
        let x = match x {
            Some(x) => x,
            None => S::at(l, source, ops::cast(l, ops::add(l, q, broadcast(l, first as i32)))),
        };
        match outside {
            Some(outside) => ops::select(l, ops::eq(l, p, q), x, ops::broadcast(l, outside)),
            None => x,
        }
    }
}

/// Places counted from one of them.
#[inline(always)]
fn from<L: Lanes>(l: L, places: Varying<L, i32>, start: usize) -> Varying<L, u32> {
    ops::cast(l, ops::sub(l, places, broadcast(l, start as i32)))
}

/// A number that is equal in all lanes.
#[inline(always)]
fn broadcast<L: Lanes>(l: L, x: i32) -> Varying<L, i32> {
    ops::broadcast(l, ops::uniform(l, x))
}

/// Windows of any elements, which may lead out of the grid.
pub(super) struct Apart<'a, S: Source + 'a, B, L: Lanes, const D: usize> {
    grid: Readable<'a, S, L, D>,
    /// The boundary is a type.
    boundary: PhantomData<B>,
    /// The place of each lane's element on each axis.
    places: [Varying<L, i32>; D],
    /// The index, and the elements that it stands for, if they are read by it.
    index: Option<(L::Index, Varying<L, u32>)>,
}

impl<'a, S: Source, B: Boundary<S::Item>, L: Lanes, const D: usize> Apart<'a, S, B, L, D> {
    #[inline(always)]
    pub(super) fn new(
        grid: Readable<'a, S, L, D>,
        places: [Varying<L, i32>; D],
        index: Option<(L::Index, Varying<L, u32>)>,
    ) -> Self {
        Apart { grid, boundary: PhantomData, places, index }
    }
}

impl<'a, S: Source, B: Boundary<S::Item>, L: Lanes, const D: usize> Neighbours<L, S::Item, D> for &Apart<'a, S, B, L, D> {
    #[inline(always)]
    fn at(self, l: L, offset: [Uniform<L, i32>; D]) -> Varying<L, S::Item> {
        l.rarely(Scattered(self, self.grid.shape.within(l, offset)))
    }
}

/// What any elements' windows read at an offset, lane by lane.
struct Scattered<'e, 'a, S: Source + 'a, B, L: Lanes, const D: usize>(&'e Apart<'a, S, B, L, D>, [Uniform<L, i32>; D]);

impl<S: Source, B: Boundary<S::Item>, L: Lanes, const D: usize> Rare<L> for Scattered<'_, '_, S, B, L, D> {
    type Out = Varying<L, S::Item>;
    #[inline(always)]
    fn run(self, l: L) -> Varying<L, S::Item> {
        let Scattered(window, offset) = self;
        let Readable { source, ref shape, outside } = window.grid;
        let mut target = ops::lit::<L, i32>(l, 0);
        let mut inside = ops::lit(l, true);
        for axis in 0..D {
            let (p, n) =
                (ops::add(l, window.places[axis], ops::broadcast(l, offset[axis])), ops::broadcast(l, shape.lengths[axis]));
            let q = B::place(l, p, n, shape.near(axis));
            inside = ops::and(l, inside, ops::eq(l, p, q));
            target = ops::add(l, target, ops::mul(l, q, ops::broadcast(l, shape.strides[axis])));
        }
        let target = ops::cast::<u32, L, i32>(l, target);
        let mut near = None;
        if let Some((index, here)) = window.index {
            near = l.index_nudge(index, ops::sub(l, target, here).0);
        }
        let x = match near {
            Some(index) => S::load(l, source, index),
            None => S::at(l, source, target),
        };
        match outside {
            Some(outside) => ops::select(l, inside, x, ops::broadcast(l, outside)),
            None => x,
        }
    }
}

/// The evaluation of so many neighbours in order, from an element on.
pub(super) struct AtEdge<'e, 'a, S: Source + 'a, B, K, L: Lanes, const D: usize>(
    pub(super) &'e BoundStencil<'a, S, B, K, L, D>,
    pub(super) usize,
    pub(super) usize,
);

impl<S: Source, B: Boundary<S::Item>, K: Stencil<S::Item, D>, L: Lanes, const D: usize> Rare<L>
    for AtEdge<'_, '_, S, B, K, L, D>
{
    type Out = Varying<L, K::Out>;
    #[inline(always)]
    fn run(self, l: L) -> Varying<L, K::Out> {
        let AtEdge(&BoundStencil { mut grid, stencil }, first, count) = self;
        // It has come through memory. Known to the compiler again, it lets fold what the offsets are brought into.
        grid.shape.radius = K::RADIUS;
        let mut lane = ops::lit(l, 0);
        if let Some(lanes) = l.index_of_run(0, count) {
            lane = ops::cast::<i32, L, u32>(l, Varying(l.index_u32(lanes)));
        }
        let (mut place, mut before) = (grid.shape.place(first), 0);
        let mut result: Option<Varying<L, K::Out>> = None;
        loop {
            let low = place[D - 1];
            let here = (count - before).min(grid.shape.size(D - 1) - low);
            let columns = ops::add(l, lane, broadcast(l, low as i32 - before as i32));
            let columns = ops::min(l, ops::max(l, columns, broadcast(l, low as i32)), broadcast(l, (low + here - 1) as i32));
            let (start, amid, loops) = (first + before - low, grid.shape.amid(place), K::LOOPS);
            let window: Row<'_, '_, S, B, L, D> =
                Row { grid: &grid, boundary: PhantomData, place, count: here, start, amid, loops, before, columns };
            let mut x = stencil.kernel.eval(l, &window);
            if let Some(rows) = result {
                x = ops::select(l, ops::lt(l, lane, broadcast(l, before as i32)), rows, x);
            }
            before += here;
            if before == count {
                return x;
            }
            result = Some(x);
            place = grid.shape.next_row(place);
        }
    }
}

/// The evaluation of any elements.
pub(super) struct Anywhere<'e, 'a, S: Source + 'a, B, K, L: Lanes, const D: usize>(
    pub(super) &'e BoundStencil<'a, S, B, K, L, D>,
    pub(super) Varying<L, u32>,
);

impl<S: Source, B: Boundary<S::Item>, K: Stencil<S::Item, D>, L: Lanes, const D: usize> Rare<L>
    for Anywhere<'_, '_, S, B, K, L, D>
{
    type Out = Varying<L, K::Out>;
    #[inline(always)]
    fn run(self, l: L) -> Varying<L, K::Out> {
        let Anywhere(&BoundStencil { mut grid, stencil }, i) = self;
        grid.shape.radius = K::RADIUS; // as above
        let window: Apart<'_, S, B, L, D> = Apart::new(grid, grid.shape.places(l, i), None);
        stencil.kernel.eval(l, &window)
    }
}
