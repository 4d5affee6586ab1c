//! What goes wrong, on purpose: every error with its numbers, and an engine that can be used afterwards.

#![cfg(feature = "gpu")]

mod adapter;

use std::panic::{AssertUnwindSafe, catch_unwind};

use adapter::shared;
use granule::backend::gpu::Selection;
use granule::grid::{Clamp, Grid};
use granule::kernel::{Lanes, Varying, ops};
use granule::plan::Plan;
use granule::prelude::*;
use granule::{Array, kernel};

const CPU: [Backend; 2] = [Backend::Simd, Backend::Threads];

/// An engine without a GPU, but with more than one thread.
fn cpu() -> Engine {
    Engine::builder().no_cache().no_gpu().workers(4).build().unwrap()
}

fn any() -> Engine {
    shared().cloned().unwrap_or_else(cpu)
}

/// Threads by a plan: a machine with one core offers none by itself.
fn threads() -> Plan {
    "granule plan 2\nchoice backend=threads workers=4 grain=4096 gpu=0".parse().unwrap()
}

/// The GPU without a pin, as the planner chooses it.
fn heavy_on_gpu(engine: &Engine, array: &Array<u32>) -> u32 {
    let task = engine.reduce(array.map(mix::with(HEAVY)), Sum);
    assert_eq!(task.plan().unwrap().choice.backend, Backend::Gpu, "{}", task.explain().unwrap());
    task.run().unwrap()
}

const HEAVY: u32 = 8;

#[kernel]
fn mix(x: u32, #[uniform] rounds: u32) -> u32 {
    let mut y = x;
    for _i in 0..rounds {
        y = (y ^ (y >> 15)) * 0x2c1b_3c6d;
        y = (y ^ (y >> 12)) * 0x297a_2d39;
        y = (y << 3) + (y >> 5) + 7;
        y = (y ^ (y >> 11)) * 747_796_405;
    }
    y
}

fn numbers(n: u32) -> Vec<u32> {
    (0..n).map(|i| i.wrapping_mul(2_654_435_761)).collect()
}

fn heavy_sum(x: &[u32]) -> u32 {
    x.iter().fold(0_u32, |s, &x| s.wrapping_add(mix_wrapping(x, HEAVY)))
}

/// `mix` as it is in a kernel, where integers wrap in every build.
fn mix_wrapping(x: u32, rounds: u32) -> u32 {
    let mut y = x;
    for _ in 0..rounds {
        y = (y ^ (y >> 15)).wrapping_mul(0x2c1b_3c6d);
        y = (y ^ (y >> 12)).wrapping_mul(0x297a_2d39);
        y = (y << 3).wrapping_add(y >> 5).wrapping_add(7);
        y = (y ^ (y >> 11)).wrapping_mul(747_796_405);
    }
    y
}

#[test]
fn lengths_that_differ_are_named() {
    let engine = any();
    let (x, y) = (numbers(100), numbers(101));
    let mismatch = |left, right| Some(Error::LengthMismatch { left, right });
    assert_eq!(engine.reduce(zip(&x, &y), (Sum, Sum)).run().err(), mismatch(100, 101));
    assert_eq!(engine.collect(zip(&y, &x)).run().err(), mismatch(101, 100));
    assert_eq!(engine.collect(zip3(&x, constant(1_u32), (&y).skip(2))).plan().err(), mismatch(100, 99));
    let text = mismatch(100, 101).unwrap().to_string();
    assert!(text.contains("100") && text.contains("101"), "{text}");
    // A destination of another length, longer or shorter, is left as it was.
    for n in [0, 99, 101] {
        let mut out = vec![77_u32; n];
        assert_eq!(engine.collect(&x).into(&mut out).run().err(), mismatch(100, n));
        assert_eq!(engine.scan(&x, Sum).into(&mut out).run().err(), mismatch(100, n));
        let mut array = engine.array(&out);
        assert_eq!(engine.collect(&x).into(&mut array).run().err(), mismatch(100, n));
        assert!(out.iter().all(|&o| o == 77) && array.as_slice().unwrap().iter().all(|&o| o == 77));
    }
}

