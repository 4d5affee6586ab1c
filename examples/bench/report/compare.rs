//! Records beside each other: ratios of medians, with intervals, and what is slower beyond doubt.

use std::collections::HashMap;

use super::chart::{Ratio, forest};
use super::data::{Case, Record};
use super::html::{self, describe, escape, number, put};
use super::stats::{self, CONFIDENCE_OF_RATIO, Interval};
use super::words::{digits, duration, size};

/// A case that both records have.
#[derive(Debug)]
pub(crate) struct Pair<'r> {
    /// In the first record.
    pub(crate) base: &'r Case,
    /// In the other one.
    pub(crate) other: &'r Case,
    /// Median of the other over that of the first: above 1, the other is slower.
    pub(crate) ratio: f64,
    /// Of the ratio; `None` if there are too few passes.
    pub(crate) interval: Option<Interval>,
    /// What the machine does to others there.
    pub(crate) drift: Drift,
}

/// How far peers of a size and place are faster, and slower, beyond doubt. They are the same program in both records, so it is the machine, and
/// what it does to one it may do to another. If a case of the library is no other than those of `m` peers, its interval lies farther from 1 than
/// all of theirs with probability `1 / (m + 1)` at most, on either side (conformal prediction: Vovk, Gammerman, Shafer, Algorithmic Learning
/// in a Random World, 2005; Romano, Patterson, Candes, Conformalized Quantile Regression, 2019).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Drift {
    /// The least upper end of an interval, if that is below 1, or else 1.
    pub(crate) faster: f64,
    /// The greatest lower end of an interval, if that is above 1, or else 1.
    pub(crate) slower: f64,
}

impl Drift {
    /// None, as far as is known.
    const NONE: Drift = Drift { faster: 1.0, slower: 1.0 };

    /// With one more peer, whose ratio lies there.
    fn with(self, peer: Interval) -> Drift {
        Drift { faster: self.faster.min(peer.high), slower: self.slower.max(peer.low) }
    }
}

/// What a ratio means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The answer became wrong.
    Wrong,
    /// Slower by more than the threshold: the whole interval is beyond it.
    Slower,
    /// Faster by more than the threshold.
    Faster,
    /// Beyond the threshold, but not by more than a peer is: it may be the machine.
    Machine,
    /// The whole interval is within the threshold.
    Same,
    /// The interval reaches over the threshold.
    Unsure,
    /// There are too few passes to say.
    Unknown,
}

impl Verdict {
    fn text(self) -> &'static str {
        match self {
            Verdict::Wrong => "WRONG ANSWER",
            Verdict::Slower => "SLOWER",
            Verdict::Faster => "faster",
            Verdict::Machine => "as its peers",
            Verdict::Same => "the same",
            Verdict::Unsure => "not sure",
            Verdict::Unknown => "too few passes",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Verdict::Wrong | Verdict::Slower => "slower",
            Verdict::Faster => "faster",
            Verdict::Machine | Verdict::Same | Verdict::Unsure | Verdict::Unknown => "same",
        }
    }
}

/// A record against the first one.
#[derive(Debug)]
pub(crate) struct Comparison<'r> {
    /// The first record.
    pub(crate) base: &'r Record,
    /// The other one.
    pub(crate) other: &'r Record,
    /// What both have, in the order of the first.
    pub(crate) pairs: Vec<Pair<'r>>,
    /// What only one has.
    pub(crate) lonely: Vec<(&'r Record, &'r Case)>,
    /// From which part on a difference counts: 0.05 is 5%.
    pub(crate) threshold: f64,
}

