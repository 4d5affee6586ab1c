//! Segments against plain loops, on every backend.

mod backends;
mod oracle;

use granule::kernel;
use granule::prelude::*;
use granule::primitives::Csr;

use oracle::{EXACT, FEW, LENGTHS, Random};

/// Offsets of segments of these lengths, the last of which takes what is left of `n` elements.
fn offsets(n: usize, lengths: impl IntoIterator<Item = usize>) -> Vec<u32> {
    let mut offsets = vec![0];
    let mut at = 0;
    for length in lengths {
        at += length;
        if at > n {
            break;
        }
        offsets.push(at as u32);
    }
    if *offsets.last().unwrap() < n as u32 {
        offsets.push(n as u32);
    }
    offsets
}

/// Segments that are short, long, empty, or one.
fn some_offsets(n: usize) -> Vec<(&'static str, Vec<u32>)> {
    let mut random = Random(n as u64);
    let mut lengths = |f: &dyn Fn(u64) -> usize| -> Vec<usize> { (0..n + 1).map(|_| f(random.next())).collect() };
    let power_law = |r: u64| (1.0 / (1.0 - (r >> 40) as f64 / (1 << 24) as f64 * 0.9999)) as usize;
    let with_empty_ends = {
        let mut inner = offsets(n, lengths(&|r| (r % 4) as usize));
        inner.splice(0..1, [0; 70]);
        inner.extend([n as u32; 700]);
        inner
    };
    vec![
        ("one", offsets(n, [n])),
        ("of 1", offsets(n, std::iter::repeat_n(1, n))),
        ("of 5", offsets(n, std::iter::repeat_n(5, n))),
        ("of 512", offsets(n, std::iter::repeat_n(512, n))),
        ("of 700", offsets(n, std::iter::repeat_n(700, n))),
        ("of 5000", offsets(n, std::iter::repeat_n(5000, n))),
        ("below 40", offsets(n, lengths(&|r| (r % 40) as usize))),
        ("below 1500", offsets(n, lengths(&|r| (r % 1500) as usize))),
        ("by a power law", offsets(n, lengths(&power_law))),
        ("empty but for every 20th", offsets(n, (0..20 * n).map(|i| if i % 20 == 7 { 30 } else { 0 }))),
        ("empty at the ends", with_empty_ends),
        ("the last alone", offsets(n, [n.saturating_sub(1)])),
    ]
}

fn segments<'x, T>(x: &'x [T], offsets: &[u32]) -> Vec<&'x [T]> {
    offsets.windows(2).map(|pair| &x[pair[0] as usize..pair[1] as usize]).collect()
}

#[test]
fn reductions_at_every_length() {
    for n in LENGTHS {
        let x: Vec<u32> = Random(!(n as u64)).of(n);
        for (name, offsets) in some_offsets(n) {
            let sum = |segment: &[u32]| segment.iter().fold(0_u32, |a, &b| a.wrapping_add(b));
            let want: Vec<u32> = segments(&x, &offsets).into_iter().map(sum).collect();
            agree!(format!("{name}, {n}"), |e| e.segmented_reduce(&x, &offsets, Sum), want);
        }
    }
}

#[test]
fn scans_at_every_length() {
    for n in LENGTHS {
        let x: Vec<u32> = Random(!(n as u64)).of(n);
        for (name, offsets) in some_offsets(n) {
            let parts = segments(&x, &offsets);
            let inclusive: Vec<u32> = parts.iter().flat_map(|x| oracle::inclusive(x, None, u32::wrapping_add)).collect();
            let exclusive: Vec<u32> = parts.iter().flat_map(|x| oracle::exclusive(x, None, 0, u32::wrapping_add)).collect();
            agree!(format!("{name}, {n}, inclusive"), |e| e.segmented_scan(&x, &offsets, Sum), inclusive);
            agree!(format!("{name}, {n}, exclusive"), |e| e.segmented_scan(&x, &offsets, Sum).exclusive(), exclusive);
            if FEW.contains(&n) {
                let mut flags = vec![false; n];
                // The first begins a segment whatever its flag says.
                offsets.iter().filter(|&&at| at > 0 && (at as usize) < n).for_each(|&at| flags[at as usize] = true);
                agree!(format!("{name}, {n}, flagged"), |e| e.segmented_scan_flagged(&x, &flags, Sum), inclusive);
                let words: Vec<u32> = flags.iter().map(|&flag| 8 * u32::from(flag)).collect();
                let heads = || (&words).map(kernel!(|word: u32| word != 0));
                agree!(format!("{name}, {n}, words"), |e| e.segmented_scan_flagged(&x, heads(), Sum).exclusive(), exclusive);
            }
        }
    }
}

