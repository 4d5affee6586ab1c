//! Inputs above what one binding or one dispatch takes: on a device that was requested with small limits, so that small data is
//! cut into chunks, windows and two-dimensional grids. All results are exact.

#![cfg(feature = "gpu")]

mod adapter;

use adapter::shared;
use granule::kernel;
use granule::plan::{Choice, Plan};
use granule::prelude::*;

const KIB: u64 = 1024;

/// An engine whose device binds no more than this, and has few workgroups in a dimension.
fn small(binding: u64) -> Option<Engine> {
    let (device, queue) = adapter::device(|limits| {
        limits.max_storage_buffer_binding_size = binding;
        limits.max_compute_workgroups_per_dimension = 16;
    })?;
    let engine = Engine::builder().no_cache().device(device, queue).build().unwrap();
    let gpu = engine.gpu().unwrap();
    assert_eq!((gpu.limits().max_storage_buffer_binding_size, gpu.limits().max_compute_workgroups_per_dimension), (binding, 16));
    Some(engine)
}

fn numbers(n: usize) -> Vec<u32> {
    (0..n as u32).map(|i| i.wrapping_mul(2_654_435_761)).collect()
}

fn assert_same<T: PartialEq + std::fmt::Debug>(what: &str, got: &[T], want: &[T]) {
    assert_eq!(got.len(), want.len(), "{what}");
    if let Some(i) = got.iter().zip(want).position(|(g, w)| g != w) {
        panic!("{what}: at {i} of {}: {:?}, not {:?}", got.len(), got[i], want[i]);
    }
}

fn sum(x: &[u32]) -> u32 {
    x.iter().fold(0, |s, x| s.wrapping_add(*x))
}

fn prefixes(x: &[u32]) -> Vec<u32> {
    let mut s = 0_u32;
    x.iter()
        .map(|x| {
            s = s.wrapping_add(*x);
            s
        })
        .collect()
}

/// Keeps the last: it does not commute.
#[operator(identity = 0)]
fn last(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { b }
}

/// Map, reduce and scan of one source against what it should give.
fn all<S: granule::source::Source<Item = u32>>(engine: &Engine, what: &str, source: S, want: &[u32]) {
    let b = Backend::Gpu;
    assert_same(what, engine.collect(source).on(b).run().unwrap().as_slice().unwrap(), want);
    assert_eq!(engine.reduce(source, Sum).on(b).run().unwrap(), sum(want), "{what}: reduce");
    let kept = want.iter().rev().find(|x| **x != 0).copied().unwrap_or(0);
    assert_eq!(engine.reduce(source, last::with()).on(b).run().unwrap(), kept, "{what}: in order");
    assert_same(what, engine.scan(source, Sum).on(b).run().unwrap().as_slice().unwrap(), &prefixes(want));
    let exclusive = engine.scan(source, Sum).exclusive().init(9).on(b).run().unwrap();
    let shifted: Vec<_> = prefixes(want).iter().zip(want).map(|(p, x)| p.wrapping_sub(*x).wrapping_add(9)).collect();
    assert_same(what, exclusive.as_slice().unwrap(), &shifted);
}

