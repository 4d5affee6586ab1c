//! What may flow through a kernel ([`Value`]) and what may be an array's element ([`Element`]).
//!
//! Scalars are the leaves; tuples and structs are trees of leaves. Everything that treats all leaves alike (a masked
//! assignment, a load, a shuffle) is written once as a visitor, so a derived struct costs five small methods and nothing else
//! in the library names its fields.

mod algebra;
mod cast;
mod complex;
mod number;
mod scalar;
mod tuple;
mod vector;

pub use algebra::{Additive, Multiplicative, Operands, Scale, Shrink};
pub use cast::Cast;
pub use complex::Complex;
pub use number::{Equal, Float, FloatLanes, Integer, IntegerLanes, Number, NumberLanes};
pub use scalar::{Kind, Scalar};
pub use vector::{Vec2, Vec3, Vec4, Vector};

use crate::backend::simd::OneLane;
use crate::kernel::Lanes;

/// Where a leaf stands inside an element: in bytes in Rust's layout, in 32-bit words in the packed layout of a GPU buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Offset {
    /// Bytes from the start of the element in host memory.
    pub bytes: usize,
    /// 32-bit words from the start of the element in a GPU buffer.
    pub words: usize,
}

impl Offset {
    /// The start of the element.
    pub const START: Offset = Offset { bytes: 0, words: 0 };

    /// This offset moved on.
    #[inline(always)]
    pub const fn plus(self, bytes: usize, words: usize) -> Offset {
        Offset { bytes: self.bytes + bytes, words: self.words + words }
    }
}

/// A leaf-wise map from the lanes `L` to the lanes `M`.
pub trait LeafMap<L: Lanes, M: Lanes> {
    /// Maps one leaf.
    fn leaf<S: Scalar>(&mut self, x: S::In<L>) -> S::In<M>;
}

/// A leaf-wise combination of two values.
pub trait LeafZip<L: Lanes> {
    /// Combines one pair of leaves.
    fn leaf<S: Scalar>(&mut self, a: S::In<L>, b: S::In<L>) -> S::In<L>;
}

/// A leaf-wise construction.
pub trait LeafBuild<L: Lanes> {
    /// Makes the leaf that stands at this offset.
    fn leaf<S: Scalar>(&mut self, at: Offset) -> S::In<L>;
}

/// A leaf-wise consumption.
pub trait LeafVisit<L: Lanes> {
    /// Takes the leaf that stands at this offset.
    fn leaf<S: Scalar>(&mut self, x: S::In<L>, at: Offset);
}

/// A type that may appear in a kernel. Implemented by the scalars, `usize`, tuples, and structs with `#[derive(Element)]`.
pub trait Value: Copy + Send + Sync + 'static {
    /// Its form in the lanes `L`: a vector for a scalar, a tuple or struct of [`Varying`](crate::kernel::Varying) fields for a tree.
    type In<L: Lanes>: Copy;

    /// This value in one lane.
    fn to_one(self) -> Self::In<OneLane>;
    /// The value of one lane.
    fn from_one(x: Self::In<OneLane>) -> Self;
    /// Applies `f` to every leaf.
    fn map<L: Lanes, M: Lanes, F: LeafMap<L, M>>(f: &mut F, x: Self::In<L>) -> Self::In<M>;
    /// Applies `f` to every pair of leaves.
    fn zip<L: Lanes, F: LeafZip<L>>(f: &mut F, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
}

/// A type that may be an array's element.
///
/// # Safety
/// `build` and `visit` must give each leaf the byte offset at which a scalar of exactly that type lies in `Self`, and
/// consecutive word offsets that end at `WORDS`. `#[derive(Element)]` does.
pub unsafe trait Element: Value {
    /// Size in a GPU buffer, in 32-bit words.
    const WORDS: usize;
    /// Whether host memory is already the packed layout: the same size, the same offsets, no padding.
    const PACKED: bool;

    /// Makes a value leaf by leaf.
    fn build<L: Lanes, F: LeafBuild<L>>(f: &mut F, at: Offset) -> Self::In<L>;
    /// Visits the leaves with their offsets.
    fn visit<L: Lanes, F: LeafVisit<L>>(f: &mut F, x: Self::In<L>, at: Offset);
    /// The kinds and offsets of the leaves, in order.
    fn leaves(at: Offset, out: &mut Vec<(Kind, Offset)>);
}
