//! A plan in words: every candidate with its terms, why the winner won, and where that would change.

use std::fmt::{self, Display, Formatter};

use crate::machine::{Bytes, Machine, Measured};

use super::model::holder;
use super::plan::{Seconds, candidates};
use super::{Backend, Candidate, Choice, Infeasible, Prediction, Problem, Sample, Seen, choose};

/// Why a call runs where it runs. Prints for people, and as JSON ([`to_json`](Explanation::to_json)). Times are in seconds.
///
/// As text there is first what the call is, then a line for each candidate: the time that is expected, which is the sum of the terms
/// to its right corrected by what was observed, or why it cannot be. A `*` marks what runs, and a `~` a term with a rate that was
/// not measured on this machine. Then comes why it was chosen, how the work is cut, and the numbers of elements next to this one
/// with which another backend would be chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What was to be planned.
    pub problem: Problem,
    /// What was chosen, or why the backend that the caller asked for cannot be.
    pub choice: Result<Choice, Infeasible>,
    /// Why that one.
    pub why: Why,
    /// Everything that was considered.
    pub candidates: Vec<Candidate>,
    /// For each candidate its name: that of the backend, for a GPU with the adapter's.
    pub names: Vec<String>,
    /// For each candidate why it is not feasible, in full; empty where it is.
    pub reasons: Vec<String>,
    /// For each candidate where the terms of its prediction come from.
    pub origins: Vec<Origins>,
    /// How many times longer the next best candidate takes. `None` if there is no other.
    pub factor: Option<f64>,
    /// The largest smaller `n` with which another backend would be chosen.
    pub below: Option<Change>,
    /// The smallest larger `n` with which another backend would be chosen.
    pub above: Option<Change>,
    /// Seconds until a helper begins if the pool's threads are asleep.
    pub wake_cold: f64,
}

/// Why a candidate was chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Why {
    /// Its predicted time is the least.
    #[default]
    Least,
    /// It was chosen for such calls before, and no other one is clearly better.
    Kept,
    /// To see how it does: it may be better than predicted.
    Tried,
    /// A plan says so: one given with the call, or the engine's plan file.
    Planned,
}

impl Display for Why {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::Least => "least predicted time",
            Why::Kept => "kept from earlier calls, since no other is clearly better",
            Why::Tried => "tried out, to see whether it is better than predicted",
            Why::Planned => "as the given plan says",
        })
    }
}

/// Where a term of a prediction comes from. What was observed of calls like this one is no term: it corrects their sum, and is
/// [`Prediction::seen`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A rate in it is assumed of all machines of this kind.
    Prior,
    /// All its rates were measured on this machine.
    Calibrated,
}

impl Display for Origin {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::Prior => "prior",
            Origin::Calibrated => "calibrated",
        })
    }
}

/// The origin of each term of a [`Prediction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origins {
    /// Of [`Prediction::overhead`].
    pub overhead: Origin,
    /// Of [`Prediction::wake`].
    pub wake: Origin,
    /// Of [`Prediction::transfer`].
    pub transfer: Origin,
    /// Of [`Prediction::memory`].
    pub memory: Origin,
    /// Of [`Prediction::compute`].
    pub compute: Origin,
    /// Of [`Prediction::readback`].
    pub readback: Origin,
}

impl Origins {
    fn of(candidate: &Candidate, problem: &Problem, machine: &Machine) -> Origins {
        let from = |measured: bool| if measured { Origin::Calibrated } else { Origin::Prior };
        let (own, link) = match candidate.backend {
            Backend::Gpu => {
                let own = machine.gpus().get(candidate.gpu).map_or(Measured::default(), |gpu| gpu.rates.measured);
                (own, own.transfer)
            }
            Backend::Simd | Backend::Threads => {
                let link = holder(problem, machine.gpus()).map_or(Measured::default(), |gpu| gpu.rates.measured);
                (machine.rates.measured, link.transfer && link.overhead)
            }
        };
        Origins {
            overhead: from(own.overhead),
            wake: from(own.wake),
            transfer: from(link),
            memory: from(own.memory && (own.random || problem.element.bytes_random == 0.0)),
            compute: from(own.compute),
            readback: from(own.transfer),
        }
    }
}

