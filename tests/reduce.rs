//! Reductions on every backend, against plain iterators.

mod backends;
mod operators;
mod oracle;

use granule::prelude::*;

use operators::*;
use oracle::{FEW, LENGTHS, Random, Value};

macro_rules! integers {
    ($($test:ident $t:ident $lengths:ident;)+) => {$(
        #[test]
        fn $test() {
            for n in $lengths {
                let x: Vec<$t> = Random(n as u64).of(n);
                let label = |op: &str| format!(concat!("{} of {} ", stringify!($t)), op, n);
                agree_one!(label("sum"), |e| e.reduce(&x, Sum), oracle::reduce(&x, 0, $t::wrapping_add));
                agree_one!(label("min"), |e| e.reduce(&x, Min), x.iter().copied().min().unwrap_or($t::MAX));
                agree_one!(label("max"), |e| e.reduce(&x, Max), x.iter().copied().max().unwrap_or($t::MIN));
                agree_one!(label("xor"), |e| e.reduce(&x, BitXor), oracle::reduce(&x, 0, |a, b| a ^ b));
            }
            for n in FEW {
                // Odd factors, so that the product does not vanish; many ones for `and`, few for `or`.
                let odd: Vec<$t> = oracle::map(&Random(n as u64).of::<$t>(n), |x| x | 1);
                let most: Vec<$t> = (0..n).map(|i| !(if i % 97 == 5 { 1 << (i % 31) } else { 0 })).collect();
                let few = oracle::map(&most, |x| !x);
                let label = |op: &str| format!(concat!("{} of {} ", stringify!($t)), op, n);
                agree_one!(label("product"), |e| e.reduce(&odd, Product), oracle::reduce(&odd, 1, $t::wrapping_mul));
                agree_one!(label("and"), |e| e.reduce(&most, BitAnd), oracle::reduce(&most, !0, |a, b| a & b));
                agree_one!(label("or"), |e| e.reduce(&few, BitOr), oracle::reduce(&few, 0, |a, b| a | b));
            }
            let edges = $t::edges();
            agree_one!("sum of edges", |e| e.reduce(&edges, Sum), oracle::reduce(&edges, 0, $t::wrapping_add));
        }
    )+};
}
integers! {
    u32_at_every_length u32 LENGTHS;
    i32_values i32 FEW;
    u64_values u64 FEW;
    i64_values i64 FEW;
}

macro_rules! floats {
    ($($test:ident $t:ident $lengths:ident;)+) => {$(
        #[test]
        fn $test() {
            for n in $lengths {
                let x: Vec<$t> = Random(n as u64).of(n);
                let label = |op: &str| format!(concat!("{} of {} ", stringify!($t)), op, n);
                // Whole numbers: exact in any order. The identity of an empty sum is -0.0.
                agree_one!(label("sum"), |e| e.reduce(&x, Sum), oracle::reduce(&x, -0.0, |a, b| a + b));
                let shifted = oracle::map(&x, |x| x + 100.0);
                agree_one!(label("min"), |e| e.reduce(&shifted, Min), oracle::reduce(&shifted, $t::INFINITY, $t::min));
                agree_one!(label("max"), |e| e.reduce(&shifted, Max), oracle::reduce(&shifted, $t::NEG_INFINITY, $t::max));
            }
            for n in FEW {
                // Powers of two whose product stays in range.
                let x: Vec<$t> = (0..n).map(|i| [2.0, -1.0, 0.5, 1.0, -1.0, 1.0][i % 6]).collect();
                agree_one!(format!("product of {n}"), |e| e.reduce(&x, Product), oracle::reduce(&x, 1.0, |a, b| a * b));
            }
        }
    )+};
}
floats! {
    f32_at_every_length f32 LENGTHS;
    f64_values f64 FEW;
}

