//! Tone mapping: a photograph's luminance is equalised, so that no part of its range stands empty and none is crowded. A reduction, a
//! histogram, a scan and a map, on every backend and by the planner's choice.
//!
//! `cargo run --release --example tonemap -- [photograph.png] [--out tonemap.png] [--strength 0.6] [--explain]`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use granule::prelude::*;

#[path = "support/args.rs"]
mod args;
#[path = "support/backends.rs"]
mod backends;
#[path = "support/image.rs"]
mod image;

use backends::{Bench, Verdict};

/// Bins of luminance.
const BINS: usize = 256;

/// A pixel's red, green or blue, from 0 to 255.
#[kernel]
fn channel(pixel: u32, number: u32) -> u32 {
    (pixel >> (8 * number)) & 255
}

/// How bright a pixel is, in whole ten-thousandths of a step: the luma of Recommendation ITU-R BT.709.
#[kernel]
fn luminance(pixel: u32) -> u32 {
    2126 * channel(pixel, 0) + 7152 * channel(pixel, 1) + 722 * channel(pixel, 2)
}

/// The luminance of white.
const WHITE: u32 = 255 * 10_000;

/// The same twice: for its minimum and its maximum.
#[kernel]
fn luminance_twice(pixel: u32) -> (u32, u32) {
    (luminance(pixel), luminance(pixel))
}

/// The samples of pixels, one after the other: the red of the first, its green, its blue, the red of the second.
#[kernel]
fn sample(i: u32, pixels: &[u32]) -> u32 {
    channel(pixels[(i / 3) as usize], i % 3)
}

/// A curve of tones.
#[derive(Clone, Copy, Debug, Element)]
struct Tones {
    darkest: u32,
    brightest: u32,
    /// How much of the curve is mixed with what was there, from 0 to 1.
    strength: f32,
}

/// A pixel that is as bright as the share of the pixels that are no brighter. `up_to` tells how many are in each bin or below; in
/// between they are taken to lie evenly. The three channels change by one factor, which keeps the hue.
#[kernel]
fn equalised(pixel: u32, up_to: &[u32], #[uniform] tones: Tones) -> u32 {
    let luma = luminance(pixel);
    let range = tones.brightest - tones.darkest;
    // Below 2^30.
    let place = (luma - tones.darkest) * 256;
    let bin = (place / range).min(255);
    let into_bin = (place - bin * range) as f32 / range as f32;
    let before = if bin > 0 { up_to[(bin - 1) as usize] } else { 0 };
    let here = up_to[bin as usize] - before;
    let share = (before as f32 + into_bin * here as f32) / up_to[255] as f32;
    let old = luma as f32;
    let new = old + tones.strength * (share * 2_550_000.0 - old);
    let factor = new / old.max(1.0);
    let r = (channel(pixel, 0) as f32 * factor + 0.5).min(255.0) as u32;
    let g = (channel(pixel, 1) as f32 * factor + 0.5).min(255.0) as u32;
    let b = (channel(pixel, 2) as f32 * factor + 0.5).min(255.0) as u32;
    r | (g << 8) | (b << 16)
}

fn main() -> ExitCode {
    args::main("tonemap", "[photograph.png] [--out out/tonemap.png] [--strength 0.6] [--explain]", Options::read, tonemap)
}

fn tonemap(options: &Options) -> Result<(), String> {
    let (width, pixels) = read(&options.photograph)?;
    let engine = Engine::new().map_err(text)?;
    println!("granule on this machine");
    let mut bench = Bench::new(&engine, options.explain);
    println!("\nthe photograph: {} x {} pixels", width, pixels.len() / width);
    println!("Times are medians, from the call to the result in host memory, of data that is where the backend wants it.");

    let mapped = map_tones(&engine, &mut bench, pixels, options.strength)?;
    let samples: Vec<u8> = mapped.iter().flat_map(|&pixel| [0, 1, 2].map(|number| channel(pixel, number) as u8)).collect();
    image::write_png(&options.out, width, image::ColorType::Rgb, &samples)?;
    println!("\nthe picture is in {}\n", options.out.display());
    bench.finish()
}

