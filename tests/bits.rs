//! One canonical order: a reduction of floats has the same bits at every SIMD level, for every number of workers and grain, and on
//! a GPU whose arithmetic is IEEE; and those are the bits of the order that the documentation states, added one at a time.

mod backends;
mod oracle;

use std::sync::OnceLock;

use backends::{Runner, all, threads};
use granule::prelude::*;
use oracle::{Random, Same, canonical};

/// Every backend, and every number of workers from 1 to 8 with several grains.
fn runners() -> impl Iterator<Item = &'static Runner> {
    static MORE: OnceLock<Vec<Runner>> = OnceLock::new();
    let choices: Vec<(usize, usize)> = (1..=8).flat_map(|w| [4096, 12_288, 65_536].map(|grain| (w, grain))).collect();
    all().iter().chain(MORE.get_or_init(|| threads(&choices)))
}

/// Around the edges of lanes, rows, runs, tiles and rounds.
const LENGTHS: [usize; 36] = [
    0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128, 129, 191, 192, 193, 255, 256, 257, 1000, 2047, 4064, 4095, 4096,
    4097, 8191, 8192, 8193, 12_287, 12_289, 65_537, 100_003, 250_007,
];

/// Values over many magnitudes and of both signs: another order gives other bits.
fn rough(n: usize, seed: u64) -> Vec<f32> {
    let number = |x: u64| (x % 20_001) as f32 / 10_000.0 - 1.0;
    Random(seed).of::<u64>(n).into_iter().map(|x| number(x) * (((x >> 40) % 24) as f32 - 12.0).exp2()).collect()
}

macro_rules! same_bits {
    ($label:expr, $n:expr, |$e:ident| $task:expr, $want:expr) => {{
        let want = $want;
        for runner in runners() {
            let $e = &runner.engine;
            if !promises_bits(runner) {
                continue;
            }
            if let Some(got) = runner.result($label, ($task).with_plan(&runner.plan).run()) {
                assert!(got.same(&want, oracle::EXACT), "{} of {} on {}: {got:?}, expected {want:?}", $label, $n, runner.name);
            }
        }
    }};
}

/// A GPU whose arithmetic is not IEEE promises no bits.
fn promises_bits(runner: &Runner) -> bool {
    runner.precision.ulps == 0 && !runner.precision.flush
}

/// Says who takes part; `REQUIRE_BACKENDS` turns absence into failure.
#[test]
fn who_takes_part() {
    for runner in runners() {
        println!("{}{}", runner.name, if promises_bits(runner) { "" } else { ": not tested, its arithmetic is not IEEE" });
    }
    assert!(runners().filter(|r| !r.is_gpu()).all(promises_bits));
}

#[test]
fn sums_and_products() {
    for n in LENGTHS {
        let x = rough(n, n as u64);
        same_bits!("sum", n, |e| e.reduce(&x, Sum), canonical(&x, true, -0.0, &|a, b| a + b));
        let near_one: Vec<f32> = x.iter().map(|x| 1.0 + x * 1e-4).collect();
        same_bits!("product", n, |e| e.reduce(&near_one, Product), canonical(&near_one, true, 1.0, &|a, b| a * b));
    }
}

#[test]
fn doubles() {
    for n in LENGTHS {
        let x: Vec<f64> = rough(n, n as u64).into_iter().map(|x| f64::from(x) * 1.000_000_1).collect();
        same_bits!("sum of f64", n, |e| e.reduce(&x, Sum), canonical(&x, true, -0.0, &|a, b| a + b));
    }
}

/// Which of two equal numbers, or of two zeros, survives is a matter of the order too.
#[test]
fn zeros_of_both_signs_and_nan() {
    for n in LENGTHS {
        let x: Vec<f32> =
            Random(n as u64).of::<u64>(n).into_iter().map(|x| [0.0, -0.0, f32::NAN, 0.0, -0.0][(x % 5) as usize]).collect();
        same_bits!("min of zeros", n, |e| e.reduce(&x, Min), canonical(&x, true, f32::INFINITY, &oracle::min));
        same_bits!("max of zeros", n, |e| e.reduce(&x, Max), canonical(&x, true, f32::NEG_INFINITY, &oracle::max));
        let zeros: Vec<f32> = x.iter().map(|x| if x.is_nan() { -0.0 } else { *x }).collect();
        same_bits!("sum of zeros", n, |e| e.reduce(&zeros, Sum), canonical(&zeros, true, -0.0, &|a, b| a + b));
    }
}

