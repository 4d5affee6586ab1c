//! The engine as users set it up, and arrays as they move between host and GPU.

#![cfg(feature = "gpu")]

#[path = "../adapter/mod.rs"]
mod adapter;
mod calls;

use std::future::{Future, IntoFuture};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use adapter::shared;
use granule::backend::simd::SimdLevel;
use granule::kernel;
use granule::plan::Plan;
use granule::prelude::*;

const BACKENDS: [Backend; 3] = [Backend::Simd, Backend::Threads, Backend::Gpu];

fn backends(engine: &Engine) -> impl Iterator<Item = Backend> {
    let gpu = engine.gpu().is_ok();
    BACKENDS.into_iter().filter(move |&b| gpu || b != Backend::Gpu)
}

/// An engine with the shared device if there is one, and anyway with a CPU.
fn any() -> Engine {
    shared().cloned().unwrap_or_else(|| Engine::builder().no_cache().no_gpu().build().unwrap())
}

#[kernel]
fn affine(x: u32, #[uniform] a: u32, #[uniform] b: u32) -> u32 {
    x * a + b
}

/// Takes as long as it is told to.
#[kernel]
fn spin(x: u32, #[uniform] rounds: u32) -> u32 {
    let mut y = x;
    let mut i = 0;
    while i < rounds {
        y = y * 1664525 + 1013904223;
        i += 1;
    }
    y
}

fn numbers(n: u32) -> Vec<u32> {
    (0..n).map(|i| i.wrapping_mul(2_654_435_761)).collect()
}

fn assert_same<T: PartialEq + std::fmt::Debug>(got: &[T], want: &[T]) {
    assert_eq!(got.len(), want.len());
    let wrong = got.iter().zip(want).position(|(g, w)| g != w);
    assert!(wrong.is_none(), "at {wrong:?}: {:?}, not {:?}", wrong.map(|i| &got[i]), wrong.map(|i| &want[i]));
}

#[test]
fn the_builder_is_obeyed() {
    let engine = Engine::builder().no_cache().simd(SimdLevel::Base).workers(3).no_gpu().build().unwrap();
    assert_eq!((engine.simd_level(), engine.workers()), (SimdLevel::Base, 3));
    let Error::Unsupported { backend, reason } = engine.gpu().unwrap_err() else { panic!("another error") };
    assert!(backend == Backend::Gpu && reason.contains("no_gpu"), "{reason}");
    assert_eq!(Engine::builder().no_cache().workers(0).no_gpu().build().unwrap().workers(), 1);
    for level in [SimdLevel::Base, SimdLevel::detect()] {
        let engine = Engine::builder().no_cache().simd(level).no_gpu().build().unwrap();
        assert_eq!(engine.reduce(iota(0..100_000_u32), Max).run().unwrap(), 99_999);
    }
    assert!(format!("{engine:?}").contains("workers: 3"), "{engine:?}");
}

#[test]
fn a_pool_of_the_users_own_does_the_work() {
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(3).thread_name(|i| format!("own {i}")).build().unwrap());
    let engine = Engine::builder().no_cache().pool(pool.clone()).no_gpu().build().unwrap();
    assert_eq!(engine.workers(), 3);
    let x = numbers(1_000_000);
    let want = x.iter().fold(0_u32, |a, &b| a.wrapping_add(b));
    assert_eq!(engine.reduce(&x, Sum).on(Backend::Threads).run().unwrap(), want);
    // From inside of that pool, from all of its threads at once, and from inside of another.
    let nested = || engine.reduce(&x, Sum).on(Backend::Threads).run().unwrap();
    assert_eq!(pool.install(nested), want);
    assert_eq!(pool.broadcast(|_| nested()), [want; 3]);
    assert_eq!(rayon::join(nested, nested), (want, want));
    let scan = || engine.scan(&x, Sum).on(Backend::Threads).run().unwrap().as_slice().unwrap()[999_999];
    assert_eq!(pool.broadcast(|_| scan()), [want; 3]);
}