impl<'r> Pair<'r> {
    fn of(base: &'r Case, other: &'r Case) -> Pair<'r> {
        let ratio = other.median / base.median;
        let interval = stats::ratio_of_passes(&stats::medians(&other.passes), &stats::medians(&base.passes));
        // The medians of all samples need not lie between those of the passes' middle ones.
        let interval = interval.map(|i| Interval { low: i.low.min(ratio), high: i.high.max(ratio), ..i });
        Pair { base, other, ratio, interval, drift: Drift::NONE }
    }

    /// What the machine does to one it does to the others there as well.
    fn place(&self) -> (u64, &'r str) {
        (self.base.n, &self.base.residency)
    }

    /// Whether it is no part of the library.
    fn is_peer(&self) -> bool {
        self.base.backend.starts_with("peer:")
    }

    /// What it means, at this threshold. Being faster by 5% is taking 1/1.05 of the time.
    pub(crate) fn verdict(&self, threshold: f64) -> Verdict {
        let (up, down) = (1.0 + threshold, 1.0 / (1.0 + threshold));
        match self.interval {
            _ if !self.other.verified => Verdict::Wrong,
            None => Verdict::Unknown,
            Some(interval) if interval.low > up * self.drift.slower => Verdict::Slower,
            Some(interval) if interval.high < down * self.drift.faster => Verdict::Faster,
            Some(interval) if interval.low > up || interval.high < down => Verdict::Machine,
            Some(interval) if interval.low >= down && interval.high <= up => Verdict::Same,
            Some(_) => Verdict::Unsure,
        }
    }
}

/// What peers tell, at each size and place that has some.
fn drifts<'r>(pairs: &[Pair<'r>]) -> HashMap<(u64, &'r str), Drift> {
    let mut drifts = HashMap::new();
    for pair in pairs.iter().filter(|pair| pair.is_peer()) {
        let known = drifts.entry(pair.place()).or_insert(Drift::NONE);
        *known = pair.interval.map_or(*known, |interval| known.with(interval));
    }
    drifts
}

