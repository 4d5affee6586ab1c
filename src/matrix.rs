//! Dense matrices: shapes of two axes over any source, row-major, as they are or transposed.

use crate::error::Result;
use crate::grid::Grid;
use crate::source::{IntoSource, Source};

/// A source whose elements are the entries of a matrix, or of its transpose.
///
/// What is read stays where it is: a transposed matrix is read in another order. See [`Engine::matmul`](crate::Engine::matmul).
#[derive(Clone, Copy)]
pub struct Matrix<S> {
    grid: Grid<S, 2>,
    transposed: bool,
}

impl<S> std::fmt::Debug for Matrix<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Matrix").field("grid", &self.grid).field("transposed", &self.transposed).finish()
    }
}

impl<S: Source> Matrix<S> {
    /// The elements of a source row by row: `[rows, columns]`.
    ///
    /// # Errors
    /// As [`Grid::new`].
    pub fn new(source: impl IntoSource<Source = S, Item = S::Item>, shape: [usize; 2]) -> Result<Self> {
        Ok(Grid::new(source, shape)?.into())
    }

    /// The transpose: rows for columns.
    pub fn transposed(self) -> Self {
        Matrix { transposed: !self.transposed, ..self }
    }

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        let [rows, columns] = self.grid.shape();
        if self.transposed { [columns, rows] } else { [rows, columns] }
    }

    pub(crate) fn source(&self) -> S {
        self.grid.source()
    }

    /// Whether it is the columns whose entries lie side by side.
    pub(crate) fn is_transposed(&self) -> bool {
        self.transposed
    }
}

impl<S: Source> From<Grid<S, 2>> for Matrix<S> {
    fn from(grid: Grid<S, 2>) -> Self {
        Matrix { grid, transposed: false }
    }
}
