//! Segments and runs, which have data of their own beside the stage's.

use granule::prelude::*;
use granule::primitives::Csr;
use rayon::prelude::*;

use crate::groups::CHUNK;
use crate::oracle;
use crate::stage::{CheckOne, Stage};

/// What a peer does with the results of some segments, from the first of them on.
fn each_segment(offsets: &[u32], out: &mut [f32], sum: impl Fn(std::ops::Range<usize>) -> f32) {
    for (out, pair) in out.iter_mut().zip(offsets.windows(2)) {
        *out = sum(pair[0] as usize..pair[1] as usize);
    }
}

/// The same by rayon's workers, who take equally many segments.
fn in_parallel(offsets: &[u32], out: &mut [f32], sum: impl Fn(std::ops::Range<usize>) -> f32 + Sync) {
    let each = CHUNK / 16;
    out.par_chunks_mut(each).enumerate().for_each(|(k, out)| each_segment(&offsets[k * each..], out, &sum));
}

pub(crate) fn reduce<'g>(stage: &mut Stage<'g, f32>, offsets: &'g Array<u32>) {
    let (engine, x) = (stage.scene.engine, stage.x);
    let bounds = offsets.as_slice().expect("the offsets were made on the host");
    let check = oracle::sums_of(bounds, move |i| f64::from(x[i]));
    stage.writes(move |x, _| engine.segmented_reduce(x, offsets, Sum), check.clone());
    stage.peer_writes("peer:std", move |x, _, out| each_segment(bounds, out, |range| x[range].iter().sum()), &check);
    stage.peer_writes("peer:rayon", move |x, _, out| in_parallel(bounds, out, |range| x[range].iter().sum()), &check);
}

pub(crate) fn spmv<'g>(stage: &mut Stage<'g, f32>, matrix: &'g Csr<f32>) {
    let (engine, x) = (stage.scene.engine, stage.x);
    let host = "the matrix was made on the host";
    let (bounds, columns) = (matrix.offsets().as_slice().expect(host), matrix.indices().as_slice().expect(host));
    let values = matrix.values().as_slice().expect(host);
    let check = oracle::sums_of(bounds, move |i| f64::from(values[i]) * f64::from(x[columns[i] as usize]));
    stage.writes(move |x, _| engine.spmv(matrix, x), check.clone());
    let row = move |x: &[f32], range: std::ops::Range<usize>| -> f32 {
        values[range.clone()].iter().zip(&columns[range]).map(|(value, &column)| value * x[column as usize]).sum()
    };
    stage.peer_writes("peer:std", move |x, _, out| each_segment(bounds, out, |range| row(x, range)), &check);
    stage.peer_writes("peer:rayon", move |x, _, out| in_parallel(bounds, out, |range| row(x, range)), &check);
}

/// A run's key, and what comes of its values. rayon has nothing for it.
fn by_key(keys: &[u32], value: impl Fn(usize) -> u32) -> (Vec<u32>, Vec<u32>) {
    let (mut found, mut sums): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    for (i, &key) in keys.iter().enumerate() {
        match sums.last_mut() {
            Some(sum) if found.last() == Some(&key) => *sum += value(i),
            _ => {
                found.push(key);
                sums.push(value(i));
            }
        }
    }
    (found, sums)
}

pub(crate) fn reduce_by_key(stage: &mut Stage<'_, u32>) {
    let engine = stage.scene.engine;
    let std = |keys: &[u32], values: &[u32]| by_key(keys, |i| values[i]);
    let check: CheckOne<'_, _> = oracle::pairs_are(std(stage.x, stage.y));
    stage.arrays(move |keys, values| engine.reduce_by_key(keys, values, Sum), check.clone());
    stage.peer_returns("peer:std", std, &check);
}

pub(crate) fn run_length(stage: &mut Stage<'_, u32>) {
    let engine = stage.scene.engine;
    let std = |keys: &[u32], _: &[u32]| by_key(keys, |_| 1);
    let check: CheckOne<'_, _> = oracle::pairs_are(std(stage.x, stage.y));
    stage.arrays(move |keys, _| engine.run_length_encode(keys), check.clone());
    stage.peer_returns("peer:std", std, &check);
}
