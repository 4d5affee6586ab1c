//! Laws that hold for all data, on random data: lengths, values and compositions come from one seed each, and a failure names it.

mod backends;
mod oracle;

use backends::{Runner, all};
use granule::grid::{Grid, Torus};
use granule::kernel;
use granule::prelude::*;
use oracle::{EXACT, Random, assert_same};

/// Runs a task as the runner says.
macro_rules! run {
    ($runner:ident, $task:expr) => {
        ($task).with_plan(&$runner.plan).run().unwrap_or_else(|e| panic!("{}: {e}", $runner.name))
    };
}
macro_rules! vec_of {
    ($runner:ident, $task:expr) => {
        run!($runner, $task).into_vec().unwrap_or_else(|e| panic!("{}: {e}", $runner.name))
    };
}

/// Checks a law for many seeds, each on one of the backends in turn, so that all of them come up.
fn law(name: &str, check: impl Fn(&Runner, &mut Random, &str)) {
    let runners = all();
    for seed in 0..(runners.len() as u64 * 6) {
        let runner = &runners[seed as usize % runners.len()];
        check(runner, &mut Random(seed), &format!("{name}, seed {seed}, {}", runner.name));
    }
}

/// Mostly small, some at an edge, some of many tiles.
fn length(r: &mut Random) -> usize {
    let edge = [128, 1024, 4096, 8192, 32_768][r.below(5)];
    match r.below(4) {
        0 => r.below(300),
        1 => edge + r.below(3) - 1,
        2 => r.below(9000),
        _ => r.below(80_000),
    }
}

fn words(r: &mut Random) -> Vec<u32> {
    let n = length(r);
    r.of(n)
}

#[operator(identity = (1, 0))]
fn compose(f: (u32, u32), g: (u32, u32)) -> (u32, u32) {
    (f.0.wrapping_mul(g.0), f.1.wrapping_mul(g.0).wrapping_add(g.1))
}

#[test]
fn the_last_prefix_is_the_reduction() {
    law("last prefix", |runner, r, label| {
        let (e, x) = (&runner.engine, words(r));
        let prefixes = vec_of!(runner, e.scan(&x, Sum));
        assert_eq!(prefixes.last().copied().unwrap_or(0), run!(runner, e.reduce(&x, Sum)), "{label}");
        let f: Vec<(u32, u32)> = x.iter().map(|&x| (x, x >> 7)).collect();
        let prefixes = vec_of!(runner, e.scan(&f, compose::with()));
        assert_eq!(prefixes.last().copied().unwrap_or((1, 0)), run!(runner, e.reduce(&f, compose::with())), "{label}");
    });
}

#[test]
fn an_exclusive_scan_is_the_inclusive_one_shifted() {
    law("shifted", |runner, r, label| {
        let (e, x, init) = (&runner.engine, words(r), r.next() as u32);
        let inclusive = vec_of!(runner, e.scan(&x, Sum).init(init));
        let exclusive = vec_of!(runner, e.scan(&x, Sum).exclusive().init(init));
        assert_eq!(exclusive.first().copied().unwrap_or(init), init, "{label}");
        if !x.is_empty() {
            assert_same(label, &exclusive[1..], &inclusive[..x.len() - 1], EXACT);
        }
        let without = vec_of!(runner, e.scan(&x, Sum));
        let added: Vec<u32> = without.iter().map(|x| x.wrapping_add(init)).collect();
        assert_same(label, &inclusive, &added, EXACT);
    });
}

#[test]
fn a_reduction_of_two_parts_is_that_of_the_whole() {
    law("parts", |runner, r, label| {
        let (e, x) = (&runner.engine, words(r));
        let f: Vec<(u32, u32)> = x.iter().map(|&x| (x | 1, !x)).collect();
        let at = r.below(x.len() + 1);
        let whole = run!(runner, e.reduce(&f, compose::with()));
        let (left, right) =
            (run!(runner, e.reduce(&f[..at], compose::with())), run!(runner, e.reduce(&f[at..], compose::with())));
        assert_eq!(compose(left, right), whole, "{label}, cut at {at} of {}", x.len());
        // The same by the sources that leave elements out.
        let (left, right) =
            (run!(runner, e.reduce((&f).take(at), compose::with())), run!(runner, e.reduce((&f).skip(at), compose::with())));
        assert_eq!(compose(left, right), whole, "{label}, cut at {at} of {}", x.len());
    });
}

