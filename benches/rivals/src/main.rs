//! Other libraries beside this one: the same work on the same data, answers checked, in the benchmark's own record.
//!
//! `cargo run --release --manifest-path benches/rivals/Cargo.toml -- --quick --html rivals.html`; see the README beside it.

#[path = "../../../examples/bench/catalogue.rs"]
#[allow(dead_code, reason = "the benchmark prints it")]
mod catalogue;
#[path = "../../../examples/bench/context.rs"]
mod context;
mod cpu;
mod gpu;
#[cfg(feature = "massively")]
mod massive;
#[path = "../../../examples/bench/measure.rs"]
#[allow(dead_code, reason = "the benchmark knows plans and clocks")]
mod measure;
#[path = "../../../examples/bench/noise.rs"]
#[allow(dead_code, reason = "the benchmark looks from several processes")]
mod noise;
#[path = "../../../examples/bench/oracle.rs"]
#[allow(dead_code, reason = "the benchmark has more operations")]
mod oracle;
mod ours;
mod outside;
#[path = "../../../examples/bench/record.rs"]
#[allow(dead_code, reason = "the benchmark prints figures of its own")]
mod record;
#[path = "../../../examples/bench/report/mod.rs"]
#[allow(dead_code, reason = "the benchmark compares records too")]
mod report;
mod stage;
#[path = "../../../examples/bench/stop.rs"]
#[allow(dead_code, reason = "the benchmark shows the time left")]
mod stop;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use granule::Engine;
use serde_json::{Value, json};

use measure::{Budget, Contender, Trouble, measure};
use noise::Noise;
use record::Case;
use report::Outputs;
use report::data::Record;
use stop::Stop;
use work::{RESIDENCIES, WORKS, Work};

const USAGE: &str = "\
usage: cargo run --release --manifest-path benches/rivals/Cargo.toml -- [options]

  --quick            sizes 2^16 and 2^20 and short samples
  --sizes N,M        only these numbers of elements
  --ops A,B          only these operations
  --time-budget S    end after so many seconds
  --software-gpu     let a software rasteriser count as a GPU
  --json FILE, --html FILE, --csv FILE, --markdown FILE   as the benchmark's";

/// How often each contest is held, with all the others in between, as in the benchmark.
const PASSES: usize = 6;
/// The fewest and the most samples in one of them.
const SAMPLES: [u32; 2] = [3, 20];
/// Who needs longer for a call is not measured.
const LONGEST: Duration = Duration::from_secs(3);

/// What is asked for.
#[derive(Default)]
struct Options {
    quick: bool,
    software_gpu: bool,
    sizes: Vec<usize>,
    ops: Vec<String>,
    time_budget: Option<Duration>,
    json: Option<PathBuf>,
    outputs: Outputs,
}

fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("FAILED: an answer was wrong, see above");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--quick" => options.quick = true,
            "--software-gpu" => options.software_gpu = true,
            "--json" => options.json = Some(value()?.into()),
            "--ops" => options.ops = value()?.split(',').map(str::to_owned).collect(),
            "--sizes" => {
                let size = |text: &str| match text.strip_prefix("2^") {
                    Some(power) => power.parse().ok().and_then(|power| 1_usize.checked_shl(power)),
                    None => text.parse().ok(),
                };
                let sizes = value()?;
                let sizes: Option<Vec<usize>> = sizes.split(',').map(|text| size(text).filter(|n| *n > 0)).collect();
                options.sizes = sizes.ok_or("--sizes: numbers such as 65536 or 2^16 are accepted")?;
            }
            "--time-budget" => {
                let seconds = value()?.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
                options.time_budget = Some(seconds.ok_or("--time-budget: a number of seconds is accepted")?);
            }
            other => {
                if !options.outputs.take(other, value)? {
                    return Err(format!("{other}: no such option"));
                }
            }
        }
    }
    Ok(options)
}

