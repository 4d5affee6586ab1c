//! Laws that hold for all problems on all machines, on random ones. A failure names its seed.

use granule::kernel::{Cost, Ops};
use granule::machine::{Built, Cpu, CpuRates, GpuInfo, GpuKind, GpuRates, Gpus, Levels, Link, Machine, OpRates};
use granule::plan::{
    Backend, GpuNeeds, Operation, Plan, Prediction, Problem, Sample, Seen, TILE, Weighed, choose, explain_with, plan,
};

use crate::oracle::Random;
use crate::{adapter, backend, machine};

const SEEDS: u64 = 10_000;
const BACKENDS: [Backend; 3] = [Backend::Simd, Backend::Threads, Backend::Gpu];

/// Numbers spread evenly over their orders of magnitude.
fn between(r: &mut Random, low: f64, high: f64) -> f64 {
    low * (high / low).powf(r.below(10_001) as f64 / 10_000.0)
}

fn one_in(r: &mut Random, n: usize) -> bool {
    r.below(n) == 0
}

/// Farther is never faster.
fn levels(r: &mut Random, dram: f64) -> Levels {
    let l3 = dram * between(r, 1.0, 5.0);
    let l2 = l3 * between(r, 1.0, 5.0);
    Levels { l1: l2 * between(r, 1.0, 5.0), l2, l3, dram }
}

fn op_rates(r: &mut Random, mean: f64) -> OpRates {
    let mut rate = || mean * between(r, 0.3, 3.0);
    OpRates { simple: rate(), divide: rate(), function: rate() }
}

fn a_link(r: &mut Random) -> Link {
    Link { latency: between(r, 1e-6, 1e-3), bandwidth: between(r, 1e9, 1e11) }
}

fn a_gpu(r: &mut Random) -> GpuInfo {
    use GpuKind::*;
    let kind = [Discrete, Integrated, Virtual, Software, Other][r.below(5)];
    let memory = between(r, 5e9, 5e12);
    let arithmetic = between(r, 1e10, 5e13);
    let rates = GpuRates {
        submit: between(r, 1e-5, 1e-3),
        dispatch: between(r, 1e-6, 1e-4),
        upload: a_link(r),
        download: a_link(r),
        memory,
        cache: memory * between(r, 1.0, 10.0),
        cache_bytes: if one_in(r, 3) { 0.0 } else { between(r, 1e5, 1e8) },
        ops: op_rates(r, arithmetic),
        ..GpuRates::prior(kind)
    };
    GpuInfo { asked_for: !one_in(r, 3), rates, ..adapter(kind) }
}

fn a_machine(r: &mut Random) -> Machine {
    let (cores, lanes) = ([1, 2, 3, 6, 16, 64, 192][r.below(7)], [4, 8, 16][r.below(3)]);
    let gpus = match r.below(8) {
        0 => Gpus::NotLookedFor,
        1 => Gpus::Absent("no driver".into()),
        count => Gpus::Present((0..count / 2).map(|_| a_gpu(r)).collect()),
    };
    let l1_bytes = between(r, 16e3, 128e3) as usize;
    let l2_bytes = (l1_bytes as f64 * between(r, 1.0, 40.0)) as usize;
    let l3_bytes = (l2_bytes as f64 * between(r, 1.0, 60.0)) as usize;
    let cpu = Cpu { l1_bytes, l2_bytes, l3_bytes, ..machine(cores, lanes, Gpus::NotLookedFor).cpu };
    let (dram, arithmetic) = (between(r, 3e9, 30e9), between(r, 1e9, 1e10));
    let rates = CpuRates {
        read: levels(r, dram),
        write: levels(r, dram),
        dram_limit: between(r, 5e9, 500e9),
        fresh: between(r, 1e9, 1e11),
        ops: op_rates(r, arithmetic),
        wake_hot: between(r, 1e-7, 1e-4),
        wake_more: between(r, 1e-8, 1e-5),
        chunk: between(r, 1e-8, 1e-6),
        call: between(r, 1e-8, 1e-6),
        ..CpuRates::prior(lanes)
    };
    Machine { cpu, rates, gpus, built: Built { threads: !one_in(r, 10), gpu: !one_in(r, 20) } }
}