#[test]
fn workers_change_at_run_time_and_results_do_not() {
    let engine = any();
    let x: Vec<f32> = (0..300_001).map(|i| (i % 1000) as f32 * 0.1).collect();
    let before = engine.reduce(&x, Sum).on(Backend::Simd).run().unwrap().to_bits();
    let other = Engine::builder().no_cache().no_gpu().workers(2).build().unwrap();
    for workers in [1, 2, 5, 64, 0] {
        other.set_workers(workers);
        assert_eq!(other.workers(), workers.max(1));
        let result = other.reduce(&x, Sum).on(Backend::Threads).run();
        match result {
            Ok(sum) => assert_eq!(sum.to_bits(), before, "{workers}"),
            Err(error) => assert!(workers <= 1 && matches!(error, Error::Unsupported { .. }), "{workers}: {error}"),
        }
    }
}

#[test]
fn clones_are_one_engine() {
    let engine = any();
    let clone = engine.clone();
    let array = clone.array_from_vec(numbers(1000));
    assert_eq!(engine.reduce(&array, Max).run().unwrap(), *array.as_slice().unwrap().iter().max().unwrap());
    let apart = Engine::builder().no_cache().no_gpu().workers(2).build().unwrap();
    let clone = apart.clone();
    clone.set_workers(7);
    assert_eq!(apart.workers(), 7);
}

/// What `the_environment_is_obeyed` runs in processes of their own.
#[test]
fn child() {
    let Ok(case) = std::env::var("GRANULE_TEST_CHILD") else { return };
    let engine = match Engine::new() {
        Ok(engine) => engine,
        Err(error) => {
            assert!(matches!(error, Error::Config { .. }), "{error}");
            println!("refused: {error}");
            return;
        }
    };
    println!("level={} workers={}", engine.simd_level(), engine.workers());
    if case == "choosing" {
        println!("cache: {:?}", engine.cache_directory());
        println!("measured: {}", engine.machine().rates.measured.overhead);
        let frozen = Engine::builder().frozen().build().unwrap();
        println!("frozen measured: {}", frozen.machine().rates.measured.overhead);
        let task = || engine.reduce(iota(0..1_u32 << 30), Sum);
        println!("runs on: {}", task().plan().unwrap().choice.backend);
        println!("pinned: {}", task().on(Backend::Threads).plan().unwrap().choice.backend);
    }
    if case == "adapter" {
        let x = numbers(1 << 20);
        let task = || engine.map(&x, spin::with(1000));
        println!("explained: {}", task().explain().unwrap());
        let plan = task().plan().unwrap();
        assert_ne!(plan.choice.backend, Backend::Gpu);
        println!("pinned: {}", task().on(Backend::Gpu).run().unwrap_err());
        println!("plan: {}", task().on(Backend::Gpu).plan().unwrap_err());
        println!("to_gpu: {}", engine.array(&x).to_gpu().unwrap_err());
        println!("sum: {}", engine.reduce(iota(0..1000_u32), Sum).run().unwrap());
    }
}

