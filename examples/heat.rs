//! Heat in a square plate whose edges are held at given temperatures: a stencil, applied until nothing changes any more. What is left
//! is known in closed form: with sin(pi x) along one edge and 0 along the others it is sin(pi x) sinh(pi y) / sinh(pi).
//!
//! `cargo run --release --example heat -- [--size 49] [--out out/heat.png] [--explain]`

use std::f64::consts::PI;
use std::path::PathBuf;
use std::process::ExitCode;

use granule::grid::{Clamp, Grid, Window};
use granule::prelude::*;

#[path = "support/args.rs"]
mod args;
#[path = "support/backends.rs"]
mod backends;
#[path = "support/image.rs"]
mod image;

use backends::{Bench, Verdict};

/// A point of the plate.
#[derive(Clone, Copy, Debug, PartialEq, Element)]
struct Point {
    heat: f32,
    /// Whether its temperature is given.
    held: bool,
}

/// A step of Jacobi's: the mean of the four neighbours.
#[kernel]
fn diffuse(w: Window<Point, 2>) -> Point {
    let here = w.at(0, 0);
    let mean = 0.25 * (w.at(-1, 0).heat + w.at(1, 0).heat + w.at(0, -1).heat + w.at(0, 1).heat);
    Point { heat: if here.held { here.heat } else { mean }, held: here.held }
}

/// What a step changes at a point.
#[kernel]
fn change(w: Window<Point, 2>) -> f32 {
    (diffuse(w).heat - w.at(0, 0).heat).abs()
}

fn main() -> ExitCode {
    args::main("heat", "[--size 49] [--out out/heat.png] [--explain]", Options::read, warm)
}

fn warm(options: &Options) -> Result<(), String> {
    let text = |error: Error| error.to_string();
    let engine = Engine::new().map_err(text)?;
    println!("granule on this machine");
    let mut bench = Bench::new(&engine, options.explain);

    let n = options.size;
    let place = |i: usize| ((i % n) as f64 / (n - 1) as f64, (i / n) as f64 / (n - 1) as f64);
    let steady = |i: usize| {
        let (x, y) = place(i);
        (PI * x).sin() * (PI * y).sinh() / PI.sinh()
    };
    let edge = |i: usize| i < n || i >= n * (n - 1) || i.is_multiple_of(n) || (i + 1).is_multiple_of(n);
    let start: Vec<Point> =
        (0..n * n).map(|i| Point { heat: if edge(i) { steady(i) as f32 } else { 0.0 }, held: edge(i) }).collect();

    // The slowest wave fades by cos(pi / (n - 1)) a step: so many steps leave a millionth of it.
    let steps = (6.0 * 10_f64.ln() / -(PI / (n - 1) as f64).cos().ln()).ceil() as usize;
    // The differences stand for derivatives up to the square of their distance, and each step rounds.
    let allowed = 1.0 / ((n - 1) * (n - 1)) as f64 + 1e-3;
    let grid = Grid::new(&start, [n, n]).map_err(text)?;
    let plate = bench
        .step(
            &format!("a plate of {n} x {n} points, {steps} steps in one call (iterate)"),
            n * n * steps,
            || engine.iterate(grid.stencil(Clamp, diffuse::with()), steps),
            Array::into_vec,
            |_, got| {
                let off = got.iter().enumerate().map(|(i, point)| (f64::from(point.heat) - steady(i)).abs()).fold(0.0, f64::max);
                if off <= allowed { Verdict::Close { off, allowed } } else { Verdict::Wrong(format!("off by {off}")) }
            },
        )
        .map_err(text)?;

    let grid = Grid::new(&plate, [n, n]).map_err(text)?;
    bench
        .step(
            "the most that one more step changes (stencil and reduction fused)",
            n * n,
            || engine.reduce(grid.stencil(Clamp, change::with()), Max),
            Ok,
            |_, &off| {
                let (off, allowed) = (f64::from(off), 1e-6);
                if off <= allowed { Verdict::Close { off, allowed } } else { Verdict::Wrong(format!("{off}: it is not steady")) }
            },
        )
        .map_err(text)?;

    let samples: Vec<u8> = plate.iter().flat_map(|point| glow(point.heat)).collect();
    image::write_png(&options.out, n, image::ColorType::Rgb, &samples)?;
    println!("\nthe picture is in {}", options.out.display());
    bench.finish()
}

/// From black over red and yellow to white.
fn glow(heat: f32) -> [u8; 3] {
    [0.0, 1.0, 2.0].map(|from| (255.0 * (3.0 * heat - from).clamp(0.0, 1.0)) as u8)
}

/// The command line.
struct Options {
    size: usize,
    out: PathBuf,
    explain: bool,
}

impl Options {
    fn read(args: &mut pico_args::Arguments) -> Result<Options, pico_args::Error> {
        Ok(Options {
            size: args::number(args, "--size", 49, 8..=1024)?,
            out: args::path(args, "--out", "out/heat.png")?,
            explain: args.contains("--explain"),
        })
    }
}
