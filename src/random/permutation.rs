//! Random permutations, computed index by index.
//!
//! R. Mitchell, D. Stokes, E. Frank, G. Holmes, "Bandwidth-optimal random shuffling for GPUs", 2021: a keyed bijection of the numbers
//! of so many bits is applied to an index until what comes out is an index again (cycle walking: J. Black, P. Rogaway, "Ciphers with
//! arbitrary finite domains", 2002). Here the bijection is a Feistel network of two halves that need not be of equal width: each round adds
//! a hash of one half to the other, modulo 2.

use granule_macros::kernel;

use super::{Philox, philox};
use crate::array::DataVisitor;
use crate::error::{Error, Result};
use crate::kernel::philox::WEYL;
use crate::kernel::{Lanes, Uniform, Varying, ops};
use crate::source::{Source, UNBOUNDED};

const W0: u32 = WEYL[0];
const W1: u32 = WEYL[1];
/// Rounds, two by two: one for each half.
const ROUNDS: u32 = 6;
/// Below so many elements a bit more is permuted than they need. A network permutes even numbers of pairs: in a domain that has just
/// as many numbers as there are indices it would never give the odd permutations, and of few elements one could tell.
const FEW: u32 = 4096;
/// Bits of the domain at least: of fewer the halves have too few functions to choose from.
const LEAST_BITS: u32 = 8;

/// The numbers from 0 on below `n`, each once, in a random order that the seed fixes.
///
/// The i-th is a function of `n`, the seed and i alone: nothing is stored, and every backend and every split gives the same. There are
/// 2^64 seeds, so of more than 20 elements not all orders occur; those that do are as good as random for statistical purposes, not for
/// secrets. An index costs a network of 12 rounds, once or twice: up to four times if there are fewer than 4096, and more often below 64.
///
/// To shuffle elements: [`IntoSource::shuffle`](crate::source::IntoSource::shuffle); to draw k of n without repetition: `.take(k)`.
///
/// ```
/// use granule::prelude::*;
/// use granule::random::permutation;
///
/// let engine = Engine::new()?;
/// let mut order = engine.collect(permutation(1000, 42)).run()?.into_vec()?;
/// assert_ne!(order[..3], [0, 1, 2]);
/// order.sort();
/// assert!(order.into_iter().eq(0..1000));
/// # Ok::<(), granule::Error>(())
/// ```
pub fn permutation(n: u32, seed: u64) -> Permutation {
    Permutation { n, seed }
}

/// See [`permutation`].
#[derive(Clone, Copy, Debug)]
pub struct Permutation {
    n: u32,
    seed: u64,
}

/// A hash of which the upper bits are good: two rounds of multiplication (after C. Wellons, "Prospecting for hash functions", 2018).
#[kernel]
fn hash(x: u32) -> u32 {
    let y = (x ^ x >> 16).wrapping_mul(0x7FEB_352D);
    (y ^ y >> 15).wrapping_mul(0x846C_A68B)
}

/// Where index `i` of `n` goes: `low` and `high` bits are the halves of the domain.
#[kernel]
fn permuted(i: u32, n: u32, low: u32, high: u32, k0: u32, k1: u32) -> u32 {
    let mut x = i;
    let mut outside = true;
    while outside {
        let mut a = x >> low;
        let mut b = x & ((1 << low) - 1);
        let mut key = (k0, k1);
        for _ in 0..ROUNDS {
            a ^= hash(b ^ key.0) >> (32 - high);
            b ^= hash(a ^ key.1) >> (32 - low);
            key = (key.0.wrapping_add(W0), key.1.wrapping_add(W1));
        }
        x = a << low | b;
        outside = x >= n;
    }
    x
}

/// A permutation in the lanes `L`.
#[derive(Clone, Copy)]
pub struct BoundPermutation<L: Lanes> {
    n: Uniform<L, u32>,
    low: Uniform<L, u32>,
    high: Uniform<L, u32>,
    key: [Uniform<L, u32>; 2],
}

