//! The benchmark: BabelStream's operations, two maps bound by arithmetic, reductions and a scan, on every backend of this machine,
//! beside the plain iterator, rayon and hand-written loops. Every answer is checked.
//!
//! `cargo run --release --example bench -- --quick`; how to read it, and what is claimed, is in `benches/README.md`.

mod agenda;
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
mod passes;
mod peaks;
mod progress;
mod record;
mod regret;
mod report;
mod segments;
mod selection;
mod session;
mod stage;
mod stencils;
mod stop;
mod table;
mod targets;

use std::process::ExitCode;
use std::time::Instant;

use granule::Engine;
use granule::machine::{GpuKind, Gpus};

use serde_json::{Value, json};

use noise::Noise;
use options::Options;
use record::Case;
use session::Session;
use stop::Stop;

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
    if options.pass {
        stop::listen();
        return passes::child(&engine, options, gpu.is_ok()).map(|()| true);
    }
    println!("granule {}; {}; SIMD level {}", env!("CARGO_PKG_VERSION"), engine.machine(), engine.simd_level());
    if let Err(reason) = &gpu {
        println!("no GPU is measured: {reason}");
    }
    stop::listen();
    let stop = Stop::after(began, options.time_budget());
    if options.regret {
        return regret::run(&engine, options, gpu.is_ok(), &context, stop);
    }
    let noise = Noise::begin();
    let software = engine.machine().gpus().iter().all(|gpu| gpu.kind == GpuKind::Software);
    let mut session = Session::new(&engine, options, gpu.is_ok(), stop, noise);
    session.not_run.extend(gpu.err().map(|reason| json!({ "backend": "gpu", "reason": reason })));
    let (mut babelstream, mut peaks) = (Value::Null, Value::Null);
    if options.targets {
        targets::run(&mut session)?;
    } else if options.babelstream {
        babelstream = babelstream::run(&mut session)?;
    } else {
        peaks = peaks::measure(&engine, session.gpu)?;
        passes::sweep(&mut session, software);
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
    let planted = options.plant.map_or(Value::Null, |plant| json!(plant.name()));
    let not_run = if not_run.is_empty() { Value::Null } else { json!(not_run) };
    let more = [
        ("planted", planted),
        ("stopped", stopped),
        ("not_run", not_run),
        ("noise", noise),
        ("peaks", peaks),
        ("babelstream", babelstream),
    ];
    options.write(&record::text(
        &engine,
        &context,
        &more.map(|(key, value)| (key, value.to_string())),
        cases.iter().map(Case::to_json),
    ))?;
    Ok(!failed)
}

/// The engine, with a software rasteriser only if that was asked for, and with a cache in `scratch` if there is one. What earlier processes have
/// learned helps nobody whose figures are compared, unless the environment says so.
fn engine(options: &Options, scratch: Option<&regret::Scratch>) -> granule::Result<Engine> {
    let mut builder = Engine::builder();
    let unsaid = |name| std::env::var_os(name).is_none();
    if let Some(scratch) = scratch {
        builder = builder.cache(scratch.path());
    } else if options.regret_cold_child.is_none() && unsaid("GRANULE_CACHE") {
        builder = builder.no_cache();
    }
    // Where the library chooses, it knows the machine.
    if options.pass && unsaid("GRANULE_CALIBRATE") {
        builder = builder.calibrate(granule::Calibrate::Now);
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
