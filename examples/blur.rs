//! A photograph, blurred: by a Gaussian in two passes, one along each axis, with every boundary mode side by side; and by a disk, which
//! no two passes make, as one stencil over both axes.
//!
//! `cargo run --release --example blur -- [photograph.png] [--out out/blur.png] [--sigma 8] [--explain]`

use std::path::PathBuf;
use std::process::ExitCode;

use granule::grid::{Boundary, Clamp, Fixed, Grid, Reflect, Torus, Window};
use granule::prelude::*;

#[path = "support/args.rs"]
mod args;
#[path = "support/backends.rs"]
mod backends;
#[path = "support/image.rs"]
mod image;

use backends::{Bench, Verdict};

/// How far the Gaussian reaches to each side.
const REACH: usize = 24;
/// The disk's radius.
const DISK: i32 = 6;

/// A weighted sum along the rows of each plane.
#[kernel]
fn along_rows(w: Window<f32, 3, 24>, weights: &[f32]) -> f32 {
    let mut sum = 0.0;
    for k in -24..=24 {
        sum += weights[(k + 24) as usize] * w.at(0, 0, k);
    }
    sum
}

/// The same along the columns.
#[kernel]
fn along_columns(w: Window<f32, 3, 24>, weights: &[f32]) -> f32 {
    let mut sum = 0.0;
    for k in -24..=24 {
        sum += weights[(k + 24) as usize] * w.at(0, k, 0);
    }
    sum
}

/// The mean over a disk: what a lens out of focus makes of a point.
#[kernel]
fn disk(w: Window<f32, 3, 6>) -> f32 {
    let mut sum = 0.0;
    let mut count = 0.0;
    for dy in -6..=6 {
        for dx in -6..=6 {
            if dy * dy + dx * dx <= 40 {
                sum += w.at(0, dy, dx);
                count += 1.0;
            }
        }
    }
    sum / count
}

fn main() -> ExitCode {
    args::main("blur", "[photograph.png] [--out out/blur.png] [--sigma 8] [--explain]", Options::read, blur)
}

fn blur(options: &Options) -> Result<(), String> {
    let (width, pixels) = image::read_rgb(&options.photograph)?;
    let height = pixels.len() / width;
    let engine = Engine::new().map_err(text)?;
    println!("granule on this machine");
    println!("\nthe photograph: {width} x {height} pixels, as three planes of f32");
    let photograph = Photograph {
        planes: (0..3).flat_map(|channel| pixels.iter().map(move |pixel| f32::from(pixel[channel]))).collect(),
        shape: [3, height, width],
        weights: gaussian(options.sigma),
    };
    let mut bench = Bench::new(&engine, options.explain);

    let panels = [
        photograph.gaussian(&engine, &mut bench, "constant (black)", Fixed(0.0), |p, n| (0..n).contains(&p).then_some(p))?,
        photograph.gaussian(&engine, &mut bench, "clamp", Clamp, |p, n| Some(p.clamp(0, n - 1)))?,
        photograph.gaussian(&engine, &mut bench, "reflect", Reflect, |p, n| {
            let p = p.rem_euclid((2 * n - 2).max(1));
            Some(p.min(2 * n - 2 - p).max(0))
        })?,
        photograph.gaussian(&engine, &mut bench, "torus", Torus, |p, n| Some(p.rem_euclid(n)))?,
    ];
    let bokeh = photograph.disk(&engine, &mut bench)?;

    // The four modes, two by two, and below them the photograph and the disk.
    let rows = [[&panels[0], &panels[1]], [&panels[2], &panels[3]], [&photograph.planes, &bokeh]];
    let mut samples = Vec::with_capacity(18 * pixels.len());
    for row in rows {
        for y in 0..height {
            for panel in row {
                for x in 0..width {
                    samples.extend((0..3).map(|channel| panel[(channel * height + y) * width + x].round() as u8));
                }
            }
        }
    }
    image::write_png(&options.out, 2 * width, image::ColorType::Rgb, &samples)?;
    println!("\nthe picture is in {}: constant, clamp; reflect, torus; the photograph, the disk", options.out.display());
    bench.finish()
}

struct Photograph {
    /// Red, green and blue, from 0 to 255.
    planes: Vec<f32>,
    shape: [usize; 3],
    weights: Vec<f32>,
}

