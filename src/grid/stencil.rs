//! A stencil: a kernel of windows, as a source.
//!
//! A vector whose windows all lie in the grid reads whole vectors at shifted indices, after one test of its place. The others, at
//! the edges, are worked on by code that is compiled once and called ([`Lanes::rarely`]): there neighbours in one row are
//! still whole vectors, and only what the boundary bends is read lane by lane. On a GPU the two are the branches of an `if`, and each
//! reads at the grid index plus a number.
#![allow(clippy::needless_range_loop, reason = "an axis indexes several arrays; iterators would put closures between the lanes")]

use crate::array::DataVisitor;
use crate::error::{Error, Result};
use crate::kernel::{Lanes, Rare, Uniform, Varying, ops};
use crate::source::Source;

use super::Grid;
use super::boundary::{Boundary, Outside};
use super::shape::Shape;
use super::window::{Neighbours, Stencil};

/// See [`Grid::stencil`].
#[derive(Clone, Copy)]
pub struct Stenciled<S, B, K, const D: usize> {
    pub(super) grid: Grid<S, D>,
    pub(super) boundary: B,
    pub(super) kernel: K,
}

impl<S, B, K, const D: usize> Stenciled<S, B, K, D> {
    /// What it is a stencil of.
    pub(crate) fn grid(&self) -> &S {
        &self.grid.source
    }
}

impl<S: Source, B: Copy, K: Copy, const D: usize> Stenciled<S, B, K, D> {
    /// The same stencil of another source, which has as many elements.
    pub(crate) fn over<T: Source>(&self, source: T) -> Stenciled<T, B, K, D> {
        Stenciled { grid: Grid { source, shape: self.grid.shape }, boundary: self.boundary, kernel: self.kernel }
    }
}

/// The places of an axis are added to and taken apart as `i32`.
const LIMIT: usize = i32::MAX as usize;

/// A grid made readable.
struct Readable<'a, S: Source + 'a, L: Lanes, const D: usize> {
    source: S::Bound<'a, L>,
    shape: Shape<L, D>,
    outside: Outside<L, S::Item>,
}

impl<S: Source, L: Lanes, const D: usize> Clone for Readable<'_, S, L, D> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<S: Source, L: Lanes, const D: usize> Copy for Readable<'_, S, L, D> {}

/// A [`Stenciled`] made readable.
pub struct BoundStencil<'a, S: Source + 'a, B, K, L: Lanes, const D: usize> {
    grid: Readable<'a, S, L, D>,
    stencil: &'a Stenciled<S, B, K, D>,
}

impl<S: Source, B, K, L: Lanes, const D: usize> Clone for BoundStencil<'_, S, B, K, L, D> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<S: Source, B, K, L: Lanes, const D: usize> Copy for BoundStencil<'_, S, B, K, L, D> {}

/// Windows that lie in the grid. `ROOM` says that a vector beside each of their rows does so too.
struct Inside<'a, S: Source + 'a, L: Lanes, const D: usize, const ROOM: bool> {
    grid: Readable<'a, S, L, D>,
    index: L::Index,
}

impl<S: Source, L: Lanes, const D: usize, const ROOM: bool> Clone for Inside<'_, S, L, D, ROOM> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<S: Source, L: Lanes, const D: usize, const ROOM: bool> Copy for Inside<'_, S, L, D, ROOM> {}

impl<'a, S: Source, L: Lanes, const D: usize, const ROOM: bool> Neighbours<L, S::Item, D> for Inside<'a, S, L, D, ROOM> {
    #[inline(always)]
    fn at(self, l: L, offset: [Uniform<L, i32>; D]) -> Varying<L, S::Item> {
        let Readable { source, shape, .. } = self.grid;
        let (u, offset) = (l.uniform_level(), shape.within(l, offset));
        let mut by = if ROOM { ops::lit(u, 0) } else { offset[D - 1].0 };
        for axis in 0..D - 1 {
            by = ops::add(u, ops::mul(u, offset[axis].0, shape.strides[axis].0), by);
        }
        let index = l.index_by(self.index, by.0);
        if ROOM { S::load_by(l, source, index, offset[D - 1]) } else { S::load(l, source, index) }
    }
}

