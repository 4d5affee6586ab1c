//! Merges and merge sorts against std's stable sort, on every backend.

mod backends;
mod oracle;

use std::panic::AssertUnwindSafe;

use granule::element::Vec2;
use granule::kernel;
use granule::kernel::{Lanes, Varying, ops};
use granule::prelude::*;

use oracle::keys::{Key, bits};
use oracle::{EXACT, LENGTHS, Random, Value};

fn sorted<T: Key>(mut x: Vec<T>) -> Vec<T> {
    x.sort_by(T::compare);
    x
}

/// Merges keys alone, and with where they come from.
fn check<T: Key>(label: &str, a: &[T], b: &[T]) {
    let label = format!("{label} {:?}", T::KIND);
    let mut want: Vec<(T, u32)> = a.iter().chain(b).copied().zip(0..).collect();
    want.sort_by(|(x, _), (y, _)| x.compare(y));
    let keys: Vec<u64> = want.iter().map(|(x, _)| x.bits()).collect();
    for runner in backends::all() {
        let (e, label) = (&runner.engine, format!("{label} on {}", runner.name));
        if let Some(got) = runner.result(&label, e.merge(a, b).with_plan(&runner.plan).run()) {
            oracle::assert_same(&label, &bits(got.as_slice().unwrap()), &keys, EXACT);
        }
    }
}

/// Two sorted inputs of these lengths in all.
fn inputs<T: Key>(n: usize, seed: u64) -> Vec<(&'static str, Vec<T>, Vec<T>)> {
    let mut random = Random(seed);
    let mut of = |n: usize, f: &dyn Fn(u64) -> u64| sorted((0..n).map(|_| T::of_bits(f(random.next()))).collect());
    let edges = T::edges();
    let special = |n: usize| sorted((0..n).map(|i| edges[(i * 7 + 3) % edges.len()]).collect::<Vec<_>>());
    let few = |x: u64| (x % 3) << 30;
    let all = of(n, &|x| x);
    vec![
        ("random halves", of(n / 2, &|x| x), of(n - n / 2, &|x| x)),
        ("few distinct", of(n / 3, &few), of(n - n / 3, &few)),
        ("one side empty", all.clone(), Vec::new()),
        ("the other side empty", Vec::new(), all.clone()),
        ("one before the other", all[..n / 2].to_vec(), all[n / 2..].to_vec()),
        ("one after the other", all[n / 3..].to_vec(), all[..n / 3].to_vec()),
        ("all equal", of(n / 2, &|_| 1 << 31), of(n - n / 2, &|_| 1 << 31)),
        ("few and many", of(n / 100, &|x| x), of(n - n / 100, &|x| x)),
        ("special", special(n / 2), special(n - n / 2)),
    ]
}

#[test]
fn merges_of_every_length() {
    for n in LENGTHS {
        let (label, a, b) = inputs::<u32>(n, n as u64).swap_remove(0);
        check(&format!("{n} {label}"), &a, &b);
    }
    for n in [2, 100, 3001, 10_007] {
        for (label, a, b) in inputs::<u32>(n, 5) {
            check(&format!("{n} {label}"), &a, &b);
        }
    }
}

#[test]
fn merges_of_every_type() {
    fn each<T: Key>() {
        for n in [33, 6007] {
            for (label, a, b) in inputs::<T>(n, 9) {
                check(&format!("{n} {label}"), &a, &b);
            }
        }
    }
    each::<i32>();
    each::<f32>();
    each::<u64>();
    each::<i64>();
    each::<f64>();
}

#[kernel]
fn below(a: (u32, u32), b: (u32, u32)) -> bool {
    a.0 < b.0
}

#[test]
fn equals_keep_their_order() {
    for (n, m) in [(0, 5), (1, 1), (100, 63), (5000, 4000), (40_000, 60_003)] {
        let pairs = |n: usize, seed: u64, from: u32| {
            let mut keys: Vec<u32> = Random(seed).of(n).into_iter().map(|x: u32| x % 50).collect();
            keys.sort_unstable();
            keys.into_iter().zip(from..).collect::<Vec<_>>()
        };
        let (a, b) = (pairs(n, 1, 0), pairs(m, 2, 1 << 20));
        let mut want: Vec<_> = a.iter().chain(&b).copied().collect();
        want.sort_by_key(|pair| pair.0);
        agree!(format!("{n} and {m}"), |e| e.merge_by(&a, &b, below::with()), want);
        // Sources are evaluated where they are read.
        let (keys, numbers): (Vec<u32>, Vec<u32>) = b.iter().copied().unzip();
        agree!(format!("{n} and {m} zipped"), |e| e.merge_by(&a, zip(&keys, &numbers), below::with()), want);
    }
}

