//! A record, read from its JSON: of a run or of a regret sweep, this version's or an older one's.

use std::collections::HashMap;

use serde_json::Value;

use super::notes::{self, NotRun};
use super::stats;
use super::words::size;
use crate::catalogue::{OPS, Unit};

/// The backends of the library, in the order in which they are named.
pub(crate) const BACKENDS: [&str; 3] = ["simd", "threads", "gpu"];

/// A record.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// What it is called: the file's name, or `this run`.
    pub(crate) name: String,
    /// The JSON itself.
    pub(crate) text: String,
    /// Version of the library.
    pub(crate) granule: String,
    /// What is said of the machine and the run, a line each.
    pub(crate) machine: Vec<(String, String)>,
    /// What operations compute, by name.
    meanings: HashMap<String, String>,
    /// The processor, for one line.
    pub(crate) cpu: String,
    /// Whether all GPUs are programs on the CPU.
    pub(crate) software_gpu: bool,
    /// One for each contender; a case of a regret sweep has several.
    pub(crate) cases: Vec<Case>,
    /// The figures of a regret sweep.
    pub(crate) regret: Option<Regret>,
    /// The most operations a second that backends were measured to do.
    pub(crate) peaks: Vec<(String, f64)>,
    /// What it says of its own run.
    pub(crate) notes: Vec<String>,
    /// What could not take part.
    pub(crate) not_run: Vec<NotRun>,
}

/// One contender at one operation, type, size and residency.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Operation.
    pub(crate) op: String,
    /// Element type.
    pub(crate) ty: String,
    /// Number of elements.
    pub(crate) n: u64,
    /// Where the data was.
    pub(crate) residency: String,
    /// Backend, or `peer:...`.
    pub(crate) backend: String,
    /// What `auto` chose.
    pub(crate) chose: Option<String>,
    /// The plan, in the library's words.
    pub(crate) plan: Option<String>,
    /// Seconds an iteration, least first; none in a regret sweep, which keeps medians only.
    pub(crate) seconds: Vec<f64>,
    /// The same by passes, which lie far apart in the run.
    pub(crate) passes: Vec<Vec<f64>>,
    /// The sample in the middle.
    pub(crate) median: f64,
    /// The fastest sample.
    pub(crate) least: f64,
    /// Bytes that the operation must move, where that is known.
    pub(crate) bytes: Option<u64>,
    /// Operations an element, where that is known.
    pub(crate) ops: Option<f64>,
    /// The median of an iteration by the GPU's own clock, where it has one.
    pub(crate) by_gpu: Option<f64>,
    /// How its speed is read.
    pub(crate) unit: Unit,
    /// Whether all answers were right.
    pub(crate) verified: bool,
}

/// The figures of a regret sweep.
#[derive(Clone, Debug)]
pub(crate) struct Regret {
    /// What it says, with geometric mean, 95th percentile and maximum.
    pub(crate) rows: Vec<(String, [f64; 3])>,
    /// Other figures, in words.
    pub(crate) notes: Vec<String>,
    /// Each case: operation, residency, number of elements, what was chosen, what is fastest, regret.
    pub(crate) cases: Vec<RegretCase>,
}

/// One case of a regret sweep.
#[derive(Clone, Debug)]
pub(crate) struct RegretCase {
    /// Operation.
    pub(crate) op: String,
    /// Where the data was.
    pub(crate) residency: String,
    /// Number of elements.
    pub(crate) n: u64,
    /// What the library chose.
    pub(crate) chose: String,
    /// The fastest backend.
    pub(crate) best_backend: String,
    /// How many times as long as on that one it took.
    pub(crate) regret: f64,
}

impl Case {
    /// What makes it the same case in another record.
    pub(crate) fn key(&self) -> (&str, &str, u64, &str, &str) {
        (&self.op, &self.ty, self.n, &self.residency, &self.backend)
    }

    /// The speed at this time, in the unit of [`unit`](Case::unit); `None` where the bytes are not known.
    pub(crate) fn speed(&self, seconds: f64) -> Option<f64> {
        match self.unit {
            Unit::GigabytesPerSecond => Some(self.bytes? as f64 / seconds / 1e9),
            Unit::MitemsPerSecond => Some(self.n as f64 / seconds / 1e6),
        }
    }

    /// The interval of the median.
    pub(crate) fn interval(&self) -> Option<stats::Interval> {
        stats::of_passes(&self.passes, stats::CONFIDENCE)
    }
}

/// A unit as it is written.
pub(crate) fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::GigabytesPerSecond => "GB/s",
        Unit::MitemsPerSecond => "Mitems/s",
    }
}