/// Windows that may lead out of the grid.
struct Edge<'a, S: Source + 'a, B, L: Lanes, const D: usize> {
    grid: Readable<'a, S, L, D>,
    /// The boundary is a type.
    boundary: std::marker::PhantomData<B>,
    /// The index, and the elements that it stands for, if they are read by it.
    index: Option<(L::Index, Varying<L, u32>)>,
    lanes: Stand<L, D>,
}

/// Where the lanes' elements stand.
#[derive(Clone, Copy)]
enum Stand<L: Lanes, const D: usize> {
    /// As neighbours in order.
    Run(Run<L, D>),
    /// Each at a place of its own.
    Apart([Varying<L, i32>; D]),
}

/// Neighbours in order.
#[derive(Clone, Copy)]
struct Run<L: Lanes, const D: usize> {
    index: L::Index,
    /// The first of so many, and where it stands.
    first: usize,
    count: usize,
    place: [usize; D],
    /// The places on each axis from which, and up to which, they stand.
    least: [Uniform<L, i32>; D],
    most: [Uniform<L, i32>; D],
}

#[inline(always)]
fn uniforms<L: Lanes, const D: usize>(l: L, place: [usize; D]) -> [Uniform<L, i32>; D] {
    let mut uniforms = [ops::uniform::<L, i32>(l, 0); D];
    for axis in 0..D {
        uniforms[axis] = ops::uniform(l, place[axis] as i32);
    }
    uniforms
}

impl<'a, S: Source, B: Boundary<S::Item>, L: Lanes, const D: usize> Edge<'a, S, B, L, D> {
    /// Of neighbours in order.
    #[inline(always)]
    fn run(l: L, grid: Readable<'a, S, L, D>, index: L::Index, first: usize, count: usize) -> Self {
        let place = grid.shape.place(first);
        let last = grid.shape.place(first + count - 1);
        let (mut least, mut most) = (place, last);
        for axis in 1..D {
            // Neighbours that go on where an outer axis does have places from an end of this one to the other.
            if least[axis - 1] != most[axis - 1] {
                (least[axis], most[axis]) = (0, grid.shape.size(axis) - 1);
            }
        }
        let run = Run { index, first, count, place, least: uniforms(l, least), most: uniforms(l, most) };
        Edge { grid, boundary: std::marker::PhantomData, index: None, lanes: Stand::Run(run) }
    }

    /// Of any elements.
    #[inline(always)]
    fn any(l: L, grid: Readable<'a, S, L, D>, i: Varying<L, u32>, index: Option<(L::Index, Varying<L, u32>)>) -> Self {
        Edge { grid, boundary: std::marker::PhantomData, index, lanes: Stand::Apart(grid.shape.places(l, i)) }
    }

    /// The place of each lane's element.
    #[inline(always)]
    fn places(&self, l: L) -> [Varying<L, i32>; D] {
        match self.lanes {
            Stand::Apart(places) => places,
            Stand::Run(Run { index, first, count, place, .. }) => {
                let start = ops::uniform::<L, u32>(l, first as u32);
                let lane = ops::sub(l, Varying::<L, u32>(l.index_u32(index)), ops::broadcast(l, start));
                self.grid.shape.places_from(l, place, ops::cast(l, lane), count)
            }
        }
    }