#[test]
fn nan_and_infinities() {
    let nan = f32::NAN;
    for n in [1, 2, 40, 129, 5000] {
        let mut x: Vec<f32> = Random(n as u64).of(n);
        agree_one!("all NaN: min", |e| e.reduce(&vec![nan; n], Min), nan);
        agree_one!("all NaN: max", |e| e.reduce(&vec![nan; n], Max), nan);
        for (i, x) in x.iter_mut().enumerate() {
            if i % 3 != 1 {
                *x = nan;
            }
        }
        x[n - 1] = 50.0;
        agree_one!("NaN are skipped: max", |e| e.reduce(&x, Max), 50.0);
        let least = x.iter().copied().fold(f32::INFINITY, f32::min);
        agree_one!("NaN are skipped: min", |e| e.reduce((&x).map(granule::kernel!(|x: f32| x - 100.0)), Min), least - 100.0);
        x[n / 2] = f32::NEG_INFINITY;
        agree_one!("infinity: min", |e| e.reduce(&x, Min), f32::NEG_INFINITY);
        agree_one!("NaN stays in a sum", |e| e.reduce(&vec![nan; n], Sum), nan);
        agree_one!("a sum of -0 is -0", |e| e.reduce(&vec![-0.0_f32; n], Sum), -0.0);
    }
    agree_one!("infinities cancel to NaN", |e| e.reduce(&[f32::INFINITY, 1.0, f32::NEG_INFINITY], Sum), nan);
    agree_one!("overflow", |e| e.reduce(&[f32::MAX, f32::MAX], Sum), f32::INFINITY);
}

#[test]
fn truth_values() {
    for n in FEW {
        for odd in [None, Some(0), Some(n / 2), Some(n.saturating_sub(1))] {
            let all: Vec<bool> = (0..n).map(|i| odd != Some(i)).collect();
            let none = oracle::map(&all, |x| !x);
            agree_one!(format!("and of {n}, {odd:?}"), |e| e.reduce(&all, And), all.iter().all(|&x| x));
            agree_one!(format!("or of {n}, {odd:?}"), |e| e.reduce(&none, Or), none.iter().any(|&x| x));
        }
    }
}

#[test]
fn positions() {
    for n in LENGTHS {
        let mut x: Vec<f32> = Random(n as u64).of(n);
        let numbers = |e: &str| format!("{e} of {n}");
        let (low, high) = (
            |x: &[f32]| oracle::arg(x, |a, b| a < b, f32::INFINITY),
            |x: &[f32]| oracle::arg(x, |a, b| a > b, f32::NEG_INFINITY),
        );
        agree_one!(numbers("argmin with ties"), |e| e.reduce(zip(&x, iota(0..n as u32)), ArgMin), low(&x));
        agree_one!(numbers("argmax with ties"), |e| e.reduce(zip(&x, iota(0..n as u32)), ArgMax), high(&x));
        if !FEW.contains(&n) {
            continue;
        }
        for i in (0..n).step_by(2) {
            x[i] = f32::NAN;
        }
        agree_one!(numbers("argmin with NaN"), |e| e.reduce(zip(&x, iota(0..n as u32)), ArgMin), low(&x));
        agree_one!(numbers("argmax with NaN"), |e| e.reduce(zip(&x, iota(0..n as u32)), ArgMax), high(&x));
        x.fill(f32::NAN);
        agree_one!(numbers("argmax of NaN"), |e| e.reduce(zip(&x, iota(0..n as u32)), ArgMax), high(&x));
        x.fill(f32::INFINITY);
        agree_one!(numbers("argmin of infinities"), |e| e.reduce(zip(&x, iota(0..n as u32)), ArgMin), low(&x));
        let y: Vec<i64> = (0..n as i64).map(|i| (i * 7919 % 1001) - 500).collect();
        let best = y.iter().copied().zip(0_u64..).min_by_key(|&(y, _)| y).unwrap_or((i64::MAX, u64::MAX));
        agree_one!(numbers("argmin of i64"), |e| e.reduce(zip(&y, iota(0..n as u64)), ArgMin), best);
    }
}

