//! Runs of equal keys against plain loops, on every backend.

mod backends;
mod oracle;

use granule::kernel;
use granule::prelude::*;

use oracle::{EXACT, FEW, LENGTHS, Random};

/// The runs of equal neighbours: where each begins, and how long it is.
fn runs<K: PartialEq>(keys: &[K]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for i in 0..keys.len() {
        match runs.last_mut() {
            Some((_, length)) if keys[i] == keys[i - 1] => *length += 1,
            _ => runs.push((i, 1)),
        }
    }
    runs
}

/// Keys whose runs are short, long, of every length, or one.
fn some_keys(n: usize) -> Vec<(&'static str, Vec<u32>)> {
    let random: Vec<u32> = Random(n as u64).of(n);
    vec![
        ("each its own", (0..n as u32).collect()),
        ("all equal", vec![7; n]),
        ("of 0 and 1 at random", random.iter().map(|x| x >> 31).collect()),
        ("of 100", (0..n as u32).map(|i| i / 100).collect()),
        ("of 5000", (0..n as u32).map(|i| i / 5000).collect()),
        ("the last alone", (0..n).map(|i| u32::from(i + 1 == n)).collect()),
    ]
}

#[test]
fn unique_at_every_length() {
    for n in LENGTHS {
        for (name, keys) in some_keys(n) {
            let want: Vec<u32> = runs(&keys).iter().map(|&(at, _)| keys[at]).collect();
            agree!(format!("{name}, {n}"), |e| e.unique(&keys), want);
        }
    }
}

#[test]
fn reductions_at_every_length() {
    for n in LENGTHS {
        let values: Vec<u32> = Random(!(n as u64)).of(n);
        for (name, keys) in some_keys(n) {
            let runs = runs(&keys);
            let want_keys: Vec<u32> = runs.iter().map(|&(at, _)| keys[at]).collect();
            let total = |&(at, length): &(usize, usize)| values[at..at + length].iter().fold(0_u32, |a, &b| a.wrapping_add(b));
            let want_sums: Vec<u32> = runs.iter().map(total).collect();
            for runner in backends::all() {
                let label = format!("{name}, {n}, on {}", runner.name);
                let task = runner.engine.reduce_by_key(&keys, &values, Sum).with_plan(&runner.plan);
                let Some((got_keys, sums)) = runner.result(&label, task.run()) else { continue };
                oracle::assert_same(&label, got_keys.as_slice().unwrap(), &want_keys, EXACT);
                oracle::assert_same(&label, sums.as_slice().unwrap(), &want_sums, EXACT);
            }
        }
    }
}

#[test]
fn scans_at_some_lengths() {
    for n in FEW.into_iter().chain([40_000]) {
        let values: Vec<u32> = Random(!(n as u64)).of(n);
        for (name, keys) in some_keys(n) {
            let mut inclusive = values.clone();
            let mut exclusive = vec![0; n];
            for (at, length) in runs(&keys) {
                for i in at + 1..at + length {
                    exclusive[i] = inclusive[i - 1];
                    inclusive[i] = inclusive[i].wrapping_add(inclusive[i - 1]);
                }
            }
            agree!(format!("{name}, {n}, inclusive"), |e| e.scan_by_key(&keys, &values, Sum), inclusive);
            agree!(format!("{name}, {n}, exclusive"), |e| e.scan_by_key(&keys, &values, Sum).exclusive(), exclusive);
        }
    }
}

#[test]
fn an_order_that_matters_and_floats() {
    #[operator(identity = (1, 0))]
    fn compose(f: (u32, u32), g: (u32, u32)) -> (u32, u32) {
        (f.0 * g.0, f.1 * g.0 + g.1)
    }
    for n in FEW {
        let random: Vec<u32> = Random(n as u64).of(2 * n);
        let values: Vec<(u32, u32)> = random.chunks(2).map(|pair| (pair[0] | 1, pair[1])).collect();
        let keys: Vec<i32> = (0..n as i32).map(|i| i / 37).collect();
        let plain = |f: (u32, u32), g: (u32, u32)| (f.0.wrapping_mul(g.0), f.1.wrapping_mul(g.0).wrapping_add(g.1));
        let want: Vec<_> = runs(&keys).iter().map(|&(at, m)| values[at..at + m].iter().copied().reduce(plain).unwrap()).collect();
        let floats: Vec<f64> = (0..n).map(|i| (i % 1000) as f64 * 0.5).collect();
        let most: Vec<f64> =
            runs(&keys).iter().map(|&(at, m)| floats[at..at + m].iter().copied().fold(f64::MIN, f64::max)).collect();
        for runner in backends::all() {
            let label = format!("{n} on {}", runner.name);
            let task = runner.engine.reduce_by_key(&keys, &values, compose::with()).with_plan(&runner.plan);
            if let Some((_, composed)) = runner.result(&label, task.run()) {
                oracle::assert_same(&label, composed.as_slice().unwrap(), &want, EXACT);
            }
            let task = runner.engine.reduce_by_key(&keys, &floats, Max).with_plan(&runner.plan);
            if let Some((_, maxima)) = runner.result(&label, task.run()) {
                oracle::assert_same(&label, maxima.as_slice().unwrap(), &most, EXACT);
            }
        }
    }
}

