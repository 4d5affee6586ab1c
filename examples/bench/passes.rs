//! Passes over the agenda, each in a process of its own. What differs from process to process and not within one is in the intervals then as
//! well: where memory lies, and what the library measured of the machine before it chose (Kalibera and Jones, Rigorous Benchmarking in Reasonable
//! Time, 2013; pyperf starts workers for the same reason). And a driver that takes a process with it leaves what was measured before.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use granule::Engine;
use serde_json::{Value, json};

use crate::agenda::{Agenda, Group};
use crate::noise::Noise;
use crate::options::Options;
use crate::progress::Progress;
use crate::record::{self, Case};
use crate::session::{Key, Session};
use crate::stop::{Stop, Why};

/// What makes a process one that does a pass.
pub(crate) const ARGUMENT: &str = "--pass";

/// All operations at all sizes. `software`: the GPU is a program on the CPU.
pub(crate) fn sweep(session: &mut Session<'_>, software: bool) {
    let (agenda, reduced) = Agenda::new(session.options, session.gpu, software);
    session.not_run.extend(reduced);
    session.progress = Progress::new(agenda.len());
    let begun = Instant::now();
    let mut goes_on = pass(session, &agenda.first(), &HashSet::new());
    // Each group is measured again when all the others were: what changes from moment to moment is seen.
    let slow = session.slow();
    for groups in agenda.rest(begun.elapsed(), session.stop.left()) {
        goes_on = goes_on && pass(session, &groups, &slow);
    }
    if let Some((why, _)) = session.stopped {
        let reason = match why {
            Why::Interrupted => "the run was interrupted before",
            Why::TimeBudget => "the time of the run was over before",
        };
        let known: HashSet<_> = session.cases.iter().map(|case| (case.op, case.ty, case.n, case.residency)).collect();
        let has = |group: &Group| known.contains(&(group.op.name, group.ty, group.n, group.residency.name()));
        session.not_run.extend(agenda.missed(has, reason));
    }
    session.cases = record::merged(std::mem::take(&mut session.cases));
}

/// Has a process measure these groups, without the contenders in `without`. Whether there is time for another one.
fn pass(session: &mut Session<'_>, groups: &[Group], without: &HashSet<Key>) -> bool {
    if let Some(why) = session.stop.now() {
        session.stopped = Some((why, session.progress.so_far()));
        return false;
    }
    let script = Script {
        groups: groups.to_vec(),
        without: without.clone(),
        so_far: session.progress.so_far(),
        since: session.progress.since(),
        left: session.stop.left(),
    };
    match spawn(&script.to_json(), session.gpu).and_then(|report| take(session, &report)) {
        Ok(()) => session.stopped.is_none(),
        Err(message) => {
            session.failed = true;
            session.progress.note(&format!("FAILED: {message}; what was measured before is kept"));
            false
        }
    }
}

/// Starts this program again, with the same arguments, and has it follow the script, with a GPU or without. What it reports.
fn spawn(script: &Value, gpu: bool) -> Result<Value, String> {
    let trouble = |error: std::io::Error| format!("the process of a pass: {error}");
    let program = std::env::current_exe().map_err(trouble)?;
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).arg(ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::piped());
    if !gpu {
        command.env("GRANULE_ADAPTER", "none");
    }
    let mut child = command.spawn().map_err(trouble)?;
    let told = child.stdin.take().map_or(Ok(()), |mut input| input.write_all(script.to_string().as_bytes()));
    let output = child.wait_with_output().map_err(trouble)?;
    if !output.status.success() {
        return Err(format!("the process of a pass ended with {}", output.status));
    }
    told.map_err(trouble)?;
    serde_json::from_slice(&output.stdout).map_err(|error| format!("the process of a pass said what is no report: {error}"))
}

/// Adds what a pass reports to what is known.
fn take(session: &mut Session<'_>, report: &Value) -> Result<(), String> {
    let list = |key: &str| report[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let count = |at: usize| report["so_far"][at].as_u64().and_then(|n| usize::try_from(n).ok());
    let (done, total) = count(0).zip(count(1)).ok_or("the report of a pass does not say how far it came")?;
    let cases: Option<Vec<Case>> = list("cases").iter().map(Case::from_json).collect();
    session.cases.extend(cases.ok_or("the report of a pass has a case that is none")?);
    for entry in list("not_run") {
        if !session.not_run.contains(entry) {
            session.not_run.push(entry.clone());
        }
    }
    session.noise.add(list("noise"));
    session.failed |= report["failed"] == true;
    session.progress.resume([done, total], session.progress.since());
    session.stopped = Why::named(report["stopped"].as_str()).map(|why| (why, [done, total]));
    Ok(())
}

/// What the process of a pass does, in one of its own: reads the script, measures, and reports.
pub(crate) fn child(engine: &Engine, options: &Options, gpu: bool) -> Result<(), Box<dyn std::error::Error>> {
    let now = Instant::now();
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let script = Script::from_json(&serde_json::from_str(&text)?).ok_or("what a pass is to do does not stand in its input")?;
    let mut session = Session::new(engine, options, gpu, Stop::after(now, script.left), Noise::resume(script.since));
    session.progress.resume(script.so_far, script.since);
    session.progress.limit(session.stop.end());
    session.groups(&script.groups, &script.without)?;
    let report = json!({
        "cases": session.cases.iter().map(Case::to_json).collect::<Vec<_>>(),
        "not_run": session.not_run,
        "noise": session.noise.moments(),
        "failed": session.failed,
        "stopped": session.stopped.map(|(why, _)| why.name()),
        "so_far": session.progress.so_far(),
    });
    println!("{report}");
    Ok(())
}

/// What a pass does.
struct Script {
    groups: Vec<Group>,
    /// Who does not take part.
    without: HashSet<Key>,
    /// How many groups were measured before, in how many passes of all of them.
    so_far: [usize; 2],
    /// Since when.
    since: Duration,
    /// How much time there is, if it is limited.
    left: Option<Duration>,
}

impl Script {
    fn to_json(&self) -> Value {
        json!({
            "groups": self.groups.iter().map(|group| group.to_json()).collect::<Vec<_>>(),
            "without": self.without.iter().map(Key::to_json).collect::<Vec<_>>(),
            "so_far": self.so_far,
            "since": self.since.as_secs_f64(),
            "left": self.left.map(|left| left.as_secs_f64()),
        })
    }

    fn from_json(json: &Value) -> Option<Script> {
        let count = |at: usize| json["so_far"][at].as_u64().and_then(|n| usize::try_from(n).ok());
        let seconds = |key: &str| json[key].as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Some(Script {
            groups: json["groups"].as_array()?.iter().map(Group::from_json).collect::<Option<_>>()?,
            without: json["without"].as_array()?.iter().map(Key::from_json).collect::<Option<_>>()?,
            so_far: [count(0)?, count(1)?],
            since: seconds("since")?,
            left: seconds("left"),
        })
    }
}
