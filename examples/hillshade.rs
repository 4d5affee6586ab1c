//! A shaded relief of a real terrain as a stencil: every cell is lit by the slope that its eight neighbours make. Nothing but the
//! window says where they stand, and the boundary what is beyond the edges.
//!
//! `cargo run --release --example hillshade -- [terrain.npy] [--out out/relief.png] [--azimuth 315] [--altitude 45] [--explain]`

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
#[path = "support/npy.rs"]
mod npy;

use backends::{Bench, Verdict};

/// What the slope is lit by, and how far apart cells are.
#[derive(Clone, Copy, Debug, PartialEq, Element)]
struct Light {
    /// The direction to the sun, of length 1.
    east: f32,
    south: f32,
    up: f32,
    /// Metres between columns, and between rows.
    columns: f32,
    rows: f32,
}

/// The gradient of a terrain, eastwards and southwards, in metres a metre: a weighted difference over the eight neighbours (B. K. P.
/// Horn, "Hill shading and the reflectance map", 1981).
#[kernel]
fn gradient(w: Window<f32, 2>, #[uniform] light: Light) -> (f32, f32) {
    let east = w.at(-1, 1) + 2.0 * w.at(0, 1) + w.at(1, 1);
    let west = w.at(-1, -1) + 2.0 * w.at(0, -1) + w.at(1, -1);
    let south = w.at(1, -1) + 2.0 * w.at(1, 0) + w.at(1, 1);
    let north = w.at(-1, -1) + 2.0 * w.at(-1, 0) + w.at(-1, 1);
    ((east - west) / (8.0 * light.columns), (south - north) / (8.0 * light.rows))
}

/// How bright a cell is, from 0 to 1: Lambert's law.
#[kernel]
fn shade(w: Window<f32, 2>, #[uniform] light: Light) -> f32 {
    let (p, q) = gradient(w, light);
    let along = light.up - p * light.east - q * light.south;
    (along / (1.0 + p * p + q * q).sqrt()).max(0.0)
}

/// How steep a cell is, in metres a metre.
#[kernel]
fn slope(w: Window<f32, 2>, #[uniform] light: Light) -> f32 {
    let (p, q) = gradient(w, light);
    (p * p + q * q).sqrt()
}

fn main() -> ExitCode {
    let usage = "[terrain.npy] [--out out/relief.png] [--azimuth 315] [--altitude 45] [--explain]";
    args::main("hillshade", usage, Options::read, relief)
}

fn relief(options: &Options) -> Result<(), String> {
    let text = |error: Error| error.to_string();
    let terrain = npy::read(&options.terrain)?;
    let shape = [terrain.rows, terrain.columns];
    let heights = terrain.values;
    let engine = Engine::new().map_err(text)?;
    println!("granule on this machine");
    let mut bench = Bench::new(&engine, options.explain);
    println!("\nthe terrain: {} x {} cells of {}", shape[0], shape[1], terrain.kind);

    let (azimuth, altitude) = (options.azimuth.to_radians(), options.altitude.to_radians());
    let (east, south, up) = (azimuth.sin() * altitude.cos(), -azimuth.cos() * altitude.cos(), altitude.sin());
    // 3 arc-seconds at 36.4 degrees north, where the terrain in examples/data lies.
    let light = Light { east, south, up, columns: 75.0, rows: 93.0 };

    // The plain function at every cell: its window clamps indices.
    let plain = |kernel: &dyn Fn(Window<f32, 2>, Light) -> f32| -> Vec<f32> {
        let nearest = |i: usize, by: i32, n: usize| (i as i32 + by).clamp(0, n as i32 - 1) as usize;
        let cell = |i: usize| {
            let (row, column) = (i / shape[1], i % shape[1]);
            let at = |[dy, dx]: [i32; 2]| heights[nearest(row, dy, shape[0]) * shape[1] + nearest(column, dx, shape[1])];
            kernel(Window::new(&at), light)
        };
        (0..heights.len()).map(cell).collect()
    };

    let grid = Grid::new(&heights, shape).map_err(text)?;
    let want = plain(&|w, light| shade(w, light));
    let picture = bench
        .step(
            "shaded relief (a stencil over the clamped grid)",
            heights.len(),
            || engine.collect(grid.stencil(Clamp, shade::with(light))),
            Array::into_vec,
            |backend, got| match backend {
                // WGSL lets a GPU divide and take roots with an error of a few ulp.
                Backend::Gpu => Verdict::close(got, &want, 1e-5),
                _ => Verdict::bits(got, &want),
            },
        )
        .map_err(text)?;

    let want = plain(&|w, light| slope(w, light)).into_iter().fold(0.0, f32::max);
    let steepest = bench
        .step(
            "the steepest slope (stencil and reduction fused)",
            heights.len(),
            || engine.reduce(grid.stencil(Clamp, slope::with(light)), Max),
            Ok,
            |backend, &got| match backend {
                Backend::Gpu => Verdict::close(&[got], &[want], 1e-5),
                _ => Verdict::bits(&[got], &[want]),
            },
        )
        .map_err(text)?;
    println!("  {:.0} % ({:.1} degrees)", 100.0 * steepest, steepest.atan().to_degrees());

    let samples: Vec<u8> = picture.iter().map(|&x| (255.0 * x.min(1.0)).round() as u8).collect();
    image::write_png(&options.out, shape[1], image::ColorType::Grayscale, &samples)?;
    println!("\nthe picture is in {}", options.out.display());
    bench.finish()
}

/// The command line.
struct Options {
    terrain: PathBuf,
    out: PathBuf,
    /// Where the sun stands, in degrees: clockwise from north, and above the horizon.
    azimuth: f32,
    altitude: f32,
    explain: bool,
}

impl Options {
    fn read(args: &mut pico_args::Arguments) -> Result<Options, pico_args::Error> {
        Ok(Options {
            out: args::path(args, "--out", "out/relief.png")?,
            azimuth: args::number(args, "--azimuth", 315.0, 0.0..=360.0)?,
            altitude: args::number(args, "--altitude", 45.0, 1.0..=90.0)?,
            explain: args.contains("--explain"),
            terrain: args::input(args, "examples/data/elevation.npy")?,
        })
    }
}
