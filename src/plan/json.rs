//! An explanation for tools.

use super::explain::terms;
use super::{Change, Choice, Explanation, Problem};

impl Explanation {
    /// The same as one JSON object on one line. Seconds, bytes; `null` for what does not apply.
    ///
    /// At the top are `problem`, `choice` (`backend`, `workers`, `grain`, `gpu`), `why`, `factor`, `below` and `above` (`n`,
    /// `backend`), and `candidates`. The `prediction` of a candidate has each term by name, `modelled` (their sum), `expected`,
    /// `total` (what candidates are compared by), `sources` (for each term `prior` or `calibrated`), and `observed` (`ratio`,
    /// `count`); where it is `null`, `infeasible` says why.
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
            ("allocates", self.problem.allocates.to_string()),
            ("forgone", number(self.problem.forgone)),
            ("loops_unknown", (element.loops_unknown || combine.loops_unknown).to_string()),
            (
                "iterations",
                or_null(Some(self.problem.seen.iterations).filter(|known| *known > 0.0), |known| number(f64::from(known))),
            ),
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
        let rows = self.candidates.iter().zip(&self.names).zip(&self.reasons).zip(&self.origins);
        let candidates = rows.map(|(((c, name), reason), origins)| {
            let prediction = or_null(c.prediction.ok(), |p| {
                let terms = terms(&p, origins);
                let values = terms.map(|(name, seconds, _)| (name, number(seconds)));
                let sources = terms.map(|(name, _, origin)| (name, string(&origin.to_string())));
                let observed = [("ratio", number(f64::from(p.seen.ratio))), ("count", p.seen.count.to_string())];
                object(values.into_iter().chain([
                    ("modelled", number(p.modelled())),
                    ("expected", number(p.expected())),
                    ("paid", number(p.paid)),
                    ("total", number(p.total)),
                    ("assumed", p.assumed.to_string()),
                    ("sources", object(sources)),
                    ("observed", object(observed)),
                ]))
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
            ("why", string(&self.why.to_string())),
            ("factor", or_null(self.factor, number)),
            ("below", change(self.below)),
            ("above", change(self.above)),
            ("candidates", format!("[{}]", candidates.collect::<Vec<_>>().join(","))),
        ])
    }
}

pub(super) fn object<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let fields: Vec<String> = fields.into_iter().map(|(key, value)| format!("{}:{value}", string(key))).collect();
    format!("{{{}}}", fields.join(","))
}

pub(super) fn or_null<T>(value: Option<T>, json: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "null".to_string(), json)
}

/// JSON has no infinities and no NaN.
pub(super) fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:e}") } else { "null".to_string() }
}

pub(super) fn string(text: &str) -> String {
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