#[test]
fn merges_of_sources_and_of_arrays_that_stay() {
    let x: Vec<u32> = Random(3).of(30_000);
    let mut want: Vec<u32> = (0..20_000).map(|i| 3 * i).chain(x.iter().copied().filter(|x| x % 3 == 0)).collect();
    want.sort_unstable();
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        let some = e.filter(&x, kernel!(|x: u32| x % 3 == 0)).with_plan(plan).run().unwrap();
        let some = e.sort(&some).with_plan(plan).run().unwrap();
        let merged = e.merge(iota(0..20_000_u32).map(kernel!(|i: u32| 3 * i)), &some).with_plan(plan).run().unwrap();
        oracle::assert_same(&runner.name, merged.as_slice().unwrap(), &want, EXACT);
    }
}

#[test]
fn sort_by_at_every_length() {
    for n in LENGTHS {
        let x: Vec<(u32, u32)> = Random(n as u64).of(n).into_iter().map(|x: u32| x % 1000).zip(0..).collect();
        let mut want = x.clone();
        want.sort_by_key(|pair| pair.0);
        agree!(format!("{n}"), |e| e.sort_by(&x, below::with()), want);
    }
}

#[test]
fn sort_by_of_inputs_that_are_special() {
    let less = kernel!(|a: i32, b: i32| a > b);
    for n in [7, 8, 9, 300, 2049, 20_011] {
        let random: Vec<i32> = Random(n as u64).of(n);
        let mut falling = random.clone();
        falling.sort_unstable_by_key(|&x| std::cmp::Reverse(x));
        let rising: Vec<i32> = falling.iter().rev().copied().collect();
        let few: Vec<i32> = random.iter().map(|x| x % 2).collect();
        for (label, x) in [("random", random), ("sorted", falling), ("reversed", rising), ("few", few), ("equal", vec![7; n])] {
            let mut want = x.clone();
            want.sort_by_key(|&x| std::cmp::Reverse(x));
            agree!(format!("{n} {label}"), |e| e.sort_by(&x, less), want);
        }
    }
    // A total order of one's own making.
    let edges: Vec<f32> = Random(4).of::<u32>(5000).into_iter().map(|i| f32::edges()[i as usize % f32::edges().len()]).collect();
    let mut want = edges.clone();
    want.sort_by(f32::total_cmp);
    let total = kernel!(|a: f32, b: f32| {
        let x = a.to_bits() as i32;
        let y = b.to_bits() as i32;
        (x ^ ((x >> 31) as u32 >> 1) as i32) < (y ^ ((y >> 31) as u32 >> 1) as i32)
    });
    let want: Vec<u32> = want.iter().map(|x| x.to_bits()).collect();
    for runner in backends::all() {
        let Some(got) = runner.result("total order", runner.engine.sort_by(&edges, total).with_plan(&runner.plan).run()) else {
            continue;
        };
        let got: Vec<u32> = got.as_slice().unwrap().iter().map(|x| x.to_bits()).collect();
        oracle::assert_same(format!("total order on {}", runner.name), &got, &want, EXACT);
    }
}

#[derive(Element, Clone, Copy, PartialEq, Debug)]
struct Body {
    alive: bool,
    mass: f32,
    spin: (i32, bool),
    id: u32,
}

#[kernel]
fn lighter(a: Body, b: Body) -> bool {
    if a.alive == b.alive { a.mass < b.mass } else { a.alive }
}

#[derive(Element, Clone, Copy, PartialEq, Debug)]
struct Wide {
    key: u32,
    a: (f32, f32, f32, f32),
    b: (f32, f32, f32, f32),
    c: (f32, f32, f32, f32),
    d: (f32, f32, f32, f32),
    e: (f32, f32, f32, f32),
}

#[kernel]
fn lower(a: Wide, b: Wide) -> bool {
    a.key < b.key
}

