//! What safe code can ask for that no ordinary call does: changed plans, hostile panics, absurd lengths, memory at odd addresses.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use granule::SimdLevel;
use granule::kernel::{Lanes, Varying};
use granule::plan::Plan;
use granule::prelude::*;

fn engine(level: SimdLevel, workers: usize) -> Engine {
    Engine::builder().simd(level).workers(workers).build().unwrap()
}

/// A plan for threads where the build has them, with this grain and these workers.
fn planned(mut plan: Plan, workers: usize, grain: usize) -> Plan {
    plan.choice.workers = workers;
    plan.choice.grain = grain;
    plan
}

/// A plan's fields can be changed, so any values in them must be harmless.
#[test]
fn absurd_plans_change_nothing_but_the_speed() {
    let n = 100_003;
    let x: Vec<u32> = (0..n).map(|i| i * 7).collect();
    let sum = x.iter().fold(0_u32, |a, &b| a.wrapping_add(b));
    let floats: Vec<f32> = x.iter().map(|&x| x as f32 * 0.1).collect();
    let engine = engine(SimdLevel::detect(), 2);
    let bits = engine.reduce(&floats, Sum).run().unwrap().to_bits();
    for workers in [0, 1, 2, 3, usize::MAX] {
        for grain in [0, 1, 4095, 4096, 4097, 5000, 6000, 10_000, usize::MAX / 2 + 1, usize::MAX] {
            let what = format!("{workers} workers, grain {grain}");
            let task = engine.reduce(&x, Sum);
            let plan = planned(task.plan().unwrap(), workers, grain);
            assert_eq!(task.with_plan(&plan).run().unwrap(), sum, "reduce, {what}");
            assert_eq!(engine.reduce(&x, Sum).with_plan(&plan).unordered().run().unwrap(), sum, "unordered, {what}");
            let late = Duration::from_secs(1000);
            assert_eq!(engine.reduce(&x, Sum).with_plan(&plan).deadline(late).run().unwrap(), sum, "deadline, {what}");
            assert_eq!(engine.reduce(&floats, Sum).with_plan(&plan).run().unwrap().to_bits(), bits, "floats, {what}");
            let same = engine.collect(&x).with_plan(&plan).run().unwrap().into_vec().unwrap();
            assert!(same == x, "map, {what}");
            let scanned = engine.scan(&x, Sum).with_plan(&plan).run().unwrap().into_vec().unwrap();
            assert_eq!(scanned.last(), Some(&sum), "scan, {what}");
        }
    }
}

/// A panic's payload that panics when it is dropped.
struct Bomb;
impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

/// Panics in two chunks at once, if there are two threads within a while.
#[derive(Clone, Copy)]
struct TwoPanics<'a>(&'a AtomicUsize);
impl Kernel<u32> for TwoPanics<'_> {
    type Out = u32;
    fn eval<L: Lanes>(&self, _: L, x: Varying<L, u32>) -> Varying<L, u32> {
        if x_is_recorded::<L>() {
            return x;
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        let start = Instant::now();
        while self.0.load(Ordering::Relaxed) < 2 && start.elapsed() < Duration::from_secs(1) {
            std::thread::yield_now();
        }
        panic_any(Bomb)
    }
}

/// Whether the kernel is recorded and not computed.
fn x_is_recorded<L: Lanes>() -> bool {
    std::any::type_name::<L>().contains("Trace")
}

/// The second payload is not dropped where nobody could catch what its destructor does.
#[test]
fn a_payload_that_panics_when_dropped_is_not_dropped() {
    let engine = engine(SimdLevel::detect(), 3);
    for _ in 0..3 {
        let calls = AtomicUsize::new(0);
        let task = engine.collect(iota(0..1_000_000_u32).map(TwoPanics(&calls)));
        let plan = planned(task.plan().unwrap(), 3, 4096);
        let payload: Box<dyn Any + Send> = match catch_unwind(AssertUnwindSafe(|| task.with_plan(&plan).run().map(|_| ()))) {
            Err(payload) => payload,
            Ok(result) => panic!("the kernel's panic was lost: {result:?}"),
        };
        assert!(payload.is::<Bomb>());
        std::mem::forget(payload);
        assert_eq!(engine.reduce(iota(0..1000_u32), Sum).run().unwrap(), 499_500);
    }
}

/// Lengths that no memory holds are errors, in a plan as in a run.
#[test]
fn absurd_lengths_are_errors() {
    let engine = engine(SimdLevel::detect(), 2);
    let task = engine.collect(iota(0..u64::MAX));
    let _ = task.plan();
    let _ = task.explain().map(|e| e.to_string());
    assert!(matches!(task.run(), Err(granule::Error::TooLarge { .. })));
    assert!(matches!(engine.scan(iota(0..u64::MAX), Sum).run(), Err(granule::Error::TooLarge { .. })));
    assert!(matches!(engine.collect(iota(0.0..f64::INFINITY)).run(), Err(granule::Error::TooLarge { .. })));
    let first = engine.collect(iota(u64::MAX - 3..u64::MAX).reverse()).run().unwrap();
    assert_eq!(first.as_slice().unwrap(), [u64::MAX - 1, u64::MAX - 2, u64::MAX - 3]);
    let step = engine.collect((&[1_u32, 2, 3]).step_by(usize::MAX)).run().unwrap();
    assert_eq!(step.as_slice().unwrap(), [1]);
}

/// Limits of none and of all time, and no workers.
#[test]
fn absurd_limits() {
    let engine = engine(SimdLevel::detect(), 2);
    engine.set_workers(0);
    assert_eq!(engine.workers(), 1);
    let x = vec![1_u32; 200_000];
    for workers in [1, 2, usize::MAX] {
        engine.set_workers(workers);
        assert_eq!(engine.reduce(&x, Sum).deadline(Duration::MAX).run().unwrap(), 200_000);
        assert_eq!(engine.scan(&x, Sum).deadline(Duration::MAX).run().unwrap().as_slice().unwrap()[199_999], 200_000);
        let timeout = |error| matches!(error, Some(granule::Error::Timeout { .. }));
        assert!(timeout(engine.reduce(&x, Sum).deadline(Duration::ZERO).run().err()));
        assert!(timeout(engine.collect(&x).deadline(Duration::ZERO).run().err()));
        assert!(timeout(engine.scan(&x, Sum).deadline(Duration::ZERO).run().err()));
    }
    drop(engine.reduce(&x, Sum)); // a task that is never run
}
