//! What a record says of its own run: how steady the machine was, whether the run was whole, and what could not take part.

use serde_json::Value;

use super::stats::median;
use super::words::digits;

/// Above this the machine was not the same before and after: the smaller one for arithmetic, which nothing disturbs but a clock or a
/// neighbour on the same core.
const DRIFT: [(&str, &str, f64); 2] = [("arithmetic", "arithmetic on one core", 1.03), ("copy", "a copy through memory", 1.10)];
/// Between the slowest and the fastest tenth of the looks.
const UNSTEADY: f64 = 1.15;

/// A sentence each; those that warn first.
pub(crate) fn notes(json: &Value) -> Vec<String> {
    let mut notes: Vec<String> = stopped(&json["stopped"]).into_iter().collect();
    notes.extend(noise(&json["noise"]));
    notes.extend(not_run(&json["not_run"]));
    notes
}

fn stopped(stopped: &Value) -> Option<String> {
    let why = match stopped["why"].as_str()? {
        "interrupted" => "it was interrupted",
        "time budget" => "its time was over",
        _ => "it ended early",
    };
    let count = |key: &str| stopped[key].as_u64();
    let part =
        count("done").zip(count("of")).map_or(String::new(), |(done, of)| format!(": {done} of {of} groups were measured"));
    Some(format!("This run is not whole, for {why}{part}."))
}

/// What could not take part, a sentence for each reason.
pub(crate) fn not_run(list: &Value) -> Vec<String> {
    let mut reasons: Vec<(&str, &str, Vec<String>)> = Vec::new();
    for what in list.as_array().into_iter().flatten() {
        let text = |key: &str| what[key].as_str();
        let (Some(backend), Some(reason)) = (text("backend"), text("reason")) else { continue };
        let on = [text("op"), text("type")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let known = reasons.iter().position(|(b, r, _)| (*b, *r) == (backend, reason));
        let at = known.unwrap_or_else(|| {
            reasons.push((backend, reason, Vec::new()));
            reasons.len() - 1
        });
        if !on.is_empty() && !reasons[at].2.contains(&on) {
            reasons[at].2.push(on);
        }
    }
    let sentence = |(backend, reason, on): (&str, &str, Vec<String>)| {
        let on = if on.is_empty() { String::new() } else { format!(" ({})", on.join(", ")) };
        format!("{backend}{on} was not run: {}.", reason.trim_end_matches('.'))
    };
    reasons.into_iter().map(sentence).collect()
}

/// How the looks at the machine differ.
pub(crate) fn noise(noise: &Value) -> Option<String> {
    let moments = noise["moments"].as_array()?;
    let ends = noise["at_the_ends"].as_u64().and_then(|n| usize::try_from(n).ok())?.clamp(1, moments.len().max(1));
    let (mut warnings, mut figures) = (Vec::new(), Vec::new());
    for (key, what, allowed) in DRIFT {
        let times: Vec<f64> = moments.iter().filter_map(|m| m[key].as_f64()).filter(|t| t.is_finite() && *t > 0.0).collect();
        if times.len() < 2 * ends {
            continue;
        }
        let middle = |times: &[f64]| {
            let mut sorted = times.to_vec();
            sorted.sort_by(f64::total_cmp);
            (median(&sorted), sorted)
        };
        let drift = middle(&times[times.len() - ends..]).0 / middle(&times[..ends]).0;
        let sorted = middle(&times).1;
        let tenth = sorted.len() / 10;
        let spread = sorted[sorted.len() - 1 - tenth] / sorted[tenth];
        figures.push(format!(
            "{what} took {} times as long after the run as before, and varied by {}%",
            digits(drift),
            digits(100.0 * (spread - 1.0))
        ));
        if drift > allowed || drift < 1.0 / allowed || spread > UNSTEADY {
            warnings.push(what);
        }
    }
    let warning = match warnings[..] {
        [] => "The machine was steady",
        _ => "The machine was not steady, so small differences mean nothing",
    };
    (!figures.is_empty()).then(|| format!("{warning}: {}.", figures.join("; ")))
}