/// The four steps. Each is compared with a plain loop.
fn map_tones(engine: &Engine, bench: &mut Bench, pixels: Vec<u32>, strength: f32) -> Result<Vec<u32>, String> {
    let n = pixels.len();
    let plain = pixels.clone();
    let lumas: Vec<u32> = plain.iter().map(|&pixel| luminance(pixel)).collect();
    let pixels = engine.array_from_vec(pixels);

    // 1. The range: two operators in one pass.
    let want = lumas.iter().fold((u32::MAX, 0), |(low, high), &luma| (low.min(luma), high.max(luma)));
    let (darkest, brightest) = bench
        .step(
            "the darkest and the brightest luminance (reduce)",
            n,
            || engine.reduce((&pixels).map(luminance_twice::with()), (Min, Max)),
            Ok,
            |_, got| Verdict::bits(&[*got], &[want]),
        )
        .map_err(text)?;
    let percent = |luma: u32| f64::from(luma) / f64::from(WHITE) * 100.0;
    println!("  from {:.1} % to {:.1} % of white", percent(darkest), percent(brightest));
    if darkest == brightest {
        return Err("all pixels are equally bright: there is nothing to spread".into());
    }

    // 2. How the pixels are spread over it.
    let mut want = vec![0_u32; BINS];
    for &luma in &lumas {
        let bin = u64::from(luma - darkest) * BINS as u64 / u64::from(brightest - darkest);
        want[(bin as usize).min(BINS - 1)] += 1;
    }
    let lumas = || (&pixels).map(luminance::with());
    bench
        .step(
            "how many pixels are in each of 256 even bins (histogram)",
            n,
            || engine.histogram_even(lumas(), darkest..brightest, BINS),
            Array::into_vec,
            |_, got| Verdict::bits(got, &want),
        )
        .map_err(text)?;
    let counts = engine.histogram_even(lumas(), darkest..brightest, BINS).run().map_err(text)?;
    show(&want);

    // The same for each channel, in one pass.
    let mut want = vec![0_u32; 3 * 256];
    (0..3 * n as u32).for_each(|i| want[(i % 3 * 256 + sample(i, &plain)) as usize] += 1);
    bench
        .step(
            "how often each of three channels has each value (histogram of 256 bins each)",
            3 * n,
            || engine.histogram(iota(0..3 * n as u32).map(sample::with(&pixels)), 256).channels(3),
            Array::into_vec,
            |_, got| Verdict::bits(got, &want),
        )
        .map_err(text)?;

    // 3. How many pixels are in each bin or below. The counts stay where they are.
    let counted = counts.to_vec().map_err(text)?;
    let sums = counted.iter().scan(0, |sum, &count| {
        *sum += count;
        Some(*sum)
    });
    let want: Vec<u32> = sums.collect();
    bench
        .step(
            "how many are in each bin or below (scan)",
            BINS,
            || engine.scan(&counts, Sum),
            Array::into_vec,
            |_, got| Verdict::bits(got, &want),
        )
        .map_err(text)?;
    let up_to = engine.scan(&counts, Sum).run().map_err(text)?;

    // 4. The picture.
    let tones = Tones { darkest, brightest, strength };
    let want: Vec<u32> = plain.iter().map(|&pixel| equalised(pixel, &want, tones)).collect();
    bench
        .step(
            "every pixel, as bright as its place among all (map)",
            n,
            || engine.map(&pixels, equalised::with(&up_to, tones)),
            Array::into_vec,
            |backend, got| match backend {
                // WGSL lets a GPU divide with an error of a few ulp, and add to a product without rounding it.
                Backend::Gpu => within_a_step(got, &want),
                _ => Verdict::bits(got, &want),
            },
        )
        .map_err(text)
}

/// Judges pixels whose channels may differ by one.
fn within_a_step(got: &[u32], want: &[u32]) -> Verdict {
    let differs = |(&got, &want): (&u32, &u32)| (0..3).map(|k| channel(got, k).abs_diff(channel(want, k))).max();
    match got.iter().zip(want).filter_map(differs).max() {
        _ if got.len() != want.len() => Verdict::Wrong(format!("{} pixels, not {}", got.len(), want.len())),
        None | Some(0) => Verdict::Same,
        Some(1) => Verdict::Close { off: 1.0, allowed: 1.0 },
        Some(off) => Verdict::Wrong(format!("a channel is off by {off}")),
    }
}

/// Prints a histogram as a row of bars.
fn show(counts: &[u32]) {
    let columns: Vec<u32> = counts.chunks(4).map(|four| four.iter().sum()).collect();
    let most = columns.iter().copied().max().unwrap_or(0).max(1);
    let bar = |count: u32| [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][(u64::from(count) * 8).div_ceil(most.into()) as usize];
    println!("  dark |{}| bright", columns.into_iter().map(bar).collect::<String>());
}

/// A photograph's width and its pixels: red, green and blue from the lowest byte on.
fn read(path: &Path) -> Result<(usize, Vec<u32>), String> {
    let (width, pixels) = image::read_rgb(path)?;
    match pixels.len() {
        0 => Err("the photograph has no pixels".into()),
        n if n > (u32::MAX / 3) as usize => Err(format!("{n} pixels are more than a third of 2^32")),
        _ => Ok((width, pixels.into_iter().map(|[r, g, b]| u32::from_le_bytes([r, g, b, 0])).collect())),
    }
}

fn text(error: Error) -> String {
    error.to_string()
}

/// The command line.
struct Options {
    photograph: PathBuf,
    out: PathBuf,
    strength: f32,
    explain: bool,
}

impl Options {
    fn read(args: &mut pico_args::Arguments) -> Result<Options, pico_args::Error> {
        Ok(Options {
            out: args::path(args, "--out", "out/tonemap.png")?,
            strength: args::number(args, "--strength", 0.6, 0.0..=1.0)?,
            explain: args.contains("--explain"),
            photograph: args::input(args, "examples/data/astronaut.png")?,
        })
    }
}
