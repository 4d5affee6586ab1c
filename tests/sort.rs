//! Sorts against std's stable sort, on every backend.

mod backends;
mod oracle;

use granule::kernel;
use granule::prelude::*;
use granule::primitives::sort::Sort;

use backends::Runner;
use oracle::keys::{Key, bits};
use oracle::{EXACT, LENGTHS, Random};

/// Keys of every kind: all bits random, sorted, reversed, all equal, few distinct, small, all but one small, and those where floats are
/// special.
fn inputs<T: Key>(n: usize) -> Vec<(&'static str, Vec<T>)> {
    let mut random = Random(n as u64);
    let bits: Vec<T> = (0..n).map(|_| T::of_bits(random.next())).collect();
    let mut sorted = bits.clone();
    sorted.sort_by(T::compare);
    let reversed = sorted.iter().rev().copied().collect();
    let edges = T::edges();
    let few = (0..n).map(|_| bits[random.below(3.min(n))]).collect();
    let mut small: Vec<T> = (0..n).map(|_| T::of_bits(random.next() % 100)).collect();
    let equal = vec![bits.first().copied().unwrap_or_default(); n];
    let special = (0..n).map(|_| edges[random.below(edges.len())]).collect();
    let mut all = vec![
        ("few distinct", few),
        ("random", bits),
        ("special", special),
        ("sorted", sorted),
        ("reversed", reversed),
        ("all equal", equal),
        ("small", small.clone()),
    ];
    if let Some(one) = small.get_mut(n / 3) {
        *one = T::of_bits(u64::MAX / 3);
        all.push(("all but one small", small));
    }
    all
}

/// Sorts keys alone, with values, and positions: ascending and descending. The first `kinds` of the inputs.
fn check<T: Key>(lengths: &[usize], kinds: usize) {
    for &n in lengths {
        for (kind, keys) in inputs::<T>(n).into_iter().take(kinds) {
            let mut order: Vec<u32> = (0..n as u32).collect();
            let label = format!("{n} {kind} {:?}", T::KIND);
            order.sort_by(|&a, &b| keys[a as usize].compare(&keys[b as usize]));
            one(&label, &keys, &order, false);
            if !["random", "special", "few distinct"].contains(&kind) {
                continue;
            }
            order.sort_by(|&a, &b| keys[b as usize].compare(&keys[a as usize]).then(a.cmp(&b)));
            one(&label, &keys, &order, true);
        }
    }
}

/// All three sorts of these keys give this order.
fn one<T: Key>(label: &str, keys: &[T], order: &[u32], descending: bool) {
    let want: Vec<u64> = order.iter().map(|&i| keys[i as usize].bits()).collect();
    for runner in backends::all() {
        let label = format!("{label}, descending: {descending}, on {}", runner.name);
        let e = &runner.engine;
        let (mut sort, mut pairs, mut args) = (e.sort(keys), e.sort_pairs(keys, iota(0..keys.len() as u32)), e.arg_sort(keys));
        if descending {
            (sort, pairs, args) = (sort.descending(), pairs.descending(), args.descending());
        }
        if let Some(got) = runner.result(&label, sort.with_plan(&runner.plan).run()) {
            oracle::assert_same(&label, &bits(got.as_slice().unwrap()), &want, EXACT);
        }
        if let Some((got, values)) = runner.result(&label, pairs.with_plan(&runner.plan).run()) {
            oracle::assert_same(format!("{label}, values"), values.as_slice().unwrap(), order, EXACT);
            oracle::assert_same(format!("{label}, keys"), &bits(got.as_slice().unwrap()), &want, EXACT);
        }
        if let Some(got) = runner.result(&label, args.with_plan(&runner.plan).run()) {
            oracle::assert_same(format!("{label}, positions"), got.as_slice().unwrap(), order, EXACT);
        }
    }
}

/// Where all kinds of input are sorted; above these, two kinds.
const SOME: [usize; 5] = [2, 33, 129, 1025, 10_007];
const ALL: usize = usize::MAX;

#[test]
fn u32_keys_at_every_length() {
    check::<u32>(&LENGTHS, 1);
    check::<u32>(&SOME, ALL);
    check::<u32>(&[100_003, 300_007], 2);
}

