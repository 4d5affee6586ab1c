//! History: how long calls really took, by kind of call, half-octave of the number of elements, and backend.
//!
//! What is kept is not a time but a ratio, measured over predicted, so that it holds for the other sizes of its half-octave, and for
//! its neighbours until they have samples of their own. It is a running median, which forgives outliers. All of it is atomics in
//! tables that only grow: a look takes no lock and allocates nothing, and of two threads that write the same cell at once one wins.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::plan::{Backend, Choice, PlanKey, Problem, Sample, Seen, TILE, Why, half_octave};

use super::cache::Entry;

/// Kinds of calls that are told apart.
const KINDS: usize = 1024;
/// Places at which a kind may be; where all are taken, the rest of the program's kinds are planned by the model alone.
const PROBES: usize = 16;
/// Half-octaves of `usize`.
const HALF_OCTAVES: usize = half_octave(usize::MAX) as usize + 1;
/// How far away a neighbour's ratio is trusted, in half-octaves.
const NEAR: usize = 6;

/// See the module.
pub(crate) struct History {
    kinds: Box<[OnceLock<Box<Kind>>]>,
}

/// The calls of one kind.
pub(crate) struct Kind {
    /// Its name: the same in every process.
    pub(crate) name: u64,
    /// What the plan file calls it; the bucket is of no meaning. `None` until a call of it was seen in this process.
    key: OnceLock<PlanKey>,
    /// How often loops of unknown length run: the bits of an `f32`, zero while unknown.
    iterations: Cell,
    /// A bit a backend that has run once: what the first run costs besides (pool, pages, pipelines) is no sample.
    ran: AtomicU32,
    /// Seconds that calls lost by not going to a GPU whose shader was not ready: the bits of an `f64`.
    waited: AtomicU64,
    /// Made when they are needed: few sizes are.
    buckets: [OnceLock<Box<Bucket>>; HALF_OCTAVES],
}

/// Calls of about one size.
pub(crate) struct Bucket {
    cells: [Cell; 3],
    /// What is run there, packed; zero before the first call.
    incumbent: AtomicU64,
    /// How many calls in a row another backend was better by enough to change to it.
    streak: AtomicU32,
    calls: AtomicU32,
    /// After how many calls each backend is tried out again.
    again: [AtomicU32; 3],
    /// For how many more calls the incumbent is run without a look at the others, and whether it is kept though another was better,
    /// packed.
    unquestioned: AtomicU32,
    /// The backend that is tried out, and for how many more calls, packed.
    trial: AtomicU32,
    /// How long calls had run when they began to go to the threads without exception: nanoseconds, zero if the last one did not.
    helped: AtomicU64,
}

/// The median of the ratios seen: of the first five it is known, and from then on each ratio above it raises it by a step, and each
/// below lowers it. So one slow call, or a whole train of slow ones while helpers sleep, moves it a little only. But what is tried out
/// again starts anew: then the median is that of the last five.
struct Cell {
    /// How many there were, and the last five in ten bits each.
    last: AtomicU64,
    /// The binary logarithm of the median: the bits of an `f32`.
    median: AtomicU32,
}

/// Ratios that are kept to find such a median.
const FIRST: u32 = 5;
const RATIO_BITS: u32 = 10;
const ALL_BITS: u32 = FIRST * RATIO_BITS;
const MOST: u64 = (1 << (64 - ALL_BITS)) - 1;
/// What is known is tried again after so many calls, and then each time that there were four times as many, ...
const SOON: u32 = 64;
/// ... but at the latest after so many more.
const SELDOM: u32 = 4096;
/// Of the median's logarithm: half a percent.
const STEP: f32 = 1.0 / 128.0;

/// A logarithm as a number of ten bits: 32 steps an octave, sixteen octaves each way.
fn code(log2: f32) -> u64 {
    (log2 * 32.0 + 512.0).round().clamp(0.0, 1023.0) as u64
}

