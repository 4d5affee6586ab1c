//! Set operations against a merge loop that counts, on every backend.

mod backends;
mod oracle;

use granule::kernel;
use granule::prelude::*;

use oracle::{EXACT, LENGTHS, Random};

/// What is kept of `m` equal elements of `a` and `n` of `b`: of each so many.
type Rule = fn(usize, usize) -> (usize, usize);

const UNION: Rule = |m, n| (m, n.saturating_sub(m));
const INTERSECTION: Rule = |m, n| (m.min(n), 0);
const DIFFERENCE: Rule = |m, n| (m.saturating_sub(n), 0);
const SYMMETRIC: Rule = |m, n| (m.saturating_sub(n), n.saturating_sub(m));

fn by<T: Copy + PartialOrd>(rule: Rule, a: &[T], b: &[T]) -> Vec<T> {
    let (mut a, mut b, mut out) = (a, b, Vec::new());
    while let Some(x) = [a.first(), b.first()].into_iter().flatten().copied().reduce(|x, y| if y < x { y } else { x }) {
        let m = a.iter().take_while(|&&y| y == x).count();
        let n = b.iter().take_while(|&&y| y == x).count();
        let (of_a, of_b) = rule(m, n);
        out.extend_from_slice(&a[m - of_a..m]);
        out.extend_from_slice(&b[n - of_b..n]);
        (a, b) = (&a[m..], &b[n..]);
    }
    out
}

macro_rules! check {
    ($label:expr, $a:expr, $b:expr) => {{
        let (label, a, b) = ($label, &$a, &$b);
        agree!(format!("{label}, union"), |e| e.set_union(a, b), by(UNION, a, b));
        agree!(format!("{label}, intersection"), |e| e.set_intersection(a, b), by(INTERSECTION, a, b));
        agree!(format!("{label}, difference"), |e| e.set_difference(a, b), by(DIFFERENCE, a, b));
        agree!(format!("{label}, symmetric difference"), |e| e.set_symmetric_difference(a, b), by(SYMMETRIC, a, b));
    }};
}

/// Sorted numbers below a limit.
fn sorted(n: usize, seed: u64, limit: u32) -> Vec<u32> {
    let mut x: Vec<u32> = Random(seed).of(n).into_iter().map(|x: u32| x % limit).collect();
    x.sort_unstable();
    x
}

#[test]
fn sets_of_every_length() {
    for n in LENGTHS {
        let limit = n as u32 + 1;
        check!(format!("{n}"), sorted(n, 1, limit), sorted(n / 2 + 1, 2, limit));
    }
}

#[test]
fn sets_of_every_kind() {
    let n = 5003;
    let few = sorted(n, 3, 7);
    let all = sorted(n, 4, u32::MAX);
    for (label, a, b) in [
        ("few distinct", few.clone(), sorted(n / 3, 5, 9)),
        ("the same", all.clone(), all.clone()),
        ("apart", all[..n / 2].to_vec(), all[n / 2..].to_vec()),
        ("one within the other", all.clone(), all[n / 3..n / 2].to_vec()),
        ("all equal", vec![7; n], vec![7; n / 2]),
        ("all equal, the other way round", vec![7; n / 2], vec![7; n]),
        ("one empty", Vec::new(), all.clone()),
        ("the other empty", all.clone(), Vec::new()),
        ("both empty", Vec::new(), Vec::new()),
    ] {
        check!(label, a, b);
        check!(format!("{label}, f32"), floats(&a), floats(&b));
    }
    let wide = |x: &[u32]| x.iter().map(|&x| i64::from(x) - (1 << 31)).collect::<Vec<i64>>();
    check!("i64", wide(&few), wide(&sorted(n, 5, 9)));
}

fn floats(x: &[u32]) -> Vec<f32> {
    x.iter().map(|&x| (x >> 8) as f32 / 4.0 - 100.0).collect()
}

