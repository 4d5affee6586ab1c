//! A prediction beside what was measured.

use std::fmt::{self, Display, Formatter};

use super::json::{number, object, or_null};
use super::plan::Seconds;
use super::{Explanation, Prediction};

/// Why a call ran where it ran, and how long it really took. Prints for people, and as JSON.
///
/// Times are in seconds, those of one run. What was not measured is `None`: not every backend can tell its parts from each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// What was predicted, before the call ran.
    pub explanation: Explanation,
    /// From the call to its result, planning included.
    pub total: f64,
    /// Describing the call and choosing. Predictions count it into the overhead.
    pub planning: Option<f64>,
    /// Moving inputs to where the work was.
    pub transfer: Option<f64>,
    /// The work itself, with what it takes to begin and to share it.
    pub work: Option<f64>,
    /// Moving the result to the host.
    pub readback: Option<f64>,
}

/// A part of a call, measured and predicted.
struct Part {
    name: &'static str,
    measured: Option<f64>,
    predicted: Option<f64>,
}

impl Part {
    fn ratio(&self) -> Option<f64> {
        Some(self.measured? / self.predicted.filter(|seconds| *seconds > 0.0)?)
    }
}

impl Analysis {
    /// What was predicted of the candidate that was chosen. `None` if none could be.
    pub fn predicted(&self) -> Option<Prediction> {
        let choice = self.explanation.choice.ok()?;
        let chosen = self.explanation.candidates.iter().find(|c| c.is(choice));
        chosen?.prediction.ok()
    }

    /// Measured over predicted seconds, of the whole. `None` if nothing was predicted.
    pub fn ratio(&self) -> Option<f64> {
        self.parts()[0].ratio()
    }

    /// The whole first. What was observed of calls before corrects the sum of the terms, so it corrects each of them here: then the
    /// parts add up to the whole.
    fn parts(&self) -> [Part; 5] {
        let predicted = self.predicted();
        let part = |name, measured, terms: fn(&Prediction) -> f64| {
            let predicted = predicted.map(|p| terms(&p) * f64::from(p.seen.ratio));
            Part { name, measured, predicted }
        };
        [
            part("total", Some(self.total), Prediction::modelled),
            Part { name: "planning", measured: self.planning, predicted: None },
            part("transfer", self.transfer, |p| p.transfer),
            part("work", self.work, |p| p.overhead + p.wake + p.memory.max(p.compute)),
            part("readback", self.readback, |p| p.readback),
        ]
    }

    /// The same as one JSON object, with the explanation's in it. Seconds; `null` for what was not measured or not predicted.
    pub fn to_json(&self) -> String {
        let parts = self.parts().map(|part| {
            let fields = [("measured", part.measured), ("predicted", part.predicted), ("ratio", part.ratio())];
            (part.name, object(fields.map(|(key, value)| (key, or_null(value, number)))))
        });
        object(parts.into_iter().chain([("explanation", self.explanation.to_json())]))
    }
}

impl Display for Analysis {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.explanation)?;
        writeln!(f, "{:8}  {:>9}  {:>9}  {:>5}", "", "predicted", "measured", "ratio")?;
        let cell = |seconds: Option<f64>| seconds.map_or("-".to_string(), |seconds| Seconds(seconds).to_string());
        for part in self.parts() {
            // A part that is neither measured nor expected says nothing.
            if part.measured.is_none() && part.predicted.is_none_or(|seconds| seconds == 0.0) {
                continue;
            }
            let ratio = part.ratio().map_or("-".to_string(), |ratio| format!("x{ratio:.2}"));
            writeln!(f, "{:8}  {:>9}  {:>9}  {ratio:>5}", part.name, cell(part.predicted), cell(part.measured))?;
        }
        Ok(())
    }
}