fn log2(code: u64) -> f32 {
    (code as f32 - 512.0) / 32.0
}

/// A logarithm, and how many samples it stands for.
type Log2 = (f32, u32);

impl Cell {
    const fn new() -> Cell {
        Cell { last: AtomicU64::new(0), median: AtomicU32::new(0) }
    }

    fn push(&self, ratio: f64, tried: bool) {
        let new = (ratio as f32).log2();
        let old = self.last.load(Relaxed);
        let count = ((old >> ALL_BITS) + 1).min(MOST);
        let codes = (old << RATIO_BITS | code(new)) & ((1 << ALL_BITS) - 1);
        if tried || count <= u64::from(FIRST) {
            let mut held: [u64; FIRST as usize] = std::array::from_fn(|i| codes >> (RATIO_BITS * i as u32) & 1023);
            let held = &mut held[..count.min(u64::from(FIRST)) as usize];
            held.sort_unstable();
            // Of an even number the lower one: an outlier is a slow call.
            self.median.store(log2(held[(held.len() - 1) / 2]).to_bits(), Relaxed);
        } else {
            let median = f32::from_bits(self.median.load(Relaxed));
            let moved = if new > median { median + STEP } else { median - STEP };
            self.median.store(moved.to_bits(), Relaxed);
        }
        self.last.store(count << ALL_BITS | codes, Relaxed);
    }

    #[inline]
    fn get(&self) -> Option<Log2> {
        let count = (self.last.load(Relaxed) >> ALL_BITS) as u32;
        (count > 0).then(|| (f32::from_bits(self.median.load(Relaxed)), count))
    }

    fn sample(&self) -> Option<Sample> {
        self.get().map(|(log2, count)| Sample { ratio: log2.exp2(), count })
    }

    /// What was measured in another process counts as much as in this one.
    fn restore(&self, sample: Sample) {
        let log2 = sample.ratio.log2();
        let codes = (0..FIRST).fold(0, |all, _| all << RATIO_BITS | code(log2));
        self.median.store(log2.to_bits(), Relaxed);
        self.last.store(u64::from(sample.count).min(MOST) << ALL_BITS | codes, Relaxed);
    }

    fn clear(&self) {
        self.last.store(0, Relaxed);
    }
}

impl Bucket {
    const fn new() -> Bucket {
        Bucket {
            cells: [const { Cell::new() }; 3],
            incumbent: AtomicU64::new(0),
            streak: AtomicU32::new(0),
            calls: AtomicU32::new(0),
            again: [const { AtomicU32::new(SOON) }; 3],
            unquestioned: AtomicU32::new(0),
            trial: AtomicU32::new(0),
            helped: AtomicU64::new(0),
        }
    }

    /// What is run there.
    pub(crate) fn incumbent(&self) -> Option<Backend> {
        match self.incumbent.load(Relaxed) & 3 {
            0 => None,
            1 => Some(Backend::Simd),
            2 => Some(Backend::Threads),
            _ => Some(Backend::Gpu),
        }
    }

    /// From now on this is run there.
    pub(crate) fn settle(&self, choice: &Choice) {
        let (gpu, workers) = (choice.gpu.min(63) as u64, choice.workers.min(0xffff) as u64);
        let tiles = (choice.grain / TILE).min((1 << 40) - 1) as u64;
        let packed = (choice.backend as u64 + 1) | gpu << 2 | workers << 8 | tiles << 24;
        if self.incumbent.load(Relaxed) != packed {
            self.incumbent.store(packed, Relaxed);
        }
    }

    fn choice(&self) -> Option<Choice> {
        let backend = self.incumbent()?;
        let packed = self.incumbent.load(Relaxed);
        let (workers, grain) = ((packed >> 8 & 0xffff) as usize, (packed >> 24) as usize * TILE);
        Some(Choice { backend, workers, grain, gpu: (packed >> 2 & 63) as usize })
    }

