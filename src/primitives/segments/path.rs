//! The path through elements and segments that work is shared out along.
//!
//! It leads through the elements and the ends of the segments, each end behind the last element of its segment. Of equally long parts
//! of it none has more to do than another, however long segments are (the merge path of D. Merrill, M. Garland, "Merge-based parallel
//! sparse matrix-vector multiplication", 2016).

use std::ops::Range;

/// A place on the path: so many segments have ended, and so many elements were read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) ended: usize,
    pub(super) read: usize,
}

/// The path of these offsets, which are checked.
#[derive(Clone, Copy)]
pub(super) struct Path<'a>(&'a [u32]);

impl<'a> Path<'a> {
    pub(super) fn new(offsets: &'a [u32]) -> Self {
        Path(offsets)
    }

    pub(super) fn segments(self) -> usize {
        self.0.len() - 1
    }

    pub(super) fn elements(self) -> usize {
        self.start(self.segments())
    }

    /// Steps of the path.
    pub(super) fn length(self) -> usize {
        self.segments() + self.elements()
    }

    /// The first element of a segment; behind the last one, the number of all elements.
    #[inline(always)]
    pub(super) fn start(self, segment: usize) -> usize {
        self.0[segment] as usize
    }

    /// Where segments end.
    #[inline(always)]
    pub(super) fn ends(self, segments: Range<usize>) -> impl Iterator<Item = usize> + use<'a> {
        self.0[segments.start + 1..=segments.end].iter().map(|&end| end as usize)
    }

    /// Where one is after so many steps, or at the end.
    pub(super) fn at(self, steps: usize) -> Place {
        let (mut ended, mut left) = (0, self.segments());
        while left > 0 {
            let half = left / 2;
            // The end of a segment comes when it and all before it have ended and their elements were read.
            if self.start(ended + half + 1) + ended + half < steps {
                ended += half + 1;
                left -= half + 1;
            } else {
                left = half;
            }
        }
        Place { ended, read: (steps - ended).min(self.elements()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Path, Place};

    #[test]
    fn places_are_those_of_a_walk() {
        for offsets in [vec![0], vec![0, 0, 0, 3, 3, 4, 9, 9], vec![0, 5], vec![0, 1, 2, 3]] {
            let path = Path::new(&offsets);
            let mut place = Place { ended: 0, read: 0 };
            for steps in 0..path.length() {
                assert_eq!(path.at(steps), place, "{steps} steps of {offsets:?}");
                if path.start(place.ended + 1) == place.read {
                    place.ended += 1;
                } else {
                    place.read += 1;
                }
            }
            let end = Place { ended: path.segments(), read: path.elements() };
            assert_eq!((place, path.at(path.length()), path.at(path.length() + 9)), (end, end, end), "{offsets:?}");
        }
    }
}
