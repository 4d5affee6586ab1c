//! Scans: inclusive and exclusive, with and without an initial value; on every backend, against plain iterators.

mod backends;
mod operators;
mod oracle;

use granule::prelude::*;

use operators::*;
use oracle::{FEW, LENGTHS, Random};

/// All four forms of a scan.
macro_rules! four {
    ($what:expr, $x:expr, $op:expr, $identity:expr, $init:expr, $f:expr) => {{
        let (x, init) = (&$x, $init);
        let label = |form: &str| format!("{} of {}, {form}", $what, x.len());
        agree!(label("inclusive"), |e| e.scan(x, $op), oracle::inclusive(x, None, $f));
        agree!(label("exclusive"), |e| e.scan(x, $op).exclusive(), oracle::exclusive(x, None, $identity, $f));
        agree!(label("inclusive with init"), |e| e.scan(x, $op).init(init), oracle::inclusive(x, Some(init), $f));
        agree!(
            label("exclusive with init"),
            |e| e.scan(x, $op).exclusive().init(init),
            oracle::exclusive(x, Some(init), $identity, $f)
        );
    }};
}

#[test]
fn sums_at_every_length() {
    for n in LENGTHS {
        let x: Vec<u32> = Random(n as u64).of(n);
        four!("sum", x, Sum, 0, 12_345, u32::wrapping_add);
    }
}

#[test]
fn matrices_at_every_length() {
    for n in LENGTHS {
        let r = Random(n as u64).of::<u32>(4 * n);
        let x: Vec<Matrix> = r.chunks(4).map(|r| Matrix { a: r[0], b: r[1], c: r[2], d: r[3] }).collect();
        four!("matrix product", x, matrix_product::with(), ONE, Matrix { a: 2, b: 3, c: 5, d: 7 }, matrix_product);
    }
}

macro_rules! integers {
    ($($test:ident $t:ident)+) => {$(
        #[test]
        fn $test() {
            for n in FEW {
                let x: Vec<$t> = Random(n as u64).of(n);
                four!(concat!(stringify!($t), " sum"), x, Sum, 0, 7, $t::wrapping_add);
                four!(concat!(stringify!($t), " min"), x, Min, $t::MAX, $t::MAX / 4, |a: $t, b: $t| a.min(b));
                four!(concat!(stringify!($t), " max"), x, Max, $t::MIN, $t::MAX / 4, |a: $t, b: $t| a.max(b));
                four!(concat!(stringify!($t), " xor"), x, BitXor, 0, 99, |a, b| a ^ b);
            }
        }
    )+};
}
integers! { i32_values i32 i64_values i64 u64_values u64 }

#[test]
fn u32_operators() {
    for n in FEW {
        let odd: Vec<u32> = oracle::map(&Random(n as u64).of::<u32>(n), |x| x | 1);
        four!("product", odd, Product, 1, 3, u32::wrapping_mul);
        let most: Vec<u32> = (0..n).map(|i| !(if i % 397 == 5 { 1 << (i % 31) } else { 0 })).collect();
        four!("and", most, BitAnd, !0, !0x100, |a, b| a & b);
        let few = oracle::map(&most, |x| !x);
        four!("or", few, BitOr, 0, 0x100, |a, b| a | b);
    }
}

/// Whole numbers, whose sums are exact in any order.
#[test]
fn floats() {
    for n in FEW {
        let (x, y): (Vec<f32>, Vec<f64>) = (Random(n as u64).of(n), Random(n as u64 + 1).of(n));
        four!("f32 sum", x, Sum, -0.0, 2.5, |a: f32, b: f32| a + b);
        four!("f64 sum", y, Sum, -0.0, 2.5, |a: f64, b: f64| a + b);
        let shifted: Vec<f32> = x.iter().zip(0..n).map(|(x, i)| if i % 5 == 0 { f32::NAN } else { x + 100.0 }).collect();
        four!("f32 max", shifted, Max, f32::NEG_INFINITY, 99.0, f32::max);
        four!("f32 min", shifted, Min, f32::INFINITY, f32::NAN, f32::min);
    }
}

#[test]
fn truth_values() {
    for n in FEW {
        let x: Vec<bool> = (0..n).map(|i| i != 2 * n / 3).collect();
        four!("and", x, And, true, true, |a, b| a && b);
        let y = oracle::map(&x, |x| !x);
        four!("or", y, Or, false, false, |a, b| a || b);
    }
}

