//! The method: the contenders of a group take turns, sample by sample, so that whatever the machine does besides hits all alike.

use std::time::{Duration, Instant};

use crate::stop::Stop;

/// One way to do an operation.
pub(crate) struct Contender<'g> {
    /// The backend, or `peer:...`.
    pub(crate) backend: String,
    /// What `auto` chose.
    pub(crate) chose: Option<String>,
    /// The plan, in the library's words.
    pub(crate) plan: Option<String>,
    /// Operations an element, as the planner counts them.
    pub(crate) ops: Option<f64>,
    /// Does the operation so many times.
    pub(crate) run: Box<dyn FnMut(u64) -> granule::Result<()> + 'g>,
    /// Spoils the output, does the operation once, and compares the answer with the oracle's.
    pub(crate) verify: Box<dyn FnMut() -> Result<(), Trouble> + 'g>,
}

/// Why there is no figure, or none to be trusted.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The answer is wrong: the run fails.
    Wrong(String),
    /// The library refused or failed.
    Failed(granule::Error),
    /// One call takes so long that this run has no time for it.
    TooSlow(Duration),
    /// The run ended before.
    Stopped,
}

impl From<granule::Error> for Trouble {
    fn from(error: granule::Error) -> Self {
        Trouble::Failed(error)
    }
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// The shortest sample: iterations are added until it is reached.
    pub(crate) sample: Duration,
    /// Time for all samples of one contender. One that is slower still gets the fewest.
    pub(crate) contender: Duration,
    /// Time for all samples of all contenders, if it is limited.
    pub(crate) group: Option<Duration>,
    /// The fewest and the most samples of a contender.
    pub(crate) samples: [u32; 2],
    /// Who needs longer for a call is not measured.
    pub(crate) longest: Option<Duration>,
    /// When the run ends.
    pub(crate) stop: Stop,
}

impl Budget {
    /// The same, where so many contenders share the time of their group.
    pub(crate) fn shared_by(self, contenders: usize) -> Budget {
        let share = self.group.map_or(self.contender, |group| group / contenders.max(1) as u32);
        Budget { contender: self.contender.min(share), ..self }
    }
}

/// The most iterations of a sample by the GPU's clock, which has room for so many passes only.
const MOST_BY_CLOCK: u64 = 32;
/// A contender whose iteration is shorter does one before each sample, untimed, so that no sample starts with parked threads, an
/// idle GPU, or the caches as another contender left them.
const WORTH_WARMING: Duration = Duration::from_millis(5);

/// What came of one contender.
pub(crate) struct Outcome {
    /// Seconds an iteration, sample by sample.
    pub(crate) seconds: Vec<f64>,
    /// The same of a few samples by the GPU's own clock, if it did the work.
    pub(crate) gpu_seconds: Vec<f64>,
    /// Whether all answers were right; or why there are none.
    pub(crate) verdict: Result<(), Trouble>,
}

struct Entry<'c, 'g> {
    contender: &'c mut Contender<'g>,
    iterations: u64,
    one: Duration,
    quota: u32,
    outcome: Outcome,
}

/// Has work done, and says how long that took by the GPU's own clock, where it has one.
pub(crate) type Clock<'c> = &'c dyn Fn(&mut dyn FnMut() -> granule::Result<()>) -> granule::Result<Option<Duration>>;

/// Measures a group: verify, warm up, sample in turns, verify again.
pub(crate) fn measure(contenders: &mut [Contender<'_>], budget: Budget, clock: Clock<'_>) -> Vec<Outcome> {
    let mut entries: Vec<_> = contenders
        .iter_mut()
        .map(|contender| {
            let mut entry = Entry {
                contender,
                iterations: 1,
                one: Duration::ZERO,
                quota: 0,
                outcome: Outcome { seconds: Vec::new(), gpu_seconds: Vec::new(), verdict: Ok(()) },
            };
            entry.outcome.verdict = match budget.stop.now() {
                Some(_) => Err(Trouble::Stopped),
                None => (entry.contender.verify)().and_then(|()| entry.calibrate(budget)),
            };
            entry
        })
        .collect();

    let rounds = entries.iter().map(|e| e.quota).max().unwrap_or(0);
    for round in 0..rounds {
        if budget.stop.now().is_some() {
            break;
        }
        for entry in &mut entries {
            // Spreads the samples of one with fewer of them evenly over all rounds.
            let due = |r: u32| u64::from(r) * u64::from(entry.quota) / u64::from(rounds);
            if entry.outcome.verdict.is_ok() && due(round + 1) > due(round) {
                entry.outcome.verdict = entry.sample();
            }
        }
    }

    entries
        .into_iter()
        .map(|mut entry| {
            if entry.outcome.verdict.is_ok() && budget.stop.now().is_none() {
                entry.outcome.verdict = entry.by_the_gpu(clock, budget.samples[0]);
            }
            if entry.outcome.verdict.is_ok() {
                let measured = !entry.outcome.seconds.is_empty();
                entry.outcome.verdict = if measured { (entry.contender.verify)() } else { Err(Trouble::Stopped) };
            }
            entry.outcome
        })
        .collect()
}

impl Entry<'_, '_> {
    /// Finds how many iterations make a sample; that is the warm-up too.
    fn calibrate(&mut self, budget: Budget) -> Result<(), Trouble> {
        let took = loop {
            let start = Instant::now();
            (self.contender.run)(self.iterations)?;
            let took = start.elapsed();
            if budget.longest.is_some_and(|longest| self.iterations == 1 && took > longest) {
                return Err(Trouble::TooSlow(took));
            }
            if took >= budget.sample {
                break took;
            }
            let missing = budget.sample.as_secs_f64() / took.as_secs_f64().max(1e-9);
            self.iterations = (self.iterations as f64 * (1.25 * missing).clamp(2.0, 100.0)).ceil() as u64;
        };
        self.one = took.div_f64(self.iterations as f64);
        let affordable = budget.contender.as_secs_f64() / took.as_secs_f64();
        let [fewest, most] = budget.samples;
        self.quota = (affordable as u32).clamp(fewest, most);
        Ok(())
    }

    /// A few samples by the GPU's own clock, if it does the work.
    fn by_the_gpu(&mut self, clock: Clock<'_>, samples: u32) -> Result<(), Trouble> {
        let chosen = self.contender.chose.as_deref().unwrap_or(&self.contender.backend);
        if chosen != "gpu" || self.outcome.seconds.is_empty() {
            return Ok(());
        }
        let iterations = self.iterations.min(MOST_BY_CLOCK);
        for _ in 0..samples {
            // What runs elsewhere after all takes no time there.
            match clock(&mut || (self.contender.run)(iterations))? {
                Some(took) if !took.is_zero() => self.outcome.gpu_seconds.push(took.as_secs_f64() / iterations as f64),
                _ => break,
            }
        }
        Ok(())
    }

    fn sample(&mut self) -> Result<(), Trouble> {
        if self.one < WORTH_WARMING {
            (self.contender.run)(1)?;
        }
        let start = Instant::now();
        (self.contender.run)(self.iterations)?;
        self.outcome.seconds.push(start.elapsed().as_secs_f64() / self.iterations as f64);
        Ok(())
    }
}
