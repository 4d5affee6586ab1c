//! The plan: what was chosen, and what else there was.

use std::fmt::Write as _;
use std::str::FromStr;

use crate::error::Error;
use crate::machine::{GpuInfo, Machine};

use super::fields::{Bad, Fields};
use super::model::{self, Serial, TILE, Work};
use super::{Backend, Infeasible, Prediction, Problem, Sample};

/// A candidate that is predicted to take so many times longer than another one is not thought about again.
pub(crate) const HOPELESS: f64 = 16.0;

/// A call whose best time on the CPU is below this cannot gain from a GPU what looking for one costs: 30 ms, once, and then at
/// best 100 microseconds a call to submit and to read back.
const LOOK_ABOVE_SECONDS: f64 = 200e-6;

/// Where a call runs, and how finely it is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Where.
    pub backend: Backend,
    /// Threads that take part, the caller's included. One but for [`Backend::Threads`].
    pub workers: usize,
    /// Elements that a worker takes at a time, or a workgroup of a GPU in all (in a map, four workgroups together): a multiple of
    /// 4096.
    pub grain: usize,
    /// Index of the adapter. Zero but for [`Backend::Gpu`].
    pub gpu: usize,
}

impl Choice {
    /// Itself, if it can be carried out.
    pub(crate) fn check(self) -> Result<Choice, Bad> {
        if self.workers == 0 {
            return Err(Bad::new("workers", "0", "at least 1"));
        }
        if self.grain == 0 || !self.grain.is_multiple_of(TILE) {
            return Err(Bad::new("grain", &self.grain.to_string(), "a positive multiple of 4096"));
        }
        Ok(self)
    }
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.backend {
            Backend::Simd => write!(f, "simd"),
            Backend::Threads => write!(f, "threads: {} workers, grain {}", self.workers, self.grain),
            Backend::Gpu => write!(f, "gpu: adapter {}, grain {}", self.gpu, self.grain),
        }
    }
}

/// A way to run a call, and what it would take or why it is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Where.
    pub backend: Backend,
    /// Index of the adapter. Zero but for [`Backend::Gpu`].
    pub gpu: usize,
    /// Threads that take part: the best number of them.
    pub workers: usize,
    /// What it would take, or why it cannot be.
    pub prediction: Result<Prediction, Infeasible>,
}

impl Candidate {
    /// Whether this is where a choice runs.
    #[inline]
    pub fn is(&self, choice: Choice) -> bool {
        self.backend == choice.backend && self.gpu == choice.gpu
    }

    /// What it is compared by, in seconds; infinite if it is not feasible.
    #[inline]
    pub fn total(&self) -> f64 {
        self.prediction.map_or(f64::INFINITY, |p| p.total)
    }

    /// The same once the shader is compiled.
    #[inline]
    pub(crate) fn ready(&self) -> f64 {
        self.prediction.map_or(f64::INFINITY, |p| p.total - p.prepare)
    }

    /// Whether data would have to move to it.
    fn moves(&self) -> bool {
        self.prediction.is_ok_and(|p| p.transfer > 0.0)
    }
}

/// A choice with all candidates that it was made from. It can be compared, printed, written to a file and read again.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What was chosen.
    pub choice: Choice,
    /// All that was considered: one core, threads, and each GPU (or, where there is none, that).
    pub candidates: Vec<Candidate>,
}

impl Plan {
    /// What the chosen candidate was predicted to take. `None` in a plan that was written by hand without candidates.
    pub fn predicted(&self) -> Option<Prediction> {
        self.candidates.iter().find(|c| c.is(self.choice)).and_then(|c| c.prediction.ok())
    }
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.choice)?;
        match self.predicted() {
            Some(prediction) => write!(f, "; {} predicted", Seconds(prediction.expected())),
            None => Ok(()),
        }
    }
}

/// Chooses where and how finely to run a problem: the candidate with the least predicted time, in the order of [`Backend`] where
/// two are equal. Does not allocate and takes no lock; the same problem and machine give the same choice.
///
/// A machine can be described by hand, so this also says what would be chosen elsewhere:
///
/// ```
/// use granule::machine::Machine;
/// use granule::plan::{Backend, Operation, Problem, choose};
///
/// let mut machine = Machine::discover(8); // this one, with prior rates
/// machine.cpu.cores = 16;
/// let mut sum = Problem { n: 1000, result_on_host: true, ..Problem::new(Operation::Reduce) };
/// sum.element.bytes_read = 4.0;
/// assert_eq!(choose(&sum, &machine)?.backend, Backend::Simd);
///
/// sum.n = 100_000_000;
/// let expected = if machine.built.threads { Backend::Threads } else { Backend::Simd };
/// assert_eq!(choose(&sum, &machine)?.backend, expected);
/// # Ok::<(), granule::plan::Infeasible>(())
/// ```
///
/// # Errors
/// The reason why the backend cannot run it that the problem is pinned to.
#[inline]
pub fn choose(problem: &Problem, machine: &Machine) -> Result<Choice, Infeasible> {
    let weighed = Weighed::of(problem, machine);
    Ok(weighed.choice(problem, machine, weighed.best()?))
}

