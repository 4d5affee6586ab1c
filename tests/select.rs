//! Selection against std's iterators, on every backend; and arrays whose length only a GPU knows, passed on.
#![allow(clippy::manual_is_multiple_of, reason = "kernels are written in the kernel language")]

mod backends;
mod oracle;

use granule::kernel;
use granule::prelude::*;

use oracle::{EXACT, FEW, LENGTHS, Random};

/// What a filter keeps.
fn kept<T: Copy>(x: &[T], keep: impl Fn(T) -> bool) -> Vec<T> {
    x.iter().copied().filter(|&x| keep(x)).collect()
}

#[test]
fn filters_at_every_length() {
    for n in LENGTHS {
        let x: Vec<u32> = Random(n as u64).of(n);
        // None, few, half, most, all.
        for limit in [0, 1 << 27, 1 << 31, u32::MAX - (1 << 27), u32::MAX] {
            let want = kept(&x, |x| x < limit);
            agree!(format!("below {limit} of {n}"), |e| e.filter(&x, kernel!([limit: u32] |x: u32| x < limit)), want);
        }
    }
}

#[test]
fn runs_and_edges() {
    for n in [4096, 4097, 8192, 40_000] {
        for (name, keep) in [
            ("the first half", Box::new(move |i: u32| i < n / 2) as Box<dyn Fn(u32) -> bool>),
            ("the last", Box::new(move |i| i == n - 1)),
            ("the first of each tile", Box::new(|i| i.is_multiple_of(4096))),
            ("all but every 37th", Box::new(|i| !i.is_multiple_of(37))),
        ] {
            let flags: Vec<bool> = (0..n).map(&keep).collect();
            let want = kept(&(0..n).collect::<Vec<_>>(), &keep);
            agree!(format!("{name} of {n}"), |e| e.filter_flagged(iota(0..n), &flags), want);
        }
    }
}

macro_rules! types {
    ($($test:ident $t:ident)+) => {$(
        #[test]
        fn $test() {
            for n in FEW {
                let x: Vec<$t> = Random(n as u64).of(n);
                let middle = x.get(n / 2).copied().unwrap_or_default();
                let want = kept(&x, |x| x < middle);
                agree!(format!("{} of {n}", stringify!($t)), |e| e.filter(&x, kernel!([middle: $t] |x: $t| x < middle)), want);
            }
        }
    )+};
}
types! { f32_values f32 f64_values f64 i32_values i32 u32_values u32 i64_values i64 u64_values u64 }

#[test]
fn floats_keep_their_bits() {
    let x = [f32::NAN, -0.0, 0.0, f32::INFINITY, -f32::NAN, f32::from_bits(0x7fc0_1234), 1e-45, -1.0].repeat(700);
    let want: Vec<_> = x.iter().filter(|x| x.is_nan() || **x == 0.0).map(|x| x.to_bits()).collect();
    for runner in backends::all() {
        let got = runner
            .result("floats", runner.engine.filter(&x, kernel!(|x: f32| x.is_nan() || x == 0.0)).with_plan(&runner.plan).run());
        let Some(got) = got else { continue };
        let got: Vec<_> = got.as_slice().unwrap().iter().map(|x| x.to_bits()).collect();
        assert!(got == want, "on {}", runner.name);
    }
}

#[derive(Element, Clone, Copy, PartialEq, Debug)]
struct Body {
    alive: bool,
    mass: f32,
    id: u64,
    spin: (i32, bool),
}

#[test]
fn structs_stay_whole() {
    for n in FEW {
        let x: Vec<Body> = (0..n as u32)
            .map(|i| Body {
                alive: i % 3 == 0,
                mass: i as f32 * 0.5,
                id: u64::from(i) << 35 | 7,
                spin: (-(i as i32), i % 5 == 0),
            })
            .collect();
        let want = kept(&x, |b| b.alive || b.spin.1);
        for runner in backends::all() {
            let task = runner.engine.filter(&x, kernel!(|b: Body| b.alive || b.spin.1)).with_plan(&runner.plan);
            let Some(got) = runner.result("structs", task.run()) else { continue };
            assert!(got.as_slice().unwrap() == want, "{n} on {}", runner.name);
        }
    }
}

/// A kernel with a loop: two vectors in flight.
#[kernel]
fn collatz_is_short(x: u32) -> bool {
    let mut n = x % 1000 + 1;
    let mut steps = 0_u32;
    while n != 1 && steps < 60 {
        n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
        steps += 1;
    }
    steps < 40
}

