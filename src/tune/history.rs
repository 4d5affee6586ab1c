//! History: how long calls really took, by kind of call, half-octave of the number of elements, and backend.
//!
//! What is kept is not a time but a ratio, measured over predicted, so that it holds for the other sizes of its half-octave, and for
//! its neighbours until they have samples of their own. The median of the last five forgives two outliers. All of it is atomics in
//! tables that only grow: a look takes no lock and allocates nothing, and of two threads that write the same cell at once one wins.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::plan::{Backend, Choice, PlanKey, Problem, Sample, Seen, TILE, half_octave};

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
    buckets: [Bucket; HALF_OCTAVES],
}

/// Calls of about one size.
pub(crate) struct Bucket {
    cells: [Cell; 3],
    /// What is run there, packed; zero before the first call.
    incumbent: AtomicU64,
    /// How many calls in a row another backend was better by enough to change to it.
    streak: AtomicU32,
    calls: AtomicU32,
    /// The backend that is tried out, and for how many more calls, packed.
    trial: AtomicU32,
    /// How long calls had run when they began to go to the threads without exception: nanoseconds, zero if the last one did not.
    helped: AtomicU64,
}

/// The last five ratios, and their median.
struct Cell {
    /// Five ratios of ten bits, the last one lowest, and how many there were in the upper bits.
    recent: AtomicU64,
    /// The median: the bits of an `f32`.
    median: AtomicU32,
}

const RECENT: u32 = 5;
const RATIO_BITS: u32 = 10;
const MOST: u64 = (1 << (64 - RECENT * RATIO_BITS)) - 1;

/// A ratio as a number of ten bits: 32 steps of 2% an octave, sixteen octaves each way.
fn code(ratio: f64) -> u64 {
    (ratio.log2() * 32.0 + 512.0).round().clamp(0.0, 1023.0) as u64
}

fn ratio(code: u64) -> f32 {
    ((code as f32 - 512.0) / 32.0).exp2()
}

impl Cell {
    const fn new() -> Cell {
        Cell { recent: AtomicU64::new(0), median: AtomicU32::new(0) }
    }

    fn push(&self, measured: f64) {
        const MASK: u64 = (1 << RATIO_BITS) - 1;
        const ALL: u64 = (1 << (RECENT * RATIO_BITS)) - 1;
        let old = self.recent.load(Relaxed);
        let count = (old >> (RECENT * RATIO_BITS)).saturating_add(1).min(MOST);
        let recent = (old << RATIO_BITS | code(measured)) & ALL;
        let held = count.min(u64::from(RECENT)) as usize;
        let mut codes: [u64; RECENT as usize] = std::array::from_fn(|i| recent >> (RATIO_BITS * i as u32) & MASK);
        codes[..held].sort_unstable();
        // Of an even number the lower one: an outlier is a slow call.
        self.median.store(ratio(codes[(held - 1) / 2]).to_bits(), Relaxed);
        self.recent.store(count << (RECENT * RATIO_BITS) | recent, Relaxed);
    }

    fn sample(&self) -> Option<Sample> {
        let count = (self.recent.load(Relaxed) >> (RECENT * RATIO_BITS)) as u32;
        (count > 0).then(|| Sample { ratio: f32::from_bits(self.median.load(Relaxed)), count })
    }

    /// What was measured in another process counts as much as in this one, but new samples replace it soon.
    fn restore(&self, sample: Sample) {
        let recent = (0..RECENT).fold(0, |all, _| all << RATIO_BITS | code(f64::from(sample.ratio)));
        self.median.store(sample.ratio.to_bits(), Relaxed);
        self.recent.store(u64::from(sample.count).min(MOST) << (RECENT * RATIO_BITS) | recent, Relaxed);
    }

    fn clear(&self) {
        self.recent.store(0, Relaxed);
    }
}

