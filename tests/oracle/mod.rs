//! What the answers must be: std iterators and plain loops, sharing no code with the crate. Also when two values are the same,
//! and where test values come from.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod keys;

use std::fmt::{Debug, Display};

// ---- the primitives, one line each ------------------------------------------------------------------------------------------

pub(crate) fn map<T: Copy, U>(x: &[T], f: impl Fn(T) -> U) -> Vec<U> {
    x.iter().map(|&x| f(x)).collect()
}

pub(crate) fn reduce<T: Copy>(x: &[T], identity: T, f: impl Fn(T, T) -> T) -> T {
    x.iter().copied().reduce(f).unwrap_or(identity)
}

pub(crate) fn inclusive<T: Copy>(x: &[T], init: Option<T>, f: impl Fn(T, T) -> T) -> Vec<T> {
    let mut sum = init;
    x.iter().map(|&x| *sum.insert(sum.map_or(x, |sum| f(sum, x)))).collect()
}

pub(crate) fn exclusive<T: Copy>(x: &[T], init: Option<T>, identity: T, f: impl Fn(T, T) -> T) -> Vec<T> {
    let first = init.unwrap_or(identity);
    let all = std::iter::once(first).chain(inclusive(x, init, f));
    all.take(x.len()).collect()
}

/// The canonical order of a reduction, one element at a time.
///
/// A tile is 4096 elements. Commutative: element `i` sits in lane `i mod 128`; lanes fold their rows in order, then lane `j` takes
/// in lane `j + half` for half = 64, 32, ... 1. Not commutative: runs of 32 fold from left to right, and the runs in adjacent
/// pairs. The tiles' results are folded in the same way. What does not exist is not folded.
pub(crate) fn canonical<T: Copy>(x: &[T], commutative: bool, identity: T, f: &impl Fn(T, T) -> T) -> T {
    let tile = |tile: &[T]| if commutative { by_lanes(tile, f) } else { by_runs(tile, f) };
    match x {
        [] => identity,
        x if x.len() <= 4096 => tile(x),
        x => canonical(&x.chunks(4096).map(tile).collect::<Vec<_>>(), commutative, identity, f),
    }
}

fn by_lanes<T: Copy>(tile: &[T], f: &impl Fn(T, T) -> T) -> T {
    let mut lanes: Vec<Option<T>> = (0..128).map(|lane| tile.iter().copied().skip(lane).step_by(128).reduce(f)).collect();
    while lanes.len() > 1 {
        let half = lanes.len() / 2;
        let (low, high) = lanes.split_at(half);
        lanes = low
            .iter()
            .zip(high)
            .map(|(a, b)| match (a, b) {
                (Some(a), Some(b)) => Some(f(*a, *b)),
                (a, b) => a.or(*b),
            })
            .collect();
    }
    lanes[0].unwrap()
}

fn by_runs<T: Copy>(tile: &[T], f: &impl Fn(T, T) -> T) -> T {
    let mut runs: Vec<T> = tile.chunks(32).map(|run| run.iter().copied().reduce(f).unwrap()).collect();
    while runs.len() > 1 {
        runs = runs.chunks(2).map(|pair| pair.iter().copied().reduce(f).unwrap()).collect();
    }
    runs[0]
}

/// `min` of the kernel language: the number if one side is NaN, the left one of two zeros.
pub(crate) fn min(a: f32, b: f32) -> f32 {
    if b < a || a.is_nan() { b } else { a }
}

/// `max` of the kernel language.
pub(crate) fn max(a: f32, b: f32) -> f32 {
    if b > a || a.is_nan() { b } else { a }
}

/// The index of the best number by a full look at the data; ties go to the first, NaN loses to every number.
pub(crate) fn arg(x: &[f32], better: impl Fn(f32, f32) -> bool, empty: f32) -> (f32, u32) {
    let mut best: Option<(f32, u32)> = None;
    for (&x, i) in x.iter().zip(0..) {
        if best.is_none_or(|(b, _)| better(x, b) || b.is_nan() && !x.is_nan()) {
            best = Some((x, i));
        }
    }
    best.unwrap_or((empty, u32::MAX))
}

// ---- sameness -----------------------------------------------------------------------------------------------------------------

/// How exactly floats must agree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Precision {
    /// Units in the last place that may differ.
    pub(crate) ulps: u64,
    /// Whether a denormal may be taken for zero.
    pub(crate) flush: bool,
}

pub(crate) const EXACT: Precision = Precision { ulps: 0, flush: false };

/// Equal to the bit (two NaN are equal), or as near as the precision asks.
pub(crate) trait Same: Debug + Copy {
    fn same(&self, o: &Self, p: Precision) -> bool;
}