#[test]
fn windows_move_with_the_chunks() {
    // 32 Ki elements in a binding: data of up to 6 bindings, at lengths beside every edge.
    let Some(engine) = small(128 * KIB) else { return };
    for n in [32_767, 32_768, 32_769, 65_536, 196_609, 100_003] {
        let x = numbers(n);
        let y: Vec<u32> = x.iter().map(|x| x.rotate_left(7)).collect();
        all(&engine, "forward", (&x).into_source(), &x);
        all(&engine, "reversed", (&x).reverse(), &x.iter().rev().copied().collect::<Vec<_>>());
        for by in [1, 63, 64, 65, 4097, 30_000] {
            all(&engine, &format!("skip {by}"), (&x).skip(by), &x[by..]);
        }
        all(
            &engine,
            "skipped and reversed",
            (&x).skip(77).reverse().skip(5),
            &x[77..n - 5].iter().rev().copied().collect::<Vec<_>>(),
        );
        for step in [2, 3] {
            all(&engine, &format!("step {step}"), (&x).step_by(step), &x.iter().step_by(step).copied().collect::<Vec<_>>());
            let back: Vec<_> = x.iter().rev().step_by(step).copied().collect();
            all(&engine, &format!("step -{step}"), (&x).reverse().step_by(step), &back);
        }
        let two = zip(&x, (&y).reverse()).map(kernel!(|a: u32, b: u32| a ^ b));
        let want: Vec<_> = x.iter().zip(y.iter().rev()).map(|(a, b)| a ^ b).collect();
        all(&engine, "two inputs, one reversed", two, &want);
        let stencil =
            zip3((&x).take(n - 2), (&x).skip(1).take(n - 2), (&x).skip(2)).map(kernel!(|a: u32, b: u32, c: u32| a ^ b ^ c));
        let want: Vec<_> = x.windows(3).map(|w| w[0] ^ w[1] ^ w[2]).collect();
        all(&engine, "one input at three offsets", stencil, &want);
        // A short one beside a long one, a counted one, and a constant.
        let mixed = zip4(&x, iota(0..n as u32), constant(3_u32), (&y).skip(9).take(n))
            .map(kernel!(|a: u32, i: u32, c: u32, _y: u32| a * c + i));
        let error = engine.collect(mixed).on(Backend::Gpu).run().unwrap_err();
        assert_eq!(error, Error::LengthMismatch { left: n, right: n - 9 });
        let mixed = zip3(&x, iota(0..n as u32), constant(3_u32)).map(kernel!(|a: u32, i: u32, c: u32| a * c + i));
        let want: Vec<_> = x.iter().zip(0..).map(|(x, i)| x.wrapping_mul(3).wrapping_add(i)).collect();
        all(&engine, "mixed", mixed, &want);
    }
}

#[test]
fn wide_elements_and_arrays_are_cut_too() {
    let Some(engine) = small(256 * KIB) else { return };
    let n = 120_001;
    let x = numbers(n);
    let triples: Vec<(u32, f32, bool)> = x.iter().map(|&x| (x, x as f32, x % 2 == 0)).collect();
    let b = Backend::Gpu;
    let array = engine.array(&triples);
    array.to_gpu().unwrap();
    let back = engine.collect((&array).reverse()).on(b).run().unwrap();
    assert_eq!(back.residency(), Residency::Gpu);
    let twice = engine.collect((&back).reverse()).on(b).run().unwrap();
    assert_same("twice reversed", twice.as_slice().unwrap(), &triples);
    let (sum_of, any) = engine.reduce((&back).map(kernel!(|x: u32, _f: f32, e: bool| (x, e))), (Sum, Or)).on(b).run().unwrap();
    assert_eq!((sum_of, any), (sum(&x), true));
    let pairs: Vec<(u32, u32)> = x.iter().map(|&x| (x % 1000, x >> 20)).collect();
    let scan = engine.scan(&pairs, (Sum, Max)).on(b).run().unwrap();
    let (mut s, mut most) = (0, 0);
    let want: Vec<_> = pairs
        .iter()
        .map(|p| {
            (s, most) = (s + p.0, most.max(p.1));
            (s, most)
        })
        .collect();
    assert_same("scan of pairs", scan.as_slice().unwrap(), &want);
    let floats: Vec<f32> = x.iter().map(|x| (x >> 8) as f32 / 1e3).collect();
    let same = engine.reduce(&floats, Sum).on(Backend::Simd).run().unwrap();
    if engine.gpu().unwrap().verdict().unwrap().ieee_f32 {
        assert_eq!(engine.reduce(&floats, Sum).on(b).run().unwrap().to_bits(), same.to_bits(), "the canonical order, in chunks");
    }
    let (i, at) = engine.reduce(zip(&x, iota(0..n as u32)), ArgMin).on(b).run().unwrap();
    assert_eq!((i, at), (*x.iter().min().unwrap(), x.iter().enumerate().min_by_key(|p| p.1).unwrap().0 as u32));
}

#[kernel]
fn find(i: u32, table: &[u32]) -> u32 {
    table[i as usize]
}

