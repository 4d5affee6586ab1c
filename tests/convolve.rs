//! Convolutions with weights that are known at run time, on every backend.

mod backends;
mod oracle;
#[path = "grid/plain.rs"]
mod plain;

use granule::grid::{Clamp, Fixed, Grid, Reflect, Torus};
use granule::kernel;
use granule::prelude::*;

use oracle::Random;
use plain::{Mode, OUTSIDE, data, stencil};

/// Each product, as the definition has it: `weights[q] * x[p + c - q]`.
fn convolved(x: &[u32], shape: [usize; 3], mode: Mode, weights: &[u32], [d, h, w]: [usize; 3]) -> Vec<u32> {
    stencil(x, shape, mode, |at| {
        let mut sum = 0_u32;
        for (q, weight) in weights.iter().enumerate() {
            let (qz, qy, qx) = (q / (h * w), q / w % h, q % w);
            let off = |size: usize, q: usize| (size / 2) as i64 - q as i64;
            sum = sum.wrapping_add(weight.wrapping_mul(at(off(d, qz), off(h, qy), off(w, qx))));
        }
        sum
    })
}

/// Dense and separable with each boundary.
macro_rules! each_boundary {
    ($label:expr, $grid:expr, $x:expr, $three:expr, $weights:expr, $shape:expr, $of_three:expr, $vectors:expr) => {
        each_boundary!(@ Clamp, Mode::Clamp, $label, $grid, $x, $three, $weights, $shape, $of_three, $vectors);
        each_boundary!(@ Reflect, Mode::Reflect, $label, $grid, $x, $three, $weights, $shape, $of_three, $vectors);
        each_boundary!(@ Torus, Mode::Torus, $label, $grid, $x, $three, $weights, $shape, $of_three, $vectors);
        each_boundary!(@ Fixed(OUTSIDE), Mode::Fixed, $label, $grid, $x, $three, $weights, $shape, $of_three, $vectors);
    };
    (@ $boundary:expr, $mode:expr, $label:expr, $grid:expr, $x:expr, $three:expr, $weights:expr, $shape:expr, $of_three:expr, $vectors:expr) => {{
        let want = convolved($x, $three, $mode, $weights, $of_three);
        let label = format!("{}, {:?}", $label, $boundary);
        agree!(&label, |e| e.convolve($grid, $boundary, $weights, $shape), want);
        agree!(format!("{label}, separable"), |e| e.convolve_separable($grid, $boundary, $vectors), want);
    }};
}

/// All products of elements of two tables.
fn products(a: &[u32], b: &[u32]) -> Vec<u32> {
    a.iter().flat_map(|x| b.iter().map(move |y| x.wrapping_mul(*y))).collect()
}

#[test]
fn of_two_axes() {
    for ([h, w], [wh, ww]) in [
        ([1, 1], [3, 3]),
        ([2, 3], [5, 7]),
        ([61, 83], [3, 5]),
        ([7, 130], [4, 2]),
        ([130, 7], [1, 9]),
        ([64, 64], [9, 1]),
        ([3, 2100], [3, 4]),
        ([90, 70], [15, 15]),
    ] {
        let x = data(h * w);
        let (rows, columns): (Vec<u32>, Vec<u32>) = (Random(1).of(wh), Random(2).of(ww));
        let weights = products(&rows, &columns);
        let grid = Grid::new(&x, [h, w]).unwrap();
        let label = format!("{h} x {w} with {wh} x {ww}");
        each_boundary!(label, grid, &x, [1, h, w], &weights, [wh, ww], [1, wh, ww], [&rows, &columns]);
    }
}

