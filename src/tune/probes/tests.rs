//! What was measured is sane, and what the model makes of it is printed beside measured times.

use super::*;
use crate::engine::Engine;
use crate::machine::{CpuRates, Levels, Machine};
use crate::plan::{Backend, Plan};
use crate::prelude::zip;
use crate::task::{Primitive, Task};

const PLENTY: Duration = Duration::from_secs(20);

fn cores() -> Engine {
    let builder = Engine::builder().no_cache();
    #[cfg(feature = "gpu")]
    let builder = builder.no_gpu();
    builder.build().unwrap()
}

/// Every figure of the processor beside its prior.
fn figures(r: &CpuRates) -> Vec<(&'static str, f64)> {
    let level = |name: [&'static str; 4], l: &Levels| name.into_iter().zip([l.l1, l.l2, l.l3, l.dram]).collect::<Vec<_>>();
    let mut all = level(["read l1", "read l2", "read l3", "read dram"], &r.read);
    all.extend(level(["write l1", "write l2", "write l3", "write dram"], &r.write));
    all.extend(level(["random l1", "random l2", "random l3", "random dram"], &r.random_weight));
    all.extend([("dram_limit", r.dram_limit), ("fresh", r.fresh)]);
    all.extend([("simple", r.ops.simple), ("divide", r.ops.divide), ("function", r.ops.function)]);
    all.extend([("int64", r.int64_slowdown), ("float64", r.float64_slowdown)]);
    all.extend([("wake_hot", r.wake_hot), ("wake_cold", r.wake_cold), ("wake_more", r.wake_more)]);
    all.extend([("chunk", r.chunk), ("call", r.call)]);
    all
}

#[test]
fn the_processor_is_measured_and_the_rates_make_sense() {
    let engine = cores();
    let rates = cpu(&engine, PLENTY).0;
    for (name, value) in figures(&rates) {
        assert!(value.is_finite() && value > 0.0, "{name}: {value}");
    }
    for Levels { l1, l2, l3, dram } in [rates.read, rates.write] {
        assert!(l1 >= l2 && l2 >= l3 && l3 >= dram, "{l1} {l2} {l3} {dram}");
    }
    let at_random = |read: f64, weight: f64| read / weight;
    let (read, weight) = (rates.read, rates.random_weight);
    let [l1, l2] = [at_random(read.l1, weight.l1), at_random(read.l2, weight.l2)];
    let [l3, dram] = [at_random(read.l3, weight.l3), at_random(read.dram, weight.dram)];
    assert!(l1 * 1.001 >= l2 && l2 * 1.001 >= l3 && l3 * 1.001 >= dram, "{l1} {l2} {l3} {dram}");
    let measured = rates.measured;
    assert!(measured.overhead && measured.compute && measured.memory && measured.random && !measured.transfer, "{measured:?}");
    let several = cfg!(feature = "threads") && engine.workers() > 1 && engine.machine().cpu.cores > 1;
    assert_eq!(measured.wake, several);
}

#[test]
fn without_time_the_priors_stay() {
    let engine = cores();
    assert_eq!(cpu(&engine, Duration::ZERO), (CpuRates::prior(engine.machine().cpu.simd_lanes), None));
}

#[test]
fn what_little_time_does_not_suffice_for_is_not_said_to_be_measured() {
    let engine = cores();
    let rates = cpu(&engine, Duration::from_millis(2)).0;
    let prior = CpuRates::prior(engine.machine().cpu.simd_lanes);
    assert_eq!((rates.measured.memory, rates.read.dram, rates.write.dram), (false, prior.read.dram, prior.write.dram));
    assert!(rates.measured.overhead || rates.call == prior.call);
    assert!(rates.measured.compute || rates.ops == prior.ops);
}

#[test]
fn a_disturbed_figure_is_brought_near_its_prior_and_none_is_no_figure() {
    for (measured, kept, good) in
        [(3.0, 3.0, true), (1e9, 100.0, true), (1e-9, 0.04, true), (-1.0, 2.0, false), (f64::NAN, 2.0, false), (0.0, 2.0, false)]
    {
        let mut figure = 2.0;
        assert_eq!((set(&mut figure, measured), figure), (good, kept), "{measured}");
    }
    let mut difference = 2.0;
    assert!(set_difference(&mut difference, -1.0) && difference == 0.04);
    assert!(!set_difference(&mut difference, f64::INFINITY) && difference == 0.04);
}

fn planned<P: Primitive>(task: &Task<'_, P>, machine: &Machine) -> Plan {
    crate::plan::plan(&task.problem().unwrap(), machine).unwrap()
}

/// Predicted and measured seconds of a call on a backend.
fn compare<'t, P: Primitive + 't>(machine: &Machine, backend: Backend, task: &mut dyn FnMut() -> Task<'t, P>) -> (f64, f64) {
    let clock = Clock::start(PLENTY);
    let plan = planned(&task().on(backend), machine);
    // A plan that is given saves the time of making one, which belongs to a call.
    let given = |task: Task<'t, P>| if backend == Backend::Threads { task.with_plan(&plan) } else { task.on(backend) };
    let measured = clock.least(|| given(task()).run()).ok().unwrap();
    (plan.predicted().unwrap().total, measured)
}

#[kernel]
fn saxpy(x: f32, y: f32, #[uniform] a: f32) -> f32 {
    a * x + y
}

#[kernel]
fn heavy(x: f32) -> f32 {
    x.exp() * x.sin()
}

fn table(engine: &Engine, machine: &Machine, backend: Backend, powers: &[u32]) {
    println!("{backend}: predicted us / measured us = ratio, by log2 n");
    print!("{:>10}", "");
    powers.iter().for_each(|power| print!("{power:>26}"));
    println!();
    for name in ["sum", "copy", "saxpy", "exp*sin", "scan", "copy new", "gather"] {
        print!("{name:>10}");
        for &power in powers {
            let n = 1 << power;
            let x: Vec<f32> = (0..n).map(|i| (i % 1000) as f32 * 0.01).collect();
            let y = x.clone();
            let u: Vec<u32> = (0..n as u32).map(|i| i.wrapping_mul(0x9e37_79b9) % n as u32).collect();
            let mut out = vec![1.0_f32; n];
            let mut prefix = vec![1_u32; n];
            let backed = [engine.array(&x), engine.array(&y)];
            let integers = engine.array(&u);
            if backend == Backend::Gpu {
                backed.iter().for_each(|a| a.to_gpu().unwrap());
                integers.to_gpu().unwrap();
            }
            let [x, y] = &backed;
            let clock = Clock::start(PLENTY);
            // A macro, since every task has a type of its own and some write to what they borrow.
            macro_rules! both {
                ($task:expr) => {{
                    let plan = planned(&$task.on(backend), machine);
                    let measured = match backend {
                        Backend::Threads => clock.least(|| $task.with_plan(&plan).run()),
                        _ => clock.least(|| $task.on(backend).run()),
                    };
                    let measured = measured.ok().unwrap();
                    (plan.predicted().unwrap().total, measured)
                }};
            }
            let (predicted, measured) = match name {
                "sum" => compare(machine, backend, &mut || engine.reduce(x, Sum)),
                "copy" => both!(engine.collect(x).into(&mut out)),
                "saxpy" => both!(engine.map(zip(x, y), saxpy::with(2.0)).into(&mut out)),
                "exp*sin" => both!(engine.map(x, heavy::with()).into(&mut out)),
                "scan" => both!(engine.scan(&integers, Sum).into(&mut prefix)),
                "copy new" if backend != Backend::Gpu => compare(machine, backend, &mut || engine.collect(x)),
                _ => compare(machine, backend, &mut || engine.reduce(crate::source::gather(x, &integers), Sum)),
            };
            print!(" {:>9.2}/{:>9.2}={:<5.2}", predicted * 1e6, measured * 1e6, predicted / measured);
        }
        println!();
    }
}

/// `cargo test --release --lib -- --ignored --nocapture fitted`, on a machine that does nothing else.
#[test]
#[ignore = "prints what it measures, for people"]
fn fitted_cpu_rates_beside_priors_and_predictions_beside_times() {
    let engine = cores();
    let mut rates = CpuRates::prior(1);
    for _ in 0..2 {
        let begun = Instant::now();
        rates = cpu(&engine, Duration::from_millis(400)).0;
        println!("{:.0} ms; {:?}", begun.elapsed().as_secs_f64() * 1e3, rates.measured);
    }
    let prior = CpuRates::prior(engine.machine().cpu.simd_lanes);
    println!("{}", engine.machine());
    for ((name, value), (_, prior)) in figures(&rates).into_iter().zip(figures(&prior)) {
        println!("{name:>12} {value:>10.3e}  prior {prior:>10.3e}");
    }
    let machine = Machine { rates, ..engine.machine().clone() };
    let powers: Vec<u32> = (10..=24).step_by(2).collect();
    table(&engine, &machine, Backend::Simd, &powers);
    if machine.cpu.cores > 1 && machine.built.threads {
        table(&engine, &machine, Backend::Threads, &powers[2..]);
    }
}

#[cfg(feature = "gpu")]
mod on_a_gpu {
    use super::*;
    use crate::gpu::Selection;
    use crate::machine::{GpuRates, Gpus};

    /// An engine on the adapter that the environment names, or else on any: hardware, or a program.
    fn engine() -> Option<Engine> {
        let wanted = std::env::var("GRANULE_ADAPTER").ok();
        let any = || {
            let mut all = Engine::adapters();
            all.sort_by_key(|adapter| !adapter.is_hardware());
            all.into_iter().next().map(|adapter| adapter.name)
        };
        let engine = wanted.or_else(any).map(|name| Engine::builder().no_cache().gpu(Selection::Name(name)).build().unwrap());
        let engine = engine.filter(|engine| engine.gpu().is_ok());
        let required = std::env::var("REQUIRE_BACKENDS").unwrap_or_default();
        assert!(engine.is_some() || !required.split(',').any(|b| b.trim() == "gpu"), "the gpu backend is required, and absent");
        if engine.is_none() {
            eprintln!("no GPU, not tested");
        }
        engine
    }

    fn figures(r: &GpuRates) -> Vec<(&'static str, f64)> {
        vec![
            ("submit", r.submit),
            ("dispatch", r.dispatch),
            ("up latency", r.upload.latency),
            ("up", r.upload.bandwidth),
            ("down latency", r.download.latency),
            ("down", r.download.bandwidth),
            ("memory", r.memory),
            ("cache", r.cache),
            ("cache bytes", r.cache_bytes),
            ("random", r.random_weight),
            ("simple", r.ops.simple),
            ("divide", r.ops.divide),
            ("function", r.ops.function),
            ("int64", r.int64_slowdown),
            ("float64", r.float64_slowdown),
            ("workgroups", r.workgroups),
        ]
    }

    #[test]
    fn a_gpu_is_measured_and_the_rates_make_sense() {
        let Some(engine) = engine() else { return };
        let rates = gpu(&engine, PLENTY).unwrap();
        for (name, value) in figures(&rates) {
            assert!(value.is_finite() && (value > 0.0 || name == "cache bytes" && value == 0.0), "{name}: {value}");
        }
        assert!(rates.cache >= rates.memory, "{} {}", rates.cache, rates.memory);
        let measured = rates.measured;
        assert!(measured.overhead && measured.transfer && measured.memory && measured.compute, "{measured:?}");
        assert!(measured.random && !measured.wake, "{measured:?}");
    }

    #[test]
    fn without_time_the_priors_stay() {
        let Some(engine) = engine() else { return };
        let prior = GpuRates::prior(engine.machine().gpus()[0].kind);
        assert_eq!(gpu(&engine, Duration::ZERO), Ok(prior));
    }

    #[test]
    fn without_a_gpu_there_is_an_error() {
        assert!(matches!(gpu(&cores(), PLENTY), Err(Error::Unsupported { backend: Backend::Gpu, .. })));
    }

    /// As the one for the processor.
    #[test]
    #[ignore = "prints what it measures, for people"]
    fn fitted_gpu_rates_beside_priors_and_predictions_beside_times() {
        let Some(engine) = engine() else { return };
        let mut rates = GpuRates::prior(engine.machine().gpus()[0].kind);
        let prior = rates;
        for _ in 0..2 {
            let begun = Instant::now();
            rates = gpu(&engine, Duration::from_millis(500)).unwrap();
            println!("{:.0} ms; {:?}", begun.elapsed().as_secs_f64() * 1e3, rates.measured);
        }
        println!("{}", engine.machine());
        for ((name, value), (_, prior)) in figures(&rates).into_iter().zip(figures(&prior)) {
            println!("{name:>12} {value:>10.3e}  prior {prior:>10.3e}");
        }
        let mut info = engine.machine().gpus()[0].clone();
        info.rates = rates;
        let machine = Machine { gpus: Gpus::Present(vec![info]), ..engine.machine().clone() };
        table(&engine, &machine, Backend::Gpu, &[10, 12, 14, 16, 18, 20, 22]);
    }
}