#[test]
fn reversing_twice_changes_nothing() {
    law("reverse", |runner, r, label| {
        let (e, x) = (&runner.engine, words(r));
        let once = run!(runner, e.collect((&x).reverse()));
        assert_same(label, &vec_of!(runner, e.collect((&once).reverse())), &x, EXACT);
        assert_same(label, &vec_of!(runner, e.collect((&x).reverse().reverse())), &x, EXACT);
    });
}

#[test]
fn fusion_gives_what_two_passes_give() {
    law("fusion", |runner, r, label| {
        let (e, x, k) = (&runner.engine, words(r), r.next() as u32);
        let f = kernel!([k: u32] |x: u32| (x ^ k).rotate_left(x & 31));
        let g = kernel!(|x: u32| if x % 3 == 0 { x / 3 } else { x * 5 + 1 });
        let fused = vec_of!(runner, e.collect((&x).map(f).map(g)));
        let first = run!(runner, e.map(&x, f));
        assert_same(label, &vec_of!(runner, e.map(&first, g)), &fused, EXACT);
        let sum = run!(runner, e.reduce((&x).map(f).map(g), Sum));
        assert_eq!(sum, fused.iter().fold(0, |a: u32, b| a.wrapping_add(*b)), "{label}");
        let scanned = vec_of!(runner, e.scan((&x).map(f).map(g), Max));
        assert_same(label, &scanned, &oracle::inclusive(&fused, None, |a, b| a.max(b)), EXACT);
    });
}

#[test]
fn a_permutation_does_not_change_what_commutes() {
    law("permutation", |runner, r, label| {
        let (e, x) = (&runner.engine, words(r));
        let mut order: Vec<u32> = (0..x.len() as u32).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, r.below(i + 1));
        }
        // A table that is read at random has to fit one binding of a small device.
        if runner.limited && x.len() > 60_000 {
            return;
        }
        macro_rules! same {
            ($op:expr) => {
                assert_eq!(run!(runner, e.reduce(gather(&x, &order), $op)), run!(runner, e.reduce(&x, $op)), "{label}")
            };
        }
        same!(Sum);
        same!(Product);
        same!(Min);
        same!(BitXor);
        let mut back = vec![0; x.len()];
        order.iter().zip(0..).for_each(|(&o, i)| back[o as usize] = i);
        let shuffled = run!(runner, e.collect(gather(&x, &order)));
        assert_same(label, &vec_of!(runner, e.collect(gather(&shuffled, &back))), &x, EXACT);
    });
}

/// Random chains of adaptors, against the same chains of iterators. A kernel is a type, so each step becomes an array.
#[test]
fn random_compositions() {
    law("composition", |runner, r, label| {
        let (e, mut want) = (&runner.engine, words(r));
        let mut got = e.array(&want);
        let mut steps = String::new();
        for _ in 0..6 {
            let (k, step) = (r.below(want.len() + 5), 1 + r.below(4));
            let choice = r.below(7);
            steps.push_str(&format!(" {choice}({k}, {step})"));
            let mix = kernel!(|x: u32, i: u32| x.wrapping_mul(31) ^ i);
            got = match choice {
                0 => run!(runner, e.collect((&got).reverse().skip(step))),
                1 => run!(runner, e.collect((&got).skip(k / 8).step_by(step))),
                2 => run!(runner, e.collect((&got).take(k.max(want.len() / 2)).reverse())),
                3 => run!(runner, e.collect((&got).step_by(step).reverse().take(k))),
                4 => run!(runner, e.scan((&got).reverse(), BitXor)),
                5 => run!(runner, e.map(zip((&got).reverse(), iota(0..got.len().unwrap() as u32)), mix)),
                _ => run!(runner, e.scan((&got).skip(step), Sum).exclusive().init(k as u32)),
            };
            let old = want;
            want = match choice {
                0 => old.iter().rev().skip(step).copied().collect(),
                1 => old.iter().skip(k / 8).step_by(step).copied().collect(),
                2 => old[..k.max(old.len() / 2).min(old.len())].iter().rev().copied().collect(),
                3 => old.iter().step_by(step).collect::<Vec<_>>().into_iter().rev().take(k).copied().collect(),
                4 => oracle::inclusive(&old.iter().rev().copied().collect::<Vec<_>>(), None, |a, b| a ^ b),
                5 => old.iter().rev().zip(0..).map(|(x, i)| x.wrapping_mul(31) ^ i).collect(),
                _ => oracle::exclusive(&old[step.min(old.len())..], Some(k as u32), 0, u32::wrapping_add),
            };
        }
        assert_same(format!("{label}:{steps}"), got.as_slice().unwrap(), &want, EXACT);
    });
}

