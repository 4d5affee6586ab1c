//! A record: the cases of a run as data, and as JSON.

use granule::prelude::*;
use serde_json::{Value, json};

use crate::catalogue::{OPS, Op};
use crate::report::data::unit_name;

/// One contender at one operation, type, size and residency.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Operation.
    pub(crate) op: &'static str,
    /// Element type.
    pub(crate) ty: &'static str,
    /// Number of elements.
    pub(crate) n: usize,
    /// Where the data was: `host` or `gpu`.
    pub(crate) residency: &'static str,
    /// Backend, or `peer:...`.
    pub(crate) backend: String,
    /// What `auto` chose.
    pub(crate) chose: Option<String>,
    /// The plan, in the library's words.
    pub(crate) plan: Option<String>,
    /// Seconds an iteration, sample by sample.
    pub(crate) seconds: Vec<f64>,
    /// How many of them were taken in each pass over all groups; empty: all in one.
    pub(crate) passes: Vec<usize>,
    /// Seconds of an iteration by the GPU's own clock, least first, where it has one.
    pub(crate) gpu_seconds: Vec<f64>,
    /// Bytes that the operation must move.
    pub(crate) bytes: u64,
    /// Operations an element, as the planner counts them, where it does.
    pub(crate) ops: Option<f64>,
    /// Whether all answers were right.
    pub(crate) verified: bool,
}

impl Case {
    /// The fastest sample.
    pub(crate) fn best(&self) -> f64 {
        self.seconds.iter().copied().fold(f64::NAN, f64::min)
    }

    /// The sample in the middle.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.seconds.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            n => (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0,
        }
    }

    /// As records have it.
    pub(crate) fn to_json(&self) -> Value {
        let mut case = json!({
            "op": self.op,
            "type": self.ty,
            "n": self.n,
            "residency": self.residency,
            "backend": self.backend,
        });
        let optional = [("chose", &self.chose), ("plan", &self.plan)];
        for (key, value) in optional {
            if let Some(value) = value {
                case[key] = json!(value);
            }
        }
        case["seconds"] = json!(self.seconds);
        if self.passes.len() > 1 {
            case["passes"] = json!(self.passes);
        }
        if !self.gpu_seconds.is_empty() {
            case["gpu_seconds"] = json!(self.gpu_seconds);
        }
        case["bytes"] = json!(self.bytes);
        if let Some(ops) = self.ops {
            case["ops_per_element"] = json!(ops);
        }
        case["verified"] = json!(self.verified);
        case
    }

    /// From what [`Case::to_json`] made of it.
    pub(crate) fn from_json(json: &Value) -> Option<Case> {
        let Place { op, ty, n, residency } = Place::from_json(json)?;
        let text = |key: &str| json[key].as_str().map(str::to_owned);
        let seconds = |key: &str| json[key].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
        Some(Case {
            op: op.name,
            ty,
            n,
            residency,
            backend: text("backend")?,
            chose: text("chose"),
            plan: text("plan"),
            seconds: seconds("seconds"),
            passes: json["passes"].as_array().into_iter().flatten().filter_map(|count| Some(count.as_u64()? as usize)).collect(),
            gpu_seconds: seconds("gpu_seconds"),
            bytes: json["bytes"].as_u64()?,
            ops: json["ops_per_element"].as_f64(),
            verified: json["verified"].as_bool()?,
        })
    }
}

/// An operation on so many elements of a type, which are on the host or on a GPU.
pub(crate) struct Place {
    pub(crate) op: &'static Op,
    pub(crate) ty: &'static str,
    pub(crate) n: usize,
    pub(crate) residency: &'static str,
}

impl Place {
    /// Read of an entry that says where it belongs.
    pub(crate) fn from_json(json: &Value) -> Option<Place> {
        let one_of = |key: &str, known: [&'static str; 2]| known.into_iter().find(|name| json[key] == *name);
        Some(Place {
            op: OPS.iter().find(|op| json["op"] == op.name)?,
            ty: one_of("type", ["f32", "u32"])?,
            n: usize::try_from(json["n"].as_u64()?).ok()?,
            residency: one_of("residency", ["host", "gpu"])?,
        })
    }
}

/// One case of those that several passes gave of the same contender.
pub(crate) fn merged(cases: Vec<Case>) -> Vec<Case> {
    let mut found: Vec<Vec<Case>> = Vec::new();
    for case in cases {
        let key = |c: &Case| (c.op, c.ty, c.n, c.residency, c.backend.clone());
        match found.iter_mut().find(|passes| key(&passes[0]) == key(&case)) {
            Some(passes) => passes.push(case),
            None => found.push(vec![case]),
        }
    }
    found.into_iter().map(|passes| joined(&passes)).collect()
}

/// The passes of one contender, of which there is one at least, as a case.
fn joined(passes: &[Case]) -> Case {
    // A pass may choose otherwise than another: what most of them chose, the last ones first.
    let votes = |case: &Case| passes.iter().filter(|other| other.chose == case.chose).count();
    let usual = passes.iter().max_by_key(|case| votes(case)).unwrap_or(&passes[0]);
    Case {
        passes: passes.iter().map(|pass| pass.seconds.len()).collect(),
        seconds: passes.iter().flat_map(|pass| pass.seconds.iter().copied()).collect(),
        gpu_seconds: passes.iter().flat_map(|pass| pass.gpu_seconds.iter().copied()).collect(),
        verified: passes.iter().all(|pass| pass.verified),
        ..usual.clone()
    }
}

/// The machine, as records describe it.
pub(crate) fn machine(engine: &Engine) -> Value {
    let machine = engine.machine();
    let gpus: Vec<_> = machine
        .gpus()
        .iter()
        .map(|gpu| json!({ "name": gpu.name, "api": gpu.api, "type": gpu.kind.to_string(), "driver": gpu.driver }))
        .collect();
    json!({
        "cpu": machine.cpu.name,
        "cores": machine.cpu.cores,
        "simd": engine.simd_level().to_string(),
        "gpus": gpus,
    })
}

/// Cases as text, one a line: a record is compared with another by `diff` as well.
pub(crate) fn lines(cases: impl Iterator<Item = Value>) -> String {
    cases.map(|case| case.to_string()).collect::<Vec<_>>().join(",\n")
}

/// The record of a run: its cases, and before them what else there is to say, as JSON, but for what is `null`.
pub(crate) fn text(engine: &Engine, context: &Value, more: &[(&str, String)], cases: impl Iterator<Item = Value>) -> String {
    let cases: Vec<Value> = cases.collect();
    let more: String =
        more.iter().filter(|(_, value)| value != "null").map(|(key, value)| format!("\"{key}\":{value},")).collect();
    format!(
        "{{\"schema\":1,\"granule\":{},\"machine\":{},\"context\":{context},\"operations\":{},{more}\"cases\":[\n{}\n]}}\n",
        json!(env!("CARGO_PKG_VERSION")),
        machine(engine),
        operations(&cases),
        lines(cases.into_iter()),
    )
}

/// What the operations of these cases are, so that a record can be read where they are not known.
fn operations(cases: &[Value]) -> Value {
    let occurs = |op: &Op| cases.iter().any(|case| case["op"] == op.name);
    let of = |op: &Op| json!({ "meaning": op.meaning, "unit": unit_name(op.unit), "bytes_per_element": op.bytes });
    Value::Object(OPS.iter().filter(|op| occurs(op)).map(|op| (op.name.to_owned(), of(op))).collect())
}
