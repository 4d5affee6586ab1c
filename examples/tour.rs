//! A tour: statistics, a shaded relief and a cumulative profile of a real terrain, on every backend and by the planner's choice.
//!
//! `cargo run --release --example tour -- [terrain.npy] [--out shade.png] [--cell 75x93] [--enlarge 4] [--explain]`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use granule::prelude::*;

#[path = "support/backends.rs"]
mod backends;
#[path = "support/image.rs"]
mod image;
#[path = "support/npy.rs"]
mod npy;

use backends::{Bench, Verdict};

/// A terrain's shape: rows from north to south, columns from west to east, and how far apart they are.
#[derive(Clone, Copy, Debug, PartialEq, Element)]
struct Shape {
    rows: u32,
    columns: u32,
    /// Metres between columns.
    east: f32,
    /// Metres between rows.
    south: f32,
}

/// A direction of length 1.
#[derive(Clone, Copy, Debug, PartialEq, Element)]
struct Direction {
    east: f32,
    south: f32,
    up: f32,
}

/// One cell's share in four statistics. Deviations from `origin`, a height near the others, stay small: their squares can be
/// summed in `f32`, which every GPU has, without the cancellation that ruins a sum of squares of heights.
#[kernel]
fn share(height: f32, cell: u32, #[uniform] origin: f32) -> ((f32, u32), (f32, u32), f32, f32) {
    let d = height - origin;
    ((height, cell), (height, cell), d, d * d)
}

/// How bright a cell is in this light, from 0 to 1: Lambert's law on the gradient of B. K. P. Horn, "Hill shading and the
/// reflectance map" (1981), a weighted difference over the eight neighbours. At the border a cell is its own neighbour.
#[kernel]
fn hillshade(cell: u32, heights: &[f32], #[uniform] shape: Shape, #[uniform] light: Direction) -> f32 {
    let row = cell / shape.columns;
    let column = cell % shape.columns;
    let here = row * shape.columns;
    let north = if row > 0 { here - shape.columns } else { here };
    let south = if row + 1 < shape.rows { here + shape.columns } else { here };
    let west = if column > 0 { column - 1 } else { column };
    let east = if column + 1 < shape.columns { column + 1 } else { column };

    let nw = heights[(north + west) as usize];
    let n = heights[(north + column) as usize];
    let ne = heights[(north + east) as usize];
    let w = heights[(here + west) as usize];
    let e = heights[(here + east) as usize];
    let sw = heights[(south + west) as usize];
    let s = heights[(south + column) as usize];
    let se = heights[(south + east) as usize];

    let p = ((ne + 2.0 * e + se) - (nw + 2.0 * w + sw)) / (8.0 * shape.east);
    let q = ((sw + 2.0 * s + se) - (nw + 2.0 * n + ne)) / (8.0 * shape.south);
    let along = light.up - p * light.east - q * light.south;
    (along / (1.0 + p * p + q * q).sqrt()).max(0.0)
}

/// The cell that a survey visits at this step: row after row, eastwards and back.
#[kernel]
fn visited(step: u32, #[uniform] columns: u32) -> u32 {
    let row = step / columns;
    let along = step % columns;
    let column = if row & 1 == 0 { along } else { columns - 1 - along };
    row * columns + column
}

/// How far a survey climbs from the step before to this one, in metres.
#[kernel]
fn climb(step: u32, heights: &[f32], #[uniform] columns: u32) -> f32 {
    let before = if step > 0 { step - 1 } else { 0 };
    let rise = heights[visited(step, columns) as usize] - heights[visited(before, columns) as usize];
    rise.max(0.0)
}

/// The same to the nearest centimetre, as an integer.
#[kernel]
fn climb_cm(step: u32, heights: &[f32], #[uniform] columns: u32) -> u32 {
    (climb(step, heights, columns) * 100.0 + 0.5) as u32
}