    /// Notes whether another backend was better again, and says how often in a row it was.
    pub(crate) fn doubt(&self, better: bool) -> u32 {
        let held = self.streak.load(Relaxed);
        let streak = if better { held + 1 } else { 0 };
        if streak != held {
            self.streak.store(streak, Relaxed);
        }
        streak
    }

    /// How many calls in a row another backend was better.
    pub(crate) fn streak(&self) -> u32 {
        self.streak.load(Relaxed)
    }

    /// Tries a backend out for so many more calls, after so many in all.
    pub(crate) fn try_out(&self, backend: Backend, more: u32, calls: u32) {
        self.trial.store(more << 2 | backend as u32, Relaxed);
        self.helped.store(0, Relaxed);
        let again = calls.saturating_add((3 * calls.min(SELDOM)).clamp(SOON, SELDOM));
        self.again[backend as usize].store(again, Relaxed);
    }

    /// Whether it is time to try out again, after so many calls, what is known already: its samples may have met a busy machine, and
    /// machines change.
    pub(crate) fn due_again(&self, backend: Backend, calls: u32) -> bool {
        calls >= self.again[backend as usize].load(Relaxed)
    }

    /// The backend that is tried out, in one call more.
    pub(crate) fn trial(&self) -> Option<Backend> {
        let trial = self.trial.load(Relaxed);
        if trial < 4 {
            return None;
        }
        self.trial.store(trial - 4, Relaxed);
        Some(Backend::ALL[trial as usize & 3])
    }

    /// Seconds of run time for which all calls have gone to the threads, this one included if `helped`; infinity if it does not.
    pub(crate) fn helped_for(&self, helped: bool, ran: u64) -> f64 {
        let since = self.helped.load(Relaxed);
        match (helped, since) {
            (false, 0) => f64::INFINITY,
            (false, _) => {
                self.helped.store(0, Relaxed);
                f64::INFINITY
            }
            (true, 0) => {
                self.helped.store(ran.max(1), Relaxed);
                0.0
            }
            (true, since) => ran.saturating_sub(since) as f64 * 1e-9,
        }
    }

    /// The next so many calls run what was settled, without a look at the others.
    pub(crate) fn rest(&self, calls: u32, why: Why) {
        self.unquestioned.store(calls << 1 | u32::from(why == Why::Kept), Relaxed);
    }

    /// What such a call runs, and why it was settled. `None` if it is time to look again.
    #[inline]
    pub(crate) fn at_rest(&self) -> Option<(Choice, Why)> {
        let packed = self.unquestioned.load(Relaxed);
        let left = (packed >> 1).checked_sub(1)?;
        self.unquestioned.store(left << 1 | packed & 1, Relaxed);
        Some((self.choice()?, if packed & 1 == 1 { Why::Kept } else { Why::Least }))
    }

    /// One more call that was weighed; how many there were before.
    pub(crate) fn count_call(&self) -> u32 {
        self.calls.fetch_add(1, Relaxed)
    }
}

impl Kind {
    fn new(name: u64) -> Kind {
        Kind {
            name,
            key: OnceLock::new(),
            iterations: Cell::new(),
            ran: AtomicU32::new(0),
            waited: AtomicU64::new(0),
            buckets: [const { OnceLock::new() }; HALF_OCTAVES],
        }
    }

    /// The calls of this size.
    pub(crate) fn bucket(&self, n: usize) -> &Bucket {
        self.bucket_at(half_octave(n))
    }

    fn bucket_at(&self, half_octave: u8) -> &Bucket {
        self.buckets[half_octave as usize].get_or_init(|| Box::new(Bucket::new()))
    }

    fn made(&self) -> impl Iterator<Item = (u8, &Bucket)> {
        self.buckets.iter().enumerate().filter_map(|(at, bucket)| Some((at as u8, &**bucket.get()?)))
    }