#[test]
fn sources_without_an_end_are_refused() {
    let engine = any();
    assert_eq!(engine.collect(constant(1.0_f32)).run().err(), Some(Error::Unbounded));
    assert_eq!(engine.reduce(constant(1_u32).skip(3), Sum).run().err(), Some(Error::Unbounded));
    assert_eq!(engine.reduce(constant(1_u32).step_by(3), Sum).run().err(), Some(Error::Unbounded));
    assert_eq!(engine.reduce(constant(1_u32).reverse(), Sum).run().err(), Some(Error::Unbounded));
    assert_eq!(engine.reduce(zip(constant(1_u32), constant(2_u32)), (Sum, Sum)).explain().err(), Some(Error::Unbounded));
    assert_eq!(engine.reduce(constant(2_u32).take(21), Sum).run(), Ok(42));
}

#[test]
fn what_cannot_be_held_is_refused_with_the_numbers() {
    let engine = any();
    for n in [usize::MAX - 1, usize::MAX / 8, 1 << 50] {
        let error = engine.collect(constant(1_u32).take(n)).on(Backend::Simd).run().unwrap_err();
        assert!(matches!(error, Error::TooLarge { elements, limit } if elements == n && limit > 1 << 40), "{error}");
        let error = engine.scan(constant(1_u32).take(n), Sum).run().unwrap_err();
        assert!(matches!(error, Error::TooLarge { elements, .. } if elements == n), "{error}");
        if engine.gpu().is_ok() {
            let error = engine.collect(constant(1_u32).take(n)).on(Backend::Gpu).run().unwrap_err();
            assert!(matches!(error, Error::Unsupported { .. }), "{error}");
            let forced: Plan = "granule plan 2\nchoice backend=gpu workers=1 grain=4096 gpu=0".parse().unwrap();
            let error = engine.collect(constant(1_u32).take(n)).with_plan(&forced).run().unwrap_err();
            assert!(!matches!(error, Error::DeviceLost { .. }), "{error}");
        }
    }
    // The index of a float is a 32-bit number.
    let error = engine.collect(iota(0.0..1e12_f32)).run().unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 0xffff_ffff, .. }), "{error}");
    assert_eq!(engine.reduce(iota(0.0..2.5_f32), Sum).run(), Ok(3.0));
    assert_eq!(engine.reduce(iota(0.25..0.5_f64), Sum).on(Backend::Simd).run(), Ok(0.25));
    let (high, low) = (3, -3);
    assert_eq!(engine.reduce(iota(high..low), Sum).run(), Ok(0));
    assert_eq!(engine.reduce(iota(i64::MAX - 2..i64::MAX), Max).on(Backend::Simd).run(), Ok(i64::MAX - 1));
    assert_eq!(engine.reduce(iota(0..u64::MAX).take(10), Max).on(Backend::Simd).run(), Ok(9));
}

#[test]
fn arrays_of_another_engine_are_refused() {
    let (engine, other) = (any(), cpu());
    let mine = engine.array(numbers(10));
    let mut theirs = other.array(numbers(10));
    assert_eq!(engine.reduce(&theirs, Sum).run().err(), Some(Error::ForeignArray));
    assert_eq!(engine.collect(gather(&mine, &theirs)).run().err(), Some(Error::ForeignArray));
    assert_eq!(engine.collect(&mine).into(&mut theirs).run().err(), Some(Error::ForeignArray));
    assert!(engine.reduce(theirs.as_slice().unwrap(), Sum).run().is_ok());
}

#[kernel]
fn sine(x: f64) -> f64 {
    x.sin()
}

#[test]
fn a_pin_that_cannot_be_kept_says_why() {
    let Some(engine) = shared() else { return };
    let x = [0.5_f64; 100];
    let error = engine.map(&x, sine::with()).on(Backend::Gpu).run().unwrap_err();
    let Error::Unsupported { backend: Backend::Gpu, reason } = &error else { panic!("{error}") };
    assert!(reason.contains("f64") || reason.contains("WGSL"), "{reason}");
    assert!(engine.map(&x, sine::with()).on(Backend::Gpu).plan().is_err());
    assert_eq!(engine.map(&x, sine::with()).run().unwrap().as_slice().unwrap().len(), 100);
    assert!(Engine::builder().no_cache().gpu(Selection::Name("no such adapter".into())).build().unwrap().gpu().is_err());
}

/// Panics when it is evaluated at this number on a CPU; a trace records an identity.
#[derive(Clone, Copy)]
struct Fragile(u32);

impl Kernel<u32> for Fragile {
    type Out = u32;
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, u32>) -> Varying<L, u32> {
        let traced = std::any::type_name::<L>().contains("Trace");
        if !traced && l.any(ops::eq(l, x, ops::lit(l, self.0)).0) {
            panic!("planted at {}", self.0);
        }
        x
    }
}