/// Some more keys than values, so that many are equal.
fn keys(r: &mut Random) -> Vec<u32> {
    let kinds = 1 + r.below(2000) as u32;
    words(r).into_iter().map(|x| x % kinds).collect()
}

/// What no order changes, and hardly anything else leaves alone.
fn fingerprint(x: &[u32]) -> (usize, u32, u64) {
    let mixed =
        |x: u32| (u64::from(x) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x.len(), x.iter().fold(0, |all, x| all ^ x), x.iter().fold(0, |all, &x| all.wrapping_add(mixed(x))))
}

#[test]
fn what_is_sorted_is_a_permutation_in_order() {
    law("sorted", |runner, r, label| {
        let (e, x) = (&runner.engine, keys(r));
        let sorted = vec_of!(runner, e.sort(&x));
        assert!(sorted.is_sorted() && fingerprint(&sorted) == fingerprint(&x), "{label}, {} keys", x.len());
        let positions = vec_of!(runner, e.arg_sort(&x));
        let by_position: Vec<u32> = positions.iter().map(|&i| x[i as usize]).collect();
        assert_same(label, &by_position, &sorted, EXACT);
        let stable = |pair: &[u32]| x[pair[0] as usize] < x[pair[1] as usize] || pair[0] < pair[1];
        assert!(positions.windows(2).all(stable), "{label}: equal keys change places");
        let merged = vec_of!(runner, e.sort_by(&x, kernel!(|a: u32, b: u32| a < b)));
        assert_same(label, &merged, &sorted, EXACT);
        if !x.is_empty() {
            let k = r.below(x.len());
            assert_eq!(run!(runner, e.nth_element(&x, k)), sorted[k], "{label}, element {k} of {}", x.len());
        }
    });
}

#[test]
fn sorting_halves_and_merging_them_sorts_the_whole() {
    law("merged halves", |runner, r, label| {
        let (e, x) = (&runner.engine, keys(r));
        let at = r.below(x.len() + 1);
        let (a, b) = (run!(runner, e.sort(&x[..at])), run!(runner, e.sort(&x[at..])));
        let whole = vec_of!(runner, e.sort(&x));
        // A GPU's merges read whole bindings.
        let Some(merged) = runner.result(label, e.merge(&a, &b).with_plan(&runner.plan).run()) else { return };
        assert_same(label, merged.as_slice().unwrap(), &whole, EXACT);
        let Some(union) = runner.result(label, e.set_union(&a, &b).with_plan(&runner.plan).run()) else { return };
        let (union, both) = (union.into_vec().unwrap(), vec_of!(runner, e.set_intersection(&a, &b)));
        let (only, either) = (vec_of!(runner, e.set_difference(&a, &b)), vec_of!(runner, e.set_symmetric_difference(&a, &b)));
        assert_eq!(union.len() + both.len(), x.len(), "{label}, cut at {at} of {}", x.len());
        assert_eq!(
            (only.len() + both.len(), either.len() + both.len()),
            (at, union.len()),
            "{label}, cut at {at} of {}",
            x.len()
        );
    });
}

#[test]
fn the_parts_of_a_partition_are_the_whole() {
    law("partition", |runner, r, label| {
        let (e, x, bound) = (&runner.engine, words(r), r.next() as u32);
        let below = kernel!([bound: u32] |x: u32| x < bound);
        let [first, second] = run!(runner, e.partition(&x, below));
        let (first, second) = (first.into_vec().unwrap(), second.into_vec().unwrap());
        assert!(first.iter().all(|&x| x < bound) && second.iter().all(|&x| x >= bound), "{label}");
        assert_eq!(fingerprint(&[&first[..], &second].concat()), fingerprint(&x), "{label}");
        assert_same(label, &vec_of!(runner, e.filter(&x, below)), &first, EXACT);
        assert_eq!(run!(runner, e.count(&x, below)), first.len(), "{label}");
    });
}

