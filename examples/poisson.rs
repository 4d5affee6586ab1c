//! Seamless cloning: a part of one photograph is set into another so that no seam shows. Inside, the colours are those whose second
//! differences are the inserted part's, and which meet the other photograph at the edge (P. Pérez, M. Gangnet, A. Blake, "Poisson
//! image editing", 2003): a Poisson equation, solved by red-black over-relaxation, all sweeps in one call.
//!
//! `cargo run --release --example poisson -- [--out out/poisson.png] [--sweeps 600] [--explain]`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use granule::element::Vec3;
use granule::grid::{Clamp, Grid, Window};
use granule::prelude::*;

#[path = "support/args.rs"]
mod args;
#[path = "support/backends.rs"]
mod backends;
#[path = "support/image.rs"]
mod image;

use backends::{Bench, Verdict};

/// A pixel of the region around the part.
#[derive(Clone, Copy, Debug, PartialEq, Element)]
struct Pixel {
    colour: Vec3,
    /// The second difference that the colour is to have: four times itself less its neighbours.
    wanted: Vec3,
    /// Whether it is solved for. The others are the photograph's.
    inside: bool,
    /// Whether it is this colour of the chessboard's turn.
    turn: bool,
}

/// Half a sweep: the pixels whose turn it is go beyond what their neighbours ask for. Those are of the other colour, so that none of
/// them changes meanwhile.
#[kernel]
fn relax(w: Window<Pixel, 2>, #[uniform] omega: f32) -> Pixel {
    let here = w.at(0, 0);
    let around = w.at(-1, 0).colour + w.at(1, 0).colour + w.at(0, -1).colour + w.at(0, 1).colour;
    let change = (around + here.wanted) * 0.25 - here.colour;
    let relaxed = here.colour + change * omega;
    Pixel { colour: if here.inside && here.turn { relaxed } else { here.colour }, turn: !here.turn, ..here }
}

/// How far a pixel is from what its neighbours ask for.
#[kernel]
fn residual(w: Window<Pixel, 2>) -> f32 {
    let here = w.at(0, 0);
    let around = w.at(-1, 0).colour + w.at(1, 0).colour + w.at(0, -1).colour + w.at(0, 1).colour;
    let off = (around + here.wanted) * 0.25 - here.colour;
    if here.inside { off.length() } else { 0.0 }
}

/// The part: an ellipse of galaxies, with these half axes around the middle of their photograph. It is seen in the visor of a helmet.
const HALVES: [usize; 2] = [58, 80];
/// Its middle in the other photograph, as row and column.
const VISOR: [usize; 2] = [446, 398];

fn main() -> ExitCode {
    args::main("poisson", "[--out out/poisson.png] [--sweeps 400] [--explain]", Options::read, compose)
}

