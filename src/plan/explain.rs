//! A plan in words: every candidate with its terms, why the winner won, and where that would change.

use std::fmt::{self, Display, Formatter};

use crate::machine::{Bytes, Machine};

use super::model::Infeasible;
use super::plan::{Seconds, candidates};
use super::{Backend, Candidate, Choice, Operation, Prediction, Problem, choose};

/// Why a call runs where it runs. Prints for people, and as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What was to be planned.
    pub problem: Problem,
    /// What was chosen, or why the backend that the caller asked for cannot be.
    pub choice: Result<Choice, Infeasible>,
    /// Everything that was considered.
    pub candidates: Vec<Candidate>,
    /// For each candidate its name: that of the backend, for a GPU with the adapter's.
    pub names: Vec<String>,
    /// For each candidate why it is not feasible, in full; empty where it is.
    pub reasons: Vec<String>,
    /// How many times longer the next best candidate takes. `None` if there is no other.
    pub factor: Option<f64>,
    /// The largest smaller `n` with which another backend would be chosen.
    pub below: Option<Change>,
    /// The smallest larger `n` with which another backend would be chosen.
    pub above: Option<Change>,
    /// Seconds until a helper begins if the pool's threads are asleep.
    pub wake_cold: f64,
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
pub fn explain(problem: &Problem, machine: &Machine) -> Explanation {
    let candidates = candidates(problem, machine);
    let choice = choose(problem, machine);
    let name = |c: &Candidate| match (c.backend, machine.gpus().get(c.gpu)) {
        (Backend::Threads, _) if c.prediction.is_ok() => format!("threads x{}", c.workers),
        (Backend::Gpu, Some(gpu)) => format!("gpu {} ({})", c.gpu, gpu.name),
        (backend, _) => backend.to_string(),
    };
    let reason = |c: &Candidate| c.prediction.err().map_or(String::new(), |reason| reason.describe(problem, machine));
    let factor = choice.ok().and_then(|chosen| {
        let (mut winner, mut next) = (f64::INFINITY, f64::INFINITY);
        for c in &candidates {
            let Ok(Prediction { total, .. }) = c.prediction else { continue };
            if is(c, chosen) { winner = total } else { next = next.min(total) }
        }
        (next.is_finite() && winner > 0.0).then(|| next / winner)
    });
    let (below, above) = match choice {
        Ok(Choice { backend, .. }) => (change_below(problem, machine, backend), change_above(problem, machine, backend)),
        Err(_) => (None, None),
    };
    Explanation {
        problem: *problem,
        choice,
        names: candidates.iter().map(name).collect(),
        reasons: candidates.iter().map(reason).collect(),
        candidates,
        factor,
        below,
        above,
        wake_cold: machine.rates.wake_cold,
    }
}

fn is(candidate: &Candidate, choice: Choice) -> bool {
    candidate.backend == choice.backend && candidate.gpu == choice.gpu
}

/// No larger `n` is asked about.
const LARGEST: usize = 1 << 36;

/// What would be chosen for `n` elements of the same kind, of which as large a part is on each side.
fn at(problem: &Problem, machine: &Machine, n: usize) -> Option<Backend> {
    let scale = n as f64 / problem.n.max(1) as f64;
    let scaled = |bytes: u64| (bytes as f64 * scale) as u64;
    let (upload_bytes, download_bytes) = (scaled(problem.upload_bytes), scaled(problem.download_bytes));
    choose(&Problem { n, upload_bytes, download_bytes, ..*problem }, machine).ok().map(|choice| choice.backend)
}

/// Doubles until the choice differs, then halves the interval between.
fn change_above(problem: &Problem, machine: &Machine, now: Backend) -> Option<Change> {
    let differs = |n: usize| at(problem, machine, n).filter(|backend| *backend != now);
    let mut same = problem.n.max(1);
    let (mut other, mut backend) = loop {
        let n = same.checked_mul(2).filter(|n| *n <= LARGEST)?;
        match differs(n) {
            Some(backend) => break (n, backend),
            None => same = n,
        }
    };
    while other - same > 1 {
        let middle = same + (other - same) / 2;
        match differs(middle) {
            Some(found) => (other, backend) = (middle, found),
            None => same = middle,
        }
    }
    Some(Change { n: other, backend })
}

/// As above, downwards.
fn change_below(problem: &Problem, machine: &Machine, now: Backend) -> Option<Change> {
    let differs = |n: usize| at(problem, machine, n).filter(|backend| *backend != now);
    let mut same = problem.n;
    let (mut other, mut backend) = loop {
        let n = same / 2;
        match differs(n) {
            Some(backend) => break (n, backend),
            None if n == 0 => return None,
            None => same = n,
        }
    };
    while same - other > 1 {
        let middle = other + (same - other) / 2;
        match differs(middle) {
            Some(found) => (other, backend) = (middle, found),
            None => same = middle,
        }
    }
    Some(Change { n: other, backend })
}

