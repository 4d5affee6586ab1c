//! Grids and stencils: every boundary at every edge and corner, on every backend, against plain index arithmetic.

mod backends;
mod oracle;

use granule::grid::{Clamp, Fixed, Grid, Reflect, Torus, Window};
use granule::kernel;
use granule::prelude::*;

use oracle::Random;

/// The boundaries, told again.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Fixed,
    Clamp,
    Reflect,
    Torus,
}

/// What stands outside of a grid with a constant there.
const OUTSIDE: u32 = 77;

/// The place that is read for place `p` of `n`, one step at a time.
fn place(mode: Mode, mut p: i64, n: i64) -> Option<i64> {
    while p < 0 || p >= n {
        p = match mode {
            Mode::Fixed => return None,
            Mode::Clamp => p.clamp(0, n - 1),
            Mode::Reflect if n == 1 => 0,
            Mode::Reflect if p < 0 => -p,
            Mode::Reflect => 2 * (n - 1) - p,
            Mode::Torus if p < 0 => p + n,
            Mode::Torus => p - n,
        };
    }
    Some(p)
}

/// The grid's element at a place of three axes, each of which may lie outside.
fn read(x: &[u32], shape: [usize; 3], at: [i64; 3], mode: Mode) -> u32 {
    let mut i = 0;
    for axis in 0..3 {
        let Some(p) = place(mode, at[axis], shape[axis] as i64) else { return OUTSIDE };
        i = i * shape[axis] + p as usize;
    }
    x[i]
}

/// `f(neighbour)` of every element; fewer axes are the last of three.
fn stencil(x: &[u32], shape: [usize; 3], mode: Mode, f: impl Fn(&dyn Fn(i64, i64, i64) -> u32) -> u32) -> Vec<u32> {
    let mut out = Vec::with_capacity(x.len());
    for z in 0..shape[0] as i64 {
        for y in 0..shape[1] as i64 {
            for x_ in 0..shape[2] as i64 {
                out.push(f(&|dz, dy, dx| read(x, shape, [z + dz, y + dy, x_ + dx], mode)));
            }
        }
    }
    out
}

/// The same stencil with every boundary.
macro_rules! boundaries {
    ($label:expr, $x:expr, $shape:expr, $three:expr, $kernel:expr, $want:expr) => {
        boundaries!(@ $label, $x, $shape, $three, $kernel, $want, Fixed, Fixed(OUTSIDE));
        boundaries!(@ $label, $x, $shape, $three, $kernel, $want, Clamp, Clamp);
        boundaries!(@ $label, $x, $shape, $three, $kernel, $want, Reflect, Reflect);
        boundaries!(@ $label, $x, $shape, $three, $kernel, $want, Torus, Torus);
    };
    (@ $label:expr, $x:expr, $shape:expr, $three:expr, $kernel:expr, $want:expr, $mode:ident, $boundary:expr) => {{
        let x: &[u32] = $x;
        let grid = Grid::new(x, $shape).unwrap();
        let label = format!("{} of {:?}, {:?}", $label, $shape, Mode::$mode);
        agree!(label, |e| e.collect(grid.stencil($boundary, $kernel)), stencil(x, $three, Mode::$mode, $want));
    }};
}

/// Every neighbour of two axes has a weight of its own.
#[kernel]
fn nine(w: Window<u32, 2>) -> u32 {
    w.at(-1, -1)
        + 3 * w.at(-1, 0)
        + 5 * w.at(-1, 1)
        + 7 * w.at(0, -1)
        + 11 * w.at(0, 0)
        + 13 * w.at(0, 1)
        + 17 * w.at(1, -1)
        + 19 * w.at(1, 0)
        + 23 * w.at(1, 1)
}

fn plain_nine(at: &dyn Fn(i64, i64, i64) -> u32) -> u32 {
    let weights = [1, 3, 5, 7, 11, 13, 17, 19, 23];
    (0..9).fold(0, |sum: u32, k| sum.wrapping_add(weights[k as usize] * at(0, k / 3 - 1, k % 3 - 1)))
}

fn data(n: usize) -> Vec<u32> {
    Random(n as u64).of::<u32>(n).into_iter().map(|x| x >> 8).collect()
}

#[test]
fn two_axes() {
    let shapes = [
        [1, 1], [1, 2], [2, 1], [2, 2], [3, 3], [1, 67], [67, 1], [5, 4], [4, 5], [7, 16], [16, 17], [13, 31], [3, 64], [64, 33],
        [31, 97], [2, 129], [127, 131],
    ];
    for [h, w] in shapes {
        boundaries!("nine points", &data(h * w), [h, w], [1, h, w], nine::with(), plain_nine);
    }
}

/// A window of 7 by 7 whose offsets are loop counters.
#[kernel]
fn wide(w: Window<u32, 2, 3>) -> u32 {
    let mut sum = 0;
    for dy in -3..=3 {
        for dx in -3..=3 {
            sum = sum * 31 + w.at(dy, dx);
        }
    }
    sum
}

