//! What an engine learns of its machine: how fast its parts are, and how long calls really took.
//!
//! Three sources of numbers, each better than the one before: priors by kind of machine ([`crate::machine`]), probes that measure
//! this machine once ([`probes`]), and the calls themselves, every one of which is a free sample ([`history`]). What was learned is
//! kept between processes ([`cache`]). The planner stays a pure function: it is handed a machine with these rates and a problem with
//! these samples.
//!
//! One call: [`Tuner::decide`] weighs the candidates with what was seen of such calls and hands out a [`Ticket`]; when the call is
//! done, [`Tuner::done`] compares the clock with what the ticket says was predicted. A call that only one backend could possibly win
//! gets no ticket, and costs no more than the arithmetic of the plan.

#[cfg(feature = "gpu")]
mod batch;
mod cache;
mod history;
mod knowledge;
mod probes;

pub(crate) use knowledge::{Knowledge, Learning};

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::machine::Machine;
use crate::plan::{
    ASSUMED_ITERATIONS, Backend, Choice, HOPELESS, Infeasible, Operation, Plans, Prediction, Problem, Seen, Weighed, Why, obvious,
};

use history::{History, Kind};

/// A backend is left for another one if that takes less than this part of its time ...
const BETTER: f64 = 0.9;
/// ... in so many calls in a row.
const STREAK: u32 = 3;
/// What is tried out may be predicted to take so many times as long as the best, ...
const EXPLORE_WITHIN: f64 = 4.0;
/// ... and all trying out may cost this part of the run time.
const EXPLORE_PART: f64 = 0.02;
/// What a trial is charged with at most, in times of the best candidate's.
const DEAREST_TRIAL: f64 = 16.0;
/// Samples after which a candidate is known.
const KNOWN: u32 = 5;
/// Calls that take less than so many seconds ...
const SHORT: f64 = 20e-6;
/// ... are weighed and timed each time until they were measured so often, ...
const WELL_KNOWN: u32 = 32;
/// ... and then, if nothing is left to try out, once in so many calls.
const EVERY: u32 = 8;
/// Helpers are awake when they have been called for so many times the time that waking them takes.
const AWAKE: f64 = 2.0;
/// Calls of one exploration at most.
const BURST: f64 = 64.0;

/// When a machine's rates are measured, if they are not in the cache.
///
/// Measuring takes a second at most, a third of it for the processor. Decisions may differ before and after; where they must not,
/// there is [`frozen`](crate::EngineBuilder::frozen).
///
/// ```
/// use granule::{Calibrate, Engine};
///
/// let engine = Engine::builder().calibrate(Calibrate::Never).no_cache().build()?;
/// assert!(!engine.machine().rates.measured.memory); // priors
/// # Ok::<(), granule::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Calibrate {
    /// Never: the priors serve, corrected by what calls are seen to take.
    Never,
    /// As soon as the calls that could have run elsewhere have taken as long as measuring does: at worst it doubles that time.
    #[default]
    Lazy,
    /// When the engine is built.
    Now,
}

/// What an engine has learned.
pub(crate) struct Tuner {
    /// No clock, no history: the same decisions in every process.
    pub(crate) frozen: bool,
    pub(crate) plans: Plans,
    history: History,
    /// Whether there are samples that were not kept yet.
    news: AtomicBool,
    /// Nanoseconds that calls with a ticket took.
    ran: AtomicU64,
    /// Nanoseconds of these that were lost by trying something out.
    explored: AtomicU64,
    #[cfg(feature = "gpu")]
    batch: batch::Batch,
}

/// What is to be done, and what to tell afterwards.
pub(crate) struct Decision {
    pub(crate) choice: Choice,
    pub(crate) why: Why,
    pub(crate) ticket: Option<Ticket>,
    /// Seconds by which another backend would have been faster, had the data been there.
    pub(crate) forgone: f64,
}

/// A call whose time is measured.
pub(crate) struct Ticket {
    /// Where it is learned; a pinned call on a GPU is measured only because others share its batch.
    kind: Option<u16>,
    n: usize,
    backend: Backend,
    prediction: Prediction,
    /// What the best candidate would take.
    best: f64,
    /// Whether it runs elsewhere to see how it does there.
    tried: bool,
    /// Whether its time is a sample: helpers that may still have been asleep make none.
    counts: bool,
    /// How many calls it stands for: itself, and those that are not timed.
    stands_for: u32,
    begun: Instant,
}

impl Tuner {
    pub(crate) fn new(frozen: bool, plans: Plans) -> Tuner {
        Tuner {
            frozen,
            plans,
            history: History::new(),
            news: AtomicBool::new(false),
            ran: AtomicU64::new(0),
            explored: AtomicU64::new(0),
            #[cfg(feature = "gpu")]
            batch: batch::Batch::default(),
        }
    }