#[test]
fn runs_and_segments_keep_the_whole() {
    law("runs", |runner, r, label| {
        let (e, x) = (&runner.engine, keys(r));
        let values = Random(!r.next()).of::<u32>(x.len());
        let sorted = run!(runner, e.sort(&x));
        let (names, lengths) = run!(runner, e.run_length_encode(&sorted));
        let (names, lengths) = (names.into_vec().unwrap(), lengths.into_vec().unwrap());
        let decoded: Vec<u32> = names.iter().zip(&lengths).flat_map(|(&x, &n)| std::iter::repeat_n(x, n as usize)).collect();
        assert_same(label, &decoded, sorted.as_slice().unwrap(), EXACT);
        assert_same(label, &vec_of!(runner, e.unique(&sorted)), &names, EXACT);

        let offsets: Vec<u32> = std::iter::once(0).chain(oracle::inclusive(&lengths, None, |a, b| a + b)).collect();
        let by_segment = vec_of!(runner, e.segmented_reduce(&values, &offsets, Sum));
        let (_, by_key) = run!(runner, e.reduce_by_key(&sorted, &values, Sum));
        assert_same(label, by_key.as_slice().unwrap(), &by_segment, EXACT);
        let total = by_segment.iter().fold(0_u32, |a, &b| a.wrapping_add(b));
        assert_eq!(total, run!(runner, e.reduce(&values, Sum)), "{label}");
        let places = vec_of!(runner, e.lower_bound(&sorted, &names));
        assert_same(label, &places, &offsets[..names.len()], EXACT);
    });
}

#[test]
fn what_is_moved_comes_back() {
    law("moved", |runner, r, label| {
        let (e, x) = (&runner.engine, keys(r));
        let n = x.len();
        let order = run!(runner, e.collect(granule::random::permutation(n as u32, r.next())));
        let scattered = run!(runner, e.scatter(&x, &order, n));
        assert_eq!(fingerprint(scattered.as_slice().unwrap()), fingerprint(&x), "{label}");
        assert_same(label, &vec_of!(runner, e.collect(gather(&scattered, &order))), &x, EXACT);
        let by = r.below(n + 1);
        let there = run!(runner, e.collect((&x).rotate(by as isize)));
        assert_same(label, &vec_of!(runner, e.collect((&there).rotate(-(by as isize)))), &x, EXACT);

        // Runs are replicated from their lengths, and counted by what adds up at their places.
        let sorted = run!(runner, e.sort(&x));
        let (names, lengths) = run!(runner, e.run_length_encode(&sorted));
        let decoded = vec_of!(runner, e.replicate(&names, &lengths).up_to(n));
        assert_same(label, &decoded, sorted.as_slice().unwrap(), EXACT);
        let bins = 1 + r.below(1000);
        let places: Vec<u32> = x.iter().map(|x| x % bins as u32).collect();
        let counted = vec_of!(runner, e.scatter_reduce(constant(1_u32).take(n), &places, bins, Sum));
        assert_same(label, &counted, &vec_of!(runner, e.histogram(&places, bins)), EXACT);
    });
}

#[test]
fn the_axes_of_a_grid_agree() {
    law("axes", |runner, r, label| {
        let (e, x) = (&runner.engine, words(r));
        let columns = 1 + r.below(300);
        let rows = x.len() / columns;
        let x = &x[..rows * columns];
        let grid = Grid::new(x, [rows, columns]).unwrap();
        let turned = run!(runner, e.transpose(grid));
        let turned = Grid::new(&turned, [columns, rows]).unwrap();
        assert_same(label, &vec_of!(runner, e.transpose(turned)), x, EXACT);

        let of_columns = vec_of!(runner, e.reduce_axis(grid, 0, Sum));
        assert_same(label, &of_columns, &vec_of!(runner, e.reduce_axis(turned, 1, Sum)), EXACT);
        assert_eq!(run!(runner, e.reduce(&of_columns, Sum)), run!(runner, e.reduce(x, Sum)), "{label}");
        let prefixes = vec_of!(runner, e.scan_axis(grid, 0, Sum));
        let last = &prefixes[prefixes.len().saturating_sub(columns)..];
        if rows > 0 {
            assert_same(label, last, &of_columns, EXACT);
        }

        // One weight of 1 moves the grid; on a torus nothing is lost.
        let [dy, dx] = [r.below(3), r.below(3)];
        let mut weights = [0_u32; 9];
        weights[3 * dy + dx] = 1;
        let moved = vec_of!(runner, e.convolve(grid, Torus, &weights, [3, 3]));
        assert_eq!(fingerprint(&moved), fingerprint(x), "{label}");
    });
}