/// The terms by name, in the order of the sum.
fn terms(p: &Prediction) -> [(&'static str, f64); 7] {
    [
        ("overhead", p.overhead),
        ("prepare", p.prepare),
        ("wake", p.wake),
        ("transfer", p.transfer),
        ("memory", p.memory),
        ("compute", p.compute),
        ("readback", p.readback),
    ]
}

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Explanation { problem, choice, candidates, .. } = self;
        self.headline(f)?;
        let width = self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        for ((c, name), reason) in candidates.iter().zip(&self.names).zip(&self.reasons) {
            let mark = if choice.is_ok_and(|chosen| is(c, chosen)) { '*' } else { ' ' };
            write!(f, "{mark} {name:width$}  ")?;
            match &c.prediction {
                Err(_) => writeln!(f, "no: {reason}")?,
                Ok(p) => {
                    write!(f, "{:>8}{}", Seconds(p.total).to_string(), if p.assumed { " (guess)" } else { "" })?;
                    let mut before = " = ";
                    for (name, seconds) in terms(p).into_iter().filter(|(_, seconds)| *seconds > 0.0) {
                        write!(f, "{before}{name} {}", Seconds(seconds))?;
                        // Memory and arithmetic go on at the same time: the longer one counts.
                        before = if name == "memory" && p.compute > 0.0 { " | " } else { " + " };
                    }
                    writeln!(f)?;
                }
            }
        }
        if candidates.iter().any(|c| c.prediction.is_ok_and(|p| p.assumed)) {
            writeln!(f, "a loop's iterations depend on data: 64 are assumed")?;
        }
        match choice {
            Err(reason) => {
                let full = candidates.iter().zip(&self.reasons).find(|(c, _)| c.prediction == Err(*reason));
                return writeln!(f, "nothing can run it: {}", full.map_or(&reason.to_string(), |(_, full)| full));
            }
            Ok(choice) => write!(f, "chosen: {choice}")?,
        }
        match (problem.pinned, self.factor) {
            (Some(_), _) => writeln!(f, ", since the call is pinned to it")?,
            (None, Some(factor)) => writeln!(f, ", {factor:.2} times as fast as the next best")?,
            (None, None) => writeln!(f, ", the only candidate")?,
        }
        if let Ok(Choice { backend: Backend::Threads, grain, workers, .. }) = *choice {
            let chunks = problem.n.div_ceil(grain);
            writeln!(f, "grain: {chunks} chunks of {grain} elements, {:.1} for each worker", chunks as f64 / workers as f64)?;
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
    fn headline(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Problem { operation, n, element, combine, item_bytes, upload_bytes, download_bytes, .. } = self.problem;
        write!(f, "{operation} of {n} elements: reads {} in order", Bytes(f64::from(element.bytes_read) * n as f64))?;
        if element.bytes_random > 0.0 {
            write!(f, " and {} at random", Bytes(f64::from(element.bytes_random) * n as f64))?;
        }
        let result = if operation == Operation::Reduce { 1.0 } else { n as f64 } * item_bytes as f64;
        write!(f, ", result {}, {:.1} operations an element", Bytes(result), element.ops.total() + combine.ops.total())?;
        if upload_bytes > 0 {
            write!(f, "; {} not on the GPU", Bytes(upload_bytes as f64))?;
        }
        if download_bytes > 0 {
            write!(f, "; {} only on the GPU", Bytes(download_bytes as f64))?;
        }
        writeln!(f, "{}", if self.problem.result_on_host { "; the host needs the result" } else { "" })
    }

    /// The same as one JSON object. Seconds, bytes; `null` for what does not apply.
    pub fn to_json(&self) -> String {
        let Problem { operation, n, element, combine, item_bytes, upload_bytes, download_bytes, .. } = self.problem;
        let problem = object([
            ("operation", string(&operation.to_string())),
            ("n", n.to_string()),
            ("bytes_read", number(f64::from(element.bytes_read))),
            ("bytes_random", number(f64::from(element.bytes_random))),
            ("ops", number(f64::from(element.ops.total()))),
            ("combine_ops", number(f64::from(combine.ops.total()))),
            ("item_bytes", item_bytes.to_string()),
            ("upload_bytes", upload_bytes.to_string()),
            ("download_bytes", download_bytes.to_string()),
            ("result_on_host", self.problem.result_on_host.to_string()),
            ("unordered", self.problem.unordered.to_string()),
            ("pinned", or_null(self.problem.pinned, |backend| string(&backend.to_string()))),
        ]);
        let choice = or_null(self.choice.ok(), |Choice { backend, workers, grain, gpu }| {
            object([
                ("backend", string(&backend.to_string())),
                ("workers", workers.to_string()),
                ("grain", grain.to_string()),
                ("gpu", gpu.to_string()),
            ])
        });
        let candidates = self.candidates.iter().zip(&self.names).zip(&self.reasons).map(|((c, name), reason)| {
            let prediction = or_null(c.prediction.ok(), |p| {
                let terms = terms(&p).map(|(name, seconds)| (name, number(seconds)));
                object(terms.into_iter().chain([("total", number(p.total)), ("assumed", p.assumed.to_string())]))
            });
            object([
                ("name", string(name)),
                ("backend", string(&c.backend.to_string())),
                ("gpu", c.gpu.to_string()),
                ("workers", c.workers.to_string()),
                ("prediction", prediction),
                ("infeasible", or_null(c.prediction.err(), |_| string(reason))),
            ])
        });
        let change = |change: Option<Change>| {
            or_null(change, |Change { n, backend }| object([("n", n.to_string()), ("backend", string(&backend.to_string()))]))
        };
        object([
            ("problem", problem),
            ("choice", choice),
            ("factor", or_null(self.factor, number)),
            ("below", change(self.below)),
            ("above", change(self.above)),
            ("candidates", format!("[{}]", candidates.collect::<Vec<_>>().join(","))),
        ])
    }
}

fn object<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let fields: Vec<String> = fields.into_iter().map(|(key, value)| format!("{}:{value}", string(key))).collect();
    format!("{{{}}}", fields.join(","))
}

fn or_null<T>(value: Option<T>, json: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "null".to_string(), json)
}

/// JSON has no infinities and no NaN.
fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:e}") } else { "null".to_string() }
}

fn string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if c.is_control() => json.push_str(&format!("\\u{:04x}", c as u32)),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}