fn planted<T>(run: impl FnOnce() -> T) {
    let payload = catch_unwind(AssertUnwindSafe(run)).err().expect("the panic must reach the caller");
    let text = payload.downcast_ref::<String>().expect("the panic's own message");
    assert!(text.starts_with("planted"), "{text}");
}

#[test]
fn a_panic_in_a_kernel_reaches_the_caller_and_nothing_else() {
    let engine = cpu();
    let n = 200_000_u32;
    let threads = threads();
    let offsets: Vec<u32> = (0..=n / 10).map(|i| 10 * i).collect();
    for at in [0, 1, 4095, 4096, 65_537, 150_000, n - 1] {
        let source = || iota(0..n).map(Fragile(at));
        planted(|| engine.collect(source()).on(Backend::Simd).run());
        planted(|| engine.reduce(source(), Sum).on(Backend::Simd).run());
        planted(|| engine.scan(source(), Sum).on(Backend::Simd).run());
        planted(|| engine.collect(source()).with_plan(&threads).run());
        planted(|| engine.reduce(source(), Sum).with_plan(&threads).run());
        planted(|| engine.reduce(source(), Sum).unordered().with_plan(&threads).run());
        planted(|| engine.scan(source(), Sum).with_plan(&threads).run());
        let mut out = vec![0_u32; n as usize];
        planted(|| engine.scan(source(), Sum).with_plan(&threads).into(&mut out).run());
        planted(|| engine.segmented_reduce(source(), &offsets, Sum).with_plan(&threads).run());
        planted(|| engine.segmented_scan(source(), &offsets, Sum).with_plan(&threads).run());
        planted(|| engine.reduce_by_key(iota(0..n), source(), Sum).with_plan(&threads).run());
        planted(|| engine.reduce_by_key(source(), iota(0..n), Sum).with_plan(&threads).run());
        let places = || iota(0..n).map(kernel!(|i: u32| i / 2));
        planted(|| engine.scatter(source(), places(), n as usize).with_plan(&threads).run());
        planted(|| engine.scatter(iota(0..n), source(), n as usize).with_plan(&threads).run());
        planted(|| engine.scatter_reduce(source(), places(), n as usize, Sum).with_plan(&threads).run());
        planted(|| engine.replicate(source(), constant(1_u32).take(n as usize)).with_plan(&threads).run());
        let grid = || Grid::new(source(), [400, 500]).unwrap();
        planted(|| engine.transpose(grid()).with_plan(&threads).run());
        planted(|| engine.reduce_axis(grid(), 0, Sum).with_plan(&threads).run());
        planted(|| engine.scan_axis(grid(), 0, Sum).with_plan(&threads).run());
        planted(|| engine.convolve(grid(), Clamp, &[1, 2, 3], [1, 3]).with_plan(&threads).run());
        planted(|| pollster::block_on(std::future::IntoFuture::into_future(engine.reduce(source(), Sum).with_plan(&threads))));
    }
    // What had been allocated for their results was not lost.
    assert!(engine.release_memory() >= 4 * n as usize);
    let healthy = || iota(0..n).map(Fragile(n));
    for b in CPU {
        let Ok(plan) = engine.reduce(healthy(), Max).on(b).plan() else { continue };
        assert_eq!(engine.reduce(healthy(), Max).with_plan(&plan).run(), Ok(n - 1));
        assert_eq!(engine.scan(healthy(), Max).with_plan(&plan).run().unwrap().as_slice().unwrap()[77_777], 77_777);
    }
    assert_eq!(engine.reduce(healthy(), Max).with_plan(&threads).run(), Ok(n - 1));
}