fn some_cost(r: &mut Random) -> Cost {
    let amount = |r: &mut Random| if one_in(r, 2) { 0.0 } else { between(r, 1.0, 3000.0) as f32 };
    Cost {
        ops: Ops { simple: amount(r), divide: amount(r) * 0.1, function: amount(r) * 0.1 },
        loops_unknown: one_in(r, 5),
        ..Cost::default()
    }
}

fn a_sample(r: &mut Random) -> Sample {
    match r.below(3) {
        0 => Sample::default(),
        count => Sample { ratio: between(r, 0.1, 10.0) as f32, count: count as u32 - 1 },
    }
}

fn observed(r: &mut Random) -> Seen {
    let iterations = if one_in(r, 2) { 0.0 } else { between(r, 1.0, 1000.0) as f32 };
    Seen { simd: a_sample(r), threads: a_sample(r), gpu: a_sample(r), iterations }
}

/// All of its data is on the host.
fn a_problem(r: &mut Random) -> Problem {
    let operation = [Operation::Map, Operation::Reduce, Operation::Scan][r.below(3)];
    let n = if one_in(r, 10) { r.below(9000) } else { between(r, 1.0, 3e8) as usize };
    let (bytes_read, bytes_random) = ([0.0, 4.0, 4.0, 8.0, 64.0][r.below(5)], [0.0, 0.0, 4.0][r.below(3)]);
    let element = Cost { bytes_read, bytes_random, ..some_cost(r) };
    Problem {
        n,
        element,
        combine: if operation == Operation::Map { Cost::default() } else { some_cost(r) },
        item_bytes: [1, 4, 4, 16][r.below(4)],
        upload_bytes: f64::from(bytes_read + bytes_random) as u64 * n as u64,
        result_on_host: one_in(r, 2),
        allocates: one_in(r, 2),
        forgone: if one_in(r, 2) { 0.0 } else { between(r, 1e-6, 1e-1) },
        gpu: GpuNeeds { bindings: 2, int64: one_in(r, 10), ..GpuNeeds::default() },
        max_workers: if one_in(r, 5) { 1 + r.below(300) } else { usize::MAX },
        seen: observed(r),
        ..Problem::new(operation)
    }
}

/// The same call with a part of its data on the GPU alone.
fn moved(problem: &Problem, part: f64) -> Problem {
    let all = problem.upload_bytes + problem.download_bytes;
    let there = (all as f64 * part) as u64;
    Problem { upload_bytes: all - there, download_bytes: there, ..*problem }
}

/// Checks a law, and that what it speaks of came up often enough: `check` says how often it did.
fn law(check: impl Fn(&mut Random, &Machine, &Problem, u64) -> usize) {
    let mut cases = 0;
    for seed in 0..SEEDS {
        let mut r = Random(seed);
        let (machine, problem) = (a_machine(&mut r), a_problem(&mut r));
        cases += check(&mut r, &machine, &problem, seed);
    }
    assert!(cases > 50, "{cases} cases of {SEEDS} only: this tests nothing");
}

fn goes_to(problem: &Problem, machine: &Machine, there: Backend) -> bool {
    backend(problem, machine) == there
}

#[test]
fn more_bytes_are_never_predicted_faster() {
    law(|r, machine, problem, seed| {
        let base = moved(problem, [0.0, 0.5, 1.0][r.below(3)]);
        let (mut more, factor) = (base, between(r, 1.0, 10.0));
        match r.below(5) {
            0 => more.element.bytes_read = (f64::from(base.element.bytes_read + 1.0) * factor) as f32,
            1 => more.element.bytes_random = (f64::from(base.element.bytes_random + 1.0) * factor) as f32,
            2 => more.item_bytes += r.below(20),
            3 => more.upload_bytes = (base.upload_bytes as f64 * factor) as u64,
            _ => more.download_bytes = (base.download_bytes as f64 * factor) as u64,
        }
        let mut slower = 0;
        for pinned in BACKENDS.map(Some) {
            // Each GPU for itself: which of several is the best may depend on the bytes.
            let (Ok(less), Ok(more)) = (plan(&Problem { pinned, ..base }, machine), plan(&Problem { pinned, ..more }, machine))
            else {
                continue;
            };
            for (less, more) in less.candidates.iter().zip(&more.candidates) {
                let (Ok(less), Ok(more)) = (less.prediction, more.prediction) else { continue };
                for (less, more) in [(less.total, more.total), (less.expected(), more.expected())] {
                    assert!(more >= less * (1.0 - 1e-12), "seed {seed}, {pinned:?}: {more} s after {less} s");
                }
                slower += usize::from(more.total > less.total);
            }
        }
        slower
    });
}

