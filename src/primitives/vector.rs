//! What BLAS does with vectors: compositions of maps and reductions, where they are more than a line or have a name that is looked for.

use crate::element::{Element, Number};
use crate::engine::Engine;
use crate::error::Error;
use crate::matrix::Matrix;
use crate::operator::{Max, Sum};
use crate::source::{IntoSource, Source, Spread, UNBOUNDED, zip};
use crate::task::Task;

use super::axis::{Along, ReduceAxis};
use super::map::Map;
use super::reduce::Reduce;
use super::search::times;
use super::then::Then;

#[granule_macros::kernel]
fn axpy<T: Number>(x: T, y: T, #[uniform] a: T) -> T {
    a * x + y
}

#[granule_macros::kernel]
fn size(x: f32) -> f32 {
    x.abs()
}

/// The largest size of an `f32`, NaN if there is one: what is compared is the bits.
#[granule_macros::kernel]
fn size_bits(x: f32) -> u32 {
    x.to_bits() & 0x7fff_ffff
}

/// A power of two.
const fn two_to(exponent: i32) -> f32 {
    f32::from_bits(((127 + exponent) as u32) << 23)
}

/// From here on squares are taken of a part, and below here of a multiple (E. Anderson, "Algorithm 978: Safe Scaling in the Level 1 BLAS",
/// 2017, after J. Blue, 1978).
const LARGE: f32 = two_to(52);
const SMALL: f32 = two_to(-63);
const OF_LARGE: f32 = two_to(-76);
const OF_SMALL: f32 = two_to(75);

/// Of the large, the middle and the small ones.
type Squares = (f32, f32, f32);
type Sums = (Sum, Sum, Sum);

/// The square, among the large, the middle or the small ones.
#[granule_macros::kernel]
fn square(
    x: f32,
    #[uniform] large: f32,
    #[uniform] small: f32,
    #[uniform] of_large: f32,
    #[uniform] of_small: f32,
) -> (f32, f32, f32) {
    let size = x.abs();
    if size > large {
        ((size * of_large) * (size * of_large), 0.0, 0.0)
    } else if size < small {
        (0.0, 0.0, (size * of_small) * (size * of_small))
    } else {
        (0.0, x * x, 0.0)
    }
}

/// The root of the sum of all squares.
fn root((large, middle, small): (f32, f32, f32)) -> f32 {
    if large > 0.0 || large.is_nan() {
        let rest = if middle > 0.0 || middle.is_nan() { middle * OF_LARGE * OF_LARGE } else { 0.0 };
        return (large + rest).sqrt() / OF_LARGE;
    }
    if small > 0.0 && middle != 0.0 {
        let (a, b) = (middle.sqrt(), small.sqrt() / OF_SMALL);
        let (least, most) = if a < b { (a, b) } else { (b, a) };
        return most * (1.0 + (least / most) * (least / most)).sqrt();
    }
    if small > 0.0 { small.sqrt() / OF_SMALL } else { middle.abs().sqrt() }
}

impl Engine {
    /// `a * x + y`, element by element: a map, with its cost and its bits. The product is rounded before it is added, on a CPU.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.axpy(2.0, &[1.0, 2.0], &[10.0, 20.0]).run()?.as_slice()?, [12.0, 24.0]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn axpy<T, X, Y>(&self, a: T, x: X, y: Y) -> Task<'_, Map<impl Source<Item = T> + use<T, X, Y>>>
    where
        T: Number + Element,
        X: IntoSource<Item = T>,
        Y: IntoSource<Item = T>,
    {
        self.collect(zip(x, y).map(axpy::with(a)))
    }

    /// The sum of the sizes of all elements (BLAS's `asum`, numpy's `norm(x, 1)`): a [reduction](Engine::reduce). Nothing gives -0.0, the sum of
    /// nothing.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.norm_l1(&[3.0, -4.0]).run()?, 7.0);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn norm_l1<S>(&self, source: S) -> Task<'_, Reduce<impl Source<Item = f32> + use<S>, Sum>>
    where
        S: IntoSource<Item = f32>,
    {
        self.reduce(source.map(size::with()), Sum)
    }

