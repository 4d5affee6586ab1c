//! Monte Carlo: pi, and the price of an option, each with its confidence interval and beside the exact answer.
//!
//! `cargo run --release --example monte_carlo -- [--samples 16777216] [--seed 1] [--explain]`
//!
//! Nothing is stored: the random numbers are made in the pass that adds up what they lead to. Fails if an answer is further from the
//! truth than five standard errors, which chance brings about once in 1.7 million runs.

use std::process::ExitCode;

use granule::prelude::*;
use granule::random::Philox;

#[path = "support/backends.rs"]
mod backends;

use backends::{Bench, Verdict};

/// How many standard errors an answer may be off.
const SIGMAS: f64 = 5.0;

/// Whether a point of the unit square lies in the quarter of the unit circle.
#[kernel]
fn inside(x: f32, y: f32) -> u32 {
    if x * x + y * y < 1.0 { 1 } else { 0 }
}

/// A European call: the right to buy a share at `strike` after `years`.
#[derive(Clone, Copy, Debug, PartialEq, Element)]
struct Call {
    price: f32,
    strike: f32,
    rate: f32,
    volatility: f32,
    years: f32,
}

/// What the call is worth today if the share's price takes the path of this normal number, and its square. The price is a geometric
/// Brownian motion, of which the end alone matters.
#[kernel]
fn worth(z: f32, #[uniform] call: Call) -> (f32, f32) {
    let drift = (call.rate - 0.5 * call.volatility * call.volatility) * call.years;
    let end = call.price * (drift + call.volatility * call.years.sqrt() * z).exp();
    let worth = (end - call.strike).max(0.0) * (-call.rate * call.years).exp();
    (worth, worth * worth)
}

/// The price of F. Black, M. Scholes, "The pricing of options and corporate liabilities" (1973).
fn black_scholes(call: Call) -> f64 {
    let [price, strike, rate, volatility, years] =
        [call.price, call.strike, call.rate, call.volatility, call.years].map(f64::from);
    let spread = volatility * years.sqrt();
    let d = ((price / strike).ln() + (rate + volatility * volatility / 2.0) * years) / spread;
    price * normal(d) - strike * (-rate * years).exp() * normal(d - spread)
}

/// The distribution function of the standard normal distribution, by its series.
fn normal(x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (x, x, 1.0);
    while f64::abs(term) > 1e-17 * f64::abs(sum) {
        k += 2.0;
        term *= x * x / k;
        sum += term;
    }
    0.5 + sum * (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

/// A mean with its standard error, judged by the truth.
fn judge(what: &str, mean: f64, error: f64, truth: f64) -> Verdict {
    let off = (mean - truth).abs();
    if off <= SIGMAS * error {
        Verdict::Close { off, allowed: SIGMAS * error }
    } else {
        Verdict::Wrong(format!("{what} is {mean}, not {truth}: {:.1} standard errors off", off / error))
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("monte_carlo: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let (mut samples, mut seed, mut explain) = (1_u64 << 24, 1, false);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|n| n.parse().ok()).ok_or(format!("{arg} takes a number"));
        match arg.as_str() {
            "--samples" => samples = number()?,
            "--seed" => seed = number()?,
            "--explain" => explain = true,
            _ => return Err(format!("{arg:?} is unknown: --samples N, --seed N, --explain")),
        }
    }
    if !(1000..1 << 32).contains(&samples) {
        return Err(format!(
            "--samples {samples}: from 1000 up to 2^32 - 1, so that an interval means something and a count fits"
        ));
    }
    let engine = Engine::new().map_err(|e| e.to_string())?;
    println!("{samples} samples of seed {seed} on");
    let mut bench = Bench::new(&engine, explain);
    estimate(&engine, &mut bench, samples as usize, seed).map_err(|e| e.to_string())?;
    bench.finish()
}

fn estimate(engine: &Engine, bench: &mut Bench, samples: usize, seed: u64) -> granule::Result<()> {
    let (random, n) = (Philox::new(seed), samples as f64);

    // Two streams, so that the coordinates are independent.
    let points = zip(random.stream(0).uniform(), random.stream(1).uniform()).take(samples);
    let of_count = |count: u32| {
        let share = f64::from(count) / n;
        (4.0 * share, 4.0 * (share * (1.0 - share) / n).sqrt())
    };
    let count = bench.step(
        "pi: the share of the unit square that lies in the circle",
        samples,
        || engine.reduce(points.map(inside::with()), Sum),
        Ok,
        |_, &count| {
            let (pi, error) = of_count(count);
            judge("pi", pi, error, std::f64::consts::PI)
        },
    )?;
    let (pi, error) = of_count(count);
    println!("  answer    {pi:.5} +- {:.5} ({SIGMAS} standard errors); pi is {:.5}", SIGMAS * error, std::f64::consts::PI);

    let call = Call { price: 100.0, strike: 105.0, rate: 0.03, volatility: 0.2, years: 1.5 };
    let paths = random.stream(2).normal().take(samples);
    let of_sums = |(sum, squares): (f32, f32)| {
        let mean = f64::from(sum) / n;
        (mean, ((f64::from(squares) / n - mean * mean) / n).sqrt())
    };
    let truth = black_scholes(call);
    let sums = bench.step(
        "a European call: the mean of what it is worth on each path",
        samples,
        || engine.reduce(paths.map(worth::with(call)), (Sum, Sum)),
        Ok,
        |_, &sums| {
            let (mean, error) = of_sums(sums);
            judge("the price", mean, error, truth)
        },
    )?;
    let (mean, error) = of_sums(sums);
    println!("  answer    {mean:.4} +- {:.4} ({SIGMAS} standard errors); Black and Scholes say {truth:.4}", SIGMAS * error);
    Ok(())
}
