//! Scatters against plain loops, on every backend.
#![allow(clippy::manual_is_multiple_of, reason = "kernels are written in the kernel language")]

mod backends;
mod oracle;

use granule::kernel;
use granule::prelude::*;

use oracle::{EXACT, FEW, LENGTHS, Random};

/// The plain meaning: one after the other.
fn scattered<T: Copy>(out: &[T], x: &[T], indices: &[u32], meet: impl Fn(T, T) -> T) -> Vec<T> {
    let mut out = out.to_vec();
    for (&x, &i) in x.iter().zip(indices) {
        if let Some(there) = out.get_mut(i as usize) {
            *there = meet(*there, x);
        }
    }
    out
}

/// Indices of which one in nine is out of range.
fn indices(n: usize, len: usize) -> Vec<u32> {
    let random: Vec<u32> = Random((n * 31 + len) as u64).of(n);
    random.iter().map(|x| if x % 9 == 0 || len == 0 { (len as u32).wrapping_add(x / 9) } else { (x / 9) % len as u32 }).collect()
}

fn last<T>(_: T, x: T) -> T {
    x
}

#[test]
fn the_last_wins_at_every_length() {
    for n in LENGTHS {
        let x: Vec<u32> = Random(n as u64).of(n);
        for len in [0, 1, 100, n, 3 * n + 70] {
            let at = indices(n, len);
            let want = scattered(&vec![0; len], &x, &at, last);
            agree!(format!("{n} to {len}"), |e| e.scatter(&x, &at, len), want);
        }
    }
}

#[test]
fn any_share_of_collisions() {
    let n = 70_001;
    let x: Vec<u32> = Random(5).of(n);
    for (name, at) in [
        ("all to one place", vec![7; n]),
        ("all out of range", vec![u32::MAX; n]),
        ("just out of range", vec![50_000; n]),
        ("in order", (0..n as u32).collect()),
        ("in reverse", (0..n as u32).rev().collect()),
        ("in turn", (0..n as u32).map(|i| i % 5).collect()),
        ("in runs", (0..n as u32).map(|i| i / 300).collect::<Vec<_>>()),
    ] {
        for len in [50_000, n] {
            let want = scattered(&vec![0; len], &x, &at, last);
            agree!(format!("{name} of {len}"), |e| e.scatter(&x, &at, len), want);
            let want = scattered(&vec![0; len], &x, &at, u32::wrapping_add);
            agree!(format!("sums, {name} of {len}"), |e| e.scatter_reduce(&x, &at, len, Sum), want);
        }
    }
}

#[kernel]
fn steps_to_one(x: u32) -> u32 {
    let mut n = x;
    let mut steps = 0_u32;
    while n > 1 && steps < 200 {
        n = if n.is_multiple_of(2) { n / 2 } else { 3 * n + 1 };
        steps += 1;
    }
    steps
}

/// Evaluated before it is placed, where there are several workers.
#[test]
fn indices_that_take_a_loop() {
    let at = oracle::map(&(0..9000).collect::<Vec<u32>>(), steps_to_one);
    let want = scattered(&[0; 300], &(0..9000).collect::<Vec<_>>(), &at, last);
    agree!("collatz", |e| e.scatter(iota(0..9000_u32), iota(0..9000_u32).map(steps_to_one::with()), 300), want);
}

#[test]
fn floats_keep_their_bits() {
    let x = [f32::NAN, -0.0, 0.0, f32::INFINITY, -f32::NAN, f32::from_bits(0x7fc0_1234), 1e-45, -1.0].repeat(700);
    let at: Vec<u32> = (0..x.len() as u32).map(|i| i * 2).collect();
    let want: Vec<_> = scattered(&vec![0.0; 9000], &x, &at, last).iter().map(|x| x.to_bits()).collect();
    for runner in backends::all() {
        let got = runner.result("floats", runner.engine.scatter(&x, &at, 9000).with_plan(&runner.plan).run());
        let Some(got) = got else { continue };
        let got: Vec<_> = got.as_slice().unwrap().iter().map(|x| x.to_bits()).collect();
        assert!(got == want, "on {}", runner.name);
    }
}

