//! Finding and searching against std's iterators and slices, on every backend.

mod backends;
mod oracle;

use granule::kernel;
use granule::prelude::*;

use oracle::{FEW, LENGTHS, Random};

#[test]
fn the_first_hit_at_every_length() {
    for n in LENGTHS {
        let x: Vec<u32> = (0..n as u32).collect();
        for at in [0, 1, n / 3, n / 2, n.saturating_sub(2), n.saturating_sub(1), n] {
            let (hit, want) = (at as u32, Some(at).filter(|&at| at < n));
            // One hit; and with all that follows it.
            agree_one!(format!("{at} of {n}"), |e| e.find_first(&x, kernel!([hit: u32] |x: u32| x == hit)), want);
            agree_one!(format!("from {at} of {n} on"), |e| e.find_first(&x, kernel!([hit: u32] |x: u32| x >= hit)), want);
        }
    }
}

#[test]
fn any_all_count() {
    for n in FEW {
        let x: Vec<u32> = Random(n as u64).of(n);
        for limit in [0, 1 << 20, 1 << 31, u32::MAX] {
            let label = |what: &str| format!("{what} of {n} below {limit}");
            agree_one!(label("any"), |e| e.any(&x, kernel!([limit: u32] |x: u32| x < limit)), x.iter().any(|&x| x < limit));
            agree_one!(label("all"), |e| e.all(&x, kernel!([limit: u32] |x: u32| x < limit)), x.iter().all(|&x| x < limit));
            let count = x.iter().filter(|&&x| x < limit).count();
            agree_one!(label("count"), |e| e.count(&x, kernel!([limit: u32] |x: u32| x < limit)), count);
        }
    }
}

#[test]
fn a_count_that_does_not_fit_is_refused() {
    let engine = Engine::builder().no_cache().frozen().build().unwrap();
    let count = engine.count(iota(0..u32::MAX as u64 + 1), kernel!(|x: u64| x > 0));
    assert_eq!(count.run(), Err(Error::TooLarge { elements: u32::MAX as usize + 1, limit: u32::MAX as usize }));
}

#[test]
fn what_differs_and_what_falls() {
    for n in FEW {
        let x: Vec<f32> = (0..n).map(|i| (i / 3) as f32).collect();
        agree_one!(format!("{n} equal"), |e| e.equal(&x, &x), true);
        agree_one!(format!("{n} sorted"), |e| e.is_sorted(&x), true);
        for at in [0, n / 2, n.saturating_sub(1)].into_iter().filter(|&at| at < n) {
            for spoilt in [-1.0, f32::NAN] {
                let mut y = x.clone();
                y[at] = spoilt;
                agree_one!(format!("{n}, {spoilt} at {at}"), |e| e.mismatch(&x, &y), Some(at));
                agree_one!(format!("{n}, {spoilt} at {at}"), |e| e.equal(&x, &y), false);
                let sorted = y.windows(2).all(|pair| pair[1].partial_cmp(&pair[0]) != Some(std::cmp::Ordering::Less));
                agree_one!(format!("{n} with {spoilt} at {at}"), |e| e.is_sorted(&y), sorted);
            }
        }
    }
    for runner in backends::all() {
        let different = runner.engine.equal(&[1, 2], &[1, 2, 3]).with_plan(&runner.plan).run();
        assert_eq!(different, Err(Error::LengthMismatch { left: 2, right: 3 }));
    }
}

#[test]
fn bounds_among_duplicates() {
    for n in [0, 1, 2, 3, 31, 4097] {
        let mut sorted: Vec<i32> = Random(n as u64).of::<i32>(n).into_iter().map(|x| x % 200).collect();
        sorted.sort_unstable();
        let needles: Vec<i32> = (-210..210).chain([i32::MIN, i32::MAX]).collect();
        let lower: Vec<u32> = needles.iter().map(|x| sorted.partition_point(|y| y < x) as u32).collect();
        let upper: Vec<u32> = needles.iter().map(|x| sorted.partition_point(|y| y <= x) as u32).collect();
        let holds: Vec<bool> = needles.iter().map(|x| sorted.contains(x)).collect();
        agree!(format!("lower bounds in {n}"), |e| e.lower_bound(&sorted, &needles), lower);
        agree!(format!("upper bounds in {n}"), |e| e.upper_bound(&sorted, &needles), upper);
        agree!(format!("which of {n}"), |e| e.binary_search(&sorted, &needles), holds);
    }
}

#[test]
fn bounds_of_floats() {
    let sorted = [f32::NEG_INFINITY, -1.0, -0.0, 0.0, 0.5, f32::INFINITY];
    let needles = [f32::NEG_INFINITY, -2.0, -0.0, 0.0, 0.5, f32::INFINITY, f32::NAN];
    agree!("lower bounds", |e| e.lower_bound(&sorted, &needles), [0_u32, 1, 2, 2, 4, 5, 0]);
    agree!("upper bounds", |e| e.upper_bound(&sorted, &needles), [1_u32, 1, 4, 4, 5, 6, 0]);
}

#[test]
fn products_and_differences() {
    for n in FEW {
        let (x, y): (Vec<u32>, Vec<u32>) = (Random(n as u64).of(n), Random(n as u64 + 1).of(n));
        let product = x.iter().zip(&y).fold(0_u32, |sum, (x, y)| sum.wrapping_add(x.wrapping_mul(*y)));
        agree_one!(format!("inner product of {n}"), |e| e.inner_product(&x, &y), product);
        let steps: Vec<u32> = x.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
        agree!(format!("differences of {n}"), |e| e.adjacent_difference(&x), steps);
    }
}
