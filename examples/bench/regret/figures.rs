//! Regret, and what else the samples of a sweep say. Arithmetic on plain data: no clock, no engine.
//!
//! The regret of a case is the time of the library's choice over that of the fastest backend. The fastest of several noisy figures
//! is too low if it is both picked and timed by the same samples, so the rounds are halved (even, odd): each half picks its fastest
//! backend, and the other half says how long that one takes.

use serde_json::{Value, json};

use crate::report::stats::{self, Interval};

/// Who takes part: the library's choice, then the backends that a call can be pinned to.
pub(crate) const NAMES: [&str; 4] = ["auto", "simd", "threads", "gpu"];
/// The library's choice.
pub(crate) const AUTO: usize = 0;
/// Pinned to one core.
pub(crate) const SIMD: usize = 1;
/// Pinned to all cores.
pub(crate) const THREADS: usize = 2;
/// Pinned to the GPU.
pub(crate) const GPU: usize = 3;
/// What competes with the library's choice.
const BACKENDS: [usize; 3] = [SIMD, THREADS, GPU];

/// An operation at one size with its data in one place, as everybody did it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    /// Operation.
    pub(crate) op: &'static str,
    /// Number of elements.
    pub(crate) n: usize,
    /// Where the data was: `host` or `gpu`.
    pub(crate) residency: &'static str,
    /// The backend that the library chose, most of the time.
    pub(crate) chose: &'static str,
    /// For each of [`NAMES`] the seconds of a call, round by round. Empty: it cannot run this.
    pub(crate) seconds: [Vec<f64>; 4],
    /// Whether all answers were right.
    pub(crate) verified: bool,
}

impl Case {
    /// The medians of the even and of the odd rounds, if there are both.
    fn halves(&self, who: usize) -> Option<[f64; 2]> {
        let seconds = &self.seconds[who];
        let half = |from: usize| median(seconds.iter().copied().skip(from).step_by(2).collect());
        (seconds.len() >= 2).then(|| [half(0), half(1)])
    }

    /// Seconds of a call: the geometric mean of the two halves' medians.
    pub(crate) fn time(&self, who: usize) -> Option<f64> {
        self.halves(who).map(|[even, odd]| (even * odd).sqrt())
    }

    /// Seconds of the fastest sample.
    pub(crate) fn least(&self, who: usize) -> Option<f64> {
        self.seconds[who].iter().copied().min_by(f64::total_cmp)
    }

    /// Seconds of a call on the fastest backend: that which one half picks, as the other half times it.
    pub(crate) fn best(&self) -> Option<f64> {
        let picked = |half: usize| {
            let all = BACKENDS.into_iter().filter_map(|who| self.halves(who));
            all.min_by(|a, b| a[half].total_cmp(&b[half]))
        };
        Some((picked(0)?[1] * picked(1)?[0]).sqrt())
    }

    /// The backend with the least [`time`](Case::time).
    pub(crate) fn best_backend(&self) -> Option<usize> {
        let times = BACKENDS.into_iter().filter_map(|who| self.time(who).map(|time| (who, time)));
        times.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(who, _)| who)
    }

    /// How many times as long as on the fastest backend it takes there.
    pub(crate) fn regret(&self, who: usize) -> Option<f64> {
        Some(self.time(who)? / self.best()?)
    }

    /// Of the choice's time over that of the fastest backend, round by round: what disturbs a round disturbs both. `None` of too few
    /// rounds.
    pub(crate) fn interval(&self) -> Option<Interval> {
        let (auto, best) = (&self.seconds[AUTO], &self.seconds[self.best_backend()?]);
        let mut ratios: Vec<f64> = auto.iter().zip(best).map(|(auto, best)| auto / best).collect();
        ratios.sort_by(f64::total_cmp);
        stats::interval(&ratios, stats::CONFIDENCE)
    }

    /// The case as records have it.
    pub(crate) fn to_json(&self) -> Value {
        let name = |who: Option<usize>| who.map(|who| NAMES[who]);
        let each = |time: &dyn Fn(usize) -> Option<f64>| {
            let present = (0..NAMES.len()).filter_map(|who| time(who).map(|time| (NAMES[who].to_owned(), json!(time))));
            Value::Object(present.collect())
        };
        json!({
            "op": self.op,
            "type": "f32",
            "n": self.n,
            "residency": self.residency,
            "auto": self.time(AUTO),
            "best": self.best(),
            "best_backend": name(self.best_backend()),
            "chose": self.chose,
            "regret": self.regret(AUTO),
            "regret_interval": self.interval().map(|interval| [interval.low, interval.high]),
            "median": each(&|who| self.time(who)),
            "least": each(&|who| self.least(who)),
            "rounds": self.seconds[AUTO].len(),
            "verified": self.verified,
        })
    }
}

/// What many cases' regrets are together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// Geometric mean.
    pub(crate) geomean: f64,
    /// Nineteen of twenty are no larger.
    pub(crate) p95: f64,
    /// The largest.
    pub(crate) max: f64,
}

