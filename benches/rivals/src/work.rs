//! The work: the benchmark's data, and what must come out of it.

use crate::oracle;
use crate::stage::Arithmetic;

/// Operations and types, by the benchmark's names.
pub(crate) const WORKS: [(&str, &str); 9] = [
    ("triad", "f32"),
    ("dot", "f32"),
    ("reduce_sum", "f32"),
    ("reduce_sum", "u32"),
    ("scan_inclusive_sum", "u32"),
    ("histogram", "u32"),
    ("filter", "u32"),
    ("sort_keys", "u32"),
    ("sort_pairs", "u32"),
];

/// Where the data is: end to end in host memory, or resident on the GPU.
pub(crate) const RESIDENCIES: [&str; 2] = ["host", "gpu"];

/// BabelStream's scalar.
pub(crate) const SCALAR: f32 = 0.4;
/// Keys below are kept by the filter.
pub(crate) const LIMIT: u32 = 1 << 31;
/// Of a histogram.
pub(crate) const BINS: usize = 256;

/// An operation on so many elements. Of its inputs those of one type have elements.
pub(crate) struct Work {
    pub(crate) op: &'static str,
    pub(crate) ty: &'static str,
    pub(crate) n: usize,
    pub(crate) x: Vec<f32>,
    pub(crate) y: Vec<f32>,
    pub(crate) keys: Vec<u32>,
    pub(crate) values: Vec<u32>,
}

impl Work {
    pub(crate) fn new(op: &'static str, ty: &'static str, n: usize) -> Work {
        let mut work = Work { op, ty, n, x: Vec::new(), y: Vec::new(), keys: Vec::new(), values: Vec::new() };
        match (op, ty) {
            (_, "f32") => (work.x, work.y) = (oracle::floats(n, 1), oracle::floats(n, 2)),
            ("histogram", _) => work.keys = oracle::bins(n),
            ("sort_keys" | "sort_pairs" | "filter", _) => (work.keys, work.values) = (oracle::keys(n, 1), oracle::keys(n, 2)),
            _ => work.keys = oracle::integers(n, 1),
        }
        work
    }

    /// Number of words that come out.
    pub(crate) fn outputs(&self) -> usize {
        match self.op {
            "dot" | "reduce_sum" => 1,
            "histogram" => BINS,
            "sort_pairs" => 2 * self.n,
            _ => self.n,
        }
    }

    /// Whether this is the answer, in words. Orders of additions differ, so sums of floats have the bound of a running sum; a product and
    /// a sum may have been fused.
    pub(crate) fn check(&self, answer: &[u32]) -> Result<(), String> {
        let float = |words: &[u32]| words.first().map_or(f32::NAN, |word| f32::from_bits(*word));
        let (x, y, n) = (&self.x, &self.y, self.n);
        match (self.op, self.ty) {
            ("triad", _) => {
                let floats: Vec<f32> = answer.iter().map(|word| f32::from_bits(*word)).collect();
                if floats.len() != n {
                    return Err(format!("{} elements instead of {n}", floats.len()));
                }
                let slack = |i: usize| f64::from(f32::EPSILON) * (f64::from(x[i]).abs() + f64::from(y[i]).abs());
                oracle::floats_are(|i| x[i] + SCALAR * y[i], slack)(&floats, Arithmetic::Gpu)
            }
            ("dot", _) => {
                let terms = x.iter().zip(y).map(|(&x, &y)| f64::from(x) * f64::from(y));
                oracle::sum_of(n, terms)(float(answer), Arithmetic::Running)
            }
            ("reduce_sum", "f32") => oracle::sum_of(n, x.iter().map(|&x| f64::from(x)))(float(answer), Arithmetic::Running),
            ("reduce_sum", _) => equal(answer, &[self.keys.iter().sum()]),
            ("scan_inclusive_sum", _) => {
                let sums = self.keys.iter().scan(0_u32, |sum, key| {
                    *sum = sum.wrapping_add(*key);
                    Some(*sum)
                });
                equal(answer, &sums.collect::<Vec<_>>())
            }
            ("histogram", _) => {
                let mut counts = vec![0; BINS];
                self.keys.iter().for_each(|key| counts[*key as usize] += 1);
                equal(answer, &counts)
            }
            ("filter", _) => equal(answer, &self.keys.iter().copied().filter(|key| *key < LIMIT).collect::<Vec<_>>()),
            ("sort_keys", _) => {
                let mut keys = self.keys.clone();
                keys.sort_unstable();
                equal(answer, &keys)
            }
            ("sort_pairs", _) => {
                let (keys, values) = oracle::sorted_pairs(&self.keys, &self.values);
                equal(answer, &[keys, values].concat())
            }
            (other, _) => unreachable!("{other} is no work"),
        }
    }
}

fn equal(got: &[u32], want: &[u32]) -> Result<(), String> {
    if got.len() != want.len() {
        return Err(format!("{} words instead of {}", got.len(), want.len()));
    }
    match got.iter().zip(want).position(|(got, want)| got != want) {
        None => Ok(()),
        Some(i) => Err(format!("word {i} is {}, not {}", got[i], want[i])),
    }
}