impl<L: Lanes> BoundPermutation<L> {
    #[inline(always)]
    fn new(l: L, n: u32, seed: u64) -> Self {
        // The numbers of this many bits hold all indices.
        let bits = (u32::BITS - n.saturating_sub(1).leading_zeros() + u32::from(n < FEW)).max(LEAST_BITS);
        let Philox { key, .. } = Philox::new(seed);
        let key = philox((n, 0, 0, 0), (key[0], key[1]));
        let word = |x: u32| ops::uniform(l, x);
        BoundPermutation { n: word(n), low: word(bits / 2), high: word(bits - bits / 2), key: [word(key.0), word(key.1)] }
    }

    /// Where an index goes; one out of range where the last does.
    #[inline(always)]
    fn place(&self, l: L, i: Varying<L, u32>) -> Varying<L, u32> {
        let n = ops::broadcast(l, self.n);
        let i = ops::min(l, i, ops::sub(l, ops::max(l, n, ops::lit(l, 1)), ops::lit(l, 1)));
        permuted::__lanes(l, l.mask_all(), i, self.n, self.low, self.high, self.key[0], self.key[1])
    }
}

// SAFETY: no memory is read.
unsafe impl Source for Permutation {
    type Item = u32;
    type Bound<'a, L: Lanes>
        = BoundPermutation<L>
    where
        Self: 'a;
    const LOOPS: bool = true;

    fn len(&self) -> Result<usize> {
        Ok(self.n as usize)
    }
    fn data<V: DataVisitor>(&self, _: &mut V) -> Result<()> {
        Ok(())
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        BoundPermutation::new(l, self.n, self.seed)
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: L::Index) -> Varying<L, u32>
    where
        Self: 'a,
    {
        bound.place(l, Varying(l.index_u32(i)))
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, bound: Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, u32>
    where
        Self: 'a,
    {
        bound.place(l, i)
    }
}

/// A source in a random order. See [`IntoSource::shuffle`](crate::source::IntoSource::shuffle).
#[must_use = "a source is read when a task runs: nothing was moved"]
#[derive(Clone, Copy)]
pub struct Shuffle<S> {
    source: S,
    seed: u64,
}

impl<S> Shuffle<S> {
    pub(crate) fn new(source: S, seed: u64) -> Self {
        Shuffle { source, seed }
    }
}

// SAFETY: the source is read at any index, which brings it into range.
unsafe impl<S: Source> Source for Shuffle<S> {
    type Item = S::Item;
    type Bound<'a, L: Lanes>
        = (S::Bound<'a, L>, BoundPermutation<L>)
    where
        Self: 'a;
    const LOOPS: bool = true;

    fn len(&self) -> Result<usize> {
        let (n, limit) = (self.source.len()?, u32::MAX as usize);
        match n {
            UNBOUNDED => Err(Error::Unbounded),
            n if n > limit => Err(Error::TooLarge { elements: n, limit }),
            n => Ok(n),
        }
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.source.data(visitor)
    }
    #[inline(always)]
    fn bind<'a, L: Lanes>(&'a self, l: L) -> Self::Bound<'a, L>
    where
        Self: 'a,
    {
        // The task has asked for the length before.
        let n = self.source.len().unwrap_or(0).min(u32::MAX as usize);
        (self.source.bind(l), BoundPermutation::new(l, n as u32, self.seed))
    }
    #[inline(always)]
    fn load<'a, L: Lanes>(l: L, (source, order): Self::Bound<'a, L>, i: L::Index) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        S::at(l, source, order.place(l, Varying(l.index_u32(i))))
    }
    #[inline(always)]
    fn at<'a, L: Lanes>(l: L, (source, order): Self::Bound<'a, L>, i: Varying<L, u32>) -> Varying<L, S::Item>
    where
        Self: 'a,
    {
        S::at(l, source, order.place(l, i))
    }
}
