//! Which bin a value is in: by its number, by even division of a range, or by given edges.

use std::cmp::Ordering;
use std::ops::Range;

use crate::array::DataVisitor;
use crate::element::{Element, Number, Value};
use crate::error::{Error, Result};
use crate::kernel::{Kernel, Lanes, Varying, ops};

/// What gives values their bins.
pub trait Bins<T: Value> {
    /// The number of bins.
    ///
    /// # Errors
    /// If they make no sense.
    fn check(&self) -> Result<usize>;

    /// Gives a value's bin, or a number that no bin has.
    fn kernel(&self) -> impl Kernel<T, Out = u32>;
}

fn bad(reason: String) -> Error {
    Error::Bins { reason }
}

/// The number of a value that is in no bin.
const NOWHERE: u32 = u32::MAX;

/// Values are their bins' numbers: so many bins.
pub struct Numbered(pub(super) usize);

impl Bins<u32> for Numbered {
    fn check(&self) -> Result<usize> {
        match self.0 {
            0 => Err(bad("0 bins were asked for: there is at least one".into())),
            bins => Ok(bins),
        }
    }

    fn kernel(&self) -> impl Kernel<u32, Out = u32> {
        Itself
    }
}

/// `x`
#[derive(Clone, Copy)]
struct Itself;

impl Kernel<u32> for Itself {
    type Out = u32;
    #[inline(always)]
    fn eval<L: Lanes>(&self, _: L, x: Varying<L, u32>) -> Varying<L, u32> {
        x
    }
}

/// Bins that divide a range evenly.
///
/// A product in `f32` tells a value's bin, or the one below it: the factor is lowered by more than the product can be too high, and by
/// less than a bin. Comparing with one edge then decides. So a value's bin does not depend on how the product was rounded.
pub struct Even<T> {
    range: Range<T>,
    bins: usize,
    /// For each bin the least value that is above it, but for the last, which has all that is left.
    next: Vec<T>,
    /// Bins a unit of value, lowered.
    scale: f32,
    error: Option<Error>,
}

/// Bins of an even division at most: then the product is off by less than a bin.
const MOST: usize = 1 << 20;

/// How much the factor is lowered. The product carries up to four roundings of 2^-24 each: that of the difference from `lo`, its
/// conversion from an integer, that of the factor, its own.
const LOWERED: f64 = 1.0 - 1.0 / (1 << 21) as f64;

impl<T: Spread> Even<T> {
    pub(super) fn new(range: Range<T>, bins: usize) -> Even<T> {
        let (lo, hi) = (range.start.as_f64(), range.end.as_f64());
        let mut even = Even { range, bins, next: Vec::new(), scale: 0.0, error: None };
        let width = (hi - lo) / bins as f64;
        even.error = if bins == 0 {
            Numbered(0).check().err()
        } else if bins > MOST {
            Some(Error::TooLarge { elements: bins, limit: MOST })
        } else if lo.partial_cmp(&hi) != Some(Ordering::Less) {
            Some(bad(format!("the range {lo}..{hi} is empty: it must begin below its end")))
        } else if hi - lo > f32::MAX.into() {
            Some(bad(format!("the range {lo}..{hi} is wider than {}, the largest f32: scale the values down", f32::MAX)))
        } else if width < f32::MIN_POSITIVE.into() {
            let least = f32::MIN_POSITIVE;
            Some(bad(format!("{bins} bins in {lo}..{hi} are narrower than {least}, the least f32: scale the values up")))
        } else {
            even.next = (1..bins).map(|k| T::least(k as f64 * width + lo)).chain([even.range.end]).collect();
            even.scale = (LOWERED / width) as f32;
            None
        };
        even
    }
}

impl<T: Spread> Bins<T> for Even<T> {
    fn check(&self) -> Result<usize> {
        self.error.clone().map_or(Ok(self.bins), Err)
    }

    fn kernel(&self) -> impl Kernel<T, Out = u32> {
        T::even(&self.next, self.range.clone(), self.scale)
    }
}