    /// What was measured of calls of this size, or else of the nearest size.
    pub(crate) fn seen(&self, n: usize) -> Seen {
        let at = half_octave(n) as usize;
        let cell = |bucket: usize, backend: usize| self.buckets[bucket].get()?.cells[backend].get();
        let here = [0, 1, 2].map(|backend| cell(at, backend));
        // A model that is wrong of a kernel is wrong of it everywhere, by about the same on one core and on several, and on a GPU by
        // some of it: that is what is assumed of a backend before it has samples of its own.
        let [simd, threads, gpu] = here.map(|sample| sample.map(|(log2, _)| log2));
        let cpu = match (simd, threads) {
            (Some(simd), Some(threads)) => Some((simd + threads) / 2.0),
            (one, other) => one.or(other),
        };
        let half = |log2: Option<f32>| log2.map(|log2| log2 / 2.0);
        let assumed = [threads.or(half(gpu)), simd.or(half(gpu)), half(cpu)];
        let on = |backend: usize| {
            let (log2, count) = match (here[backend], assumed[backend]) {
                (Some((log2, count)), _) if count >= FIRST => (log2, count),
                // The first samples are weighed against that assumption.
                (Some((log2, count)), assumed) => {
                    let weight = count as f32 / (count + 1) as f32;
                    (weight * log2 + (1.0 - weight) * assumed.unwrap_or(0.0), count)
                }
                (None, Some(assumed)) => (assumed, 0),
                (None, None) => {
                    let near = (1..=NEAR).find_map(|d| {
                        let below = at.checked_sub(d).and_then(|bucket| cell(bucket, backend));
                        below.or_else(|| if at + d < HALF_OCTAVES { cell(at + d, backend) } else { None })
                    });
                    match near {
                        Some((log2, _)) => (log2, 0),
                        None => return Sample::default(),
                    }
                }
            };
            Sample { ratio: log2.exp2(), count }
        };
        let iterations = self.iterations.sample().map_or(0.0, |sample| sample.ratio);
        Seen { simd: on(0), threads: on(1), gpu: on(2), iterations }
    }

    /// Whether it ran there before in this process.
    pub(crate) fn has_run_on(&self, backend: Backend) -> bool {
        self.ran.load(Relaxed) >> backend as u32 & 1 == 1
    }

    /// Seconds that its calls lost by waiting for a shader to be worth its compilation.
    pub(crate) fn waited(&self) -> f64 {
        f64::from_bits(self.waited.load(Relaxed))
    }

    /// More of them.
    pub(crate) fn wait_more(&self, seconds: f64) {
        self.waited.store((self.waited() + seconds).to_bits(), Relaxed);
    }

    /// It ran there. Whether it was the first time.
    fn note_run(&self, backend: Backend) -> bool {
        self.ran.fetch_or(1 << backend as u32, Relaxed) >> backend as u32 & 1 == 0
    }

    /// Learns that a call took `ratio` times as long as predicted. The first run on a backend is only noted.
    pub(crate) fn learn(&self, n: usize, backend: Backend, ratio: f64, tried: bool) {
        let first = self.note_run(backend);
        // A clock that stood still, or a call that slept with the machine.
        if !first && ratio.is_finite() && ratio > 1e-4 && ratio < 1e4 {
            self.bucket(n).cells[backend as usize].push(ratio, tried);
        }
    }

    /// Learns how often loops of unknown length run. What was compared with a guess before is forgotten.
    pub(crate) fn learn_iterations(&self, iterations: f64) {
        self.iterations.push(iterations.max(1.0), false);
        for cell in self.made().flat_map(|(_, bucket)| &bucket.cells) {
            cell.clear();
        }
    }
}

impl History {
    pub(crate) fn new() -> History {
        History { kinds: (0..KINDS).map(|_| OnceLock::new()).collect() }
    }

