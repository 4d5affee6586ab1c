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
    Engine::builder().no_cache().simd(level).workers(workers).build().unwrap()
}

/// A plan for threads where the build has them, with this grain and these workers.
fn planned(mut plan: Plan, workers: usize, grain: usize) -> Plan {
    plan.choice.workers = workers;
    plan.choice.grain = grain;
    plan
}

/// A plan's fields can be changed, so any values in them must be harmless: what cannot be carried out is refused, and all else changes
/// nothing but the speed.
#[test]
fn absurd_plans_are_refused_or_change_nothing_but_the_speed() {
    let n = 100_003;
    let x: Vec<u32> = (0..n).map(|i| i * 7).collect();
    let sum = x.iter().fold(0_u32, |a, &b| a.wrapping_add(b));
    let floats: Vec<f32> = x.iter().map(|&x| x as f32 * 0.1).collect();
    let engine = engine(SimdLevel::detect(), 2);
    let bits = engine.reduce(&floats, Sum).run().unwrap().to_bits();
    let multiples = [4096, 5 * 4096, usize::MAX / 4096 * 4096];
    for workers in [0, 1, 2, 3, usize::MAX] {
        for grain in [0, 1, 4095, 4097, 10_000, usize::MAX].into_iter().chain(multiples) {
            let what = format!("{workers} workers, grain {grain}");
            let task = engine.reduce(&x, Sum);
            let plan = planned(task.plan().unwrap(), workers, grain);
            if workers == 0 || !multiples.contains(&grain) {
                let named = if workers == 0 { "workers" } else { "grain" };
                for refused in [task.with_plan(&plan).run().err(), engine.collect(&x).with_plan(&plan).run().err()] {
                    let named = matches!(&refused, Some(granule::Error::Config { message }) if message.contains(named));
                    assert!(named, "{what}: {refused:?}");
                }
                continue;
            }
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

#[kernel]
fn float(i: u32) -> f32 {
    (i % 1000) as f32
}
#[kernel]
fn double(i: u32) -> f64 {
    i as f64
}
#[kernel]
fn long(i: u32) -> u64 {
    i as u64 * 3
}
/// Writes the scan of ones.
type Scan<'a, T> = &'a dyn Fn(&Engine, &mut [T]);

/// Every element of a large output is written, at every offset of the memory from a boundary, and nothing around it.
fn streams<T: Element + PartialEq + std::fmt::Debug>(
    kernel: impl Kernel<u32, Out = T>,
    operator: Option<Scan<'_, T>>,
    old: T,
    want: impl Fn(u32) -> T,
) {
    let n = (16 << 20) / size_of::<T>() + 12_345;
    let mut memory = vec![old; n + 9];
    for level in SimdLevel::available() {
        for workers in [1, 2] {
            let engine = engine(level, workers);
            for from in [1, 8] {
                memory.fill(old);
                let task = engine.collect(iota(0..n as u32).map(kernel));
                let mut plan = task.plan().unwrap();
                plan.choice.workers = workers;
                plan.choice.grain = 64 * 4096;
                task.into(&mut memory[from..from + n]).with_plan(&plan).run().unwrap();
                let wrong = (0..n).find(|&i| memory[from + i] != want(i as u32));
                assert_eq!(wrong, None, "{level}, {workers} workers, from {from}");
                assert!(memory[..from].iter().chain(&memory[from + n..]).all(|x| *x == old), "{level}: around");
                if let Some(scan) = operator {
                    scan(&engine, &mut memory[from..from + n]);
                }
            }
        }
    }
}

/// The scan of ones, or of what counts as one, into this memory: the i-th is i + 1.
macro_rules! counts {
    ($t:ty: $one:expr, |$i:ident| $want:expr) => {
        Some(&|engine: &Engine, out: &mut [$t]| {
            let ones = constant::<$t>($one).take(out.len());
            let task = engine.scan(ones, Sum);
            let mut plan = task.plan().unwrap();
            plan.choice.workers = engine.workers();
            task.into(&mut *out).with_plan(&plan).run().unwrap();
            let wrong = out.iter().enumerate().find(|&($i, x)| *x != $want);
            assert_eq!(wrong, None, "scan, {engine:?}");
        })
    };
}

#[test]
fn large_outputs_of_4_bytes() {
    streams(float::with(), counts!(f32: 1.0, |i| (i + 1) as f32), -1.0, |i| (i % 1000) as f32);
}
#[test]
fn large_outputs_of_8_bytes() {
    streams(double::with(), counts!(f64: 1.0, |i| (i + 1) as f64), -1.0, f64::from);
    streams(long::with(), counts!(u64: 1, |i| i as u64 + 1), u64::MAX, |i| u64::from(i) * 3);
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
