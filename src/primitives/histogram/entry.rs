//! What a source gives to a histogram: a bin's number, alone or with a weight.

use crate::element::{Element, Scalar};
use crate::kernel::{Lanes, Varying, ops};

/// Why a GPU does not add up such weights.
pub(super) const REFUSED: &str = "GPUs add 32-bit integers to memory that is shared, and nothing else: give weights of u32 or i32, such \
                                  as multiples of a power of two, or run on the CPU";

/// What can be added up in a bin: every number type. Integers wrap.
pub trait Amount: Scalar + Element + Send + Sync {
    /// One element.
    #[doc(hidden)]
    const ONE: Self;
    /// Whether the order of additions is seen in the result.
    #[doc(hidden)]
    const ROUNDS: bool;
    /// Whether GPUs can add it to shared memory.
    #[doc(hidden)]
    const ON_GPU: bool;
    #[doc(hidden)]
    fn plus(self, other: Self) -> Self;
}

macro_rules! amounts {
    ($($t:ident: $one:literal, $rounds:literal, $on_gpu:literal, $plus:expr;)+) => {$(
        impl Amount for $t {
            const ONE: $t = $one;
            const ROUNDS: bool = $rounds;
            const ON_GPU: bool = $on_gpu;
            #[inline(always)]
            fn plus(self, other: $t) -> $t {
                $plus(self, other)
            }
        }
    )+};
}
amounts! {
    u32: 1, false, true, u32::wrapping_add;
    i32: 1, false, true, i32::wrapping_add;
    u64: 1, false, false, u64::wrapping_add;
    i64: 1, false, false, i64::wrapping_add;
    f32: 1.0, true, false, std::ops::Add::add;
    f64: 1.0, true, false, std::ops::Add::add;
}

/// An item of the source.
pub(crate) trait Entry: Element {
    /// What is added up.
    type Amount: Amount;
    /// Whether the item says how much; otherwise it is one.
    const WEIGHTED: bool;

    /// The number of the bin.
    fn bin<L: Lanes>(x: Varying<L, Self>) -> Varying<L, u32>;
    /// What is added to it.
    fn amount<L: Lanes>(l: L, x: Varying<L, Self>) -> Varying<L, Self::Amount>;
}

impl Entry for u32 {
    type Amount = u32;
    const WEIGHTED: bool = false;

    #[inline(always)]
    fn bin<L: Lanes>(x: Varying<L, u32>) -> Varying<L, u32> {
        x
    }
    #[inline(always)]
    fn amount<L: Lanes>(l: L, _: Varying<L, u32>) -> Varying<L, u32> {
        ops::lit(l, 1)
    }
}

impl<A: Amount> Entry for (u32, A) {
    type Amount = A;
    const WEIGHTED: bool = true;

    #[inline(always)]
    fn bin<L: Lanes>(Varying((bin, _)): Varying<L, (u32, A)>) -> Varying<L, u32> {
        bin
    }
    #[inline(always)]
    fn amount<L: Lanes>(_: L, Varying((_, amount)): Varying<L, (u32, A)>) -> Varying<L, A> {
        amount
    }
}
