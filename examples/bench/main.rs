//! The benchmark: BabelStream's operations, two maps bound by arithmetic, reductions and a scan, on every backend of this machine,
//! beside the plain iterator, rayon and hand-written loops. Every answer is checked.
//!
//! `cargo run --release --example bench -- --quick`; how to read it, and what is claimed, is in `benches/README.md`.

mod babelstream;
mod beside;
mod catalogue;
mod context;
mod groups;
mod kernels;
mod loops;
mod matrices;
mod measure;
mod movement;
mod noise;
mod options;
mod oracle;
mod peaks;
mod progress;
mod record;
mod regret;
mod report;
mod segments;
mod selection;
mod stage;
mod stencils;
mod stop;
mod table;
mod targets;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use granule::Engine;
use granule::machine::{GpuKind, Gpus};

use serde_json::{Value, json};

use groups::{Go, Residency};
use measure::{Budget, Contender, Trouble, measure};
use noise::Noise;
use options::Options;
use progress::Progress;
use record::Case;
use stage::Scene;
use stop::{Stop, Why};

fn main() -> ExitCode {
    let began = Instant::now();
    let args: Vec<String> = std::env::args().skip(1).collect();
    match report::command(&args) {
        None => {}
        Some(Ok(report::Outcome::Fine)) => return ExitCode::SUCCESS,
        Some(Ok(report::Outcome::Regressed)) => return ExitCode::FAILURE,
        Some(Err(message)) => {
            eprintln!("{message}; --help says how it is used");
            return ExitCode::from(2);
        }
    }
    let options = match Options::parse(args.into_iter()) {
        Ok(options) => options,
        Err(message) if message.is_empty() => {
            println!("{}\n{}", options::USAGE, report::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("{message}\n\n{}\n{}", options::USAGE, report::USAGE);
            return ExitCode::from(2);
        }
    };
    if options.list {
        catalogue::print();
        return ExitCode::SUCCESS;
    }
    if cfg!(debug_assertions) {
        eprintln!("this is a debug build: its figures mean nothing; run it with --release");
    }
    match run(&options, began) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("FAILED: see above; none of the figures of this run are to be trusted");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures what was asked for. Whether all answers were right.
fn run(options: &Options, began: Instant) -> Result<bool, Box<dyn std::error::Error>> {
    // Dropped after the engine, which writes there until its end.
    let scratch =
        if options.regret && std::env::var_os("GRANULE_CACHE").is_none() { Some(regret::Scratch::new("warm")?) } else { None };
    let engine = engine(options, scratch.as_ref())?;
    if let Some(script) = &options.regret_cold_child {
        return regret::child(script, &engine, began).map(|()| true);
    }
    if options.targets {
        // "Two threads" is meant as it stands, whatever the machine has.
        engine.set_workers(2);
    }
    // Before the load of this run itself.
    let context = context::now(&engine);
    let gpu = usable_gpu(&engine);
    println!("granule {}; {}; SIMD level {}", env!("CARGO_PKG_VERSION"), engine.machine(), engine.simd_level());
    if let Err(reason) = &gpu {
        println!("no GPU is measured: {reason}");
    }
    stop::listen();
    let stop = Stop::after(began, options.time_budget);
    if options.regret {
        return regret::run(&engine, options, gpu.is_ok(), &context, stop);
    }
    let noise = Noise::begin();
    let mut session = Session {
        engine: &engine,
        options,
        gpu: gpu.is_ok(),
        stop,
        noise,
        cases: Vec::new(),
        not_run: gpu.err().map(|reason| json!({ "backend": "gpu", "reason": reason })).into_iter().collect(),
        failed: false,
        stopped: None,
        progress: Progress::new(0),
    };
    let (mut babelstream, mut peaks) = (Value::Null, Value::Null);
    if options.targets {
        targets::run(&mut session)?;
    } else if options.babelstream {
        babelstream = babelstream::run(&mut session)?;
    } else {
        peaks = peaks::measure(&engine, session.gpu)?;
        session.sweep()?;
        session.progress.finish();
        table::print(&session.cases);
    }
    let Session { cases, not_run, failed, stopped, noise, .. } = session;
    let noise = noise.end();
    report::notes::noise(&noise).inspect(|note| println!("{note}"));
    let stopped = stopped.map_or(Value::Null, |(why, so_far)| why.describe(so_far));
    if cases.is_empty() {
        return Err("nothing was measured".into());
    }
    let more =
        [("stopped", stopped), ("not_run", json!(not_run)), ("noise", noise), ("peaks", peaks), ("babelstream", babelstream)];
    options.write(&record::text(
        &engine,
        &context,
        &more.map(|(key, value)| (key, value.to_string())),
        cases.iter().map(Case::to_json),
    ))?;
    Ok(!failed)
}

/// A run: what was measured so far.
pub(crate) struct Session<'r> {
    engine: &'r Engine,
    options: &'r Options,
    gpu: bool,
    stop: Stop,
    noise: Noise,
    cases: Vec<Case>,
    /// What could not take part, and why.
    not_run: Vec<Value>,
    failed: bool,
    /// Why the run ended early, and how many groups were measured of how many.
    stopped: Option<(Why, [usize; 2])>,
    progress: Progress,
}

impl Session<'_> {
    /// All operations at all sizes.
    fn sweep(&mut self) -> granule::Result<()> {
        let ask_for_size = !self.options.sizes.is_empty();
        let mut groups = Vec::new();
        for n in self.options.sizes() {
            for ty in ["f32", "u32"] {
                for op in catalogue::OPS.iter().filter(|op| self.options.wants_op(op.name)) {
                    let has = if ty == "u32" { op.on_u32 } else { op.on_f32 };
                    if !has || (n > op.largest && !ask_for_size) {
                        continue;
                    }
                    groups.push((op.name, ty, n, Residency::Host));
                    if self.gpu {
                        groups.push((op.name, ty, n, Residency::Gpu));
                    }
                }
            }
        }
        if self.options.time_budget.is_some() {
            // What a quick run measures comes first.
            groups.sort_by_key(|&(_, _, n, _)| !options::QUICK_SIZES.contains(&n));
        }
        // Each group is measured again when all the others were: what changes from moment to moment, and where memory lies, is seen.
        let groups = groups.repeat(self.options.passes());
        self.progress = Progress::new(groups.len());
        self.progress.limit(self.stop.end());
        let options = self.options;
        for (op, ty, n, residency) in groups {
            if let Some(why) = self.stop.now() {
                self.stopped = Some((why, self.progress.so_far()));
                break;
            }
            self.noise.between();
            self.group(op, ty, n, residency, &|name| options.wants_backend(name))?;
        }
        self.cases = record::merged(std::mem::take(&mut self.cases));
        Ok(())
    }

    /// One group, with inputs of its own.
    fn group(
        &mut self,
        op: &str,
        ty: &'static str,
        n: usize,
        residency: Residency,
        wants: &dyn Fn(&str) -> bool,
    ) -> granule::Result<()> {
        let op = catalogue::op(op);
        self.perform(op.name, ty, n, residency, wants, |scene, go| match ty {
            "f32" => {
                let (x, y) = (oracle::floats(n, 1), oracle::floats(n, 2));
                groups::on_f32(scene, op, (&x, &y), residency, go)
            }
            _ => {
                let (x, y) = (oracle::integers(n, 1), oracle::integers(n, 2));
                groups::on_u32(scene, op, (&x, &y), residency, go)
            }
        })
    }

    /// Measures the contenders that `perform` sets up, and keeps the cases.
    fn perform(
        &mut self,
        op: &str,
        ty: &'static str,
        n: usize,
        residency: Residency,
        wants: &dyn Fn(&str) -> bool,
        perform: impl FnOnce(&Scene<'_>, Go<'_>) -> granule::Result<()>,
    ) -> granule::Result<()> {
        let op = catalogue::op(op);
        let name = format!("{} {ty} {} on the {}", op.name, table::size(n), residency.name());
        self.progress.begin(&name);
        // A read that waits for the GPU ends each sample on it, so those samples are longer.
        let sample = Duration::from_millis(if residency == Residency::Gpu { 5 } else { 1 });
        let usual = self.options.budget() / self.options.passes() as u32;
        let (stop, [done, of]) = (self.stop, self.progress.so_far());
        // Of what is left of the time each group gets its part, and half of it goes into checks and warming up.
        let share = stop.left().map(|left| left / (2 * of.saturating_sub(done).max(1)) as u32);
        let scene = Scene { engine: self.engine, gpu: self.gpu, wants };
        let clock = |work: &mut dyn FnMut() -> granule::Result<()>| by_the_gpu(self.engine, work);
        let (cases, failed, progress) = (&mut self.cases, &mut self.failed, &self.progress);
        let set_up = perform(&scene, &mut |contenders: &mut [Contender<'_>]| {
            let most = share.map_or(usual, |share| share / contenders.len().max(1) as u32);
            let outcomes = measure(contenders, Budget { sample, contender: usual.min(most), stop }, &clock);
            for (contender, outcome) in contenders.iter().zip(outcomes) {
                let verified = match &outcome.verdict {
                    Ok(()) => true,
                    Err(Trouble::Stopped) => continue,
                    Err(Trouble::Failed(error)) if stage::is_refusal(error) => {
                        progress.note(&format!("left out: {name} on {}: {error}", contender.backend));
                        continue;
                    }
                    Err(Trouble::Failed(error)) => {
                        *failed = true;
                        progress.note(&format!("FAILED: {name} on {}: {error}", contender.backend));
                        false
                    }
                    Err(Trouble::Wrong(message)) => {
                        *failed = true;
                        progress.note(&format!("WRONG ANSWER: {name} on {}: {message}", contender.backend));
                        false
                    }
                };
                cases.push(Case {
                    op: op.name,
                    ty,
                    n,
                    residency: residency.name(),
                    backend: contender.backend.clone(),
                    chose: contender.chose.clone(),
                    plan: contender.plan.clone(),
                    seconds: outcome.seconds,
                    passes: Vec::new(),
                    gpu_seconds: outcome.gpu_seconds,
                    bytes: (n * op.bytes) as u64,
                    ops: contender.ops,
                    verified,
                });
            }
        });
        self.progress.end();
        match set_up {
            Err(error) if stage::is_refusal(&error) => {
                self.progress.note(&format!("left out: {name}: {error}"));
                Ok(())
            }
            other => other,
        }
    }
}

