//! What a record says of its own run: how steady the machine was, whether the run was whole, and what could not take part.

use serde_json::Value;

use super::stats::median;
use super::words::{digits, size};

/// Above this the machine was not the same before and after: the smaller one for arithmetic, which nothing disturbs but a clock or a
/// neighbour on the same core.
const DRIFT: [(&str, &str, f64); 2] = [("arithmetic", "arithmetic on one core", 1.03), ("copy", "a copy through memory", 1.10)];
/// Between the slowest and the fastest tenth of the looks.
const UNSTEADY: f64 = 1.15;

/// A sentence each; those that warn first.
pub(crate) fn notes(json: &Value) -> Vec<String> {
    let mut notes: Vec<String> = places(&json["places"]);
    notes.extend(planted(&json["planted"]));
    notes.extend(stopped(&json["stopped"]));
    notes.extend(noise(&json["noise"]));
    notes
}

/// What is timed where, if it is not as usual.
fn places(places: &Value) -> Vec<String> {
    let sentence = |(place, what): (&String, &Value)| Some(format!("Data on the {place}: {}.", what.as_str()?));
    places.as_object().into_iter().flatten().filter_map(sentence).collect()
}

fn planted(planted: &Value) -> Option<String> {
    let what = match planted.as_str()? {
        "slower" => "each call worked on a tenth more elements than its case says",
        "wrong" => "answers were spoilt before they were checked",
        other => other,
    };
    Some(format!("This run was a test of the benchmark itself: {what}."))
}

fn stopped(stopped: &Value) -> Option<String> {
    let why = match stopped["why"].as_str()? {
        "interrupted" => "it was interrupted",
        "time budget" => "its time was over",
        _ => "it ended early",
    };
    let count = |key: &str| stopped[key].as_u64();
    let part = count("done").zip(count("of")).map_or(String::new(), |(done, of)| {
        format!(" after {done} of {of} measurements: what was measured fewer times than others has wider intervals, or none")
    });
    Some(format!("This run is not whole, for {why}{part}."))
}

/// What could not take part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotRun {
    /// A backend or a peer, or `all` of them.
    pub(crate) who: String,
    /// Operation and type; empty: all.
    pub(crate) what: String,
    /// Sizes and places; empty: all.
    pub(crate) at: Vec<String>,
    /// Why.
    pub(crate) reason: String,
}

/// What a record says of it, an entry for each operation, type and reason.
pub(crate) fn not_run(list: &Value) -> Vec<NotRun> {
    let mut found: Vec<NotRun> = Vec::new();
    for entry in list.as_array().into_iter().flatten() {
        let text = |key: &str| entry[key].as_str().unwrap_or("").to_owned();
        let (who, reason) = (text("backend"), text("reason").trim_end_matches('.').to_owned());
        let what = [text("op"), text("type")].join(" ").trim().to_owned();
        let place = text("residency");
        let on = if place.is_empty() { place } else { format!(" on the {place}") };
        let at = entry["n"].as_u64().map_or(on.clone(), |n| format!("{}{on}", size(n)));
        if who.is_empty() || reason.is_empty() {
            continue;
        }
        let same = |known: &NotRun| (&known.who, &known.what, &known.reason) == (&who, &what, &reason);
        let known = match found.iter().position(same) {
            Some(known) => known,
            None => {
                found.push(NotRun { who, what, at: Vec::new(), reason });
                found.len() - 1
            }
        };
        if !at.is_empty() && !found[known].at.contains(&at) {
            found[known].at.push(at);
        }
    }
    found
}

/// So many operations are named in a sentence.
const NAMED: usize = 3;

/// The same in words, a sentence for everybody and each reason.
pub(crate) fn in_words(not_run: &[NotRun]) -> Vec<String> {
    let mut reasons: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for NotRun { who, what, reason, .. } in not_run {
        match reasons.iter_mut().find(|(w, r, _)| (*w, *r) == (who, reason)) {
            Some((.., all)) => all.push(what),
            None => reasons.push((who, reason, vec![what])),
        }
    }
    let sentence = |(who, reason, all): (&str, &str, Vec<&str>)| {
        let named: Vec<&str> = all.iter().copied().filter(|what| !what.is_empty()).collect();
        let more = if named.len() > NAMED + 1 { format!(" and {} more", named.len() - NAMED) } else { String::new() };
        let named = if more.is_empty() { &named[..] } else { &named[..NAMED] }.join(", ");
        match (who, named.is_empty()) {
            ("all", _) => format!("Not run: {named}{more}: {reason}."),
            (who, true) => format!("Not run: {who}: {reason}."),
            (who, false) => format!("Not run: {who} at {named}{more}: {reason}."),
        }
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
