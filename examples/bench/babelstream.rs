//! BabelStream under its own conventions, so that figures can be set beside published ones (Deakin, Price, Martineau,
//! McIntosh-Smith: GPU-STREAM v2.0, 2016; version 5.0 of the program): five kernels in a row, each timed once a repetition on data
//! that stays where it is; the figure of merit is the bandwidth of the fastest repetition, the first one left out.
//!
//! Its check sees averages of arrays whose elements are all equal: an element in the wrong place passes it. So each kernel is also
//! run once on varied data, and every element is compared.

mod check;
mod streams;

use std::time::Instant;

use granule::prelude::*;
use serde_json::{Value, json};

use crate::record::Case;
use crate::session::Session;
use crate::stage;
use crate::stop::Stop;
use streams::{On, Stream, contenders};

/// Elements of an array.
const ARRAY_SIZE: usize = 1 << 25;
/// How often each kernel runs.
const REPETITIONS: usize = 100;
/// What the arrays hold at first, and the scalar.
const START: [f64; 3] = [0.1, 0.2, 0.0];
const SCALAR: f64 = 0.4;

/// The kernels: BabelStream's names, those in records, and the arrays that each moves.
const KERNELS: [(&str, &str, u64); 5] =
    [("Copy", "copy", 2), ("Mul", "mul", 2), ("Add", "add", 3), ("Triad", "triad", 3), ("Dot", "dot", 2)];