#[test]
fn loops_in_the_kernel() {
    for n in FEW {
        let x: Vec<u32> = Random(n as u64).of(n);
        agree!(format!("collatz of {n}"), |e| e.filter(&x, collatz_is_short::with()), kept(&x, collatz_is_short));
    }
}

#[test]
fn partitions_at_every_length() {
    for n in LENGTHS {
        let x: Vec<i32> = Random(n as u64).of(n);
        for (low, high) in [(i32::MIN, i32::MAX), (-(1 << 30), 1 << 30), (0, 0), (i32::MAX, i32::MAX)] {
            let wants = [kept(&x, |x| x < low), kept(&x, |x| x >= low && x < high), kept(&x, |x| x >= high)];
            let rest = kept(&x, |x| x >= low);
            for runner in backends::all() {
                let (e, label) = (&runner.engine, format!("{n}, {low}..{high}, on {}", runner.name));
                let less = kernel!([low: i32] |x: i32| x < low);
                let Some([yes, no]) = runner.result(&label, e.partition(&x, less).with_plan(&runner.plan).run()) else {
                    continue;
                };
                oracle::assert_same(&label, yes.as_slice().unwrap(), &wants[0], EXACT);
                oracle::assert_same(&label, no.as_slice().unwrap(), &rest, EXACT);
                let between = kernel!([high: i32] |x: i32| x < high);
                let parts = e.partition3(&x, less, between).with_plan(&runner.plan).run();
                let Some(parts) = runner.result(&label, parts) else { continue };
                for (k, (part, want)) in parts.iter().zip(&wants).enumerate() {
                    oracle::assert_same(format!("{label}, part {k}"), part.as_slice().unwrap(), want, EXACT);
                }
            }
        }
    }
}

#[test]
fn a_length_that_only_the_device_knows_is_passed_on() {
    for n in [1, 100, 4096, 5000, 40_000, 300_000_u32] {
        for limit in [0, n / 3, n] {
            let want: Vec<u32> = (0..n).map(|i| i.wrapping_mul(2_654_435_761) % n).filter(|&x| x < limit).collect();
            for runner in backends::all() {
                let (e, plan) = (&runner.engine, &runner.plan);
                let label = format!("{limit} of {n} on {}", runner.name);
                let source = iota(0..n).map(kernel!([n: u32] |i: u32| (i * 2_654_435_761) % n));
                let run = || -> granule::Result<_> {
                    let some = e.filter(source, kernel!([limit: u32] |x: u32| x < limit)).with_plan(plan).run()?;
                    assert!(some.bound() <= n as usize, "{label}");
                    let doubled = e.map(&some, kernel!(|x: u32| 2 * x)).with_plan(plan).run()?;
                    let sums = e.scan(zip(&some, constant(1_u32)).map(kernel!(|x: u32, one: u32| x + one)), Sum);
                    let sums = sums.exclusive().with_plan(plan).run()?;
                    let both = zip(&some, &doubled);
                    let checked =
                        e.reduce(both.map(kernel!(|x: u32, y: u32| (y == 2 * x, x))), (And, Sum)).with_plan(plan).run()?;
                    let even = e.filter(&doubled, kernel!(|x: u32| x % 4 == 0)).with_plan(plan).run()?;
                    let most = e.reduce(&even, Max).with_plan(plan).run()?;
                    // Until here nobody has asked how many there are. A gather needs to know, and so does whoever reverses.
                    let reversed = e.collect((&some).reverse()).with_plan(plan).run()?;
                    Ok((some, doubled, sums, checked, even, most, reversed))
                };
                let Some((some, doubled, sums, checked, even, most, reversed)) = runner.result(&label, run()) else { continue };
                let sum = want.iter().fold(0_u32, |a, &b| a.wrapping_add(b));
                assert_eq!(checked, (true, sum), "{label}");
                assert_eq!(some.len().unwrap(), want.len(), "{label}");
                oracle::assert_same(&label, some.as_slice().unwrap(), &want, EXACT);
                let twice = oracle::map(&want, |x| 2 * x);
                oracle::assert_same(&label, doubled.as_slice().unwrap(), &twice, EXACT);
                assert_eq!(doubled.len().unwrap(), want.len(), "{label}");
                let plus = oracle::map(&want, |x| x + 1);
                oracle::assert_same(
                    &label,
                    sums.as_slice().unwrap(),
                    &oracle::exclusive(&plus, None, 0, u32::wrapping_add),
                    EXACT,
                );
                oracle::assert_same(&label, even.as_slice().unwrap(), &kept(&twice, |x| x % 4 == 0), EXACT);
                assert_eq!(most, twice.iter().copied().filter(|x| x % 4 == 0).max().unwrap_or(0), "{label}");
                let back: Vec<_> = want.iter().rev().copied().collect();
                oracle::assert_same(&label, reversed.as_slice().unwrap(), &back, EXACT);
            }
        }
    }
}