/// One core, if the call is so small that nothing else could possibly win, whatever the model's error. `None` does not say more than
/// that all candidates must be weighed.
#[inline]
pub(crate) fn obvious(problem: &Problem, machine: &Machine) -> Option<Choice> {
    if problem.pinned.is_some() || problem.download_bytes > 0 {
        return None;
    }
    let work = Work::of(problem);
    if work.assumed() {
        return None;
    }
    let serial = Serial::of(problem, &work, machine);
    let total = machine.rates.call + serial.body();
    let near = |gpu: &GpuInfo| model::gpu_at_least(problem, gpu) <= HOPELESS * total;
    if model::could_share(problem, machine, &serial) || machine.gpus().iter().any(near) {
        return None;
    }
    Some(detail(problem, machine, &serial, Backend::Simd, 0, 1))
}

/// How finely the work is cut there.
#[inline]
fn detail(problem: &Problem, machine: &Machine, serial: &Serial, backend: Backend, gpu: usize, workers: usize) -> Choice {
    let grain = match backend {
        Backend::Simd => problem.n.max(1).div_ceil(TILE).saturating_mul(TILE),
        Backend::Threads => model::grain(problem, machine, serial, workers),
        Backend::Gpu => machine.gpus().get(gpu).map_or(1, |gpu| model::tiles_per_workgroup(problem, gpu)) * TILE,
    };
    Choice { backend, workers, grain, gpu }
}

/// A problem's candidates, one a backend: of several GPUs the best. What [`choose`] weighs, for callers who then choose by a rule of
/// their own. Does not allocate.
#[derive(Clone, Copy, Debug)]
pub struct Weighed {
    candidates: [Candidate; 3],
    serial: Serial,
}

impl Weighed {
    /// Weighs them.
    #[inline]
    pub fn of(problem: &Problem, machine: &Machine) -> Weighed {
        let work = Work::of(problem);
        let serial = Serial::of(problem, &work, machine);
        let one = |backend, prediction| Candidate { backend, gpu: 0, workers: 1, prediction };
        let (workers, threads) = split(model::threads(problem, machine, &work, &serial));
        let mut gpu = one(Backend::Gpu, Err(Infeasible::NoGpu));
        match model::any_gpu(problem, machine) {
            Err(reason) => gpu.prediction = Err(reason),
            Ok(()) => {
                for (index, adapter) in machine.gpus().iter().enumerate() {
                    let next = Candidate { gpu: index, ..one(Backend::Gpu, model::gpu(problem, machine, &work, adapter)) };
                    if index == 0 || next.total() < gpu.total() {
                        gpu = next;
                    }
                }
            }
        }
        let simd = one(Backend::Simd, model::simd(problem, machine, &serial));
        Weighed { candidates: [simd, Candidate { workers, ..one(Backend::Threads, threads) }, gpu], serial }
    }

    /// The candidate on this backend.
    #[inline]
    pub fn on(&self, backend: Backend) -> &Candidate {
        &self.candidates[backend as usize]
    }

    /// The backend with the least predicted time.
    ///
    /// # Errors
    /// Why none is feasible: the reason of the last one that was not ruled out by a pin.
    #[inline]
    pub fn best(&self) -> Result<Backend, Infeasible> {
        let [simd, threads, gpu] = &self.candidates;
        let mut best = simd;
        for other in [threads, gpu] {
            if other.total() < best.total() {
                best = other;
            }
        }
        match best.prediction {
            Ok(_) => Ok(best.backend),
            Err(first) => {
                let reasons = self.candidates.iter().filter_map(|c| c.prediction.err());
                Err(reasons.rev().find(|reason| !matches!(reason, Infeasible::PinnedElsewhere(_))).unwrap_or(first))
            }
        }
    }

