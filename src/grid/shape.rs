//! Where an element stands in its grid.
#![allow(clippy::needless_range_loop, reason = "an axis indexes several arrays; iterators would put closures between the lanes")]

use crate::kernel::{Lanes, MaskLane, Uniform, Varying, ops};

/// A shape made readable in the lanes `L`.
#[derive(Clone, Copy)]
pub(super) struct Shape<L: Lanes, const D: usize> {
    /// Elements of each axis.
    sizes: [usize; D],
    /// What a division by the size multiplies with.
    inverses: [u64; D],
    /// The sizes again.
    pub(super) lengths: [Uniform<L, i32>; D],
    /// Elements from one place of an axis to the next.
    pub(super) strides: [Uniform<L, i32>; D],
    /// How many places of an axis are further than the radius from both of its ends.
    inner: [Uniform<L, u32>; D],
    pub(super) radius: usize,
    /// How far in memory the rows of a window are from its middle at most.
    pub(super) reach: usize,
}

impl<L: Lanes, const D: usize> Shape<L, D> {
    #[inline(always)]
    pub(super) fn new(l: L, sizes: [usize; D], radius: usize) -> Self {
        let mut strides = [1; D];
        for a in (0..D - 1).rev() {
            strides[a] = strides[a + 1] * sizes[a + 1];
        }
        let mut reach: usize = 0;
        for axis in 1..D {
            reach = reach.saturating_add(radius).saturating_mul(sizes[axis]);
        }
        Shape {
            sizes,
            // ceil(2^64 / n): the upper half of a product with it is the quotient of any number below 2^32 (Lemire, Kaser, Kurz
            // 2019). Of 1 it would be 2^64; see `divide`.
            inverses: sizes.map(|n| (u64::MAX / n.max(1) as u64).wrapping_add(1)),
            lengths: sizes.map(|n| ops::uniform(l, n as i32)),
            strides: strides.map(|n| ops::uniform(l, n as i32)),
            inner: sizes.map(|n| ops::uniform(l, n.saturating_sub(2 * radius) as u32)),
            radius,
            reach,
        }
    }

    /// How many elements there are.
    #[inline(always)]
    pub(super) fn elements(&self) -> usize {
        let mut elements = 1;
        for axis in 0..D {
            elements *= self.sizes[axis];
        }
        elements
    }

    /// The quotient and the remainder by the size of an axis, of a number below 2^32.
    #[inline(always)]
    fn divide(&self, i: usize, axis: usize) -> (usize, usize) {
        let inverse = self.inverses[axis];
        if inverse == 0 {
            return (i, 0);
        }
        let quotient = ((i as u128 * inverse as u128) >> 64) as usize;
        (quotient, i - quotient * self.sizes[axis])
    }

    /// The place of an element on each axis.
    #[inline(always)]
    pub(super) fn place(&self, i: usize) -> [usize; D] {
        let (mut place, mut rest) = ([0; D], i);
        for axis in (1..D).rev() {
            (rest, place[axis]) = self.divide(rest, axis);
        }
        place[0] = rest;
        place
    }

    /// The place of the first element of the next row.
    #[inline(always)]
    pub(super) fn next_row(&self, place: [usize; D]) -> [usize; D] {
        let mut next = place;
        next[D - 1] = 0;
        for axis in (0..D - 1).rev() {
            next[axis] += 1;
            if next[axis] < self.sizes[axis] {
                break;
            }
            next[axis] = 0;
        }
        next
    }

    /// How many places an axis has.
    #[inline(always)]
    pub(super) fn size(&self, axis: usize) -> usize {
        self.sizes[axis]
    }

    /// Whether all rows of the window on a place lie in the grid.
    #[inline(always)]
    pub(super) fn amid(&self, place: [usize; D]) -> bool {
        let mut amid = true;
        for axis in 0..D - 1 {
            amid &= place[axis] >= self.radius && place[axis] + self.radius < self.sizes[axis];
        }
        amid
    }

    /// How many elements from this one on stand in its row and have windows that lie in the grid.
    #[inline(always)]
    pub(super) fn stretch(&self, first: usize) -> usize {
        let place = self.place(first);
        let inside = place[D - 1] >= self.radius && self.amid(place);
        let end = self.sizes[D - 1].saturating_sub(self.radius);
        if inside { end.saturating_sub(place[D - 1]) } else { 0 }
    }

    /// Whether a window leads less than the size of the axis beyond its ends.
    #[inline(always)]
    pub(super) fn near(&self, axis: usize) -> bool {
        self.sizes[axis] > self.radius
    }

    /// The place of each lane's element on each axis.
    #[inline(always)]
    pub(super) fn places(&self, l: L, i: Varying<L, u32>) -> [Varying<L, i32>; D] {
        let (mut places, mut rest) = ([ops::lit::<L, i32>(l, 0); D], i);
        for axis in (1..D).rev() {
            let n = ops::cast::<u32, L, i32>(l, ops::broadcast(l, self.lengths[axis]));
            let quotient = ops::div(l, rest, n);
            places[axis] = ops::cast(l, ops::sub(l, rest, ops::mul(l, quotient, n)));
            rest = quotient;
        }
        places[0] = ops::cast(l, rest);
        places
    }

    /// The lanes whose windows lie in the grid.
    #[inline(always)]
    pub(super) fn inside_lanes(&self, l: L, places: [Varying<L, i32>; D]) -> Varying<L, bool> {
        let radius = ops::lit(l, self.radius as u32);
        let mut inside = l.mask_all();
        for axis in 0..D {
            let p = ops::sub(l, ops::cast::<u32, L, i32>(l, places[axis]), radius);
            inside = inside.and(l, ops::lt(l, p, ops::broadcast(l, self.inner[axis])).0);
        }
        Varying(inside)
    }

    /// An offset, brought into the radius.
    #[inline(always)]
    pub(super) fn within(&self, l: L, offset: [Uniform<L, i32>; D]) -> [Uniform<L, i32>; D] {
        let (u, most) = (l.uniform_level(), self.radius as i32);
        let mut within = offset;
        for axis in 0..D {
            within[axis] = Uniform(ops::max(u, ops::min(u, offset[axis].0, ops::lit(u, most)), ops::lit(u, -most)));
        }
        within
    }
}
