//! With a GPU: rates that flatter it, chains that stay on it, and what happens when it is gone.

use std::fs;

use granule::Calibrate;
use granule::machine::{GpuKind, GpuRates, Link, OpRates};
use granule::plan::Plans;
use granule::prelude::*;

use crate::adapter;
use crate::world::{self, Place, cpu, heavy, light, numbers, predicted, sum};

/// A GPU that is said to do anything in no time, but for submitting it and bringing data there.
fn rates(submit: f64, upload: f64) -> GpuRates {
    let bandwidth = 1e15;
    GpuRates {
        submit,
        dispatch: 1e-9,
        compile: 0.0,
        upload: Link { latency: upload, bandwidth },
        download: Link { latency: 1e-9, bandwidth },
        memory: 1e15,
        cache: 1e15,
        ops: OpRates::all(1e17),
        ..GpuRates::prior(GpuKind::Discrete)
    }
}

#[test]
fn a_flattered_gpu_is_found_out() {
    let set = rates(20e-6, 1e-9);
    let Some(engine) = adapter::learning(|builder| builder.calibrate(Calibrate::Never).workers(1).gpu_rates(set)) else { return };
    let software = engine.machine().gpus()[0].kind == GpuKind::Software;
    let x = numbers(100_000);
    let want = sum(x.iter().map(|&x| heavy(x)));
    let task = || engine.reduce((&x).map(heavy::with()), Sum);
    assert_eq!(task().plan().unwrap().choice.backend, Backend::Gpu);
    for _ in 0..100 {
        assert_eq!(task().run().unwrap(), want);
    }
    let explained = task().explain().unwrap();
    let gpu = predicted(&explained, Backend::Gpu);
    assert!(gpu.seen.count > 0, "{explained}");
    // A program on the CPU takes more than 20 us for a call. Of a real GPU only so much is sure: it is judged by what was measured.
    assert!(gpu.seen.ratio > 2.0 || !software, "{explained}");
    let others = explained.candidates.iter().filter(|c| c.backend != Backend::Gpu).map(|c| c.total());
    let best = others.fold(f64::INFINITY, f64::min);
    if gpu.total > 2.0 * best {
        assert_ne!(explained.choice.unwrap().backend, Backend::Gpu, "{explained}");
    }
}

#[test]
fn measuring_corrects_planted_rates_and_is_kept() {
    let place = Place::new("gpu");
    let planted = rates(20e-6, 1e-9);
    let build = || adapter::learning(|builder| builder.calibrate(Calibrate::Never).cache(place.path()).gpu_rates(planted));
    let Some(engine) = build() else { return };
    let here = |engine: &Engine| engine.machine().gpus()[0].rates;
    assert_eq!(here(&engine), planted);
    engine.calibrate().unwrap();
    let measured = here(&engine);
    assert!(measured.measured.overhead && measured.ops.simple < planted.ops.simple / 10.0, "{measured:?}");
    // What the calls teach is kept with it.
    let array = engine.array(numbers(100_000));
    for _ in 0..30 {
        engine.reduce((&array).map(heavy::with()), Sum).run().unwrap();
        engine.map(&array, light::with(3)).on(Backend::Gpu).run().unwrap().as_slice().unwrap();
    }
    assert_eq!(engine.notes(), [""; 0]);
    drop((array, engine));
    assert_eq!(here(&build().unwrap()), measured);

    // The adapter is gone: what was kept of it is no hindrance, and is still there when it is back.
    let kept = fs::read(place.file("gpu-")).unwrap();
    let x = numbers(100_000);
    let want = sum(x.iter().map(|&x| heavy(x)));
    let without = cpu().cache(place.path()).build().unwrap();
    assert_eq!(without.reduce((&x).map(heavy::with()), Sum).run().unwrap(), want);
    without.calibrate().unwrap();
    assert_eq!(without.notes(), [""; 0]);
    drop(without);
    let path = place.path().to_str().unwrap();
    for adapter in ["none", "no such adapter"] {
        let text = world::child("describe", &[("GRANULE_CACHE", path), ("GRANULE_ADAPTER", adapter)]);
        assert!(text.contains("measured: true.") && !text.contains(" on gpu."), "{text}");
    }
    assert!(fs::read(place.file("gpu-")).unwrap() == kept, "the file of the adapter that was not there was changed");
    assert_eq!(here(&build().unwrap()), measured);

    // Another adapter in its place is another file.
    fs::rename(place.file("gpu-"), place.path().join("gpu-0123456789abcdef.granule")).unwrap();
    let other = build().unwrap();
    assert_eq!((here(&other), other.notes().len()), (planted, 0));
    // And a damaged one is as good as none.
    fs::write(place.path().join(place_of(&place, &other)), "granule cache 1\n").unwrap();
    let damaged = build().unwrap();
    assert_eq!(here(&damaged), planted);
    assert!(damaged.notes().iter().any(|note| note.contains("ignored") && note.contains("gpu-")), "{:?}", damaged.notes());
}

