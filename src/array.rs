//! `Array<T>`: data, and where its valid copies are.

use crate::element::Element;
use crate::error::Result;

/// Owned data that knows where its valid copies are.
pub struct Array<T: Element> {
    host: Vec<T>,
}

impl<T: Element> Array<T> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.host.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Read-only data that a task refers to: a slice, or an array that may live on the GPU.
pub enum Data<'a, T: Element> {
    /// Host memory.
    Slice(&'a [T]),
    /// An array.
    Array(&'a Array<T>),
}

impl<T: Element> Clone for Data<'_, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: Element> Copy for Data<'_, T> {}

impl<'a, T: Element> Data<'a, T> {
    /// Number of elements.
    #[inline(always)]
    pub fn len(self) -> usize {
        match self {
            Data::Slice(s) => s.len(),
            Data::Array(a) => a.len(),
        }
    }

    /// Whether there is none.
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The copy in host memory, which was made valid before.
    #[inline(always)]
    pub fn host(self) -> &'a [T] {
        match self {
            Data::Slice(s) => s,
            Data::Array(a) => &a.host,
        }
    }

    /// What tells this data from other data: where it is, and how long.
    #[inline(always)]
    pub fn key(self) -> DataKey {
        match self {
            Data::Slice(s) => DataKey { address: s.as_ptr() as usize, len: s.len() },
            Data::Array(a) => DataKey { address: std::ptr::from_ref(a) as usize, len: a.len() },
        }
    }
}

/// The identity of a piece of data during one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DataKey {
    address: usize,
    len: usize,
}

impl<'a, T: Element> From<&'a [T]> for Data<'a, T> {
    fn from(s: &'a [T]) -> Self {
        Data::Slice(s)
    }
}
impl<'a, T: Element> From<&'a Vec<T>> for Data<'a, T> {
    fn from(v: &'a Vec<T>) -> Self {
        Data::Slice(v)
    }
}
impl<'a, T: Element, const N: usize> From<&'a [T; N]> for Data<'a, T> {
    fn from(a: &'a [T; N]) -> Self {
        Data::Slice(a)
    }
}
impl<'a, T: Element> From<&'a Array<T>> for Data<'a, T> {
    fn from(a: &'a Array<T>) -> Self {
        Data::Array(a)
    }
}

/// Is shown each piece of data that a task refers to.
pub trait DataVisitor {
    /// Sees one.
    fn visit<T: Element>(&mut self, data: Data<'_, T>) -> Result<()>;
}