/// Where helpers are dear and tiles few, the shares are uneven: five tiles take three, two, one of them on two, four, five cores.
#[test]
fn more_bytes_of_few_tiles_are_never_predicted_faster() {
    let mut machine = machine(64, 8, Gpus::Absent(String::new()));
    machine.rates.wake_more = 5e-6;
    for tiles in 2..70 {
        let base = Problem { n: tiles * TILE, pinned: Some(Backend::Threads), ..Problem::new(Operation::Reduce) };
        let mut before = 0.0;
        for step in 0..1500 {
            let element = Cost { bytes_read: 1.01_f32.powi(step), ..Cost::default() };
            let total = plan(&Problem { element, ..base }, &machine).unwrap().predicted().unwrap().total;
            assert!(total >= before, "{tiles} tiles, step {step}: {total} s after {before} s");
            before = total;
        }
    }
}

/// Bytes that only the GPU has are fetched over the link too, so this holds for data on the host.
#[test]
fn a_slower_link_never_attracts_to_the_gpu() {
    law(|r, machine, problem, seed| {
        let mut slow = machine.clone();
        let Gpus::Present(list) = &mut slow.gpus else { return 0 };
        for gpu in list {
            for link in [&mut gpu.rates.upload, &mut gpu.rates.download] {
                link.bandwidth /= between(r, 1.0, 100.0);
                link.latency *= between(r, 1.0, 10.0);
            }
        }
        let (was, is) = (goes_to(problem, machine, Backend::Gpu), goes_to(problem, &slow, Backend::Gpu));
        assert!(was || !is, "seed {seed}");
        usize::from(was && !is)
    });
}

#[test]
fn residency_never_drives_from_the_gpu() {
    law(|r, machine, problem, seed| {
        let part = r.below(100) as f64 / 100.0;
        let (less, more) = (moved(problem, part), moved(problem, part + (1.0 - part) * r.below(101) as f64 / 100.0));
        let (was, is) = (goes_to(&less, machine, Backend::Gpu), goes_to(&more, machine, Backend::Gpu));
        assert!(is || !was, "seed {seed}");
        usize::from(is && !was)
    });
}

/// To the GPU if the data is on the host, to the host if it is on the GPU.
#[test]
fn what_was_forgone_never_holds_back_a_move() {
    for part in [0.0, 1.0] {
        law(|r, machine, problem, seed| {
            let less = moved(problem, part);
            let more = Problem { forgone: less.forgone + between(r, 1e-5, 1e-1), ..less };
            let moves = |problem: &Problem| goes_to(problem, machine, Backend::Gpu) == (part == 0.0);
            let (was, is) = (moves(&less), moves(&more));
            assert!(is || !was, "seed {seed}");
            usize::from(is && !was)
        });
    }
}

/// What is paid counts in the comparison, and in nothing else.
#[test]
fn what_was_forgone_changes_no_expected_time() {
    law(|r, machine, problem, seed| {
        let without = Problem { forgone: 0.0, ..moved(problem, [0.0, 1.0][r.below(2)]) };
        let forgone = between(r, 1e-5, 1e-1);
        let with = Problem { forgone, ..without };
        let (without, with) = (plan(&without, machine).unwrap(), plan(&with, machine).unwrap());
        let both = without.candidates.iter().zip(&with.candidates);
        let both = both.filter_map(|(a, b)| Some((a.prediction.ok()?, b.prediction.ok()?)));
        let check = |(a, b): (Prediction, Prediction)| {
            assert_eq!((a.expected(), a.paid), (b.expected(), 0.0), "seed {seed}");
            assert_eq!(b.paid, b.transfer.min(forgone), "seed {seed}");
            usize::from(b.total < a.total)
        };
        both.map(check).sum()
    });
}

#[test]
fn a_backend_that_was_seen_slower_attracts_no_more() {
    law(|r, machine, problem, seed| {
        let base = moved(problem, [0.0, 0.5, 1.0][r.below(3)]);
        let (mut slower, factor) = (base, between(r, 1.0, 20.0) as f32);
        let there = BACKENDS[r.below(3)];
        let sample = match there {
            Backend::Simd => &mut slower.seen.simd,
            Backend::Threads => &mut slower.seen.threads,
            Backend::Gpu => &mut slower.seen.gpu,
        };
        sample.ratio *= factor;
        let (was, is) = (goes_to(&base, machine, there), goes_to(&slower, machine, there));
        assert!(was || !is, "seed {seed}, {there}");
        usize::from(was && !is)
    });
}

