//! The tuner by itself, on a machine that is described.

use super::*;
use crate::kernel::{Cost, Ops};
use crate::machine::{Cpu, CpuRates, GpuInfo, GpuKind, GpuRates, Gpus};

fn machine() -> Machine {
    let gpu = GpuInfo {
        asked_for: true,
        name: "a test's".into(),
        api: "none".into(),
        kind: GpuKind::Discrete,
        driver: String::new(),
        vendor: 0,
        device: 0,
        max_binding_bytes: 1 << 30,
        max_buffer_bytes: 1 << 30,
        max_storage_bindings: 8,
        int64: false,
        float64: false,
        subgroups: true,
        ieee_f32: true,
        rates: GpuRates::prior(GpuKind::Discrete),
    };
    let cpu = Cpu { name: String::new(), cores: 4, simd_lanes: 8, l1_bytes: 32 << 10, l2_bytes: 1 << 20, l3_bytes: 8 << 20 };
    let built = crate::machine::Built { threads: true, gpu: true };
    Machine { cpu, rates: CpuRates::prior(8), gpus: Gpus::Present(vec![gpu]), built }
}

fn map(n: usize, ops: f32) -> Problem {
    Problem {
        n,
        element: Cost { bytes_read: 4.0, ops: Ops::simple(ops), ..Cost::default() },
        item_bytes: 4,
        upload_bytes: 4 * n as u64,
        result_on_host: true,
        code: 7,
        ..Problem::new(Operation::Map)
    }
}

fn decide(tuner: &Tuner, problem: &mut Problem, machine: &Machine) -> Decision {
    tuner.decide_plainly(problem, machine).unwrap_or_else(|| tuner.decide(problem, machine)).unwrap()
}

/// A call on a world in which each backend takes so many times as long as the model says. Where it ran.
fn call(tuner: &Tuner, mut problem: Problem, machine: &Machine, world: [f64; 3]) -> (Backend, f64) {
    let decision = decide(tuner, &mut problem, machine);
    let backend = decision.choice.backend;
    let Some(ticket) = decision.ticket else { return (backend, 0.0) };
    let seconds = ticket.prediction.modelled() * world[backend as usize];
    tuner.took(&ticket, Duration::from_secs_f64(seconds));
    (backend, seconds)
}

/// The times of one call in that world, by backend.
fn times(problem: &Problem, machine: &Machine, world: [f64; 3]) -> [f64; 3] {
    let weighed = Weighed::of(problem, machine);
    Backend::ALL.map(|b| weighed.on(b).prediction.map_or(f64::INFINITY, |p| p.modelled() * world[b as usize]))
}

fn best(times: [f64; 3]) -> Backend {
    Backend::ALL.into_iter().min_by(|a, b| times[*a as usize].total_cmp(&times[*b as usize])).unwrap()
}

#[test]
fn a_wrong_model_is_corrected() {
    let machine = machine();
    for n in [1 << 14, 1 << 16, 1 << 18, 1 << 22] {
        for world in [[1.0, 3.0, 1.0], [3.0, 1.0, 1.0], [1.0, 1.0, 3.0], [0.4, 1.0, 1.0], [1.0, 0.5, 2.0], [2.0, 2.5, 0.5]] {
            let (tuner, problem) = (Tuner::new(false, Plans::default()), map(n, 40.0));
            let times = times(&problem, &machine, world);
            let mut ran = [0; 3];
            for i in 0..3000 {
                let (backend, _) = call(&tuner, problem, &machine, world);
                if i >= 2500 {
                    ran[backend as usize] += 1;
                }
            }
            let most = Backend::ALL.into_iter().max_by_key(|b| ran[*b as usize]).unwrap();
            let lost = times[most as usize] / times[best(times) as usize];
            assert!(lost < 1.12, "n {n}, world {world:?}: {most} is chosen, {lost} times as slow as the best");
        }
    }
}

