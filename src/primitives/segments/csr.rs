//! Sparse matrices, row by row.

use crate::array::Array;
use crate::element::{Element, Number};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::operator::Sum;
use crate::primitives::search::times;
use crate::source::{IntoSource, Source, UNBOUNDED, gather, zip};
use crate::task::Task;

use super::SegmentedReduce;

/// A sparse matrix in compressed rows (CSR): the entries of row `i` are those from `offsets[i]` to below `offsets[i + 1]`, each with
/// its column and its value.
///
/// Made once and checked, it is read by [`Engine::spmv`] where it is: on a GPU after the first product there.
#[derive(Debug)]
pub struct Csr<T: Element> {
    columns: usize,
    offsets: Array<u32>,
    indices: Array<u32>,
    values: Array<T>,
}

impl<T: Element> Csr<T> {
    /// A matrix of so many columns, and of as many rows as there are offsets, less one. Rows may be empty; the entries of a row may
    /// have any order, and a column may occur more than once.
    ///
    /// # Errors
    /// [`Error::Offsets`] if the first offset is not 0, one is below the one before it, or the last is not the number of entries;
    /// [`Error::LengthMismatch`] if column indices and values are not equally many; [`Error::OutOfRange`] for a column index that is
    /// not below `columns`.
    pub fn new(engine: &Engine, columns: usize, offsets: Vec<u32>, indices: Vec<u32>, values: Vec<T>) -> Result<Csr<T>> {
        if indices.len() != values.len() {
            return Err(Error::LengthMismatch { left: indices.len(), right: values.len() });
        }
        if let Some(place) = indices.iter().position(|&index| index as usize >= columns) {
            return Err(Error::OutOfRange { place, index: indices[place] as usize, len: columns });
        }
        let offsets = engine.array_from_vec(offsets);
        super::Offsets::new((&offsets).into()).check_alone(indices.len())?;
        Ok(Csr { columns, offsets, indices: engine.array_from_vec(indices), values: engine.array_from_vec(values) })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.offsets.bound() - 1
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Where the entries of each row begin, and where the last row's end.
    pub fn offsets(&self) -> &Array<u32> {
        &self.offsets
    }

    /// The columns of the entries, row by row.
    pub fn indices(&self) -> &Array<u32> {
        &self.indices
    }

    /// The values of the entries, row by row.
    pub fn values(&self) -> &Array<T> {
        &self.values
    }
}

impl Engine {
    /// The product of a sparse matrix and a vector: `out[i]` is the sum of the values of row `i`, each times the vector's element at
    /// its column. An empty row gives the sum of nothing: 0, for floats -0.0.
    ///
    /// [`Engine::segmented_reduce`] with `Sum`, of a source that multiplies as it is read: its order, its cost, and a read at a computed
    /// place for each entry. The vector may be any source of as many elements as the matrix has columns.
    ///
    /// # Errors
    /// When the task is run: [`Error::LengthMismatch`] for a vector of another length.
    ///
    /// ```
    /// use granule::prelude::*;
    /// use granule::primitives::Csr;
    ///
    /// let engine = Engine::new()?;
    /// // 2 0 1
    /// // 0 0 0
    /// // 0 3 0
    /// let matrix = Csr::new(&engine, 3, vec![0, 2, 2, 3], vec![0, 2, 1], vec![2.0, 1.0, 3.0])?;
    /// let product = engine.spmv(&matrix, &[1.0, 10.0, 100.0]).run()?;
    /// assert_eq!(product.as_slice()?, [102.0, 0.0, 30.0]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn spmv<'m, T, X>(
        &self,
        matrix: &'m Csr<T>,
        x: X,
    ) -> Task<'_, SegmentedReduce<'m, impl Source<Item = T> + use<'m, T, X>, Sum>>
    where
        T: Number + Element,
        X: IntoSource<Item = T>,
    {
        let x = x.into_source();
        let fits = x.len().and_then(|n| match n {
            UNBOUNDED => Ok(()),
            n if n == matrix.columns => Ok(()),
            n => Err(Error::LengthMismatch { left: matrix.columns, right: n }),
        });
        let products = zip(&matrix.values, gather(x, &matrix.indices)).map(times::with());
        Task::new(self, SegmentedReduce::new(products, (&matrix.offsets).into(), Sum, fits))
    }
}