#[test]
fn an_order_that_matters() {
    #[operator(identity = (1, 0))]
    fn compose(f: (u32, u32), g: (u32, u32)) -> (u32, u32) {
        (f.0 * g.0, f.1 * g.0 + g.1)
    }
    let plain = |f: (u32, u32), g: (u32, u32)| (f.0.wrapping_mul(g.0), f.1.wrapping_mul(g.0).wrapping_add(g.1));
    for n in FEW.into_iter().chain([70_001]) {
        let random: Vec<u32> = Random(n as u64).of(2 * n);
        let x: Vec<(u32, u32)> = random.chunks(2).map(|pair| (pair[0] | 1, pair[1])).collect();
        for (name, offsets) in some_offsets(n) {
            let parts = segments(&x, &offsets);
            let want: Vec<_> = parts.iter().map(|x| oracle::reduce(x, (1, 0), plain)).collect();
            agree!(format!("{name}, {n}"), |e| e.segmented_reduce(&x, &offsets, compose::with()), want);
            let want: Vec<_> = parts.iter().flat_map(|x| oracle::inclusive(x, None, plain)).collect();
            agree!(format!("{name}, {n}, scan"), |e| e.segmented_scan(&x, &offsets, compose::with()), want);
        }
    }
}

#[test]
fn every_type() {
    macro_rules! of {
        ($($t:ident),+) => {$(
            for n in FEW {
                let x: Vec<$t> = Random(n as u64).of(n);
                for (name, offsets) in some_offsets(n) {
                    let parts = segments(&x, &offsets);
                    let label = format!("{name}, {n} {}", stringify!($t));
                    let sum: Vec<$t> = parts.iter().map(|x| oracle::reduce(x, 0 as $t, |a, b| of!(@add $t a b))).collect();
                    // The sum of no floats is -0.0.
                    let zero = |x: $t| if x == 0 as $t { 0 as $t } else { x };
                    let positive = kernel!(|x: $t| x + 0 as $t);
                    for runner in backends::all() {
                        let task = runner.engine.segmented_reduce(&x, &offsets, Sum).with_plan(&runner.plan);
                        let Some(got) = runner.result(&label, task.run()) else { continue };
                        let got: Vec<$t> = got.as_slice().unwrap().iter().copied().map(zero).collect();
                        oracle::assert_same(format!("{label} on {}", runner.name), &got, &sum, EXACT);
                    }
                    let most: Vec<$t> = parts.iter().map(|x| oracle::reduce(x, of!(@lowest $t), |a, b| if b > a { b } else { a })).collect();
                    agree!(label, |e| e.segmented_reduce((&x).map(positive), &offsets, Max), most);
                }
            }
        )+};
        (@add f32 $a:ident $b:ident) => { $a + $b };
        (@add f64 $a:ident $b:ident) => { $a + $b };
        (@add $t:ident $a:ident $b:ident) => { $a.wrapping_add($b) };
        (@lowest f32) => { f32::NEG_INFINITY };
        (@lowest f64) => { f64::NEG_INFINITY };
        (@lowest $t:ident) => { $t::MIN };
    }
    of!(f32, i32, u32, f64, i64, u64);
}

