//! Operators of one's own: a commutative one over a struct, and one for which the order matters.
//!
//! `cargo run --release --example custom_operator`

use std::process::ExitCode;

use granule::prelude::*;

#[path = "support/backends.rs"]
mod backends;

use backends::{Bench, Bits, Verdict};

/// Count, mean and sum of squared deviations of some numbers.
#[derive(Clone, Copy, Debug, PartialEq, Element)]
struct Moments {
    count: u32,
    mean: f32,
    squares: f32,
}

/// The moments of one number.
#[kernel]
fn single(x: f32) -> Moments {
    Moments { count: 1, mean: x, squares: 0.0 }
}

/// The moments of two sets from those of each: T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating formulae and a pairwise algorithm
/// for computing sample variances" (1979). Numbers that lie close together far from zero keep their digits, which a sum of
/// squares would lose.
#[operator(identity = Moments { count: 0, mean: 0.0, squares: 0.0 }, commutative)]
fn merge(a: Moments, b: Moments) -> Moments {
    let count = a.count + b.count;
    // The empty set has no share: dividing by nothing must not make NaN of it.
    let share = if count > 0 { b.count as f32 / count as f32 } else { 0.0 };
    let d = b.mean - a.mean;
    Moments { count, mean: a.mean + d * share, squares: a.squares + b.squares + d * d * a.count as f32 * share }
}

/// The map `x -> scale * x + shift` on numbers modulo 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Element)]
struct Affine {
    scale: u32,
    shift: u32,
}

/// First `a`, then `b`. Associative, but the order matters: the operator does not say `commutative`.
#[operator(identity = Affine { scale: 1, shift: 0 })]
fn then(a: Affine, b: Affine) -> Affine {
    Affine { scale: a.scale.wrapping_mul(b.scale), shift: a.shift.wrapping_mul(b.scale).wrapping_add(b.shift) }
}

/// One step of a linear congruential generator, with the multiplier and the increment of W. H. Press and others, "Numerical
/// Recipes" (1992). The increment changes with the step, so that the steps differ and their order shows.
#[kernel]
fn step(i: u32) -> Affine {
    Affine { scale: 1664525, shift: 1013904223 ^ i }
}

/// The state that a map takes a seed to.
#[kernel]
fn state(map: Affine, #[uniform] seed: u32) -> u32 {
    map.scale.wrapping_mul(seed).wrapping_add(map.shift)
}

impl Bits for Moments {
    fn same(&self, other: &Self) -> bool {
        self.count == other.count && self.mean.same(&other.mean) && self.squares.same(&other.squares)
    }
}
impl Bits for Affine {
    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("custom_operator: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let text = |error: Error| error.to_string();
    let engine = Engine::new().map_err(text)?;
    println!("granule on this machine");
    let mut bench = Bench::new(&engine, std::env::args().any(|a| a == "--explain"));
    moments(&engine, &mut bench).map_err(text)?;
    generator(&engine, &mut bench).map_err(text)?;
    println!();
    bench.finish()
}

/// Mean and deviation of numbers near 10 000 that differ by little: in `f32` a sum of squares would have no digit left.
fn moments(engine: &Engine, bench: &mut Bench) -> granule::Result<()> {
    let n = 1 << 20;
    let spread = |i: u32| (i.wrapping_mul(2654435769) >> 8) as f32 / (1 << 24) as f32;
    let numbers = engine.array_from_vec((0..n as u32).map(|i| 10_000.0 + spread(i)).collect());
    let plain = numbers.to_vec()?;
    let mean = plain.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
    let deviation = (plain.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n as f64).sqrt();

    let of = |m: &Moments| (f64::from(m.mean), (f64::from(m.squares) / f64::from(m.count)).sqrt());
    let first = std::cell::Cell::new(None);
    let found = bench.step(
        "mean and deviation in one pass (reduce with an operator over a struct)",
        n,
        || engine.reduce((&numbers).map(single::with()), merge::with()),
        Ok,
        |backend, got| {
            let (m, d) = of(got);
            if (m - mean).abs() > 1e-2 || (d - deviation).abs() > 1e-3 * deviation || got.count != n as u32 {
                return Verdict::Wrong(format!("mean {m}, deviation {d} of {}; not {mean}, {deviation}", got.count));
            }
            // The order is the operation's, but WGSL lets a GPU divide with an error of a few ulp.
            let bits = first.get().unwrap_or(*got);
            first.set(Some(bits));
            match backend {
                Backend::Gpu if !got.same(&bits) => Verdict::Close { off: (m - f64::from(bits.mean)).abs(), allowed: 1e-2 },
                _ => Verdict::bits(&[*got], &[bits]),
            }
        },
    )?;
    let (m, d) = of(&found);
    println!("  mean      {m:.4}  ({mean:.4} by two passes in f64)");
    println!("  deviation {d:.6}  ({deviation:.6})");
    Ok(())
}

/// Every state of a random generator at once: the scan composes the steps, and each prefix takes the seed to its state.
fn generator(engine: &Engine, bench: &mut Bench) -> granule::Result<()> {
    let n = 1 << 20;
    let seed = 42;
    let mut now = seed;
    let states = (0..n as u32).map(|i| {
        now = state(step(i), now);
        now
    });
    let want: Vec<u32> = states.collect();

    bench.step(
        "every state of a generator (scan with an operator for which order matters, then map)",
        n,
        || engine.scan(iota(0..n as u32).map(step::with()), then::with()),
        |prefixes| engine.map(&prefixes, state::with(seed)).run()?.into_vec(),
        |_, got| Verdict::bits(got, &want),
    )?;
    bench.step(
        "the last state alone (reduce)",
        n,
        || engine.reduce(iota(0..n as u32).map(step::with()), then::with()),
        |map| Ok(state(map, seed)),
        |_, got| Verdict::bits(&[*got], &want[n - 1..]),
    )?;
    Ok(())
}