#[test]
fn random_access_must_fit_one_binding() {
    let Some(engine) = small(128 * KIB) else { return };
    let indices: Vec<u32> = numbers(50_000).iter().map(|i| i % 40_000).collect();
    let fits = numbers(32_768);
    let large = numbers(32_769);
    let want = |table: &[u32]| indices.iter().map(|&i| table[(i as usize).min(table.len() - 1)]).collect::<Vec<_>>();
    let b = Backend::Gpu;
    assert_same("fits", engine.map(&indices, find::with(&fits)).on(b).run().unwrap().as_slice().unwrap(), &want(&fits));
    assert_same("fits", engine.collect(gather(&fits, &indices)).on(b).run().unwrap().as_slice().unwrap(), &want(&fits));
    let refusals = [
        engine.map(&indices, find::with(&large)).on(b).run().err(),
        engine.collect(gather(&large, &indices)).on(b).run().err(),
        engine.reduce(gather(&large, &indices), Sum).on(b).run().map(|_| ()).err(),
        engine.scan(gather(&large, &indices), Sum).on(b).run().err(),
    ];
    for error in refusals {
        let Some(Error::Unsupported { backend: Backend::Gpu, reason }) = &error else { panic!("{error:?}") };
        assert!(reason.contains("131076") && reason.contains("131072") && reason.contains("CPU"), "{reason}");
    }
    assert_same("on the CPU", engine.map(&indices, find::with(&large)).run().unwrap().as_slice().unwrap(), &want(&large));
    assert_eq!(engine.reduce(gather(&large, &indices), Sum).run().unwrap(), sum(&want(&large)));
    // A tile whose stride spans more than a binding.
    let far = numbers(1_000_000);
    let error = engine.collect((&far).step_by(100)).on(b).run().unwrap_err();
    assert!(matches!(&error, Error::Unsupported { reason, .. } if reason.contains("CPU")), "{error}");
    assert_eq!(engine.collect((&far).step_by(100)).run().unwrap().as_slice().unwrap()[77], far[7700]);
}

#[test]
fn a_buffer_above_the_devices_limit_is_refused_or_goes_to_the_cpu() {
    let limits = |limits: &mut wgpu::Limits| {
        limits.max_buffer_size = 256 * KIB;
        limits.max_storage_buffer_binding_size = 128 * KIB;
    };
    let Some((device, queue)) = adapter::device(limits) else { return };
    let engine = Engine::builder().no_cache().device(device, queue).build().unwrap();
    let x = numbers(65_536);
    assert_eq!(engine.reduce(&x, Sum).on(Backend::Gpu).run().unwrap(), sum(&x));
    let x = numbers(65_537);
    let errors = [
        engine.reduce(&x, Sum).on(Backend::Gpu).run().err(),
        engine.collect(iota(0..65_537_u32)).on(Backend::Gpu).run().err(),
        engine.array(&x).to_gpu().err(),
    ];
    for error in errors {
        assert!(
            matches!(error, Some(Error::Unsupported { .. } | Error::TooLarge { .. } | Error::OutOfMemory { .. })),
            "{error:?}"
        );
    }
    assert_eq!(engine.reduce(&x, Sum).run().unwrap(), sum(&x));
}

#[test]
fn more_than_one_real_binding() {
    let Some(engine) = shared() else { return };
    // 160 MiB: more than the 128 MiB that WebGPU promises for a binding.
    let n = 40 * 1024 * 1024 + 3;
    let b = Backend::Gpu;
    let x = engine.map(iota(0..n as u32), kernel!(|i: u32| i * 3)).on(b).run().unwrap();
    let back = engine.collect((&x).reverse()).on(b).run().unwrap();
    let total = engine.reduce(&back, Sum).on(b).run().unwrap();
    assert_eq!(total, (0..n as u32).fold(0_u32, |s, i| s.wrapping_add(i.wrapping_mul(3))));
    let host = back.as_slice().unwrap();
    for at in [0, 1, n / 2, n - 2, n - 1] {
        assert_eq!(host[at], ((n - 1 - at) as u32).wrapping_mul(3), "{at}");
    }
}

/// A plan for the GPU where a workgroup takes this many elements.
fn grained(grain: usize) -> Plan {
    Plan { choice: Choice { backend: Backend::Gpu, workers: 1, grain, gpu: 0 }, candidates: Vec::new() }
}

#[operator(identity = 0.0)]
fn halved(a: f32, b: f32) -> f32 {
    a + b * 0.5
}