impl Spread {
    /// Of these; `None` of none.
    pub(crate) fn of(regrets: impl Iterator<Item = f64>) -> Option<Spread> {
        let mut sorted: Vec<f64> = regrets.collect();
        sorted.sort_by(f64::total_cmp);
        let max = *sorted.last()?;
        let geomean = (sorted.iter().map(|r| r.ln()).sum::<f64>() / sorted.len() as f64).exp();
        let p95 = sorted[(sorted.len() * 95).div_ceil(100) - 1];
        Some(Spread { geomean, p95, max })
    }

    /// As records have it.
    pub(crate) fn to_json(self) -> Value {
        json!({ "geomean": self.geomean, "p95": self.p95, "max": self.max })
    }
}

/// A rule that knows the number of elements only: one core below the first threshold, all cores from there on, the GPU from the
/// second on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rule {
    /// First size on all cores; `usize::MAX`: none.
    pub(crate) threads_from: usize,
    /// First size on the GPU; `usize::MAX`: none.
    pub(crate) gpu_from: usize,
}

impl Rule {
    /// What the rule's choice costs; a backend that cannot run the case is replaced by the one before it.
    fn regret(self, case: &Case) -> Option<f64> {
        let chosen = match case.n {
            n if n >= self.gpu_from => GPU,
            n if n >= self.threads_from => THREADS,
            _ => SIMD,
        };
        (SIMD..=chosen).rev().find_map(|who| case.regret(who))
    }

    /// The thresholds with the least mean regret on these very cases: better than any that could be known beforehand.
    pub(crate) fn best(cases: &[Case], with_gpu: bool) -> Option<(Rule, Spread)> {
        let mut steps: Vec<usize> = cases.iter().map(|case| case.n).chain([usize::MAX]).collect();
        steps.sort_unstable();
        steps.dedup();
        let gpu_steps = if with_gpu { &steps[..] } else { &[usize::MAX] };
        let mut best = None;
        for &gpu_from in gpu_steps {
            for &threads_from in steps.iter().filter(|&&n| n <= gpu_from) {
                let rule = Rule { threads_from, gpu_from };
                let Some(spread) = Spread::of(cases.iter().filter_map(|case| rule.regret(case))) else { continue };
                if best.is_none_or(|(_, least): (Rule, Spread)| spread.geomean < least.geomean) {
                    best = Some((rule, spread));
                }
            }
        }
        best
    }
}

/// What a sweep shows.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    /// The library's choices.
    pub(crate) auto: Spread,
    /// Always the same backend; `None` where it can run no case. Cases that it cannot run are left out.
    pub(crate) always: [(&'static str, Option<Spread>); 3],
    /// The best single threshold, without and with a second one for the GPU.
    pub(crate) rules: [Option<(Rule, Spread)>; 2],
    /// First calls of a process.
    pub(crate) cold: Option<Spread>,
    /// The first few calls of a process.
    pub(crate) cold_few: Option<Spread>,
    /// What a decision takes, in nanoseconds.
    pub(crate) decision_ns: f64,
}

impl Summary {
    /// Of a sweep. `None` if nothing was measured.
    pub(crate) fn of(cases: &[Case], cold: &[Case], cold_few: &[Case], decision_ns: f64) -> Option<Summary> {
        let spread = |cases: &[Case], who| Spread::of(cases.iter().filter_map(|case| case.regret(who)));
        let has_gpu = spread(cases, GPU).is_some();
        Some(Summary {
            auto: spread(cases, AUTO)?,
            always: BACKENDS.map(|who| (NAMES[who], spread(cases, who))),
            rules: [Rule::best(cases, false), Rule::best(cases, true).filter(|_| has_gpu)],
            cold: spread(cold, AUTO),
            cold_few: spread(cold_few, AUTO),
            decision_ns,
        })
    }

    /// As records have it.
    pub(crate) fn to_json(&self) -> Value {
        let size = |n: usize| if n == usize::MAX { Value::Null } else { json!(n) };
        let rule = |rule: Option<(Rule, Spread)>| {
            rule.map(|(rule, spread)| {
                let mut value = spread.to_json();
                value["threads_from"] = size(rule.threads_from);
                value["gpu_from"] = size(rule.gpu_from);
                value
            })
        };
        let mut regret = self.auto.to_json();
        regret["cold_geomean"] = json!(self.cold.map(|spread| spread.geomean));
        regret["cold_few_geomean"] = json!(self.cold_few.map(|spread| spread.geomean));
        regret["decision_ns"] = json!(self.decision_ns);
        for (name, spread) in self.always {
            regret[format!("always_{name}")] = json!(spread.map(Spread::to_json));
        }
        regret["threshold"] = json!(rule(self.rules[0]));
        regret["threshold_with_gpu"] = json!(rule(self.rules[1]));
        regret
    }
}

/// The value in the middle; NaN of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    }
}