#[test]
fn a_lost_device_costs_only_what_was_there_alone() {
    let Some(engine) = adapter::preferred() else { return };
    let x = numbers(200_000);
    let want = heavy_sum(&x);
    let both = engine.array(&x);
    both.to_gpu().unwrap();
    let host = engine.array(&x);
    let lone = engine.collect(&x).on(Backend::Gpu).run().unwrap();
    assert_eq!(heavy_on_gpu(&engine, &both), want);
    assert_eq!(engine.gpu_fallback(), None);

    engine.gpu().unwrap().device().destroy();
    // Unpinned, though still planned for the GPU: the CPU takes over.
    assert_eq!(engine.reduce((&both).map(mix::with(HEAVY)), Sum).run(), Ok(want));
    let why = engine.gpu_fallback().expect("the reason is kept");
    assert!(matches!(why, Error::DeviceLost { .. }), "{why}");
    // From now on it is not planned for, and the explanation says why.
    let task = engine.reduce((&both).map(mix::with(HEAVY)), Sum);
    assert_ne!(task.plan().unwrap().choice.backend, Backend::Gpu);
    let told = task.explain().unwrap().to_string();
    assert!(told.contains("lost"), "{told}");
    assert_eq!(
        pollster::block_on(std::future::IntoFuture::into_future(engine.reduce((&both).map(mix::with(HEAVY)), Sum))),
        Ok(want)
    );
    assert_eq!(engine.reduce((&host).map(mix::with(HEAVY)), Sum).run(), Ok(want));
    assert_eq!(engine.map(&both, mix::with(HEAVY)).run().unwrap().as_slice().unwrap()[5], mix_wrapping(x[5], HEAVY));
    assert!(both.as_slice().unwrap() == x && host.as_slice().unwrap() == x);

    let lost = |result: Result<u32, Error>| assert!(matches!(result, Err(Error::DeviceLost { .. })), "{result:?}");
    lost(engine.reduce(&both, Sum).on(Backend::Gpu).run());
    lost(engine.map(&both, mix::with(2)).on(Backend::Gpu).run().and_then(|y| y.to_vec()).map(|y| y[0]));
    lost(engine.reduce(&x, Sum).on(Backend::Gpu).run());
    lost(lone.as_slice().map(|s| s[0]));
    lost(engine.reduce(&lone, Sum).run());
    lost(engine.reduce(&lone, Sum).on(Backend::Simd).run());
    lost(host.to_gpu().map(|()| 0));
    assert_eq!(engine.reduce(&x, Max).on(Backend::Simd).run(), Ok(*x.iter().max().unwrap()));
    // A new engine opens the adapter again.
    let again = adapter::engine().unwrap();
    assert_eq!(again.reduce(&x, Max).on(Backend::Gpu).run(), Ok(*x.iter().max().unwrap()));
}

#[test]
fn the_loss_of_a_users_own_device_is_noticed() {
    let Some((device, queue)) = adapter::device(|_| {}) else { return };
    let engine = Engine::builder().no_cache().device(device.clone(), queue).build().unwrap();
    let x = numbers(10_000);
    let most = *x.iter().max().unwrap();
    assert_eq!(engine.reduce(&x, Max).on(Backend::Gpu).run(), Ok(most));
    device.destroy();
    for _ in 0..2 {
        let error = engine.reduce(&x, Max).on(Backend::Gpu).run().unwrap_err();
        assert!(matches!(error, Error::DeviceLost { .. }), "{error}");
        assert_eq!(engine.reduce(&x, Max).run(), Ok(most));
    }
}

#[test]
fn a_full_gpu_sends_the_call_to_the_cpu() {
    let Some(engine) = adapter::preferred() else { return };
    let x = numbers(900_000);
    let array = engine.array(&x);
    array.to_gpu().unwrap();
    let gpu = engine.gpu().unwrap();
    gpu.wait(None).unwrap();
    gpu.pool().clear();
    gpu.pool().set_limit(gpu.pool().stats().total + 70_000);
    let other = numbers(890_000);
    let error = engine.reduce(&other, Sum).on(Backend::Gpu).run().unwrap_err();
    assert!(matches!(error, Error::OutOfMemory { bytes } if bytes >= 3_560_000), "{error}");
    let error = engine.map(&array, mix::with(1)).on(Backend::Gpu).run().unwrap_err();
    assert!(matches!(error, Error::OutOfMemory { bytes } if bytes >= 3_600_000), "{error}");
    // Unpinned, and as the resident input suggests planned for the GPU.
    let task = engine.map(&array, mix::with(HEAVY));
    assert_eq!(task.plan().unwrap().choice.backend, Backend::Gpu, "{}", task.explain().unwrap());
    let y = task.run().unwrap();
    assert!(matches!(engine.gpu_fallback(), Some(Error::OutOfMemory { .. })), "{:?}", engine.gpu_fallback());
    assert_eq!(y.residency(), Residency::Host);
    assert!(x.iter().zip(y.as_slice().unwrap()).step_by(1001).all(|(&x, &y)| mix_wrapping(x, HEAVY) == y));
    gpu.pool().set_limit(u64::MAX);
    assert_eq!(engine.map(&array, mix::with(1)).on(Backend::Gpu).run().unwrap().residency(), Residency::Gpu);
}

