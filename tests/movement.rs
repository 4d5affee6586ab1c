//! Transposes, rotations, interleaving, replication and permutations against plain loops, on every backend.
#![allow(clippy::manual_is_multiple_of, reason = "kernels are written in the kernel language")]

mod backends;
mod oracle;

use granule::grid::Grid;
use granule::kernel;
use granule::prelude::*;
use granule::random::permutation;

use oracle::{EXACT, FEW, LENGTHS, Random};

fn turned<T: Copy>(x: &[T], rows: usize, columns: usize) -> Vec<T> {
    (0..columns).flat_map(|c| (0..rows).map(move |r| x[r * columns + c])).collect()
}

/// Below a vector, a block and a workgroup's square, around them, and far longer than wide.
const SHAPES: [[usize; 2]; 20] = [
    [0, 0],
    [0, 5],
    [1, 1],
    [1, 777],
    [777, 1],
    [2, 1000],
    [1000, 2],
    [3, 4099],
    [4099, 3],
    [16, 16],
    [31, 33],
    [64, 64],
    [63, 65],
    [65, 127],
    [15, 700],
    [700, 17],
    [128, 192],
    [211, 307],
    [40, 3000],
    [3000, 40],
];

#[test]
fn transposes_of_every_shape() {
    for [rows, columns] in SHAPES {
        let x: Vec<u32> = (0..(rows * columns) as u32).collect();
        let want = turned(&x, rows, columns);
        agree!(format!("{rows} x {columns}"), |e| e.transpose(Grid::new(&x, [rows, columns]).unwrap()), want);
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
fn transposes_of_wide_elements() {
    for [rows, columns] in [[5, 7], [33, 100], [100, 33], [130, 70]] {
        let n = (rows * columns) as u32;
        let label = format!("{rows} x {columns}");
        let words: Vec<u64> = (0..n).map(|i| u64::from(i) << 33 | 5).collect();
        let want = turned(&words, rows, columns);
        agree!(label, |e| e.transpose(Grid::new(&words, [rows, columns]).unwrap()), want);
        let bodies: Vec<Body> = (0..n)
            .map(|i| Body { alive: i % 3 == 0, mass: i as f32, id: u64::from(i) << 35, spin: (-(i as i32), i % 5 == 0) })
            .collect();
        let want = turned(&bodies, rows, columns);
        for runner in backends::all() {
            let got = runner.engine.transpose(Grid::new(&bodies, [rows, columns]).unwrap()).with_plan(&runner.plan).run();
            let Some(got) = runner.result(&label, got) else { continue };
            assert!(got.as_slice().unwrap() == want, "{label} on {}", runner.name);
        }
    }
}

/// Written past the caches, from a source that is computed, into memory that exists.
#[test]
fn a_large_transpose() {
    let (rows, columns) = (2112, 2050);
    let want: Vec<u32> =
        (0..columns).flat_map(|c| (0..rows).map(move |r| (r * columns + c) as u32)).map(|i| i.wrapping_mul(3)).collect();
    let mut out = vec![0; rows * columns];
    for runner in backends::all() {
        out.fill(0);
        let source = iota(0..(rows * columns) as u32).map(kernel!(|i: u32| 3 * i));
        let task = runner.engine.transpose(Grid::new(source, [rows, columns]).unwrap());
        task.into(&mut out).with_plan(&runner.plan).run().unwrap();
        oracle::assert_same(&runner.name, &out, &want, EXACT);
    }
}

/// Written past the caches from memory, where rows of the result begin at a line and where they do not, and where rows or columns are few.
#[test]
fn large_transposes_of_memory() {
    let x: Vec<u32> = (0..4_500_000).collect();
    let mut out = vec![0; x.len()];
    for [rows, columns] in
        [[2112, 2050], [2050, 2112], [2049, 2053], [3, 1_490_007], [1_490_007, 3], [13, 340_001], [340_001, 13]]
    {
        let x = &x[..rows * columns];
        let want = turned(x, rows, columns);
        for runner in backends::all() {
            let out = &mut out[..x.len()];
            out.fill(u32::MAX);
            let task = runner.engine.transpose(Grid::new(x, [rows, columns]).unwrap());
            let done = task.into(&mut *out).with_plan(&runner.plan).run();
            if runner.result("transpose", done).is_none() {
                continue;
            }
            assert!(*out == *want, "{rows} x {columns} on {}", runner.name);
        }
    }
}

#[test]
fn rotations() {
    for n in LENGTHS {
        let x: Vec<u32> = Random(n as u64).of(n);
        let len = n as isize;
        for by in [0, 1, -1, 7, len / 2, 1 - len, 3 * len + 2, isize::MIN, isize::MAX] {
            let mut want = x.clone();
            if n > 0 {
                want.rotate_left(by.rem_euclid(len) as usize);
            }
            agree!(format!("{n} by {by}"), |e| e.collect((&x).rotate(by)), want);
        }
    }
}

#[test]
fn rotations_of_rotations_and_in_other_orders() {
    for n in [1, 70, 5000] {
        let x: Vec<u32> = Random(n as u64).of(n);
        let mut want = x.clone();
        want.rotate_left(30 % n);
        <[u32]>::reverse(&mut want);
        want.rotate_right(3 % n);
        let source = || (&x).rotate(30).reverse().rotate(-3);
        agree!(format!("turned {n}"), |e| e.collect(source()), want);
        let far: Vec<u32> = vec![0, n as u32 / 2, n as u32 - 1, n as u32, u32::MAX];
        let picked = oracle::map(&far, |i| want[(i as usize).min(n - 1)]);
        agree!(format!("read at computed places, {n}"), |e| e.collect(gather(source(), &far)), picked);
        let sum = x.iter().fold(0, |a: u32, &b| a.wrapping_add(b));
        agree_one!(format!("sum of {n}"), |e| e.reduce((&x).rotate(11), Sum), sum);
    }
}

#[test]
fn what_is_interleaved_comes_apart() {
    for n in FEW {
        let (a, b): (Vec<u32>, Vec<u32>) = (Random(1).of(n), Random(2).of(n));
        let want: Vec<u32> = a.iter().zip(&b).flat_map(|(&a, &b)| [a, b]).collect();
        agree!(format!("interleaved, {n}"), |e| e.collect(interleave(&a, &b)), want);
        let odd = &want[..want.len().saturating_sub(1)];
        agree!(format!("even, {n}"), |e| e.collect(odd.deinterleave().0), a);
        agree!(format!("odd, {n}"), |e| e.collect(odd.deinterleave().1), b[..n.saturating_sub(1)]);
    }
    let endless = || interleave(constant(1_u32), constant(2_u32));
    agree!("endless", |e| e.collect(endless().take(5)), [1, 2, 1, 2, 1]);
}

fn repeated<T: Copy>(x: &[T], counts: &[u32]) -> Vec<T> {
    x.iter().zip(counts).flat_map(|(&x, &count)| std::iter::repeat_n(x, count as usize)).collect()
}

#[test]
fn replicates_by_counts() {
    for n in LENGTHS {
        let x: Vec<u32> = Random(n as u64).of(n);
        let random: Vec<u32> = Random(n as u64 + 1).of(n);
        for (name, counts) in [
            ("few", random.iter().map(|x| x % 4).collect()),
            ("none", vec![0; n]),
            ("each once", vec![1; n]),
            ("rare and many", random.iter().map(|x| if x % 97 == 0 { x % 700 } else { 0 }).collect::<Vec<_>>()),
        ] {
            let want = repeated(&x, &counts);
            agree!(format!("{name} of {n}"), |e| e.replicate(&x, &counts), want);
        }
    }
}

#[test]
fn one_long_run_and_many_empty_ones() {
    let mut counts = vec![0; 20_000];
    (counts[0], counts[9_999], counts[19_998]) = (1, 50_000, 30);
    let want = repeated(&(0..20_000).collect::<Vec<u32>>(), &counts);
    agree!("a long run", |e| e.replicate(iota(0..20_000_u32), &counts), want);
}

#[test]
fn replicates_up_to_a_number_and_passes_on_what_only_the_device_counts() {
    let x: Vec<u32> = Random(3).of(3000);
    let counts: Vec<u32> = x.iter().map(|x| x % 5).collect();
    let all = repeated(&x, &counts);
    for most in [0, 1, 100, all.len(), all.len() + 5000] {
        let want = &all[..most.min(all.len())];
        for runner in backends::all() {
            let (e, plan, label) = (&runner.engine, &runner.plan, format!("{most} on {}", runner.name));
            let runs = e.replicate(&x, &counts).up_to(most).with_plan(plan).run().unwrap();
            let sum = e.reduce(&runs, Sum).with_plan(plan).run().unwrap();
            assert_eq!(sum, want.iter().fold(0_u32, |a, &b| a.wrapping_add(b)), "{label}");
            oracle::assert_same(&label, runs.as_slice().unwrap(), want, EXACT);
        }
    }
}

#[test]
fn too_many_copies_are_refused() {
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        let limit = u32::MAX as usize - 1;
        let error = e.replicate(&[1_u32, 2], &[u32::MAX - 5, 9]).with_plan(plan).run().unwrap_err();
        assert_eq!(error, Error::TooLarge { elements: limit + 1, limit }, "{}", runner.name);
        let error = e.replicate(&[1_u32], &[1]).up_to(1 << 40).with_plan(plan).run().unwrap_err();
        assert_eq!(error, Error::TooLarge { elements: 1 << 40, limit });
        let error = e.replicate(&[1_u32, 2], &[1]).with_plan(plan).run().unwrap_err();
        assert_eq!(error, Error::LengthMismatch { left: 2, right: 1 });
    }
}

#[test]
fn permutations_are_the_same_everywhere() {
    for n in LENGTHS {
        for seed in [0, 1 << 40 | 9] {
            let e = &backends::all()[0].engine;
            let order = e.collect(permutation(n as u32, seed)).on(Backend::Simd).run().unwrap().into_vec().unwrap();
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.iter().copied().eq(0..n as u32), "{n}, seed {seed}");
            agree!(format!("{n}, seed {seed}"), |e| e.collect(permutation(n as u32, seed)), order);
            let x: Vec<u32> = Random(n as u64).of(n);
            let want = oracle::map(&order, |i| x[i as usize]);
            agree!(format!("shuffled {n}, seed {seed}"), |e| e.collect((&x).shuffle(seed)), want);
        }
    }
}