    /// Seconds by which another backend would have been faster than this one, had the data been there. What moving the data to this
    /// one takes does not count: it is there from now on, and a call that moved would else be a reason to move back.
    pub fn forgone(&self, chosen: Backend) -> f64 {
        let there = |c: &Candidate| c.prediction.map_or(f64::INFINITY, |p| Prediction { transfer: 0.0, ..p }.expected());
        let took = there(self.on(chosen));
        let least = self.candidates.iter().filter(|c| c.backend != chosen && c.moves()).map(there).fold(f64::INFINITY, f64::min);
        if took.is_finite() { (took - least).max(0.0) } else { 0.0 }
    }

    /// What running on this backend means in detail: workers, grain and adapter.
    #[inline]
    pub fn choice(&self, problem: &Problem, machine: &Machine, backend: Backend) -> Choice {
        let Candidate { gpu, workers, .. } = *self.on(backend);
        detail(problem, machine, &self.serial, backend, gpu, workers)
    }
}

/// As [`choose`], with all candidates kept.
///
/// # Errors
/// As [`choose`].
pub fn plan(problem: &Problem, machine: &Machine) -> Result<Plan, Infeasible> {
    Ok(Plan { choice: choose(problem, machine)?, candidates: candidates(problem, machine) })
}

/// Everything that could be done.
pub(super) fn candidates(problem: &Problem, machine: &Machine) -> Vec<Candidate> {
    let work = Work::of(problem);
    let serial = Serial::of(problem, &work, machine);
    let mut list = Vec::with_capacity(3);
    list.push(Candidate { backend: Backend::Simd, gpu: 0, workers: 1, prediction: model::simd(problem, machine, &serial) });
    let (workers, prediction) = split(model::threads(problem, machine, &work, &serial));
    list.push(Candidate { backend: Backend::Threads, gpu: 0, workers, prediction });
    match model::any_gpu(problem, machine) {
        Err(reason) => list.push(Candidate { backend: Backend::Gpu, gpu: 0, workers: 1, prediction: Err(reason) }),
        Ok(()) => list.extend(machine.gpus().iter().enumerate().map(|(index, gpu)| Candidate {
            backend: Backend::Gpu,
            gpu: index,
            workers: 1,
            prediction: model::gpu(problem, machine, &work, gpu),
        })),
    }
    list
}

/// For a caller who has not looked for GPUs: the seconds that the CPU will take, if that is so long that a GPU might matter and
/// nothing rules one out; infinity if the call is pinned to the GPU.
pub fn worth_a_look(problem: &Problem, machine: &Machine) -> Option<f64> {
    if model::any_gpu(problem, machine) != Err(Infeasible::NotLookedFor) {
        return None;
    }
    let weighed = Weighed::of(problem, machine);
    let seconds = weighed.on(Backend::Simd).total().min(weighed.on(Backend::Threads).total());
    (seconds > LOOK_ABOVE_SECONDS).then_some(seconds)
}

fn split(threads: Result<(usize, Prediction), Infeasible>) -> (usize, Result<Prediction, Infeasible>) {
    match threads {
        Ok((workers, prediction)) => (workers, Ok(prediction)),
        Err(reason) => (1, Err(reason)),
    }
}

/// A time as people write it.
pub(super) struct Seconds(pub(super) f64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (value, unit) = match self.0 {
            s if s >= 1.0 => (s, "s"),
            s if s >= 1e-3 => (s * 1e3, "ms"),
            s if s >= 1e-6 => (s * 1e6, "us"),
            s => (s * 1e9, "ns"),
        };
        let digits = if value >= 100.0 { 0 } else { 1 };
        write!(f, "{value:.digits$} {unit}")
    }
}

/// First line of a plan's text, with the version of its form.
const HEADER: &str = "granule plan 2";

impl Plan {
    /// The plan as text, one candidate a line, which [`FromStr`] reads back without loss. Lines that start with `#` are comments,
    /// and a plan may be written by hand with the line `choice` alone:
    ///
    /// ```text
    /// granule plan 2
    /// choice backend=threads workers=2 grain=32768 gpu=0
    /// ```
    pub fn to_text(&self) -> String {
        let Choice { backend, workers, grain, gpu } = self.choice;
        let mut text = format!("{HEADER}\nchoice backend={backend} workers={workers} grain={grain} gpu={gpu}\n");
        for Candidate { backend, gpu, workers, prediction } in &self.candidates {
            let _ = write!(text, "candidate backend={backend} gpu={gpu} workers={workers}"); // writing to a String cannot fail
            let _ = match prediction {
                Ok(p) => {
                    let Prediction { overhead, prepare, wake, transfer, memory, compute, readback, paid, total, seen, assumed } =
                        p;
                    let Sample { ratio, count } = seen;
                    writeln!(
                        text,
                        " overhead={overhead:e} prepare={prepare:e} wake={wake:e} transfer={transfer:e} memory={memory:e} \
                         compute={compute:e} readback={readback:e} paid={paid:e} total={total:e} ratio={ratio:e} samples={count} assumed={assumed}"
                    )
                }
                Err(reason) => match *reason {
                    Infeasible::PinnedElsewhere(to) => writeln!(text, " infeasible=pinned to={to}"),
                    Infeasible::NotBuilt(feature) => writeln!(text, " infeasible=not-built feature={feature}"),
                    Infeasible::Bindings { needed, limit } => {
                        writeln!(text, " infeasible=bindings needed={needed} limit={limit}")
                    }
                    Infeasible::TooLarge { bytes, limit } => writeln!(text, " infeasible=too-large bytes={bytes} limit={limit}"),
                    plain => {
                        let name = PLAIN.iter().find(|(_, reason)| *reason == plain).map_or("", |(name, _)| name);
                        writeln!(text, " infeasible={name}")
                    }
                },
            };
        }
        text
    }
}