/// Bins that divide a range of its own for each channel evenly, as many for each.
pub struct EvenChannels<T> {
    bins: usize,
    /// Those of the channels, one after the other.
    next: Vec<T>,
    /// Of each channel where it begins and ends, and the lowered factor.
    ranges: Vec<(T, T, f32)>,
    error: Option<Error>,
}

impl<T: Spread> EvenChannels<T> {
    pub(super) fn new(ranges: &[Range<T>], bins: usize) -> EvenChannels<T> {
        let mut all = EvenChannels { bins, next: Vec::new(), ranges: Vec::new(), error: no_channels(ranges.len()).err() };
        for even in ranges.iter().map(|range| Even::new(range.clone(), bins)) {
            all.error = all.error.or(even.error);
            all.next.extend(even.next);
            all.ranges.push((even.range.start, even.range.end, even.scale));
        }
        all
    }
}

impl<T: Spread> Bins<(T, u32)> for EvenChannels<T> {
    fn check(&self) -> Result<usize> {
        self.error.clone().map_or(Ok(self.next.len()), Err)
    }

    fn kernel(&self) -> impl Kernel<(T, u32), Out = u32> {
        T::even_channels(&self.next, &self.ranges, self.bins)
    }
}

/// A type whose values can be spread evenly over bins: `f32`, `i32`, `u32`.
pub trait Spread: Number + Element + sealed::Sealed {
    #[doc(hidden)]
    fn as_f64(self) -> f64;
    /// The least value that is not below this one.
    #[doc(hidden)]
    fn least(at: f64) -> Self;
    #[doc(hidden)]
    fn even(next: &[Self], range: Range<Self>, scale: f32) -> impl Kernel<Self, Out = u32>;
    /// The same of values with their channel, of so many bins each.
    #[doc(hidden)]
    fn even_channels<'d>(next: &'d [Self], ranges: &'d [(Self, Self, f32)], bins: usize) -> impl Kernel<(Self, u32), Out = u32>;
}

mod sealed {
    /// Keeps a trait to the types of this crate.
    pub trait Sealed {}
}

macro_rules! spread {
    ($t:ident, $bin:ident, $kernel:ident, $channels:ident, |$x:ident, $lo:ident| $above:expr, |$at:ident| $least:expr) => {
        /// The bin of `x` in `lo..hi`, of so many. They end where `next` says from `first` on.
        #[granule_macros::kernel]
        fn $bin($x: $t, $lo: $t, hi: $t, scale: f32, bins: u32, first: u32, next: &[$t]) -> u32 {
            let last = bins - 1;
            let near = ($above * scale) as u32;
            let near = if near < last { near } else { last };
            let next = if $x >= next[(first + near) as usize] { near + 1 } else { near };
            let bin = if next < last { next } else { last };
            // NaN is neither.
            if $x >= $lo && $x <= hi { first + bin } else { NOWHERE }
        }

        #[granule_macros::kernel]
        fn $kernel(x: $t, next: &[$t], #[uniform] lo: $t, #[uniform] hi: $t, #[uniform] scale: f32) -> u32 {
            $bin(x, lo, hi, scale, next.len() as u32, 0, next)
        }

        #[granule_macros::kernel]
        fn $channels(x: $t, channel: u32, next: &[$t], ranges: &[($t, $t, f32)], #[uniform] bins: u32) -> u32 {
            let range = ranges[channel as usize];
            $bin(x, range.0, range.1, range.2, bins, channel * bins, next)
        }

        impl sealed::Sealed for $t {}
        impl Spread for $t {
            fn as_f64(self) -> f64 {
                self.into()
            }
            fn least($at: f64) -> $t {
                $least
            }
            fn even(next: &[$t], range: Range<$t>, scale: f32) -> impl Kernel<$t, Out = u32> {
                $kernel::with(next, range.start, range.end, scale)
            }
            fn even_channels<'d>(next: &'d [$t], ranges: &'d [($t, $t, f32)], bins: usize) -> impl Kernel<($t, u32), Out = u32> {
                // More of them were refused.
                $channels::with(next, ranges, bins as u32)
            }
        }
    };
}
spread!(f32, bin_f32, even_f32, channels_f32, |x, lo| (x - lo), |at| {
    let x = at as f32;
    if f64::from(x) < at { x.next_up() } else { x }
});
spread!(i32, bin_i32, even_i32, channels_i32, |x, lo| (x.wrapping_sub(lo) as u32 as f32), |at| at.ceil() as i32);
spread!(u32, bin_u32, even_u32, channels_u32, |x, lo| (x.wrapping_sub(lo) as f32), |at| at.ceil() as u32);

