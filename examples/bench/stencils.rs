//! Stencils: the mean of an element and its nearest neighbours, on a grid as near to a square or a cube as the number of elements allows.

use granule::grid::{Clamp, Grid, Window};
use granule::prelude::*;
use rayon::prelude::*;

use crate::oracle;
use crate::stage::Stage;

/// The mean of five.
#[kernel]
fn five(w: Window<f32, 2>) -> f32 {
    (w.at(0, 0) + w.at(0, -1) + w.at(0, 1) + w.at(-1, 0) + w.at(1, 0)) * 0.2
}

/// The mean of seven, but for a factor.
#[kernel]
fn seven(w: Window<f32, 3>) -> f32 {
    (w.at(0, 0, 0) + w.at(0, 0, -1) + w.at(0, 0, 1) + w.at(0, -1, 0) + w.at(0, 1, 0) + w.at(-1, 0, 0) + w.at(1, 0, 0)) * 0.125
}

/// Rows and columns of a grid of `n` elements: the sides that differ least.
pub(crate) fn square(n: usize) -> [usize; 2] {
    let root = n.isqrt();
    let rows = (1..=root).rev().find(|rows| n.is_multiple_of(*rows)).unwrap_or(1);
    [rows, n / rows]
}

/// The same with planes.
fn cube(n: usize) -> [usize; 3] {
    let root = (n as f64).cbrt().round() as usize;
    let planes = (1..=root).rev().find(|planes| n.is_multiple_of(*planes)).unwrap_or(1);
    let [rows, columns] = square(n / planes);
    [planes, rows, columns]
}

/// Sums an element, its two neighbours in the row, and those in other rows, in this order.
fn row<const K: usize>(here: &[f32], beside: [&[f32]; K], scale: f32, out: &mut [f32]) {
    let last = here.len() - 1;
    let sum = |i: usize, left: f32, right: f32| {
        let sum = here[i] + left + right;
        beside.iter().fold(sum, |sum, row| sum + row[i]) * scale
    };
    out[0] = sum(0, here[0], here[1.min(last)]);
    for i in 1..last {
        out[i] = sum(i, here[i - 1], here[i + 1]);
    }
    out[last] = sum(last, here[last.saturating_sub(1)], here[last]);
}

/// One row of the five-point stencil.
fn plain_five(x: &[f32], [rows, columns]: [usize; 2], y: usize, out: &mut [f32]) {
    let at = |y: usize| &x[y * columns..(y + 1) * columns];
    row(at(y), [at(y.saturating_sub(1)), at((y + 1).min(rows - 1))], 0.2, out);
}

/// One row of the seven-point stencil, counted through all planes.
fn plain_seven(x: &[f32], [planes, rows, columns]: [usize; 3], number: usize, out: &mut [f32]) {
    let (z, y) = (number / rows, number % rows);
    let at = |z: usize, y: usize| &x[(z * rows + y) * columns..][..columns];
    let beside =
        [at(z, y.saturating_sub(1)), at(z, (y + 1).min(rows - 1)), at(z.saturating_sub(1), y), at((z + 1).min(planes - 1), y)];
    row(at(z, y), beside, 0.125, out);
}

/// The backends and the peers of the stencil with so many points.
pub(crate) fn fill(op: &str, stage: &mut Stage<'_, f32>) {
    let (engine, n) = (stage.scene.engine, stage.x.len());
    let fits = "the sides were found by dividing";
    if op == "stencil_2d" {
        let shape = square(n);
        stencil(
            stage,
            shape[1],
            move |x, y, out| plain_five(x, shape, y, out),
            |stage, check| {
                stage.writes(move |x, _| engine.collect(Grid::new(x, shape).expect(fits).stencil(Clamp, five::with())), check);
            },
        );
    } else {
        let shape = cube(n);
        stencil(
            stage,
            shape[2],
            move |x, y, out| plain_seven(x, shape, y, out),
            |stage, check| {
                stage.writes(move |x, _| engine.collect(Grid::new(x, shape).expect(fits).stencil(Clamp, seven::with())), check);
            },
        );
    }
}

fn stencil<'g>(
    stage: &mut Stage<'g, f32>,
    columns: usize,
    row: impl Fn(&[f32], usize, &mut [f32]) + Copy + Sync + 'g,
    ours: impl FnOnce(&mut Stage<'g, f32>, crate::stage::CheckAll<'g, f32>),
) {
    let mut want = vec![0.0; stage.x.len()];
    want.chunks_mut(columns).enumerate().for_each(|(y, out)| row(stage.x, y, out));
    // A GPU may contract.
    let check = oracle::floats_are(move |i| want[i], |_| 1e-6);
    ours(stage, check.clone());
    stage.peer_writes(
        "peer:std",
        move |x, _, out| out.chunks_mut(columns).enumerate().for_each(|(y, out)| row(x, y, out)),
        &check,
    );
    stage.peer_writes(
        "peer:rayon",
        move |x, _, out| out.par_chunks_mut(columns).enumerate().for_each(|(y, out)| row(x, y, out)),
        &check,
    );
}