#[test]
fn operators_of_the_users_own() {
    for n in LENGTHS {
        let r = Random(n as u64).of::<u32>(4 * n);
        let x: Vec<Matrix> = r.chunks(4).map(|r| Matrix { a: r[0], b: r[1], c: r[2], d: r[3] }).collect();
        agree_one!(format!("{n} matrices"), |e| e.reduce(&x, matrix_product::with()), oracle::reduce(&x, ONE, matrix_product));
        let small = oracle::map(&r[..n], |x| x % 1000);
        let sum = small.iter().sum::<u32>() % 1009;
        agree_one!(format!("sum of {n} modulo"), |e| e.reduce(&small, add_modulo::with(1009)), sum);
        if FEW.contains(&n) {
            let f: Vec<(u32, u32)> = r.chunks(4).map(|r| (r[0], r[1])).collect();
            agree_one!(format!("{n} functions"), |e| e.reduce(&f, compose::with()), oracle::reduce(&f, (1, 0), compose));
            let set: Vec<(bool, i32)> = (0..n as i32).map(|i| if i % 50 == 7 { (true, i) } else { (false, 0) }).collect();
            let last = set.iter().copied().rfind(|x| x.0).unwrap_or((false, 0));
            agree_one!(format!("latest of {n}"), |e| e.reduce(&set, latest::with()), last);
        }
    }
}

#[test]
fn several_at_once() {
    for n in FEW {
        let (x, y): (Vec<f32>, Vec<i32>) = (Random(1).of(n), Random(2).of(n));
        let want = (
            oracle::reduce(&x, -0.0, |a, b| a + b),
            y.iter().copied().min().unwrap_or(i32::MAX),
            y.iter().copied().max().unwrap_or(i32::MIN),
            oracle::reduce(&x, f32::NEG_INFINITY, |a, b| if b > a { b } else { a }),
        );
        agree_one!(format!("four of {n}"), |e| e.reduce(zip4(&x, &y, &y, &x), (Sum, Min, Max, Max)), want);
        // One that does not commute makes the whole keep its order.
        let f: Vec<(u32, u32)> = Random(3).of::<u32>(n).into_iter().zip(Random(4).of::<u32>(n)).collect();
        let want = (oracle::reduce(&f, (1, 0), compose), oracle::reduce(&y, 0, i32::wrapping_add));
        agree_one!(format!("order of {n}"), |e| e.reduce(zip(&f, &y), (compose::with(), Sum)), want);
    }
}

/// Rounding: `|sum - exact| <= depth * eps * sum of |x|`, where the canonical order's depth is 31 + 7 a round (Higham 2002, 4.2).
#[test]
fn sums_are_within_their_bound() {
    for n in [5, 1000, 4097, 100_003, 300_007] {
        let x = oracle::map(&Random(n as u64).of::<u32>(n), |x| (x as f32 / 4e9 - 0.4) * 1000.0);
        let exact: f64 = x.iter().map(|&x| f64::from(x)).sum();
        let size: f64 = x.iter().map(|&x| f64::from(x).abs()).sum();
        for runner in backends::all() {
            let got = runner.engine.reduce(&x, Sum).with_plan(&runner.plan).run().unwrap();
            let bound = 2.0 * 38.0 * f64::from(f32::EPSILON) / 2.0 * size;
            assert!((f64::from(got) - exact).abs() <= bound, "{}: {got} of {n}, exact {exact}", runner.name);
            let unordered = runner.engine.reduce(&x, Sum).unordered().with_plan(&runner.plan).run().unwrap();
            let bound = f64::from(f32::EPSILON) / 2.0 * size * n as f64;
            assert!((f64::from(unordered) - exact).abs() <= bound, "{}: unordered {unordered} of {n}", runner.name);
        }
    }
}

#[test]
fn unordered_is_right_where_the_order_does_not_matter() {
    for n in [0, 1, 129, 4097, 100_003] {
        let x: Vec<u32> = Random(n as u64).of(n);
        agree_one!(format!("sum of {n}"), |e| e.reduce(&x, Sum).unordered(), oracle::reduce(&x, 0, u32::wrapping_add));
        let f: Vec<(u32, u32)> = x.iter().map(|&x| (x, x ^ 0x5555)).collect();
        agree_one!(
            format!("functions of {n}"),
            |e| e.reduce(&f, compose::with()).unordered(),
            oracle::reduce(&f, (1, 0), compose)
        );
    }
}