    /// What neighbours in order read, if that is in order too, or all outside.
    #[inline(always)]
    fn whole(&self, l: L, run: Run<L, D>, offset: [Uniform<L, i32>; D]) -> Option<Varying<L, S::Item>> {
        let (u, Readable { source, shape, outside }) = (l.uniform_level(), self.grid);
        let mut by = ops::lit::<L::Uniform, i32>(u, 0);
        for axis in 0..D {
            let (least, most, offset) = (run.least[axis].0, run.most[axis].0, offset[axis].0);
            let (p, n) = (ops::add(u, least, offset), shape.lengths[axis].0);
            let mut shift = offset;
            let inside = ops::and(u, ops::ge(u, p, ops::lit(u, 0)), ops::lt(u, ops::add(u, most, offset), n));
            if !u.any(inside.0) {
                if u.any(ops::ne(u, least, most).0) {
                    return None;
                }
                if let Some(outside) = outside {
                    return Some(ops::broadcast(l, outside));
                }
                shift = ops::sub(u, B::place(u, p, n, shape.near(axis)), least);
            }
            by = ops::add(u, by, ops::mul(u, shift, shape.strides[axis].0));
        }
        Some(S::load(l, source, l.index_by(run.index, by.0)))
    }
}

impl<'a, S: Source, B: Boundary<S::Item>, L: Lanes, const D: usize> Neighbours<L, S::Item, D> for &Edge<'a, S, B, L, D> {
    #[inline(always)]
    fn at(self, l: L, offset: [Uniform<L, i32>; D]) -> Varying<L, S::Item> {
        let offset = self.grid.shape.within(l, offset);
        if let Stand::Run(run) = self.lanes
            && let Some(whole) = self.whole(l, run, offset)
        {
            return whole;
        }
        l.rarely(Scattered(self, offset))
    }
}

/// What an edge's window reads at an offset, lane by lane.
struct Scattered<'e, 'a, S: Source + 'a, B, L: Lanes, const D: usize>(&'e Edge<'a, S, B, L, D>, [Uniform<L, i32>; D]);

