//! The words of a stream as a source.

use granule_macros::kernel;

use super::{Philox, gaussian, philox, unit};
use crate::array::DataVisitor;
use crate::error::Result;
use crate::kernel::{self, Kernel, Lanes, Rare, Varying, ops};
use crate::source::{IntoSource, Map, Source, UNBOUNDED};

/// See [`Philox::bits`].
#[derive(Clone, Copy, Debug)]
pub struct Bits(pub(super) Philox);
/// See [`Philox::uniform`].
pub type Uniform = Map<Bits, unit>;
/// See [`Philox::normal`].
pub type Normal = Map<Bits, gaussian>;

impl Philox {
    pub(super) fn source<K: Kernel<u32>>(self, kernel: K) -> Map<Bits, K> {
        Bits(self).map(kernel)
    }
}

/// The word of an element: `low` and `high` are the halves of its index.
#[kernel]
fn word(low: u32, high: u32, stream: u32, key: (u32, u32)) -> u32 {
    let block = philox((low >> 2 | high << 30, high >> 2, stream, 0), key);
    let pair = if low & 2 == 0 { (block.0, block.1) } else { (block.2, block.3) };
    if low & 1 == 0 { pair.0 } else { pair.1 }
}

/// A [`Philox`] in the lanes `L`.
pub struct BoundPhilox<L: Lanes> {
    key: [kernel::Uniform<L, u32>; 2],
    pub(super) stream: kernel::Uniform<L, u32>,
}

impl<L: Lanes> Clone for BoundPhilox<L> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<L: Lanes> Copy for BoundPhilox<L> {}

impl<L: Lanes> BoundPhilox<L> {
    #[inline(always)]
    pub(super) fn new(l: L, random: Philox) -> Self {
        BoundPhilox {
            key: [ops::uniform(l, random.key[0]), ops::uniform(l, random.key[1])],
            stream: ops::uniform(l, random.stream),
        }
    }

    /// The key in every lane.
    #[inline(always)]
    pub(super) fn key(&self, l: L) -> Varying<L, (u32, u32)> {
        ops::tuple2(ops::broadcast(l, self.key[0]), ops::broadcast(l, self.key[1]))
    }

    /// The words of the elements that the index stands for.
    #[inline(always)]
    pub(super) fn words(&self, l: L, i: L::Index) -> Varying<L, u32> {
        match l.philox_words(i, [self.key[0].0.0, self.key[1].0.0], self.stream.0.0) {
            Some(words) => Varying(words),
            None => self.word(l, Varying(l.index_u32(i)), Varying(l.index_high(i))),
        }
    }

    /// The words of the elements with these indices.
    #[inline(always)]
    pub(super) fn word(&self, l: L, low: Varying<L, u32>, high: Varying<L, u32>) -> Varying<L, u32> {
        l.rarely(Word { low, high, stream: self.stream, key: self.key(l) })
    }
}

/// The words of elements in any order: a block for each.
struct Word<L: Lanes> {
    low: Varying<L, u32>,
    high: Varying<L, u32>,
    stream: kernel::Uniform<L, u32>,
    key: Varying<L, (u32, u32)>,
}
impl<L: Lanes> Rare<L> for Word<L> {
    type Out = Varying<L, u32>;
    #[inline(always)]
    fn run(self, l: L) -> Varying<L, u32> {
        word::__lanes(l, l.mask_all(), self.low, self.high, self.stream, self.key)
    }
}

// SAFETY: no memory is read.
unsafe impl Source for Bits {
    type Item = u32;
    type Bound<'a, L: Lanes>
        = BoundPhilox<L>
    where
        Self: 'a;

    fn len(&self) -> Result<usize> {
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
        BoundPhilox::new(l, self.0)
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, u32>
    where
        Self: 'a,
    {
        bound.words(l, i)
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, u32>
    where
        Self: 'a,
    {
        bound.word(l, i, ops::lit(l, 0))
    }
}
