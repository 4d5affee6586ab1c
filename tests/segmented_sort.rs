//! Segmented sorts against std's stable sort of each segment, on every backend.

mod backends;
mod oracle;

use granule::kernel;
use granule::prelude::*;
use granule::primitives::SortKey;

use oracle::{EXACT, Random};

/// Offsets of segments of these lengths.
fn offsets(lengths: impl IntoIterator<Item = usize>) -> Vec<u32> {
    let mut at = 0;
    std::iter::once(0).chain(lengths.into_iter().map(|n| (at += n as u32, at).1)).collect()
}

/// Segments of every kind of length, of so many elements in all.
fn shapes(n: usize) -> Vec<(&'static str, Vec<u32>)> {
    let mut random = Random(n as u64);
    let mut left = n;
    let mut any = Vec::new();
    while left > 0 {
        let most = [1, 3, 40, 5000][random.below(4)];
        any.push(random.below(most + 1).min(left));
        left -= any[any.len() - 1];
    }
    vec![
        ("one", offsets([n])),
        ("ones", offsets(vec![1; n])),
        ("pairs", offsets(vec![2; n / 2].into_iter().chain([n % 2]))),
        ("one and empty ones", offsets([0, 0, n, 0])),
        ("one large and many small", offsets([n - n / 4].into_iter().chain(vec![1; n / 4]))),
        ("any", offsets(any)),
    ]
}

/// The positions of the keys, sorted within each segment.
fn order<T: Copy>(keys: &[T], offsets: &[u32], compare: impl Fn(T, T) -> std::cmp::Ordering) -> Vec<u32> {
    let mut order: Vec<u32> = (0..keys.len() as u32).collect();
    for pair in offsets.windows(2) {
        order[pair[0] as usize..pair[1] as usize].sort_by(|&a, &b| compare(keys[a as usize], keys[b as usize]));
    }
    order
}

fn check<T: SortKey + oracle::Same>(label: &str, keys: &[T], offsets: &[u32], order: &[u32], descending: bool) {
    let want: Vec<u64> = order.iter().map(|&i| keys[i as usize].bits()).collect();
    let bits = |x: &[T]| x.iter().map(|x| x.bits()).collect::<Vec<u64>>();
    for runner in backends::all() {
        let (e, label) = (&runner.engine, format!("{label}, descending: {descending}, on {}", runner.name));
        let (mut sort, mut pairs) =
            (e.segmented_sort(keys, offsets), e.segmented_sort_pairs(keys, iota(0..keys.len() as u32), offsets));
        if descending {
            (sort, pairs) = (sort.descending(), pairs.descending());
        }
        if let Some(got) = runner.result(&label, sort.with_plan(&runner.plan).run()) {
            oracle::assert_same(&label, &bits(got.as_slice().unwrap()), &want, EXACT);
        }
        if let Some((got, values)) = runner.result(&label, pairs.with_plan(&runner.plan).run()) {
            oracle::assert_same(format!("{label}, values"), values.as_slice().unwrap(), order, EXACT);
            oracle::assert_same(format!("{label}, keys"), &bits(got.as_slice().unwrap()), &want, EXACT);
        }
    }
}

#[test]
fn segments_of_every_length() {
    for n in [0, 1, 2, 33, 129, 4097, 50_021] {
        // Few keys: values show whether equal ones keep their order.
        let keys: Vec<u32> = Random(n as u64).of(n).into_iter().map(|x: u32| x % 61).collect();
        for (label, offsets) in shapes(n) {
            let label = format!("{n} in {label}");
            check(&label, &keys, &offsets, &order(&keys, &offsets, |a, b| a.cmp(&b)), false);
            if n == 4097 {
                check(&label, &keys, &offsets, &order(&keys, &offsets, |a, b| b.cmp(&a)), true);
            }
        }
    }
}

#[test]
fn wide_keys_and_floats() {
    let n = 9001;
    let wide: Vec<u64> = Random(1).of(n);
    let floats: Vec<f32> = wide.iter().map(|&x| f32::from_bits((x >> 7) as u32)).collect();
    for (label, offsets) in shapes(n) {
        check(label, &wide, &offsets, &order(&wide, &offsets, |a, b| a.cmp(&b)), false);
        check(label, &floats, &offsets, &order(&floats, &offsets, |a, b| b.total_cmp(&a)), true);
    }
}

/// Many segments that several workers share, and one that all do.
#[test]
fn many_segments() {
    let n = 400_000;
    let keys: Vec<u32> = Random(2).of(n);
    let offsets = offsets([250_000].into_iter().chain((0..).map(|i| i % 7)).scan(n, |left, length| {
        let length = length.min(*left);
        *left -= length;
        (length > 0 || *left > 0).then_some(length)
    }));
    let mut want = keys.clone();
    offsets.windows(2).for_each(|pair| want[pair[0] as usize..pair[1] as usize].sort_unstable());
    agree!(format!("{} segments", offsets.len() - 1), |e| e.segmented_sort(&keys, &offsets), want);
}

#[test]
fn sources_and_arrays() {
    let x: Vec<u32> = Random(6).of(20_000);
    let offsets: Vec<u32> = (0..=200).map(|i| i * 100).collect();
    let mut want: Vec<u32> = x.iter().map(|x| x >> 5).collect();
    want.chunks_mut(100).for_each(|part| part.sort_unstable());
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        let bounds = e.map(iota(0..201_u32), kernel!(|i: u32| i * 100)).with_plan(plan).run().unwrap();
        let mut out = vec![0; x.len()];
        let shifted = (&x).map(kernel!(|x: u32| x >> 5));
        e.segmented_sort(shifted, &bounds).with_plan(plan).into(&mut out).run().unwrap();
        oracle::assert_same(&runner.name, &out, &want, EXACT);
        // The lowest bit alone: odd ones last, and otherwise as they were.
        let got = e.segmented_sort(&x, &offsets).bits(0..1).with_plan(plan).run().unwrap();
        let mut parity = x.clone();
        parity.chunks_mut(100).for_each(|part| part.sort_by_key(|x| x & 1));
        oracle::assert_same(&runner.name, got.as_slice().unwrap(), &parity, EXACT);
    }
}

#[test]
fn bad_offsets() {
    let keys = [3_u32, 1, 2];
    for (bad, says) in [
        (&[][..], "there is none"),
        (&[0][..], "the last is 0"),
        (&[1, 3], "the first is 1"),
        (&[0, 2], "the last is 2"),
        (&[0, 4], "the last is 4"),
        (&[0, 2, 1, 3], "offset 1 is 2, offset 2 is 1"),
    ] {
        for runner in backends::all() {
            let error = runner.engine.segmented_sort(&keys, bad).with_plan(&runner.plan).run().unwrap_err();
            assert!(matches!(&error, Error::Offsets { reason } if reason.contains(says)), "{bad:?} on {}: {error}", runner.name);
        }
    }
}