#[test]
fn pairs() {
    for n in FEW {
        let r = Random(n as u64).of::<u32>(n);
        let f: Vec<(u32, u32)> = r.iter().map(|&x| (x, !x)).collect();
        four!("functions", f, compose::with(), (1, 0), (3, 4), compose);
        four!("sum and max", f, (Sum, Max), (0, 0), (3, 4), |a: (u32, u32), b: (u32, u32)| (a.0.wrapping_add(b.0), a.1.max(b.1)));
        let set: Vec<(bool, i32)> = (0..n as i32).map(|i| if i % 50 == 7 { (true, i) } else { (false, 0) }).collect();
        four!("latest", set, latest::with(), (false, 0), (true, -1), latest);
        let small = oracle::map(&r, |x| x % 1000);
        four!("sum modulo", small, add_modulo::with(1009), 0, 500, |a, b| (a + b) % 1009);
        let x: Vec<(f32, u32)> = Random(7).of::<f32>(n).into_iter().zip(0..).collect();
        let first_max = |a: (f32, u32), b: (f32, u32)| if b.0 > a.0 { b } else { a };
        four!("running argmax", x, ArgMax, (f32::NEG_INFINITY, u32::MAX), (2.0, 0), first_max);
    }
}

#[test]
fn sources_are_fused() {
    let x: Vec<u32> = Random(1).of(70_001);
    let want = oracle::inclusive(&x.iter().rev().map(|x| x % 10).collect::<Vec<_>>(), None, |a, b| a + b);
    agree!("scan of a map of a reverse", |e| e.scan((&x).reverse().map(granule::kernel!(|x: u32| x % 10)), Sum), want);
    agree!(
        "scan of iota",
        |e| e.scan(iota(0..50_000_u32), Sum),
        (0..50_000_u32).map(|i| i.wrapping_mul(i + 1) / 2).collect::<Vec<_>>()
    );
}

/// Rounding: each prefix sum is within `(i - 1) * eps * sum of |x|` of the exact one, in whatever order it was added.
#[test]
fn prefixes_are_within_their_bound() {
    for n in [1000, 4097, 100_003] {
        let x = oracle::map(&Random(n as u64).of::<u32>(n), |x| (x as f32 / 4e9 - 0.4) * 1000.0);
        for runner in backends::all() {
            let got = runner.engine.scan(&x, Sum).with_plan(&runner.plan).run().unwrap().into_vec().unwrap();
            let (mut exact, mut size) = (0.0_f64, 0.0_f64);
            for (i, (&x, &got)) in x.iter().zip(&got).enumerate() {
                exact += f64::from(x);
                size += f64::from(x).abs();
                // No order that is used is deeper than a link's vectors (a thousandth of the elements at most) and the links.
                let bound = f64::from(f32::EPSILON) / 2.0 * size * (i as f64).min(32_768.0);
                assert!((f64::from(got) - exact).abs() <= bound, "{}: prefix {i} of {n} is {got}, exact {exact}", runner.name);
            }
        }
    }
}

/// Where results go: a slice, a vector, an array; and in what lengths.
#[test]
fn results_into_memory_that_exists() {
    let x: Vec<u32> = Random(3).of(40_000);
    let want = oracle::inclusive(&x, None, u32::wrapping_add);
    for runner in backends::all() {
        let e = &runner.engine;
        let mut vec = vec![0; x.len()];
        e.scan(&x, Sum).into(&mut vec).with_plan(&runner.plan).run().unwrap();
        oracle::assert_same(&runner.name, &vec, &want, oracle::EXACT);
        let mut array = e.array(&vec[..]);
        e.scan(&x, Sum).exclusive().init(1).into(&mut array).with_plan(&runner.plan).run().unwrap();
        let shifted = oracle::exclusive(&x, Some(1), 0, u32::wrapping_add);
        oracle::assert_same(&runner.name, array.as_slice().unwrap(), &shifted, oracle::EXACT);
        let short = e.scan(&x, Sum).into(&mut vec[1..]).with_plan(&runner.plan).run();
        assert_eq!(short, Err(Error::LengthMismatch { left: 40_000, right: 39_999 }), "{}", runner.name);
    }
}
