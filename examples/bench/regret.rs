//! The regret sweep: how much slower the library's choice is than the fastest backend, over operations, sizes and residencies.
//!
//! How it is measured and how to read it is in `benches/README.md`.

mod cold;
mod contest;
mod figures;
mod ops;
mod scratch;

pub(crate) use cold::child;
pub(crate) use scratch::Scratch;

use std::hint::black_box;
use std::time::{Duration, Instant};

use granule::prelude::*;
use serde_json::Value;

use crate::groups::Residency;
use crate::noise::Noise;
use crate::options::Options;
use crate::progress::Progress;
use crate::report::notes;
use crate::stop::{Stop, Why};
use crate::{kernels, oracle, record, stage, table};
use contest::{Effort, contest};
use figures::{AUTO, Case, NAMES, Rule, Spread, Summary};

/// Measures, prints, and writes the record. Whether all answers were right.
pub(crate) fn run(
    engine: &Engine,
    options: &Options,
    gpu: bool,
    context: &Value,
    stop: Stop,
) -> Result<bool, Box<dyn std::error::Error>> {
    let effort = effort(options);
    let residencies: &[Residency] = if gpu { &[Residency::Host, Residency::Gpu] } else { &[Residency::Host] };
    let mut groups = Vec::new();
    for op in ops::OPS.into_iter().filter(|op| options.wants_op(op)) {
        for &residency in residencies {
            groups.extend(sizes(options).into_iter().map(|n| (op, residency, n)));
        }
    }
    if groups.is_empty() {
        return Err(format!("none of these operations is in the regret sweep, which has {}", ops::OPS.join(", ")).into());
    }
    let (mut cases, mut right) = (Vec::new(), true);
    let mut progress = Progress::new(groups.len());
    progress.limit(stop.end());
    let (mut noise, mut stopped) = (Noise::begin(), None);
    // What is judged is the model of a machine that was measured, from the first case on.
    engine.calibrate()?;
    for (op, residency, n) in groups {
        if let Some(why) = stop.now() {
            stopped = Some(why);
            break;
        }
        let name = format!("{op} {} on the {}", table::size(n), residency.name());
        progress.begin(&name);
        noise.between();
        match contest(op, engine, n, residency, gpu, effort) {
            Ok(outcome) => {
                for message in &outcome.wrong {
                    right = false;
                    progress.note(&format!("FAILED: {name}: {message}"));
                }
                cases.push(outcome.case);
            }
            Err(error) if stage::is_refusal(&error) => progress.note(&format!("left out: {name}: {error}")),
            Err(error) => return Err(error.into()),
        }
        progress.end();
    }
    progress.finish();

    let mut last = Instant::now();
    // Its processes are interrupted together with this one.
    let cold = if stopped.is_some() {
        Ok(cold::Cold::default())
    } else {
        cold::measure(options, gpu, &mut |done, total| {
            if done == total || last.elapsed() > Duration::from_secs(5) {
                eprintln!("cold: {done} of {total} processes");
                last = Instant::now();
            }
        })
    }?;
    for message in &cold.wrong {
        right = false;
        eprintln!("FAILED: {message}");
    }

    let decisions = Decisions::measure(engine)?;
    let summary = Summary::of(&cases, &cold.first, &cold.few, decisions.longest()).ok_or("nothing could be measured")?;
    print_cases("warm", &cases);
    print_cases("first call of a process", &cold.first);
    print_summary(&summary, &cases);
    println!(
        "a decision takes {:.0} ns for {SMALL} elements, {:.0} ns for {CONTESTED} that several backends could win",
        decisions.small, decisions.contested
    );
    let (noise, stopped) = (noise.end(), stopped.map_or(Value::Null, |why: Why| why.describe(progress.so_far())));
    notes::noise(&noise).inspect(|note| println!("{note}"));
    options.write(&text(engine, context, &summary, [stopped, noise], (&cases, &cold.first)))?;
    Ok(right)
}

/// How long to measure.
fn effort(options: &Options) -> Effort {
    let ms = Duration::from_millis;
    let quick = Effort { sample: Duration::from_micros(500), case: ms(600), learn: ms(30), most: 60 };
    let whole = Effort { sample: ms(1), case: ms(1500), learn: ms(100), most: 60 };
    let effort = if options.quick { quick } else { whole };
    Effort { case: options.budget_or(effort.case), ..effort }
}

/// Sizes that are no power of two, and one element beyond one.
const ODD_SIZES: [usize; 4] = [1000, 4097, 65_537, 1_000_003];

/// The numbers of elements to measure, smallest first.
fn sizes(options: &Options) -> Vec<usize> {
    if !options.sizes.is_empty() {
        return options.sizes();
    }
    let (last, step) = if options.quick { (20, 2) } else { (24, 1) };
    // In half-octaves, from 2^6 on.
    let mut sizes: Vec<usize> =
        (12..=2 * last).step_by(step).map(|half| 2_f64.powf(f64::from(half) / 2.0).round() as usize).collect();
    sizes.extend(ODD_SIZES);
    sizes.sort_unstable();
    sizes
}