#[test]
fn a_grid_may_be_smaller_than_the_radius() {
    let want = |at: &dyn Fn(i64, i64, i64) -> u32| {
        (0..49).fold(0, |sum: u32, k| sum.wrapping_mul(31).wrapping_add(at(0, k / 7 - 3, k % 7 - 3)))
    };
    for [h, w] in [[1, 1], [1, 3], [2, 1], [2, 2], [3, 4], [4, 3], [1, 40], [40, 1], [6, 7], [2, 50], [23, 37], [8, 100]] {
        boundaries!("7 by 7", &data(h * w), [h, w], [1, h, w], wide::with(), want);
    }
}

#[test]
fn one_axis() {
    let kernel = kernel!(|w: Window<u32, 1, 2>| w.at(-2) + 3 * w.at(-1) + 5 * w.at(0) + 7 * w.at(1) + 11 * w.at(2));
    let want = |at: &dyn Fn(i64, i64, i64) -> u32| {
        [1, 3, 5, 7, 11].iter().zip(-2..).fold(0, |sum: u32, (k, dx)| sum.wrapping_add(k * at(0, 0, dx)))
    };
    for n in [1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 4095, 4096, 4097, 8191, 20_011] {
        boundaries!("five points", &data(n), [n], [1, 1, n], kernel, want);
    }
}

#[test]
fn three_axes() {
    let kernel = kernel!(|w: Window<u32, 3>| w.at(-1, 0, 0)
        + 3 * w.at(1, 0, 0)
        + 5 * w.at(0, -1, 0)
        + 7 * w.at(0, 1, 0)
        + 11 * w.at(0, 0, -1)
        + 13 * w.at(0, 0, 1)
        + 17 * w.at(-1, 1, -1)
        + 19 * w.at(0, 0, 0));
    let want = |at: &dyn Fn(i64, i64, i64) -> u32| {
        let terms = [
            at(-1, 0, 0), 3 * at(1, 0, 0), 5 * at(0, -1, 0), 7 * at(0, 1, 0), 11 * at(0, 0, -1), 13 * at(0, 0, 1),
            17 * at(-1, 1, -1), 19 * at(0, 0, 0),
        ];
        terms.into_iter().fold(0, u32::wrapping_add)
    };
    for [d, h, w] in [[1, 1, 1], [2, 2, 2], [1, 1, 9], [9, 1, 1], [1, 9, 1], [3, 4, 5], [5, 7, 31], [4, 3, 64], [17, 19, 23], [2, 40, 67]] {
        boundaries!("eight points", &data(d * h * w), [d, h, w], [d, h, w], kernel, want);
    }
}

/// Few neighbours: this one is compiled into many loops.
#[kernel]
fn three(w: Window<u32, 2>) -> u32 {
    w.at(-1, 0) + 3 * w.at(0, -1) + 5 * w.at(0, 1)
}

fn plain_three(at: &dyn Fn(i64, i64, i64) -> u32) -> u32 {
    at(0, -1, 0).wrapping_add(3 * at(0, 0, -1)).wrapping_add(5 * at(0, 0, 1))
}

#[test]
fn a_stencil_is_a_source() {
    let (h, w) = (61, 83);
    let x = data(h * w);
    let once = stencil(&x, [1, h, w], Mode::Torus, plain_three);
    let source = || Grid::new(&x, [h, w]).unwrap().stencil(Torus, three::with());
    agree!("mapped", |e| e.map(source(), kernel!(|x: u32| x / 3)), oracle::map(&once, |x| x / 3));
    agree_one!("reduced", |e| e.reduce(source(), Max), *once.iter().max().unwrap());
    agree!("summed up", |e| e.scan(source(), Sum), oracle::inclusive(&once, None, u32::wrapping_add));
    agree!("in reverse", |e| e.collect(source().reverse()), once.iter().rev().copied().collect::<Vec<_>>());
    agree!("every third", |e| e.collect(source().step_by(3)), once.iter().step_by(3).copied().collect::<Vec<_>>());
    agree!("skipped", |e| e.collect(source().skip(5).take(700)), &once[5..705]);
    agree!("its own neighbours", |e| e.collect(source().beside(-1)), once.iter().take(1).chain(&once[..h * w - 1]).copied().collect::<Vec<_>>());
    agree!(
        "zipped",
        |e| e.map(zip(source(), &x), kernel!(|a: u32, b: u32| a - b)),
        once.iter().zip(&x).map(|(a, b)| a.wrapping_sub(*b)).collect::<Vec<_>>()
    );
    let places: Vec<u32> = (0..500).map(|i| i * 7919 % (h * w) as u32).chain([u32::MAX]).collect();
    let picked: Vec<u32> = places.iter().map(|&i| once[(i as usize).min(h * w - 1)]).collect();
    agree!("gathered", |e| e.collect(gather(source(), &places)), picked);

    // A grid over what is computed, and a stencil of a stencil.
    let halves = Grid::new((&x).map(kernel!(|x: u32| x / 2)), [h, w]).unwrap();
    let halved = oracle::map(&x, |x| x / 2);
    agree!("over a map", |e| e.collect(halves.stencil(Clamp, three::with())), stencil(&halved, [1, h, w], Mode::Clamp, plain_three));
    let twice = Grid::new(source(), [h, w]).unwrap().stencil(Reflect, three::with());
    agree!("twice", |e| e.collect(twice), stencil(&once, [1, h, w], Mode::Reflect, plain_three));
    let pairs = Grid::new(zip(&x, iota(0..(h * w) as u32)), [h, w]).unwrap();
    let ahead = kernel!(|w: Window<(u32, u32), 2>| w.at(0, 1).0 + w.at(1, 0).1);
    let numbers: Vec<u32> = (0..(h * w) as u32).collect();
    let want: Vec<u32> = stencil(&x, [1, h, w], Mode::Clamp, |at| at(0, 0, 1))
        .iter()
        .zip(stencil(&numbers, [1, h, w], Mode::Clamp, |at| at(0, 1, 0)))
        .map(|(a, b)| a.wrapping_add(b))
        .collect();
    agree!("of pairs", |e| e.collect(pairs.stencil(Clamp, ahead)), want);
}