#[test]
fn of_one_axis_and_of_three() {
    for (n, width) in [(1, 3), (5, 8), (40_000, 7)] {
        let x = data(n);
        let weights: Vec<u32> = Random(3).of(width);
        let grid = Grid::new(&x, [n]).unwrap();
        each_boundary!(format!("{n} with {width}"), grid, &x, [1, 1, n], &weights, [width], [1, 1, width], [&weights]);
    }
    for ([d, h, w], [wd, wh, ww]) in [([2, 3, 5], [3, 3, 3]), ([9, 20, 31], [3, 2, 5]), ([1, 17, 40], [2, 3, 1])] {
        let x = data(d * h * w);
        let [planes, rows, columns]: [Vec<u32>; 3] = [Random(4).of(wd), Random(5).of(wh), Random(6).of(ww)];
        let weights = products(&planes, &products(&rows, &columns));
        let grid = Grid::new(&x, [d, h, w]).unwrap();
        let label = format!("{d} x {h} x {w} with {wd} x {wh} x {ww}");
        each_boundary!(label, grid, &x, [d, h, w], &weights, [wd, wh, ww], [wd, wh, ww], [&planes, &rows, &columns]);
    }
}

/// Floats are added in the order in which they are read.
#[test]
fn floats_of_a_map() {
    let (h, w) = (50, 77);
    let x: Vec<f32> = (0..h * w).map(|i| (i * 7919 % 1009) as f32 / 7.0 - 60.0).collect();
    let weights: Vec<f32> = (0..9).map(|i| 0.3 - i as f32 / 11.0).collect();
    let mut want = Vec::new();
    for (i, j) in (0..h * w).map(|at| ((at / w) as isize, (at % w) as isize)) {
        let read = |y: isize, x_: isize| 2.0 * x[y.clamp(0, h as isize - 1) as usize * w + x_.clamp(0, w as isize - 1) as usize];
        let mut sum = -0.0;
        for t in 0..9 {
            sum += weights[8 - t] * read(i + t as isize / 3 - 1, j + t as isize % 3 - 1);
        }
        want.push(sum);
    }
    let grid = Grid::new((&x).map(kernel!(|x: f32| 2.0 * x)), [h, w]).unwrap();
    agree!(@ "floats", |e| e.convolve(grid, Clamp, &weights, [3, 3]), want, |runner| {
        // A driver that fuses leaves one rounding out.
        oracle::Precision { ulps: if runner.precision.ulps > 0 { 1 << 12 } else { 0 }, ..runner.precision }
    });
}

#[test]
fn large_results_are_written_past_the_caches() {
    let (h, w) = (2051, 2111);
    let x: Vec<u32> = data(h * w);
    let weights = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    let want = convolved(&x, [1, h, w], Mode::Torus, &weights, [1, 3, 3]);
    let engine = Engine::builder().no_cache().build().unwrap();
    for backend in [Backend::Simd, Backend::Threads] {
        let got = engine.convolve(Grid::new(&x, [h, w]).unwrap(), Torus, &weights, [3, 3]).on(backend).run();
        match got {
            Err(Error::Unsupported { .. }) => eprintln!("{backend} not tested"),
            got => oracle::assert_same(backend, got.unwrap().as_slice().unwrap(), &want, oracle::EXACT),
        }
    }
}

#[test]
fn nothing_and_errors() {
    let none = [0_u32; 0];
    agree!("empty", |e| e.convolve(Grid::new(&none, [0, 3]).unwrap(), Clamp, &[1, 2], [1, 2]), none);
    let engine = Engine::builder().no_cache().build().unwrap();
    let grid = Grid::new(&[1_u32, 2, 3, 4], [2, 2]).unwrap();
    let wrong = Error::Shape { shape: vec![2, 2], elements: 3 };
    assert_eq!(engine.convolve(grid, Torus, &[1, 2, 3], [2, 2]).run().unwrap_err(), wrong);
    let none: &[u32] = &[];
    assert!(matches!(engine.convolve(grid, Torus, none, [0, 2]).run().unwrap_err(), Error::Shape { .. }));
    assert!(matches!(engine.convolve_separable(grid, Torus, [none, &[1]]).run().unwrap_err(), Error::Shape { .. }));
}