impl Bucket {
    const fn new() -> Bucket {
        Bucket {
            cells: [const { Cell::new() }; 3],
            incumbent: AtomicU64::new(0),
            streak: AtomicU32::new(0),
            calls: AtomicU32::new(0),
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

    /// Tries a backend out for so many more calls.
    pub(crate) fn try_out(&self, backend: Backend, calls: u32) {
        self.trial.store(calls << 2 | backend as u32, Relaxed);
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

    /// One more call; how many there were before.
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
            buckets: [const { Bucket::new() }; HALF_OCTAVES],
        }
    }

    /// The calls of this size.
    pub(crate) fn bucket(&self, n: usize) -> &Bucket {
        &self.buckets[half_octave(n) as usize]
    }

    /// What was measured of calls of this size, or else of the nearest size.
    pub(crate) fn seen(&self, n: usize) -> Seen {
        let at = half_octave(n) as usize;
        let cell = |bucket: usize, backend: usize| self.buckets[bucket].cells[backend].sample();
        let here = [0, 1, 2].map(|backend| cell(at, backend));
        // A model that is wrong of a kernel is wrong of it everywhere, by about the same on one core and on several, and on a GPU by
        // some of it: that is what is assumed of a backend before it has samples of its own.
        let [simd, threads, gpu] = here.map(|sample| sample.map(|sample| sample.ratio.log2()));
        let cpu = match (simd, threads) {
            (Some(simd), Some(threads)) => Some((simd + threads) / 2.0),
            (one, other) => one.or(other),
        };
        let half = |ratio: Option<f32>| ratio.map(|ratio| ratio / 2.0);
        let assumed = [threads.or(half(gpu)), simd.or(half(gpu)), half(cpu)];
        let on = |backend: usize| {
            if let Some(sample) = here[backend] {
                // The first samples are weighed against that assumption.
                let weight = if sample.count < RECENT { sample.count as f32 / (sample.count + 1) as f32 } else { 1.0 };
                let ratio = weight * sample.ratio.log2() + (1.0 - weight) * assumed[backend].unwrap_or(0.0);
                return Sample { ratio: ratio.exp2(), ..sample };
            }
            if let Some(ratio) = assumed[backend] {
                return Sample { ratio: ratio.exp2(), count: 0 };
            }
            let near = (1..=NEAR).find_map(|d| {
                let below = at.checked_sub(d).and_then(|bucket| cell(bucket, backend));
                below.or_else(|| if at + d < HALF_OCTAVES { cell(at + d, backend) } else { None })
            });
            near.map_or(Sample::default(), |sample| Sample { count: 0, ..sample })
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
    pub(crate) fn note_run(&self, backend: Backend) -> bool {
        self.ran.fetch_or(1 << backend as u32, Relaxed) >> backend as u32 & 1 == 0
    }

    /// Learns that a call took `ratio` times as long as predicted. The first run on a backend is only noted.
    pub(crate) fn learn(&self, n: usize, backend: Backend, ratio: f64) {
        let first = self.note_run(backend);
        // A clock that stood still, or a call that slept with the machine.
        if !first && ratio.is_finite() && ratio > 1e-4 && ratio < 1e4 {
            self.bucket(n).cells[backend as usize].push(ratio);
        }
    }

    /// Learns how often loops of unknown length run. What was compared with a guess before is forgotten.
    pub(crate) fn learn_iterations(&self, iterations: f64) {
        self.iterations.push(iterations.max(1.0));
        for cell in self.buckets.iter().flat_map(|bucket| &bucket.cells) {
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
            let chosen = kind.buckets.iter().enumerate().filter_map(|(i, bucket)| Some((i, bucket.choice()?)));
            chosen.map(move |(i, choice)| (key.with_half_octave(i as u8), choice))
        })
    }

    /// All samples, to be kept.
    pub(crate) fn samples(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for kind in self.kinds.iter().filter_map(OnceLock::get) {
            for (at, bucket) in kind.buckets.iter().enumerate() {
                for backend in Backend::ALL {
                    if let Some(sample) = bucket.cells[backend as usize].sample() {
                        entries.push(Entry { kind: kind.name, bucket: at as u8, backend, sample });
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
                kind.iterations.restore(Sample { ratio: iterations, count: RECENT });
            }
        }
        for entry in entries {
            let Some((_, kind)) = self.kind(entry.kind) else { continue };
            let Some(bucket) = kind.buckets.get(entry.bucket as usize) else { continue };
            let cell = &bucket.cells[entry.backend as usize];
            if cell.sample().is_none() {
                cell.restore(entry.sample);
            }
        }
    }

    /// Forgets all samples of these backends: their predictions are made from other rates now.
    pub(crate) fn forget(&self, backends: &[Backend]) {
        for kind in self.kinds.iter().filter_map(OnceLock::get) {
            for bucket in &kind.buckets {
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