fn compose(options: &Options) -> Result<(), String> {
    let data = |name: &str| image::read_rgb(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name));
    let ((width, mut astronaut), (field_width, field)) = (data("astronaut.png")?, data("deep_field.png")?);
    let middle = [field.len() / field_width / 2, field_width / 2];

    // The region is the ellipse's box, and a frame of one pixel.
    let shape = HALVES.map(|half| 2 * half + 3);
    let mut region = Vec::with_capacity(shape[0] * shape[1]);
    for y in 0..shape[0] {
        for x in 0..shape[1] {
            let place = |middle: [usize; 2]| [middle[0] + y - HALVES[0] - 1, middle[1] + x - HALVES[1] - 1];
            let ([y0, x0], [y1, x1]) = (place(VISOR), place(middle));
            let from = |[y, x]: [usize; 2]| colour(field[y * field_width + x]);
            let across = [(y, HALVES[0]), (x, HALVES[1])].map(|(p, half)| (p as f32 - half as f32 - 1.0) / half as f32);
            let inside = across[0] * across[0] + across[1] * across[1] < 1.0;
            let around = || from([y1 - 1, x1]) + from([y1 + 1, x1]) + from([y1, x1 - 1]) + from([y1, x1 + 1]);
            let wanted = if inside { from([y1, x1]) * 4.0 - around() } else { Vec3::new(0.0, 0.0, 0.0) };
            region.push(Pixel { colour: colour(astronaut[y0 * width + x0]), wanted, inside, turn: (y + x) % 2 == 0 });
        }
    }

    let engine = Engine::new().map_err(text)?;
    println!("granule on this machine");
    let mut bench = Bench::new(&engine, options.explain);
    // The best for a square as wide as the region (D. M. Young, "Iterative solution of large linear systems", 1971).
    let omega = 2.0 / (1.0 + (std::f32::consts::PI / shape[1] as f32).sin());
    let grid = Grid::new(&region, shape).map_err(text)?;
    let unknown = region.iter().filter(|pixel| pixel.inside).count();
    let want = flat(&plain(&region, shape, omega, options.sweeps));
    let solved = bench
        .step(
            &format!("{unknown} unknown colours, {} sweeps of red-black over-relaxation in one call (iterate)", options.sweeps),
            region.len() * 2 * options.sweeps,
            || engine.iterate(grid.stencil(Clamp, relax::with(omega)), 2 * options.sweeps),
            Array::into_vec,
            |backend, got: &Vec<Pixel>| match backend {
                // WGSL lets a GPU add to a product without rounding it.
                Backend::Gpu => Verdict::close(&flat(got), &want, 0.1),
                _ => Verdict::bits(&flat(got), &want),
            },
        )
        .map_err(text)?;

    let grid = Grid::new(&solved, shape).map_err(text)?;
    let before = engine.reduce(Grid::new(&region, shape).map_err(text)?.stencil(Clamp, residual::with()), Max).run();
    let before = f64::from(before.map_err(text)?);
    bench
        .step(
            "how far from the equation the worst colour still is, from 0 to 255 (stencil and reduction fused)",
            region.len(),
            || engine.reduce(grid.stencil(Clamp, residual::with()), Max),
            Ok,
            |_, &off| match f64::from(off) {
                off if off <= 1e-4 * before => Verdict::Close { off, allowed: 1e-4 * before },
                off => Verdict::Wrong(format!("{off}, of {before} before: it takes more sweeps")),
            },
        )
        .map_err(text)?;

    for (i, pixel) in solved.iter().enumerate() {
        let [y, x] = [VISOR[0] + i / shape[1] - HALVES[0] - 1, VISOR[1] + i % shape[1] - HALVES[1] - 1];
        astronaut[y * width + x] = [pixel.colour.x, pixel.colour.y, pixel.colour.z].map(|c| c.round().clamp(0.0, 255.0) as u8);
    }
    image::write_png(&options.out, width, image::ColorType::Rgb, astronaut.as_flattened())?;
    println!("\nthe picture is in {}", options.out.display());
    bench.finish()
}

/// The same sweeps by plain loops, in place.
fn plain(region: &[Pixel], [height, width]: [usize; 2], omega: f32, sweeps: usize) -> Vec<Pixel> {
    let mut now = region.to_vec();
    for half in 0..2 * sweeps {
        for y in 1..height - 1 {
            for x in 1..width - 1 {
                let i = y * width + x;
                if now[i].inside && region[i].turn == (half % 2 == 0) {
                    let around = now[i - width].colour + now[i + width].colour + now[i - 1].colour + now[i + 1].colour;
                    let change = (around + now[i].wanted) * 0.25 - now[i].colour;
                    now[i].colour += change * omega;
                }
            }
        }
    }
    now
}

fn colour(pixel: [u8; 3]) -> Vec3 {
    let [r, g, b] = pixel.map(f32::from);
    Vec3::new(r, g, b)
}

fn flat(region: &[Pixel]) -> Vec<f32> {
    region.iter().flat_map(|pixel| [pixel.colour.x, pixel.colour.y, pixel.colour.z]).collect()
}

fn text(error: Error) -> String {
    error.to_string()
}

/// The command line.
struct Options {
    out: PathBuf,
    sweeps: usize,
    explain: bool,
}

impl Options {
    fn read(args: &mut pico_args::Arguments) -> Result<Options, pico_args::Error> {
        Ok(Options {
            out: args::path(args, "--out", "out/poisson.png")?,
            sweeps: args::number(args, "--sweeps", 400, 1..=100_000)?,
            explain: args.contains("--explain"),
        })
    }
}