    /// Seconds that calls have taken of which more than one backend could have been the best.
    pub(crate) fn ran(&self) -> f64 {
        self.ran_nanoseconds() as f64 * 1e-9
    }

    #[inline]
    pub(crate) fn ran_nanoseconds(&self) -> u64 {
        self.ran.load(Relaxed)
    }

    /// Forgets the samples of these backends: their predictions are made from other rates now.
    pub(crate) fn forget(&self, backends: &[Backend]) {
        self.history.forget(backends);
        self.news.store(true, Relaxed);
    }

    /// Whether there is something to be kept since this was asked last.
    pub(crate) fn take_news(&self) -> bool {
        self.news.swap(false, Relaxed)
    }

    /// Adds to a problem what was seen of calls like it. A call that can run on one backend only has nothing to learn.
    pub(crate) fn recall(&self, problem: &mut Problem, machine: &Machine) {
        if !self.frozen
            && problem.pinned.is_none()
            && let Some((_, kind)) = self.history.of(problem)
        {
            self.add_seen(problem, machine, kind);
        }
    }

    fn add_seen(&self, problem: &mut Problem, machine: &Machine, kind: &Kind) {
        problem.seen = kind.seen(problem.n);
        if !kind.has_run_on(Backend::Gpu)
            && let Some(gpu) = machine.gpus().first()
        {
            problem.preparing = (gpu.rates.compile - kind.waited()).max(0.0);
        }
    }

    /// Where and how finely a call runs of which nothing can be learned: it is tiny, or pinned, or the engine is frozen. `None` if it is
    /// for [`Tuner::decide`].
    #[inline]
    pub(crate) fn decide_plainly(&self, problem: &Problem, machine: &Machine) -> Option<Result<Decision, Infeasible>> {
        if self.plans.is_empty()
            && let Some(choice) = obvious(problem, machine)
        {
            return Some(Ok(Decision { choice, why: Why::Least, ticket: None, forgone: 0.0 }));
        }
        if problem.pinned.is_none() && !self.frozen {
            return None;
        }
        let weighed = Weighed::of(problem, machine);
        Some(weighed.best().map(|best| {
            let planned = if problem.pinned.is_none() { self.planned(problem, &weighed) } else { None };
            let why = if planned.is_some() { Why::Planned } else { Why::Least };
            let choice = planned.unwrap_or_else(|| weighed.choice(problem, machine, best));
            // A pinned call alone is nothing to learn from, but others may be in the same batch.
            let learns = choice.backend == Backend::Gpu && !self.frozen;
            let ticket = learns.then(|| Ticket::new(None, problem, &weighed, best, best));
            let forgone = if problem.pinned.is_none() { weighed.forgone(choice.backend) } else { 0.0 };
            Decision { choice, why, ticket, forgone }
        }))
    }

    /// What the plan file says, if it can be done here.
    fn planned(&self, problem: &Problem, weighed: &Weighed) -> Option<Choice> {
        if self.plans.is_empty() {
            return None;
        }
        self.plans.get(problem).filter(|choice| weighed.on(choice.backend).prediction.is_ok())
    }

