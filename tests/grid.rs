//! Grids and stencils: every boundary at every edge and corner, on every backend, against plain index arithmetic.

mod backends;
mod oracle;
#[path = "grid/plain.rs"]
mod plain;

use granule::grid::{Clamp, Fixed, Grid, Reflect, Torus, Window};
use granule::kernel;
use granule::prelude::*;

use plain::{Mode, OUTSIDE, data, stencil};

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
    (0..9).fold(0, |sum: u32, k| sum.wrapping_add(at(0, k / 3 - 1, k % 3 - 1).wrapping_mul(weights[k as usize])))
}

#[test]
fn two_axes() {
    let shapes = [
        [1, 1],
        [1, 2],
        [2, 1],
        [2, 2],
        [3, 3],
        [1, 67],
        [67, 1],
        [5, 4],
        [4, 5],
        [7, 16],
        [16, 17],
        [13, 31],
        [3, 64],
        [64, 33],
        [31, 97],
        [2, 129],
        [127, 131],
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
            at(-1, 0, 0),
            3 * at(1, 0, 0),
            5 * at(0, -1, 0),
            7 * at(0, 1, 0),
            11 * at(0, 0, -1),
            13 * at(0, 0, 1),
            17 * at(-1, 1, -1),
            19 * at(0, 0, 0),
        ];
        terms.into_iter().fold(0, u32::wrapping_add)
    };
    for [d, h, w] in
        [[1, 1, 1], [2, 2, 2], [1, 1, 9], [9, 1, 1], [1, 9, 1], [3, 4, 5], [5, 7, 31], [4, 3, 64], [17, 19, 23], [2, 40, 67]]
    {
        boundaries!("eight points", &data(d * h * w), [d, h, w], [d, h, w], kernel, want);
    }
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
    let huge = Grid::new(iota(0..3_000_000_000_u32), [50_000, 60_000]).unwrap().stencil(Torus, nine::with());
    assert_eq!(engine.reduce(huge, Sum).run(), Err(Error::TooLarge { elements: 3_000_000_000, limit: i32::MAX as usize - 1 }));
}

#[test]
fn nothing_in_nothing_out() {
    let empty: [u32; 0] = [];
    for shape in [[0, 0], [0, 7], [7, 0]] {
        let grid = Grid::new(&empty, shape).unwrap();
        agree!(format!("{shape:?}"), |e| e.collect(grid.stencil(Torus, nine::with())), empty);
        agree_one!("reduced", |e| e.reduce(grid.stencil(Reflect, nine::with()), Sum), 0);
    }
}

#[test]
fn steps_take_turns() {
    let (h, w) = (19, 45);
    let x = data(h * w);
    let grid = Grid::new(&x, [h, w]).unwrap();
    let mut want = x.clone();
    for steps in 0..6 {
        agree!(format!("{steps} steps"), |e| e.iterate(grid.stencil(Torus, nine::with()), steps), want);
        want = stencil(&want, [1, h, w], Mode::Torus, plain_nine);
    }
}