/// Where the choice changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Number of elements.
    pub n: usize,
    /// What is chosen there.
    pub backend: Backend,
}

/// Explains what [`choose`] chooses. Never fails: a call that cannot run is explained too.
///
/// What was observed of this call is taken to hold for any number of elements; [`explain_with`] knows better. The same problem and
/// machine give the same explanation.
///
/// ```
/// use granule::machine::Machine;
/// use granule::plan::{Operation, Problem, explain};
///
/// let mut sum = Problem { n: 1 << 20, result_on_host: true, ..Problem::new(Operation::Reduce) };
/// sum.element.bytes_read = 4.0;
/// let explanation = explain(&sum, &Machine::discover(8));
/// assert!(explanation.choice.is_ok());
/// println!("{explanation}");
/// ```
pub fn explain(problem: &Problem, machine: &Machine) -> Explanation {
    explain_with(problem, machine, &|_| problem.seen)
}

/// As [`explain`], with what was observed of the same call with other numbers of elements: it decides where the choice changes.
pub fn explain_with(problem: &Problem, machine: &Machine, seen: &dyn Fn(usize) -> Seen) -> Explanation {
    let candidates = candidates(problem, machine);
    let choice = choose(problem, machine);
    let name = |c: &Candidate| match (c.backend, machine.gpus().get(c.gpu)) {
        (Backend::Threads, _) if c.prediction.is_ok() => format!("threads x{}", c.workers),
        (Backend::Gpu, Some(gpu)) => format!("gpu {} ({})", c.gpu, gpu.name),
        (backend, _) => backend.to_string(),
    };
    let reason = |c: &Candidate| c.prediction.err().map_or(String::new(), |reason| reason.describe(problem, machine));
    let factor = choice.ok().and_then(|chosen| factor(&candidates, chosen));
    let (below, above) = match choice {
        Ok(Choice { backend, .. }) => {
            let other = |n: usize| at(problem, machine, seen, n).filter(|there| *there != backend);
            (change_below(problem.n, other), change_above(problem.n, other))
        }
        Err(_) => (None, None),
    };
    Explanation {
        problem: *problem,
        choice,
        why: Why::Least,
        names: candidates.iter().map(name).collect(),
        reasons: candidates.iter().map(reason).collect(),
        origins: candidates.iter().map(|c| Origins::of(c, problem, machine)).collect(),
        candidates,
        factor,
        below,
        above,
        wake_cold: machine.rates.wake_cold,
    }
}

/// How many times longer the best of the others takes.
fn factor(candidates: &[Candidate], chosen: Choice) -> Option<f64> {
    let (mut winner, mut next) = (f64::INFINITY, f64::INFINITY);
    for c in candidates {
        let Ok(Prediction { total, .. }) = c.prediction else { continue };
        if c.is(chosen) { winner = total } else { next = next.min(total) }
    }
    (next.is_finite() && winner > 0.0 && winner.is_finite()).then(|| next / winner)
}

/// No larger `n` is asked about.
const LARGEST: usize = 1 << 36;

/// What would be chosen for `n` elements of the same kind, of which as large a part is on each side.
fn at(problem: &Problem, machine: &Machine, seen: &dyn Fn(usize) -> Seen, n: usize) -> Option<Backend> {
    let scale = n as f64 / problem.n.max(1) as f64;
    let scaled = |bytes: u64| (bytes as f64 * scale) as u64;
    let (upload_bytes, download_bytes) = (scaled(problem.upload_bytes), scaled(problem.download_bytes));
    choose(&Problem { n, upload_bytes, download_bytes, seen: seen(n), ..*problem }, machine).ok().map(|choice| choice.backend)
}

/// Goes up by half octaves, which is how finely calls are told apart, until the choice differs, then halves the interval between.
fn change_above(n: usize, other: impl Fn(usize) -> Option<Backend>) -> Option<Change> {
    let mut same = n.max(1);
    let differs = loop {
        let next = (same as f64 * std::f64::consts::SQRT_2) as usize;
        let next = next.max(same + 1);
        if next > LARGEST {
            return None;
        }
        match other(next) {
            Some(backend) => break Change { n: next, backend },
            None => same = next,
        }
    };
    Some(between(same, differs, other))
}