    /// Where and how finely a call runs that more than one backend could win, by the model and by what was seen of such calls. Takes
    /// no lock, and allocates at the first call of a kind only.
    pub(crate) fn decide(&self, problem: &mut Problem, machine: &Machine) -> Result<Decision, Infeasible> {
        let found = self.history.of(problem);
        if let Some((_, kind)) = found {
            if problem.download_bytes == 0
                && self.plans.is_empty()
                && let Some((choice, why)) = kind.bucket(problem.n).at_rest()
            {
                return Ok(Decision { choice, why, ticket: None, forgone: 0.0 });
            }
            self.add_seen(problem, machine, kind);
        }
        let weighed = Weighed::of(problem, machine);
        let best = weighed.best()?;
        let plainly = |choice: Choice, why| Decision { choice, why, ticket: None, forgone: weighed.forgone(choice.backend) };
        if let Some(choice) = self.planned(problem, &weighed) {
            return Ok(plainly(choice, Why::Planned));
        }
        let Some((index, kind)) = found.filter(|_| contested(&weighed)) else {
            let kind = found.map(|(index, _)| index);
            let ticket = (best == Backend::Gpu).then(|| Ticket::new(kind, problem, &weighed, best, best));
            return Ok(Decision { ticket, ..plainly(weighed.choice(problem, machine, best), Why::Least) });
        };
        let chosen = self.settle(problem, machine, &weighed, best, kind);
        let runs = self.explore(problem, machine, &weighed, chosen, kind).unwrap_or(chosen);
        let why = match runs {
            runs if runs != chosen => Why::Tried,
            runs if runs != best => Why::Kept,
            _ => Why::Least,
        };
        // Who would have gone to the GPU but for the compilation has paid for a part of it.
        if problem.preparing > 0.0 && runs != Backend::Gpu && weighed.on(Backend::Gpu).prediction.is_ok() {
            let ready = weighed.on(Backend::Gpu).total() - problem.preparing;
            kind.wait_more((weighed.on(runs).total() - ready).max(0.0));
        }
        let choice = weighed.choice(problem, machine, runs);
        let forgone = weighed.forgone(runs);
        // Weighing, and two readings of the clock, are much for a call of a few microseconds of which all is well known.
        let expected = weighed.on(runs).total();
        let known = |other| problem.seen.on(other).count >= KNOWN || weighed.on(other).total() > EXPLORE_WITHIN * expected;
        let well_known = problem.seen.on(runs).count >= WELL_KNOWN && Backend::ALL.into_iter().all(known);
        // The calls of a GPU's batch are told apart by their tickets: each must have one.
        let short = runs != Backend::Gpu && expected < SHORT && well_known && runs == chosen && forgone == 0.0;
        if short {
            kind.bucket(problem.n).rest(EVERY - 1, why);
        }
        let mut ticket = Ticket::new(Some(index), problem, &weighed, runs, chosen);
        ticket.stands_for = if short { EVERY } else { 1 };
        let helped = kind.bucket(problem.n).helped_for(runs == Backend::Threads, self.ran_nanoseconds());
        ticket.counts = helped >= AWAKE * machine.rates.wake_cold;
        Ok(Decision { choice, why, ticket: Some(ticket), forgone })
    }

    /// The best backend, unless another one was chosen for such calls before and is not clearly worse.
    fn settle(&self, problem: &Problem, machine: &Machine, weighed: &Weighed, best: Backend, kind: &Kind) -> Backend {
        let bucket = kind.bucket(problem.n);
        let (held, better) = held(problem, weighed, best, kind);
        let streak = bucket.doubt(better);
        let chosen = if gives_way(problem, held, better, streak) { best } else { held };
        bucket.settle(&weighed.choice(problem, machine, chosen));
        chosen
    }

    /// What would run now, and why, if nothing is tried out. The problem has been [recalled](Tuner::recall).
    pub(crate) fn expect(&self, problem: &Problem, machine: &Machine) -> Option<(Choice, Why)> {
        if problem.pinned.is_some() {
            return None;
        }
        let weighed = Weighed::of(problem, machine);
        if let Some(choice) = self.planned(problem, &weighed) {
            return Some((choice, Why::Planned));
        }
        let best = weighed.best().ok()?;
        let (_, kind) = self.history.of(problem).filter(|_| !self.frozen && contested(&weighed))?;
        let (held, better) = held(problem, &weighed, best, kind);
        let kept = held != best && !gives_way(problem, held, better, kind.bucket(problem.n).streak() + 1);
        kept.then(|| (weighed.choice(problem, machine, held), Why::Kept))
    }

    /// What was seen of the same call with another number of elements.
    pub(crate) fn seen(&self, problem: &Problem, n: usize) -> Seen {
        let found = if self.frozen || problem.pinned.is_some() { None } else { self.history.of(problem) };
        found.map_or(problem.seen, |(_, kind)| kind.seen(n))
    }

    /// Another backend, if it is time to see how it does. Helpers that sleep must be woken first, so threads are tried for as many
    /// calls as that takes, and some more; a GPU is tried for one.
    fn explore(&self, problem: &Problem, machine: &Machine, weighed: &Weighed, chosen: Backend, kind: &Kind) -> Option<Backend> {
        let bucket = kind.bucket(problem.n);
        let calls = bucket.count_call();
        if let Some(tried) = bucket.trial() {
            let goes_on = tried != chosen && weighed.on(tried).prediction.is_ok();
            return goes_on.then_some(tried);
        }
        let expected = weighed.on(chosen).total();
        let free = EXPLORE_PART * self.ran() - self.explored.load(Relaxed) as f64 * 1e-9;
        Backend::ALL.into_iter().find(|&other| {
            let total = weighed.on(other).total();
            let known = problem.seen.on(other).count >= KNOWN;
            let due = !known || bucket.due_again(other, calls);
            if other == chosen || !due || weighed.on(other).ready() > EXPLORE_WITHIN * expected {
                return false;
            }
            let burst = match other {
                Backend::Threads => (AWAKE * machine.rates.wake_cold / expected).ceil().min(BURST) + f64::from(KNOWN),
                _ if known => f64::from(KNOWN),
                _ => 1.0,
            };
            // Until the helpers are there the caller works alone and calls them in vain.
            let asleep = if other == Backend::Threads { machine.rates.wake_cold } else { 0.0 };
            // A result that is left on a GPU must be brought back when the next call is made here.
            let stranded = other == Backend::Gpu && !problem.result_on_host && problem.operation != Operation::Reduce;
            let back =
                machine.gpus().first().filter(|_| stranded).map_or(0.0, |gpu| gpu.rates.download.seconds(problem.result_bytes()));
            let pays = burst * (total - expected) + asleep + back <= free;
            if pays {
                bucket.try_out(other, burst as u32 - 1, calls);
            }
            pays
        })
    }

