//! A sparse system solved by conjugate gradients: a terrain, smoothed by one implicit step of diffusion. The matrix has an entry for
//! each point and each of its neighbours; its product with a vector is a reduction of segments.
//!
//! `cargo run --release --example sparse -- [terrain.npy] [--strength 10] [--explain]`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use granule::prelude::*;
use granule::primitives::Csr;
use granule::{Primitive, Task};

#[path = "support/args.rs"]
mod args;
#[path = "support/backends.rs"]
mod backends;
#[path = "support/npy.rs"]
mod npy;

use backends::{Bench, Verdict, show};

/// When the residual is this part of what it was, the system is solved.
const TOLERANCE: f32 = 1e-6;
/// Steps after which it does not converge.
const LIMIT: usize = 1000;

/// `a x + y`
#[kernel]
fn axpy(x: f32, y: f32, #[uniform] a: f32) -> f32 {
    a * x + y
}

fn main() -> ExitCode {
    args::main("sparse", "[terrain.npy] [--strength 10] [--explain]", Options::read, run)
}

fn run(options: &Options) -> Result<(), String> {
    let grid = npy::read(&options.terrain)?;
    let engine = Engine::new().map_err(text)?;
    println!("granule on this machine");
    let mut bench = Bench::new(&engine, options.explain);

    let (rows, columns, strength) = (grid.rows, grid.columns, options.strength);
    let (offsets, indices, values) = diffusion(rows, columns, strength);
    println!("\nthe terrain: {rows} x {columns} points of type {}", grid.kind);
    println!("the matrix: {} rows, {} entries", offsets.len() - 1, values.len());
    let height = grid.values;
    let (plain_offsets, plain_indices, plain_values) = (offsets.clone(), indices.clone(), values.clone());
    let matrix = Csr::new(&engine, height.len(), offsets, indices, values).map_err(text)?;

    // One product, beside a plain loop.
    let product = |x: &dyn Fn(usize) -> f64, row: usize| -> (f64, f64) {
        let entries = plain_offsets[row] as usize..plain_offsets[row + 1] as usize;
        let terms = entries.map(|k| f64::from(plain_values[k]) * x(plain_indices[k] as usize));
        terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()))
    };
    let on_array = engine.array(&height);
    bench
        .step(
            "the matrix times the heights (segmented reduction)",
            matrix.values().bound(),
            || engine.spmv(&matrix, &on_array),
            Array::into_vec,
            |_, got| {
                // Five products and four sums, each rounded.
                let off = (0..got.len()).map(|row| {
                    let (sum, size) = product(&|i| f64::from(height[i]), row);
                    (f64::from(got[row]) - sum).abs() / size.max(f64::MIN_POSITIVE)
                });
                within(off.fold(0.0, f64::max), 9.0 * f64::from(f32::EPSILON))
            },
        )
        .map_err(text)?;

    println!("\nconjugate gradients, until the residual is a millionth of what it was");
    println!("  {:<9} {:>6} {:>12} {:>12}   residual, by a plain loop in double precision", "", "steps", "in all", "a step");
    let mut wrong = 0;
    for backend in [Some(Backend::Simd), Some(Backend::Threads), Some(Backend::Gpu), None] {
        let name = backend.map_or("chosen".to_owned(), |backend| backend.to_string());
        // The first run compiles shaders and warms caches.
        let solved = solve(&engine, backend, &matrix, &height).and_then(|_| solve(&engine, backend, &matrix, &height));
        let (x, steps, time) = match solved {
            Ok(solved) => solved,
            Err(error @ Error::Unsupported { .. }) if backend.is_some() => {
                println!("  {name:<9} {error}");
                continue;
            }
            Err(error) => return Err(text(error)),
        };
        let square = |row: usize| (f64::from(height[row]) - product(&|i| f64::from(x[i]), row).0).powi(2);
        let size: f64 = height.iter().map(|&h| f64::from(h).powi(2)).sum();
        let left = ((0..height.len()).map(square).sum::<f64>() / size.max(f64::MIN_POSITIVE)).sqrt();
        // What rounding a solution in single precision changes in the product, four times: the matrix makes no vector longer than that.
        let allowed = 4.0 * f64::from(f32::EPSILON) * (1.0 + 8.0 * f64::from(strength));
        let verdict = within(left, allowed.max(2.0 * f64::from(TOLERANCE)));
        wrong += usize::from(matches!(verdict, Verdict::Wrong(_)));
        println!("  {name:<9} {steps:>6} {:>12} {:>12}   {verdict}", show(time), show(time / steps.max(1) as u32));
    }
    bench.finish()?;
    if wrong > 0 { Err(format!("{wrong} solutions are not what they should be (see WRONG above)")) } else { Ok(()) }
}

