//! One case: the library's choice and every backend take turns at the same calls.

use std::time::{Duration, Instant};

use granule::prelude::*;

use super::figures::{AUTO, Case, NAMES};
use super::ops::{self, Calls};
use crate::groups::Residency;
use crate::measure::Trouble;
use crate::stage;

/// What a call is pinned to, in the order of [`NAMES`].
pub(crate) const PINS: [Option<Backend>; 4] = [None, Some(Backend::Simd), Some(Backend::Threads), Some(Backend::Gpu)];

/// The backends with a name in records.
pub(crate) fn name(backend: Backend) -> &'static str {
    PINS.iter().position(|pin| *pin == Some(backend)).map_or(NAMES[AUTO], |who| NAMES[who])
}

/// Who takes part: the GPU only where there is one.
pub(crate) fn contenders(gpu: bool) -> impl Iterator<Item = usize> {
    let taking_part = move |who: &usize| match PINS[*who] {
        Some(Backend::Threads) => cfg!(feature = "threads"),
        Some(Backend::Gpu) => gpu,
        _ => true,
    };
    (0..PINS.len()).filter(taking_part)
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// The shortest sample of calls that can follow one another.
    pub(crate) sample: Duration,
    /// Time for all samples of a case.
    pub(crate) case: Duration,
    /// How long the library may learn before it is measured.
    pub(crate) learn: Duration,
    /// The most rounds; an even number.
    pub(crate) most: usize,
}

/// The fewest rounds, so that each half has a median.
const FEWEST: usize = 6;
/// The fewest calls from which the library may learn.
const LESSONS: usize = 12;
/// Calls shorter than this are made once before a sample, untimed: awake threads, and the caches as this contender leaves them.
const WORTH_WARMING: Duration = Duration::from_millis(5);

/// What came of a case.
pub(crate) struct Outcome {
    /// The samples.
    pub(crate) case: Case,
    /// Wrong answers and failures, in words.
    pub(crate) wrong: Vec<String>,
}

/// Has an operation on `n` elements done by everybody.
pub(crate) fn contest(
    op: &'static str,
    engine: &Engine,
    n: usize,
    residency: Residency,
    gpu: bool,
    effort: Effort,
) -> granule::Result<Outcome> {
    let mut calls = ops::calls(op, engine, n, residency)?;
    let calls = calls.as_mut();
    let mut outcome = Outcome { case: Case { op, n, residency: residency.name(), ..Case::default() }, wrong: Vec::new() };
    let mut entrants = Vec::new();
    for who in contenders(gpu) {
        match calls.verify(PINS[who]) {
            Ok(()) => entrants.push(who),
            Err(Trouble::Stopped | Trouble::TooSlow(_)) => {}
            Err(Trouble::Failed(error)) if stage::is_refusal(&error) => {}
            Err(Trouble::Failed(error)) => outcome.wrong.push(format!("{}: {error}", NAMES[who])),
            Err(Trouble::Wrong(message)) => outcome.wrong.push(format!("wrong answer of {}: {message}", NAMES[who])),
        }
    }
    outcome.case.verified = outcome.wrong.is_empty();
    if !entrants.contains(&AUTO) {
        return Ok(outcome);
    }

    let begun = Instant::now();
    let mut lessons = 0;
    while lessons < LESSONS || begun.elapsed() < effort.learn {
        calls.prepare()?;
        calls.call(None, 1)?;
        lessons += 1;
    }

    let mut samples = Vec::new();
    let mut round_takes = Duration::ZERO;
    for &who in &entrants {
        let sample = Sample::sized(calls, PINS[who], effort.sample)?;
        let begun = Instant::now();
        sample.take(calls, PINS[who])?;
        round_takes += begun.elapsed();
        samples.push((who, sample));
    }
    let affordable = (effort.case.as_secs_f64() / round_takes.as_secs_f64().max(1e-6)) as usize;
    let rounds = affordable.clamp(FEWEST, effort.most).next_multiple_of(2);

    let mut chosen = Vec::new();
    for round in 0..rounds {
        samples.rotate_left(usize::from(round > 0));
        for (who, sample) in &samples {
            outcome.case.seconds[*who].push(sample.take(calls, PINS[*who])?);
        }
        calls.prepare()?;
        chosen.push(calls.choice(None)?);
    }
    outcome.case.chose = most_frequent(&chosen);
    Ok(outcome)
}

/// What was chosen most often.
pub(crate) fn most_frequent(chosen: &[Backend]) -> &'static str {
    let count = |backend: &Backend| chosen.iter().filter(|other| *other == backend).count();
    chosen.iter().max_by_key(|backend| count(backend)).map_or(NAMES[AUTO], |backend| name(*backend))
}

/// How a contender is sampled.
#[derive(Clone, Copy)]
struct Sample {
    /// Calls in it.
    calls: u64,
    /// Whether one is made before, untimed.
    warm: bool,
}

impl Sample {
    /// As many calls as last so long; that is the contender's warm-up too.
    fn sized(calls: &mut dyn Calls, on: Option<Backend>, least: Duration) -> granule::Result<Sample> {
        if !calls.repeatable() {
            // What is prepared for every call is what precedes all of them alike.
            return Ok(Sample { calls: 1, warm: false });
        }
        let mut count = 1;
        let took = loop {
            let begun = Instant::now();
            calls.call(on, count)?;
            let took = begun.elapsed();
            if took >= least {
                break took;
            }
            let missing = least.as_secs_f64() / took.as_secs_f64().max(1e-9);
            count = (count as f64 * (1.25 * missing).clamp(2.0, 100.0)).ceil() as u64;
        };
        Ok(Sample { calls: count, warm: took.div_f64(count as f64) < WORTH_WARMING })
    }

    /// Seconds a call.
    fn take(self, calls: &mut dyn Calls, on: Option<Backend>) -> granule::Result<f64> {
        calls.prepare()?;
        if self.warm {
            calls.call(on, 1)?;
        }
        let begun = Instant::now();
        calls.call(on, self.calls)?;
        Ok(begun.elapsed().as_secs_f64() / self.calls as f64)
    }
}
