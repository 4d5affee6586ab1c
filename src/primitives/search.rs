//! Search in sorted data, and what else is a map or a reduction with a kernel of the library's own.

use crate::array::Data;
use crate::element::{Element, Number};
use crate::engine::Engine;
use crate::operator::Sum;
use crate::source::{IntoSource, Source, zip};
use crate::task::Task;

use super::map::Map;
use super::reduce::Reduce;

/// How many elements of a sorted slice stand before `x`, by halving.
macro_rules! halving {
    ($(#[$doc:meta])* $name:ident: $before:tt) => {
        $(#[$doc])*
        #[granule_macros::kernel]
        pub(super) fn $name<T: Number + Element>(x: T, sorted: &[T]) -> u32 {
            let mut first = 0;
            let mut left = sorted.len();
            while left > 0 {
                let half = left / 2;
                if sorted[first + half] $before x {
                    first = first + half + 1;
                    left = left - half - 1;
                } else {
                    left = half;
                }
            }
            first as u32
        }
    };
}
halving! {
    /// How many are below `x`.
    below: <
}
halving! {
    /// How many are not above `x`.
    not_above: <=
}

/// Whether a sorted slice holds `x`.
#[granule_macros::kernel]
fn holds<T: Number + Element>(x: T, sorted: &[T]) -> bool {
    let at = below(x, sorted);
    at < sorted.len() as u32 && sorted[at as usize] == x
}

#[granule_macros::kernel]
pub(super) fn times<T: Number>(a: T, b: T) -> T {
    a * b
}

#[granule_macros::kernel]
fn rise<T: Number>(x: T, next: T) -> T {
    next - x
}

impl Engine {
    /// For each needle the number of elements of `sorted` that are below it: the first place where it could stand.
    ///
    /// `sorted` is in ascending order, or else the result is some number up to its length. A NaN needle gives 0. About log2 of the
    /// length of reads at computed places for each needle; neighbouring needles that are near each other find theirs in the caches.
    /// Up to 2^32 - 1 elements. Empty `sorted` gives zeros, no needles an empty array.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let places = engine.lower_bound(&[10, 20, 20, 30], &[5, 20, 99]).run()?;
    /// assert_eq!(places.as_slice()?, [0, 1, 4]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn lower_bound<'d, T, N>(&self, sorted: impl Into<Data<'d, T>>, needles: N) -> Task<'_, Map<impl Source<Item = u32>>>
    where
        T: Number + Element,
        N: IntoSource<Item = T>,
    {
        self.map(needles, below::with(sorted))
    }

    /// For each needle the number of elements of `sorted` that are not above it: the first place behind its equals. A NaN needle gives
    /// 0. As [`Engine::lower_bound`] otherwise.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let places = engine.upper_bound(&[10, 20, 20, 30], &[5, 20, 99]).run()?;
    /// assert_eq!(places.as_slice()?, [0, 3, 4]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn upper_bound<'d, T, N>(&self, sorted: impl Into<Data<'d, T>>, needles: N) -> Task<'_, Map<impl Source<Item = u32>>>
    where
        T: Number + Element,
        N: IntoSource<Item = T>,
    {
        self.map(needles, not_above::with(sorted))
    }

    /// For each needle whether `sorted` holds it. As [`Engine::lower_bound`] otherwise.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let found = engine.binary_search(&[10, 20, 20, 30], &[5, 20, 99]).run()?;
    /// assert_eq!(found.as_slice()?, [false, true, false]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn binary_search<'d, T, N>(&self, sorted: impl Into<Data<'d, T>>, needles: N) -> Task<'_, Map<impl Source<Item = bool>>>
    where
        T: Number + Element,
        N: IntoSource<Item = T>,
    {
        self.map(needles, holds::with(sorted))
    }

    /// The sum of the products of two sources' elements. A reduction, with its order and its bits.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.inner_product(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]).run()?, 32.0);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn inner_product<T, A, B>(&self, a: A, b: B) -> Task<'_, Reduce<impl Source<Item = T>, Sum>>
    where
        T: Number + Element,
        A: IntoSource<Item = T>,
        B: IntoSource<Item = T>,
    {
        self.reduce(zip(a, b).map(times::with()), Sum)
    }

    /// What each element adds to the one before it: `source[i + 1] - source[i]`, one less than elements, none of fewer than two. Integers
    /// wrap. A map over [`pairs`](IntoSource::pairs).
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.adjacent_difference(&[1, 4, 9, 16]).run()?.as_slice()?, [3, 5, 7]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn adjacent_difference<T, S>(&self, source: S) -> Task<'_, Map<impl Source<Item = T>>>
    where
        T: Number + Element,
        S: IntoSource<Item = T>,
    {
        self.map(source.pairs(), rise::with())
    }
}