/// A float type.
pub(crate) trait Real: Float + Default + Send + Sync {
    /// As records name it, and as BabelStream does.
    const NAMES: [&'static str; 2];
    /// Distance of 1 to the next larger number.
    const EPSILON: f64;
    fn of(x: f64) -> Self;
    fn wide(self) -> f64;
}

macro_rules! real {
    ($ty:ident, $precision:literal) => {
        impl Real for $ty {
            const NAMES: [&'static str; 2] = [stringify!($ty), $precision];
            const EPSILON: f64 = $ty::EPSILON as f64;
            fn of(x: f64) -> Self {
                x as $ty
            }
            fn wide(self) -> f64 {
                f64::from(self)
            }
        }
    };
}
real!(f32, "float");
real!(f64, "double");

/// Runs all backends and peers at each array size, prints a table for each as BabelStream does, and keeps the cases. Conventions and
/// figures of merit, for the record.
pub(crate) fn run(session: &mut Session<'_>) -> granule::Result<Value> {
    let options = session.options;
    let repetitions = options.repetitions.unwrap_or(if options.quick { 20 } else { REPETITIONS });
    let sizes = match (options.sizes.is_empty(), options.quick) {
        (false, _) => options.sizes(),
        (true, true) => vec![1 << 22],
        (true, false) => vec![ARRAY_SIZE],
    };
    let mut turns: Vec<(usize, bool, &str, On)> = Vec::new();
    for n in sizes {
        for double in [true, false] {
            let wanted = contenders(session.gpu).filter(|(name, _)| options.wants_backend(name));
            turns.extend(wanted.map(|(name, on)| (n, double, name, on)));
        }
    }
    let (mut results, of) = (Vec::new(), turns.len());
    for (done, (n, double, name, on)) in turns.into_iter().enumerate() {
        if let Some(why) = session.stop.now() {
            session.stopped = Some((why, [done, of]));
            break;
        }
        session.noise.between();
        let measure = if double { turn::<f64> } else { turn::<f32> };
        match measure(session, (n, repetitions), (name, on), &mut results) {
            Err(error) if stage::is_refusal(&error) => {
                let ty = if double { f64::NAMES[0] } else { f32::NAMES[0] };
                println!("\nnot run: {ty} on {name}: {error}");
                session.not_run.push(json!({ "backend": name, "type": ty, "reason": error.to_string() }));
            }
            other => other?,
        }
    }
    Ok(json!({ "repetitions": repetitions, "start": START, "scalar": SCALAR, "results": results }))
}

/// One contender with one type.
fn turn<T: Real>(
    session: &mut Session<'_>,
    (n, repetitions): (usize, usize),
    (name, on): (&'static str, On),
    results: &mut Vec<Value>,
) -> granule::Result<()> {
    let varied = check::elements(&mut *streams::open::<T>(session.engine, on, check::varied(n))?, n)?;
    let mut stream = streams::open::<T>(session.engine, on, START.map(|start| vec![T::of(start); n]))?;
    let mut times: [Vec<f64>; 5] = Default::default();
    let sum = repeat(&mut *stream, repetitions, session.stop, &mut times)?;
    let done = times[0].len();
    let verdict = varied.and(check::averages(&stream.read()?, sum, done));
    print_table::<T>(name, n, done, &times);
    match &verdict {
        Ok(()) => println!("Validation passed, of averages and of every element of varied data"),
        Err(message) => {
            session.failed = true;
            println!("Validation failed: {message}");
        }
    }
    for ((label, op, arrays), seconds) in KERNELS.into_iter().zip(times) {
        let bytes = arrays * (n * size_of::<T>()) as u64;
        // The first repetition is left out; of one alone nothing is left.
        let seconds = seconds[1..].to_vec();
        let Some(Merit { least, most, average }) = Merit::of(&seconds) else { continue };
        let speed = bytes as f64 * 1e-6 / least;
        results.push(json!({
            "function": label, "type": T::NAMES[0], "n": n, "backend": name,
            "mbytes_per_second": speed, "least": least, "most": most, "average": average,
        }));
        session.cases.push(Case {
            op,
            ty: T::NAMES[0],
            n,
            residency: if name == "gpu" { "gpu" } else { "host" },
            backend: name.to_owned(),
            chose: None,
            plan: None,
            seconds,
            passes: Vec::new(),
            gpu_seconds: Vec::new(),
            bytes,
            ops: None,
            verified: verdict.is_ok(),
        });
    }
    Ok(())
}

/// All kernels in a row, so many times. The last sum.
fn repeat<T: Real>(stream: &mut dyn Stream<T>, repetitions: usize, stop: Stop, times: &mut [Vec<f64>; 5]) -> granule::Result<T> {
    let mut sum = T::default();
    for _ in 0..repetitions {
        for (kernel, times) in times.iter_mut().enumerate() {
            let start = Instant::now();
            if let Some(dot) = stream.kernel(kernel)? {
                sum = dot;
            }
            times.push(start.elapsed().as_secs_f64());
        }
        if stop.now().is_some() {
            break;
        }
    }
    Ok(sum)
}

/// BabelStream's figures of the times of a kernel.
struct Merit {
    least: f64,
    most: f64,
    average: f64,
}

impl Merit {
    fn of(seconds: &[f64]) -> Option<Merit> {
        let fold = |f: fn(f64, f64) -> f64| seconds.iter().copied().reduce(f);
        Some(Merit { least: fold(f64::min)?, most: fold(f64::max)?, average: seconds.iter().sum::<f64>() / seconds.len() as f64 })
    }
}

/// The table as BabelStream prints it.
fn print_table<T: Real>(name: &str, n: usize, repetitions: usize, times: &[Vec<f64>; 5]) {
    let bytes = (n * size_of::<T>()) as f64;
    println!("\nBabelStream's kernels, under its conventions\nImplementation: {name}");
    println!("Running kernels {repetitions} times\nPrecision: {}", T::NAMES[1]);
    println!("Array size: {:.1} MB (={:.1} GB)", bytes * 1e-6, bytes * 1e-9);
    println!("Total size: {:.1} MB (={:.1} GB)", 3.0 * bytes * 1e-6, 3.0 * bytes * 1e-9);
    println!("{:<12}{:<12}{:<12}{:<12}{:<12}", "Function", "MBytes/sec", "Min (sec)", "Max", "Average");
    for ((label, _, arrays), seconds) in KERNELS.into_iter().zip(times) {
        let Some(Merit { least, most, average }) = seconds.get(1..).and_then(Merit::of) else { continue };
        let speed = arrays as f64 * bytes * 1e-6 / least;
        println!("{label:<12}{speed:<12.3}{least:<12.5}{most:<12.5}{average:<12.5}");
    }
}
