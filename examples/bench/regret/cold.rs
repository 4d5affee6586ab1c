//! The first second of a process, with what earlier processes have measured at hand.
//!
//! Whoever comes first in a process pays for its first page faults, for starting the pool and for compiling shaders, and whoever
//! comes next does not. So every contender has processes of its own: in one of them all calls are automatic, in another all are
//! pinned to one backend, and all of them make the same calls in the same order. Each process does every operation once, at one
//! size and residency, so that no case finds the shader of another one; the operations are rotated, so that each comes first in
//! some processes. The processes of the contenders take turns, as samples do elsewhere.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use granule::prelude::*;
use serde_json::{Value, json};

use super::contest::{self, PINS};
use super::figures::{AUTO, Case, NAMES};
use super::ops::{self, OPS};
use super::scratch::Scratch;
use crate::groups::Residency;
use crate::measure::Trouble;
use crate::options::Options;
use crate::stage;

/// Calls that each case is given in a process.
const CALLS: usize = 4;
/// Processes of one contender for one layout; an even number with a median in each half.
const TURNS: usize = 6;
/// What a first call is taken to be within.
const FIRST_SECOND: Duration = Duration::from_secs(1);

/// What came of it.
#[derive(Default)]
pub(crate) struct Cold {
    /// The first calls.
    pub(crate) first: Vec<Case>,
    /// The mean of the first [`CALLS`] calls.
    pub(crate) few: Vec<Case>,
    /// Wrong answers and failures, in words.
    pub(crate) wrong: Vec<String>,
}

