//! Matrices: products with each other and with vectors, and convolutions of squares.

use std::hint::black_box;
use std::rc::Rc;

use granule::grid::{Clamp, Grid};
use granule::matrix::Matrix;
use granule::prelude::*;
use rayon::prelude::*;

use crate::measure::{Contender, Trouble};
use crate::stage::{Arithmetic, Place, Stage};
use crate::stencils::square;
use crate::{loops, oracle};

const FITS: &str = "the sides were found by dividing";

/// Enters a loop that shows what the machine can do, and writes nothing.
fn measure<'g>(stage: &mut Stage<'g, f32>, run: impl Fn() + 'g, verify: impl Fn() -> bool + 'g) {
    if !matches!(stage.place, Place::Host { .. }) || !(stage.scene.wants)("peer:loop") {
        return;
    }
    stage.contenders.push(Contender {
        backend: "peer:loop".to_owned(),
        chose: None,
        plan: None,
        ops: None,
        run: Box::new(move |iterations| {
            (0..iterations).for_each(|_| run());
            Ok(())
        }),
        verify: Box::new(move || if verify() { Ok(()) } else { Err(Trouble::Wrong("the measure of the machine".into())) }),
    });
}

/// A square matrix times one with as many elements as the output. Columns are the longer side.
pub(crate) fn product(stage: &mut Stage<'_, f32>) {
    let (engine, n) = (stage.scene.engine, stage.x.len());
    let [m, columns] = square(n);
    let (a, b) = (&stage.x[..m * m], stage.y);
    // R. Freivalds, 1977: a product is right if it is right with any vector; one that is wrong is so with few. Bounds are those of the
    // roundings of sums without signs.
    let signs: Vec<f64> = (0..columns).map(|j| if j * 7919 % 13 < 6 { 1.0 } else { -1.0 }).collect();
    let times = |x: &[f32], v: &[f64]| -> Vec<f64> {
        x.chunks(v.len()).map(|row| row.iter().zip(v).map(|(x, v)| f64::from(*x) * v).sum()).collect()
    };
    let sizes = |x: &[f32]| x.iter().map(|x| x.abs()).collect::<Vec<f32>>();
    let want = times(a, &times(b, &signs));
    let bound: Vec<f64> = times(&sizes(a), &times(&sizes(b), &vec![1.0; columns]));
    let relative = (m + 2) as f64 * f64::from(f32::EPSILON);
    let check = Rc::new(move |out: &[f32], _: Arithmetic| {
        for (i, got) in times(out, &signs).into_iter().enumerate() {
            if (got - want[i]).abs() > relative * bound[i] || got.is_nan() {
                return Err(format!("row {i} with a vector of signs gives {got}, expected {}", want[i]));
            }
        }
        Ok(())
    });
    stage.writes(
        move |x, y| {
            let a = Matrix::new(x.take(m * m), [m, m]).expect(FITS);
            engine.matmul(a, Matrix::new(y, [m, columns]).expect(FITS))
        },
        check.clone(),
    );
    let rows = move |first: usize, x: &[f32], y: &[f32], out: &mut [f32]| {
        for (i, out) in out.chunks_mut(columns).enumerate() {
            out.fill(0.0);
            for (a, row) in x[(first + i) * m..][..m].iter().zip(y.chunks(columns)) {
                out.iter_mut().zip(row).for_each(|(sum, b)| *sum += a * b);
            }
        }
    };
    let check: crate::stage::CheckAll<'_, f32> = check;
    stage.peer_writes("peer:std", move |x, y, out| rows(0, x, y, out), &check);
    stage.peer_writes(
        "peer:rayon",
        move |x, y, out| out.par_chunks_mut(columns).enumerate().for_each(|(i, out)| rows(i, x, y, out)),
        &check,
    );
    // As many multiplications and additions, without memory.
    measure(stage, move || _ = black_box(loops::multiply_add(m * n)), || loops::multiply_add(1 << 20) == (1 << 20) as f32);
}