#[test]
fn no_identity_enters_the_arithmetic() {
    // The smallest of NaN alone is NaN, and of nothing it is infinity; a sum of -0.0 is -0.0.
    let x = [f32::NAN, f32::NAN, 1.0, f32::NAN, -0.0, -0.0, 0.0];
    let want = [f32::NAN, f32::INFINITY, 1.0, 0.0];
    agree!("NaN", |e| e.segmented_reduce(&x, &[0, 2, 2, 4, 7], Min), want.map(|x| if x == 0.0 { -0.0 } else { x }));
    agree!("zeros", |e| e.segmented_reduce(&x[4..], &[0, 2, 3, 3], Sum), [-0.0, 0.0, -0.0_f32]);
    let long: Vec<f32> = vec![f32::NAN; 3000];
    let ends: Vec<u32> = vec![0, 1, 1, 7, 1500, 3000];
    agree!("long NaN", |e| e.segmented_reduce(&long, &ends, Max), [f32::NAN, f32::NEG_INFINITY, f32::NAN, f32::NAN, f32::NAN]);
}

#[test]
fn truth_values_and_places() {
    let n = 5000;
    let x: Vec<f32> = Random(3).of(n);
    let flags: Vec<bool> = x.iter().map(|&x| x > 6.5).collect();
    for (name, offsets) in some_offsets(n) {
        let want: Vec<bool> = segments(&flags, &offsets).iter().map(|x| x.contains(&true)).collect();
        agree!(name, |e| e.segmented_reduce(&flags, &offsets, Or), want);
        let ranges = offsets.windows(2).map(|pair| pair[0] as usize..pair[1] as usize);
        let best = ranges.map(|range| {
            let (value, i) = oracle::arg(&x[range.clone()], |a, b| a > b, f32::NEG_INFINITY);
            (value, if range.is_empty() { u32::MAX } else { i + range.start as u32 })
        });
        let want: Vec<(f32, u32)> = best.collect();
        agree!(name, |e| e.segmented_reduce(zip(&x, iota(0..n as u32)), &offsets, ArgMax), want);
    }
}

#[test]
fn arrays_of_all_kinds() {
    for runner in backends::all() {
        let e = &runner.engine;
        let values = e.array([5_u32, 6, 1, 7, 2, 8]);
        let offsets = e.array([0_u32, 1, 1, 4]);
        // Where only a GPU knows how many values there are, it is asked.
        let large = e.filter(&values, kernel!(|x: u32| x > 4)).with_plan(&runner.plan).run().unwrap();
        let task = e.segmented_reduce(&large, &offsets, Sum).with_plan(&runner.plan);
        assert_eq!(task.run().unwrap().as_slice().unwrap(), [5, 0, 21], "{}", runner.name);
        // Offsets that were made on the device, and are read again.
        let ends = e.scan(&[1_u32, 0, 3], Sum).with_plan(&runner.plan).run().unwrap();
        let all = e.collect((&ends).map(kernel!(|x: u32| x - 1))).with_plan(&runner.plan).run().unwrap();
        for _ in 0..2 {
            let task = e.segmented_scan((&large).take(3), &all, Sum).with_plan(&runner.plan);
            assert_eq!(task.run().unwrap().as_slice().unwrap(), [5, 11, 18], "{}", runner.name);
        }
    }
}