    /// The root of the sum of all squares (BLAS's `nrm2`, numpy's `norm(x)`).
    ///
    /// No square overflows or vanishes: those of large elements are taken of a part of them and those of small ones of a multiple, in three
    /// sums, which one [reduction](Engine::reduce) makes, in its order (E. Anderson, "Algorithm 978: Safe Scaling in the Level 1 BLAS", 2017). A NaN
    /// gives NaN, otherwise an infinity gives infinity; nothing gives 0.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.norm_l2(&[3.0e30, -4.0e30]).run()?, 5.0e30);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn norm_l2<S>(&self, source: S) -> Task<'_, Then<Reduce<impl Source<Item = Squares> + use<S>, Sums>, f32>>
    where
        S: IntoSource<Item = f32>,
    {
        self.reduce(source.map(square::with(LARGE, SMALL, OF_LARGE, OF_SMALL)), (Sum, Sum, Sum)).then(root)
    }

    /// The largest size of an element (numpy's `norm(x, inf)`): a [reduction](Engine::reduce). NaN if there is one; nothing gives 0.
    ///
    /// ```
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// assert_eq!(engine.norm_max(&[3.0, -4.0]).run()?, 4.0);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn norm_max<S>(&self, source: S) -> Task<'_, Then<Reduce<impl Source<Item = u32> + use<S>, Max>, f32>>
    where
        S: IntoSource<Item = f32>,
    {
        self.reduce(source.map(size_bits::with()), Max).then(f32::from_bits)
    }

    /// The product of a dense matrix and a vector: `out[i]` is the sum of `a[i][j] * x[j]` over all `j`. `a` is a [`Matrix`] or a
    /// [`Grid`](crate::grid::Grid) of two axes over any source, row-major, and may be [transposed](Matrix::transposed); `x` is any source with an
    /// element for each column.
    ///
    /// [`reduce_axis`](Engine::reduce_axis) with [`Sum`], of products that are computed as they are read: in its order, with the same bits at
    /// every level and for every number of workers. Products are rounded before they are added, on a CPU. A row without elements gives the
    /// sum of nothing: 0, for floats -0.0.
    ///
    /// Bound by bytes: the matrix is read once, in the order in which it stands, transposed or not; the vector stays in the caches.
    ///
    /// # Errors
    /// When the task is run: [`Error::LengthMismatch`] for a vector of another length.
    ///
    /// ```
    /// use granule::matrix::Matrix;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let a = Matrix::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3])?;
    /// assert_eq!(engine.matvec(a, &[1.0, 10.0, 100.0]).run()?.as_slice()?, [321.0, 654.0]);
    /// assert_eq!(engine.matvec(a.transposed(), &[1.0, 10.0]).run()?.as_slice()?, [41.0, 52.0, 63.0]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn matvec<T, M, A, X>(&self, a: M, x: X) -> Task<'_, ReduceAxis<impl Source<Item = T> + use<T, M, A, X>, Sum>>
    where
        T: Number + Element,
        M: Into<Matrix<A>>,
        A: Source<Item = T>,
        X: IntoSource<Item = T>,
    {
        let (a, x) = (a.into(), x.into_source());
        let [rows, columns] = a.shape();
        let fits = x.len().and_then(|n| match n {
            n if n == columns || n == UNBOUNDED => Ok(()),
            n => Err(Error::LengthMismatch { left: columns, right: n }),
        });
        let along = match a.is_transposed() {
            false => Along { outer: rows, len: columns, inner: 1 },
            true => Along { outer: 1, len: columns, inner: rows },
        };
        let products = zip(a.source(), Spread::new(x, rows * columns, columns, along.inner)).map(times::with());
        Task::new(self, ReduceAxis::new(products, fits.map(|()| along), Sum))
    }
}