    /// A call on the CPU is done.
    pub(crate) fn done(&self, ticket: Ticket) {
        let took = ticket.begun.elapsed();
        self.took(&ticket, took);
    }

    fn took(&self, ticket: &Ticket, took: Duration) {
        self.ran.fetch_add(took.as_nanos() as u64 * u64::from(ticket.stands_for), Relaxed);
        let seconds = took.as_secs_f64();
        self.charge(ticket, seconds);
        self.learn(ticket, seconds, seconds / ticket.prediction.modelled());
    }

    /// What a call took beyond the best candidate's time is the price of trying it out.
    fn charge(&self, ticket: &Ticket, seconds: f64) {
        // What took longer still was suspended, or lost its core: that is no price of a trial.
        let lost = (seconds - ticket.best).min(DEAREST_TRIAL * ticket.best);
        if ticket.tried && lost > 0.0 {
            self.explored.fetch_add((lost * 1e9) as u64, Relaxed);
        }
    }

    /// Takes a call for a sample; a ratio that is not a number says that it ran, and no more.
    fn learn(&self, ticket: &Ticket, seconds: f64, ratio: f64) {
        let Some(kind) = ticket.kind.map(|index| self.history.at(index)) else { return };
        if !self.news.load(Relaxed) {
            self.news.store(true, Relaxed);
        }
        if !ticket.counts {
            return;
        }
        let p = &ticket.prediction;
        if p.assumed && ratio.is_finite() && kind.has_run_on(ticket.backend) {
            // All that was not foreseen is taken for the loop's.
            let loops = seconds - (p.modelled() - p.memory.max(p.compute));
            kind.learn_iterations(ASSUMED_ITERATIONS * loops / p.compute);
        } else {
            kind.learn(ticket.n, ticket.backend, ratio, ticket.tried);
        }
    }

    /// What was chosen so far, as a plan file.
    pub(crate) fn chosen(&self) -> Plans {
        let mut plans = self.plans.clone();
        self.history.choices().for_each(|(key, choice)| _ = plans.insert(key, choice));
        plans
    }
}

/// Says it where the program listens.
fn log_note(what: &str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "granule", "{what}");
    let _ = what;
}

/// The backend that such calls have run on so far, and whether the best one is clearly better.
fn held(problem: &Problem, weighed: &Weighed, best: Backend, kind: &Kind) -> (Backend, bool) {
    let incumbent = kind.bucket(problem.n).incumbent();
    let held = incumbent.filter(|held| weighed.on(*held).prediction.is_ok()).unwrap_or(best);
    (held, held != best && weighed.on(best).total() < BETTER * weighed.on(held).total())
}

/// What was never measured was only guessed, and is given up at once; what was, after some calls.
fn gives_way(problem: &Problem, held: Backend, better: bool, streak: u32) -> bool {
    better && (streak >= STREAK || problem.seen.on(held).count == 0)
}

/// Whether more than one backend could be the best one, as far as the model alone can tell.
#[inline]
fn contested(weighed: &Weighed) -> bool {
    let [simd, threads, gpu] = Backend::ALL.map(|backend| weighed.on(backend));
    let least = simd.total().min(threads.total()).min(gpu.total());
    // What is compiled once may pay for itself over many calls.
    let near = |ready: f64| u32::from(ready <= HOPELESS * least);
    let guessed = simd.prediction.is_ok_and(|p| p.assumed) && threads.prediction == Err(Infeasible::TooSmall);
    near(simd.ready()) + near(threads.ready()) + near(gpu.ready()) > 1 || guessed
}

impl Ticket {
    fn new(kind: Option<u16>, problem: &Problem, weighed: &Weighed, runs: Backend, best: Backend) -> Ticket {
        Ticket {
            kind,
            n: problem.n,
            backend: runs,
            prediction: weighed.on(runs).prediction.unwrap_or_default(),
            best: weighed.on(best).total(),
            tried: runs != best,
            counts: true,
            stands_for: 1,
            begun: Instant::now(),
        }
    }
}

#[cfg(test)]
mod tests;