/// Has work done, and says how long it took by the GPU's own clock, where there is one.
fn by_the_gpu(engine: &Engine, work: &mut dyn FnMut() -> granule::Result<()>) -> granule::Result<Option<Duration>> {
    #[cfg(feature = "gpu")]
    return engine.gpu()?.time_passes(work).map(|((), took)| took);
    #[cfg(not(feature = "gpu"))]
    {
        _ = engine;
        work().map(|()| None)
    }
}

/// The engine, with a software rasteriser only if that was asked for, and with a cache in `scratch` if there is one.
fn engine(options: &Options, scratch: Option<&regret::Scratch>) -> granule::Result<Engine> {
    let mut builder = Engine::builder();
    if let Some(scratch) = scratch {
        builder = builder.cache(scratch.path());
    }
    #[cfg(feature = "gpu")]
    if options.software_gpu {
        builder = builder.gpu(granule::gpu::Selection::Software);
    }
    #[cfg(not(feature = "gpu"))]
    if options.software_gpu {
        eprintln!("--software-gpu has no effect: this build has no GPU backend");
    }
    builder.build()
}

/// Whether there is a GPU to measure, or why not.
fn usable_gpu(engine: &Engine) -> Result<(), String> {
    match &engine.machine().gpus {
        Gpus::Present(list) if list.iter().any(|gpu| gpu.kind != GpuKind::Software || gpu.asked_for) => Ok(()),
        Gpus::Present(_) => Err("there is only a software adapter, which counts with --software-gpu alone".into()),
        other => Err(other.to_string()),
    }
}
