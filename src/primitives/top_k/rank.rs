//! Keys as ranks, and the kernels that narrow down where the last wanted one stands.
//!
//! A rank is the ordered form of a key, or its complement where the largest come first: the wanted elements have the smallest. The last
//! of them is found digit by digit, from the highest on (radix select: T. Alabi, J. Blanchard, B. Gordon, R. Steinbach, "Fast k-selection
//! algorithms for graphics processing units", 2012). All that is known of it is a [`Place`]: the smallest rank that it may have, and its
//! number among the elements from there on.

use crate::array::{Data, DataVisitor};
use crate::element::{Element, Integer, Scalar};
use crate::error::Result;
use crate::kernel::{Kernel, Lanes, Varying, ops};
use crate::primitives::SortKey;
use crate::primitives::select::DROPPED;

/// What is chosen: a key, or a key with its position.
pub trait Row: Element {
    /// Its type of key.
    type Key: SortKey + Element;

    /// The key.
    #[doc(hidden)]
    fn key<L: Lanes>(row: Varying<L, Self>) -> Varying<L, Self::Key>;
    /// Its rank, and its position.
    #[doc(hidden)]
    fn rank(self, largest: bool) -> (<Self::Key as SortKey>::Bits, u32);
}

impl<T: SortKey + Element> Row for T {
    type Key = T;

    #[inline(always)]
    fn key<L: Lanes>(row: Varying<L, T>) -> Varying<L, T> {
        row
    }
    fn rank(self, largest: bool) -> (Rank<T>, u32) {
        let ordered = self.ordered();
        (if largest { !ordered } else { ordered }, 0)
    }
}

impl<T: SortKey + Element> Row for (T, u32) {
    type Key = T;

    #[inline(always)]
    fn key<L: Lanes>(Varying((key, _)): Varying<L, (T, u32)>) -> Varying<L, T> {
        key
    }
    fn rank(self, largest: bool) -> (Rank<T>, u32) {
        (self.0.rank(largest).0, self.1)
    }
}

/// The rank of a key, as unsigned as its ordered form.
pub(super) type Rank<T> = <T as SortKey>::Bits;

/// The smallest rank that the last wanted element may have, and its number among those of this rank and above, from 1 on.
pub(super) type Place<T> = (Rank<T>, u32);

/// A place of which more is known with each digit: one that is read when a kernel runs, and not before.
pub(super) type At<'a, T> = Data<'a, Place<T>>;

#[inline(always)]
fn rank<L: Lanes, R: Row>(l: L, row: Varying<L, R>, largest: bool) -> Varying<L, Rank<R::Key>> {
    let turn = if largest { Rank::<R::Key>::ALL_ONES } else { Rank::<R::Key>::ZERO };
    ops::xor(l, R::Key::ordered_in(l, R::key(row)), ops::broadcast(l, ops::uniform(l, turn)))
}

/// The smallest rank of a place, and how far above it another is: wrapping, so that what is below is far.
#[inline(always)]
fn distance<'a, L: Lanes, T: SortKey>(
    l: L,
    at: At<'a, T>,
    rank: Varying<L, Rank<T>>,
) -> (Varying<L, Rank<T>>, Varying<L, Rank<T>>) {
    let place = ops::index_uniform(l, ops::slice(l, at), ops::lit_uniform(l, 0_usize));
    let Varying((lowest, _)) = ops::broadcast(l, place);
    (lowest, ops::sub(l, rank, lowest))
}

/// The next digit of an element's rank, if it shares all digits before with the last wanted one; else the number of digits.
#[derive(Clone, Copy)]
pub(super) struct Digit<'a, T: SortKey> {
    pub(super) at: At<'a, T>,
    pub(super) largest: bool,
    /// The digit's lowest bit.
    pub(super) shift: u32,
    pub(super) width: u32,
}

impl<R: Row> Kernel<R> for Digit<'_, R::Key> {
    type Out = u32;

    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, row: Varying<L, R>) -> Varying<L, u32> {
        let (_, above) = distance::<L, R::Key>(l, self.at, rank(l, row, self.largest));
        let digit = ops::shr(l, above, ops::broadcast(l, ops::uniform(l, self.shift)));
        let digits = ops::broadcast(l, ops::uniform(l, Rank::<R::Key>::from_bits(1 << self.width)));
        ops::cast(l, ops::min(l, digit, digits))
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        visitor.visit(self.at)
    }
}

/// A row with its class: whether its rank is below those that the last wanted one may have, or among them. All others are dropped.
#[derive(Clone, Copy)]
pub(super) struct Side<'a, T: SortKey> {
    pub(super) at: At<'a, T>,
    pub(super) largest: bool,
    /// The lowest bit that is known.
    pub(super) shift: u32,
    /// The class of those below, and of those among them.
    pub(super) classes: [u32; 2],
}

impl<'a, T: SortKey> Side<'a, T> {
    /// All that may be wanted: those below, and those among them.
    pub(super) const BOTH: [u32; 2] = [0, 1];
    /// Only those among them.
    pub(super) const AMONG: [u32; 2] = [DROPPED, 0];
}

impl<R: Row> Kernel<R> for Side<'_, R::Key> {
    type Out = (R, u32);

    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, row: Varying<L, R>) -> Varying<L, (R, u32)> {
        let rank = rank(l, row, self.largest);
        let (lowest, above) = distance::<L, R::Key>(l, self.at, rank);
        let digits = ops::shr(l, above, ops::broadcast(l, ops::uniform(l, self.shift)));
        let among = ops::eq(l, digits, ops::lit(l, Rank::<R::Key>::ZERO));
        let [below, within] = self.classes.map(|class| ops::broadcast(l, ops::uniform(l, class)));
        let other = ops::select(l, among, within, ops::lit(l, DROPPED));
        Varying((row, ops::select(l, ops::lt(l, rank, lowest), below, other)))
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        visitor.visit(self.at)
    }
}

/// The key of a row.
#[derive(Clone, Copy)]
pub(super) struct KeyOf;

impl<R: Row> Kernel<R> for KeyOf {
    type Out = R::Key;

    #[inline(always)]
    fn eval<L: Lanes>(&self, _: L, row: Varying<L, R>) -> Varying<L, R::Key> {
        R::key(row)
    }
}

/// The position of a row.
#[derive(Clone, Copy)]
pub(super) struct PositionOf;

impl<T: SortKey> Kernel<(T, u32)> for PositionOf {
    type Out = u32;

    #[inline(always)]
    fn eval<L: Lanes>(&self, _: L, Varying((_, position)): Varying<L, (T, u32)>) -> Varying<L, u32> {
        position
    }
}