impl<S: Source, B: Boundary<S::Item>, L: Lanes, const D: usize> Rare<L> for Scattered<'_, '_, S, B, L, D> {
    type Out = Varying<L, S::Item>;
    #[inline(always)]
    fn run(self, l: L) -> Varying<L, S::Item> {
        let Scattered(edge, offset) = self;
        let Readable { source, shape, outside } = edge.grid;
        let places = edge.places(l);
        let mut target = ops::lit::<L, i32>(l, 0);
        let mut inside = ops::lit(l, true);
        for axis in 0..D {
            let (p, n) = (ops::add(l, places[axis], ops::broadcast(l, offset[axis])), ops::broadcast(l, shape.lengths[axis]));
            let q = B::place(l, p, n, shape.near(axis));
            inside = ops::and(l, inside, ops::eq(l, p, q));
            target = ops::add(l, target, ops::mul(l, q, ops::broadcast(l, shape.strides[axis])));
        }
        let target = ops::cast::<u32, L, i32>(l, target);
        let mut near = None;
        if let Some((index, here)) = edge.index {
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

/// Which elements are evaluated at the edges.
enum Which<L: Lanes> {
    Run(L::Index, usize, usize),
    Any(Varying<L, u32>),
}

/// The evaluation at the edges.
struct AtEdge<'a, S: Source + 'a, B, K, L: Lanes, const D: usize>(BoundStencil<'a, S, B, K, L, D>, Which<L>);

impl<S: Source, B: Boundary<S::Item>, K: Stencil<S::Item, D>, L: Lanes, const D: usize> Rare<L> for AtEdge<'_, S, B, K, L, D> {
    type Out = Varying<L, K::Out>;
    #[inline(always)]
    fn run(self, l: L) -> Varying<L, K::Out> {
        let AtEdge(BoundStencil { grid, stencil }, which) = self;
        let window: Edge<'_, S, B, L, D> = match which {
            Which::Run(index, first, count) => Edge::run(l, grid, index, first, count),
            Which::Any(i) => Edge::any(l, grid, i, None),
        };
        stencil.kernel.eval(l, &window)
    }
}

impl<'a, S: Source, B: Boundary<S::Item>, K: Stencil<S::Item, D>, L: Lanes, const D: usize> BoundStencil<'a, S, B, K, L, D> {
    /// Both ways as the branches of an `if`, where indices may be different in each lane.
    #[inline(always)]
    fn branches(self, l: L, index: L::Index, here: Varying<L, u32>) -> Varying<L, K::Out> {
        let BoundStencil { grid, stencil } = self;
        let all = l.mask_all();
        let edge: Edge<'_, S, B, L, D> = Edge::any(l, grid, here, Some((index, here)));
        let inside = grid.shape.inside_lanes(l, edge.places(l));
        let then = l.if_then(all, inside.0);
        let mut result = ops::var(l, stencil.kernel.eval(l, Inside::<_, _, D, false> { grid, index }));
        let otherwise = l.if_else_rarely(all, inside.0);
        ops::merge(l, otherwise, &mut result, stencil.kernel.eval(l, &edge));
        l.if_end(then, otherwise);
        ops::get(l, result)
    }
}

// SAFETY: the length is that of the grid, and of its source. Windows inside read at most the radius beyond their element on each axis,
// where there are elements; at the edges places are brought into range by the boundary.
unsafe impl<S: Source, B: Boundary<S::Item>, K: Stencil<S::Item, D>, const D: usize> Source for Stenciled<S, B, K, D> {
    type Item = K::Out;
    type Bound<'a, L: Lanes>
        = BoundStencil<'a, S, B, K, L, D>
    where
        Self: 'a;
    const LOOPS: bool = S::LOOPS || K::LOOPS;
    const STRETCHES: bool = true;

    fn len(&self) -> Result<usize> {
        let n = self.grid.source.len()?;
        let limit = LIMIT - K::RADIUS.min(LIMIT);
        if n > limit { Err(Error::TooLarge { elements: n, limit }) } else { Ok(n) }
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.grid.source.data(visitor)?;
        self.kernel.data(visitor)
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        let mut outside = None;
        if let Some(value) = self.boundary.outside() {
            outside = Some(ops::uniform(l, value));
        }
        let shape = Shape::new(l, self.grid.shape, K::RADIUS);
        BoundStencil { grid: Readable { source: self.grid.source.bind(l), shape, outside }, stencil: self }
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, K::Out>
    where
        Self: 'a,
    {
        match l.index_run(i) {
            Some((first, count)) if bound.grid.shape.stretch(first) >= count => {
                bound.stencil.kernel.eval(l, Inside::<_, _, D, false> { grid: bound.grid, index: i })
            }
            Some((first, count)) => l.rarely(AtEdge(bound, Which::Run(i, first, count))),
            None => {
                let here = Varying(l.index_u32(i));
                match l.index_nudge(i, ops::lit::<L, u32>(l, 0).0) {
                    Some(_) => bound.branches(l, i, here),
                    None => l.rarely(AtEdge(bound, Which::Any(here))),
                }
            }
        }
    }
    #[inline(always)]
    fn inner<'a, L: Lanes>(_: L, bound: Self::Bound<'a, L>, first: usize, end: usize) -> usize
    where
        Self: 'a,
    {
        let shape = bound.grid.shape;
        // Where rows and a vector beside them lie in the grid: all but the first and the last elements of a stretch at its ends.
        let room = shape.reach.saturating_add(L::WIDTH);
        if first < room {
            return first;
        }
        end.min(first + shape.stretch(first)).min(shape.elements().saturating_sub(room)).max(first)
    }
    #[inline(always)]
    fn load_inner<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, K::Out>
    where
        Self: 'a,
    {
        bound.stencil.kernel.eval(l, Inside::<_, _, D, true> { grid: bound.grid, index: i })
    }
    #[inline(always)]
    fn prefetch<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, first: usize, count: usize)
    where
        Self: 'a,
    {
        // What is read in order is the last of a window's rows: the others were the last before.
        S::prefetch(l, bound.grid.source, first.saturating_add(bound.grid.shape.reach), count);
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, K::Out>
    where
        Self: 'a,
    {
        let last = ops::uniform::<L, u32>(l, bound.grid.shape.elements().saturating_sub(1) as u32);
        let i = ops::min(l, i, ops::broadcast(l, last));
        l.rarely(AtEdge(bound, Which::Any(i)))
    }
}