#[test]
fn bad_offsets_are_refused() {
    let x = [1_u32; 10];
    let long: Vec<u32> = (0..9000).chain([8000]).chain(9001..10_001).collect();
    for runner in backends::all() {
        let reduce = |x: &[u32], offsets: &[u32]| {
            let slice = runner.engine.segmented_reduce(x, offsets, Sum).with_plan(&runner.plan).run().map(|_| ());
            let array = runner.engine.array(offsets);
            let array = runner.engine.segmented_reduce(x, &array, Sum).with_plan(&runner.plan).run().map(|_| ());
            assert_eq!(slice, array, "{}", runner.name);
            let scan = runner.engine.segmented_scan(x, offsets, Sum).with_plan(&runner.plan).run().map(|_| ());
            assert_eq!(slice, scan, "{}", runner.name);
            match slice {
                Err(Error::Offsets { reason }) => reason,
                other => panic!("{other:?} on {}", runner.name),
            }
        };
        assert!(reduce(&x, &[]).contains("none"));
        assert!(reduce(&x, &[1, 10]).contains("first is 1"));
        assert!(reduce(&x, &[0, 9]).contains("last is 9") && reduce(&x, &[0, 9]).contains("10 elements"));
        assert!(reduce(&x, &[0, 7, 3, 10]).contains("offset 1 is 7, offset 2 is 3"));
        assert!(reduce(&[1; 10_000], &long).contains("offset 8999 is 8999, offset 9000 is 8000"));
    }
    let engine = Engine::builder().no_cache().build().unwrap();
    assert!(matches!(engine.segmented_reduce(constant(1_u32), &[0, 1], Sum).run(), Err(Error::Unbounded)));
    assert!(matches!(engine.segmented_reduce(&x, &[0, 4], Sum).plan().map(|_| ()), Ok(())));
}

#[test]
fn sparse_matrices() {
    let mut random = Random(5);
    for (rows, columns) in [(0, 3), (1, 1), (300, 70), (2000, 5000)] {
        let lengths: Vec<usize> = (0..rows).map(|_| random.below(9)).collect();
        let entries: usize = lengths.iter().sum();
        let mut offsets = vec![0_u32];
        offsets.extend(lengths.iter().scan(0, |sum, &n| {
            *sum += n as u32;
            Some(*sum)
        }));
        let indices: Vec<u32> = (0..entries).map(|_| random.below(columns) as u32).collect();
        let values: Vec<f32> = random.of(entries);
        let x: Vec<f32> = random.of(columns);
        let row = |i: usize| {
            let range = offsets[i] as usize..offsets[i + 1] as usize;
            // Whole numbers: exact in any order.
            range.map(|k| values[k] * x[indices[k] as usize]).fold(0.0, |a, b| a + b)
        };
        let want: Vec<f32> = (0..rows).map(row).collect();
        for runner in backends::all() {
            let label = format!("{rows} x {columns} on {}", runner.name);
            let matrix = Csr::new(&runner.engine, columns, offsets.clone(), indices.clone(), values.clone()).unwrap();
            assert_eq!((matrix.rows(), matrix.columns(), matrix.values().bound()), (rows, columns, entries), "{label}");
            let product = runner.engine.spmv(&matrix, &x).with_plan(&runner.plan).run();
            let Some(product) = runner.result(&label, product) else { continue };
            let positive: Vec<f32> = product.as_slice().unwrap().iter().map(|x| x + 0.0).collect();
            oracle::assert_same(label, &positive, &want, EXACT);
        }
    }
}

#[test]
fn bad_matrices_are_refused() {
    let engine = Engine::builder().no_cache().frozen().build().unwrap();
    let new = |columns, offsets: &[u32], indices: &[u32], values: &[f32]| {
        Csr::new(&engine, columns, offsets.to_vec(), indices.to_vec(), values.to_vec()).map(|_| ())
    };
    assert_eq!(new(2, &[0, 1, 2], &[0, 2], &[1.0, 1.0]), Err(Error::OutOfRange { place: 1, index: 2, len: 2 }));
    assert_eq!(new(2, &[0, 2], &[0, 1], &[1.0]), Err(Error::LengthMismatch { left: 2, right: 1 }));
    assert!(matches!(new(2, &[0, 2, 1, 2], &[0, 1], &[1.0, 1.0]), Err(Error::Offsets { .. })));
    assert!(matches!(new(2, &[0, 1], &[0, 1], &[1.0, 1.0]), Err(Error::Offsets { .. })));
    assert_eq!(new(2, &[0, 0, 2], &[0, 1], &[1.0, 1.0]), Ok(()));
    let matrix = Csr::new(&engine, 2, vec![0, 1], vec![1], vec![1.0]).unwrap();
    assert_eq!(engine.spmv(&matrix, &[1.0; 3]).run().map(|_| ()), Err(Error::LengthMismatch { left: 2, right: 3 }));
}