#[test]
fn trying_out_costs_two_percent_at_most() {
    let machine = machine();
    for n in [1 << 14, 1 << 17, 1 << 20] {
        let (tuner, problem, world) = (Tuner::new(false, Plans::default()), map(n, 40.0), [1.0; 3]);
        let times = times(&problem, &machine, world);
        let (mut all, mut least) = (0.0, 0.0);
        for _ in 0..5000 {
            all += call(&tuner, problem, &machine, world).1;
            least += times[best(times) as usize];
        }
        assert!(all <= 1.025 * least, "n {n}: {all} s instead of {least}");
    }
}

#[test]
fn what_is_predicted_to_be_far_slower_is_never_tried() {
    let (machine, tuner, problem) = (machine(), Tuner::new(false, Plans::default()), map(1 << 20, 1.0));
    let times = times(&problem, &machine, [1.0; 3]);
    for _ in 0..5000 {
        let (backend, _) = call(&tuner, problem, &machine, [1.0; 3]);
        assert!(times[backend as usize] <= EXPLORE_WITHIN * 1.03 * times[best(times) as usize], "{backend} of {times:?}");
    }
}

#[test]
fn outliers_change_nothing() {
    let (machine, tuner, problem) = (machine(), Tuner::new(false, Plans::default()), map(1 << 20, 40.0));
    let usual = best(times(&problem, &machine, [1.0; 3]));
    let mut ran_elsewhere = 0;
    for i in 0..2000 {
        // Every seventh call meets a busy machine.
        let world = if i % 7 == 3 { [20.0; 3] } else { [1.0; 3] };
        ran_elsewhere += u32::from(call(&tuner, problem, &machine, world).0 != usual);
    }
    assert!(ran_elsewhere < 40, "{ran_elsewhere} calls of 2000");
}

#[test]
fn what_met_a_busy_machine_is_tried_again() {
    let (machine, tuner, problem) = (machine(), Tuner::new(false, Plans::default()), map(1 << 20, 40.0));
    // While the threads were tried out first, somebody else had their cores.
    let known = |tuner: &Tuner| {
        let mut asked = problem;
        tuner.recall(&mut asked, &machine);
        asked.seen.threads.count >= KNOWN
    };
    let mut calls = 0;
    while !known(&tuner) {
        call(&tuner, problem, &machine, [1.0, 12.0, 50.0]);
        calls += 1;
        assert!(calls < 1000, "they are never tried out");
    }
    let ran: Vec<Backend> = (0..1000).map(|_| call(&tuner, problem, &machine, [1.0, 1.0, 50.0]).0).collect();
    let times = times(&problem, &machine, [1.0, 1.0, 50.0]);
    assert!(times[1] < 0.8 * times[0], "{times:?}");
    let threads = ran[500..].iter().filter(|backend| **backend == Backend::Threads).count();
    assert!(threads > 450, "{threads} of the last 500 calls");
}

/// Of a call that slept with the machine, and of a clock that stood still, nothing is learned; and of the calls after it all is.
#[test]
fn a_clock_that_jumps_teaches_nothing() {
    let (machine, tuner, problem) = (machine(), Tuner::new(false, Plans::default()), map(1 << 20, 40.0));
    let seen = || {
        let mut asked = problem;
        tuner.recall(&mut asked, &machine);
        asked.seen
    };
    (0..50).for_each(|_| _ = call(&tuner, problem, &machine, [1.0; 3]));
    let before = seen();
    for took in [Duration::ZERO, Duration::from_secs(1 << 30)] {
        let ticket = decide(&tuner, &mut { problem }, &machine).ticket.unwrap();
        tuner.took(&ticket, took);
        assert_eq!(seen(), before, "{took:?}");
    }
    let world = [0.4, 1.0, 1.0];
    let ran: Vec<Backend> = (0..3000).map(|_| call(&tuner, problem, &machine, world).0).collect();
    let best = best(times(&problem, &machine, world));
    assert!(ran[2900..].iter().filter(|backend| **backend == best).count() > 90, "{best} is the best: {:?}", &ran[2990..]);
}