/// The name of the file in which this engine keeps what it knows of its GPU.
fn place_of(place: &Place, engine: &Engine) -> std::ffi::OsString {
    let before = place.files("gpu-");
    engine.calibrate().unwrap();
    let new = place.files("gpu-").into_iter().find(|file| !before.contains(file)).unwrap();
    new.file_name().unwrap().to_owned()
}

#[test]
fn a_chain_stays_where_its_data_is() {
    let Some(engine) = adapter::preferred() else { return };
    engine.machine();
    let x = numbers(1 << 20);
    let array = engine.array(&x);
    let a = engine.map(&array, heavy::with()).run().unwrap();
    assert_eq!(array.residency(), Residency::Both);
    let b = engine.map(zip(&a, &array), granule::kernel!(|a: u32, x: u32| a ^ x)).run().unwrap();
    let c = engine.scan(&b, Sum).run().unwrap();
    let explained = engine.map(&c, light::with(3)).explain().unwrap();
    let gpu = predicted(&explained, Backend::Gpu);
    assert!(gpu.transfer == 0.0 && predicted(&explained, Backend::Simd).transfer > 0.0, "{explained}");
    let d = engine.map(&c, light::with(3)).run().unwrap();
    let total = engine.reduce(&d, Sum).run().unwrap();
    for (name, step) in [("a", &a), ("b", &b), ("c", &c), ("d", &d)] {
        assert_eq!(step.residency(), Residency::Gpu, "{name}");
    }
    let mut running = 0_u32;
    let want = x.iter().map(|&x| {
        running = running.wrapping_add(heavy(x) ^ x);
        light(running, 3)
    });
    assert_eq!(total, sum(want));
}

/// Moving costs five times what a call takes here, and the GPU would take next to nothing: so many calls are made here first, and no
/// more (the ski rental problem). All of it is arithmetic: the engine is frozen, and the rates are planted.
#[test]
fn data_moves_once_the_calls_have_lost_what_moving_costs() {
    let x = numbers(1 << 18);
    let alone = cpu().frozen().workers(1).build().unwrap();
    let call = predicted(&alone.map(&alone.array(&x), heavy::with()).explain().unwrap(), Backend::Simd).expected();
    let planted = rates(1e-6, 5.0 * call);
    let Some(engine) = adapter::with(|builder| builder.workers(1).gpu_rates(planted)) else { return };
    engine.machine();
    let want: Vec<u32> = x.iter().map(|&x| heavy(x)).collect();

    // The same array again and again.
    let array = engine.array(&x);
    let places = |mut call: Box<dyn FnMut() -> Residency + '_>| (0..12).map(|_| call()).collect::<Vec<_>>();
    let visited = places(Box::new(|| {
        let y = engine.map(&array, heavy::with()).run().unwrap();
        let place = y.residency();
        assert!(y.as_slice().unwrap() == want, "on {place:?}");
        place
    }));
    let here = visited.iter().take_while(|place| **place == Residency::Host).count();
    assert!((4..=6).contains(&here) && visited[here..].iter().all(|place| *place == Residency::Gpu), "{visited:?}");
    assert_eq!(array.residency(), Residency::Both);

    // A chain, in which each call's result is the next one's input: what was lost goes with it.
    let mut last = engine.array(&x);
    let visited = places(Box::new(|| {
        last = engine.map(&last, heavy::with()).run().unwrap();
        last.residency()
    }));
    let here = visited.iter().take_while(|place| **place == Residency::Host).count();
    assert!((4..=6).contains(&here) && visited[here..].iter().all(|place| *place == Residency::Gpu), "{visited:?}");
    let chained = (0..12).fold(x.clone(), |x, _| x.iter().map(|&x| heavy(x)).collect());
    assert!(last.as_slice().unwrap() == chained, "a chain of twelve");

    // It is said, while it is so.
    let array = engine.array(&x);
    engine.map(&array, heavy::with()).run().unwrap();
    let explained = engine.map(&array, heavy::with()).explain().unwrap();
    let paid = predicted(&explained, Backend::Gpu).paid;
    assert!(paid > 0.9 * call && paid < 1.1 * call && explained.to_string().contains("lost"), "{explained}");

    // A slice is sent anew with each call: nothing is gained by sending it.
    for _ in 0..12 {
        assert_eq!(engine.map(&x, heavy::with()).run().unwrap().residency(), Residency::Host);
    }
}

