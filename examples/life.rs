//! Conway's Game of Life on a torus: a stencil, applied many times in one call. A glider's path is known: four steps move it by one
//! cell down and one to the right, over the edges of the torus too.
//!
//! `cargo run --release --example life -- [--size 1024] [--steps 200] [--out out/life.png] [--explain]`

use std::path::PathBuf;
use std::process::ExitCode;

use granule::grid::{Grid, Torus, Window};
use granule::prelude::*;

#[path = "support/args.rs"]
mod args;
#[path = "support/backends.rs"]
mod backends;
#[path = "support/image.rs"]
mod image;

use backends::{Bench, Verdict};

/// A cell lives if three of its neighbours do, or if two do and it has lived.
#[kernel]
fn life(w: Window<u32, 2>) -> u32 {
    let around = w.at(-1, -1) + w.at(-1, 0) + w.at(-1, 1) + w.at(0, -1) + w.at(0, 1) + w.at(1, -1) + w.at(1, 0) + w.at(1, 1);
    if around == 3 || around == 2 && w.at(0, 0) == 1 { 1 } else { 0 }
}

/// The cells of a glider, as rows and columns.
const GLIDER: [[usize; 2]; 5] = [[0, 1], [1, 2], [2, 0], [2, 1], [2, 2]];

fn main() -> ExitCode {
    args::main("life", "[--size 1024] [--steps 200] [--out out/life.png] [--explain]", Options::read, play)
}

fn play(options: &Options) -> Result<(), String> {
    let text = |error: Error| error.to_string();
    let engine = Engine::new().map_err(text)?;
    println!("granule on this machine");
    let mut bench = Bench::new(&engine, options.explain);
    let (n, steps) = (options.size, options.steps);

    // A glider that starts near the corner passes over it.
    let glider = |top: usize, left: usize| {
        let mut cells = vec![0; n * n];
        GLIDER.iter().for_each(|[y, x]| cells[(top + y) % n * n + (left + x) % n] = 1);
        cells
    };
    let (start, rounds) = (glider(n - 4, n - 4), steps / 4);
    let want = glider(n - 4 + rounds, n - 4 + rounds);
    let grid = Grid::new(&start, [n, n]).map_err(text)?;
    bench
        .step(
            &format!("a glider: {n} x {n} cells, {} steps in one call (iterate)", 4 * rounds),
            n * n * 4 * rounds,
            || engine.iterate(grid.stencil(Torus, life::with()), 4 * rounds),
            Array::into_vec,
            |_, got| Verdict::bits(got, &want),
        )
        .map_err(text)?;

    // A third of the cells at random, and how many live in the end: a reduction over the last step, which is not stored.
    let bits = engine.collect(granule::random::Philox::new(1970).bits().take(n * n)).run().map_err(text)?;
    let soup: Vec<u32> = bits.into_vec().map_err(text)?.iter().map(|x| u32::from(x % 3 == 0)).collect();
    let grid = Grid::new(&soup, [n, n]).map_err(text)?;
    let mut want = soup.clone();
    (0..steps).for_each(|_| want = plain_step(&want, n));
    let cells = bench
        .step(
            &format!("a soup: {n} x {n} cells, {steps} steps in one call (iterate)"),
            n * n * steps,
            || engine.iterate(grid.stencil(Torus, life::with()), steps),
            Array::into_vec,
            |_, got| Verdict::bits(got, &want),
        )
        .map_err(text)?;
    let alive = plain_step(&want, n).iter().sum::<u32>();
    let grid = Grid::new(&cells, [n, n]).map_err(text)?;
    bench
        .step(
            "how many live a step later (stencil and reduction fused)",
            n * n,
            || engine.reduce(grid.stencil(Torus, life::with()), Sum),
            Ok,
            |_, got| Verdict::bits(&[*got], &[alive]),
        )
        .map_err(text)?;

    let samples: Vec<u8> = cells.iter().map(|&x| 255 * x as u8).collect();
    image::write_png(&options.out, n, image::ColorType::Grayscale, &samples)?;
    println!("\nthe picture is in {}", options.out.display());
    bench.finish()
}

/// The rules by plain index arithmetic.
fn plain_step(cells: &[u32], n: usize) -> Vec<u32> {
    let at = |y: usize, x: usize| cells[y % n * n + x % n];
    let cell = |i: usize| {
        let (y, x) = (i / n + n, i % n + n);
        let square: u32 = (y - 1..=y + 1).flat_map(|y| (x - 1..=x + 1).map(move |x| at(y, x))).sum();
        u32::from(square == 3 || square == 4 && at(y, x) == 1)
    };
    (0..n * n).map(cell).collect()
}

/// The command line.
struct Options {
    size: usize,
    steps: usize,
    out: PathBuf,
    explain: bool,
}

impl Options {
    fn read(args: &mut pico_args::Arguments) -> Result<Options, pico_args::Error> {
        Ok(Options {
            size: args::number(args, "--size", 1024, 8..=16384)?,
            steps: args::number(args, "--steps", 200, 0..=usize::MAX)?,
            out: args::path(args, "--out", "out/life.png")?,
            explain: args.contains("--explain"),
        })
    }
}