#[test]
fn a_deadline_that_passes() {
    let engine = Engine::builder().no_cache().build().unwrap();
    let x: Vec<u32> = (0..100_000).collect();
    let offsets: Vec<u32> = (0..=1000).map(|i| i * 100).collect();
    let late = engine.segmented_reduce(&x, &offsets, Sum).on(Backend::Simd).deadline(std::time::Duration::ZERO).run();
    assert!(matches!(late, Err(Error::Timeout { .. })));
    let sums = engine.segmented_reduce(&x, &offsets, Sum).run().unwrap();
    assert_eq!(sums.as_slice().unwrap()[999], (99_900..100_000).sum::<u32>());
}

#[test]
fn into_memory_that_exists() {
    let x: Vec<u32> = (0..10_000).collect();
    let offsets: Vec<u32> = (0..=100).map(|i| 100 * i).collect();
    let want: Vec<u32> = x.chunks(100).map(|x| x.iter().sum()).collect();
    for runner in backends::all() {
        let e = &runner.engine;
        let mut sums = vec![0; 100];
        e.segmented_reduce(&x, &offsets, Sum).into(&mut sums).with_plan(&runner.plan).run().unwrap();
        oracle::assert_same(&runner.name, &sums, &want, EXACT);
        let mut sums = e.array(vec![0; 100]);
        e.segmented_reduce(&x, &offsets, Sum).into(&mut sums).with_plan(&runner.plan).run().unwrap();
        oracle::assert_same(&runner.name, sums.as_slice().unwrap(), &want, EXACT);
        let mut prefixes = vec![0; 10_000];
        e.segmented_scan(&x, &offsets, Sum).into(&mut prefixes).with_plan(&runner.plan).run().unwrap();
        let ends: Vec<u32> = prefixes.iter().copied().skip(99).step_by(100).collect();
        oracle::assert_same(&runner.name, &ends, &want, EXACT);
        let mut short = vec![0; 99];
        let refused = e.segmented_reduce(&x, &offsets, Sum).into(&mut short).with_plan(&runner.plan).run();
        assert_eq!(refused, Err(Error::LengthMismatch { left: 100, right: 99 }), "{}", runner.name);
        // An array that is written anew holds other offsets.
        let mut bounds = e.array([0_u32, 1, 2]);
        assert!(e.segmented_reduce(&x[..2], &bounds, Sum).with_plan(&runner.plan).run().is_ok());
        e.collect(&[0_u32, 3, 2]).into(&mut bounds).with_plan(&runner.plan).run().unwrap();
        let refused = e.segmented_reduce(&x[..2], &bounds, Sum).with_plan(&runner.plan).run().map(|_| ());
        assert!(matches!(refused, Err(Error::Offsets { .. })), "{refused:?} on {}", runner.name);
    }
}

#[test]
fn floats_have_the_same_bits_for_every_number_of_workers() {
    let n = 300_000;
    let x: Vec<f32> = Random(1).of::<u32>(n).into_iter().map(|x| x as f32 / 7.0).collect();
    for (name, offsets) in some_offsets(n) {
        let bits = |runner: &backends::Runner| {
            let sums = runner.engine.segmented_reduce(&x, &offsets, Sum).with_plan(&runner.plan).run().unwrap();
            sums.as_slice().unwrap().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        };
        // The order depends on the SIMD level, and one core must have that of the threads.
        for runner in backends::threads(&[(1, 4096), (2, 4096), (3, 8192), (8, 4096)]) {
            let level = runner.engine.simd_level();
            let one = backends::simd().into_iter().find(|one| one.engine.simd_level() == level).unwrap();
            let want = bits(&one);
            assert!(bits(&runner) == want, "{name} on {}", runner.name);
        }
    }
}