/// Reasons without numbers, by name.
const PLAIN: [(&str, Infeasible); 9] = [
    ("one-core", Infeasible::OneCore),
    ("too-small", Infeasible::TooSmall),
    ("not-looked-for", Infeasible::NotLookedFor),
    ("no-gpu", Infeasible::NoGpu),
    ("software", Infeasible::Software),
    ("refused", Infeasible::Refused),
    ("int64", Infeasible::Int64),
    ("float64", Infeasible::Float64),
    ("rounding", Infeasible::Rounding),
];

impl FromStr for Plan {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).map_err(|bad| Error::Config { message: format!("plan: {bad}") })
    }
}

fn parse(text: &str) -> Result<Plan, Bad> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    if lines.next() != Some(HEADER) {
        return Err(Bad::new("the first line", text.lines().next().unwrap_or_default(), HEADER));
    }
    let (mut choice, mut candidates) = (None, Vec::new());
    for line in lines {
        let fields = Fields(line);
        match line.split_whitespace().next() {
            Some("choice") if choice.is_none() => choice = Some(fields.choice(fields.get("gpu")?)?),
            Some("candidate") => candidates.push(fields.candidate()?),
            _ => return Err(Bad::new("a line", line, "one `choice` and any number of `candidate`s")),
        }
    }
    let choice = choice.ok_or_else(|| Bad::new("the text", "no choice", "a line `choice`"))?;
    Ok(Plan { choice, candidates })
}

/// What only a plan has.
impl Fields<'_> {
    fn seconds(&self, key: &str) -> Result<f64, Bad> {
        let value: f64 = self.get(key)?;
        if value >= 0.0 { Ok(value) } else { Err(Bad::new(key, self.text(key)?, "seconds, not negative")) }
    }

    fn ratio(&self, key: &str) -> Result<f32, Bad> {
        let value: f32 = self.get(key)?;
        if value > 0.0 && value.is_finite() { Ok(value) } else { Err(Bad::new(key, self.text(key)?, "a positive number")) }
    }

    fn candidate(&self) -> Result<Candidate, Bad> {
        let prediction = match self.text("infeasible") {
            Ok(reason) => Err(self.infeasible(reason)?),
            Err(_) => Ok(Prediction {
                overhead: self.seconds("overhead")?,
                prepare: self.seconds("prepare")?,
                wake: self.seconds("wake")?,
                transfer: self.seconds("transfer")?,
                memory: self.seconds("memory")?,
                compute: self.seconds("compute")?,
                readback: self.seconds("readback")?,
                paid: self.seconds("paid")?,
                total: self.seconds("total")?,
                seen: Sample { ratio: self.ratio("ratio")?, count: self.get("samples")? },
                assumed: self.get("assumed")?,
            }),
        };
        let (backend, gpu, workers) = (self.backend("backend")?, self.get("gpu")?, self.get("workers")?);
        Ok(Candidate { backend, gpu, workers, prediction })
    }

    fn infeasible(&self, reason: &str) -> Result<Infeasible, Bad> {
        Ok(match reason {
            "pinned" => Infeasible::PinnedElsewhere(self.backend("to")?),
            "not-built" => Infeasible::NotBuilt(self.backend("feature")?),
            "bindings" => Infeasible::Bindings { needed: self.get("needed")?, limit: self.get("limit")? },
            "too-large" => Infeasible::TooLarge { bytes: self.get("bytes")?, limit: self.get("limit")? },
            _ => match PLAIN.iter().find(|(name, _)| *name == reason) {
                Some((_, reason)) => *reason,
                None => return Err(Bad::new("infeasible", reason, "a reason that this version knows")),
            },
        })
    }
}