/// The difference along rows, read through another kernel's window.
#[kernel]
fn across(w: Window<f32, 2>) -> f32 {
    0.5 * (w.at(0, 1) - w.at(0, -1))
}

/// Branches, a uniform, a table and an early return.
#[kernel]
fn limited(w: Window<f32, 2>, #[uniform] most: f32, table: &[f32]) -> f32 {
    let mut slope = across(w).abs();
    if slope > most {
        return most;
    }
    if w.at(0, 0) < 0.0 {
        slope = slope + table[1];
    }
    slope
}

#[test]
fn kernels_of_windows_have_the_whole_language() {
    let (h, w) = (37, 53);
    let x: Vec<f32> = (0..h * w).map(|i| (i * 7919 % 1009) as f32 / 8.0 - 60.0).collect();
    let table = [0.0, 0.25];
    let want: Vec<f32> = (0..h * w)
        .map(|i| {
            let (row, column) = (i / w * w, i % w);
            let slope = (0.5 * (x[row + (column + 1).min(w - 1)] - x[row + column.saturating_sub(1)])).abs();
            if slope > 30.0 { 30.0 } else { slope + if x[i] < 0.0 { 0.25 } else { 0.0 } }
        })
        .collect();
    let grid = Grid::new(&x, [h, w]).unwrap();
    agree!("limited", |e| e.collect(grid.stencil(Clamp, limited::with(30.0, &table))), want);
    let plane = |[y, x]: [i32; 2]| (3 * x + y) as f32;
    assert_eq!((across(Window::new(&plane)), limited(Window::new(&plane), 2.0, &table)), (3.0, 2.0), "the plain functions");
}

#[test]
fn an_offset_beyond_the_radius_reads_at_the_radius() {
    let x = data(4097);
    let by = -1000;
    let far = kernel!([by: i32] |w: Window<u32, 1>| w.at(by) + w.at(9));
    let want = |at: &dyn Fn(i64, i64, i64) -> u32| at(0, 0, -1).wrapping_add(at(0, 0, 1));
    boundaries!("far", &x, [4097], [1, 1, 4097], far, want);
}

#[test]
fn shapes_are_checked() {
    let x = [1.0_f32; 12];
    let error = Grid::new(&x, [3, 5]).unwrap_err();
    assert_eq!(error, Error::Shape { shape: vec![3, 5], elements: 12 });
    assert!(error.to_string().contains("[3, 5]") && error.to_string().contains("12"), "{error}");
    assert!(Grid::new(&x, [usize::MAX, 2, 2]).is_err());
    assert_eq!(Grid::new(constant(1.0_f32), [3]).unwrap_err(), Error::Unbounded);
    assert_eq!(Grid::new(&x, [2, 2, 3]).unwrap().shape(), [2, 2, 3]);

    let engine = Engine::builder().no_cache().build().unwrap();
    let huge = Grid::new(iota(0..3_000_000_000_u32), [50_000, 60_000]).unwrap().stencil(Torus, three::with());
    assert_eq!(engine.reduce(huge, Sum).run(), Err(Error::TooLarge { elements: 3_000_000_000, limit: i32::MAX as usize - 1 }));
}

#[test]
fn nothing_in_nothing_out() {
    let empty: [u32; 0] = [];
    for shape in [[0, 0], [0, 7], [7, 0]] {
        let grid = Grid::new(&empty, shape).unwrap();
        agree!(format!("{shape:?}"), |e| e.collect(grid.stencil(Torus, three::with())), empty);
        agree_one!("reduced", |e| e.reduce(grid.stencil(Reflect, three::with()), Sum), 0);
    }
}