/// The shortcut of [`choose`] loses no winner.
#[test]
fn choosing_quickly_is_choosing_from_all() {
    law(|r, machine, problem, seed| {
        let problem = moved(problem, [0.0, 0.5, 1.0][r.below(3)]);
        let (quick, weighed) = (choose(&problem, machine).unwrap(), Weighed::of(&problem, machine));
        assert_eq!(Ok(quick.backend), weighed.best(), "seed {seed}");
        assert_eq!(quick, weighed.choice(&problem, machine, quick.backend), "seed {seed}");
        let full = plan(&problem, machine).unwrap();
        let least = full.candidates.iter().map(|c| c.total()).fold(f64::INFINITY, f64::min);
        assert_eq!((full.choice, full.predicted().map(|p| p.total)), (quick, Some(least)), "seed {seed}");
        usize::from(quick.backend == Backend::Gpu)
    });
}

/// What the place of the data explains is no loss. (Of several GPUs another one may be the best where the data is.)
#[test]
fn what_is_forgone_is_what_another_backend_would_have_won() {
    law(|r, machine, problem, seed| {
        if machine.gpus().len() > 1 {
            return 0;
        }
        let problem = Problem { forgone: 0.0, ..moved(problem, [0.0, 1.0][r.below(2)]) };
        let weighed = Weighed::of(&problem, machine);
        let chosen = weighed.best().unwrap();
        let there = Weighed::of(&Problem { upload_bytes: 0, download_bytes: 0, ..problem }, machine);
        let times = BACKENDS.map(|backend| there.on(backend).total());
        let expected = times[chosen as usize] - times.into_iter().fold(f64::INFINITY, f64::min);
        let lost = weighed.forgone(chosen);
        assert!((lost - expected).abs() <= 1e-9 * times[chosen as usize], "seed {seed}: {lost} s, not {expected} s");
        usize::from(lost > 0.0)
    });
}

/// With samples that differ from half-octave to half-octave, as a history's do.
#[test]
fn an_explanation_says_where_the_choice_changes() {
    law(|r, machine, problem, seed| {
        let problem = moved(problem, [0.0, 1.0][r.below(2)]);
        let salt = r.next();
        let seen = |n: usize| {
            let bucket = (2.0 * (n.max(1) as f64).log2()) as u64;
            observed(&mut Random(salt ^ bucket.wrapping_mul(0x9E37_79B9)))
        };
        let problem = Problem { seen: seen(problem.n), ..problem };
        let at = |n: usize| {
            let scaled = |bytes: u64| (bytes as f64 * (n as f64 / problem.n.max(1) as f64)) as u64;
            let (upload_bytes, download_bytes) = (scaled(problem.upload_bytes), scaled(problem.download_bytes));
            backend(&Problem { n, upload_bytes, download_bytes, seen: seen(n), ..problem }, machine)
        };
        let (told, now) = (explain_with(&problem, machine, &seen), backend(&problem, machine));
        assert_eq!(told.choice, choose(&problem, machine), "seed {seed}");
        if let Some(change) = told.below {
            assert!(change.n < problem.n, "seed {seed}");
            assert_eq!((at(change.n), at(change.n + 1)), (change.backend, now), "seed {seed}: {change:?}");
        }
        if let Some(change) = told.above {
            assert!(change.n > problem.n, "seed {seed}");
            assert_eq!((at(change.n - 1), at(change.n)), (now, change.backend), "seed {seed}: {change:?}");
        }
        usize::from(told.below.is_some()) + usize::from(told.above.is_some())
    });
}

#[test]
fn plans_survive_as_text() {
    law(|r, machine, problem, seed| {
        let pinned = [None, Some(BACKENDS[r.below(3)])][r.below(2)];
        let problem = Problem { pinned, ..moved(problem, [0.0, 0.5, 1.0][r.below(3)]) };
        let Ok(plan) = plan(&problem, machine) else { return 0 };
        let text = plan.to_text();
        assert_eq!(text.parse::<Plan>().as_ref(), Ok(&plan), "seed {seed}: {text}");
        plan.candidates.iter().filter(|c| c.prediction.is_ok_and(|p| p.paid > 0.0)).count()
    });
}