/// The bin of a value by halving: the last edge that is not above it. The number of steps is the same for all values.
#[granule_macros::kernel]
fn between<T: Number + Element>(x: T, edges: &[T]) -> u32 {
    let last = edges.len() - 1;
    let mut at = 0;
    let mut left = edges.len();
    while left > 1 {
        let half = left / 2;
        if edges[at + half] <= x {
            at += half;
        }
        left -= half;
    }
    let bin = if at < last { at } else { last - 1 };
    // NaN is neither.
    if x >= edges[0] && x <= edges[last] { bin as u32 } else { NOWHERE }
}

/// Bins between edges.
pub struct Edges<'d, T>(pub(super) &'d [T]);

impl<T: Number + Element> Bins<T> for Edges<'_, T> {
    fn check(&self) -> Result<usize> {
        let edges = self.0;
        if edges.len() < 2 {
            return Err(bad(format!("a bin lies between two edges, and there are {}", edges.len())));
        }
        if edges.len() > u32::MAX as usize {
            return Err(Error::TooLarge { elements: edges.len(), limit: u32::MAX as usize });
        }
        // Nothing is in order with a NaN.
        match edges.windows(2).position(|pair| pair[0].partial_cmp(&pair[1]).is_none_or(Ordering::is_gt)) {
            Some(k) => Err(bad(format!("edges are in ascending order, and edge {} is not at or above edge {k}", k + 1))),
            None => Ok(edges.len() - 1),
        }
    }

    fn kernel(&self) -> impl Kernel<T, Out = u32> {
        between::with(self.0)
    }
}

/// Refuses to count in no channel.
fn no_channels(channels: usize) -> Result<()> {
    if channels == 0 { Err(bad("0 channels were asked for: there is at least one".into())) } else { Ok(()) }
}

/// The same bins for each of several channels: those of the first, then those of the second, and so on. Values come with the number of
/// their channel.
pub struct Channels<B> {
    pub(super) bins: B,
    pub(super) channels: usize,
}

impl<T: Value, B: Bins<T>> Bins<(T, u32)> for Channels<B> {
    fn check(&self) -> Result<usize> {
        no_channels(self.channels)?;
        Ok(self.bins.check()?.saturating_mul(self.channels))
    }

    fn kernel(&self) -> impl Kernel<(T, u32), Out = u32> {
        // It runs if they were checked, and then so many are less than 2^32.
        InChannel { kernel: self.bins.kernel(), bins: self.bins.check().unwrap_or(0) as u32 }
    }
}

/// The bin of a value among those of all channels.
#[derive(Clone, Copy)]
struct InChannel<K> {
    kernel: K,
    bins: u32,
}

impl<T: Value, K: Kernel<T, Out = u32>> Kernel<(T, u32)> for InChannel<K> {
    type Out = u32;
    const LOOPS: bool = K::LOOPS;

    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, Varying((x, channel)): Varying<L, (T, u32)>) -> Varying<L, u32> {
        let (bin, bins) = (self.kernel.eval(l, x), ops::broadcast(l, ops::uniform(l, self.bins)));
        let among_all = ops::add(l, ops::mul(l, channel, bins), bin);
        ops::select(l, ops::lt(l, bin, bins), among_all, ops::lit(l, NOWHERE))
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.kernel.data(visitor)
    }
}
