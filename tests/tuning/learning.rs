//! What calls teach, and what measuring does.

use granule::Calibrate;
use granule::plan::Why;
use granule::prelude::*;

use crate::world::{NOTHING, Place, cpu, heavy, light, numbers, predicted, scale, several_cores, sum};

/// Calls after which whatever is to be learned should have been, with a wide margin.
const MANY: usize = 20_000;

/// The processor's arithmetic is said to be ten thousand times as slow as it was measured to be.
fn slow(text: String) -> String {
    scale(&text, "ops.simple", 1e-4)
}

#[test]
fn a_wrong_rate_is_corrected_by_the_calls() {
    if !several_cores() {
        return;
    }
    let place = Place::new("wrong-rate");
    place.plant(cpu, |text| scale(&text, "ops.simple", 1e-3));
    let engine = cpu().cache(place.path()).build().unwrap();
    let x = numbers(40_000);
    let want = sum(x.iter().map(|&x| heavy(x)));
    let task = || engine.reduce((&x).map(heavy::with()), Sum);
    let (before, chosen) = (task().explain().unwrap(), task().plan().unwrap().choice.backend);
    assert_eq!(predicted(&before, chosen).seen.ratio, 1.0, "nothing was seen yet");
    let well_known = (0..MANY).any(|_| {
        assert_eq!(task().run().unwrap(), want);
        let now = task().explain().unwrap();
        predicted(&now, now.choice.unwrap().backend).seen.count >= 5
    });
    assert!(well_known, "{}", task().explain().unwrap());
    let after = task().explain().unwrap();
    let p = predicted(&after, after.choice.unwrap().backend);
    // A thousandth, if the processor does now what it did when it was measured.
    assert!(p.seen.ratio < 0.1 && p.expected() < 0.1 * p.modelled(), "{after}");
    assert!(after.to_string().contains("observed"), "{after}");
}

/// As a machine that was busy when it was measured: measuring again puts it right, and the next process has it right too.
#[test]
fn measuring_again_corrects_a_wrong_rate() {
    let place = Place::new("measured-again");
    place.plant(cpu, slow);
    let engine = cpu().cache(place.path()).build().unwrap();
    let planted = engine.machine().rates;
    assert!(planted.measured.compute, "{planted:?}");
    engine.calibrate().unwrap();
    let measured = engine.machine().rates;
    assert!(measured.ops.simple > 10.0 * planted.ops.simple, "{} a second, planted {}", measured.ops.simple, planted.ops.simple);
    drop(engine);
    assert_eq!(cpu().cache(place.path()).build().unwrap().machine().rates, measured);
}

/// What was learned with other rates says nothing of predictions that are made with these.
#[test]
fn measuring_forgets_the_samples() {
    if !several_cores() {
        return;
    }
    let engine = cpu().build().unwrap();
    let x = numbers(40_000);
    let task = || engine.reduce((&x).map(heavy::with()), Sum);
    let count = || {
        let now = task().explain().unwrap();
        predicted(&now, Backend::Simd).seen.count + predicted(&now, Backend::Threads).seen.count
    };
    let seen = (0..MANY).any(|_| {
        task().run().unwrap();
        count() > 0
    });
    assert!(seen, "{}", task().explain().unwrap());
    engine.calibrate().unwrap();
    assert_eq!(count(), 0);
}

#[test]
fn a_lazy_engine_measures_once_there_is_enough_to_gain() {
    if !several_cores() {
        return;
    }
    let engine = cpu().calibrate(Calibrate::Lazy).build().unwrap();
    let never = cpu().build().unwrap();
    let x = numbers(100_000);
    let want = sum(x.iter().map(|&x| heavy(x)));
    assert_eq!(engine.machine().rates.measured, NOTHING);
    let measured = (0..MANY).any(|_| {
        assert_eq!(engine.reduce((&x).map(heavy::with()), Sum).run().unwrap(), want);
        assert_eq!(never.reduce((&x).map(heavy::with()), Sum).run().unwrap(), want);
        engine.machine().rates.measured != NOTHING
    });
    assert!(measured, "{:?}, notes {:?}", engine.machine().rates, engine.notes());
    assert_eq!(never.machine().rates.measured, NOTHING);
}

#[test]
fn an_engine_is_measured_when_it_is_built_if_it_is_told_to() {
    let engine = cpu().calibrate(Calibrate::Now).build().unwrap();
    assert!(engine.machine().rates.measured.overhead, "{:?}", engine.machine().rates);
    let text = engine.reduce(&numbers(100_000), Sum).explain().unwrap().to_string();
    assert!(text.contains("measured on this"), "{text}");
}

