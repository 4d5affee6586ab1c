//! A stencil: a kernel of windows, as a source.
//!
//! A vector whose windows all lie in the grid reads whole vectors at shifted indices, after one test of its place. The others, at
//! the edges, are worked on by code that is compiled once and called ([`Lanes::rarely`]): see [`edge`](super::edge). On a GPU the
//! two are the branches of an `if`, and each reads at the grid index plus a number.
#![allow(clippy::needless_range_loop, reason = "an axis indexes several arrays; iterators would put closures between the lanes")]

use crate::array::DataVisitor;
use crate::error::{Error, Result};
use crate::kernel::{Lanes, Uniform, Varying, ops};
use crate::source::Source;

use super::Grid;
use super::boundary::{Boundary, Outside};
use super::edge::{Anywhere, Apart, AtEdge, ROWS};
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
pub(super) struct Readable<'a, S: Source + 'a, L: Lanes, const D: usize> {
    pub(super) source: S::Bound<'a, L>,
    pub(super) shape: Shape<L, D>,
    pub(super) outside: Outside<L, S::Item>,
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
    pub(super) grid: Readable<'a, S, L, D>,
    pub(super) stencil: &'a Stenciled<S, B, K, D>,
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

impl<'a, S: Source, B: Boundary<S::Item>, K: Stencil<S::Item, D>, L: Lanes, const D: usize> BoundStencil<'a, S, B, K, L, D> {
    /// Both ways as the branches of an `if`, where indices may be different in each lane.
    #[inline(always)]
    fn branches(self, l: L, index: L::Index, here: Varying<L, u32>) -> Varying<L, K::Out> {
        let BoundStencil { grid, stencil } = self;
        let all = l.mask_all();
        let places = grid.shape.places(l, here);
        let edge: Apart<'_, S, B, L, D> = Apart::new(grid, places, Some((index, here)));
        let inside = grid.shape.inside_lanes(l, places);
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
            Some((first, count)) if bound.grid.shape.size(D - 1) * ROWS >= L::WIDTH => l.rarely(AtEdge(&bound, first, count)),
            Some(_) => l.rarely(Anywhere(&bound, Varying(l.index_u32(i)))),
            None => {
                let here = Varying(l.index_u32(i));
                match l.index_nudge(i, ops::lit::<L, u32>(l, 0).0) {
                    Some(_) => bound.branches(l, i, here),
                    None => l.rarely(Anywhere(&bound, here)),
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
        l.rarely(Anywhere(&bound, i))
    }
}
