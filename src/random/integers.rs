//! Integers of a range without bias.

use std::ops::Range;

use granule_macros::kernel;

use super::source::BoundPhilox;
use super::{Philox, philox};
use crate::array::DataVisitor;
use crate::element::{Cast, Integer};
use crate::error::{Error, Result};
use crate::kernel::{Lanes, Uniform, Varying, ops};
use crate::source::{Source, UNBOUNDED};

/// An integer type whose ranges hold fewer than 2^32 numbers: `u32` and `i32`.
pub trait Bounded: Integer {
    /// How many numbers the range holds.
    fn count(range: &Range<Self>) -> u32;
    /// So many above.
    fn above<L: Lanes>(l: L, start: Varying<L, Self>, by: Varying<L, u32>) -> Varying<L, Self>;
}

macro_rules! bounded {
    ($($t:ident),+) => {$(
        impl Bounded for $t {
            fn count(range: &Range<Self>) -> u32 {
                if range.is_empty() { 0 } else { range.end.wrapping_sub(range.start) as u32 }
            }
            #[inline(always)]
            fn above<L: Lanes>(l: L, start: Varying<L, Self>, by: Varying<L, u32>) -> Varying<L, Self> {
                ops::add(l, start, Varying(<u32 as Cast<$t>>::cast(l, by.0)))
            }
        }
    )+};
}
bounded!(u32, i32);

/// See [`Philox::integers`].
#[derive(Clone, Copy, Debug)]
pub struct Integers<T> {
    random: Philox,
    start: T,
    n: u32,
}

impl<T: Bounded> Integers<T> {
    pub(super) fn new(random: Philox, range: Range<T>) -> Self {
        Integers { random, n: T::count(&range), start: range.start }
    }
}

/// How many blocks an element may draw again from.
const BLOCKS: u32 = 32;

/// A number below `n` from the element's word. `reject` is 2^32 mod n: as many of the products' lower halves are one too many.
#[kernel]
fn below(word: u32, low: u32, high: u32, stream: u32, key: (u32, u32), n: u32, reject: u32) -> u32 {
    let mut product = word.carrying_mul(n, 0);
    let mut k = 1;
    while product.0 < reject && k <= BLOCKS {
        let block = philox((low, high, stream, k), key);
        // From the last to the first: the first that is accepted stays.
        product = block.3.carrying_mul(n, 0);
        let third = block.2.carrying_mul(n, 0);
        if third.0 >= reject {
            product = third;
        }
        let second = block.1.carrying_mul(n, 0);
        if second.0 >= reject {
            product = second;
        }
        let first = block.0.carrying_mul(n, 0);
        if first.0 >= reject {
            product = first;
        }
        k += 1;
    }
    product.1
}

/// An [`Integers`] in the lanes `L`.
pub struct BoundIntegers<L: Lanes, T: Bounded> {
    random: BoundPhilox<L>,
    start: Uniform<L, T>,
    n: Uniform<L, u32>,
    reject: Uniform<L, u32>,
}

impl<L: Lanes, T: Bounded> Clone for BoundIntegers<L, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<L: Lanes, T: Bounded> Copy for BoundIntegers<L, T> {}

impl<L: Lanes, T: Bounded> BoundIntegers<L, T> {
    #[inline(always)]
    fn number(&self, l: L, word: Varying<L, u32>, low: Varying<L, u32>, high: Varying<L, u32>) -> Varying<L, T> {
        let random = &self.random;
        let number = below::__lanes(l, l.mask_all(), word, low, high, random.stream, random.key(l), self.n, self.reject);
        T::above(l, ops::broadcast(l, self.start), number)
    }
}

// SAFETY: no memory is read.
unsafe impl<T: Bounded> Source for Integers<T> {
    type Item = T;
    type Bound<'a, L: Lanes>
        = BoundIntegers<L, T>
    where
        Self: 'a;
    const LOOPS: bool = true;

    fn len(&self) -> Result<usize> {
        if self.n == 0 {
            let message = "random integers of an empty range: give one that holds a number, such as `0..6`".into();
            return Err(Error::Config { message });
        }
        Ok(UNBOUNDED)
    }
    fn data<V: DataVisitor>(&self, _: &mut V) -> Result<()> {
        Ok(())
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        let (n, reject) = (self.n, self.n.wrapping_neg().checked_rem(self.n).unwrap_or(0));
        BoundIntegers {
            random: BoundPhilox::new(l, self.random),
            start: ops::uniform(l, self.start),
            n: ops::uniform(l, n),
            reject: ops::uniform(l, reject),
        }
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, T>
    where
        Self: 'a,
    {
        bound.number(l, bound.random.words(l, i), Varying(l.index_u32(i)), Varying(l.index_high(i)))
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, T>
    where
        Self: 'a,
    {
        let high = ops::lit(l, 0);
        bound.number(l, bound.random.word(l, i, high), i, high)
    }
}