#[test]
fn equals_do_not_take_turns() {
    let (machine, tuner, problem) = (machine(), Tuner::new(false, Plans::default()), map(1 << 20, 40.0));
    let [simd, threads, _] = times(&problem, &machine, [1.0; 3]);
    // Threads are as fast as one core, give or take 3%.
    let (mut changes, mut last) = (0, None);
    for i in 0..3000 {
        let equal = simd / threads * if i % 2 == 0 { 1.03 } else { 0.97 };
        let (backend, _) = call(&tuner, problem, &machine, [1.0, equal, 50.0]);
        changes += u32::from(last.replace(backend).is_some_and(|last| last != backend));
    }
    assert!(changes < 60, "{changes} changes in 3000 calls");
}

#[test]
fn frozen_means_the_same_whatever_happens() {
    let (machine, tuner, problem) = (machine(), Tuner::new(true, Plans::default()), map(1 << 20, 40.0));
    for _ in 0..100 {
        let mut asked = problem;
        let decision = decide(&tuner, &mut asked, &machine);
        assert!(decision.ticket.is_none());
        assert_eq!(Ok(decision.choice), crate::plan::choose(&problem, &machine));
    }
}

#[test]
fn loops_of_unknown_length_become_known() {
    let (machine, tuner) = (machine(), Tuner::new(false, Plans::default()));
    let mut problem = map(1 << 16, 10.0);
    problem.element.loops_unknown = true;
    // They run 640 times, and not 64 as assumed.
    let truth = |backend: Backend| {
        let mut known = problem;
        known.seen.iterations = 640.0;
        Weighed::of(&known, &machine).on(backend).prediction.unwrap().modelled()
    };
    for _ in 0..20 {
        let mut asked = problem;
        let decision = decide(&tuner, &mut asked, &machine);
        let ticket = decision.ticket.unwrap();
        tuner.took(&ticket, Duration::from_secs_f64(truth(ticket.backend)));
    }
    let mut asked = problem;
    tuner.recall(&mut asked, &machine);
    assert!((600.0..680.0).contains(&asked.seen.iterations), "{}", asked.seen.iterations);
    tuner.forget(&[Backend::Simd, Backend::Threads]);
    tuner.recall(&mut asked, &machine);
    assert_eq!(asked.seen.iterations, 0.0);
}

#[test]
fn a_shader_is_compiled_once_that_pays() {
    let (machine, tuner) = (machine(), Tuner::new(false, Plans::default()));
    let problem = Problem { upload_bytes: 0, result_on_host: false, ..map(1 << 22, 60.0) };
    let compile = machine.gpus()[0].rates.compile;
    let [simd, threads, gpu] = times(&problem, &machine, [1.0; 3]);
    let mut waited = 0.0;
    for _ in 0..1000 {
        let (backend, took) = call(&tuner, problem, &machine, [1.0; 3]);
        if backend == Backend::Gpu {
            break;
        }
        waited += took - gpu;
    }
    let step = simd.min(threads) - gpu;
    assert!(waited > compile - 2.0 * step && waited < compile + step, "{waited} s lost for a compilation of {compile} s");
}

#[cfg(feature = "gpu")]
#[test]
fn a_batch_is_shared_out() {
    let (mut machine, tuner) = (machine(), Tuner::new(false, Plans::default()));
    let Gpus::Present(list) = &mut machine.gpus else { unreachable!() };
    list[0].rates.compile = 0.0;
    let problem = Problem { upload_bytes: 0, result_on_host: false, ..map(1 << 22, 60.0) };
    for _ in 0..12 {
        let mut predicted = 0.0;
        for _ in 0..4 {
            let mut asked = problem;
            let ticket = decide(&tuner, &mut asked, &machine).ticket.unwrap();
            assert_eq!(ticket.backend, Backend::Gpu);
            predicted += ticket.prediction.modelled();
            tuner.recorded(ticket, false);
        }
        tuner.waited(Duration::from_secs_f64(2.0 * predicted), 0.0);
    }
    let mut asked = problem;
    tuner.recall(&mut asked, &machine);
    assert!((1.9..2.1).contains(&asked.seen.gpu.ratio), "{:?}", asked.seen.gpu);
}
