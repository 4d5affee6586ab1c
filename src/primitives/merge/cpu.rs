//! Merge on the CPU, by merge path (O. Green, R. McColl, D. Bader, "GPU Merge Path", 2012; S. Odeh, O. Green, Z. Mwassi, O. Shmueli,
//! Y. Birk, "Merge Path: Parallel Merging Made Simple", 2012).
//!
//! The first `d` elements of the result are the first `i` of one input and the first `d - i` of the other: a search by halving finds `i`
//! for any `d`, so that every worker finds where its share begins without knowing the others.
//!
//! A step of a merge waits for the comparison of the step before: about eight cycles, and no branch, for it could not be foretold. So
//! a worker cuts its share into four in the same way and takes a step in each in turn. Measured with random `u32`: 2.5 times as fast.

use std::hint::select_unpredictable;
use std::ops::Range;

use crate::backend::cpu::Cpu;
use crate::backend::simd::{OneLane, Span, ViewMut};
use crate::element::Element;
use crate::error::Result;
use crate::kernel::{Kernel, Varying};
use crate::source::Source;

/// Merges that take their steps in turn.
const WAYS: usize = 4;
/// Elements below which they are not worth their searches.
const FEW: usize = 64;

/// Sorted elements that can be read by number.
pub(crate) trait Items<T>: Copy {
    /// The element, which is there.
    fn get(self, i: usize) -> T;
}

/// A source, read element by element.
pub(crate) struct Bound<'a, S: Source + 'a>(S::Bound<'a, OneLane>);

impl<'a, S: Source> Bound<'a, S> {
    #[inline(always)]
    pub(crate) fn new(source: &'a S) -> Self {
        Bound(source.bind(OneLane))
    }
}

impl<S: Source> Clone for Bound<'_, S> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<S: Source> Copy for Bound<'_, S> {}

impl<T: Element, S: Source<Item = T>> Items<T> for Bound<'_, S> {
    #[inline(always)]
    fn get(self, i: usize) -> T {
        T::from_one(S::load(OneLane, self.0, Span::new(i, 1)).0)
    }
}

impl<T: Element> Items<T> for ViewMut<'_, T> {
    #[inline(always)]
    fn get(self, i: usize) -> T {
        self.whole().read(i)
    }
}

/// Whether a kernel says that `a` comes before `b`.
#[inline(always)]
pub(crate) fn precedes<T: Element, K: Kernel<(T, T), Out = bool>>(less: &K, a: T, b: T) -> bool {
    less.eval(OneLane, Varying((Varying(a.to_one()), Varying(b.to_one())))).0
}

/// Two sorted runs of elements that are merged. Of equal ones those of the first come first.
pub(crate) struct Runs<'k, A, B, K> {
    pub(crate) a: (A, Range<usize>),
    pub(crate) b: (B, Range<usize>),
    pub(crate) less: &'k K,
}

/// How far a merge has come: what is next of either run and of the output, and where the output ends.
#[derive(Clone, Copy)]
struct Way {
    i: usize,
    j: usize,
    at: usize,
    end: usize,
}

impl<A: Copy, B: Copy, K> Runs<'_, A, B, K> {
    /// How many of the first run are among the first `d` of the result.
    ///
    /// Whatever the kernel says, there are so many in the run, and `d` less that in the other.
    #[inline(always)]
    fn crossing<T: Element>(&self, d: usize) -> usize
    where
        A: Items<T>,
        B: Items<T>,
        K: Kernel<(T, T), Out = bool>,
    {
        let ((a, i), (b, j)) = (&self.a, &self.b);
        let (mut low, mut high) = (d.saturating_sub(j.len()), d.min(i.len()));
        while low < high {
            let middle = low.midpoint(high);
            if precedes(self.less, b.get(j.start + d - 1 - middle), a.get(i.start + middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// Writes the elements of a range of the result to a view, from `at` on.
    #[inline(always)]
    pub(crate) fn write<T: Element>(&self, range: Range<usize>, out: ViewMut<'_, T>, at: usize)
    where
        A: Items<T>,
        B: Items<T>,
        K: Kernel<(T, T), Out = bool>,
    {
        let (n, out) = (range.len(), out.whole());
        let way = |start: usize, end: usize| {
            let crossing = self.crossing(range.start + start);
            let (i, j) = (self.a.1.start + crossing, self.b.1.start + range.start + start - crossing);
            Way { i, j, at: at + start, end: at + end }
        };
        if n < FEW {
            return self.finish(way(0, n), out);
        }
        let mut ways: [Way; WAYS] = std::array::from_fn(|k| way(n * k / WAYS, n * (k + 1) / WAYS));
        loop {
            let steps = ways.iter().map(|way| self.sure(way)).min().unwrap_or(0);
            if steps == 0 {
                break;
            }
            for _ in 0..steps {
                for way in &mut ways {
                    self.step(way, out);
                }
            }
        }
        ways.into_iter().for_each(|way| self.finish(way, out));
    }

    /// Steps that find an element in both runs.
    #[inline(always)]
    fn sure(&self, way: &Way) -> usize {
        (self.a.1.end - way.i).min(self.b.1.end - way.j).min(way.end - way.at)
    }

    #[inline(always)]
    fn step<T: Element>(&self, way: &mut Way, out: ViewMut<'_, T>)
    where
        A: Items<T>,
        B: Items<T>,
        K: Kernel<(T, T), Out = bool>,
    {
        let (a, b) = (self.a.0.get(way.i), self.b.0.get(way.j));
        let second = precedes(self.less, b, a);
        out.write(way.at, select_unpredictable(second, b, a));
        way.j += usize::from(second);
        way.i += usize::from(!second);
        way.at += 1;
    }

    /// Goes on to the end.
    #[inline(always)]
    fn finish<T: Element>(&self, mut way: Way, out: ViewMut<'_, T>)
    where
        A: Items<T>,
        B: Items<T>,
        K: Kernel<(T, T), Out = bool>,
    {
        loop {
            let steps = self.sure(&way);
            if steps == 0 {
                break;
            }
            for _ in 0..steps {
                self.step(&mut way, out);
            }
        }
        // One of the runs is used up, or the output is full.
        let left = (self.a.1.end - way.i).min(way.end - way.at);
        for k in 0..left {
            out.write(way.at + k, self.a.0.get(way.i + k));
        }
        for k in 0..way.end - way.at - left {
            out.write(way.at + left + k, self.b.0.get(way.j + k));
        }
    }
}

/// Merges two sources of so many elements.
pub(super) fn merge<T: Element, A: Source<Item = T>, B: Source<Item = T>, K: Kernel<(T, T), Out = bool>>(
    cpu: &Cpu<'_>,
    (a, b): (&A, &B),
    (left, right): (usize, usize),
    less: &K,
    out: ViewMut<'_, T>,
) -> Result<()> {
    cpu.for_each_range(left + right, |range| {
        let runs = Runs { a: (Bound::new(a), 0..left), b: (Bound::new(b), 0..right), less };
        runs.write(range.clone(), out, range.start);
    })
}
