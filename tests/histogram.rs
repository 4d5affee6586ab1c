//! Histograms against a table that is filled one element at a time, on every backend.
#![allow(clippy::manual_is_multiple_of, reason = "kernels are written in the kernel language")]

mod backends;
mod oracle;

use granule::kernel;
use granule::prelude::*;

use oracle::{EXACT, FEW, LENGTHS, Random};

/// The numbers of bins that are tried: around powers of two, within a workgroup's memory and beyond it.
const BINS: [usize; 9] = [1, 2, 3, 255, 256, 257, 4096, 4097, 65_536];

fn counted(numbers: impl IntoIterator<Item = u32>, bins: usize) -> Vec<u32> {
    let mut counts = vec![0; bins];
    for bin in numbers {
        if let Some(count) = counts.get_mut(bin as usize) {
            *count += 1;
        }
    }
    counts
}

/// Numbers of which one in nine is out of range.
fn numbers(n: usize, bins: usize) -> Vec<u32> {
    let random: Vec<u32> = Random((n * 31 + bins) as u64).of(n);
    random.iter().map(|x| if x % 9 == 0 { bins as u32 + x / 9 } else { (x / 9) % bins as u32 }).collect()
}

#[test]
fn counts_at_every_length() {
    for n in LENGTHS {
        for bins in [1, 7, 256] {
            let x = numbers(n, bins);
            agree!(format!("{n} in {bins}"), |e| e.histogram(&x, bins), counted(x.iter().copied(), bins));
        }
    }
}

#[test]
fn counts_in_every_number_of_bins() {
    for bins in BINS {
        for n in [0, 1, 300, 5000, 70_000] {
            let x = numbers(n, bins);
            agree!(format!("{n} in {bins}"), |e| e.histogram(&x, bins), counted(x.iter().copied(), bins));
        }
    }
}

#[test]
fn a_million_bins() {
    let bins = 1 << 20;
    for n in [0, 1000, 1_300_000] {
        let x = numbers(n, bins);
        agree!(format!("{n} in {bins}"), |e| e.histogram(&x, bins), counted(x.iter().copied(), bins));
    }
}

#[test]
fn any_share_of_the_elements_in_a_bin() {
    for bins in [2, 256, 5000, 65_536] {
        let n = 150_000;
        let last = bins as u32 - 1;
        for (name, x) in [
            ("all in the first", vec![0; n]),
            ("all in the last", vec![last; n]),
            ("none", vec![last + 1; n]),
            ("none, far off", vec![u32::MAX; n]),
            ("sorted", (0..n).map(|i| (i * bins / n) as u32).collect()),
            ("in turn", (0..n).map(|i| (i % bins) as u32).collect::<Vec<_>>()),
        ] {
            agree!(format!("{name} of {bins}"), |e| e.histogram(&x, bins), counted(x.iter().copied(), bins));
        }
    }
}