/// Measures all of them. Whether all answers were right.
fn run(options: &Options) -> Result<bool, Box<dyn std::error::Error>> {
    let began = Instant::now();
    let mut builder = Engine::builder();
    if options.software_gpu {
        builder = builder.gpu(granule::gpu::Selection::Software);
    }
    let engine = builder.build()?;
    let context = context::now(&engine);
    stop::listen();
    let stop = Stop::after(began, options.time_budget);
    let sizes = match (&options.sizes[..], options.quick) {
        ([], true) => vec![1 << 16, 1 << 20],
        ([], false) => vec![1 << 12, 1 << 16, 1 << 20, 1 << 24],
        (sizes, _) => sizes.to_vec(),
    };
    let mut run = Run { cases: Vec::new(), not_run: Vec::new(), right: true };
    let rivals = gpu::Rivals::open(&engine, options.software_gpu, &mut run.not_run);
    let budget = Budget {
        sample: Duration::from_millis(2),
        contender: Duration::from_millis(if options.quick { 60 } else { 500 }) / PASSES as u32,
        group: None,
        samples: SAMPLES,
        longest: Some(LONGEST),
        stop,
    };
    let wanted = |op: &str| options.ops.is_empty() || options.ops.iter().any(|wanted| wanted == op);
    let works = WORKS.into_iter().filter(|(op, _)| wanted(op));
    let contests: Vec<_> = works.flat_map(|(op, ty)| sizes.iter().map(move |&n| (op, ty, n))).collect();
    let (mut stopped, of) = (Value::Null, PASSES * contests.len());
    let mut noise = Noise::begin();
    for (done, (op, ty, n)) in contests.repeat(PASSES).into_iter().enumerate() {
        if let Some(why) = stop.now() {
            stopped = why.describe([done, of]);
            break;
        }
        noise.between();
        eprintln!("{}/{of}  {op} {ty} of {n} elements", done + 1);
        let work = Work::new(op, ty, n);
        for residency in RESIDENCIES {
            let mut entrants = ours::entrants(&engine, &rivals, &work, residency)?;
            entrants.extend(cpu::entrants(&work, residency, &mut run.not_run));
            entrants.extend(rivals.entrants(&work, residency, &mut run.not_run));
            run.contest(&work, residency, entrants, budget);
        }
        outside::measure(&work, budget, &mut run);
    }
    let noise = noise.end();
    let cases = record::merged(run.cases);
    let mut not_run: Vec<Value> = Vec::new();
    for entry in run.not_run {
        // Said in every pass.
        if !not_run.contains(&entry) {
            not_run.push(entry);
        }
    }
    if cases.is_empty() {
        return Err("nothing was measured".into());
    }
    let more = [("places", places()), ("stopped", stopped), ("not_run", Value::Array(not_run)), ("noise", noise)];
    let text =
        record::text(&engine, &context, &more.map(|(key, value)| (key, value.to_string())), cases.iter().map(Case::to_json));
    if let Some(path) = &options.json {
        report::save(path, &text, "record")?;
    }
    let record = Record::parse("rivals", &text)?;
    if options.outputs.any() {
        options.outputs.write(&record)?
    } else {
        print!("{}", report::markdown::markdown(&record))
    }
    Ok(run.right)
}

/// What is timed where, as records have it: it is not what the benchmark times.
fn places() -> Value {
    json!({
        "host": "end to end: from slices to host memory, with whatever lies between: memory, and for a GPU both ways",
        "gpu": "resident: from device memory to device memory, until the device has done it",
    })
}

/// Who does some work, once asked to so many times, and what comes out as words: the bits of floats, values after keys.
pub(crate) struct Entrant<'w> {
    pub(crate) name: String,
    pub(crate) run: Box<dyn FnMut() -> Result<(), String> + 'w>,
    pub(crate) answer: Box<dyn FnMut() -> Result<Vec<u32>, String> + 'w>,
}

/// What was measured.
pub(crate) struct Run {
    pub(crate) cases: Vec<Case>,
    pub(crate) not_run: Vec<Value>,
    pub(crate) right: bool,
}

/// That something could not take part, as records have it.
pub(crate) fn absent(name: &str, work: Option<&Work>, reason: impl Into<String>) -> Value {
    let reason = reason.into();
    match work {
        Some(work) => json!({ "backend": name, "op": work.op, "type": work.ty, "n": work.n, "reason": reason }),
        None => json!({ "backend": name, "reason": reason }),
    }
}

impl Run {
    /// All take turns, sample by sample.
    fn contest(&mut self, work: &Work, residency: &'static str, entrants: Vec<Entrant<'_>>, budget: Budget) {
        let failed = |message: String| Trouble::Failed(granule::Error::Gpu { message });
        let mut contenders: Vec<Contender<'_>> = entrants
            .into_iter()
            .map(|Entrant { name, mut run, mut answer }| Contender {
                backend: name,
                chose: None,
                plan: None,
                ops: None,
                run: Box::new(move |times| (0..times).try_for_each(|_| run()).map_err(|message| granule::Error::Gpu { message })),
                verify: Box::new(move || {
                    let answer = answer().map_err(failed)?;
                    work.check(&answer).map_err(Trouble::Wrong)
                }),
            })
            .collect();
        let outcomes = measure(&mut contenders, budget, &|work| work().map(|()| None));
        for (contender, outcome) in contenders.iter().zip(outcomes) {
            match outcome.verdict {
                Ok(()) => self.keep(work, residency, &contender.backend, outcome.seconds, true),
                Err(Trouble::Stopped) => {}
                Err(Trouble::TooSlow(took)) => {
                    let reason = format!("one call takes {:.1} s, for which this run has no time", took.as_secs_f64());
                    self.not_run.push(absent(&contender.backend, Some(work), reason));
                }
                Err(Trouble::Failed(error)) => self.not_run.push(absent(&contender.backend, Some(work), error.to_string())),
                Err(Trouble::Wrong(message)) => {
                    eprintln!("WRONG ANSWER: {} {} on {}: {message}", work.op, work.ty, contender.backend);
                    // A wrong answer of ours fails the run; one of theirs is shown.
                    self.right &= contender.backend.starts_with("peer:");
                    self.keep(work, residency, &contender.backend, outcome.seconds, false);
                }
            }
        }
    }

    /// Keeps the samples of one.
    pub(crate) fn keep(&mut self, work: &Work, residency: &'static str, name: &str, seconds: Vec<f64>, verified: bool) {
        self.cases.push(Case {
            op: work.op,
            ty: work.ty,
            n: work.n,
            residency,
            backend: name.to_owned(),
            chose: None,
            plan: None,
            seconds,
            passes: Vec::new(),
            gpu_seconds: Vec::new(),
            bytes: (work.n * catalogue::op(work.op).bytes) as u64,
            ops: None,
            verified,
        });
    }
}