impl Record {
    /// Reads a record. The error says what is wrong with it.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Record, String> {
        let json: Value = serde_json::from_str(text).map_err(|error| format!("{name} is no JSON: {error}"))?;
        if json["schema"] != 1 {
            return Err(format!("{name}: schema {} is not known; this program reads schema 1", json["schema"]));
        }
        let list = json["cases"].as_array().ok_or(format!("{name}: cases is no list"))?;
        let mut cases = Vec::new();
        let mut regret = json["regret"].is_object().then(|| Regret::summary(&json["regret"]));
        for (index, case) in list.iter().enumerate() {
            let read = match &mut regret {
                Some(regret) => regret_case(case, &json["operations"]).map(|(own, expanded)| {
                    regret.cases.push(own);
                    cases.extend(expanded);
                }),
                None => sampled_case(case, &json["operations"]).map(|case| cases.push(case)),
            };
            read.map_err(|what| format!("{name}: case {index}: {what}"))?;
        }
        if cases.is_empty() {
            return Err(format!("{name}: there are no cases"));
        }
        Ok(Record {
            name: name.to_owned(),
            text: text.to_owned(),
            granule: json["granule"].as_str().unwrap_or("unknown").to_owned(),
            machine: machine(&json),
            meanings: json["operations"]
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(op, of)| Some((op.clone(), of["meaning"].as_str()?.to_owned())))
                .collect(),
            cpu: json["machine"]["cpu"].as_str().unwrap_or("unknown").to_owned(),
            software_gpu: json["machine"]["gpus"].as_array().is_some_and(|gpus| gpus.iter().all(|gpu| gpu["type"] == "software")),
            cases,
            regret,
            peaks: json["peaks"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|peak| Some((peak["backend"].as_str()?.to_owned(), time(&peak["operations_per_second"])?)))
                .collect(),
            notes: notes::notes(&json),
            not_run: notes::not_run(&json["not_run"]),
        })
    }

    /// Where the data was, in words.
    pub(crate) fn place(&self, residency: &str) -> String {
        if residency == "gpu" && self.software_gpu { "gpu (software)".to_owned() } else { residency.to_owned() }
    }

    /// What an operation computes: as the record says, else as this build knows it, else nothing.
    pub(crate) fn meaning(&self, op: &str) -> &str {
        let known = || OPS.iter().find(|known| known.name == op).map(|known| known.meaning);
        self.meanings.get(op).map(String::as_str).or_else(known).unwrap_or("")
    }

    /// The cases with wrong answers: they are in no figure.
    pub(crate) fn wrong(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(|case| !case.verified)
    }
}