/// A height in a terrain that is enlarged by a whole factor: bilinear between the four nearest cells.
#[kernel]
fn enlarged(cell: u32, heights: &[f32], #[uniform] shape: Shape, #[uniform] factor: u32) -> f32 {
    let columns = shape.columns * factor;
    let scale = 1.0 / factor as f32;
    let y = (((cell / columns) as f32 + 0.5) * scale - 0.5).clamp(0.0, (shape.rows - 1) as f32);
    let x = (((cell % columns) as f32 + 0.5) * scale - 0.5).clamp(0.0, (shape.columns - 1) as f32);
    let row = y as u32;
    let column = x as u32;
    let below = if row + 1 < shape.rows { row + 1 } else { row };
    let right = if column + 1 < shape.columns { column + 1 } else { column };
    let u = x - column as f32;
    let v = y - row as f32;
    let upper =
        heights[(row * shape.columns + column) as usize] * (1.0 - u) + heights[(row * shape.columns + right) as usize] * u;
    let lower =
        heights[(below * shape.columns + column) as usize] * (1.0 - u) + heights[(below * shape.columns + right) as usize] * u;
    upper * (1.0 - v) + lower * v
}

fn main() -> ExitCode {
    match Options::from_args().and_then(|options| tour(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("tour: {message}");
            ExitCode::FAILURE
        }
    }
}

