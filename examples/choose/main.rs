//! What this machine is, where five kernels would run at which size, and whether that is where they are fastest.
//!
//! `cargo run --release --example choose -- [--out out/choose.svg] [--quick]`
//!
//! `GRANULE_ADAPTER=llvmpipe` lets a software adapter take part.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use granule::machine::{CpuRates, GpuRates, Levels, Machine};
use granule::plan::{Problem, explain};
use granule::prelude::*;

mod chart;
mod measure;
mod subjects;
#[path = "../support/svg.rs"]
mod svg;

use measure::Curves;

/// Powers of two between which everything happens.
const SIZES: std::ops::RangeInclusive<u32> = 8..=22;
/// Calls from which the library learns how often a loop runs whose length depends on data, and their number of elements.
const LESSONS: u64 = 20;
const LESSON: usize = 1 << 14;

fn main() -> ExitCode {
    match Options::from_args().and_then(|options| run(&options).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("choose: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    if cfg!(debug_assertions) {
        eprintln!("this is a debug build: its figures mean nothing; run it with --release");
    }
    let engine = Engine::new()?;
    print_machine(&engine);
    let begun = Instant::now();
    engine.calibrate()?;
    println!("\nmeasured in {}", seconds(begun.elapsed().as_secs_f64()));
    print_rates(engine.machine());
    print_memory(&engine);

    let largest = 1 << SIZES.end();
    let (x, y) = inputs(largest);
    // 5 kernels at 15 sizes in about 25 seconds, or at 8 sizes in 8.
    let (step, budget) = if options.quick { (2, Duration::from_millis(150)) } else { (1, Duration::from_millis(300)) };
    let mut all = Vec::new();
    for mut subject in subjects::all(&engine, &x, &y) {
        println!("\n{}: {}, f32, from and to host memory", subject.name, subject.formula);
        let mut problem = subject.problem(1 << SIZES.start())?;
        if problem.element.loops_unknown {
            subject.teach(LESSON, LESSONS)?;
            problem = subject.problem(1 << SIZES.start())?;
            println!("  by {LESSONS} calls, its loop takes as long as {:.0} iterations of the model", problem.seen.iterations);
        }
        println!("  predicted: {}", crossovers(&problem, engine.machine()));
        let curves = Curves::of(engine.machine(), &mut subject, SIZES, step, budget)?;
        print_table(&curves);
        all.push(curves);
    }

    let picture = chart::draw(engine.machine(), &all);
    if let Some(folder) = options.out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&options.out, picture)?;
    println!("\nthe picture is in {}", options.out.display());
    Ok(())
}

/// Points of the complex plane, which serve as numbers for the other kernels as well. The first few are spread as evenly as all of
/// them: multiples of the powers of 1 / 1.3247, the real root of x^3 = x + 1 (M. Roberts, "The unreasonable effectiveness of
/// quasirandom sequences", 2018).
fn inputs(n: usize) -> (Vec<f32>, Vec<f32>) {
    let spread = |i: usize, step: f64| (i as f64 * step % 1.0) as f32;
    let x = (0..n).map(|i| -2.2 + 3.0 * spread(i, 0.754_877_666_246_692_7)).collect();
    let y = (0..n).map(|i| -1.2 + 2.4 * spread(i, 0.569_840_290_998_053_3)).collect();
    (x, y)
}

fn print_machine(engine: &Engine) {
    let cpu = &engine.machine().cpu;
    println!("discovered");
    println!("  {}", cpu.name);
    println!("  {} cores for this process, of which a call may use {}", cpu.cores, engine.workers());
    println!(
        "  SIMD level {}: {} lanes of f32; the widest here is {}",
        engine.simd_level(),
        cpu.simd_lanes,
        granule::SimdLevel::detect()
    );
    println!("  caches {}, {}, {}", bytes(cpu.l1_bytes), bytes(cpu.l2_bytes), bytes(cpu.l3_bytes));
    #[cfg(feature = "gpu")]
    for adapter in Engine::adapters() {
        println!("  adapter {adapter}");
    }
    println!("  in use: {}", engine.machine().gpus);
}

/// The figures that the planner reckons with, and where each comes from.
fn print_rates(machine: &Machine) {
    let CpuRates { read, write, random_weight, dram_limit, fresh, ops, measured, .. } = machine.rates;
    let CpuRates { wake_hot, wake_cold, wake_more, chunk, call, .. } = machine.rates;
    println!("\nrates of the processor");
    rate("read, one core", &levels(read), measured.memory);
    rate("write, one core", &levels(write), measured.memory);
    rate("memory, all cores", &per_second(dram_limit, "B"), measured.memory);
    rate("memory, at its first touch", &per_second(fresh, "B"), measured.memory);
    let Levels { l1, l2, l3, dram } = random_weight;
    let random = format!("{l1:.1} in L1, {l2:.1} in L2, {l3:.1} in L3, {dram:.1} beyond");
    rate("a byte at random, in bytes in order", &random, measured.random);
    rate("simple operations, one lane", &per_second(ops.simple, "op"), measured.compute);
    rate("divisions", &per_second(ops.divide, "op"), measured.compute);
    rate("functions", &per_second(ops.function, "op"), measured.compute);
    rate("a call, a chunk", &format!("{}, {}", seconds(call), seconds(chunk)), measured.overhead);
    rate("a first helper, each further one", &format!("{}, {}", seconds(wake_hot), seconds(wake_more)), measured.wake);
    rate("until a sleeping helper begins", &seconds(wake_cold), measured.wake);
    for gpu in machine.gpus() {
        let GpuRates { submit, dispatch, compile, upload, download, memory, cache, ops, measured, .. } = gpu.rates;
        println!("rates of {}", gpu.name);
        let link = |link: granule::machine::Link| format!("{} + {}", seconds(link.latency), per_second(link.bandwidth, "B"));
        rate("a submission, a dispatch", &format!("{}, {}", seconds(submit), seconds(dispatch)), measured.overhead);
        rate("compiling a shader", &seconds(compile), measured.overhead);
        rate("upload", &link(upload), measured.transfer);
        rate("download", &link(download), measured.transfer);
        rate("memory, cache", &format!("{}, {}", per_second(memory, "B"), per_second(cache, "B")), measured.memory);
        rate("simple operations, all lanes", &per_second(ops.simple, "op"), measured.compute);
        rate("divisions", &per_second(ops.divide, "op"), measured.compute);
        rate("functions", &per_second(ops.function, "op"), measured.compute);
    }
}

