//! The Mandelbrot set: one kernel with a loop that every pixel leaves at its own time, and one for the colours.
//!
//! `cargo run --release --example mandelbrot -- [--width 1200] [--height 800] [--limit 500] [--out mandelbrot.png] [--explain]`

use std::path::PathBuf;
use std::process::ExitCode;

use granule::prelude::*;

#[path = "support/args.rs"]
mod args;
#[path = "support/backends.rs"]
mod backends;
#[path = "support/image.rs"]
mod image;

use backends::{Bench, Verdict};

/// The part of the complex plane that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Element)]
struct View {
    width: u32,
    left: f32,
    top: f32,
    /// The size of a pixel.
    step: f32,
}

/// How many steps a pixel's orbit takes to leave the circle of radius 16, and the square of its distance then. A circle larger
/// than the 2 that suffices makes the colours smooth.
#[kernel]
fn escape(pixel: u32, #[uniform] view: View, #[uniform] limit: u32) -> (u32, f32) {
    let cx = view.left + (pixel % view.width) as f32 * view.step;
    let cy = view.top - (pixel / view.width) as f32 * view.step;
    let mut x = 0.0;
    let mut y = 0.0;
    let mut n = 0;
    while n < limit && x * x + y * y <= 256.0 {
        let t = x * x - y * y + cx;
        y = 2.0 * x * y + cy;
        x = t;
        n += 1;
    }
    (n, x * x + y * y)
}

/// The colour of an orbit, as red + 256 green + 65536 blue. The count is made continuous by how far beyond the circle the orbit
/// got, and looked up in a palette of cosines, each colour with its phase.
#[kernel]
fn colour(n: u32, distance2: f32, #[uniform] limit: u32) -> u32 {
    if n >= limit {
        return 0;
    }
    // log2 of |z|, which doubles with every step: its own log2 is a count of steps. At radius 16 it is 2.
    let smooth = n as f32 + 2.0 - (0.5 * distance2.log2()).log2();
    let t = (smooth + 1.0).sqrt() * 0.6;
    channel(t, 0.0) + 256 * channel(t, 0.6) + 65536 * channel(t, 1.1)
}

/// One colour channel, from 0 to 255.
#[kernel]
fn channel(t: f32, phase: f32) -> u32 {
    ((0.5 - 0.5 * (t + phase).cos()) * 255.0 + 0.5) as u32
}

fn main() -> ExitCode {
    args::main(
        "mandelbrot",
        "[--width 1200] [--height 800] [--limit 500] [--out out/mandelbrot.png] [--explain]",
        Options::read,
        draw,
    )
}

fn draw(options: &Options) -> Result<(), String> {
    let text = |error: Error| error.to_string();
    let engine = Engine::new().map_err(text)?;
    println!("granule on this machine");
    let mut bench = Bench::new(&engine, options.explain);
    let (width, height, limit) = (options.width, options.height, options.limit);
    let step = (3.0 / width as f32).max(2.4 / height as f32);
    let view = View { width, left: -0.65 - 0.5 * width as f32 * step, top: 0.5 * height as f32 * step, step };
    let n = (width * height) as usize;
    let pixels = || iota(0..width * height);

    let want: Vec<(u32, f32)> = (0..width * height).map(|pixel| escape(pixel, view, limit)).collect();
    let orbits = bench
        .step(
            &format!("orbits: {width} x {height} pixels, at most {limit} steps each (map with a loop)"),
            n,
            || engine.map(pixels(), escape::with(view, limit)),
            Array::into_vec,
            |backend, got| match backend {
                Backend::Gpu => nearly_all(got, &want),
                _ => Verdict::bits(got, &want),
            },
        )
        .map_err(text)?;

    let want: Vec<u32> = orbits.iter().map(|&(n, d)| colour(n, d, limit)).collect();
    let colours = bench
        .step(
            "colours: both kernels fused, nothing is stored between them (map)",
            n,
            || engine.map(pixels().map(escape::with(view, limit)), colour::with(limit)),
            Array::into_vec,
            // Logarithms and cosines differ by a few ulp between std, the SIMD levels and GPUs: a step of a channel at most, but for
            // the pixels at the very edge of the set.
            |_, got| similar(got, &want),
        )
        .map_err(text)?;

    let samples: Vec<u8> = colours.iter().flat_map(|c| [*c as u8, (c >> 8) as u8, (c >> 16) as u8]).collect();
    image::write_png(&options.out, width as usize, image::ColorType::Rgb, &samples)?;
    println!("\nthe picture is in {}", options.out.display());
    bench.finish()
}

/// A GPU's driver may contract `a * b + c`. The map is chaotic near the edge of the set, so there some counts may then differ.
fn nearly_all(got: &[(u32, f32)], want: &[(u32, f32)]) -> Verdict {
    let different = got.iter().zip(want).filter(|(g, w)| g.0 != w.0).count();
    match different {
        0 => Verdict::bits(got, want),
        _ => share(different, got.len(), 0.01),
    }
}

/// Every channel of nearly every pixel within one of what it should be.
fn similar(got: &[u32], want: &[u32]) -> Verdict {
    let far = |g: u32, w: u32| (0..3).any(|c| ((g >> (8 * c)) & 255).abs_diff((w >> (8 * c)) & 255) > 1);
    let different = got.iter().zip(want).filter(|(g, w)| far(**g, **w)).count();
    match different {
        0 if got == want => Verdict::Same,
        _ => share(different, got.len(), 0.01),
    }
}

fn share(different: usize, of: usize, allowed: f64) -> Verdict {
    let off = different as f64 / of as f64;
    if off <= allowed { Verdict::Close { off, allowed } } else { Verdict::Wrong(format!("{different} of {of} pixels differ")) }
}

/// The command line.
struct Options {
    width: u32,
    height: u32,
    limit: u32,
    out: PathBuf,
    explain: bool,
}

impl Options {
    fn read(args: &mut pico_args::Arguments) -> Result<Options, pico_args::Error> {
        Ok(Options {
            width: args::number(args, "--width", 1200, 1..=16384)?,
            height: args::number(args, "--height", 800, 1..=16384)?,
            limit: args::number(args, "--limit", 500, 1..=u32::MAX)?,
            out: args::path(args, "--out", "out/mandelbrot.png")?,
            explain: args.contains("--explain"),
        })
    }
}
