//! The groups of `u32` keys that are chosen, merged or looked up.

use granule::kernel;
use rayon::prelude::*;

use crate::groups::CHUNK;
use crate::oracle;
use crate::stage::Stage;

/// How many are the largest few.
const FEW: usize = 100;
/// What divides random keys in halves.
const HALF: u32 = 1 << 31;

fn sorted(n: usize, seed: u64) -> Vec<u32> {
    let mut keys = oracle::keys(n, seed);
    keys.sort_unstable();
    keys
}

/// The inputs of an operation on `n` elements; `None` if it is none of these.
pub(crate) fn keys(op: &str, n: usize) -> Option<(Vec<u32>, Vec<u32>)> {
    Some(match op {
        "filter" | "partition" | "top_k" => (oracle::keys(n, 1), Vec::new()),
        "unique" => {
            let mut key = 0;
            let next = |word: u32| {
                key += u32::from(word.is_multiple_of(4));
                key
            };
            (oracle::keys(n, 1).into_iter().map(next).collect(), Vec::new())
        }
        "merge" => (sorted(n / 2, 1), sorted(n - n / 2, 2)),
        "lower_bound" => (oracle::keys(n, 1), sorted(n, 2)),
        _ => return None,
    })
}

/// The contenders of an operation.
pub(crate) fn fill(op: &str, stage: &mut Stage<'_, u32>) {
    let (engine, x, y) = (stage.scene.engine, stage.x, stage.y);
    match op {
        "filter" => {
            let check = oracle::elements_are(x.iter().copied().filter(|&x| x < HALF).collect());
            stage.arrays(move |x, _| engine.filter(x, kernel!(|x: u32| x < 2147483648)), check.clone());
            stage.peer_returns("peer:std", |x, _| x.iter().copied().filter(|&x| x < HALF).collect(), &check);
            stage.peer_returns("peer:rayon", |x, _| x.par_iter().copied().filter(|&x| x < HALF).collect(), &check);
        }
        "partition" => {
            let check = oracle::pairs_are(x.iter().partition(|&&x| x < HALF));
            stage.arrays(move |x, _| engine.partition(x, kernel!(|x: u32| x < 2147483648)), check.clone());
            stage.peer_returns("peer:std", |x, _| x.iter().partition(|&&x| x < HALF), &check);
            stage.peer_returns("peer:rayon", |x, _| x.par_iter().partition(|&&x| x < HALF), &check);
        }
        "unique" => {
            let std = |x: &[u32], _: &[u32]| {
                let mut x = x.to_vec();
                x.dedup();
                x
            };
            let check = oracle::elements_are(std(x, x));
            stage.arrays(move |x, _| engine.unique(x), check.clone());
            stage.peer_returns("peer:std", std, &check);
        }
        "top_k" => {
            let k = FEW.min(x.len());
            let mut want = x.to_vec();
            want.sort_unstable_by(|a, b| b.cmp(a));
            want.truncate(k);
            let check = oracle::elements_are(want);
            stage.arrays(move |x, _| engine.top_k(x, k), check.clone());
            let std = move |x: &[u32], _: &[u32]| {
                let mut x = x.to_vec();
                if k < x.len() {
                    x.select_nth_unstable_by(k, |a, b| b.cmp(a));
                }
                x.truncate(k);
                x.sort_unstable_by(|a, b| b.cmp(a));
                x
            };
            stage.peer_returns("peer:std", std, &check);
        }
        "merge" => {
            let mut want = [x, y].concat();
            want.sort_unstable();
            let check = oracle::integers_are(move |i| want[i]);
            stage.writes(move |x, y| engine.merge(x, y), check.clone());
            stage.peer_writes("peer:std", merge, &check);
        }
        "lower_bound" => {
            let bound = |x: &[u32], y: &[u32], out: &mut [u32]| {
                out.iter_mut().zip(x).for_each(|(out, x)| *out = y.partition_point(|y| y < x) as u32);
            };
            let mut want = vec![0; x.len()];
            bound(x, y, &mut want);
            let check = oracle::integers_are(move |i| want[i]);
            stage.writes(move |x, y| engine.lower_bound(y, x), check.clone());
            stage.peer_writes("peer:std", bound, &check);
            let rayon = move |x: &[u32], y: &[u32], out: &mut [u32]| {
                out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(out, x)| bound(x, y, out));
            };
            stage.peer_writes("peer:rayon", rayon, &check);
        }
        other => unreachable!("{other} has no keys"),
    }
}

/// As one would write it; neither std nor rayon has one.
fn merge(x: &[u32], y: &[u32], out: &mut [u32]) {
    let (mut i, mut j) = (0, 0);
    for out in out {
        let second = i == x.len() || j < y.len() && y[j] < x[i];
        *out = if second { y[j] } else { x[i] };
        j += usize::from(second);
        i += usize::from(!second);
    }
}