/// A plan from this machine, on one without its GPU.
#[test]
fn a_plan_file_outlives_the_gpu_that_it_names() {
    let Some(engine) = adapter::learning(|builder| builder.calibrate(Calibrate::Never).gpu_rates(rates(1e-6, 1e-9))) else {
        return;
    };
    engine.machine();
    let x = numbers(100_000);
    let want = sum(x.iter().map(|&x| heavy(x)));
    engine.reduce((&x).map(heavy::with()), Sum).run().unwrap();
    let key = granule::plan::PlanKey::of(&engine.reduce((&x).map(heavy::with()), Sum).explain().unwrap().problem);
    let plans: Plans = format!("granule plans 1\n{key} backend=gpu workers=1 grain=8192 gpu=0\n").parse().unwrap();
    let with = adapter::learning(|builder| builder.plans(plans.clone())).unwrap();
    with.machine();
    let choice = with.reduce((&x).map(heavy::with()), Sum).decide_only().unwrap();
    assert_eq!((choice.backend, choice.grain), (Backend::Gpu, 8192));
    assert_eq!(with.reduce((&x).map(heavy::with()), Sum).run().unwrap(), want);
    let without = cpu().plans(plans).build().unwrap();
    assert_ne!(without.reduce((&x).map(heavy::with()), Sum).decide_only().unwrap().backend, Backend::Gpu);
    assert_eq!(without.reduce((&x).map(heavy::with()), Sum).run().unwrap(), want);
}

/// Several threads call, another one measures processor and GPU: what runs where changes under way, and no result does.
#[test]
fn threads_share_an_engine_that_learns_of_its_gpu() {
    let Some(engine) = adapter::learning(|builder| builder.gpu_rates(rates(50e-6, 1e-6))) else { return };
    std::thread::scope(|scope| {
        for t in 0..3_usize {
            let engine = &engine;
            scope.spawn(move || {
                let a = 2 * t as u32 + 3;
                for round in 0..30 {
                    let x = numbers(1000 << ((2 * round + t) % 8));
                    let what = format!("thread {t}, round {round}");
                    let array = engine.array(&x);
                    let y = engine.map(&array, heavy::with()).run().unwrap();
                    let z = engine.map(&y, light::with(a)).run().unwrap();
                    let want: Vec<u32> = x.iter().map(|&x| light(heavy(x), a)).collect();
                    assert_eq!(engine.reduce(&z, Sum).run().unwrap(), sum(want.iter().copied()), "{what}");
                    assert!(z.as_slice().unwrap() == want, "{what}");
                }
            });
        }
        scope.spawn(|| engine.calibrate().unwrap());
    });
    assert_eq!(engine.notes(), [""; 0]);
    assert_eq!(engine.gpu_fallback(), None);
}
