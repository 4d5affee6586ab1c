//! Maps: kernels over one and several inputs, structs, slices, branches and loops; on every backend, against plain iterators.
#![allow(clippy::needless_range_loop, clippy::manual_is_multiple_of, reason = "kernels are written in the kernel language")]

mod backends;
mod oracle;

use granule::kernel;
use granule::prelude::*;

use oracle::{FEW, LENGTHS, Precision, Random, Same};

#[kernel]
fn saxpy(x: f32, y: f32, #[uniform] a: f32) -> f32 {
    a * x + y
}

#[kernel]
fn mix(x: u32) -> u32 {
    let mut x = x ^ (x >> 16);
    x = x.wrapping_mul(0x7FEB_352D);
    x ^= x >> 15;
    x.wrapping_mul(0x846C_A68B) ^ (x << 3)
}

#[kernel]
fn grade(x: f32) -> i32 {
    if x < 0.0 {
        return -1;
    }
    if x > 5.0 { 2 } else { x as i32 }
}

#[kernel]
fn collatz(start: u32) -> u32 {
    let mut n = start.max(1);
    let mut steps = 0;
    while n != 1 && steps < 300 {
        n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
        steps += 1;
    }
    steps
}

#[kernel]
fn first_above(x: f32, table: &[f32]) -> u32 {
    for i in 0..table.len() {
        if table[i] > x {
            return i as u32;
        }
    }
    table.len() as u32
}

#[kernel]
fn lookup(i: u32, table: &[i32], #[uniform] shift: u32) -> i32 {
    table[(i.wrapping_mul(7) + shift) as usize % table.len()]
}

#[derive(Clone, Copy, Debug, PartialEq, Element)]
struct Body {
    at: (f32, f32),
    id: u32,
    alive: bool,
}

impl Same for Body {
    fn same(&self, o: &Self, p: Precision) -> bool {
        self.at.same(&o.at, p) && self.id == o.id && self.alive == o.alive
    }
}

#[kernel]
fn fall(b: Body, v: f32, #[uniform] floor: f32) -> Body {
    let mut next = Body { at: (b.at.0, b.at.1 + v), ..b };
    if next.at.1 < floor {
        next.at.1 = floor;
        next.alive = false;
        next.id += 1;
    }
    next
}

#[kernel]
fn nearest(x: f32, bodies: &[Body]) -> u32 {
    let mut best = u32::MAX;
    let mut least = f32::INFINITY;
    for j in 0..bodies.len() {
        let b = bodies[j];
        if !b.alive {
            continue;
        }
        let d = (b.at.0 - x).abs();
        if d < least {
            least = d;
            best = b.id;
        }
    }
    best
}

#[test]
fn at_every_length() {
    for n in LENGTHS {
        let (x, y): (Vec<f32>, Vec<f32>) = (Random(n as u64).of(n), Random(n as u64 + 1).of(n));
        let want: Vec<f32> = x.iter().zip(&y).map(|(&x, &y)| 2.5 * x + y).collect();
        agree!(format!("saxpy of {n}"), |e| e.map(zip(&x, &y), saxpy::with(2.5)), want);
        let u: Vec<u32> = Random(n as u64).of(n);
        agree!(format!("mix of {n}"), |e| e.map(&u, mix::with()), oracle::map(&u, mix));
    }
}

#[test]
fn single_operations_are_exact() {
    let (a, b) = oracle::pairs::<f32>();
    macro_rules! operations {
        ($($name:literal: |$x:ident, $y:ident| $kernel:expr => $plain:expr;)+) => {$(
            let want: Vec<_> = a.iter().zip(&b).map(|(&$x, &$y)| $plain).collect();
            agree!($name, |e| e.map(zip(&a, &b), kernel!(|$x: f32, $y: f32| $kernel)), want);
        )+};
    }
    operations! {
        "add": |x, y| x + y => x + y;
        "sub": |x, y| x - y => x - y;
        "mul": |x, y| x * y => x * y;
        "div": |x, y| x / y => x / y;
        "sqrt": |x, y| (x.sqrt(), y.sqrt()) => (x.sqrt(), y.sqrt());
        "compare": |x, y| ((x < y, x <= y), (x > y, x >= y), (x == y, x != y)) => ((x < y, x <= y), (x > y, x >= y), (x == y, x != y));
    }
}

#[test]
fn branches_loops_and_slices() {
    for n in FEW {
        let x: Vec<f32> = Random(n as u64).of(n);
        agree!(format!("early return of {n}"), |e| e.map(&x, grade::with()), oracle::map(&x, grade));
        let u: Vec<u32> = (0..n as u32).map(|i| i * 37 % 1000).collect();
        agree!(format!("collatz of {n}"), |e| e.map(&u, collatz::with()), oracle::map(&u, collatz));
        let table = [-6.5, -2.0, 0.0, 3.5, 6.0];
        agree!(
            format!("uniform loop over {n}"),
            |e| e.map(&x, first_above::with(&table)),
            oracle::map(&x, |x| first_above(x, &table))
        );
        let t: Vec<i32> = Random(9).of(101);
        agree!(format!("lookup of {n}"), |e| e.map(&u, lookup::with(&t, 5)), oracle::map(&u, |i| lookup(i, &t, 5)));
        // A table that is an array, which may live on the device.
        for runner in backends::all() {
            let array = runner.engine.array(&t);
            let got = runner.engine.map(&u, lookup::with(&array, 8)).with_plan(&runner.plan).run().unwrap();
            oracle::assert_same(&runner.name, got.as_slice().unwrap(), &oracle::map(&u, |i| lookup(i, &t, 8)), oracle::EXACT);
        }
    }
}