#[test]
fn a_counted_array_goes_to_another_backend_and_into_memory_that_exists() {
    let x: Vec<u32> = Random(9).of(50_000);
    let want = kept(&x, |x| x % 3 == 0);
    for runner in backends::all() {
        let some = runner.engine.filter(&x, kernel!(|x: u32| x % 3 == 0)).with_plan(&runner.plan).run();
        let Some(some) = runner.result("counted", some) else { continue };
        let sum = runner.engine.reduce(&some, Sum).on(Backend::Simd).run().unwrap();
        assert_eq!(sum, want.iter().fold(0, |a: u32, &b| a.wrapping_add(b)), "{}", runner.name);
        let some = runner.engine.filter(&x, kernel!(|x: u32| x % 3 == 0)).with_plan(&runner.plan).run().unwrap();
        let mut out = vec![0; want.len()];
        runner.engine.collect(&some).into(&mut out).with_plan(&runner.plan).run().unwrap();
        oracle::assert_same(&runner.name, &out, &want, EXACT);
        let some = runner.engine.filter(&x, kernel!(|x: u32| x % 3 == 0)).with_plan(&runner.plan).run().unwrap();
        let mut short = vec![0; want.len() - 1];
        let error = runner.engine.collect(&some).into(&mut short).with_plan(&runner.plan).run().unwrap_err();
        assert_eq!(error, Error::LengthMismatch { left: want.len(), right: want.len() - 1 }, "{}", runner.name);
        let other = runner.engine.filter(&x, kernel!(|x: u32| x % 3 == 1)).with_plan(&runner.plan).run().unwrap();
        let some = runner.engine.filter(&x, kernel!(|x: u32| x % 3 == 0)).with_plan(&runner.plan).run().unwrap();
        let mismatch = runner.engine.collect(zip(&some, &other)).with_plan(&runner.plan).run();
        assert!(matches!(mismatch, Err(Error::LengthMismatch { .. })), "{}", runner.name);
    }
}

#[test]
fn a_kernel_that_reads_a_counted_array_at_random_sees_its_end() {
    #[kernel]
    fn last(_i: u32, data: &[u32]) -> u32 {
        data[data.len() + 10]
    }
    let want = 29_997;
    for runner in backends::all() {
        let some = runner.engine.filter(iota(0..30_000_u32), kernel!(|x: u32| x % 3 == 0)).with_plan(&runner.plan).run();
        let Some(some) = runner.result("random", some) else { continue };
        let got = runner.engine.map(&some, last::with(&some)).with_plan(&runner.plan).run().unwrap();
        assert_eq!((got.as_slice().unwrap().len(), got.as_slice().unwrap()[5_000]), (10_000, want), "{}", runner.name);
    }
}

#[test]
fn into_memory_that_exists() {
    for n in FEW {
        let x: Vec<u32> = Random(n as u64).of(n);
        let want = kept(&x, |x| x % 3 == 0);
        for runner in backends::all() {
            let mut out = vec![7; n + 5];
            let task = runner.engine.filter(&x, kernel!(|x: u32| x % 3 == 0)).into(&mut out).with_plan(&runner.plan);
            let Some(count) = runner.result("into", task.run()) else { continue };
            assert_eq!(count, want.len(), "{n} on {}", runner.name);
            oracle::assert_same(&runner.name, &out[..count], &want, EXACT);
            assert_eq!(out[n..], [7; 5], "{n} on {}", runner.name);
            if n > 0 {
                let short =
                    runner.engine.filter(&x, kernel!(|x: u32| x % 3 == 0)).into(&mut out[..n - 1]).with_plan(&runner.plan);
                assert_eq!(short.run(), Err(Error::LengthMismatch { left: n, right: n - 1 }), "{}", runner.name);
            }
        }
    }
}

#[test]
fn bad_input() {
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        let error = e.filter_flagged(&[1_u32, 2], &[true]).with_plan(plan).run().unwrap_err();
        assert_eq!(error, Error::LengthMismatch { left: 2, right: 1 });
        let error = e.filter(constant(1_u32), kernel!(|x: u32| x > 0)).with_plan(plan).run().unwrap_err();
        assert_eq!(error, Error::Unbounded);
    }
}