#[derive(Element, Clone, Copy, PartialEq, Debug, Default)]
struct Body {
    alive: bool,
    mass: f32,
    id: u64,
    spin: (i32, bool),
}

#[operator(identity = Body { alive: false, mass: 0.0, id: 0, spin: (0, false) })]
fn first_alive(a: Body, b: Body) -> Body {
    if a.alive { a } else { b }
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
        let at = indices(n, n / 2 + 1);
        let start = vec![Body::default(); n / 2 + 1];
        let (moved, met) = (scattered(&start, &x, &at, last), scattered(&start, &x, &at, first_alive));
        for runner in backends::all() {
            let (e, plan) = (&runner.engine, &runner.plan);
            let got = e.scatter(&x, &at, n / 2 + 1).with_plan(plan).run();
            let Some(got) = runner.result("structs", got) else { continue };
            assert!(got.as_slice().unwrap() == moved, "{n} on {}", runner.name);
            let got = e.scatter_reduce(&x, &at, n / 2 + 1, first_alive::with()).with_plan(plan).run();
            let Some(got) = runner.result("structs", got) else { continue };
            assert!(got.as_slice().unwrap() == met, "{n} combined, on {}", runner.name);
        }
    }
}

/// Atomics on a GPU, for both signs.
#[test]
fn integers_are_combined_exactly() {
    for n in FEW {
        for len in [1, 60, n + 1] {
            let (x, y): (Vec<u32>, Vec<i32>) = (Random(n as u64).of(n), Random(n as u64 + 1).of(n));
            let at = indices(n, len);
            let want = scattered(&vec![0; len], &y, &at, i32::wrapping_add);
            agree!(format!("sums of {n} in {len}"), |e| e.scatter_reduce(&y, &at, len, Sum), want);
            let want = scattered(&vec![i32::MAX; len], &y, &at, i32::min);
            agree!(format!("least of {n} in {len}"), |e| e.scatter_reduce(&y, &at, len, Min), want);
            let want = scattered(&vec![0; len], &x, &at, u32::max);
            agree!(format!("most of {n} in {len}"), |e| e.scatter_reduce(&x, &at, len, Max), want);
            let want = scattered(&vec![0; len], &x, &at, |a, b| a ^ b);
            agree!(format!("exclusive or of {n} in {len}"), |e| e.scatter_reduce(&x, &at, len, BitXor), want);
        }
    }
}

/// Sorted on a GPU.
#[test]
fn what_no_gpu_combines_in_memory() {
    for n in FEW {
        let x: Vec<i32> = Random(n as u64).of(n);
        for len in [1, 60, n + 1] {
            let at = indices(n, len);
            let want = scattered(&vec![1; len], &x, &at, i32::wrapping_mul);
            agree!(format!("products of {n} in {len}"), |e| e.scatter_reduce(&x, &at, len, Product), want);
        }
    }
}

/// To the bit on the CPU, whose order is that of the input.
#[test]
fn floats_are_combined_in_order() {
    let (n, len) = (50_000, 700);
    let x: Vec<f32> = Random(3).of::<u32>(n).iter().map(|&x| (x as f32).sqrt() - 30_000.0).collect();
    let at = indices(n, len);
    let want = scattered(&vec![-0.0; len], &x, &at, |a, b| a + b);
    for runner in backends::all() {
        let got = runner.engine.scatter_reduce(&x, &at, len, Sum).with_plan(&runner.plan).run();
        let got = runner.result("sums", got).unwrap();
        if runner.is_gpu() {
            let near = got.as_slice().unwrap().iter().zip(&want).all(|(a, b)| (a - b).abs() < 1.0);
            assert!(near, "on {}", runner.name);
        } else {
            oracle::assert_same(&runner.name, got.as_slice().unwrap(), &want, EXACT);
        }
    }
}