#[test]
fn structs() {
    for n in FEW {
        let (x, y): (Vec<f32>, Vec<f32>) = (Random(n as u64).of(n), Random(5).of(n));
        let bodies: Vec<Body> = (0..n).map(|i| Body { at: (x[i], i as f32), id: i as u32, alive: i % 3 != 0 }).collect();
        let want: Vec<Body> = bodies.iter().zip(&y).map(|(&b, &v)| fall(b, v, 3.0)).collect();
        agree!(format!("{n} structs in and out"), |e| e.map(zip(&bodies, &y), fall::with(3.0)), want);
        let few = &bodies[..n.min(20)];
        agree!(format!("structs in a slice, {n}"), |e| e.map(&x, nearest::with(few)), oracle::map(&x, |x| nearest(x, few)));
        agree!(
            format!("{n} structs copied"),
            |e| e.collect((&bodies).reverse()),
            bodies.iter().rev().copied().collect::<Vec<_>>()
        );
    }
}

#[test]
fn every_type_goes_in_and_out() {
    macro_rules! types {
        ($($t:ident)+) => {$(
            for n in FEW {
                let x: Vec<$t> = Random(n as u64).of(n);
                agree!(format!(concat!("copy of {} ", stringify!($t)), n), |e| e.collect(&x), x);
                let want: Vec<($t, bool)> = x.iter().map(|&x| (x, x > 3 as $t)).collect();
                let above = kernel!(|x: $t| (x, x > 3 as $t));
                agree!(format!(concat!("pair of {} ", stringify!($t)), n), |e| e.map(&x, above), want);
            }
        )+};
    }
    types! { f32 i32 u32 f64 i64 u64 }
    let x: Vec<bool> = (0..1001).map(|i| i % 7 < 3).collect();
    agree!("not", |e| e.map(&x, kernel!(|x: bool| !x)), oracle::map(&x, |x| !x));
    let mixed: Vec<(bool, f64, u32)> = (0..1001).map(|i| (i % 2 == 0, f64::from(i) * 0.5, i)).collect();
    let want: Vec<(u32, bool, f64)> = mixed.iter().map(|&(b, x, i)| (i, b, x)).collect();
    agree!("mixed sizes", |e| e.map(&mixed, kernel!(|b: bool, x: f64, i: u32| (i, b, x))), want);
}

/// Several operations of a kernel may be fused or approximated by a GPU: a bound instead of bits. CPU levels differ in the last
/// places of their transcendentals.
#[test]
fn transcendentals_are_near() {
    let x: Vec<f32> = (1..2000).map(|i| i as f32 * 0.01 - 10.0).collect();
    macro_rules! near {
        ($($name:ident $domain:expr;)+) => {$(
            let inputs: Vec<f32> = x.iter().copied().filter($domain).collect();
            for runner in backends::all() {
                let got = runner.engine.map(&inputs, kernel!(|x: f32| x.$name())).with_plan(&runner.plan).run().unwrap();
                for (&x, &got) in inputs.iter().zip(got.as_slice().unwrap()) {
                    let exact = f64::from(x).$name();
                    // Vulkan allows 2^-11 absolute for sine and cosine, and a few units in the last place elsewhere.
                    let bound = if runner.is_gpu() { 1e-3_f64.max(exact.abs() * 1e-4) } else { 1e-6_f64.max(exact.abs() * 1e-6) };
                    assert!((f64::from(got) - exact).abs() <= bound, "{}({x}) on {}: {got}", stringify!($name), runner.name);
                }
            }
        )+};
    }
    near! {
        exp |_| true;
        exp2 |_| true;
        ln |x| *x > 0.0;
        log2 |x| *x > 0.0;
        log10 |x| *x > 0.0;
        sin |_| true;
        cos |_| true;
        tan |x| x.cos().abs() > 0.1;
        tanh |_| true;
        atan |_| true;
    }
}

#[test]
fn results_into_memory_that_exists() {
    let x: Vec<u32> = Random(3).of(70_001);
    let want = oracle::map(&x, mix);
    for runner in backends::all() {
        let e = &runner.engine;
        let mut vec = vec![0; x.len()];
        e.map(&x, mix::with()).into(&mut vec[..]).with_plan(&runner.plan).run().unwrap();
        oracle::assert_same(&runner.name, &vec, &want, oracle::EXACT);
        let mut array = e.array(&x);
        e.map(&x, mix::with()).into(&mut array).with_plan(&runner.plan).run().unwrap();
        oracle::assert_same(&runner.name, array.as_slice().unwrap(), &want, oracle::EXACT);
        // A chain of arrays, of which only the last is read.
        let once = e.map(&x, mix::with()).with_plan(&runner.plan).run().unwrap();
        let twice = e.map(&once, mix::with()).with_plan(&runner.plan).run().unwrap();
        oracle::assert_same(&runner.name, twice.as_slice().unwrap(), &oracle::map(&want, mix), oracle::EXACT);
    }
}