/// As above, downwards.
fn change_below(n: usize, other: impl Fn(usize) -> Option<Backend>) -> Option<Change> {
    let mut same = n;
    let differs = loop {
        if same == 0 {
            return None;
        }
        let next = (same as f64 * std::f64::consts::FRAC_1_SQRT_2) as usize;
        match other(next) {
            Some(backend) => break Change { n: next, backend },
            None => same = next,
        }
    };
    Some(between(same, differs, other))
}

/// The change next to where the choice is still the same.
fn between(mut same: usize, mut differs: Change, other: impl Fn(usize) -> Option<Backend>) -> Change {
    while same.abs_diff(differs.n) > 1 {
        let middle = same.midpoint(differs.n);
        match other(middle) {
            Some(backend) => differs = Change { n: middle, backend },
            None => same = middle,
        }
    }
    differs
}

/// The terms by name, in the order of the sum, with where they come from.
pub(super) fn terms(p: &Prediction, origins: &Origins) -> [(&'static str, f64, Origin); 7] {
    [
        ("overhead", p.overhead, origins.overhead),
        ("prepare", p.prepare, origins.overhead),
        ("wake", p.wake, origins.wake),
        ("transfer", p.transfer, origins.transfer),
        ("memory", p.memory, origins.memory),
        ("compute", p.compute, origins.compute),
        ("readback", p.readback, origins.readback),
    ]
}

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.headline(f)?;
        self.table(f)?;
        self.loops(f)?;
        let choice = match self.choice {
            Ok(choice) => choice,
            Err(reason) => {
                let full = self.candidates.iter().zip(&self.reasons).find(|(c, _)| c.prediction == Err(reason));
                return writeln!(f, "nothing can run it: {}", full.map_or(&reason.to_string(), |(_, full)| full));
            }
        };
        write!(f, "chosen: {choice}")?;
        match (self.problem.pinned, self.factor) {
            (Some(_), _) => writeln!(f, ", since the call is pinned to it")?,
            (None, factor) if self.why != Why::Least => {
                let factor = factor.map_or(String::new(), |factor| format!("; the next best takes {factor:.2} times its time"));
                writeln!(f, ", {}{factor}", self.why)?
            }
            (None, Some(factor)) => writeln!(f, ", {factor:.2} times as fast as the next best")?,
            (None, None) => writeln!(f, ", the only candidate")?,
        }
        if let Choice { backend: Backend::Threads, grain, workers, .. } = choice {
            let chunks = self.problem.n.div_ceil(grain);
            let each = chunks as f64 / workers as f64;
            writeln!(f, "grain: {chunks} chunks of {grain} elements, {each:.1} for each worker")?;
            writeln!(f, "if the pool sleeps, helpers join after {}; the caller works meanwhile", Seconds(self.wake_cold))?;
        }
        if let Some(Change { n, backend }) = self.below {
            writeln!(f, "at {n} elements and fewer: {backend}")?;
        }
        if let Some(Change { n, backend }) = self.above {
            writeln!(f, "from {n} elements on: {backend}")?;
        }
        Ok(())
    }
}

impl Explanation {
    /// The same, where this is what runs.
    pub(crate) fn of_choice(mut self, choice: Choice, why: Why) -> Self {
        if self.choice.is_ok() {
            (self.choice, self.why, self.factor) = (Ok(choice), why, factor(&self.candidates, choice));
        }
        self
    }

    fn headline(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Problem { operation, n, element, combine, upload_bytes, download_bytes, .. } = self.problem;
        write!(f, "{operation} of {n} elements: reads {} in order", Bytes(f64::from(element.bytes_read) * n as f64))?;
        if element.bytes_random > 0.0 {
            write!(f, " and {} at random", Bytes(f64::from(element.bytes_random) * n as f64))?;
        }
        let result = Bytes(self.problem.result_bytes());
        write!(f, ", result {result}, {:.1} operations an element", element.ops.total() + combine.ops.total())?;
        if upload_bytes > 0 {
            write!(f, "; {} not on the GPU", Bytes(upload_bytes as f64))?;
        }
        if download_bytes > 0 {
            write!(f, "; {} only on the GPU", Bytes(download_bytes as f64))?;
        }
        writeln!(f, "{}", if self.problem.result_on_host { "; the host needs the result" } else { "" })
    }