#[test]
fn sort_by_of_structs() {
    for n in [5, 200, 9001] {
        let body =
            |i: u32| Body { alive: i.is_multiple_of(3), mass: (i * 7919 % 64) as f32, spin: (-(i as i32), i % 2 == 1), id: i };
        let x: Vec<Body> = (0..n).map(body).collect();
        let mut want = x.clone();
        want.sort_by(|a, b| b.alive.cmp(&a.alive).then(a.mass.total_cmp(&b.mass)));
        let points: Vec<Vec2> = x.iter().map(|x| Vec2::new(x.mass, x.id as f32)).collect();
        let mut nearest = points.clone();
        nearest.sort_by(|a, b| (a.x * a.x).total_cmp(&(b.x * b.x)));
        let wide: Vec<Wide> = x
            .iter()
            .map(|x| {
                let v = (x.mass, x.id as f32, 1.0, -1.0);
                Wide { key: x.mass as u32, a: v, b: v, c: v, d: v, e: v }
            })
            .collect();
        let mut lowest = wide.clone();
        lowest.sort_by_key(|x| x.key);
        for runner in backends::all() {
            let (e, plan, label) = (&runner.engine, &runner.plan, format!("{n} on {}", runner.name));
            if let Some(got) = runner.result(&label, e.sort_by(&x, lighter::with()).with_plan(plan).run()) {
                assert!(got.as_slice().unwrap() == want, "{label}");
            }
            let first = kernel!(|a: Vec2, b: Vec2| a.x * a.x < b.x * b.x);
            if let Some(got) = runner.result(&label, e.sort_by(&points, first).with_plan(plan).run()) {
                assert!(got.as_slice().unwrap() == nearest, "{label}, points");
            }
            // Too wide for a workgroup's memory: a GPU says so.
            if let Some(got) = runner.result(&label, e.sort_by(&wide, lower::with()).with_plan(plan).run()) {
                assert!(got.as_slice().unwrap() == lowest, "{label}, wide");
            }
        }
    }
}

/// Inputs above one binding of the small GPU, which holds 65,536 words: windows of both are merged.
#[test]
fn inputs_above_one_binding() {
    let of = |n: usize, seed: u64, from: u32, to: u32| {
        sorted(Random(seed).of::<u32>(n).into_iter().map(|x| from + x % (to - from)).collect::<Vec<u32>>())
    };
    let most = u32::MAX;
    let cases = [
        ("several windows each", of(131_073, 1, 0, most), of(70_001, 2, 0, most)),
        ("one fits", of(1000, 3, 0, most), of(98_305, 4, 0, most)),
        ("one empty", Vec::new(), of(70_000, 5, 0, most)),
        ("the other empty", of(98_304, 6, 0, most), Vec::new()),
        ("all equal", vec![7; 65_537], vec![7; 98_304]),
        ("few distinct", of(100_003, 7, 0, 3), of(66_000, 8, 1, 4)),
        ("one before the other", of(70_000, 9, 0, 1000), of(70_000, 10, 1000, 2000)),
        ("one after the other", of(65_536, 11, 1000, 2000), of(98_304, 12, 0, 1000)),
        ("one within the other", of(98_305, 13, 0, most), of(66_000, 14, 1 << 30, (1 << 30) + 5)),
    ];
    for (label, a, b) in cases {
        check(label, &a, &b);
        // With where each comes from: equal ones keep their order.
        let (a, b): (Vec<_>, Vec<_>) = (a.into_iter().zip(0..).collect(), b.into_iter().zip(1 << 20..).collect());
        let mut want = [&a[..], &b].concat();
        want.sort_by_key(|pair| pair.0);
        agree!(label, |e| e.merge_by(&a, &b, below::with()), want);
        let turned: Vec<_> = want.iter().rev().copied().collect();
        let mut want = turned.clone();
        want.sort_by_key(|pair| pair.0);
        agree!(label, |e| e.sort_by(&turned, below::with()), want);
    }
    // A GPU did it, and did not leave it to a CPU.
    for runner in backends::all().iter().filter(|runner| runner.is_gpu()) {
        let (x, plan) = (vec![1; 70_000], &runner.plan);
        runner.engine.merge(&x, &x).with_plan(plan).run().unwrap();
        runner.engine.sort_by(&x, kernel!(|a: i32, b: i32| a < b)).with_plan(plan).run().unwrap();
    }
}

/// Of sources and uniforms; large enough for several passes over global memory.
#[test]
fn sort_by_a_computed_order() {
    let n = 100_000_u32;
    let weights: Vec<f32> = (0..n).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32).collect();
    let mut want: Vec<u32> = (0..n).collect();
    want.sort_by(|&a, &b| weights[a as usize].total_cmp(&weights[b as usize]));
    let heavier = kernel!([weights: &[f32] = &weights] |a: u32, b: u32| weights[a as usize] < weights[b as usize]);
    agree!("positions", |e| e.sort_by(iota(0..n), heavier), want);
}