#[test]
fn into_memory_that_exists() {
    for n in FEW {
        let len = n / 2 + 3;
        let x: Vec<u32> = Random(n as u64).of(n);
        let (at, there): (_, Vec<u32>) = (indices(n, len), Random(9).of(len));
        let moved = scattered(&there, &x, &at, last);
        let added = scattered(&moved, &x, &at, u32::wrapping_add);
        let multiplied = scattered(&added, &x, &at, u32::wrapping_mul);
        for runner in backends::all() {
            let (e, plan, label) = (&runner.engine, &runner.plan, format!("{n} on {}", runner.name));
            let mut slice = there.clone();
            e.scatter(&x, &at, len).into(&mut slice).with_plan(plan).run().unwrap();
            oracle::assert_same(&label, &slice, &moved, EXACT);
            e.scatter_reduce(&x, &at, len, Sum).into(&mut slice).with_plan(plan).run().unwrap();
            oracle::assert_same(&label, &slice, &added, EXACT);
            let mut array = e.array(&there);
            e.scatter(&x, &at, len).into(&mut array).with_plan(plan).run().unwrap();
            e.scatter_reduce(&x, &at, len, Sum).into(&mut array).with_plan(plan).run().unwrap();
            assert_eq!(array.residency() == Residency::Gpu, runner.is_gpu(), "{label}");
            e.scatter_reduce(&x, &at, len, Product).into(&mut array).with_plan(plan).run().unwrap();
            oracle::assert_same(&label, array.as_slice().unwrap(), &multiplied, EXACT);
        }
    }
}

#[test]
fn any_source_and_a_length_that_only_the_device_knows() {
    for limit in [0, 1, 5000, 60_000_u32] {
        let n = 60_000_u32;
        let hash = |i: u32| i.wrapping_mul(2_654_435_761) % 70_000;
        let kept: Vec<u32> = (0..n).filter(|&i| i < limit).collect();
        let at: Vec<u32> = kept.iter().map(|&i| hash(i)).collect();
        let want = scattered(&vec![0; 65_000], &kept, &at, last);
        let sums = scattered(&vec![0; 65_000], &kept, &at, u32::wrapping_add);
        for runner in backends::all() {
            let (e, plan, label) = (&runner.engine, &runner.plan, format!("{limit} on {}", runner.name));
            let kept = e.filter(iota(0..n), kernel!([limit: u32] |i: u32| i < limit)).with_plan(plan).run();
            let Some(kept) = runner.result(&label, kept) else { continue };
            let at = || (&kept).map(kernel!(|i: u32| (i * 2654435761) % 70000));
            let got = e.scatter(&kept, at(), 65_000).with_plan(plan).run().unwrap();
            let added = e.scatter_reduce(&kept, at(), 65_000, Sum).with_plan(plan).run().unwrap();
            oracle::assert_same(&label, got.as_slice().unwrap(), &want, EXACT);
            oracle::assert_same(&label, added.as_slice().unwrap(), &sums, EXACT);
        }
    }
}

#[test]
fn errors() {
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        let error = e.scatter(&[1_u32, 2], &[1], 3).with_plan(plan).run().unwrap_err();
        assert!(matches!(error, Error::LengthMismatch { left: 1, right: 2 }), "{error}");
        assert_eq!(e.scatter(constant(1_u32), constant(2), 3).with_plan(plan).run().unwrap_err(), Error::Unbounded);
        let mut out = [0_u32; 2];
        let error = e.scatter(&[1_u32], &[1], 3).into(&mut out).with_plan(plan).run().unwrap_err();
        assert_eq!(error, Error::LengthMismatch { left: 3, right: 2 });
        let large = e.scatter(&[1_u32], &[1], 1 << 33).with_plan(plan).run().unwrap_err();
        assert_eq!(large, Error::TooLarge { elements: 1 << 33, limit: u32::MAX as usize });
        let mut foreign = Engine::builder().no_cache().build().unwrap().array([1_u32]);
        let error = e.scatter(&[1_u32], &[0], 1).into(&mut foreign).with_plan(plan).run().unwrap_err();
        assert_eq!(error, Error::ForeignArray);
    }
}