#[test]
fn numbers_come_from_any_source() {
    for n in FEW {
        let want = counted((0..n as u32).map(|i| i * i % 11), 10);
        agree!(format!("{n} squares"), |e| e.histogram(iota(0..n as u32).map(kernel!(|i: u32| i * i % 11)), 10), want);
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

#[test]
fn loops_in_the_kernel() {
    let want = counted((0..9000).map(steps_to_one), 128);
    agree!("collatz", |e| e.histogram(iota(0..9000_u32).map(steps_to_one::with()), 128), want);
}

#[test]
fn a_length_that_only_the_device_knows() {
    for limit in [0, 1, 3000, 50_000] {
        let x = numbers(50_000, 300);
        let kept = x.iter().copied().enumerate().filter(|(i, _)| *i < limit as usize).map(|(_, x)| x);
        let want = counted(kept, 300);
        for runner in backends::all() {
            let flags: Vec<bool> = (0..x.len()).map(|i| i < limit as usize).collect();
            let kept = runner.engine.filter_flagged(&x, &flags).with_plan(&runner.plan).run();
            let Some(kept) = runner.result("filter", kept) else { continue };
            let counts = runner.engine.histogram(&kept, 300).with_plan(&runner.plan).run();
            let Some(counts) = runner.result("histogram", counts) else { continue };
            oracle::assert_same(format!("{limit} on {}", runner.name), counts.as_slice().unwrap(), &want, EXACT);
        }
    }
}

/// The documented rule of even bins, by the edges, one after the other.
fn even_edges(lo: f64, hi: f64, bins: usize) -> Vec<f64> {
    let width = (hi - lo) / bins as f64;
    (0..bins).map(|k| k as f64 * width + lo).chain([hi]).collect()
}

/// The bin between edges: the last whose lower edge is not above `x`.
fn bin_between(x: f64, edges: &[f64]) -> u32 {
    let bins = edges.len() - 1;
    if x.is_nan() || x < edges[0] || x > edges[bins] {
        return u32::MAX;
    }
    let above = edges.iter().position(|&edge| edge > x).unwrap_or(bins);
    above.min(bins) as u32 - 1
}

/// As `bin_between`, for many.
fn counted_between(x: impl Iterator<Item = f64>, edges: &[f64]) -> Vec<u32> {
    let bins = edges.len() - 1;
    // Beyond the last edge, at it, or before it.
    let search = |x: f64| {
        if x.is_nan() || x < edges[0] || x > edges[bins] {
            return u32::MAX;
        }
        edges.partition_point(|&edge| edge <= x).min(bins) as u32 - 1
    };
    if bins > 300 { counted(x.map(search), bins) } else { counted(x.map(|x| bin_between(x, edges)), bins) }
}

/// Values in and around a range: at random, at the edges, and next to them.
fn around(lo: f32, hi: f32, bins: usize, n: usize) -> Vec<f32> {
    let random: Vec<u32> = Random(n as u64).of(n);
    let width = f64::from(hi) - f64::from(lo);
    let special = [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, lo, hi, lo.next_down(), hi.next_up(), 0.0, -0.0];
    let value = |x: u32| {
        let fraction = f64::from(x) / f64::from(u32::MAX);
        let edge = (f64::from(lo) + width * f64::from(x % (bins as u32 + 1)) / bins as f64) as f32;
        match x / 7 % 8 {
            0 => edge,
            1 => edge.next_down(),
            2 => edge.next_up(),
            3 => (f64::from(lo) + width * (1.5 * fraction - 0.25)) as f32,
            _ => (f64::from(lo) + width * fraction) as f32,
        }
    };
    special.into_iter().cycle().take(n / 20).chain(random.into_iter().map(value)).take(n).collect()
}

#[test]
fn even_bins_of_floats() {
    let ranges =
        [(0.0, 1.0), (-1.0, 1.0), (0.1, 0.7), (-1e30, 1e30), (1e6, 1e6 + 1.0), (-3.0, 1e-3), (1e-30, 2e-30), (0.0, 147.0)];
    for (lo, hi) in ranges {
        for bins in [1, 2, 3, 49, 255, 1000, 65_536] {
            let x = around(lo, hi, bins, 9000);
            let want = counted_between(x.iter().map(|&x| x.into()), &even_edges(lo.into(), hi.into(), bins));
            agree!(format!("{bins} bins of {lo}..{hi}"), |e| e.histogram_even(&x, lo..hi, bins), want);
        }
    }
}

#[test]
fn even_bins_at_every_length() {
    for n in LENGTHS {
        let x = around(-2.0, 5.0, 10, n);
        let want = counted_between(x.iter().map(|&x| x.into()), &even_edges(-2.0, 5.0, 10));
        agree!(format!("{n} floats"), |e| e.histogram_even(&x, -2.0..5.0, 10), want);
    }
}

#[test]
fn a_million_even_bins() {
    let (lo, hi, bins) = (-0.3_f32, 2.9_f32, 1 << 20);
    let x = around(lo, hi, bins, 400_000);
    let want = counted_between(x.iter().map(|&x| x.into()), &even_edges(lo.into(), hi.into(), bins));
    agree!("2^20 even bins", |e| e.histogram_even(&x, lo..hi, bins), want);
    let x: Vec<u32> = Random(3).of(400_000);
    let want = counted_between(x.iter().map(|&x| x.into()), &even_edges(5.0, 4.2e9, bins));
    agree!("2^20 even bins of u32", |e| e.histogram_even(&x, 5..4_200_000_000_u32, bins), want);
}

#[test]
fn even_bins_of_integers() {
    let x: Vec<i32> = Random(1).of(20_000);
    for (lo, hi) in [(i32::MIN, i32::MAX), (-1_000_000_000, 7), (i32::MAX - 3, i32::MAX), (-5, 1_500_000_000)] {
        for bins in [1, 2, 7, 256, 4099] {
            let want = counted_between(x.iter().map(|&x| x.into()), &even_edges(lo.into(), hi.into(), bins));
            agree!(format!("{bins} bins of i32 {lo}..{hi}"), |e| e.histogram_even(&x, lo..hi, bins), want);
            let small: Vec<i32> = x.iter().map(|x| x % 300).collect();
            let want = counted_between(small.iter().map(|&x| x.into()), &even_edges(-150.0, 147.0, bins));
            agree!(format!("{bins} bins of small i32"), |e| e.histogram_even(&small, -150..147, bins), want);
        }
    }
    let bytes: Vec<u32> = Random(2).of(20_000).into_iter().map(|x: u32| x % 256).collect();
    agree!("bytes", |e| e.histogram_even(&bytes, 0..256_u32, 256), counted(bytes.iter().copied(), 256));
}

#[test]
fn given_edges() {
    let tables: [&[f32]; 7] = [
        &[0.0, 1.0],
        &[0.0, 0.1, 0.5, 2.0],
        &[0.0, 0.0, 1.0, 1.0],
        &[1.0, 1.0],
        &[f32::NEG_INFINITY, -1.0, 0.0, 3.0, f32::INFINITY],
        &[-0.0, 0.0, 0.25],
        &[-1.0, -0.5, -0.5, -0.5, 0.5, 1.0],
    ];
    for edges in tables {
        let doubles: Vec<f64> = edges.iter().map(|&x| x.into()).collect();
        for n in FEW {
            let x: Vec<f32> = around(-1.0, 3.0, 8, n);
            let want = counted_between(x.iter().map(|&x| x.into()), &doubles);
            agree!(format!("{n} between {edges:?}"), |e| e.histogram_edges(&x, edges), want);
        }
    }
    let edges: Vec<i32> = (0..5000).map(|k| k * k - 9_000_000).collect();
    let x: Vec<i32> = Random(5).of(30_000).into_iter().map(|x: i32| x / 100).collect();
    let doubles: Vec<f64> = edges.iter().map(|&x| x.into()).collect();
    agree!("5000 edges", |e| e.histogram_edges(&x, &edges), counted_between(x.iter().map(|&x| x.into()), &doubles));
    let edges = [-1.5_f64, 0.0, 1e300];
    let x = [0.0, -1.5, -1.6, 1e300, f64::NAN, 1e301, 7.0].repeat(800);
    agree!("f64", |e| e.histogram_edges(&x, &edges), counted_between(x.iter().copied(), &edges));
}

#[test]
fn integer_weights_wrap() {
    for n in FEW {
        for bins in [1, 300, 5000] {
            let (x, u, i): (_, Vec<u32>, Vec<i32>) = (numbers(n, bins), Random(7).of(n), Random(8).of(n));
            let (mut us, mut is) = (vec![0_u32; bins], vec![0_i32; bins]);
            for (k, &bin) in x.iter().enumerate() {
                if (bin as usize) < bins {
                    us[bin as usize] = us[bin as usize].wrapping_add(u[k]);
                    is[bin as usize] = is[bin as usize].wrapping_add(i[k]);
                }
            }
            agree!(format!("{n} u32 in {bins}"), |e| e.histogram(&x, bins).weights(&u), us);
            agree!(format!("{n} i32 in {bins}"), |e| e.histogram(&x, bins).weights(&i), is);
            let long: Vec<i64> = i.iter().map(|&i| i64::from(i) << 20).collect();
            let mut sums = vec![0_i64; bins];
            for (&bin, w) in x.iter().zip(&long) {
                if let Some(sum) = sums.get_mut(bin as usize) {
                    *sum += w;
                }
            }
            agree!(format!("{n} i64 in {bins}"), |e| e.histogram(&x, bins).weights(&long), sums);
        }
    }
}

/// Sums of floats are near the exact ones, and have the same bits on all plans of the CPU.
#[test]
fn float_weights_have_the_same_bits_everywhere() {
    for (n, bins) in [(0, 4), (100, 3), (5000, 256), (700_000, 1), (700_000, 256), (700_000, 5000), (300_000, 65_536)] {
        let x = numbers(n, bins);
        let weights: Vec<f32> = Random(9).of(n).into_iter().map(|x: u32| x as f32 / 1e6 - 1000.0).collect();
        let (mut sums, mut sizes) = (vec![0.0_f64; bins], vec![0.0_f64; bins]);
        for (&bin, &w) in x.iter().zip(&weights) {
            if (bin as usize) < bins {
                sums[bin as usize] += f64::from(w);
                sizes[bin as usize] += f64::from(w.abs());
            }
        }
        let mut first: Option<Vec<u32>> = None;
        for runner in backends::all() {
            let label = format!("{n} in {bins} on {}", runner.name);
            let run = runner.engine.histogram(&x, bins).weights(&weights).with_plan(&runner.plan).run();
            let Some(got) = runner.result(&label, run) else { continue };
            let got = got.as_slice().unwrap();
            let right = |k: usize| (f64::from(got[k]) - sums[k]).abs() <= 1e-4 * sizes[k];
            assert_eq!((0..bins).find(|&k| !right(k)), None, "{label}");
            let bits: Vec<u32> = got.iter().map(|x| x.to_bits()).collect();
            assert!(*first.get_or_insert_with(|| bits.clone()) == bits, "{label}: other bits");
        }
    }
}

#[test]
fn even_bins_and_edges_take_weights() {
    let x = [0.1_f32, 0.9, 1.0, 5.0, f32::NAN, 0.5];
    let w = [1_u32, 10, 100, 1000, 10_000, 100_000];
    agree!("even", |e| e.histogram_even(&x, 0.0..1.0, 2).weights(&w), [1, 100_110]);
    agree!("edges", |e| e.histogram_edges(&x, &[0.0, 0.5, 6.0]).weights(&w), [1, 101_110]);
    agree!("constant", |e| e.histogram_edges(&x, &[0.0, 0.5, 6.0]).weights(constant(3)), [3, 12]);
}

#[test]
fn into_memory_that_exists() {
    let x = numbers(9000, 300);
    let want = counted(x.iter().copied(), 300);
    let weights: Vec<i32> = (0..9000).collect();
    for runner in backends::all() {
        let (engine, label) = (&runner.engine, format!("into, on {}", runner.name));
        // What was there is not added to.
        let (mut slice, mut array) = (vec![u32::MAX; 300], engine.array_from_vec(vec![7_u32; 300]));
        let run = engine.histogram(&x, 300).into(&mut slice).with_plan(&runner.plan).run();
        runner.result(&label, run).unwrap();
        oracle::assert_same(&label, &slice, &want, EXACT);
        let run = engine.histogram(&x, 300).into(&mut array).with_plan(&runner.plan).run();
        runner.result(&label, run).unwrap();
        oracle::assert_same(&label, array.as_slice().unwrap(), &want, EXACT);
        let mut sums = [0_i32; 300];
        let run = engine.histogram(&x, 300).weights(&weights).into(&mut sums).with_plan(&runner.plan).run();
        runner.result(&label, run).unwrap();
        let total: i32 = x.iter().zip(&weights).filter(|(bin, _)| **bin < 300).map(|(_, w)| w).sum();
        assert_eq!(sums.iter().sum::<i32>(), total, "{label}");
        let run = engine.histogram(&x, 299).into(&mut slice).run();
        assert_eq!(run, Err(Error::LengthMismatch { left: 299, right: 300 }));
    }
}

/// Counts of each channel, where an element knows its bin: the channels one after the other.
fn counted_by_channel(numbers: impl IntoIterator<Item = u32>, channels: usize, bins: usize) -> Vec<u32> {
    let mut counts = vec![0; channels * bins];
    for (i, bin) in numbers.into_iter().enumerate() {
        if (bin as usize) < bins {
            counts[i % channels * bins + bin as usize] += 1;
        }
    }
    counts
}

#[test]
fn channels_of_numbers() {
    for n in LENGTHS {
        let x = numbers(n, 7);
        for channels in [1, 3, 4] {
            let want = counted_by_channel(x.iter().copied(), channels, 7);
            agree!(format!("{n}, {channels} channels"), |e| e.histogram(&x, 7).channels(channels), want);
        }
    }
    // More than lanes, than bins in a workgroup's memory, than elements; and above one binding of the small GPU.
    for (n, channels, bins) in [(5000, 17, 33), (50_000, 100, 4096), (300, 1 << 20, 1), (300, 1, 70_000), (200_003, 3, 256)] {
        let x = numbers(n, bins);
        let label = format!("{n}, {channels} channels of {bins} bins");
        let want = counted_by_channel(x.iter().copied(), channels, bins);
        agree!(label, |e| e.histogram(&x, bins).channels(channels), want);
        let weights: Vec<u32> = Random(7).of(n);
        let mut sums = vec![0_u32; channels * bins];
        for (i, (&bin, &w)) in x.iter().zip(&weights).enumerate().filter(|(_, (bin, _))| (**bin as usize) < bins) {
            let sum = &mut sums[i % channels * bins + bin as usize];
            *sum = sum.wrapping_add(w);
        }
        agree!(format!("{label}, weights"), |e| e.histogram(&x, bins).channels(channels).weights(&weights), sums);
    }
}

#[test]
fn channels_of_even_bins_and_of_edges() {
    let ranges = [-2.0_f32..5.0, 0.0..1e6, -1.0..-0.5];
    let place = |x: f32, range: &std::ops::Range<f32>, bins| {
        bin_between(x.into(), &even_edges(range.start.into(), range.end.into(), bins))
    };
    for n in FEW {
        // Each channel has values around its range.
        let each: Vec<Vec<f32>> = ranges.iter().map(|range| around(range.start, range.end, 10, n)).collect();
        let x: Vec<f32> = (0..n).map(|i| each[i % 3][i]).collect();
        let same = x.iter().map(|&x| place(x, &ranges[0], 10));
        agree!(
            format!("{n}, the same range"),
            |e| e.histogram_even(&x, ranges[0].clone(), 10).channels(3),
            counted_by_channel(same, 3, 10)
        );
        let own = x.iter().enumerate().map(|(i, &x)| place(x, &ranges[i % 3], 10));
        agree!(format!("{n}, ranges"), |e| e.histogram_even_channels(&x, &ranges, 10), counted_by_channel(own, 3, 10));
    }
    let x: Vec<i32> = Random(5).of(9000);
    let edges = [even_edges(-5.0, f64::from(1 << 30), 300), even_edges(i32::MIN.into(), 7.0, 300)];
    let own = x.iter().enumerate().map(|(i, &x)| bin_between(x.into(), &edges[i % 2]));
    let want = counted_by_channel(own, 2, 300);
    agree!("integers", |e| e.histogram_even_channels(&x, &[-5..1 << 30, i32::MIN..7], 300), want);
}

#[test]
fn channels_of_a_length_that_only_the_device_knows() {
    let x = numbers(30_000, 50);
    let kept: Vec<u32> = x.iter().copied().filter(|x| x % 2 == 0).collect();
    let want = counted_by_channel(kept, 3, 50);
    for runner in backends::all() {
        let (e, plan) = (&runner.engine, &runner.plan);
        let kept = e.filter(&x, kernel!(|x: u32| x % 2 == 0)).with_plan(plan).run().unwrap();
        let mut got = vec![1; 150];
        e.histogram(&kept, 50).channels(3).into(&mut got).with_plan(plan).run().unwrap();
        oracle::assert_same(&runner.name, &got, &want, EXACT);
    }
}

#[test]
fn bad_input_is_refused_with_numbers() {
    let engine = Engine::builder().no_cache().build().unwrap();
    let x = [0.5_f32; 10];
    let bins = |result: granule::Result<Array<u32>>, parts: &[&str]| match result {
        Err(Error::Bins { reason }) => assert!(parts.iter().all(|part| reason.contains(part)), "{reason}"),
        other => panic!("{other:?}"),
    };
    bins(engine.histogram(&[1], 0).run(), &["0 bins"]);
    bins(engine.histogram_even(&x, 0.0..1.0, 0).run(), &["0 bins"]);
    bins(engine.histogram_even(&x, 1.0..1.0, 4).run(), &["1..1"]);
    bins(engine.histogram_even(&x, 2.0..1.0, 4).run(), &["2..1"]);
    bins(engine.histogram_even(&x, 0.0..f32::NAN, 4).run(), &["0..NaN"]);
    bins(engine.histogram_even(&x, 0.0..f32::INFINITY, 4).run(), &["0..inf"]);
    bins(engine.histogram_even(&x, -3e38..3e38, 4).run(), &["largest f32"]);
    bins(engine.histogram_even(&x, 0.0..1e-38, 4).run(), &["4 bins"]);
    bins(engine.histogram_edges(&x, &[]).run(), &["there are 0"]);
    bins(engine.histogram_edges(&x, &[1.0]).run(), &["there are 1"]);
    bins(engine.histogram_edges(&x, &[0.0, 2.0, 1.0]).run(), &["edge 2", "edge 1"]);
    bins(engine.histogram_edges(&x, &[0.0, f32::NAN]).run(), &["edge 1", "edge 0"]);
    let run = engine.histogram_even(&x, 0.0..1.0, (1 << 20) + 1).run();
    assert_eq!(run.err(), Some(Error::TooLarge { elements: (1 << 20) + 1, limit: 1 << 20 }));
    let run = engine.histogram(&[1], u32::MAX as usize).run();
    assert_eq!(run.err(), Some(Error::TooLarge { elements: u32::MAX as usize, limit: u32::MAX as usize - 1 }));
    let run = engine.histogram(&[1, 2, 3], 4).weights(&[1_u32, 2]).run();
    assert_eq!(run.err(), Some(Error::LengthMismatch { left: 3, right: 2 }));
    bins(engine.histogram(&[1], 4).channels(0).run(), &["0 channels"]);
    bins(engine.histogram_even_channels(&x, &[], 4).run(), &["0 channels"]);
    bins(engine.histogram_even_channels(&x, &[0.0..1.0, 2.0..1.0], 4).run(), &["2..1"]);
    bins(engine.histogram_even_channels(&x, &[0.0..1.0], 0).run(), &["0 bins"]);
    let limit = u32::MAX as usize - 1;
    let run = engine.histogram(&[1], 1 << 20).channels(1 << 12).run();
    assert_eq!(run.err(), Some(Error::TooLarge { elements: 1 << 32, limit }));
    let run = engine.histogram(&[1], usize::MAX).channels(3).run();
    assert_eq!(run.err(), Some(Error::TooLarge { elements: usize::MAX, limit }));
    assert_eq!(engine.histogram(constant(1), 4).channels(2).run().err(), Some(Error::Unbounded));
    assert_eq!(engine.histogram(constant(1), 4).run().err(), Some(Error::Unbounded));
    let run = engine.histogram(constant(1).take(1 << 33), 4).run();
    assert_eq!(run.err(), Some(Error::TooLarge { elements: 1 << 33, limit: u32::MAX as usize }));
}

#[test]
fn empty_input_gives_zeros() {
    let none: [f32; 0] = [];
    agree!("even", |e| e.histogram_even(&none, 0.0..1.0, 3), [0, 0, 0]);
    agree!("edges", |e| e.histogram_edges(&none, &[0.0, 1.0]), [0]);
    agree!("weights", |e| e.histogram(&[], 2).weights(&[] as &[i32]), [0, 0]);
}

#[test]
fn the_planner_knows_it() {
    let engine = Engine::builder().no_cache().build().unwrap();
    let x = numbers(100_000, 256);
    let explanation = engine.histogram(&x, 256).explain().unwrap();
    assert_eq!(explanation.problem.operation, granule::plan::Operation::Histogram);
    assert_eq!(explanation.problem.item_bytes, 1024);
    let weights = vec![1.0_f32; x.len()];
    let explanation = engine.histogram(&x, 256).weights(&weights).explain().unwrap();
    assert!(explanation.problem.gpu.refused.is_some_and(|why| why.contains("u32 or i32")));
    let pinned = engine.histogram(&x, 256).weights(&weights).on(Backend::Gpu).run();
    assert!(matches!(pinned, Err(Error::Unsupported { .. })));
}
