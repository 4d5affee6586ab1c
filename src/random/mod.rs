//! Random numbers: counter-based, so the same on every backend, for every split, in any order.
//!
//! A [`Philox`] is a seed and a stream's number. It gives [sources](crate::source) without an end: the i-th number is a function of
//! the seed, the stream and i alone. So nothing is stored or carried along, a million numbers are made at once as well as one, and
//! `.skip(k)` jumps ahead at no cost.
//!
//! ```
//! use granule::kernel;
//! use granule::prelude::*;
//! use granule::random::Philox;
//!
//! let engine = Engine::new()?;
//! let random = Philox::new(42);
//!
//! // Ten million points in the unit square; nothing is stored. How many lie in the circle?
//! let n = 10_000_000;
//! let points = zip(random.stream(0).uniform(), random.stream(1).uniform()).take(n);
//! let inside = engine.reduce(points.map(kernel!(|x: f32, y: f32| (x * x + y * y < 1.0) as u32)), Sum).run()?;
//! assert!((4.0 * inside as f64 / n as f64 - std::f64::consts::PI).abs() < 0.003);
//!
//! let dice = engine.collect(random.integers(1..7).take(100)).run()?.into_vec()?;
//! assert!(dice.iter().all(|pips| (1..7).contains(pips)));
//! # Ok::<(), granule::Error>(())
//! ```
//!
//! # The generator
//!
//! Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a function of a 128-bit
//! counter and a 64-bit key whose results are random words for all statistical purposes. It is not for secrets. The key is the
//! seed, low word first. Element i of a stream is word i mod 4 of the block with the counter `[b mod 2^32, b / 2^32, stream, 0]`, where b
//! = i / 4. The last word is not 0 for what [`integers`](Philox::integers) draws again.
//!
//! | source | from a word w | bits |
//! |---|---|---|
//! | [`bits`](Philox::bits) | w | the same on every backend |
//! | [`uniform`](Philox::uniform) | the upper 24 bits, times 2^-24: [`unit()`] | the same on every backend |
//! | [`normal`](Philox::normal) | a sign, and the quantile of the other 31 bits: [`gaussian()`] | the same on every CPU; on a GPU the last bits may differ |
//! | [`integers`](Philox::integers) | w * n / 2^32, rejecting what would be biased | the same on every backend |
//!
//! # Speed
//!
//! No memory is read. With SIMD, neighbours share a block: four lanes hold its four words, if the numbers are read in order and from
//! an index that is a multiple of four. Read in reverse, with a stride, by [`gather`](crate::source::gather()) or from another
//! index on, and on a GPU, each lane computes a block and keeps one word of it, which takes three to four times as long. A
//! kernel that needs several numbers for an element calls [`philox()`] itself and uses all four.

mod distribution;
mod integers;
mod permutation;
mod source;

pub use crate::kernel::philox::philox;
pub use distribution::{gaussian, unit};
pub use integers::{Bounded, Integers};
pub use permutation::{Permutation, Shuffle, permutation};
pub use source::{Bits, Normal, Uniform};

use std::ops::Range;

/// A seed and a stream's number: what random numbers are drawn from.
///
/// It is a plain value: a copy gives the same numbers again. Use another stream, or another seed, for each quantity that is to be
/// independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Philox {
    key: [u32; 2],
    stream: u32,
}

impl Philox {
    /// Stream 0 of a seed.
    pub const fn new(seed: u64) -> Philox {
        Philox { key: [seed as u32, (seed >> 32) as u32], stream: 0 }
    }

    /// Another stream of the same seed: one of 2^32, each of 2^64 numbers, which have none of their blocks in common.
    pub const fn stream(self, number: u32) -> Philox {
        Philox { stream: number, ..self }
    }

    /// Random words: each of the 2^32 values with the same probability. Without an end.
    pub fn bits(self) -> Bits {
        Bits(self)
    }

    /// Numbers in [0, 1): each of the 2^24 multiples of 2^-24 with the same probability. Without an end.
    pub fn uniform(self) -> Uniform {
        self.source(unit::with())
    }

    /// Numbers of the standard normal distribution. Without an end.
    ///
    /// They lie between -6.34 and 6.34, since a word has 32 bits: 2^-33 of the distribution is beyond on each side. How exact each is
    /// stands at [`gaussian()`].
    pub fn normal(self) -> Normal {
        self.source(gaussian::with())
    }

    /// Integers of a range, each with the same probability. Without an end. An empty range is an error of the task.
    ///
    /// The range's n numbers are drawn without bias (D. Lemire, "Fast random integer generation in an interval", 2019): of a word w, the
    /// upper half of w * n is the number, unless the lower half is below 2^32 mod n. What then is left of the 2^32 words falls on
    /// each number equally often; the others are rejected, and the element draws from blocks of its own: those with the counter
    /// `[i mod 2^32, i / 2^32, stream, k]`, k = 1, 2, .., 32, whose words 0 to 3 are tried in order. No more than half of the words are
    /// rejected, for any n, so all 129 of an element would be with a probability below 2^-129; then the last of them is taken as
    /// it is. For n a power of two nothing is ever rejected.
    ///
    /// ```
    /// use granule::prelude::*;
    /// use granule::random::Philox;
    ///
    /// let engine = Engine::new()?;
    /// let steps = engine.collect(Philox::new(1).integers(-1..2_i32).take(1000)).run()?.into_vec()?;
    /// assert!(steps.iter().all(|step| step.abs() <= 1));
    /// let none = engine.collect(Philox::new(1).integers(3..3_u32).take(10)).run();
    /// assert!(matches!(none, Err(granule::Error::Config { .. })));
    /// # Ok::<(), granule::Error>(())
    /// ```
    pub fn integers<T: Bounded>(self, range: Range<T>) -> Integers<T> {
        Integers::new(self, range)
    }
}