/// What a record says of machine and run. Keys that are not known are shown as they are.
fn machine(json: &Value) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut line = |what: &str, value: &Value| {
        let text = match value {
            Value::Null => "unknown".to_owned(),
            Value::String(text) => text.clone(),
            Value::Array(items) if items.is_empty() => "none".to_owned(),
            Value::Array(items) => {
                items.iter().map(|i| i.as_str().map_or(i.to_string(), str::to_owned)).collect::<Vec<_>>().join(", ")
            }
            other => other.to_string(),
        };
        lines.push((what.replace('_', " "), text));
    };
    for (key, value) in json["machine"].as_object().into_iter().flatten() {
        match (key.as_str(), value.as_array()) {
            ("gpus", Some(gpus)) if !gpus.is_empty() => {
                for gpu in gpus {
                    let parts = ["name", "type", "api", "driver"].map(|part| gpu[part].as_str().unwrap_or(""));
                    line("gpu", &Value::from(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")));
                }
            }
            _ => line(key, value),
        }
    }
    line("granule", &json["granule"]);
    for (key, value) in json["context"].as_object().into_iter().flatten() {
        line(key, value);
    }
    lines
}

/// How the speed of an operation is read and how many bytes an element moves: as the record says, else as this build knows it.
fn operation(op: &str, operations: &Value) -> (Unit, Option<u64>) {
    let known = OPS.iter().find(|known| known.name == op);
    let unit = match operations[op]["unit"].as_str() {
        Some("Mitems/s") => Unit::MitemsPerSecond,
        Some(_) => Unit::GigabytesPerSecond,
        None => known.map_or(Unit::GigabytesPerSecond, |known| known.unit),
    };
    let bytes = operations[op]["bytes_per_element"].as_u64();
    (unit, bytes.or(known.map(|known| known.bytes as u64)))
}

/// A time that can be divided by.
fn time(value: &Value) -> Option<f64> {
    value.as_f64().filter(|time| time.is_finite() && *time > 0.0)
}

fn text(value: &Value, key: &str) -> Result<String, String> {
    value[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned).ok_or(format!("{key} is missing"))
}

/// Samples as passes took them, each least first. Where that is not known, it is one.
fn in_passes(seconds: &[f64], counts: &Value) -> Vec<Vec<f64>> {
    let counts: Option<Vec<usize>> = counts.as_array().into_iter().flatten().map(|n| usize::try_from(n.as_u64()?).ok()).collect();
    let whole = |counts: &Vec<usize>| {
        counts.iter().try_fold(0_usize, |sum, n| sum.checked_add(*n)) == Some(seconds.len()) && !counts.contains(&0)
    };
    let mut rest = seconds;
    let mut passes: Vec<Vec<f64>> = match counts.filter(whole) {
        Some(counts) => counts.into_iter().map(|n| rest.split_off(..n).unwrap_or_default().to_vec()).collect(),
        None => vec![seconds.to_vec()],
    };
    passes.iter_mut().for_each(|pass| pass.sort_by(f64::total_cmp));
    passes
}

fn sampled_case(case: &Value, operations: &Value) -> Result<Case, String> {
    let op = text(case, "op")?;
    let verified = case["verified"].as_bool().ok_or("verified is missing")?;
    let seconds = case["seconds"].as_array().ok_or("seconds is no list")?;
    let mut seconds: Vec<f64> = seconds.iter().map(|s| time(s).ok_or("a sample is no time")).collect::<Result<_, _>>()?;
    // A contender whose first answer is wrong is not timed.
    if seconds.is_empty() && verified {
        return Err("there are no samples".to_owned());
    }
    let passes = in_passes(&seconds, &case["passes"]);
    seconds.sort_by(f64::total_cmp);
    let optional = |key: &str| case[key].as_str().map(str::to_owned);
    Ok(Case {
        ty: text(case, "type")?,
        n: case["n"].as_u64().filter(|n| *n > 0).ok_or("n is missing")?,
        residency: text(case, "residency")?,
        backend: text(case, "backend")?,
        chose: optional("chose"),
        plan: optional("plan"),
        median: stats::median(&seconds),
        least: seconds.first().copied().unwrap_or(f64::NAN),
        seconds,
        passes,
        bytes: case["bytes"].as_u64(),
        ops: time(&case["ops_per_element"]),
        by_gpu: case["gpu_seconds"].as_array().and_then(|seconds| {
            let mut seconds: Vec<f64> = seconds.iter().filter_map(time).collect();
            seconds.sort_by(f64::total_cmp);
            Some(stats::median(&seconds)).filter(|median| median.is_finite())
        }),
        unit: operation(&op, operations).0,
        verified,
        op,
    })
}

fn regret_case(case: &Value, operations: &Value) -> Result<(RegretCase, Vec<Case>), String> {
    let (op, ty, residency) = (text(case, "op")?, text(case, "type")?, text(case, "residency")?);
    let (chose, best_backend) = (text(case, "chose")?, text(case, "best_backend")?);
    let n = case["n"].as_u64().filter(|n| *n > 0).ok_or("n is missing")?;
    let regret = time(&case["regret"]).ok_or("regret is missing")?;
    let (unit, bytes) = operation(&op, operations);
    let medians = case["median"].as_object().ok_or("median is missing")?;
    let expanded = medians
        .iter()
        .map(|(backend, median)| {
            let median = time(median).ok_or("a median is no time")?;
            Ok(Case {
                op: op.clone(),
                ty: ty.clone(),
                n,
                residency: residency.clone(),
                backend: backend.clone(),
                chose: (backend == "auto").then(|| chose.clone()),
                plan: None,
                seconds: Vec::new(),
                passes: Vec::new(),
                median,
                least: time(&case["least"][backend]).unwrap_or(median),
                bytes: bytes.and_then(|bytes| bytes.checked_mul(n)),
                ops: None,
                by_gpu: None,
                unit,
                verified: case["verified"] == true,
            })
        })
        .collect::<Result<_, String>>()?;
    Ok((RegretCase { op, residency, n, chose, best_backend, regret }, expanded))
}

impl Regret {
    /// The summary of a sweep; its cases come later.
    fn summary(regret: &Value) -> Regret {
        let spread = |value: &Value| Some([time(&value["geomean"])?, time(&value["p95"])?, time(&value["max"])?]);
        let threshold = |value: &Value| {
            let from =
                |key: &str, backend: &str| value[key].as_u64().map_or(String::new(), |n| format!(", {backend} from {}", size(n)));
            format!("the best threshold: simd{}{}", from("threads_from", "threads"), from("gpu_from", "gpu"))
        };
        let mut rows = Vec::new();
        let mut row = |name: String, value: &Value| {
            if let Some(spread) = spread(value) {
                rows.push((name, spread));
            }
        };
        row("auto: the library's choice".to_owned(), regret);
        for backend in BACKENDS {
            row(format!("always {backend}"), &regret[format!("always_{backend}")]);
        }
        let rules = ["threshold", "threshold_with_gpu"].map(|key| &regret[key]);
        row(threshold(rules[0]), rules[0]);
        if rules[0] != rules[1] {
            row(threshold(rules[1]), rules[1]);
        }
        let mut notes = Vec::new();
        for (key, what) in [
            ("cold_geomean", "the first call of a process, geometric mean"),
            ("cold_few_geomean", "the first few calls of a process, geometric mean"),
        ] {
            if let Some(figure) = time(&regret[key]) {
                notes.push(format!("{what}: {figure:.2}"));
            }
        }
        if let Some(ns) = time(&regret["decision_ns"]) {
            notes.push(format!("a decision takes {ns:.0} ns"));
        }
        Regret { rows, notes, cases: Vec::new() }
    }
}