impl<'r> Comparison<'r> {
    /// Puts the records beside each other.
    pub(crate) fn of(base: &'r Record, other: &'r Record, threshold: f64) -> Comparison<'r> {
        let index = |record: &'r Record| -> HashMap<_, &'r Case> { record.cases.iter().map(|c| (c.key(), c)).collect() };
        let (in_base, in_other) = (index(base), index(other));
        let (mut pairs, mut lonely) = (Vec::new(), Vec::new());
        for case in &base.cases {
            match in_other.get(&case.key()) {
                // What was wrong in the first has no time to compare with.
                Some(other) if case.verified => pairs.push(Pair::of(case, other)),
                Some(_) => {}
                None => lonely.push((base, case)),
            }
        }
        lonely.extend(other.cases.iter().filter(|case| !in_base.contains_key(&case.key())).map(|case| (other, case)));
        // Between two machines a ratio is no sign of a change in the library, and what the machines are is the question.
        let drifts = if base.cpu == other.cpu { drifts(&pairs) } else { HashMap::new() };
        for pair in pairs.iter_mut().filter(|pair| !pair.is_peer()) {
            pair.drift = drifts.get(&pair.place()).copied().unwrap_or(Drift::NONE);
        }
        Comparison { base, other, pairs, lonely, threshold }
    }

    /// Those with this verdict, the greatest ratio first.
    pub(crate) fn with(&self, verdict: Verdict) -> Vec<&Pair<'r>> {
        let mut found: Vec<_> = self.pairs.iter().filter(|pair| pair.verdict(self.threshold) == verdict).collect();
        found.sort_by(|a, b| b.ratio.total_cmp(&a.ratio));
        found
    }

    /// Whether something of the library is slower beyond the threshold, or wrong. Where a peer is slower, the machine is.
    pub(crate) fn regressed(&self) -> bool {
        let mut own = self.pairs.iter().filter(|pair| !pair.is_peer());
        own.any(|pair| matches!(pair.verdict(self.threshold), Verdict::Slower | Verdict::Wrong))
    }

    /// The geometric mean of the ratios, of peers or of the library.
    fn mean(&self, peers: bool) -> String {
        let ratios = self.pairs.iter().filter(|pair| pair.is_peer() == peers).map(|pair| pair.ratio);
        stats::geomean(ratios.filter(|ratio| ratio.is_finite())).map_or("–".to_owned(), digits)
    }

    /// In a few sentences.
    fn summary(&self) -> String {
        let count = |verdict, peers| self.with(verdict).iter().filter(|pair| pair.is_peer() == peers).count();
        let own = |verdict| count(verdict, false);
        let wrong = match own(Verdict::Wrong) {
            0 => String::new(),
            wrong => format!(", {wrong} with wrong answers"),
        };
        let peers = self.pairs.iter().filter(|pair| pair.is_peer()).count();
        format!(
            "{} cases of the library in both: {} slower and {} faster by more than {}%, {} no more than a peer is, {} the same, {} not sure, \
             {} with too few passes{wrong}; geometric mean of the ratios {}. {peers} of peers: {} slower, {} faster; geometric mean {}.{} {} \
             in one record only",
            self.pairs.len() - peers,
            own(Verdict::Slower),
            own(Verdict::Faster),
            (self.threshold * 1000.0).round() / 10.0,
            own(Verdict::Machine),
            own(Verdict::Same),
            own(Verdict::Unsure),
            own(Verdict::Unknown),
            self.mean(false),
            count(Verdict::Slower, true),
            count(Verdict::Faster, true),
            self.mean(true),
            self.sharpness(),
            self.lonely.len(),
        )
    }

    /// How far the library's intervals reach: what is slower by less than that cannot be found.
    fn sharpness(&self) -> String {
        let own = self.pairs.iter().filter(|pair| !pair.is_peer());
        let mut reach: Vec<f64> = own.filter_map(|pair| Some(pair.ratio / pair.interval?.low - 1.0)).collect();
        reach.sort_by(f64::total_cmp);
        match reach.len() {
            0 => String::new(),
            n => format!(
                " A tenth of the library's intervals reach less than {}% below the ratio, half of them less than {}%.",
                digits(100.0 * reach[n / 10]),
                digits(100.0 * stats::median(&reach))
            ),
        }
    }

    /// As text for a terminal.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{} against {}\n", self.other.name, self.base.name);
        put(
            &mut text,
            format_args!("{:<52} {:>11} {:>11} {:>7}  {:<16} verdict\n", "case", "first", "other", "ratio", "interval"),
        );
        for pair in &self.pairs {
            let interval = pair.interval.map_or("–".to_owned(), |i| format!("{} to {}", digits(i.low), digits(i.high)));
            put(
                &mut text,
                format_args!(
                    "{:<52} {:>11} {:>11} {:>7}  {interval:<16} {}\n",
                    describe(pair.base),
                    duration(pair.base.median),
                    duration(pair.other.median),
                    digits(pair.ratio),
                    pair.verdict(self.threshold).text()
                ),
            );
        }
        for (record, case) in &self.lonely {
            put(&mut text, format_args!("{:<52} only in {}\n", describe(case), record.name));
        }
        for record in [self.base, self.other] {
            record.notes.iter().for_each(|note| put(&mut text, format_args!("{}: {note}\n", record.name)));
        }
        put(&mut text, format_args!("{}\n", self.summary()));
        text
    }

    /// A section of the page.
    fn section(&self, html: &mut String, index: usize) {
        put(html, format_args!("<section><h2>{}</h2>\n", escape(&format!("{} against {}", self.other.name, self.base.name))));
        put(html, format_args!("<p>{}.</p>\n<ul>", escape(&self.summary())));
        for record in [self.base, self.other] {
            let say = |note: &String| put(html, format_args!("<li>{}</li>", escape(&format!("{}: {note}", record.name))));
            record.notes.iter().for_each(say);
        }
        html.push_str("</ul>\n");
        let (slower, faster) = (self.with(Verdict::Slower), self.with(Verdict::Faster));
        let shown: Vec<Ratio> = slower
            .iter()
            .take(SHOWN)
            .chain(faster.iter().skip(faster.len().saturating_sub(SHOWN)))
            .filter_map(|pair| {
                let Interval { low, high, .. } = pair.interval?;
                let (case, class) = (pair.base, pair.verdict(self.threshold).class());
                let who = case.backend.strip_prefix("peer:").unwrap_or(&case.backend);
                let name = format!("{} {} {} {} {who}", case.op, case.ty, size(case.n), case.residency);
                Some(Ratio { name, at: pair.ratio, low, high, class })
            })
            .collect();
        if !shown.is_empty() {
            let all = slower.len() + faster.len();
            let what = if shown.len() < all { format!(": the greatest of {all}") } else { String::new() };
            let title = format!("Ratios beyond the threshold, with intervals{what}");
            let chart = forest(&format!("forest-{index}"), &title, &self.summary(), &shown, self.threshold);
            put(
                html,
                format_args!(
                    "<figure><figcaption><strong>{title}</strong><br><small>to the right: slower than the first \
                     record. The band is the threshold.</small></figcaption>{chart}</figure>\n"
                ),
            );
        }
        html::sortable_table(
            html,
            &["operation", "type", "elements", "data on", "who", "first", "other", "ratio", "interval", "verdict"],
        );
        for pair in &self.pairs {
            let case = pair.base;
            let verdict = pair.verdict(self.threshold);
            put(
                html,
                format_args!("<tr class=\"{}\"><td>{}</td><td>{}</td>", verdict.class(), escape(&case.op), escape(&case.ty)),
            );
            number(html, case.n as f64, &size(case.n));
            put(html, format_args!("<td>{}</td><td>{}</td>", escape(&case.residency), escape(&case.backend)));
            number(html, case.median, &duration(case.median));
            number(html, pair.other.median, &duration(pair.other.median));
            number(html, pair.ratio, &digits(pair.ratio));
            match pair.interval {
                Some(i) => number(html, i.low, &format!("{} to {}", digits(i.low), digits(i.high))),
                None => number(html, f64::NAN, "–"),
            }
            put(html, format_args!("<td>{}</td></tr>\n", verdict.text()));
        }
        html.push_str(html::TABLE_END);
        if !self.lonely.is_empty() {
            put(html, format_args!("<details><summary>{} cases that only one record has</summary><ul>\n", self.lonely.len()));
            for (record, case) in &self.lonely {
                put(html, format_args!("<li>{}: only in {}</li>\n", escape(&describe(case)), escape(&record.name)));
            }
            html.push_str("</ul></details>\n");
        }
        html.push_str("</section>\n");
    }
}