/// What it takes to describe a call and to decide where it runs, in nanoseconds.
struct Decisions {
    /// A small call, which only one core can win.
    small: f64,
    /// A call that several backends could win, after many like it.
    contested: f64,
}

/// Elements of a call that only one core can win, and of one that several backends could.
const SMALL: usize = 64;
const CONTESTED: usize = 65_536;

impl Decisions {
    /// The fastest of many batches of each, on host data.
    fn measure(engine: &Engine) -> granule::Result<Decisions> {
        /// Calls from which the library learns before.
        const LESSONS: usize = 4096;
        const BATCHES: usize = 400;
        const CALLS: u32 = 500;
        let time = |n: usize| -> granule::Result<f64> {
            let (x, y, mut out) = (oracle::floats(n, 1), oracle::floats(n, 2), vec![0.0; n]);
            let kernel = kernels::triad::with(0.4);
            for _ in 0..LESSONS {
                engine.map(zip(&x, &y), kernel).into(&mut out).run()?;
            }
            let mut least = Duration::MAX;
            for _ in 0..BATCHES {
                let begun = Instant::now();
                for _ in 0..CALLS {
                    black_box(engine.map(zip(black_box(&x), black_box(&y)), kernel).into(&mut out).decide_only()?);
                }
                least = least.min(begun.elapsed());
            }
            Ok(least.as_secs_f64() * 1e9 / f64::from(CALLS))
        };
        Ok(Decisions { small: time(SMALL)?, contested: time(CONTESTED)? })
    }

    /// What goes into the record.
    fn longest(&self) -> f64 {
        self.small.max(self.contested)
    }
}

/// Prints a block for every operation and residency, a row for every size.
fn print_cases(what: &str, cases: &[Case]) {
    let mut block = ("", "");
    for case in cases {
        if block != (case.op, case.residency) {
            block = (case.op, case.residency);
            println!("\n{} f32, data on the {}, {what}: median microseconds a call", case.op, case.residency);
            print!("{:>10}", "n");
            NAMES.iter().for_each(|name| print!("  {name:>10}"));
            println!("  {:>8}  {:>8}  {:>7}", "chose", "fastest", "regret");
        }
        print!("{:>10}", table::size(case.n));
        for who in 0..NAMES.len() {
            print!("  {:>10}", case.time(who).map_or("-".to_owned(), |time| format!("{:.2}", time * 1e6)));
        }
        let fastest = case.best_backend().map_or("-", |who| NAMES[who]);
        let regret = case.regret(AUTO).map_or("-".to_owned(), |regret| format!("{regret:.3}"));
        let wrong = if case.verified { "" } else { "  WRONG" };
        println!("  {:>8}  {fastest:>8}  {regret:>7}{wrong}", case.chose);
    }
}

fn print_summary(summary: &Summary, cases: &[Case]) {
    println!("\nregret, over {} cases (1 is the fastest backend; medians)", cases.len());
    println!("  {:<52}  {:>8}  {:>8}  {:>8}", "", "geomean", "p95", "max");
    let row = |name: &str, spread: Option<Spread>| match spread {
        Some(Spread { geomean, p95, max }) => println!("  {name:<52}  {geomean:>8.3}  {p95:>8.3}  {max:>8.2}"),
        None => println!("  {name:<52}  {:>8}  {:>8}  {:>8}", "-", "-", "-"),
    };
    row("auto: the library's choice", Some(summary.auto));
    for (name, spread) in summary.always {
        row(&format!("always {name}"), spread);
    }
    let [without_gpu, with_gpu] = summary.rules;
    for (rule, spread) in without_gpu.into_iter().chain(with_gpu.filter(|with_gpu| without_gpu != Some(*with_gpu))) {
        row(&describe(rule), Some(spread));
    }
    row("auto, first call of a process", summary.cold);
    row("auto, first few calls of a process", summary.cold_few);
    for (op, residency) in cases.iter().map(|case| (case.op, case.residency)).collect::<std::collections::BTreeSet<_>>() {
        let of = cases.iter().filter(|case| (case.op, case.residency) == (op, residency));
        row(&format!("auto: {op}, data on the {residency}"), Spread::of(of.filter_map(|case| case.regret(AUTO))));
    }
}

/// A rule in words.
fn describe(rule: Rule) -> String {
    let from = |n: usize, name: &str| if n == usize::MAX { String::new() } else { format!(", {name} from {}", table::size(n)) };
    let threads = if rule.threads_from < rule.gpu_from { from(rule.threads_from, "threads") } else { String::new() };
    format!("best threshold: simd{threads}{}", from(rule.gpu_from, "gpu"))
}

/// The record of a sweep.
fn text(
    engine: &Engine,
    context: &Value,
    summary: &Summary,
    [stopped, noise]: [Value; 2],
    (warm, cold): (&[Case], &[Case]),
) -> String {
    let cold = format!("[\n{}\n]", record::lines(cold.iter().map(Case::to_json)));
    let more = [
        ("regret", summary.to_json().to_string()),
        ("cold", cold),
        ("stopped", stopped.to_string()),
        ("noise", noise.to_string()),
    ];
    record::text(engine, context, &more, warm.iter().map(Case::to_json))
}
