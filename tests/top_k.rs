//! The first few in order, their positions, and the n-th element, against std's sort, on every backend.

mod backends;
mod oracle;

use granule::kernel;
use granule::prelude::*;

use oracle::keys::{Key, bits};
use oracle::{EXACT, LENGTHS, Random};

/// The first `k`, their positions, and what stands at the k-th place: from above and from below.
fn check<T: Key>(label: &str, x: &[T], ks: &[usize]) {
    let n = x.len();
    let mut up: Vec<u32> = (0..n as u32).collect();
    up.sort_by(|&a, &b| x[a as usize].compare(&x[b as usize]));
    let mut down: Vec<u32> = (0..n as u32).collect();
    down.sort_by(|&a, &b| x[b as usize].compare(&x[a as usize]));
    for &k in ks.iter().filter(|&&k| k <= n) {
        for runner in backends::all() {
            let (e, plan) = (&runner.engine, &runner.plan);
            let label = format!("{k} of {n} {label} {:?} on {}", T::KIND, runner.name);
            for (order, smallest) in [(&up, true), (&down, false)] {
                let label = format!("{label}, smallest: {smallest}");
                let (mut top, mut arg) = (e.top_k(x, k), e.arg_top_k(x, k));
                if smallest {
                    (top, arg) = (top.smallest(), arg.smallest());
                }
                if let Some(got) = runner.result(&label, top.with_plan(plan).run()) {
                    let want: Vec<u64> = order[..k].iter().map(|&i| x[i as usize].bits()).collect();
                    oracle::assert_same(&label, &bits(got.as_slice().unwrap()), &want, EXACT);
                }
                if let Some(got) = runner.result(&label, arg.with_plan(plan).run()) {
                    oracle::assert_same(format!("{label}, positions"), got.as_slice().unwrap(), &order[..k], EXACT);
                }
            }
            if k < n
                && let Some(got) = runner.result(&label, e.nth_element(x, k).with_plan(plan).run())
            {
                assert_eq!(got.bits(), x[up[k] as usize].bits(), "{label}, nth");
            }
        }
    }
}

/// Keys of every kind: all bits random, few distinct, all equal, sorted, those that differ in the lowest bits alone, special ones.
fn inputs<T: Key>(n: usize) -> Vec<(&'static str, Vec<T>)> {
    let mut random = Random(n as u64);
    let bits: Vec<T> = (0..n).map(|_| T::of_bits(random.next())).collect();
    let mut sorted = bits.clone();
    sorted.sort_by(T::compare);
    let few = (0..n).map(|_| bits[random.below(3.min(n))]).collect();
    let low = (0..n).map(|_| T::of_bits((u64::MAX / 3) ^ (random.next() % 8))).collect();
    let edges = T::edges();
    let special = (0..n).map(|_| edges[random.below(edges.len())]).collect();
    let equal = vec![T::of_bits(7 << 28); n];
    vec![("random", bits), ("few distinct", few), ("low bits", low), ("special", special), ("equal", equal), ("sorted", sorted)]
}

#[test]
fn of_every_length() {
    for n in LENGTHS {
        let (label, x) = inputs::<u32>(n).swap_remove(0);
        check(label, &x, &[0, 1, n / 3, n]);
    }
}

#[test]
fn of_every_kind() {
    fn each<T: Key>(lengths: &[usize]) {
        for &n in lengths {
            for (label, x) in inputs::<T>(n) {
                check(label, &x, &[10, n / 2]);
            }
        }
    }
    each::<u32>(&[2, 5001]);
    each::<i32>(&[301]);
    each::<f32>(&[2, 5001]);
    each::<u64>(&[301]);
    each::<i64>(&[301]);
    each::<f64>(&[301]);
}

#[test]
fn of_many() {
    for (label, x) in inputs::<f32>(150_001) {
        check(label, &x, &[64, 70_000]);
    }
}

/// What is fused, and what has a length that only the device knows.
#[test]
fn of_sources() {
    let x: Vec<u32> = Random(5).of(40_000);
    let mut kept: Vec<u32> = x.iter().copied().filter(|x| x % 3 == 0).collect();
    kept.sort_unstable();
    let tripled = kernel!(|x: u32| (x >> 3) * 3);
    let mut fused: Vec<u32> = x.iter().map(|x| (x >> 3) * 3).collect();
    fused.sort_unstable_by_key(|&x| std::cmp::Reverse(x));
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        let some = e.filter(&x, kernel!(|x: u32| x % 3 == 0)).with_plan(plan).run().unwrap();
        let got = e.top_k(&some, 1000).smallest().with_plan(plan).run().unwrap();
        oracle::assert_same(&runner.name, got.as_slice().unwrap(), &kept[..1000], EXACT);
        assert_eq!(e.nth_element(&some, kept.len() - 1).with_plan(plan).run().unwrap(), kept[kept.len() - 1], "{}", runner.name);
        let got = e.top_k((&x).map(tripled), 500).with_plan(plan).run().unwrap();
        // Stays where it is.
        assert_eq!(e.reduce(&got, Min).with_plan(plan).run().unwrap(), fused[499], "{}", runner.name);
        oracle::assert_same(&runner.name, got.as_slice().unwrap(), &fused[..500], EXACT);
        let best = runner.result("positions", e.arg_top_k(iota(0..40_000_u32).reverse(), 3).with_plan(plan).run());
        let Some(best) = best else { continue };
        assert_eq!(best.as_slice().unwrap(), [0, 1, 2], "{}", runner.name);
    }
}

#[test]
fn more_than_there_are() {
    let empty: [f32; 0] = [];
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        assert_eq!(e.top_k(&[1, 2], 3).with_plan(plan).run().unwrap_err(), Error::TooFew { wanted: 3, there: 2 });
        assert_eq!(e.arg_top_k(&empty, 1).with_plan(plan).run().unwrap_err(), Error::TooFew { wanted: 1, there: 0 });
        let error = e.nth_element(&[1, 2], 2).with_plan(plan).run().unwrap_err();
        assert_eq!(error, Error::TooFew { wanted: 3, there: 2 });
        assert!(error.to_string().contains("3 elements") && error.to_string().contains("has 2"), "{error}");
        assert_eq!(
            e.nth_element(&empty, usize::MAX).with_plan(plan).run().unwrap_err(),
            Error::TooFew { wanted: usize::MAX, there: 0 }
        );
        assert_eq!(e.top_k(constant(1), 3).with_plan(plan).run().unwrap_err(), Error::Unbounded);
    }
}