/// Starts the processes and collects what they report.
pub(crate) fn measure(options: &Options, gpu: bool, progress: &mut dyn FnMut(usize, usize)) -> Result<Cold, String> {
    let sizes: &[usize] = if options.quick { &[1 << 12, 1 << 18] } else { &[1 << 10, 1 << 15, 1 << 20] };
    let residencies: &[Residency] = if gpu { &[Residency::Host, Residency::Gpu] } else { &[Residency::Host] };
    let places: Vec<Place> =
        residencies.iter().flat_map(|&residency| sizes.iter().map(move |&n| Place { n, residency })).collect();
    let ops: Vec<&'static str> = OPS.into_iter().filter(|op| options.wants_op(op)).collect();
    let mut cold = Cold { first: Vec::new(), few: Vec::new(), wrong: Vec::new() };
    for op in &ops {
        for Place { n, residency } in &places {
            let case = Case { op, n: *n, residency: residency.name(), verified: true, ..Case::default() };
            cold.first.push(case.clone());
            cold.few.push(case);
        }
    }

    let cache = Scratch::new("cold")?;
    let child = |who: &str, script: &[(&'static str, Place)]| spawn(options, cache.path(), who, script);
    let everything: Vec<_> = ops.iter().flat_map(|op| places.iter().map(move |place| (*op, *place))).collect();
    child(TEACH, &everything)?;

    let contenders: Vec<usize> = contest::contenders(gpu).collect();
    let (mut done, total) = (0, TURNS * places.len() * contenders.len());
    let mut late = 0;
    let mut chosen = vec![Vec::new(); cold.first.len()];
    for turn in 0..TURNS {
        for shift in 0..places.len() {
            // Operation `o` is at place `o + shift`: over all shifts, each is at each place once.
            let mut script: Vec<_> = ops.iter().enumerate().map(|(o, op)| (*op, places[(o + shift) % places.len()])).collect();
            let first = (turn + shift) % script.len();
            script.rotate_left(first);
            for step in 0..contenders.len() {
                let who = contenders[(turn + shift + step) % contenders.len()];
                let report = child(NAMES[who], &script)?;
                late += usize::from(report["elapsed"].as_f64().is_none_or(|s| s > FIRST_SECOND.as_secs_f64()));
                let cases = report["cases"].as_array().ok_or("a child's report has no cases")?;
                for ((op, place), report) in script.iter().zip(cases) {
                    let at = everything.iter().position(|other| *other == (*op, *place)).expect("the script is a part of it");
                    if let Some(message) = report["wrong"].as_str() {
                        cold.wrong.push(format!("{op} {} on the {}, cold: {message}", place.n, place.residency.name()));
                        (cold.first[at].verified, cold.few[at].verified) = (false, false);
                    }
                    let calls: Vec<f64> = report["seconds"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
                    if let Some(first) = calls.first() {
                        cold.first[at].seconds[who].push(*first);
                        cold.few[at].seconds[who].push(calls.iter().sum::<f64>() / calls.len() as f64);
                    }
                    if who == AUTO {
                        chosen[at].extend(PINS.into_iter().flatten().filter(|b| report["chose"] == contest::name(*b)));
                    }
                }
                done += 1;
                progress(done, total);
            }
        }
    }
    for (at, chosen) in chosen.iter().enumerate() {
        cold.first[at].chose = contest::most_frequent(chosen);
        cold.few[at].chose = cold.first[at].chose;
    }
    if late > 0 {
        eprintln!("{late} of {total} processes took longer than their first second");
    }
    Ok(cold)
}

/// A size and where the data is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    n: usize,
    residency: Residency,
}

/// The word for a child that has the library measure the machine and learn, for others to find in the cache.
const TEACH: &str = "teach";

fn spawn(options: &Options, cache: &Path, who: &str, script: &[(&'static str, Place)]) -> Result<Value, String> {
    let steps: Vec<_> = script.iter().map(|(op, place)| format!("{op}/{}/{}", place.n, place.residency.name())).collect();
    let program = std::env::current_exe().map_err(|error| format!("this program's own path: {error}"))?;
    let mut command = Command::new(program);
    command.arg("--regret-cold-child").arg(format!("{who}:{}", steps.join(",")));
    // Nobody probes the machine in a first second that is measured; the one that teaches asks for it.
    command.env("GRANULE_CACHE", cache).env("GRANULE_CALIBRATE", "never");
    if options.software_gpu {
        command.arg("--software-gpu");
    }
    let output = command.output().map_err(|error| format!("a child process: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).map_err(|_| format!("a child process failed: {}", String::from_utf8_lossy(&output.stderr)))
}

/// A child: does what `script` says, and prints what it took as one line of JSON.
pub(crate) fn child(script: &str, engine: &Engine, process_began: Instant) -> Result<(), Box<dyn std::error::Error>> {
    let (who, steps) = script.split_once(':').ok_or("a script is contender:op/n/residency,...")?;
    // Drivers are opened while the engine is set up: what is compared is calls.
    engine.machine();
    let mut cases = Vec::new();
    for step in steps.split(',') {
        let fields: Vec<_> = step.split('/').collect();
        let [op, n, residency] = fields[..] else { return Err(format!("{step} is not op/n/residency").into()) };
        let op = OPS.into_iter().find(|known| *known == op).ok_or("no such operation")?;
        let residency = if residency == Residency::Gpu.name() { Residency::Gpu } else { Residency::Host };
        cases.push(ops::calls(op, engine, n.parse()?, residency)?);
    }
    if who == TEACH {
        engine.calibrate()?;
        for calls in &mut cases {
            let begun = Instant::now();
            let mut lessons = 0;
            while lessons < 12 || begun.elapsed() < Duration::from_millis(30) {
                calls.prepare()?;
                calls.call(None, 1)?;
                lessons += 1;
            }
        }
        println!("{}", json!({ "cases": [] }));
        return Ok(());
    }
    let who = NAMES.iter().position(|name| *name == who).ok_or("no such contender")?;
    let pin = PINS[who];
    let mut reports = Vec::new();
    for calls in &mut cases {
        let mut seconds = Vec::new();
        for _ in 0..CALLS {
            calls.prepare()?;
            let begun = Instant::now();
            match calls.call(pin, 1) {
                Ok(()) => seconds.push(begun.elapsed().as_secs_f64()),
                Err(error) if stage::is_refusal(&error) => break,
                Err(error) => return Err(error.into()),
            }
        }
        reports.push(json!({ "seconds": seconds }));
    }
    let elapsed = process_began.elapsed().as_secs_f64();
    for (calls, report) in cases.iter_mut().zip(&mut reports) {
        match calls.verify(pin) {
            Err(Trouble::Wrong(message)) => report["wrong"] = json!(format!("wrong answer of {}: {message}", NAMES[who])),
            Err(Trouble::Failed(error)) if !stage::is_refusal(&error) => report["wrong"] = json!(error.to_string()),
            _ => {
                calls.prepare()?;
                report["chose"] = json!(calls.choice(pin).ok().map(contest::name));
            }
        }
    }
    println!("{}", json!({ "elapsed": elapsed, "cases": reports }));
    Ok(())
}