#[test]
fn odd_views_are_defined() {
    let engine = any();
    let x: Vec<u32> = (100..110).collect();
    let none: [u32; 0] = [];
    let far = [0, 3, 4, 9, 10, 1 << 30, u32::MAX];
    for b in [Backend::Simd, Backend::Gpu].into_iter().filter(|&b| b == Backend::Simd || engine.gpu().is_ok()) {
        let collect = |s| engine.collect(s).on(b);
        assert_eq!(collect((&x).step_by(0)).run().unwrap().to_vec().unwrap(), x, "{b}");
        assert_eq!(engine.collect((&x).take(100)).on(b).run().unwrap().to_vec().unwrap(), x);
        assert_eq!(engine.collect((&x).skip(100)).on(b).run().unwrap().bound(), 0);
        assert_eq!(engine.collect((&x).take(0)).on(b).run().unwrap().bound(), 0);
        assert_eq!(engine.collect((&x).skip(7).take(100).reverse()).on(b).run().unwrap().to_vec().unwrap(), [109, 108, 107]);
        assert_eq!(engine.collect((&x).step_by(100)).on(b).run().unwrap().to_vec().unwrap(), [100]);
        assert_eq!(engine.collect((&x).step_by(usize::MAX)).on(b).run().unwrap().to_vec().unwrap(), [100]);
        assert_eq!(engine.reduce((&none).reverse(), Sum).on(b).run(), Ok(0));

        let at = |got: granule::Result<Array<u32>>| got.unwrap().to_vec().unwrap();
        assert_eq!(at(engine.collect(gather(&x, &far)).on(b).run()), [100, 103, 104, 109, 109, 109, 109], "{b}");
        assert_eq!(at(engine.collect(gather(&none, &far)).on(b).run()), [0; 7], "{b}: an empty source gives zeros");
        assert_eq!(at(engine.collect(gather((&x).skip(5), &far)).on(b).run()), [105, 108, 109, 109, 109, 109, 109], "{b}");
        assert_eq!(at(engine.collect(gather((&x).take(4), &far)).on(b).run()), [100, 103, 103, 103, 103, 103, 103], "{b}");
        assert_eq!(at(engine.collect(gather((&x).step_by(4), &far)).on(b).run()), [100, 108, 108, 108, 108, 108, 108], "{b}");
        assert_eq!(at(engine.collect(gather((&x).reverse(), &far)).on(b).run()), [109, 106, 105, 100, 100, 100, 100], "{b}");
        assert_eq!(at(engine.collect(gather(iota(5..10_u32), &far)).on(b).run()), [5, 8, 9, 9, 9, 9, 9], "{b}");
        let nested = gather(gather(&x, (&far).reverse()), &far);
        assert_eq!(at(engine.collect(nested).on(b).run()), [109, 109, 104, 100, 100, 100, 100], "{b}");
        assert_eq!(engine.collect(gather(&x, &none)).on(b).run().unwrap().bound(), 0);
    }
}

#[kernel]
fn look(i: u32, #[uniform] add: u32, table: &[u32]) -> u32 {
    table[i as usize] + add
}

#[test]
fn what_changes_at_run_time_compiles_nothing() {
    let Some(engine) = adapter::engine() else { return };
    let gpu = engine.gpu().unwrap();
    let x = numbers(40_000);
    let run = |k: usize| {
        let part = &x[..20_000 + 97 * k];
        let table = &x[k..k + 100 + k];
        let source = || zip(part.skip(k), constant(k as u32).take(part.len() - k)).map(kernel!(|a: u32, c: u32| a ^ c));
        let want: Vec<u32> = part[k..].iter().map(|a| a ^ k as u32).collect();
        let y = engine.map(source(), mix::with(k as u32)).on(Backend::Gpu).run().unwrap();
        let at = k * 31 % want.len();
        assert_eq!(y.as_slice().unwrap()[at], mix_wrapping(want[at], k as u32));
        let sum = engine.reduce(source(), Sum).on(Backend::Gpu).run().unwrap();
        assert_eq!(sum, want.iter().fold(0_u32, |s, &w| s.wrapping_add(w)));
        let scan = engine.scan(source(), Sum).on(Backend::Gpu).run().unwrap();
        assert_eq!(scan.as_slice().unwrap()[want.len() - 1], sum);
        let z = engine.map(iota(k as u32..k as u32 + 50), look::with(k as u32, table)).on(Backend::Gpu).run().unwrap();
        assert_eq!(z.as_slice().unwrap()[0], table[k.min(table.len() - 1)].wrapping_add(k as u32));
    };
    run(0);
    let compiled = gpu.compilations();
    assert!(compiled > 0);
    (1..=100).for_each(run);
    assert_eq!(gpu.compilations(), compiled);
}