fn child_with(case: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture"]).env("GRANULE_TEST_CHILD", case);
    for name in ["GRANULE_SIMD", "GRANULE_WORKERS", "GRANULE_ADAPTER", "GRANULE_BACKEND", "GRANULE_CALIBRATE", "GRANULE_CACHE"] {
        command.env_remove(name);
    }
    let output = command.env("GRANULE_CACHE", "off").envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{variables:?}: {text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn the_environment_is_obeyed() {
    let text = child_with("set", &[("GRANULE_SIMD", "base"), ("GRANULE_WORKERS", "3")]);
    assert!(text.contains("level=base workers=3"), "{text}");
    let never =
        [("GRANULE_CACHE", "off"), ("GRANULE_CALIBRATE", "never"), ("GRANULE_BACKEND", "simd"), ("GRANULE_ADAPTER", "none")];
    let text = child_with("choosing", &never);
    for line in ["GRANULE_CACHE=off", "\nmeasured: false", "frozen measured: false", "runs on: simd", "pinned: threads"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let now = [("GRANULE_CACHE", "off"), ("GRANULE_CALIBRATE", "now"), ("GRANULE_ADAPTER", "none")];
    let text = child_with("choosing", &now);
    for line in ["\nmeasured: true", "frozen measured: false"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    for (name, value) in [
        ("GRANULE_SIMD", "sse9"),
        ("GRANULE_WORKERS", "0"),
        ("GRANULE_WORKERS", "many"),
        ("GRANULE_BACKEND", "tpu"),
        ("GRANULE_CALIBRATE", "soon"),
    ] {
        let text = child_with("wrong", &[(name, value)]);
        assert!(text.contains("refused: bad setting") && text.contains(name) && text.contains(value), "{text}");
    }
    for adapter in ["none", "no such adapter"] {
        let text = child_with("adapter", &[("GRANULE_ADAPTER", adapter)]);
        for line in ["explained: ", "pinned: ", "plan: ", "to_gpu: "] {
            let said = text.split(line).nth(1).unwrap_or_else(|| panic!("no {line}: {text}"));
            assert!(said.to_lowercase().contains(adapter), "{line} does not say why: {text}");
        }
        assert!(text.contains("sum: 499500"), "{text}");
    }
}

#[test]
fn a_users_own_device_and_queue_are_used() {
    let Some((device, queue)) = adapter::device(|_| {}) else { return };
    let engine = Engine::builder().no_cache().device(device.clone(), queue).build().unwrap();
    let x = numbers(10_000);
    let y = engine.map(&x, affine::with(3, 4)).on(Backend::Gpu).run().unwrap();
    let want: Vec<_> = x.iter().map(|&x| x.wrapping_mul(3).wrapping_add(4)).collect();
    assert_same(y.as_slice().unwrap(), &want);
    assert!(*engine.gpu().unwrap().device() == device);
}

#[test]
fn arrays_say_where_they_are() {
    let Some(engine) = shared() else { return };
    let x = numbers(5000);
    let array = engine.array(&x);
    assert_eq!((array.residency(), array.len(), array.is_empty()), (Residency::Host, Ok(5000), Ok(false)));
    array.to_gpu().unwrap();
    array.to_gpu().unwrap();
    assert_eq!(array.residency(), Residency::Both);
    let results = [
        engine.map(&array, affine::with(1, 1)).on(Backend::Gpu).run().unwrap(),
        engine.collect(&array).on(Backend::Gpu).run().unwrap(),
        engine.scan(&array, Sum).on(Backend::Gpu).run().unwrap(),
    ];
    for result in results {
        assert_eq!(result.residency(), Residency::Gpu);
        let first = result.as_slice().unwrap().as_ptr();
        assert_eq!(result.residency(), Residency::Both);
        assert_eq!(first, result.as_slice().unwrap().as_ptr());
        let vec = result.into_vec().unwrap();
        assert_eq!(vec.as_ptr(), first);
    }
    // What the CPU reads comes to the host, and stays on the GPU.
    let y = engine.map(&array, affine::with(1, 0)).on(Backend::Gpu).run().unwrap();
    assert_same(engine.collect(&y).on(Backend::Simd).run().unwrap().as_slice().unwrap(), &x);
    assert_eq!(y.residency(), Residency::Both);
    let empty = engine.array(Vec::<u32>::new());
    empty.to_gpu().unwrap();
    let none = engine.map(&empty, affine::with(1, 0)).on(Backend::Gpu).run().unwrap();
    assert!(none.bound() == 0 && none.as_slice().unwrap().is_empty());
    assert_eq!(engine.reduce(&empty, Min).on(Backend::Gpu).run().unwrap(), u32::MAX);
}

#[test]
fn vectors_move_in_and_out_without_a_copy() {
    let engine = any();
    let x = numbers(1000);
    let at = x.as_ptr();
    let array = engine.array_from_vec(x);
    assert_eq!(array.as_slice().unwrap().as_ptr(), at);
    let vec = array.into_vec().unwrap();
    assert_eq!(vec.as_ptr(), at);
}

#[test]
fn chains_on_arrays_stay_on_the_device() {
    let Some(engine) = shared() else { return };
    let x = numbers(100_000);
    let array = engine.array(&x);
    let a = engine.map(&array, affine::with(5, 1)).on(Backend::Gpu).run().unwrap();
    let b = engine.map(zip(&a, &array), kernel!(|a: u32, x: u32| a ^ x)).on(Backend::Gpu).run().unwrap();
    let c = engine.scan(&b, Sum).exclusive().on(Backend::Gpu).run().unwrap();
    let d = engine.map(gather(&c, (&array).map(kernel!(|x: u32| x % 100_000))), affine::with(1, 7)).on(Backend::Gpu);
    let d = d.run().unwrap();
    let sum = engine.reduce(&d, Sum).on(Backend::Gpu).run().unwrap();
    for step in [&a, &b, &c, &d] {
        assert_eq!(step.residency(), Residency::Gpu);
    }
    assert_eq!(array.residency(), Residency::Both);
    let mut before = 0_u32;
    let c: Vec<_> = x
        .iter()
        .map(|&x| {
            let now = before;
            before = before.wrapping_add(x.wrapping_mul(5).wrapping_add(1) ^ x);
            now
        })
        .collect();
    let want = x.iter().fold(0_u32, |s, &x| s.wrapping_add(c[(x % 100_000) as usize]).wrapping_add(7));
    assert_eq!(sum, want);
}

#[test]
fn results_go_where_they_are_told() {
    let engine = any();
    let x = numbers(10_001);
    let want: Vec<_> = x.iter().map(|x| x.wrapping_mul(7)).collect();
    for b in backends(&engine) {
        let mut slice = vec![0; 10_003];
        engine.map(&x, affine::with(7, 0)).into(&mut slice[1..10_002]).on(b).run().unwrap();
        assert_same(&slice[1..10_002], &want);
        assert_eq!((slice[0], slice[10_002]), (0, 0), "{b}: beyond the ends");
        let mut vec = vec![1; 10_001];
        let at = vec.as_ptr();
        engine.map(&x, affine::with(7, 0)).into(&mut vec).on(b).run().unwrap();
        assert_same(&vec, &want);
        assert_eq!(vec.as_ptr(), at);
        for resident in [false, true] {
            let mut array = engine.array(&x);
            if resident && engine.gpu().is_ok() {
                array = engine.collect(&x).on(Backend::Gpu).run().unwrap();
            }
            engine.map(&x, affine::with(7, 0)).on(b).into(&mut array).run().unwrap();
            assert_eq!(array.residency(), if b == Backend::Gpu { Residency::Gpu } else { Residency::Host });
            assert_same(array.as_slice().unwrap(), &want);
            engine.scan(&want, Max).on(b).into(&mut array).run().unwrap();
            let mut most = 0;
            let maxima: Vec<_> = want
                .iter()
                .map(|&w| {
                    most = w.max(most);
                    most
                })
                .collect();
            assert_same(array.as_slice().unwrap(), &maxima);
        }
        let mut four = [0_u32; 4];
        engine.collect(iota(5..9_u32)).on(b).into(&mut four).run().unwrap();
        assert_eq!(four, [5, 6, 7, 8]);
        engine.map(&x, affine::with(7, 0)).into(&mut vec).on(b).deadline(Duration::from_secs(60)).run().unwrap();
        pollster::block_on(engine.map(&x, affine::with(1, 0)).into(&mut vec).on(b).into_future()).unwrap();
        assert_same(&vec, &x);
    }
}

#[derive(Element, Clone, Copy, Debug, PartialEq)]
struct Body {
    alive: bool,
    mass: f32,
    spin: (i32, bool),
    id: u32,
}

#[kernel]
fn heavy(mass: f32) -> bool {
    mass > 10.0
}

#[test]
fn tuples_structs_and_truth_values_round_trip() {
    let engine = any();
    let bodies: Vec<Body> =
        (0..5000_u32).map(|i| Body { alive: i % 3 == 0, mass: i as f32 * 0.5, spin: (-(i as i32), i % 2 == 0), id: i }).collect();
    let triples: Vec<(u32, bool, f32)> = bodies.iter().map(|b| (b.id, b.alive, b.mass)).collect();
    let truths: Vec<bool> = bodies.iter().map(|b| b.alive).collect();
    let masses: Vec<f32> = bodies.iter().map(|b| b.mass).collect();
    for b in backends(&engine) {
        assert_same(engine.collect(&bodies).on(b).run().unwrap().as_slice().unwrap(), &bodies);
        let reversed: Vec<_> = bodies.iter().rev().copied().collect();
        assert_same(engine.collect((&bodies).reverse()).on(b).run().unwrap().as_slice().unwrap(), &reversed);
        assert_same(engine.collect(&triples).on(b).run().unwrap().as_slice().unwrap(), &triples);
        let mut slice = vec![bodies[0]; 5000];
        engine.collect(&bodies).on(b).into(&mut slice).run().unwrap();
        assert_same(&slice, &bodies);
        assert_same(engine.collect(&truths).on(b).run().unwrap().as_slice().unwrap(), &truths);
        let heavies = engine.map(&masses, heavy::with()).on(b).run().unwrap();
        assert_same(heavies.as_slice().unwrap(), &masses.iter().map(|m| *m > 10.0).collect::<Vec<_>>());
        assert!(engine.reduce(&truths, Or).on(b).run().unwrap());
        assert!(!engine.reduce(&heavies, And).on(b).run().unwrap());
        let array = engine.array(&bodies);
        if b == Backend::Gpu {
            array.to_gpu().unwrap();
        }
        let last = engine.collect(gather(&array, &[4999, 0, 77])).on(b).run().unwrap();
        assert_eq!(last.as_slice().unwrap(), [bodies[4999], bodies[0], bodies[77]]);
        let (sum, any) = engine.reduce(zip(iota(0..5000_u32), &truths), (Sum, Or)).on(b).run().unwrap();
        assert_eq!((sum, any), (4999 * 2500, true));
    }
}

#[test]
fn plans_name_all_candidates_and_can_be_kept() {
    let engine = any();
    let x = numbers(100_000);
    let explained = engine.reduce(&x, Sum).explain().unwrap();
    let text = explained.to_string();
    engine.machine();
    let plan = engine.reduce(&x, Sum).plan().unwrap();
    assert_eq!(plan.candidates.len(), 3);
    for b in BACKENDS {
        assert!(text.contains(&b.to_string()), "{b} is missing in: {text}");
        assert!(plan.candidates.iter().any(|c| c.backend == b), "{b}");
        assert!(plan.to_text().contains(&format!("backend={b}")));
    }
    for b in backends(&engine) {
        let Ok(pinned) = engine.map(&x, affine::with(2, 3)).on(b).plan() else {
            assert_eq!((b, engine.machine().cpu.cores <= 1), (Backend::Threads, true));
            continue;
        };
        assert_eq!(pinned.choice.backend, b);
        let read: Plan = pinned.to_text().parse().unwrap();
        assert_eq!(read, pinned);
        let y = engine.map(&x, affine::with(2, 3)).with_plan(&read).run().unwrap();
        assert_eq!(y.residency() == Residency::Gpu, b == Backend::Gpu, "{b}: the plan was not followed");
        assert_eq!(y.as_slice().unwrap()[9], x[9].wrapping_mul(2).wrapping_add(3));
    }
    let by_hand: Plan = "granule plan 2\nchoice backend=threads workers=2 grain=8192 gpu=0".parse().unwrap();
    assert_eq!(engine.reduce(&x, Max).with_plan(&by_hand).run().unwrap(), *x.iter().max().unwrap());
}

/// An engine that was told to do without a GPU says so, and not that nobody looked for one.
#[test]
#[cfg(feature = "gpu")]
fn a_gpu_that_was_left_out_is_said_to_be() {
    let engine = Engine::builder().no_cache().no_gpu().build().unwrap();
    let explanation = engine.reduce(&[1.0_f32; 5000], Sum).explain().unwrap().to_string();
    assert!(explanation.contains("no_gpu"), "{explanation}");
}