#[test]
fn u64_keys() {
    check::<u64>(&SOME, ALL);
    check::<u64>(&[100_003], 2);
}

/// The other types take the same way, but for the form of a key.
#[test]
fn i32_keys() {
    check::<i32>(&SOME, ALL);
}

#[test]
fn f32_keys() {
    check::<f32>(&SOME, ALL);
    check::<f32>(&[100_003], 2);
}

#[test]
fn i64_keys() {
    check::<i64>(&SOME, ALL);
}

#[test]
fn f64_keys() {
    check::<f64>(&SOME, ALL);
}

fn ranges<T: Key>(ranges: &[std::ops::Range<u32>]) {
    for n in [33, 1025, 40_009] {
        let mut random = Random(n as u64);
        let keys: Vec<T> = (0..n).map(|_| T::of_bits(random.next())).collect();
        for range in ranges {
            let field = |key: T| match range.len() {
                64 => key.form(),
                len => key.form() >> range.start.min(63) & ((1 << len) - 1),
            };
            let label = format!("{n} {:?}, bits {range:?}", T::KIND);
            let mut up = keys.clone();
            up.sort_by_key(|&key| field(key));
            let mut down = keys.clone();
            down.sort_by_key(|&key| !field(key));
            for runner in backends::all() {
                let run = |task: granule::Task<'_, Sort<_>>| {
                    runner.result(&label, task.bits(range.clone()).with_plan(&runner.plan).run())
                };
                let Some(got) = run(runner.engine.sort(&keys)) else { continue };
                oracle::assert_same(format!("{label} on {}", runner.name), &bits(got.as_slice().unwrap()), &bits(&up), EXACT);
                let Some(got) = run(runner.engine.sort(&keys).descending()) else { continue };
                let label = format!("{label} descending on {}", runner.name);
                oracle::assert_same(label, &bits(got.as_slice().unwrap()), &bits(&down), EXACT);
            }
        }
    }
}

#[test]
fn some_bits_alone() {
    ranges::<u32>(&[5..6, 8..16, 12..31, 24..32, 32..32]);
    ranges::<i64>(&[20..40, 63..64]);
    for runner in backends::all() {
        for bad in [0..33, 40..41, std::ops::Range { start: 5, end: 4 }] {
            let error = runner.engine.sort(&[1_u32, 2]).bits(bad.clone()).with_plan(&runner.plan).run().unwrap_err();
            assert!(matches!(&error, Error::Config { message } if message.contains("0..32")), "{bad:?}: {error}");
        }
    }
}

#[derive(Element, Clone, Copy, PartialEq, Debug)]
struct Wide {
    alive: bool,
    at: (f32, u64),
    id: u32,
    spin: f64,
}

#[test]
fn values_of_any_size_move_along() {
    for n in [1, 100, 5000, 70_001] {
        let keys: Vec<u32> = Random(n).of(n as usize).into_iter().map(|x: u32| x % 1000).collect();
        let wide = |i: u32| Wide { alive: i.is_multiple_of(3), at: (i as f32, u64::from(i) << 33), id: i, spin: -f64::from(i) };
        let values: Vec<Wide> = (0..n as u32).map(wide).collect();
        let flags: Vec<bool> = (0..n as u32).map(|i| i % 5 == 1).collect();
        let mut order: Vec<usize> = (0..n as usize).collect();
        order.sort_by_key(|&i| keys[i]);
        for runner in backends::all() {
            let label = format!("{n} on {}", runner.name);
            if let Some((_, got)) = runner.result(&label, runner.engine.sort_pairs(&keys, &values).with_plan(&runner.plan).run())
            {
                assert!(got.as_slice().unwrap().iter().eq(order.iter().map(|&i| &values[i])), "{label}");
            }
            if let Some((_, got)) = runner.result(&label, runner.engine.sort_pairs(&keys, &flags).with_plan(&runner.plan).run()) {
                assert!(got.as_slice().unwrap().iter().eq(order.iter().map(|&i| &flags[i])), "{label}, flags");
            }
        }
    }
}

