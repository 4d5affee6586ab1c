//! The groups: for every operation its task, its peers as a Rust user would write them, and its oracle.

use granule::element::Complex;
use granule::prelude::*;
use granule::primitives::Csr;
use granule::random::Philox;
use rayon::prelude::*;

use crate::catalogue::Op;
use crate::measure::Contender;
use crate::stage::{CheckAll, Scene, Stage, on_stage, on_stage_with};
use crate::{kernels, loops, matrices, movement, oracle, segments, selection, stencils};

/// BabelStream's scalar.
const SCALAR: f32 = 0.4;
/// When the Mandelbrot kernel gives up.
const LIMIT: u32 = 100;
/// Elements of a chunk for rayon: its docs advise to give every job enough work.
pub(crate) const CHUNK: usize = 16 * 1024;

/// Where the data of a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Residency {
    /// Slices in, result in host memory that exists.
    Host,
    /// Arrays on the GPU, result left there.
    Gpu,
}

impl Residency {
    /// Its name in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Residency::Host => "host",
            Residency::Gpu => "gpu",
        }
    }
}

/// Takes the contenders of a group, ready to perform.
pub(crate) type Go<'a> = &'a mut dyn FnMut(&mut [Contender<'_>]);

/// Performs an operation on floats.
pub(crate) fn on_f32(
    scene: &Scene<'_>,
    op: &Op,
    (x, y): (&[f32], &[f32]),
    residency: Residency,
    go: Go<'_>,
) -> granule::Result<()> {
    let n = x.len();
    match op.name {
        "map_exp_sin" => {
            let x = &oracle::angles(n)[..];
            on_stage(scene, (x, x), (n, 0.0, f32::NAN), residency, go, exp_sin)
        }
        "map_mandelbrot" => {
            let (x, y) = &oracle::points(n);
            on_stage(scene, (x, y), (n, 0, u32::MAX), residency, go, mandelbrot)
        }
        "map_complex" => {
            let numbers = |re: &[f32], im: &[f32]| -> Vec<_> { re.iter().zip(im).map(|(&re, &im)| Complex { re, im }).collect() };
            let nowhere = Complex { re: f32::NAN, im: f32::NAN };
            on_stage(scene, (&numbers(x, y), &numbers(y, x)), (n, Complex::default(), nowhere), residency, go, complex_products)
        }
        "philox" => on_stage(scene, (x, y), (n, 0, 0), residency, go, philox),
        "normal" => on_stage(scene, (x, y), (n, 0.0, f32::NAN), residency, go, normal),
        "histogram" => on_stage(scene, (x, y), (256, 0, u32::MAX), residency, go, even_histogram),
        "segmented_reduce" => {
            let offsets = scene.engine.array_from_vec(oracle::offsets(n));
            let outputs = (offsets.bound() - 1, 0.0, f32::NAN);
            on_stage_with(scene, (x, x), outputs, &offsets, residency, go, segments::reduce)
        }
        "spmv" => {
            let (offsets, columns) = (oracle::offsets(n), oracle::columns(n));
            let matrix = Csr::new(scene.engine, x.len(), offsets, columns, y.to_vec())?;
            on_stage_with(scene, (x, x), (matrix.rows(), 0.0, f32::NAN), &matrix, residency, go, segments::spmv)
        }
        "matvec" => {
            let [rows, _] = stencils::square(n);
            on_stage(scene, (x, y), (rows, 0.0, f32::NAN), residency, go, matrices::vector)
        }
        "dot" | "reduce_sum" | "reduce_max" | "reduce_argmax" => {
            on_stage(scene, (x, y), (0, 0.0, f32::NAN), residency, go, |stage| reductions(op.name, stage))
        }
        _ => on_stage(scene, (x, y), (n, 0.0, f32::NAN), residency, go, |stage| stream(op.name, stage)),
    }
}

fn exp_sin(stage: &mut Stage<'_, f32>) {
    let engine = stage.scene.engine;
    let check = oracle::exp_sin_of(stage.x);
    stage.writes(move |x, _| engine.map(x, kernels::exp_sin::with()), check.clone());
    stage.peer_writes("peer:std", |x, _, out| out.iter_mut().zip(x).for_each(|(out, &x)| *out = kernels::exp_sin(x)), &check);
    stage.peer_writes(
        "peer:rayon",
        |x, _, out| chunks(x, x, out, |x, _, out| out.iter_mut().zip(x).for_each(|(out, &x)| *out = kernels::exp_sin(x))),
        &check,
    );
}

fn mandelbrot(stage: &mut Stage<'_, f32, u32>) {
    let engine = stage.scene.engine;
    let steps = |x: &[f32], y: &[f32], out: &mut [u32]| {
        out.iter_mut().zip(x.iter().zip(y)).for_each(|(out, (&x, &y))| *out = kernels::mandelbrot(x, y, LIMIT));
    };
    let mut expected = vec![0; stage.x.len()];
    steps(stage.x, stage.y, &mut expected);
    let check = oracle::steps_are(expected);
    stage.writes(move |x, y| engine.map(zip(x, y), kernels::mandelbrot::with(LIMIT)), check.clone());
    stage.peer_writes("peer:std", steps, &check);
    stage.peer_writes("peer:rayon", move |x, y, out| chunks(x, y, out, steps), &check);
}

fn complex_products(stage: &mut Stage<'_, Complex<f32>>) {
    let engine = stage.scene.engine;
    let products = |x: &[Complex<f32>], y: &[Complex<f32>], out: &mut [Complex<f32>]| {
        out.iter_mut().zip(x.iter().zip(y)).for_each(|(out, (&x, &y))| *out = kernels::complex_product(x, y));
    };
    let check = oracle::complex_products_of(stage.x, stage.y);
    stage.writes(move |x, y| engine.map(zip(x, y), kernels::complex_product::with()), check.clone());
    stage.peer_writes("peer:std", products, &check);
    stage.peer_writes("peer:rayon", move |x, y, out| chunks(x, y, out, products), &check);
}

/// The seed of the random numbers.
const SEED: u64 = 7;

fn philox(stage: &mut Stage<'_, f32, u32>) {
    let (engine, n) = (stage.scene.engine, stage.x.len());
    let check = oracle::integers_are(|i| oracle::philox(SEED, i / 4)[i % 4]);
    stage.writes(move |_, _| engine.collect(Philox::new(SEED).bits().take(n)), check.clone());
    let words = |first: usize, out: &mut [u32]| {
        for (k, out) in out.chunks_mut(4).enumerate() {
            out.copy_from_slice(&oracle::philox(SEED, first / 4 + k)[..out.len()]);
        }
    };
    stage.peer_writes("peer:std", move |_, _, out| words(0, out), &check);
    stage.peer_writes(
        "peer:rayon",
        move |_, _, out| out.par_chunks_mut(CHUNK).enumerate().for_each(|(k, out)| words(k * CHUNK, out)),
        &check,
    );
}

/// The peers make theirs as one would without the library, so that each pair of words gives two numbers (Box and Muller 1958). All
/// that can be compared of theirs is the distribution.
fn normal(stage: &mut Stage<'_, f32>) {
    let (engine, n) = (stage.scene.engine, stage.x.len());
    let check = oracle::normal_words(SEED);
    stage.writes(move |_, _| engine.collect(Philox::new(SEED).normal().take(n)), check);
    let numbers = |first: usize, out: &mut [f32]| {
        for (k, out) in out.chunks_mut(4).enumerate() {
            let [a, b, c, d] = oracle::philox(SEED, first / 4 + k).map(|word| (word >> 8) as f32 / (1 << 24) as f32);
            let pair = |a: f32, b: f32| {
                let (radius, (sin, cos)) = ((-2.0 * (1.0 - a).ln()).sqrt(), (std::f32::consts::TAU * b).sin_cos());
                (radius * cos, radius * sin)
            };
            let ((w, x), (y, z)) = (pair(a, b), pair(c, d));
            out.copy_from_slice(&[w, x, y, z][..out.len()]);
        }
    };
    let check = oracle::normal_moments();
    stage.peer_writes("peer:std", move |_, _, out| numbers(0, out), &check);
    stage.peer_writes(
        "peer:rayon",
        move |_, _, out| out.par_chunks_mut(CHUNK).enumerate().for_each(|(k, out)| numbers(k * CHUNK, out)),
        &check,
    );
}

/// The even bin in [-1, 1] of which there are 256: all steps are exact. The one element beyond is in none.
fn even_bin(x: f32) -> Option<usize> {
    (-1.0..=1.0).contains(&x).then(|| (((x + 1.0) * 128.0) as usize).min(255))
}

fn even_histogram(stage: &mut Stage<'_, f32, u32>) {
    let engine = stage.scene.engine;
    let check = oracle::counts_of(stage.x.iter().filter_map(|&x| even_bin(x)));
    stage.writes(move |x, _| engine.histogram_even(x, -1.0..1.0, 256), check.clone());
    histogram_peers(stage, even_bin, &check);
}

fn histogram(stage: &mut Stage<'_, u32>) {
    let engine = stage.scene.engine;
    let check = oracle::counts_of(stage.x.iter().map(|&x| x as usize));
    stage.writes(move |x, _| engine.histogram(x, 256), check.clone());
    histogram_peers(stage, |x| (x < 256).then_some(x as usize), &check);
}

/// What a loop counts, in memory of its own.
fn table<T>(x: &[T], count: impl Fn(&[T], &mut [u32])) -> Vec<u32> {
    let mut out = vec![0; 256];
    count(x, &mut out);
    out
}

/// One table and one loop; a table for each of rayon's jobs; four tables that neighbours take in turn, on one core and on two.
fn histogram_peers<'g, T: Element>(
    stage: &mut Stage<'g, T, u32>,
    bin: impl Fn(T) -> Option<usize> + Copy + Sync + 'static,
    check: &CheckAll<'g, u32>,
) {
    let std = move |x: &[T], out: &mut [u32]| {
        let counts: &mut [u32; 256] = out.try_into().expect("there are 256 bins");
        counts.fill(0);
        x.iter().filter_map(|&x| bin(x)).for_each(|bin| counts[bin] += 1);
    };
    let sum = |mut a: Vec<u32>, b: Vec<u32>| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    stage.peer_writes("peer:std", move |x, _, out| std(x, out), check);
    stage.peer_writes(
        "peer:rayon",
        move |x, _, out| out.copy_from_slice(&x.par_chunks(CHUNK).map(|x| table(x, std)).reduce(|| vec![0; 256], sum)),
        check,
    );
    stage.peer_writes("peer:loop", move |x, _, out| loops::histogram(x, out, bin), check);
    stage.peer_writes(
        "peer:loop-2t",
        move |x, _, out| {
            let (left, right) = x.split_at(x.len() / 2);
            let count = |x: &[T]| table(x, |x, out| loops::histogram(x, out, bin));
            let (left, right) = rayon::join(|| count(left), || count(right));
            out.copy_from_slice(&sum(left, right));
        },
        check,
    );
}

/// BabelStream's maps, and the scan.
fn stream(op: &str, stage: &mut Stage<'_, f32>) {
    let (engine, x, y) = (stage.scene.engine, stage.x, stage.y);
    let large = x.len() >= loops::FROM;
    match op {
        "stencil_2d" | "stencil_3d" => stencils::fill(op, stage),
        "transpose" => movement::transpose(stage),
        "convolution" => matrices::convolution(stage),
        "matmul" => matrices::product(stage),
        "copy" => {
            let check = oracle::floats_are(move |i| x[i], |_| 0.0);
            stage.writes(move |x, _| engine.collect(x), check.clone());
            stage.peer_writes("peer:std", |x, _, out| out.iter_mut().zip(x).for_each(|(out, &x)| *out = x), &check);
            stage.peer_writes("peer:rayon", |x, y, out| chunks(x, y, out, |x, _, out| out.copy_from_slice(x)), &check);
            if large {
                stage.peer_writes("peer:loop", loops::copy, &check);
                stage.peer_writes("peer:loop-nt", loops::copy_streamed, &check);
                stage.peer_writes("peer:loop-2t", |x, y, out| loops::on_two_threads(x, y, out, loops::copy_streamed), &check);
            }
        }
        "mul" => {
            let check = oracle::floats_are(move |i| SCALAR * x[i], |_| 0.0);
            let std = |x: &[f32], _: &[f32], out: &mut [f32]| out.iter_mut().zip(x).for_each(|(out, &x)| *out = SCALAR * x);
            stage.writes(move |x, _| engine.map(x, kernels::mul::with(SCALAR)), check.clone());
            stage.peer_writes("peer:std", std, &check);
            stage.peer_writes("peer:rayon", move |x, y, out| chunks(x, y, out, std), &check);
        }
        "add" => {
            let check = oracle::floats_are(move |i| x[i] + y[i], |_| 0.0);
            let std = |x: &[f32], y: &[f32], out: &mut [f32]| {
                out.iter_mut().zip(x.iter().zip(y)).for_each(|(out, (&x, &y))| *out = x + y);
            };
            stage.writes(move |x, y| engine.map(zip(x, y), kernels::add::with()), check.clone());
            stage.peer_writes("peer:std", std, &check);
            stage.peer_writes("peer:rayon", move |x, y, out| chunks(x, y, out, std), &check);
        }
        "triad" => {
            let check = oracle::floats_are(
                move |i| x[i] + SCALAR * y[i],
                // What rounding the product may have changed, and the last place of the sum.
                move |i| f64::from(f32::EPSILON) * (f64::from(x[i]).abs() + f64::from(y[i]).abs()),
            );
            let std = |x: &[f32], y: &[f32], out: &mut [f32]| {
                out.iter_mut().zip(x.iter().zip(y)).for_each(|(out, (&x, &y))| *out = kernels::triad(x, y, SCALAR));
            };
            stage.writes(move |x, y| engine.map(zip(x, y), kernels::triad::with(SCALAR)), check.clone());
            stage.peer_writes("peer:std", std, &check);
            stage.peer_writes("peer:rayon", move |x, y, out| chunks(x, y, out, std), &check);
            if large {
                let streamed = |x: &[f32], y: &[f32], out: &mut [f32]| loops::triad_streamed(x, y, out, SCALAR);
                stage.peer_writes("peer:loop", |x, y, out| loops::triad(x, y, out, SCALAR), &check);
                stage.peer_writes("peer:loop-nt", streamed, &check);
                stage.peer_writes("peer:loop-2t", move |x, y, out| loops::on_two_threads(x, y, out, streamed), &check);
            }
        }
        "scan_inclusive_sum" => {
            let check = oracle::prefixes_of(x);
            stage.writes(move |x, _| engine.scan(x, Sum), check.clone());
            stage.peer_writes("peer:std", |x, _, out| prefixes(0.0, x, out, |a, b| a + b), &check);
            stage.peer_writes("peer:rayon", |x, _, out| parallel_prefixes(0.0, x, out, |a, b| a + b), &check);
        }
        "sort_keys" => {
            let mut want = x.to_vec();
            want.sort_by(f32::total_cmp);
            let check = oracle::floats_are(move |i| want[i], |_| 0.0);
            stage.writes(move |x, _| engine.sort(x), check.clone());
            stage.peer_writes("peer:std", |x, _, out| sort(x, out, |x| x.sort_unstable_by(f32::total_cmp)), &check);
            stage.peer_writes("peer:rayon", |x, _, out| sort(x, out, |x| x.par_sort_unstable_by(f32::total_cmp)), &check);
        }
        other => unreachable!("{other} writes no output"),
    }
}

fn reductions(op: &str, stage: &mut Stage<'_, f32>) {
    let (engine, x, y) = (stage.scene.engine, stage.x, stage.y);
    let n = x.len();
    match op {
        "dot" => {
            let check = oracle::sum_of(n, x.iter().zip(y).map(|(&x, &y)| f64::from(x) * f64::from(y)));
            let std = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
            stage.reduce(move |x, y| engine.reduce(zip(x, y).map(kernels::product::with()), Sum), check.clone());
            stage.peer_returns("peer:std", std, &check);
            stage.peer_returns(
                "peer:rayon",
                move |x, y| x.par_chunks(CHUNK).zip(y.par_chunks(CHUNK)).map(|(x, y)| std(x, y)).sum::<f32>(),
                &check,
            );
        }
        "reduce_sum" => {
            let check = oracle::sum_of(n, x.iter().map(|&x| f64::from(x)));
            stage.reduce(move |x, _| engine.reduce(x, Sum), check.clone());
            stage.peer_returns("peer:std", |x, _| x.iter().sum::<f32>(), &check);
            stage.peer_returns("peer:rayon", |x, _| x.par_chunks(CHUNK).map(|x| x.iter().sum::<f32>()).sum::<f32>(), &check);
            if n >= loops::FROM {
                stage.peer_returns("peer:loop", |x, _| loops::sum(x), &check);
                stage.peer_returns("peer:loop-2t", |x, _| loops::sum_on_two_threads(x), &check);
            }
        }
        "reduce_max" => {
            let check = oracle::equals(x.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            let std = |x: &[f32]| x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            stage.reduce(move |x, _| engine.reduce(x, Max), check.clone());
            stage.peer_returns("peer:std", move |x, _| std(x), &check);
            stage.peer_returns(
                "peer:rayon",
                move |x, _| x.par_chunks(CHUNK).map(std).reduce(|| f32::NEG_INFINITY, f32::max),
                &check,
            );
        }
        "reduce_argmax" => {
            let check = oracle::equals(argmax(x.iter(), f32::total_cmp));
            stage.reduce(move |x, _| engine.reduce(zip(x, iota(0..n as u32)), ArgMax), check.clone());
            stage.peer_returns("peer:std", |x, _| argmax(x.iter(), f32::total_cmp), &check);
            stage.peer_returns("peer:rayon", |x, _| parallel_argmax(x, f32::total_cmp), &check);
        }
        other => unreachable!("{other} is no reduction"),
    }
}

/// Performs an operation on unsigned integers.
pub(crate) fn on_u32(
    scene: &Scene<'_>,
    op: &Op,
    (x, y): (&[u32], &[u32]),
    residency: Residency,
    go: Go<'_>,
) -> granule::Result<()> {
    if let Some(keys) = selection::keys(op.name, x.len()) {
        let outputs = if op.name == "merge" || op.name == "lower_bound" { x.len() } else { 0 };
        return on_stage(scene, (&keys.0, &keys.1), (outputs, 0, u32::MAX), residency, go, |stage| {
            selection::fill(op.name, stage)
        });
    }
    if op.name == "gather" || op.name == "scatter" {
        let (x, y) = &movement::words_and_places(x.len());
        let (outputs, fill): (_, fn(&mut Stage<'_, u32>)) = match op.name {
            "gather" => (x.len(), movement::gather_at_random),
            _ => (0, movement::scatter_at_random),
        };
        return on_stage(scene, (x, y), (outputs, 0, u32::MAX), residency, go, fill);
    }
    if op.name == "histogram" {
        let x = &oracle::bins(x.len())[..];
        return on_stage(scene, (x, x), (256, 0, u32::MAX), residency, go, histogram);
    }
    if op.name == "reduce_by_key" || op.name == "run_length" {
        let keys = &oracle::runs(x.len())[..];
        let fill = if op.name == "run_length" { segments::run_length } else { segments::reduce_by_key };
        return on_stage(scene, (keys, y), (0, 0, u32::MAX), residency, go, fill);
    }
    let outputs = if op.name.starts_with("reduce") || op.name == "sort_pairs" { 0 } else { x.len() };
    if op.name.starts_with("sort") {
        let (x, y) = (&oracle::keys(x.len(), 1)[..], &oracle::keys(x.len(), 2)[..]);
        return on_stage(scene, (x, y), (outputs, 0, u32::MAX), residency, go, |stage| integers(op.name, stage));
    }
    on_stage(scene, (x, y), (outputs, 0, u32::MAX), residency, go, |stage| integers(op.name, stage))
}

fn integers(op: &str, stage: &mut Stage<'_, u32>) {
    let (engine, x, y) = (stage.scene.engine, stage.x, stage.y);
    let n = x.len();
    match op {
        "copy" => {
            let check = oracle::integers_are(move |i| x[i]);
            stage.writes(move |x, _| engine.collect(x), check.clone());
            stage.peer_writes("peer:std", |x, _, out| out.iter_mut().zip(x).for_each(|(out, &x)| *out = x), &check);
            stage.peer_writes("peer:rayon", |x, y, out| chunks(x, y, out, |x, _, out| out.copy_from_slice(x)), &check);
        }
        "add" => {
            let check = oracle::integers_are(move |i| x[i] + y[i]);
            let std = |x: &[u32], y: &[u32], out: &mut [u32]| {
                out.iter_mut().zip(x.iter().zip(y)).for_each(|(out, (&x, &y))| *out = kernels::add_u32(x, y));
            };
            stage.writes(move |x, y| engine.map(zip(x, y), kernels::add_u32::with()), check.clone());
            stage.peer_writes("peer:std", std, &check);
            stage.peer_writes("peer:rayon", move |x, y, out| chunks(x, y, out, std), &check);
        }
        "reduce_sum" => {
            let check = oracle::equals(x.iter().sum::<u32>());
            stage.reduce(move |x, _| engine.reduce(x, Sum), check.clone());
            stage.peer_returns("peer:std", |x, _| x.iter().sum::<u32>(), &check);
            stage.peer_returns("peer:rayon", |x, _| x.par_chunks(CHUNK).map(|x| x.iter().sum::<u32>()).sum::<u32>(), &check);
        }
        "reduce_max" => {
            let check = oracle::equals(x.iter().copied().max().unwrap_or(0));
            stage.reduce(move |x, _| engine.reduce(x, Max), check.clone());
            stage.peer_returns("peer:std", |x, _| x.iter().copied().max().unwrap_or(0), &check);
            stage.peer_returns(
                "peer:rayon",
                |x, _| x.par_chunks(CHUNK).filter_map(|x| x.iter().copied().max()).max().unwrap_or(0),
                &check,
            );
        }
        "reduce_argmax" => {
            let check = oracle::equals(argmax(x.iter(), u32::cmp));
            stage.reduce(move |x, _| engine.reduce(zip(x, iota(0..n as u32)), ArgMax), check.clone());
            stage.peer_returns("peer:std", |x, _| argmax(x.iter(), u32::cmp), &check);
            stage.peer_returns("peer:rayon", |x, _| parallel_argmax(x, u32::cmp), &check);
        }
        "scan_inclusive_sum" => {
            let check = oracle::integer_prefixes_of(x);
            stage.writes(move |x, _| engine.scan(x, Sum), check.clone());
            stage.peer_writes("peer:std", |x, _, out| prefixes(0, x, out, u32::wrapping_add), &check);
            stage.peer_writes("peer:rayon", |x, _, out| parallel_prefixes(0, x, out, u32::wrapping_add), &check);
        }
        "sort_keys" => {
            let mut want = x.to_vec();
            want.sort_unstable();
            let check = oracle::integers_are(move |i| want[i]);
            stage.writes(move |x, _| engine.sort(x), check.clone());
            stage.peer_writes("peer:std", |x, _, out| sort(x, out, <[u32]>::sort_unstable), &check);
            stage.peer_writes("peer:rayon", |x, _, out| sort(x, out, |x| x.par_sort_unstable()), &check);
        }
        "sort_pairs" => {
            let check = oracle::pairs_are(oracle::sorted_pairs(x, y));
            stage.arrays(move |x, y| engine.sort_pairs(x, y), check.clone());
            stage.peer_returns("peer:std", oracle::sorted_pairs, &check);
            let rayon = |x: &[u32], y: &[u32]| {
                let mut pairs: Vec<(u32, u32)> = x.iter().copied().zip(y.iter().copied()).collect();
                pairs.par_sort_by_key(|pair| pair.0);
                pairs.into_iter().unzip()
            };
            stage.peer_returns("peer:rayon", rayon, &check);
        }
        other => unreachable!("{other} is not measured on u32"),
    }
}

/// A map with rayon: every job gets a chunk, which vectorises as a plain loop does.
fn chunks<T: Sync, U: Send>(x: &[T], y: &[T], out: &mut [U], work: impl Fn(&[T], &[T], &mut [U]) + Sync) {
    out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).zip(y.par_chunks(CHUNK)).for_each(|((out, x), y)| work(x, y, out));
}

/// A sort into memory that exists.
fn sort<T: Copy>(x: &[T], out: &mut [T], sort: impl Fn(&mut [T])) {
    out.copy_from_slice(x);
    sort(out);
}

fn prefixes<T: Copy>(before: T, x: &[T], out: &mut [T], add: impl Fn(T, T) -> T) {
    let mut sum = before;
    for (out, &x) in out.iter_mut().zip(x) {
        sum = add(sum, x);
        *out = sum;
    }
}

/// The usual scan in two passes: the chunks' totals, then each chunk from the total before it. rayon has none of its own.
fn parallel_prefixes<T: Copy + Send + Sync>(zero: T, x: &[T], out: &mut [T], add: impl Fn(T, T) -> T + Sync + Copy) {
    let chunk = x.len().div_ceil(2 * rayon::current_num_threads()).max(CHUNK);
    let mut before: Vec<T> = x.par_chunks(chunk).map(|x| x.iter().copied().fold(zero, add)).collect();
    let mut total = zero;
    for sum in &mut before {
        total = add(total, std::mem::replace(sum, total));
    }
    out.par_chunks_mut(chunk).zip(x.par_chunks(chunk)).zip(before).for_each(|((out, x), before)| prefixes(before, x, out, add));
}

fn argmax<'a, T: Copy + 'a>(x: impl Iterator<Item = &'a T>, compare: impl Fn(&T, &T) -> std::cmp::Ordering) -> (T, u32) {
    let (i, x) = x.enumerate().max_by(|a, b| compare(a.1, b.1)).expect("there is at least one element");
    (*x, i as u32)
}

fn parallel_argmax<T: Copy + Sync>(x: &[T], compare: impl Fn(&T, &T) -> std::cmp::Ordering + Sync) -> (T, u32) {
    let (i, x) =
        x.par_iter().enumerate().with_min_len(CHUNK).max_by(|a, b| compare(a.1, b.1)).expect("there is at least one element");
    (*x, i as u32)
}