    /// The kind with this name, if there is room for it.
    fn kind(&self, name: u64) -> Option<(u16, &Kind)> {
        (0..PROBES).find_map(|step| {
            let index = (name as usize + step) % KINDS;
            let kind = self.kinds[index].get_or_init(|| Box::new(Kind::new(name)));
            (kind.name == name).then_some((index as u16, &**kind))
        })
    }

    /// The kind at an index that [`History::of`] gave.
    pub(crate) fn at(&self, index: u16) -> &Kind {
        self.kinds[index as usize].get().expect("kinds are never removed")
    }

    /// The kind of this call.
    pub(crate) fn of(&self, problem: &Problem) -> Option<(u16, &Kind)> {
        let key = PlanKey::of(problem);
        let name = name(problem, &key);
        let (index, kind) = self.kind(name)?;
        if kind.key.get().is_none() {
            _ = kind.key.set(key);
        }
        Some((index, kind))
    }

    /// Every call that was chosen for, and what was chosen last.
    pub(crate) fn choices(&self) -> impl Iterator<Item = (PlanKey, Choice)> {
        let kinds = self.kinds.iter().filter_map(OnceLock::get);
        kinds.filter_map(|kind| Some((kind, *kind.key.get()?))).flat_map(|(kind, key)| {
            kind.made().filter_map(move |(at, bucket)| Some((key.with_half_octave(at), bucket.choice()?)))
        })
    }

    /// All samples, to be kept.
    pub(crate) fn samples(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for kind in self.kinds.iter().filter_map(OnceLock::get) {
            for (at, bucket) in kind.made() {
                for backend in Backend::ALL {
                    if let Some(sample) = bucket.cells[backend as usize].sample() {
                        entries.push(Entry { kind: kind.name, bucket: at, backend, sample });
                    }
                }
            }
        }
        entries
    }

    /// The lengths of loops, to be kept.
    pub(crate) fn iterations(&self) -> Vec<(u64, f32)> {
        let kinds = self.kinds.iter().filter_map(OnceLock::get);
        kinds.filter_map(|kind| Some((kind.name, kind.iterations.sample()?.ratio))).collect()
    }

    /// Takes over what another process learned, where this one has nothing of its own yet.
    pub(crate) fn restore(&self, entries: &[Entry], iterations: &[(u64, f32)]) {
        for &(name, iterations) in iterations {
            if let Some((_, kind)) = self.kind(name)
                && kind.iterations.sample().is_none()
            {
                kind.iterations.restore(Sample { ratio: iterations, count: FIRST });
            }
        }
        for entry in entries {
            let Some((_, kind)) = self.kind(entry.kind) else { continue };
            if entry.bucket as usize >= HALF_OCTAVES {
                continue;
            }
            let cell = &kind.bucket_at(entry.bucket).cells[entry.backend as usize];
            if cell.sample().is_none() {
                cell.restore(entry.sample);
            }
        }
    }

    /// Forgets all samples of these backends: their predictions are made from other rates now. How often loops run was reckoned from
    /// the old ones too.
    pub(crate) fn forget(&self, backends: &[Backend]) {
        for kind in self.kinds.iter().filter_map(OnceLock::get) {
            kind.iterations.clear();
            for (_, bucket) in kind.made() {
                bucket.rest(0, Why::Least);
                backends.iter().for_each(|&backend| bucket.cells[backend as usize].clear());
            }
        }
    }
}

/// The name of a kind of call: all that its time depends on beyond the machine and the number of elements.
fn name(problem: &Problem, key: &PlanKey) -> u64 {
    let flags = [key.places.upload, key.places.download, key.places.result_on_host, problem.allocates, problem.unordered];
    let flags = flags.iter().fold(key.operation as u64, |bits, &flag| bits << 1 | u64::from(flag));
    let mut name = problem.code;
    for word in [flags, problem.max_workers as u64] {
        // The finaliser of SplitMix64 (Steele, Lea, Flood, 2014).
        name = (name ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        name = (name ^ name >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        name = (name ^ name >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        name ^= name >> 31;
    }
    name
}
