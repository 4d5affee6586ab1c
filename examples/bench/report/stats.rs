//! Medians, how well samples know them, and ratios of them.

/// Between which figures a median lies, and how surely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    /// Lower end.
    pub(crate) low: f64,
    /// Upper end.
    pub(crate) high: f64,
    /// The probability that an interval made like this one holds the true median.
    pub(crate) confidence: f64,
}

/// The confidence of an interval that stands alone, and at the least that of a ratio's.
pub(crate) const CONFIDENCE: f64 = 0.95;

/// The fewest samples on both sides from which a ratio has an interval.
pub(crate) const FEWEST_FOR_RATIO: usize = 7;

/// The value in the middle of sorted samples; NaN of none.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    match sorted.len() {
        0 => f64::NAN,
        n => (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0,
    }
}

/// The narrowest interval between two order statistics, as far from the one end as from the other, that holds the median of
/// whatever the samples were drawn from with at least this confidence; `None` of too few samples.
///
/// The number of samples below the median is binomial with probability 1/2, whatever the distribution, so the interval from the
/// `j`th smallest to the `j`th largest of `n` samples misses it with probability `2 P(B(n, 1/2) < j)` (Conover: Practical
/// Nonparametric Statistics, 3rd ed. 1999, section 3.2). Nothing is assumed of the noise but that samples are independent.
pub(crate) fn interval(sorted: &[f64], confidence: f64) -> Option<Interval> {
    let n = sorted.len();
    let mut found = None;
    // ln C(n, j - 1), and the probability that fewer than j samples lie below.
    let (mut ln_choose, mut below) = (0.0, 0.0);
    for j in 1..=n / 2 {
        below += (ln_choose - n as f64 * std::f64::consts::LN_2).exp();
        let covered = 1.0 - 2.0 * below;
        if covered < confidence {
            break;
        }
        found = Some(Interval { low: sorted[j - 1], high: sorted[n - j], confidence: covered });
        ln_choose += ((n - j + 1) as f64 / j as f64).ln();
    }
    found
}

/// The confidence of each of two intervals that a ratio is made of.
pub(crate) const HALF: f64 = 1.0 - (1.0 - CONFIDENCE) / 2.0;

/// The interval of the ratio of two medians, at [`CONFIDENCE`] or more. Both medians have an interval at [`HALF`], so that each gets half of
/// the permitted error (Bonferroni), and the ratio the least and the greatest that the two allow. With fewer samples than
/// [`FEWEST_FOR_RATIO`] on a side there is none.
pub(crate) fn ratio_of(of: Interval, to: Interval) -> Interval {
    let confidence = 1.0 - (1.0 - of.confidence) - (1.0 - to.confidence);
    Interval { low: of.low / to.high, high: of.high / to.low, confidence }
}

/// What reaches over the intervals of several passes. Samples of one pass share the moment; passes lie far apart, so what changes between
/// them is in it. `None` if a pass has too few samples.
pub(crate) fn over_passes(passes: &[Vec<f64>], confidence: f64) -> Option<Interval> {
    let each: Option<Vec<Interval>> = passes.iter().map(|pass| interval(pass, confidence)).collect();
    each?.into_iter().reduce(|a, b| Interval {
        low: a.low.min(b.low),
        high: a.high.max(b.high),
        confidence: a.confidence.min(b.confidence),
    })
}

/// The geometric mean; `None` of none.
pub(crate) fn geomean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for value in values {
        sum += value.ln();
        count += 1;
    }
    (count > 0).then(|| (sum / f64::from(count)).exp())
}
