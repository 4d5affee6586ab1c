//! The groups that move elements: to computed places, from computed places, and from rows to columns.

use granule::grid::Grid;
use granule::prelude::*;
use rayon::prelude::*;

use crate::groups::CHUNK;
use crate::oracle;
use crate::stage::Stage;
use crate::stencils::square;

/// The side of the squares that a plain transpose takes at a time.
const SIDE: usize = 16;

/// Words to be moved, and places below `n` in no order: about two thirds of them occur.
pub(crate) fn words_and_places(n: usize) -> (Vec<u32>, Vec<u32>) {
    let below = |word: u32| ((u64::from(word) * n as u64) >> 32) as u32;
    (oracle::keys(n, 1), oracle::keys(n, 2).into_iter().map(below).collect())
}

/// `out[i] = x[y[i]]`
pub(crate) fn gather_at_random(stage: &mut Stage<'_, u32>) {
    let (engine, x, y) = (stage.scene.engine, stage.x, stage.y);
    let check = oracle::integers_are(move |i| x[y[i] as usize]);
    let std = |x: &[u32], y: &[u32], out: &mut [u32]| out.iter_mut().zip(y).for_each(|(out, &i)| *out = x[i as usize]);
    stage.writes(move |x, y| engine.collect(gather(x, y)), check.clone());
    stage.peer_writes("peer:std", std, &check);
    stage.peer_writes(
        "peer:rayon",
        move |x, y, out| out.par_chunks_mut(CHUNK).zip(y.par_chunks(CHUNK)).for_each(|(out, y)| std(x, y, out)),
        &check,
    );
}

/// `out[y[i]] = x[i]`, in order.
pub(crate) fn scatter_at_random(stage: &mut Stage<'_, u32>) {
    let (engine, n) = (stage.scene.engine, stage.x.len());
    let std = |x: &[u32], y: &[u32]| {
        let mut out = vec![0; x.len()];
        x.iter().zip(y).for_each(|(&x, &i)| out[i as usize] = x);
        out
    };
    let check = oracle::elements_are(std(stage.x, stage.y));
    stage.arrays(move |x, y| engine.scatter(x, y, n), check.clone());
    stage.peer_returns("peer:std", std, &check);
}

/// The columns `first..` of a grid, as rows, square by square.
fn columns(x: &[f32], [rows, columns]: [usize; 2], first: usize, out: &mut [f32]) {
    let last = first + out.len() / rows;
    for left in (first..last).step_by(SIDE) {
        for top in (0..rows).step_by(SIDE) {
            for c in left..(left + SIDE).min(last) {
                let line = &mut out[(c - first) * rows..(c - first + 1) * rows];
                for r in top..(top + SIDE).min(rows) {
                    line[r] = x[r * columns + c];
                }
            }
        }
    }
}

/// The transpose of a grid as near to a square as the number of elements allows.
pub(crate) fn transpose(stage: &mut Stage<'_, f32>) {
    let (engine, x) = (stage.scene.engine, stage.x);
    let shape = square(x.len());
    let [rows, width] = shape;
    let check = oracle::floats_are(move |i| x[i % rows * width + i / rows], |_| 0.0);
    let grid = move |x| Grid::new(x, shape).expect("the sides were found by dividing");
    stage.writes(move |x, _| engine.transpose(grid(x)), check.clone());
    let std = move |x: &[f32], _: &[f32], out: &mut [f32]| {
        out.chunks_mut(rows).enumerate().for_each(|(c, line)| {
            line.iter_mut().enumerate().for_each(|(r, out)| *out = x[r * width + c]);
        });
    };
    stage.peer_writes("peer:std", std, &check);
    stage.peer_writes(
        "peer:rayon",
        move |x, _, out| {
            let strips = out.par_chunks_mut(SIDE * rows).enumerate();
            strips.for_each(|(k, out)| columns(x, shape, k * SIDE, out));
        },
        &check,
    );
    stage.peer_writes("peer:loop", move |x, _, out| columns(x, shape, 0, out), &check);
}