/// Every primitive with several tiles a workgroup, against one: whole tiles and odd tails, groups that are full and such that are not,
/// also where the data is cut into chunks that hold fewer tiles than a workgroup takes.
#[test]
fn the_grain_changes_no_bit() {
    let Some(engine) = shared() else { return };
    let Some(small) = small(256 * KIB) else { return };
    for engine in [engine, &small] {
        for n in [1, 4095, 4096, 4097, 3 * 4096, 6 * 4096 + 1, 7 * 4096 - 1, 200_003] {
            let x: Vec<f32> = numbers(n).iter().map(|x| (x >> 8) as f32 / 1e3 - 7e3).collect();
            let results = |grain: usize| {
                let plan = &grained(grain);
                let bits = |array: Array<f32>| array.as_slice().unwrap().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                let (mut mapped, mut scanned) = (vec![0.0_f32; n], vec![0.0_f32; n]);
                engine.map(&x, kernel!(|x: f32| x * 3.0)).into(&mut mapped).with_plan(plan).run().unwrap();
                engine.scan(&x, Sum).into(&mut scanned).with_plan(plan).run().unwrap();
                let arrays = [
                    mapped.iter().map(|x| x.to_bits()).collect(),
                    scanned.iter().map(|x| x.to_bits()).collect(),
                    bits(engine.map(&x, kernel!(|x: f32| x + 1.0)).with_plan(plan).run().unwrap()),
                    bits(engine.scan(&x, Sum).exclusive().init(3.0).with_plan(plan).run().unwrap()),
                    bits(engine.scan((&x).reverse(), halved::with()).with_plan(plan).run().unwrap()),
                ];
                let sums = [
                    engine.reduce(&x, Sum).with_plan(plan).run().unwrap(),
                    engine.reduce((&x).reverse(), halved::with()).with_plan(plan).run().unwrap(),
                    pollster::block_on(engine.reduce(&x, Max).with_plan(plan).into_future()).unwrap(),
                ];
                (arrays, sums.map(f32::to_bits))
            };
            let (arrays, sums) = results(4096);
            for tiles in [2, 3, 16, 1 << 40] {
                let (got, folded) = results(tiles * 4096);
                assert_eq!(folded, sums, "{n} elements, {tiles} tiles");
                for (form, (got, want)) in got.iter().zip(&arrays).enumerate() {
                    assert_same(&format!("{n} elements, {tiles} tiles, form {form}"), got, want);
                }
            }
        }
    }
}

#[test]
fn a_plan_with_a_bad_grain_is_refused() {
    let Some(engine) = shared() else { return };
    let x = numbers(10_000);
    for (backend, workers, grain) in [
        (Backend::Gpu, 1, 0),
        (Backend::Gpu, 1, 4095),
        (Backend::Gpu, 1, 6144),
        (Backend::Simd, 1, 1000),
        (Backend::Threads, 0, 4096),
    ] {
        let plan = Plan { choice: Choice { backend, workers, grain, gpu: 0 }, candidates: Vec::new() };
        let (what, value) = if workers == 0 { ("workers", 0) } else { ("grain", grain) };
        for error in [
            engine.reduce(&x, Sum).with_plan(&plan).run().err(),
            engine.map(&x, kernel!(|x: u32| x + 1)).with_plan(&plan).run().err(),
            pollster::block_on(engine.scan(&x, Sum).with_plan(&plan).into_future()).err(),
        ] {
            let Some(Error::Config { message }) = &error else { panic!("{backend}, {grain}: {error:?}") };
            assert!(message.contains(what) && message.contains(&format!("`{value}`")), "{message}");
        }
    }
}

/// Where one tile a workgroup would take more workgroups than a grid has, several do.
#[test]
fn a_larger_grain_needs_fewer_workgroups() {
    let limits = |limits: &mut wgpu::Limits| limits.max_compute_workgroups_per_dimension = 4;
    let Some((device, queue)) = adapter::device(limits) else { return };
    let engine = Engine::builder().no_cache().device(device, queue).build().unwrap();
    // Of 4 by 4 workgroups: 17 tiles, which one each cannot take.
    let x = numbers(16 * 4096 + 1);
    let error = engine.reduce(&x, Sum).with_plan(&grained(4096)).run().unwrap_err();
    assert!(matches!(error, Error::TooLarge { elements: 17, limit: 16 }), "{error}");
    assert_eq!(engine.reduce(&x, Sum).with_plan(&grained(2 * 4096)).run().unwrap(), sum(&x));
    let scanned = engine.scan(&x, Sum).with_plan(&grained(2 * 4096)).run().unwrap();
    assert_same("scan", scanned.as_slice().unwrap(), &prefixes(&x));
}
