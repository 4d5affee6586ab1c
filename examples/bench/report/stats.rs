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

/// The confidence of an interval that stands alone.
pub(crate) const CONFIDENCE: f64 = 0.95;

/// The confidence of the interval of a ratio: higher, since a comparison has hundreds of them.
pub(crate) const CONFIDENCE_OF_RATIO: f64 = 0.99;

/// Passes from which on their medians are samples enough for an interval of their own.
pub(crate) const ENOUGH_PASSES: usize = 6;

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

/// The interval of the ratio of what two runs measured, from the medians of their passes; `None` of too few passes.
///
/// Samples of one pass share the moment and the place of the data in memory, so they are no independent samples of a run: passes are. If
/// the medians of `a` passes and of `b` passes come from the same distribution but for a factor, all orders in which they can lie
/// are equally probable. How many of the `a * b` ratios lie below the factor is then the statistic of Mann and Whitney, whatever the noise looks
/// like, and the factor lies between the `d`th smallest and the `d`th greatest of them with probability `1 - 2 P(U < d)` (Hodges and
/// Lehmann 1963; Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, 3rd ed. 2014, section 4.3). Passes as the unit of
/// repetition: Kalibera and Jones, Rigorous Benchmarking in Reasonable Time, 2013.
pub(crate) fn ratio_of_passes(of: &[f64], to: &[f64]) -> Option<Interval> {
    let orders = orders(of.len(), to.len());
    let all: f64 = orders.iter().sum();
    let mut ratios: Vec<f64> = of.iter().flat_map(|of| to.iter().map(move |to| of / to)).collect();
    ratios.sort_by(f64::total_cmp);
    let (mut found, mut below) = (None, 0.0);
    for (d, ways) in orders.iter().enumerate().take(ratios.len().div_ceil(2)) {
        below += ways / all;
        let confidence = 1.0 - 2.0 * below;
        if confidence < CONFIDENCE_OF_RATIO {
            break;
        }
        found = Some(Interval { low: ratios[d], high: ratios[ratios.len() - 1 - d], confidence });
    }
    found
}

/// In how many orders of `a` and `b` values exactly `u` of the pairs have the second one before the first, for every `u`: the coefficients
/// of the Gaussian binomial.
fn orders(a: usize, b: usize) -> Vec<f64> {
    let mut ways = vec![0.0; a * b + 1];
    ways[0] = 1.0;
    for i in 1..=a {
        // Times (1 - q^(b + i)), then over (1 - q^i).
        (b + i..=a * b).rev().for_each(|u| ways[u] -= ways[u - b - i]);
        (i..=a * b).for_each(|u| ways[u] += ways[u - i]);
    }
    ways
}

/// The interval of the median of a run. From [`ENOUGH_PASSES`] on it is that of the medians of its passes. Of fewer it reaches over the intervals of
/// all passes, and knows of less than a run's noise; `None` if a pass has too few samples.
pub(crate) fn of_passes(passes: &[Vec<f64>], confidence: f64) -> Option<Interval> {
    if passes.len() >= ENOUGH_PASSES {
        return interval(&medians(passes), confidence);
    }
    let each: Option<Vec<Interval>> = passes.iter().map(|pass| interval(pass, confidence)).collect();
    each?.into_iter().reduce(|a, b| Interval {
        low: a.low.min(b.low),
        high: a.high.max(b.high),
        confidence: a.confidence.min(b.confidence),
    })
}

/// The medians of passes, least first.
pub(crate) fn medians(passes: &[Vec<f64>]) -> Vec<f64> {
    let mut medians: Vec<f64> = passes.iter().map(|pass| median(pass)).collect();
    medians.sort_by(f64::total_cmp);
    medians
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