/// Where this is kept for the next process, and what went wrong.
fn print_memory(engine: &Engine) {
    match engine.cache_directory() {
        Ok(directory) => println!("kept in {}", directory.display()),
        Err(why) => println!("not kept: {why}"),
    }
    for note in engine.notes() {
        println!("note: {note}");
    }
}

fn rate(what: &str, value: &str, measured: bool) {
    println!("  {what:<37}{value:<55}{}", if measured { "measured here" } else { "prior" });
}

fn levels(levels: Levels) -> String {
    let Levels { l1, l2, l3, dram } = levels;
    format!("{} in L1, {:.0} in L2, {:.0} in L3, {:.0} beyond", per_second(l1, "B"), l2 / 1e9, l3 / 1e9, dram / 1e9)
}

fn per_second(rate: f64, unit: &str) -> String {
    let digits = [1e9, 1e10, 1e11].iter().filter(|limit| rate < **limit).count();
    format!("{:.digits$} G{unit}/s", rate / 1e9)
}

fn bytes(n: usize) -> String {
    if n < 1 << 20 { format!("{} KiB", n >> 10) } else { format!("{} MiB", n >> 20) }
}

/// A time as people write it.
fn seconds(s: f64) -> String {
    let (value, unit) = match s {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s if s >= 1e-6 => (s * 1e6, "us"),
        s => (s * 1e9, "ns"),
    };
    let digits = if value < 9.95 { 1 } else { 0 };
    format!("{value:.digits$} {unit}")
}

/// A number of elements as people write it.
fn elements(n: usize) -> String {
    match n {
        n if n >= 1 << 20 && n.is_multiple_of(1 << 20) => format!("{}Mi", n >> 20),
        n if n >= 1 << 10 && n.is_multiple_of(1 << 10) => format!("{}Ki", n >> 10),
        n => n.to_string(),
    }
}

/// Where the choice changes, from one element on: the planner is a pure function, so this asks it about sizes that no data has.
fn crossovers(problem: &Problem, machine: &Machine) -> String {
    let at = |n: usize| {
        let scaled = |bytes: u64| (bytes as f64 * n as f64 / problem.n as f64) as u64;
        let (upload_bytes, download_bytes) = (scaled(problem.upload_bytes), scaled(problem.download_bytes));
        explain(&Problem { n, upload_bytes, download_bytes, ..*problem }, machine)
    };
    let mut here = at(1);
    let mut text = here.choice.map_or("nothing can run it".to_owned(), |choice| choice.backend.to_string());
    while let Some(change) = here.above {
        text += &format!(", {} from {} elements on", change.backend, change.n);
        here = at(change.n);
    }
    text
}

/// Measured beside predicted, in microseconds.
fn print_table(curves: &Curves) {
    print!("  {:>8}", "n");
    Backend::ALL.iter().for_each(|backend| print!("  {:>22}", backend.to_string()));
    println!("   {:<9}{:<9}us, measured (predicted)", "chosen", "fastest");
    for point in curves.points.iter().filter(|point| point.is_measured()) {
        print!("  {:>8}", elements(point.n));
        for backend in Backend::ALL {
            let cell = match (point.measured[backend as usize], point.predicted[backend as usize]) {
                (None, None) => "-".to_owned(),
                (Some(measured), Some(predicted)) => format!("{:.2} ({:.2})", measured * 1e6, predicted * 1e6),
                (Some(measured), None) => format!("{:.2} (-)", measured * 1e6),
                (None, Some(predicted)) => format!("- ({:.2})", predicted * 1e6),
            };
            print!("  {cell:>22}");
        }
        let fastest = point.fastest().map_or("-".to_owned(), |backend| backend.to_string());
        println!("   {:<9}{fastest}", point.chosen.to_string());
    }
    if let Some(reason) = &curves.no_gpu {
        println!("  no gpu: {reason}");
    }
}

/// The command line.
struct Options {
    out: PathBuf,
    quick: bool,
}

impl Options {
    fn from_args() -> Result<Options, String> {
        let mut options = Options { out: PathBuf::from("out/choose.svg"), quick: false };
        let mut args = std::env::args().skip(1);
        while let Some(flag) = args.next() {
            match flag.as_str() {
                "--quick" => options.quick = true,
                "--out" => options.out = args.next().ok_or("--out needs a file")?.into(),
                _ => return Err(format!("{flag} is not an option; there are --out and --quick")),
            }
        }
        Ok(options)
    }
}