/// All orders of a few elements are equally frequent, and so is the distance of neighbours of more: to six standard deviations of the
/// chi-square.
#[test]
fn permutations_are_random() {
    let e = Engine::builder().no_cache().frozen().workers(1).build().unwrap();
    let order = |n: u32, seed: u64| e.collect(permutation(n, seed)).run().unwrap().into_vec().unwrap();
    let far = |counts: &[u32], expected: f64| {
        let free = counts.len() as f64 - 1.0;
        let chi: f64 = counts.iter().map(|&x| (f64::from(x) - expected).powi(2) / expected).sum();
        ((chi - free) / (2.0 * free).sqrt()).abs() > 6.0
    };
    for n in [4_usize, 5] {
        let orders: usize = (1..=n).product();
        let mut counts = vec![0; n.pow(n as u32)];
        (0..100 * orders as u64).for_each(|seed| {
            counts[order(n as u32, seed).iter().fold(0, |at, &x| at * n + x as usize)] += 1;
        });
        counts.retain(|&x| x > 0);
        assert_eq!(counts.len(), orders);
        assert!(!far(&counts, 100.0), "{n}: {counts:?}");
    }
    let n = 5001;
    let mut counts = [0; 50];
    for seed in 0..10 {
        order(n, seed).windows(2).for_each(|pair| counts[((pair[1] + n - pair[0] - 1) % n / 100) as usize] += 1);
    }
    assert!(!far(&counts, 1000.0), "{counts:?}");
}

#[test]
fn errors() {
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        assert_eq!(e.collect(constant(1_u32).rotate(3)).with_plan(plan).run().unwrap_err(), Error::Unbounded);
        assert_eq!(e.collect(constant(1_u32).shuffle(3)).with_plan(plan).run().unwrap_err(), Error::Unbounded);
        let error = e.collect(interleave(&[1_u32], &[1, 2])).with_plan(plan).run().unwrap_err();
        assert_eq!(error, Error::LengthMismatch { left: 1, right: 2 });
        let mut out = [0_u32; 5];
        let error = e.transpose(Grid::new(&[1_u32; 6], [2, 3]).unwrap()).into(&mut out).with_plan(plan).run().unwrap_err();
        assert_eq!(error, Error::LengthMismatch { left: 6, right: 5 });
    }
}