/// A comparison that is no order gives anything, and nothing worse.
#[test]
fn what_is_no_order() {
    let x: Vec<u32> = Random(8).of(50_000);
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        for parity in [0_u32, 1] {
            let less = kernel!([parity: u32] |a: u32, b: u32| (a ^ b >> 3) & 1 == parity);
            let got = e.sort_by(&x, less).with_plan(plan).run().unwrap();
            assert_eq!(got.as_slice().unwrap().len(), x.len(), "{}", runner.name);
            let got = e.merge_by(&x, &x[..777], less).with_plan(plan).run().unwrap();
            assert_eq!(got.as_slice().unwrap().len(), x.len() + 777, "{}", runner.name);
        }
        // Not sorted.
        let got = e.merge(&x, &x[..20_000]).with_plan(plan).run().unwrap();
        assert_eq!(got.as_slice().unwrap().len(), 70_000, "{}", runner.name);
    }
}

#[test]
fn bad_input() {
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        assert_eq!(e.merge(constant(1_u32), &[1]).with_plan(plan).run().unwrap_err(), Error::Unbounded);
        assert_eq!(e.merge(&[1_u32], constant(1_u32)).with_plan(plan).run().unwrap_err(), Error::Unbounded);
        let less = kernel!(|a: u32, b: u32| a < b);
        assert_eq!(e.sort_by(constant(1_u32), less).with_plan(plan).run().unwrap_err(), Error::Unbounded);
        let empty: [u32; 0] = [];
        assert_eq!(e.merge(&empty, &empty).with_plan(plan).run().unwrap().into_vec().unwrap(), empty);
        assert_eq!(e.sort_by(&empty, less).with_plan(plan).run().unwrap().into_vec().unwrap(), empty);
    }
}

/// Panics at one number on a CPU; a trace records a comparison.
#[derive(Clone, Copy)]
struct Planted;

impl Kernel<(u32, u32)> for Planted {
    type Out = bool;
    fn eval<L: Lanes>(&self, l: L, Varying((a, b)): Varying<L, (u32, u32)>) -> Varying<L, bool> {
        let traced = std::any::type_name::<L>().contains("Trace");
        assert!(traced || !l.any(ops::eq(l, a, ops::lit(l, 77)).0), "planted");
        ops::lt(l, a, b)
    }
}

#[test]
fn a_panic_reaches_the_caller_and_nothing_is_lost() {
    let x: Vec<u32> = (0..100_000_u32).map(|i| i.wrapping_mul(2_654_435_761) % 5000).collect();
    for runner in backends::all().iter().filter(|runner| !runner.is_gpu()) {
        let (e, plan) = (&runner.engine, &runner.plan);
        let sort = std::panic::catch_unwind(AssertUnwindSafe(|| e.sort_by(&x, Planted).with_plan(plan).run()));
        assert!(sort.is_err(), "{}", runner.name);
        let merge =
            std::panic::catch_unwind(AssertUnwindSafe(|| e.merge_by(&[1, 78, 80], &[2, 77], Planted).with_plan(plan).run()));
        assert!(merge.is_err(), "{}", runner.name);
        assert_eq!(e.merge(&[1, 78, 80], &[2, 77]).with_plan(plan).run().unwrap().into_vec().unwrap(), [1, 2, 77, 78, 80]);
    }
}

#[test]
fn into_memory_that_exists_and_in_time() {
    let (a, b): (Vec<u32>, Vec<u32>) = ((0..30_000).map(|i| 2 * i).collect(), (0..20_000).map(|i| 3 * i + 1).collect());
    let mut want = [&a[..], &b].concat();
    want.sort_unstable();
    let less = kernel!(|a: u32, b: u32| a < b);
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        let mut out = vec![0; want.len()];
        e.merge(&a, &b).with_plan(plan).into(&mut out).run().unwrap();
        oracle::assert_same(&runner.name, &out, &want, EXACT);
        let turned: Vec<u32> = want.iter().rev().copied().collect();
        e.sort_by(&turned, less).with_plan(plan).into(&mut out).run().unwrap();
        oracle::assert_same(&runner.name, &out, &want, EXACT);
        let short = e.merge(&a, &b).with_plan(plan).into(&mut out[1..]).run().unwrap_err();
        assert_eq!(short, Error::LengthMismatch { left: 50_000, right: 49_999 });
        if !runner.is_gpu() {
            let deadline = std::time::Duration::ZERO;
            assert_eq!(
                e.sort_by(&turned, less).deadline(deadline).with_plan(plan).run().unwrap_err(),
                Error::Timeout { deadline }
            );
            assert_eq!(e.merge(&a, &b).deadline(deadline).with_plan(plan).run().unwrap_err(), Error::Timeout { deadline });
        }
    }
}