/// -0 and 0 are equal, so the elements of `a` are those that stay.
#[test]
fn which_of_equals_are_kept() {
    let (a, b) = ([-1.0_f32, -0.0, -0.0, 2.0], [0.0_f32, 0.0, 0.0, 2.0]);
    for runner in backends::all() {
        let bits = |got: Array<f32>| got.as_slice().unwrap().iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
        let want = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
        let (e, plan) = (&runner.engine, &runner.plan);
        let union = bits(e.set_union(&a, &b).with_plan(plan).run().unwrap());
        assert_eq!(union, want(&[-1.0, -0.0, -0.0, 0.0, 2.0]), "{}", runner.name);
        let both = bits(e.set_intersection(&a, &b).with_plan(plan).run().unwrap());
        assert_eq!(both, want(&[-0.0, -0.0, 2.0]), "{}", runner.name);
        let apart = bits(e.set_symmetric_difference(&a, &b).with_plan(plan).run().unwrap());
        assert_eq!(apart, want(&[-1.0, 0.0]), "{}", runner.name);
    }
}

/// Inputs above one binding of the small GPU, which holds 65,536 words: they are merged through windows.
#[test]
fn inputs_above_one_binding() {
    let shifted = |x: Vec<u32>, by: u32| x.into_iter().map(|x| x + by).collect::<Vec<u32>>();
    let cases = [
        ("several windows each", sorted(131_073, 1, 100_000), sorted(70_001, 2, 100_000)),
        ("one fits", sorted(1000, 3, 200_000), sorted(98_305, 4, 200_000)),
        ("one empty", Vec::new(), sorted(70_000, 5, 40_000)),
        ("the other empty", sorted(65_537, 6, 40_000), Vec::new()),
        ("all equal", vec![7; 65_537], vec![7; 98_304]),
        ("few distinct", sorted(100_003, 7, 3), shifted(sorted(66_000, 8, 3), 1)),
        ("one before the other", sorted(70_000, 9, 1000), shifted(sorted(70_000, 10, 1000), 1000)),
        ("one after the other", shifted(sorted(70_000, 11, 1000), 1000), sorted(70_000, 12, 1000)),
        ("the same", (0..80_000).map(|i| i / 3).collect(), (0..80_000).map(|i| i / 3).collect()),
    ];
    for (label, a, b) in cases {
        check!(label, a, b);
    }
    // What is not sorted gives some of the elements; and there was a GPU that did it all.
    let x: Vec<u32> = Random(13).of(70_000);
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        let mut out = vec![0; x.len()];
        assert!(e.set_difference(&x, &x[..100]).with_plan(plan).into(&mut out).run().unwrap() <= out.len(), "{}", runner.name);
        let zeros = [-0.0_f32].repeat(70_000);
        let both = e.set_intersection(&zeros, &[0.0]).with_plan(plan).run().unwrap();
        assert_eq!(both.as_slice().unwrap().iter().map(|x| x.to_bits()).collect::<Vec<_>>(), [1 << 31], "{}", runner.name);
    }
}

#[test]
fn into_memory_that_exists() {
    let (a, b) = (sorted(5000, 1, 4000), sorted(3000, 2, 4000));
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        let mut out = vec![0; 8000];
        let n = e.set_union(&a, &b).with_plan(plan).into(&mut out).run().unwrap();
        oracle::assert_same(format!("union on {}", runner.name), &out[..n], &by(UNION, &a, &b), EXACT);
        let n = e.set_intersection(&a, &b).with_plan(plan).into(&mut out[..5000]).run().unwrap();
        oracle::assert_same(format!("intersection on {}", runner.name), &out[..n], &by(INTERSECTION, &a, &b), EXACT);
        let short = e.set_union(&a, &b).with_plan(plan).into(&mut out[1..]).run();
        assert_eq!(short, Err(Error::LengthMismatch { left: 8000, right: 7999 }));
    }
}

/// Arrays whose length only the device knows go in, and come out.
#[test]
fn arrays_that_stay() {
    let x: Vec<u32> = (0..30_000).collect();
    let want = (0..30_000_u32).filter(|x| (x % 2 == 0) != (x % 3 == 0)).fold(0_u32, u32::wrapping_add);
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        let twos = e.filter(&x, kernel!(|x: u32| x % 2 == 0)).with_plan(plan).run().unwrap();
        let threes = e.filter(&x, kernel!(|x: u32| x % 3 == 0)).with_plan(plan).run().unwrap();
        let Some(either) = runner.result("arrays", e.set_symmetric_difference(&twos, &threes).with_plan(plan).run()) else {
            continue;
        };
        assert_eq!(e.reduce(&either, Sum).with_plan(plan).run().unwrap(), want, "{}", runner.name);
    }
}