#[test]
fn first_values_and_lengths() {
    for n in FEW {
        let values: Vec<f32> = (0..n).map(|i| i as f32).collect();
        for (name, keys) in some_keys(n) {
            let runs = runs(&keys);
            let want_keys: Vec<u32> = runs.iter().map(|&(at, _)| keys[at]).collect();
            let firsts: Vec<f32> = runs.iter().map(|&(at, _)| at as f32).collect();
            let lengths: Vec<u32> = runs.iter().map(|&(_, length)| length as u32).collect();
            for runner in backends::all() {
                let label = format!("{name}, {n}, on {}", runner.name);
                let first = runner.engine.unique_by_key(&keys, &values).with_plan(&runner.plan).run();
                let Some((got, first)) = runner.result(&label, first) else { continue };
                // One length, though two have counted: the arrays can be read together.
                let both = zip(&got, &first).map(kernel!(|k: u32, x: f32| (k, x)));
                let both = runner.engine.collect(both).with_plan(&runner.plan).run().unwrap();
                let want: Vec<_> = want_keys.iter().copied().zip(firsts.iter().copied()).collect();
                oracle::assert_same(&label, both.as_slice().unwrap(), &want, EXACT);
                let encoded = runner.engine.run_length_encode(&keys).with_plan(&runner.plan).run();
                let Some((got, counts)) = runner.result(&label, encoded) else { continue };
                oracle::assert_same(&label, got.as_slice().unwrap(), &want_keys, EXACT);
                oracle::assert_same(&label, counts.as_slice().unwrap(), &lengths, EXACT);
            }
        }
    }
}

#[test]
fn nan_and_zeros_as_keys() {
    let keys = [f32::NAN, f32::NAN, 0.0, -0.0, 0.0, 1.0];
    for runner in backends::all() {
        let task = runner.engine.reduce_by_key(&keys, &[1, 2, 3, 4, 5, 6], Sum).with_plan(&runner.plan);
        let Some((_, sums)) = runner.result("NaN", task.run()) else { continue };
        assert_eq!(sums.as_slice().unwrap(), [1, 2, 12, 6], "{}", runner.name);
    }
}

#[test]
fn neighbours_beside_every_place() {
    for n in LENGTHS {
        let x: Vec<u32> = Random(n as u64).of(n);
        for by in [-70_000, -33, -2, -1, 0, 1, 3, 40, 5000, isize::MAX, isize::MIN] {
            let beside = |i: usize| x[(i as i128 + by as i128).clamp(0, n as i128 - 1) as usize];
            let want: Vec<u32> = (0..n).map(beside).collect();
            agree!(format!("{n} beside {by}"), |e| e.collect((&x).beside(by)), want);
            if by.unsigned_abs() < 6000 {
                let want: Vec<u32> = (0..n).rev().map(beside).collect();
                agree!(format!("{n} beside {by}, reversed"), |e| e.collect((&x).beside(by).reverse()), want);
                let want: Vec<u32> = (0..n).rev().map(|i| beside(n - 1 - i)).map(|y| y ^ 1).collect();
                agree!(format!("{n} beside {by}, mapped"), |e| e.collect((&x).map(kernel!(|x: u32| x ^ 1)).beside(by)), want);
                let want: Vec<u32> = (0..n).map(beside).skip(3).step_by(2).collect();
                agree!(format!("{n} beside {by}, every other"), |e| e.collect((&x).beside(by).skip(3).step_by(2)), want);
            }
        }
    }
}

/// Keys whose number only the device knows: the last run is not lost.
#[test]
fn runs_of_what_was_filtered() {
    let keys: Vec<u32> = (0..10_000).map(|i| i / 7).collect();
    let kept: Vec<u32> = keys.iter().copied().filter(|k| k % 3 != 0).collect();
    let runs = runs(&kept);
    let want_keys: Vec<u32> = runs.iter().map(|&(at, _)| kept[at]).collect();
    let want_lengths: Vec<u32> = runs.iter().map(|&(_, length)| length as u32).collect();
    for runner in backends::all() {
        let label = format!("filtered keys, on {}", runner.name);
        let filtered = || runner.engine.filter(&keys, kernel!(|k: u32| k % 3 != 0)).with_plan(&runner.plan).run();
        let Some(filtered_keys) = runner.result(&label, filtered()) else { continue };
        let task = runner.engine.run_length_encode(&filtered_keys).with_plan(&runner.plan);
        let Some((got_keys, lengths)) = runner.result(&label, task.run()) else { continue };
        oracle::assert_same(&label, got_keys.as_slice().unwrap(), &want_keys, EXACT);
        oracle::assert_same(&label, lengths.as_slice().unwrap(), &want_lengths, EXACT);

        let filtered_keys = filtered().unwrap();
        let task = runner.engine.unique_by_key(&filtered_keys, iota(0..kept.len() as u32)).with_plan(&runner.plan);
        let Some((got_keys, first)) = runner.result(&label, task.run()) else { continue };
        let want_first: Vec<u32> = runs.iter().map(|&(at, _)| at as u32).collect();
        oracle::assert_same(&label, got_keys.as_slice().unwrap(), &want_keys, EXACT);
        oracle::assert_same(&label, first.as_slice().unwrap(), &want_first, EXACT);
    }
}