impl Photograph {
    /// Two passes, checked against a sum in `f64` over both axes. `place` is the boundary in plain words.
    fn gaussian<B: Boundary<f32>>(
        &self,
        engine: &Engine,
        bench: &mut Bench,
        name: &str,
        boundary: B,
        place: impl Fn(i64, i64) -> Option<i64>,
    ) -> Result<Vec<f32>, String> {
        let [planes, height, width] = self.shape;
        let pass = |data: &[f64], axis: usize| -> Vec<f64> {
            let (n, stride) = ([height as i64, width as i64][axis], [width as i64, 1][axis]);
            let value = |i: usize| {
                let p = [i / width % height, i % width][axis] as i64;
                let taps = self.weights.iter().zip(-(REACH as i64)..).map(|(&weight, k)| {
                    let value = place(p + k, n).map_or(0.0, |q| data[(i as i64 + (q - p) * stride) as usize]);
                    f64::from(weight) * value
                });
                taps.sum()
            };
            (0..planes * height * width).map(value).collect()
        };
        let data: Vec<f64> = self.planes.iter().map(|&x| f64::from(x)).collect();
        let (rows, columns) = (pass(&data, 1), pass(&pass(&data, 1), 0));
        let close = |got: &[f32], want: &[f64]| {
            let want: Vec<f32> = want.iter().map(|&x| x as f32).collect();
            Verdict::close(got, &want, 0.01)
        };

        println!("\n\nbeyond the edges: {name}");
        let n = self.planes.len();
        let grid = Grid::new(&self.planes, self.shape).map_err(text)?.stencil(boundary, along_rows::with(&self.weights));
        let judge = |_, got: &Vec<f32>| close(got, &rows);
        bench.step("a Gaussian along the rows", n, || engine.collect(grid), Array::into_vec, judge).map_err(text)?;
        // What the first pass gives stays where it was made.
        let once = engine.collect(grid).run().map_err(text)?;
        let grid = Grid::new(&once, self.shape).map_err(text)?.stencil(boundary, along_columns::with(&self.weights));
        let judge = |_, got: &Vec<f32>| close(got, &columns);
        bench.step("and along the columns", n, || engine.collect(grid), Array::into_vec, judge).map_err(text)
    }

    fn disk(&self, engine: &Engine, bench: &mut Bench) -> Result<Vec<f32>, String> {
        let [planes, height, width] = self.shape;
        let offsets = || (-DISK..=DISK).flat_map(|dy| (-DISK..=DISK).map(move |dx| (dy, dx)));
        let within: Vec<_> = offsets().filter(|(dy, dx)| dy * dy + dx * dx <= 40).collect();
        let mean = |i: usize| {
            let (plane, y, x) = (i / (height * width), i / width % height, i % width);
            let values = within.iter().map(|(dy, dx)| {
                let y = (y as i32 + dy).clamp(0, height as i32 - 1) as usize;
                let x = (x as i32 + dx).clamp(0, width as i32 - 1) as usize;
                f64::from(self.planes[(plane * height + y) * width + x])
            });
            (values.sum::<f64>() / within.len() as f64) as f32
        };
        let want: Vec<f32> = (0..planes * height * width).map(mean).collect();
        let grid = Grid::new(&self.planes, self.shape).map_err(text)?;
        bench
            .step(
                &format!("a disk of {} pixels (one stencil over both axes)", within.len()),
                self.planes.len(),
                || engine.collect(grid.stencil(Clamp, disk::with())),
                Array::into_vec,
                |_, got| Verdict::close(got, &want, 0.01),
            )
            .map_err(text)
    }
}

/// The weights of a Gaussian, which are 1 together.
fn gaussian(sigma: f32) -> Vec<f32> {
    let reach = REACH as i32;
    let weights: Vec<f32> = (-reach..=reach).map(|k| (-0.5 * (k as f32 / sigma).powi(2)).exp()).collect();
    let total: f32 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

fn text(error: Error) -> String {
    error.to_string()
}

/// The command line.
struct Options {
    photograph: PathBuf,
    out: PathBuf,
    /// The Gaussian's standard deviation, in pixels.
    sigma: f32,
    explain: bool,
}

impl Options {
    fn read(args: &mut pico_args::Arguments) -> Result<Options, pico_args::Error> {
        Ok(Options {
            out: args::path(args, "--out", "out/blur.png")?,
            sigma: args::number(args, "--sigma", 8.0, 0.1..=8.0)?,
            explain: args.contains("--explain"),
            photograph: args::input(args, "examples/data/astronaut.png")?,
        })
    }
}