/// Near a crossover both are tried, and whichever runs gives the same bits.
#[test]
fn results_are_right_while_backends_are_tried_out() {
    if !several_cores() {
        return;
    }
    let engine = cpu().build().unwrap();
    // Where the model takes both for about equally fast.
    let n = (12..24).map(|e| 3_usize << e >> 1).find(|&n| {
        let explained = engine.reduce((&vec![0; n]).map(light::with(3)), Sum).explain().unwrap();
        let on = |backend| explained.candidates.iter().find(|c| c.backend == backend).unwrap().total();
        on(Backend::Threads) < 1.5 * on(Backend::Simd)
    });
    let n = n.expect("threads gain nothing from any size");
    let x: Vec<f32> = numbers(n).iter().map(|&x| x as f32 * 1e-3).collect();
    let square = granule::kernel!(|x: f32| x * x * 0.7);
    let want = engine.reduce((&x).map(square), Sum).on(Backend::Simd).run().unwrap().to_bits();
    let mut ran = [0; 3];
    let mut tried = 0;
    for i in 0..MANY {
        let (got, analysis) = engine.reduce((&x).map(square), Sum).explain_analyze().unwrap();
        assert_eq!(got.to_bits(), want, "call {i}, on {:?}", analysis.explanation.choice);
        ran[analysis.explanation.choice.unwrap().backend as usize] += 1;
        tried += usize::from(analysis.explanation.why == Why::Tried);
        if tried > 0 && i > 300 {
            break;
        }
    }
    assert!(tried > 0 && ran[0] > 0 && ran[1] > 0 && ran[2] == 0, "{tried} tried of {ran:?}");
}

/// Four threads call, a fifth measures: no call is wrong or fails, and all of it is kept.
#[test]
fn threads_share_an_engine_that_learns() {
    let place = Place::new("shared");
    let engine = cpu().calibrate(Calibrate::Lazy).cache(place.path()).build().unwrap();
    std::thread::scope(|scope| {
        for t in 0..4_usize {
            let engine = &engine;
            scope.spawn(move || {
                let a = 2 * t as u32 + 3;
                for round in 0..60 {
                    let x = numbers(1000 << ((round + t) % 7));
                    let mapped: Vec<u32> = x.iter().map(|&x| light(x, a)).collect();
                    let what = format!("thread {t}, round {round}");
                    assert_eq!(
                        engine.reduce((&x).map(light::with(a)), Sum).run().unwrap(),
                        sum(mapped.iter().copied()),
                        "{what}"
                    );
                    let array = engine.array(&x);
                    let y = engine.map(&array, light::with(a)).run().unwrap();
                    assert!(y.as_slice().unwrap() == mapped, "{what}: a map");
                    let z = engine.scan(&y, Sum).run().unwrap();
                    assert_eq!(z.as_slice().unwrap().last(), Some(&sum(mapped)), "{what}: a scan");
                    engine.reduce(&y, Max).explain().unwrap();
                }
            });
        }
        scope.spawn(|| (0..2).for_each(|_| engine.calibrate().unwrap()));
    });
    assert_eq!(engine.notes(), [""; 0]);
    assert!(engine.machine().rates.measured.overhead);
    drop(engine);
    let next = cpu().cache(place.path()).build().unwrap();
    assert!(next.machine().rates.measured.overhead && next.notes().is_empty(), "{:?}", next.notes());
}

/// Whatever happens, a frozen engine decides as on the first day, and leaves nothing behind.
#[test]
fn frozen_engines_decide_the_same_whatever_happened() {
    let place = Place::new("frozen");
    place.plant(cpu, slow);
    let kept = std::fs::read(place.file("cpu-")).unwrap();
    let choices = |engine: &Engine| {
        let choice = |n: usize| {
            let x = vec![1_u32; n];
            let (light, heavy) = (engine.map(&x, light::with(9)), engine.reduce((&x).map(heavy::with()), Sum));
            [
                light.decide_only().unwrap(),
                light.plan().unwrap().choice,
                heavy.decide_only().unwrap(),
                heavy.plan().unwrap().choice,
            ]
        };
        [10, 5000, 30_000, 100_000, 1_000_000].map(choice)
    };
    let first = cpu().frozen().build().unwrap();
    let at_first = choices(&first);
    let second = cpu().frozen().cache(place.path()).calibrate(Calibrate::Now).build().unwrap();
    assert_eq!(second.machine().rates.measured, NOTHING, "a frozen engine was measured, or read the cache");
    assert!(second.cache_directory().unwrap_err().contains("frozen"));
    for n in [1_000_000, 30_000, 100_000, 5000] {
        let x = numbers(n);
        for _ in 0..20 {
            second.reduce((&x).map(heavy::with()), Sum).run().unwrap();
            second.map(&x, light::with(9)).run().unwrap();
        }
    }
    assert_eq!(choices(&second), at_first);
    assert!(second.plans().is_empty(), "{}", second.plans());
    drop((first, second));
    assert!(std::fs::read(place.file("cpu-")).unwrap() == kept, "a frozen engine wrote to the cache");
}