/// A matrix times a vector.
pub(crate) fn vector(stage: &mut Stage<'_, f32>) {
    let (engine, x, y) = (stage.scene.engine, stage.x, stage.y);
    let [rows, columns] = square(x.len());
    let row = |x: &[f32]| {
        let products = x.iter().zip(y).map(|(a, b)| f64::from(*a) * f64::from(*b));
        products.fold((0.0, 0.0), |(sum, size), x| (sum + x, size + x.abs()))
    };
    let (want, size): (Vec<f64>, Vec<f64>) = x.chunks(columns).map(row).unzip();
    let relative = (columns + 2) as f64 * f64::from(f32::EPSILON);
    let check = oracle::floats_near(move |i| want[i], move |i, _| relative * size[i]);
    stage.writes(move |x, y| engine.matvec(Matrix::new(x, [rows, columns]).expect(FITS), y.take(columns)), check.clone());
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f32>();
    stage.peer_writes(
        "peer:std",
        move |x, y, out| out.iter_mut().zip(x.chunks(columns)).for_each(|(out, x)| *out = dot(x, y)),
        &check,
    );
    stage.peer_writes(
        "peer:rayon",
        move |x, y, out| out.par_iter_mut().zip(x.par_chunks(columns)).for_each(|(out, x)| *out = dot(x, y)),
        &check,
    );
    // The matrix, read once.
    measure(stage, move || _ = black_box(loops::sum(black_box(x))), || true);
}

/// The weight of each neighbour, in the order in which they are read.
const NEIGHBOURS: [f32; 25] = rising();
/// The same as a table: turned about its middle.
const WEIGHTS: [f32; 25] = {
    let (mut table, mut t) = ([0.0; 25], 0);
    while t < 25 {
        table[t] = NEIGHBOURS[24 - t];
        t += 1;
    }
    table
};

const fn rising() -> [f32; 25] {
    let (mut table, mut t) = ([0.0; 25], 0);
    while t < 25 {
        table[t] = (t + 1) as f32 / 325.0;
        t += 1;
    }
    table
}

/// One row of a convolution with 5 x 5 weights, edges repeated: a weight at a time, in vectors as far as the compiler finds them.
fn plain(x: &[f32], [rows, columns]: [usize; 2], y: usize, out: &mut [f32]) {
    out.fill(-0.0);
    for t in 0..25 {
        let from = &x[(y + t / 5).saturating_sub(2).min(rows - 1) * columns..][..columns];
        let (weight, right) = (NEIGHBOURS[t], t % 5);
        let at = |j: usize| from[(j + right).saturating_sub(2).min(columns - 1)];
        let edge = columns.min(4) / 2;
        if columns > 4 {
            out[2..columns - 2].iter_mut().zip(&from[right..]).for_each(|(sum, x)| *sum += weight * x);
        }
        let middle = if columns > 4 { 2 } else { columns - edge };
        for j in (0..edge).chain(columns - middle..columns) {
            out[j] += weight * at(j);
        }
    }
}

/// A square, convolved with 5 x 5 weights.
pub(crate) fn convolution(stage: &mut Stage<'_, f32>) {
    let (engine, x) = (stage.scene.engine, stage.x);
    let shape @ [_, columns] = square(x.len());
    let mut want = vec![0.0; x.len()];
    want.chunks_mut(columns).enumerate().for_each(|(y, out)| plain(x, shape, y, out));
    // A GPU may contract.
    let check = oracle::floats_are(move |i| want[i], |_| 1e-5);
    stage.writes(move |x, _| engine.convolve(Grid::new(x, shape).expect(FITS), Clamp, &WEIGHTS, [5, 5]), check.clone());
    stage.peer_writes(
        "peer:std",
        move |x, _, out| out.chunks_mut(columns).enumerate().for_each(|(y, out)| plain(x, shape, y, out)),
        &check,
    );
    stage.peer_writes(
        "peer:rayon",
        move |x, _, out| out.par_chunks_mut(columns).enumerate().for_each(|(y, out)| plain(x, shape, y, out)),
        &check,
    );
}