fn tour(options: &Options) -> Result<(), String> {
    let grid = npy::read(&options.terrain)?;
    if let Some(hole) = grid.values.iter().position(|h| !h.is_finite()) {
        let (row, column) = (hole / grid.columns, hole % grid.columns);
        return Err(format!("the cell in row {row}, column {column} is {}: fill the holes first", grid.values[hole]));
    }
    let cells = |n: usize, m: usize| n.checked_mul(m).and_then(|n| u32::try_from(n).ok()).filter(|&n| n > 0);
    let factor = options.enlarge;
    if cells(grid.values.len(), (factor * factor) as usize).is_none() {
        return Err("the terrain must have at least one cell, and fewer than 2^32 when enlarged".into());
    }
    let shape = Shape { rows: grid.rows as u32, columns: grid.columns as u32, east: options.cell.0, south: options.cell.1 };

    let engine = Engine::new().map_err(text)?;
    println!("granule on this machine");
    let mut bench = Bench::new(&engine, options.explain);
    println!(
        "\nthe terrain: {} ({} rows x {} columns of {}), {} m x {} m a cell",
        short(&options.terrain).display(),
        grid.rows,
        grid.columns,
        grid.kind,
        shape.east,
        shape.south,
    );
    println!("Times are medians, from the call to the result in host memory, of data that is where the backend wants it.");

    let heights = engine.array_from_vec(grid.values);
    let shade = survey(&engine, &mut bench, &heights, shape).map_err(text)?;
    let samples: Vec<u8> = shade.iter().map(|&s| (s.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
    image::write_png(&options.out, grid.columns, image::ColorType::Grayscale, &samples)?;
    println!("\nthe shaded relief is in {}", options.out.display());

    if factor > 1 {
        let fine = Shape {
            rows: shape.rows * factor,
            columns: shape.columns * factor,
            east: shape.east / factor as f32,
            south: shape.south / factor as f32,
        };
        println!("\n\nthe same terrain enlarged {factor} x {factor}: {} rows x {} columns", fine.rows, fine.columns);
        // By a kernel too. The result stays where it was made: nothing is copied until somebody reads it.
        let fine_heights =
            engine.map(iota(0..fine.rows * fine.columns), enlarged::with(&heights, shape, factor)).run().map_err(text)?;
        survey(&engine, &mut bench, &fine_heights, fine).map_err(text)?;
    }
    println!();
    bench.finish()
}

/// The three steps. Returns the shaded relief.
fn survey(engine: &Engine, bench: &mut Bench, heights: &Array<f32>, shape: Shape) -> granule::Result<Vec<f32>> {
    let plain = heights.to_vec()?;
    let n = plain.len();
    let cells = || iota(0..n as u32);

    // 1. Four statistics in one pass: the zip, the kernel and the four operators are fused into one loop, or one shader.
    let origin = plain[n / 2];
    let want = reference(&plain);
    let title = "statistics: lowest, highest, mean and standard deviation in one fused pass (reduce)";
    let statistics = |((low, high, sum, squares), n): (Shares, usize)| Statistics::new(low, high, sum, squares, origin, n);
    let first = std::cell::Cell::new(None);
    let found = bench.step(
        title,
        n,
        || engine.reduce(zip(heights, cells()).map(share::with(origin)), (ArgMin, ArgMax, Sum, Sum)),
        Ok,
        |_, &got| {
            // The order of a sum belongs to the operation: the first backend's bits are everybody's.
            let bits = first.get().unwrap_or(got);
            first.set(Some(bits));
            match statistics((got, n)).differs_from(&want) {
                Some(why) => Verdict::Wrong(why),
                None => Verdict::bits(&[got.2, got.3], &[bits.2, bits.3]),
            }
        },
    )?;
    let found = statistics((found, n));
    let place = |(height, cell): (f32, u32)| {
        format!("{height:>9.2} m  in row {:>5}, column {:>5}", cell / shape.columns, cell % shape.columns)
    };
    println!("  lowest    {}", place(found.low));
    println!("  highest   {}", place(found.high));
    println!("  mean      {:>9.2} m", found.mean);
    println!("  deviation {:>9.2} m", found.deviation);

    // 2. A kernel that reads its eight neighbours. The sun is in the north-west, halfway up, as cartographers have it.
    let light = Direction::of_sun(315.0, 45.0);
    let want: Vec<f32> = (0..n as u32).map(|cell| hillshade(cell, &plain, shape, light)).collect();
    let shade = bench.step(
        "shaded relief, by Horn's gradient: every cell reads its eight neighbours (map)",
        n,
        || engine.map(cells(), hillshade::with(heights, shape, light)),
        Array::into_vec,
        |backend, got| match backend {
            // WGSL lets a GPU divide and take roots with an error of a few ulp.
            Backend::Gpu => Verdict::close(got, &want, 1e-5),
            _ => Verdict::bits(got, &want),
        },
    )?;

    // 3. The climb of a survey, summed up to every step: in whole centimetres the same bits everywhere, in floats up to rounding.
    let mut total = 0_u32;
    let steps = (0..n as u32).map(|step| climb_cm(step, &plain, shape.columns));
    let want: Vec<u32> = steps.map(|cm| (total = total.wrapping_add(cm), total).1).collect();
    bench.step(
        "climb so far of a survey flown row by row, in whole centimetres (scan of u32)",
        n,
        || engine.scan(cells().map(climb_cm::with(heights, shape.columns)), Sum),
        Array::into_vec,
        |_, got| Verdict::bits(got, &want),
    )?;

    let mut total = 0_f64;
    let steps = (0..n as u32).map(|step| climb(step, &plain, shape.columns));
    let want: Vec<f32> = steps.map(|m| (total += f64::from(m), total as f32).1).collect();
    bench.step(
        "the same in metres, against a sum in f64 (scan of f32)",
        n,
        || engine.scan(cells().map(climb::with(heights, shape.columns)), Sum),
        Array::into_vec,
        // Millions of roundings of a large total: all the digits are in the integers above.
        |_, got| Verdict::close(got, &want, total * 1e-4),
    )?;
    println!("  the survey climbs {:.1} km in all", total / 1e3);
    Ok(shade)
}

/// What the fused reduction gives: the lowest and the highest with their cells, and two sums.
type Shares = ((f32, u32), (f32, u32), f32, f32);

/// The statistics of a terrain.
struct Statistics {
    low: (f32, u32),
    high: (f32, u32),
    mean: f64,
    deviation: f64,
}

impl Statistics {
    fn new(low: (f32, u32), high: (f32, u32), sum: f32, squares: f32, origin: f32, n: usize) -> Statistics {
        let shift = f64::from(sum) / n as f64;
        let variance = f64::from(squares) / n as f64 - shift * shift;
        Statistics { low, high, mean: f64::from(origin) + shift, deviation: variance.max(0.0).sqrt() }
    }

    /// What is wrong, if anything is: the extremes must be exact, the others good to a hundred-thousandth of the largest height.
    fn differs_from(&self, want: &Statistics) -> Option<String> {
        let allowed = 1e-5 * f64::from(want.low.0.abs().max(want.high.0.abs()));
        if (self.low, self.high) != (want.low, want.high) {
            Some(format!("extremes {:?} and {:?}, not {:?} and {:?}", self.low, self.high, want.low, want.high))
        } else if (self.mean - want.mean).abs() > allowed || (self.deviation - want.deviation).abs() > allowed {
            Some(format!("mean {} and deviation {}, not {} and {}", self.mean, self.deviation, want.mean, want.deviation))
        } else {
            None
        }
    }
}

/// The statistics by a plain loop in `f64`.
fn reference(heights: &[f32]) -> Statistics {
    let n = heights.len() as f64;
    let mean = heights.iter().map(|&h| f64::from(h)).sum::<f64>() / n;
    let variance = heights.iter().map(|&h| (f64::from(h) - mean).powi(2)).sum::<f64>() / n;
    let first = |better: fn(f32, f32) -> bool| {
        let at = heights.iter().enumerate().fold(0, |best, (i, &h)| if better(h, heights[best]) { i } else { best });
        (heights[at], at as u32)
    };
    Statistics { low: first(|a, b| a < b), high: first(|a, b| a > b), mean, deviation: variance.sqrt() }
}

impl Direction {
    /// Towards a sun that stands `azimuth` degrees clockwise from north and `altitude` degrees above the horizon.
    fn of_sun(azimuth: f32, altitude: f32) -> Direction {
        let (a, h) = (azimuth.to_radians(), altitude.to_radians());
        Direction { east: a.sin() * h.cos(), south: -a.cos() * h.cos(), up: h.sin() }
    }
}

/// A path as seen from the current folder, if it lies in it.
fn short(path: &Path) -> &Path {
    std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path)
}

fn text(error: Error) -> String {
    error.to_string()
}

/// The command line.
struct Options {
    terrain: PathBuf,
    out: PathBuf,
    /// Metres between columns and between rows.
    cell: (f32, f32),
    enlarge: u32,
    explain: bool,
}

impl Options {
    fn from_args() -> Result<Options, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut options = Options {
            terrain: root.join("examples/data/elevation.npy"),
            out: PathBuf::from("out/hillshade.png"),
            // 3 arc-seconds at 36.4 degrees north, where the terrain in examples/data lies.
            cell: (75.0, 93.0),
            enlarge: 4,
            explain: false,
        };
        let mut args = std::env::args_os().skip(1);
        while let Some(arg) = args.next() {
            let flag = arg.to_string_lossy().into_owned();
            let mut value =
                || args.next().ok_or_else(|| format!("{flag} needs a value")).map(|v| v.to_string_lossy().into_owned());
            match flag.as_str() {
                "--out" => options.out = value()?.into(),
                "--enlarge" => options.enlarge = whole(&value()?)?,
                "--cell" => options.cell = size(&value()?)?,
                "--explain" => options.explain = true,
                f if f.starts_with("--") => {
                    return Err(format!("{f} is not an option; there are --out FILE, --cell EASTxSOUTH, --enlarge N, --explain"));
                }
                _ => options.terrain = arg.into(),
            }
        }
        Ok(options)
    }
}

fn whole(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|n| (1..=64).contains(n)).ok_or_else(|| format!("--enlarge {text}: a whole number from 1 to 64"))
}

fn size(text: &str) -> Result<(f32, f32), String> {
    let metres = |t: &str| t.parse().ok().filter(|m: &f32| m.is_finite() && *m > 0.0);
    let (east, south) = text.split_once('x').unwrap_or((text, text));
    metres(east).zip(metres(south)).ok_or_else(|| format!("--cell {text}: metres, such as 30 or 75x93"))
}
