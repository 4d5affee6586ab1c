//! Predicted and measured times of one kernel over the number of elements.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use granule::machine::Machine;
use granule::plan::explain;
use granule::prelude::*;

use crate::subjects::Subject;

/// The shortest time that the clock is asked about.
const SAMPLE: Duration = Duration::from_millis(1);
/// Closer than this, the next run may have it the other way round.
const NOISE: f64 = 1.05;
/// A first call that takes so long says how long a sample takes.
const LONG: Duration = Duration::from_millis(100);
/// The most samples of a backend at one size.
const MOST: u32 = 41;

/// A kernel at one size. Seconds a call, by backend.
pub(crate) struct Point {
    pub(crate) n: usize,
    pub(crate) chosen: Backend,
    /// What the planner predicts; `None` where it rules the backend out.
    pub(crate) predicted: [Option<f64>; 3],
    /// The median of the samples.
    pub(crate) measured: [Option<f64>; 3],
}

impl Point {
    /// Whether anything was measured here.
    pub(crate) fn is_measured(&self) -> bool {
        self.measured.iter().any(Option::is_some)
    }

    /// What was fastest here; the chosen backend if it is as fast but for the noise.
    pub(crate) fn fastest(&self) -> Option<Backend> {
        let times = Backend::ALL.into_iter().filter_map(|backend| self.measured[backend as usize].map(|time| (backend, time)));
        let (fastest, least) = times.min_by(|a, b| a.1.total_cmp(&b.1))?;
        let as_fast = self.measured[self.chosen as usize].is_some_and(|time| time <= NOISE * least);
        Some(if as_fast { self.chosen } else { fastest })
    }
}

/// A kernel over all sizes.
pub(crate) struct Curves {
    pub(crate) name: &'static str,
    pub(crate) formula: &'static str,
    /// By size, in half-octaves.
    pub(crate) points: Vec<Point>,
    /// Why the GPU is not measured.
    pub(crate) no_gpu: Option<String>,
}

impl Curves {
    /// Predicts in half-octaves, then measures every `step`-th power of two, each within `budget` or a few calls of everybody.
    pub(crate) fn of(
        machine: &Machine,
        subject: &mut Subject<'_>,
        powers: RangeInclusive<u32>,
        step: u32,
        budget: Duration,
    ) -> granule::Result<Curves> {
        let (first, last) = (*powers.start(), *powers.end());
        let mut no_gpu = None;
        let mut points = Vec::new();
        // Before anything runs: what is shown is what was believed.
        for half in 2 * first..=2 * last {
            let n = 2_f64.powf(f64::from(half) / 2.0).round() as usize;
            let explanation = explain(&subject.problem(n)?, machine);
            let mut predicted = [None; 3];
            for candidate in &explanation.candidates {
                if let Ok(prediction) = candidate.prediction {
                    let least = &mut predicted[candidate.backend as usize];
                    *least = Some(least.unwrap_or(f64::INFINITY).min(prediction.total));
                }
            }
            let reasons = explanation.candidates.iter().zip(&explanation.reasons);
            no_gpu = reasons.filter(|(c, _)| c.backend == Backend::Gpu && c.prediction.is_err()).map(|(_, r)| r.clone()).next();
            let chosen = explanation.choice.map_or(Backend::Simd, |choice| choice.backend);
            points.push(Point { n, chosen, predicted, measured: [None; 3] });
        }
        for point in points.iter_mut().filter(|point| point.n.is_power_of_two()) {
            if (last - point.n.ilog2()).is_multiple_of(step) {
                point.measured = measure(subject, point.n, no_gpu.is_none(), budget)?;
            }
        }
        Ok(Curves { name: subject.name, formula: subject.formula, points, no_gpu })
    }
}

/// Pinned to each backend in turns, so that whatever else the machine does hits all alike. Medians.
fn measure(subject: &mut Subject<'_>, n: usize, gpu: bool, budget: Duration) -> granule::Result<[Option<f64>; 3]> {
    let mut entrants = Vec::new();
    let mut round = Duration::ZERO;
    for backend in Backend::ALL {
        if backend == Backend::Gpu && !gpu {
            continue;
        }
        // The first call compiles shaders and wakes threads. Where it is long, that is a small part of it.
        let begun = Instant::now();
        match subject.run(n, backend, 1) {
            Err(Error::Unsupported { .. } | Error::TooLarge { .. }) => continue,
            other => other?,
        }
        let (mut calls, mut took) = (1, begun.elapsed());
        if took < LONG {
            loop {
                let begun = Instant::now();
                subject.run(n, backend, calls)?;
                took = begun.elapsed();
                if took >= SAMPLE {
                    break;
                }
                let missing = SAMPLE.as_secs_f64() / took.as_secs_f64().max(1e-9);
                calls = (calls as f64 * (1.25 * missing).clamp(2.0, 100.0)).ceil() as u64;
            }
        }
        round += took;
        entrants.push((backend, calls, Vec::new()));
    }
    let rounds = ((budget.as_secs_f64() / round.as_secs_f64()) as u32).clamp(3, MOST);
    for _ in 0..rounds {
        for (backend, calls, samples) in &mut entrants {
            let begun = Instant::now();
            subject.run(n, *backend, *calls)?;
            samples.push(begun.elapsed().as_secs_f64() / *calls as f64);
        }
    }
    let mut measured = [None; 3];
    for (backend, _, mut samples) in entrants {
        samples.sort_by(f64::total_cmp);
        measured[backend as usize] = Some(samples[samples.len() / 2]);
    }
    Ok(measured)
}