/// So many ratios are drawn at most, on either side.
const SHOWN: usize = 20;

/// How the figures come about, for the end of text and page.
pub(crate) fn method() -> String {
    format!(
        "A ratio is the median of the other record over that of the first: above 1 is slower. Its interval holds the true ratio with \
         {:.0}%: it is that of Hodges and Lehmann, of the medians of the passes of both runs, which lie some time apart and each have \
         data of their own. Five passes a side are needed. What differs between runs and not within one (another temperature, other \
         neighbours) no interval knows, but peers do: plain iterators and rayon do not change from version to version. So the library is \
         slower where the whole interval lies above the threshold times the greatest lower end of a peer's interval on as many elements. \
         Of hundreds of cases one may still be called slower or faster by chance.",
        CONFIDENCE_OF_RATIO * 100.0
    )
}

/// The page of several comparisons with one first record.
pub(crate) fn page(comparisons: &[Comparison<'_>]) -> String {
    let mut records: Vec<&Record> = comparisons.iter().take(1).map(|comparison| comparison.base).collect();
    records.extend(comparisons.iter().map(|comparison| comparison.other));
    let mut html = String::new();
    for (index, comparison) in comparisons.iter().enumerate() {
        comparison.section(&mut html, index);
    }
    put(&mut html, format_args!("<p class=\"note\">{}</p>\n", escape(&method())));
    html::machine(&mut html, &records);
    html::download(&mut html, &records);
    html::page("Records compared", &records, &html)
}