macro_rules! same {
    (exact: $($t:ty),+; float: $($f:ident $i:ident),+) => {
        $(impl Same for $t {
            fn same(&self, o: &Self, _: Precision) -> bool {
                self == o
            }
        })+
        $(impl Same for $f {
            fn same(&self, o: &Self, p: Precision) -> bool {
                if self.to_bits() == o.to_bits() || self.is_nan() && o.is_nan() {
                    return true;
                }
                let flush = |x: $f| if p.flush && x.is_subnormal() { 0.0 * x } else { x };
                let ordered = |x: $f| {
                    let bits = flush(x).to_bits() as $i;
                    if bits < 0 { $i::MIN - bits } else { bits }
                };
                let lax = p.ulps > 0 || p.flush;
                lax && !self.is_nan() && !o.is_nan() && ordered(*self).abs_diff(ordered(*o)) as u64 <= p.ulps
            }
        })+
    };
}
same!(exact: bool, i32, u32, i64, u64, usize, Option<usize>; float: f32 i32, f64 i64);

macro_rules! same_tuple {
    ($($t:ident $i:tt),+) => {
        impl<$($t: Same),+> Same for ($($t,)+) {
            fn same(&self, o: &Self, p: Precision) -> bool {
                $(self.$i.same(&o.$i, p))&&+
            }
        }
    };
}
same_tuple!(A 0, B 1);
same_tuple!(A 0, B 1, C 2);
same_tuple!(A 0, B 1, C 2, D 3);
same_tuple!(A 0, B 1, C 2, D 3, E 4);
same_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
same_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
same_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// Compares all elements; says how many differ and shows the first.
#[track_caller]
pub(crate) fn assert_same<T: Same>(label: impl Display, got: &[T], want: &[T], p: Precision) {
    assert_eq!(got.len(), want.len(), "{label}: length");
    let mut wrong = (0..want.len()).filter(|&i| !got[i].same(&want[i], p));
    if let Some(i) = wrong.next() {
        let more = wrong.count();
        panic!("{label}: {} of {} differ; element {i} is {:?}, expected {:?}", more + 1, want.len(), got[i], want[i]);
    }
}

// ---- values -------------------------------------------------------------------------------------------------------------------

/// SplitMix64 (Steele, Lea and Flood 2014): deterministic, and every seed is a good one.
#[derive(Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    pub(crate) fn of<T: Value>(&mut self, n: usize) -> Vec<T> {
        (0..n).map(|_| T::random(self.next())).collect()
    }
}

/// A type with random values over its whole range, and with those where things go wrong.
pub(crate) trait Value: Copy {
    fn random(bits: u64) -> Self;
    fn edges() -> Vec<Self>;
}

macro_rules! integer {
    ($($t:ident),+) => {$(
        impl Value for $t {
            fn random(bits: u64) -> Self {
                bits as $t
            }
            fn edges() -> Vec<Self> {
                let mut x = vec![$t::MIN, $t::MIN + 1, $t::MAX, $t::MAX - 1, $t::MAX / 2, $t::MAX / 2 + 1];
                x.extend((0..10).flat_map(|i| [i as $t, (i as $t).wrapping_neg()]));
                x.extend([31, 32, 33, 63, 64, 65, 0x5555, 0x1234_5678, 1 << 24, (1 << 24) + 1].map(|i: i64| i as $t));
                x
            }
        }
    )+};
}
integer!(i32, u32, i64, u64);

macro_rules! float {
    ($($t:ident),+) => {$(
        impl Value for $t {
            /// Whole numbers in -8..8, so that sums and prefixes are exact in any order.
            fn random(bits: u64) -> Self {
                (bits % 17) as $t - 8.0
            }
            fn edges() -> Vec<Self> {
                let positive = [
                    0.0, 0.25, 0.5, 0.499_999_97, 0.75, 1.0, 1.5, 2.0, 2.5, 3.5, 1e-3, 1e10, 8_388_607.5, 8_388_609.0, 2_147_483_648.0,
                    2_147_483_520.0, 4_294_967_296.0, 9.3e18, 1.9e19, $t::MAX, $t::MIN_POSITIVE, $t::MIN_POSITIVE / 4.0,
                    $t::EPSILON, $t::INFINITY,
                ];
                positive.into_iter().flat_map(|x| [x, -x]).chain([$t::NAN]).collect()
            }
        }
    )+};
}
float!(f32, f64);

/// All pairs of the edges.
pub(crate) fn pairs<T: Value>() -> (Vec<T>, Vec<T>) {
    let x = T::edges();
    x.iter().flat_map(|&a| x.iter().map(move |&b| (a, b))).unzip()
}

/// Lengths around every edge of the decomposition: vectors of 4 to 32 lanes, a tile's lanes, workgroups, tiles, links of a scan.
pub(crate) const LENGTHS: [usize; 32] = [
    0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 127, 128, 129, 1023, 1024, 1025, 4095, 4096, 4097, 7919, 8191, 8193,
    32767, 32768, 32769, 65_537, 100_003,
];
/// Fewer, where the kernel and not the decomposition is what the case is about.
pub(crate) const FEW: [usize; 6] = [0, 1, 33, 129, 4097, 10_007];