#[test]
fn sources_are_fused_and_lengths_looked_up() {
    let x: Vec<u32> = Random(3).of(30_000);
    let mut want: Vec<u32> = x.iter().rev().map(|&x| x.wrapping_mul(3)).collect();
    want.sort_unstable();
    let mut kept: Vec<u32> = x.iter().copied().filter(|x| x % 3 == 0).collect();
    kept.sort_unstable();
    let label = |runner: &Runner| format!("on {}", runner.name);
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        let mut into = vec![0; x.len()];
        let tripled = (&x).reverse().map(kernel!(|x: u32| 3 * x));
        if runner.result("fused", e.sort(tripled).into(&mut into).with_plan(plan).run()).is_some() {
            oracle::assert_same(label(runner), &into, &want, EXACT);
        }
        let mut place = want.iter().rev().copied().collect::<Vec<_>>();
        if runner.result("in place", e.sort_in_place(&mut place).with_plan(plan).run()).is_some() {
            oracle::assert_same(format!("in place {}", label(runner)), &place, &want, EXACT);
        }
        let mut long: Vec<f32> = (0..150_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) as f32) - 2e9).collect();
        let mut sorted = long.clone();
        sorted.sort_by(|a, b| b.total_cmp(a));
        if runner.result("long in place", e.sort_in_place(&mut long[..]).descending().with_plan(plan).run()).is_some() {
            oracle::assert_same(format!("long in place {}", label(runner)), &bits(&long), &bits(&sorted), EXACT);
        }
        let mapped = e.map(&want.iter().rev().copied().collect::<Vec<_>>(), kernel!(|x: u32| x)).with_plan(plan).run();
        if let Some(mut array) = runner.result("mapped", mapped) {
            e.sort_in_place(&mut array).with_plan(plan).run().unwrap();
            oracle::assert_same(format!("array in place {}", label(runner)), array.as_slice().unwrap(), &want, EXACT);
        }
        let mut array = e.array(&into);
        if runner.result("array", e.sort(tripled).descending().into(&mut array).with_plan(plan).run()).is_some() {
            let back: Vec<u32> = want.iter().rev().copied().collect();
            oracle::assert_same(label(runner), array.as_slice().unwrap(), &back, EXACT);
        }
        let some = e.filter(&x, kernel!(|x: u32| x % 3 == 0)).with_plan(plan).run();
        let Some(some) = runner.result("filtered", some) else { continue };
        let sorted = e.sort(&some).with_plan(plan).run().unwrap();
        oracle::assert_same(label(runner), sorted.as_slice().unwrap(), &kept, EXACT);
    }
}

/// Sorted, and a permutation: of lengths and ranges of values that nobody has thought of.
#[test]
fn sorted_and_a_permutation() {
    let mut random = Random(41);
    for round in 0..12 {
        let n = random.below(200_000);
        let (mask, shift) = (random.next() | random.next() & random.next(), random.below(64) as u32);
        let keys: Vec<u64> = (0..n).map(|_| (random.next() & mask) >> shift).collect();
        let sum = |keys: &[u64]| keys.iter().fold((0_u64, 0_u64), |(s, x), &k| (s.wrapping_add(k.wrapping_mul(k | 1)), x ^ k));
        for runner in backends::all() {
            let Some(got) = runner.result("property", runner.engine.sort(&keys).with_plan(&runner.plan).run()) else { continue };
            let got = got.as_slice().unwrap();
            assert!(got.is_sorted() && got.len() == n && sum(got) == sum(&keys), "round {round}: {n} keys on {}", runner.name);
        }
    }
}

#[test]
fn bad_input() {
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        let error = e.sort_pairs(&[1_u32, 2], &[true]).with_plan(plan).run().unwrap_err();
        assert_eq!(error, Error::LengthMismatch { left: 2, right: 1 });
        assert_eq!(e.sort(constant(1_u32)).with_plan(plan).run().unwrap_err(), Error::Unbounded);
        let error = e.sort(&[1_u32, 2]).into(&mut [0; 3]).with_plan(plan).run().unwrap_err();
        assert_eq!(error, Error::LengthMismatch { left: 2, right: 3 });
    }
}