/// Single operations in each component, so that nothing can be contracted.
#[operator(identity = (-0.0, 1.0), commutative)]
fn add_and_multiply(a: (f32, f32), b: (f32, f32)) -> (f32, f32) {
    (a.0 + b.0, a.1 * b.1)
}

/// Associative up to rounding, and not commutative: the sum, and the last element's share.
#[operator(identity = (1.0, 0.0))]
fn compose(f: (f32, f32), g: (f32, f32)) -> (f32, f32) {
    (f.0 * g.0, f.1 * g.0 + g.1)
}

/// Does not commute, and rounds once: the order of runs in its plainest form.
#[operator(identity = 0.0)]
fn ordered_sum(a: f32, b: f32) -> f32 {
    a + b
}

#[test]
fn operators_of_the_users_own() {
    for n in LENGTHS {
        let (x, y) = (rough(n, 1 + n as u64), rough(n, 2 + n as u64));
        let pairs: Vec<(f32, f32)> = x.iter().zip(&y).map(|(&x, &y)| (x, 1.0 + y * 1e-4)).collect();
        let want = canonical(&pairs, true, (-0.0, 1.0), &add_and_multiply);
        same_bits!("pairs", n, |e| e.reduce(&pairs, add_and_multiply::with()), want);
        same_bits!("a sum in order", n, |e| e.reduce(&x, ordered_sum::with()), canonical(&x, false, 0.0, &ordered_sum));
        let affine: Vec<(f32, f32)> = pairs.iter().map(|p| (p.1, p.0)).collect();
        same_bits!("functions", n, |e| e.reduce(&affine, compose::with()), canonical(&affine, false, (1.0, 0.0), &compose));
    }
}

/// What is fused into the reduction changes nothing of its order.
#[test]
fn fused_sources() {
    for n in [129, 4097, 100_003] {
        let (x, y) = (rough(n, 5), rough(n, 6));
        let products: Vec<f32> = x.iter().rev().zip(&y).map(|(x, y)| x * y).collect();
        let multiply = granule::kernel!(|x: f32, y: f32| x * y);
        let want = canonical(&products, true, -0.0, &|a, b| a + b);
        // The product is rounded before it is added: a multiplication by a sum's operand may be contracted by a GPU.
        for runner in runners().filter(|r| !r.is_gpu()) {
            let got = runner.engine.reduce(zip((&x).reverse(), &y).map(multiply), Sum).with_plan(&runner.plan).run().unwrap();
            assert!(got.same(&want, oracle::EXACT), "{n} on {}: {got}, expected {want}", runner.name);
        }
        let every: Vec<f32> = x.iter().rev().step_by(3).copied().collect();
        let want = canonical(&every, true, -0.0, &|a, b| a + b);
        same_bits!("a strided sum", n, |e| e.reduce((&x).reverse().step_by(3), Sum), want);
    }
}

/// Same values, another order, other bits: else these tests would show nothing.
#[test]
fn the_order_matters() {
    let x = rough(100_003, 1);
    let in_order = x.iter().fold(-0.0, |a: f32, b| a + b);
    let (lanes, runs) = (canonical(&x, true, -0.0, &|a, b| a + b), canonical(&x, false, -0.0, &|a, b| a + b));
    assert!(in_order != lanes && lanes != runs && runs != in_order, "{in_order} {lanes} {runs}");
    let one_more = [&x[..], &[0.0]].concat();
    assert_eq!(canonical(&one_more, true, -0.0, &|a, b| a + b), lanes, "but a zero more at the end does not");
}

/// Float scans promise less: the same bits from run to run of one plan.
#[test]
fn scans_repeat() {
    let x = rough(100_003, 3);
    for runner in runners() {
        let scan = || runner.engine.scan(&x, Sum).with_plan(&runner.plan).run().unwrap().into_vec().unwrap();
        let first = scan();
        for _ in 0..2 {
            oracle::assert_same(&runner.name, &scan(), &first, oracle::EXACT);
        }
    }
}
