//! Where results are written: memory that exists.

use std::ops::DerefMut;

use crate::array::{Array, Data};
use crate::backend::cpu::allocate;
use crate::backend::simd::ViewMut;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Existing memory for the results of a task: `&mut [T]`, `&mut Vec<T>` (its length stays), `&mut Array<T>`.
pub enum Destination<'d, T: Element> {
    /// Host memory.
    Slice(&'d mut [T]),
    /// An array.
    Array(&'d mut Array<T>),
}

impl<T: Element> Destination<'_, T> {
    /// Checks that it holds exactly `n` elements and belongs to this engine.
    pub(crate) fn check(&self, engine: &Engine, n: usize) -> Result<()> {
        let len = match self {
            Destination::Slice(s) => s.len(),
            Destination::Array(a) => {
                if !a.engine().is(engine) {
                    return Err(Error::ForeignArray);
                }
                a.len()?
            }
        };
        if len == n { Ok(()) } else { Err(Error::LengthMismatch { left: n, right: len }) }
    }

    /// What it holds.
    pub(crate) fn data(&self) -> Data<'_, T> {
        match self {
            Destination::Slice(s) => Data::Slice(s),
            Destination::Array(a) => Data::Array(a),
        }
    }

    /// Charges an array with what the calls before it lost because their data did not move.
    pub(crate) fn inherit(&self, forgone: f64) {
        if let Destination::Array(array) = self {
            array.forgo(forgone);
        }
    }

    /// Has it written on the CPU.
    pub(crate) fn write(&mut self, write: impl FnOnce(ViewMut<'_, T>) -> Result<()>) -> Result<()> {
        match self {
            Destination::Slice(s) => write(ViewMut::of(s)),
            Destination::Array(a) => match a.overwrite_host() {
                Some(host) => write(ViewMut::of(host)),
                None => {
                    let host = allocate(a.engine().reserve(), a.len()?, write)?;
                    a.replace_host(host);
                    Ok(())
                }
            },
        }
    }
}

impl<'d, T: Element> From<&'d mut [T]> for Destination<'d, T> {
    fn from(s: &'d mut [T]) -> Self {
        Destination::Slice(s)
    }
}
impl<'d, T: Element> From<&'d mut Vec<T>> for Destination<'d, T> {
    fn from(v: &'d mut Vec<T>) -> Self {
        Destination::Slice(v.deref_mut())
    }
}
impl<'d, T: Element, const N: usize> From<&'d mut [T; N]> for Destination<'d, T> {
    fn from(a: &'d mut [T; N]) -> Self {
        Destination::Slice(a)
    }
}
impl<'d, T: Element> From<&'d mut Array<T>> for Destination<'d, T> {
    fn from(a: &'d mut Array<T>) -> Self {
        Destination::Array(a)
    }
}