    /// A candidate a line and a term a column; columns without a number are left out.
    fn table(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = self.candidates.iter().zip(&self.names).zip(&self.reasons).zip(&self.origins).collect();
        let feasible = rows.iter().filter_map(|(((c, _), _), origins)| Some((c.prediction.ok()?, *origins)));
        let (mut used, mut priors, mut calibrated) = ([false; 7], false, false);
        for (p, origins) in feasible {
            for (used, (_, seconds, origin)) in used.iter_mut().zip(terms(&p, origins)) {
                *used |= seconds > 0.0;
                priors |= seconds > 0.0 && origin == Origin::Prior;
                calibrated |= seconds > 0.0 && origin == Origin::Calibrated;
            }
        }
        let width = self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let mut headed = false;
        for (((c, name), reason), origins) in rows {
            let p = match c.prediction {
                Ok(p) => p,
                Err(_) => {
                    writeln!(f, "  {name:width$}  no: {reason}")?;
                    continue;
                }
            };
            let terms = || terms(&p, origins).into_iter().zip(used).filter_map(|(term, used)| used.then_some(term));
            if !headed {
                headed = true;
                write!(f, "  {:width$}  {:>CELL$}  =", "", "time")?;
                terms().try_for_each(|(term, ..)| write!(f, "  {term:>CELL$}"))?;
                writeln!(f)?;
            }
            let mark = if self.choice.is_ok_and(|chosen| c.is(chosen)) { '*' } else { ' ' };
            write!(f, "{mark} {name:width$}  {:>CELL$}   ", Seconds(p.expected()).to_string())?;
            for (_, seconds, origin) in terms() {
                let cell = match origin {
                    _ if seconds == 0.0 => "-".to_string(),
                    Origin::Prior if calibrated => format!("~{}", Seconds(seconds)),
                    Origin::Prior | Origin::Calibrated => Seconds(seconds).to_string(),
                };
                write!(f, "  {cell:>CELL$}")?;
            }
            writeln!(f)?;
            for note in notes(&p) {
                writeln!(f, "  {:width$}  {note}", "")?;
            }
        }
        if used[4] && used[5] {
            writeln!(f, "memory and compute go on at the same time: the longer one counts")?;
        }
        match (priors, calibrated) {
            (true, true) => {
                writeln!(f, "~: a prior, assumed of machines of this kind; the other terms were measured on this one")?
            }
            (true, false) => {
                writeln!(f, "all terms are priors, assumed of machines of this kind: nothing was measured on this one")?
            }
            (false, true) => writeln!(f, "all terms were measured on this machine")?,
            (false, false) => {}
        }
        Ok(())
    }

    fn loops(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Problem { element, combine, seen, .. } = self.problem;
        match (element.loops_unknown || combine.loops_unknown, seen.iterations) {
            (false, _) => Ok(()),
            (true, 0.0) => writeln!(f, "a loop's iterations depend on data: 64 are assumed"),
            (true, known) => writeln!(f, "a loop's iterations depend on data: priced as {known:.1}, by what was measured"),
        }
    }
}

/// Width of a cell of the table.
const CELL: usize = 8;

/// What is to be said of a candidate besides its terms, a line each.
fn notes(p: &Prediction) -> Vec<String> {
    let Sample { ratio, count } = p.seen;
    let mut notes = Vec::new();
    match count {
        0 if ratio == 1.0 => {}
        0 => notes.push(format!("x{ratio:.2}, assumed from other backends or sizes")),
        1 => notes.push(format!("observed once: x{ratio:.2} of the model")),
        _ => notes.push(format!("observed {count} times: x{ratio:.2} of the model")),
    }
    if p.paid > 0.0 {
        let (total, paid) = (Seconds(p.total), Seconds(p.paid));
        notes.push(format!("compared as {total}: calls before this one lost {paid} because the data was not moved"));
    }
    notes
}