/// `A x = b` by conjugate gradients (M. Hestenes, E. Stiefel, 1952): the solution, the steps, and the time. The vectors are arrays that
/// stay where they are made; what the host sees of a step are two numbers.
fn solve(engine: &Engine, backend: Option<Backend>, a: &Csr<f32>, b: &[f32]) -> granule::Result<(Vec<f32>, usize, Duration)> {
    let begin = Instant::now();
    let b = engine.array(b);
    let dot = |x: &Array<f32>, y: &Array<f32>| pinned(engine.inner_product(x, y), backend).run();
    // From x = 0 on, so that the first residual is b itself.
    let mut x = pinned(engine.collect(constant(0.0).take(b.bound())), backend).run()?;
    let mut residual = pinned(engine.collect(&b), backend).run()?;
    let mut direction = pinned(engine.collect(&b), backend).run()?;
    let mut left = dot(&residual, &residual)?;
    let enough = left * TOLERANCE * TOLERANCE;
    let mut steps = 0;
    while left > enough && steps < LIMIT {
        let image = pinned(engine.spmv(a, &direction), backend).run()?;
        let far = left / dot(&direction, &image)?;
        x = pinned(engine.map(zip(&direction, &x), axpy::with(far)), backend).run()?;
        residual = pinned(engine.map(zip(&image, &residual), axpy::with(-far)), backend).run()?;
        let before = std::mem::replace(&mut left, dot(&residual, &residual)?);
        direction = pinned(engine.map(zip(&direction, &residual), axpy::with(left / before)), backend).run()?;
        steps += 1;
    }
    let x = x.into_vec()?;
    Ok((x, steps, begin.elapsed()))
}

fn pinned<P: Primitive>(task: Task<'_, P>, backend: Option<Backend>) -> Task<'_, P> {
    match backend {
        Some(backend) => task.on(backend),
        None => task,
    }
}

/// The matrix `1 + strength * L` of a grid's points, row by row, where `L` is the Laplacian of the graph in which each is joined with its
/// neighbours above, below, to the left and to the right: offsets, columns, values.
fn diffusion(rows: usize, columns: usize, strength: f32) -> (Vec<u32>, Vec<u32>, Vec<f32>) {
    let (mut offsets, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
        let here = row * columns + column;
        let mut neighbours = Vec::with_capacity(4);
        if row > 0 {
            neighbours.push(here - columns);
        }
        if column > 0 {
            neighbours.push(here - 1);
        }
        let before = neighbours.len();
        if column + 1 < columns {
            neighbours.push(here + 1);
        }
        if row + 1 < rows {
            neighbours.push(here + columns);
        }
        let own = 1.0 + strength * neighbours.len() as f32;
        let (left, right) = neighbours.split_at(before);
        let entries = left.iter().map(|&at| (at, -strength)).chain([(here, own)]).chain(right.iter().map(|&at| (at, -strength)));
        for (at, value) in entries {
            indices.push(at as u32);
            values.push(value);
        }
        offsets.push(indices.len() as u32);
    }
    (offsets, indices, values)
}

fn within(off: f64, allowed: f64) -> Verdict {
    if off <= allowed { Verdict::Close { off, allowed } } else { Verdict::Wrong(format!("off by {off:.1e}, of {allowed:.0e}")) }
}

fn text(error: Error) -> String {
    error.to_string()
}

/// The command line.
struct Options {
    terrain: PathBuf,
    strength: f32,
    explain: bool,
}

impl Options {
    fn read(args: &mut pico_args::Arguments) -> Result<Options, pico_args::Error> {
        Ok(Options {
            strength: args::number(args, "--strength", 10.0, 0.0..=1e4)?,
            explain: args.contains("--explain"),
            terrain: args::input(args, "examples/data/elevation.npy")?,
        })
    }
}
