//! The planner on machines written down by hand: what is chosen, what must hold for every problem, and what a plan survives.

mod laws;
mod machines;
#[path = "../oracle/mod.rs"]
mod oracle;
mod texts;

use granule::kernel::{Cost, Ops};
use granule::machine::{Built, Cpu, CpuRates, GpuInfo, GpuKind, GpuRates, Gpus, Machine};
use granule::plan::{
    Backend, Choice, GpuNeeds, Infeasible, Operation, Prediction, Problem, TILE, Weighed, choose, plan, worth_a_look,
};

const MI: usize = 1 << 20;

fn machine(cores: usize, lanes: usize, gpus: Gpus) -> Machine {
    let cpu =
        Cpu { name: "a test's".into(), cores, simd_lanes: lanes, l1_bytes: 48 << 10, l2_bytes: 2 << 20, l3_bytes: 32 << 20 };
    Machine { cpu, rates: CpuRates::prior(lanes), gpus, built: Built { threads: true, gpu: true } }
}

fn adapter(kind: GpuKind) -> GpuInfo {
    GpuInfo {
        asked_for: false,
        name: format!("a \"{kind}\" one"),
        api: "vulkan".into(),
        kind,
        driver: "1.0".into(),
        vendor: 0,
        device: 0,
        max_binding_bytes: 2 << 30,
        max_buffer_bytes: 4 << 30,
        max_storage_bindings: 8,
        int64: false,
        float64: false,
        subgroups: true,
        ieee_f32: true,
        rates: GpuRates::prior(kind),
    }
}

fn with_gpu(cores: usize, kind: GpuKind) -> Machine {
    machine(cores, 8, Gpus::Present(vec![adapter(kind)]))
}

/// Of `f32`, all of it on the host.
fn on_host(operation: Operation, n: usize, ops: f32) -> Problem {
    Problem {
        n,
        element: Cost { bytes_read: 4.0, ops: Ops::simple(ops), ..Cost::default() },
        combine: Cost { ops: Ops::simple(if operation == Operation::Map { 0.0 } else { 1.0 }), ..Cost::default() },
        item_bytes: 4,
        upload_bytes: 4 * n as u64,
        result_on_host: true,
        gpu: GpuNeeds { bindings: 2, ..GpuNeeds::default() },
        ..Problem::new(operation)
    }
}

/// The same, all of it on the GPU, and of no use to the host.
fn on_gpu(operation: Operation, n: usize, ops: f32) -> Problem {
    let host = on_host(operation, n, ops);
    Problem { upload_bytes: 0, download_bytes: host.upload_bytes, result_on_host: false, ..host }
}

fn backend(problem: &Problem, machine: &Machine) -> Backend {
    choose(problem, machine).unwrap().backend
}

fn on(problem: &Problem, machine: &Machine, backend: Backend) -> Result<Prediction, Infeasible> {
    let problem = Problem { pinned: Some(backend), ..*problem };
    plan(&problem, machine).map(|plan| plan.predicted().unwrap())
}

fn machines() -> Vec<Machine> {
    let mut list = vec![
        machine(1, 4, Gpus::NotLookedFor),
        machine(2, 16, Gpus::Absent("no driver".into())),
        machine(8, 8, Gpus::Present(Vec::new())),
        machine(
            192,
            16,
            Gpus::Present(vec![adapter(GpuKind::Software), adapter(GpuKind::Integrated), adapter(GpuKind::Discrete)]),
        ),
    ];
    list.extend([GpuKind::Discrete, GpuKind::Integrated, GpuKind::Virtual, GpuKind::Software].map(|kind| with_gpu(6, kind)));
    let mut bare = with_gpu(8, GpuKind::Discrete);
    bare.built = Built { threads: false, gpu: false };
    list.push(bare);
    list
}

/// Every operation, from nothing to 2^28 elements, cheap and dear, near and far, with every pin.
fn problems() -> Vec<Problem> {
    let mut list = Vec::new();
    for operation in [Operation::Map, Operation::Reduce, Operation::Scan] {
        for n in [0, 1, 4095, 4096, 4097, 3 << 12, 1 << 14, 100_003, MI, (1 << 24) + 1, 1 << 28] {
            for ops in [0.0, 1.0, 30.0, 1000.0] {
                for near in [on_host(operation, n, ops), on_gpu(operation, n, ops)] {
                    for pinned in [None, Some(Backend::Simd), Some(Backend::Threads), Some(Backend::Gpu)] {
                        let mut p = Problem { pinned, ..near };
                        list.push(p);
                        p.gpu = GpuNeeds { float64: true, bindings: 9, ..p.gpu };
                        p.element.bytes_random = 4.0;
                        p.element.loops_unknown = true;
                        list.push(p);
                        p.gpu.refused = Some("it recurses");
                        list.push(p);
                    }
                }
            }
        }
    }
    list
}

#[test]
fn a_refused_kernel_that_is_pinned_to_the_gpu_is_refused_for_what_it_is() {
    let problem = on_host(Operation::Map, 1000, 2.0);
    let refused = GpuNeeds { refused: Some("it recurses"), ..problem.gpu };
    let problem = Problem { pinned: Some(Backend::Gpu), gpu: refused, ..problem };
    let machine = machine(2, 8, Gpus::NotLookedFor);
    assert_eq!(worth_a_look(&problem, &machine), None);
    assert_eq!(choose(&problem, &machine), Err(Infeasible::Refused));
}

fn gpu_matters(problem: &Problem, machine: &Machine) -> bool {
    worth_a_look(problem, machine).is_some()
}

#[test]
fn tiny_work_stays_on_one_core() {
    for machine in &machines() {
        for operation in [Operation::Map, Operation::Reduce, Operation::Scan] {
            for n in [0, 1, 100, 4096] {
                let choice = choose(&on_host(operation, n, 1.0), machine).unwrap();
                assert_eq!((choice.backend, choice.workers), (Backend::Simd, 1), "{operation} {n} on {machine}");
            }
        }
    }
}

#[test]
fn one_core_has_no_helpers() {
    let machine = machine(1, 8, Gpus::Absent(String::new()));
    assert_eq!(backend(&on_host(Operation::Map, 64 * MI, 1000.0), &machine), Backend::Simd);
    let threads = plan(&on_host(Operation::Map, 64 * MI, 1000.0), &machine).unwrap().candidates[1];
    assert_eq!(threads.prediction, Err(Infeasible::OneCore));
}

#[test]
fn a_bus_rules_out_what_is_read_once() {
    let machine = with_gpu(8, GpuKind::Discrete);
    for n in [MI, 16 * MI, 256 * MI] {
        assert_eq!(backend(&on_host(Operation::Reduce, n, 0.0), &machine), Backend::Threads, "{n}");
        assert_eq!(backend(&on_gpu(Operation::Reduce, n, 0.0), &machine), Backend::Gpu, "{n}");
    }
}

#[test]
fn enough_arithmetic_is_worth_a_bus() {
    let machine = with_gpu(8, GpuKind::Discrete);
    assert_eq!(backend(&on_host(Operation::Map, 16 * MI, 1000.0), &machine), Backend::Gpu);
    assert_eq!(backend(&on_host(Operation::Map, 16 * MI, 1.0), &machine), Backend::Threads);
}

/// Few elements that take long each: every worker gets what whole tiles allow.
#[test]
fn few_dear_tiles_are_shared_too() {
    let machine = machine(16, 8, Gpus::Absent(String::new()));
    for (tiles, workers) in [(1, 1), (2, 2), (5, 5), (8, 8), (17, 16), (400, 16)] {
        let choice = choose(&on_host(Operation::Map, tiles * TILE, 1e6), &machine).unwrap();
        assert_eq!((choice.workers, choice.grain), (workers, TILE), "{tiles} tiles");
    }
    // One tile and a bit gain nothing from a second worker, who would get the bit.
    assert_eq!(backend(&on_host(Operation::Map, TILE + 1, 10.0), &machine), Backend::Simd);
}

/// Measured on two cores at 16 lanes, awake: a second core begins to pay between 2^16 and 2^17 elements of a sum.
#[test]
fn the_measured_crossover_of_a_sum_is_met_within_a_factor_of_two() {
    let machine = machine(2, 16, Gpus::Absent(String::new()));
    let first = (10..28).find(|bits| backend(&on_host(Operation::Reduce, 1 << bits, 0.0), &machine) == Backend::Threads);
    assert!(matches!(first, Some(15..=18)), "{first:?}");
}

/// Measured on one such core: a sum of 64Ki elements from the second-level cache 1.45 us, a*x+y 6.1 us, a scan 7.4 us.
#[test]
fn measured_times_are_met_within_a_factor_of_two() {
    let machine = machine(1, 16, Gpus::Absent(String::new()));
    let mut saxpy = on_host(Operation::Map, 1 << 16, 2.0);
    saxpy.element.bytes_read = 8.0;
    for (problem, measured) in [
        (on_host(Operation::Reduce, 1 << 16, 0.0), 1.45e-6),
        (saxpy, 6.1e-6),
        (on_host(Operation::Scan, 1 << 16, 0.0), 7.4e-6),
        (on_host(Operation::Reduce, 64 * MI, 0.0), 256.0 * MI as f64 / 17.5e9),
    ] {
        let predicted = plan(&problem, &machine).unwrap().predicted().unwrap().total;
        assert!((0.5..2.0).contains(&(predicted / measured)), "{problem:?}: {predicted} against {measured}");
    }
}

#[test]
fn of_several_gpus_the_best_feasible_one() {
    let (mut strong, weak) = (adapter(GpuKind::Discrete), adapter(GpuKind::Integrated));
    let list = |gpus: &[&GpuInfo]| machine(4, 8, Gpus::Present(gpus.iter().map(|gpu| (*gpu).clone()).collect()));
    let mut heavy = on_gpu(Operation::Map, 16 * MI, 1000.0);
    assert_eq!(choose(&heavy, &list(&[&weak, &strong])).unwrap().gpu, 1);
    assert_eq!(choose(&heavy, &list(&[&strong, &weak])).unwrap().gpu, 0);
    strong.max_storage_bindings = 1;
    let only_weak = list(&[&strong, &weak]);
    assert_eq!(choose(&heavy, &only_weak).unwrap().gpu, 1);
    heavy.gpu.int64 = true;
    assert_ne!(backend(&heavy, &only_weak), Backend::Gpu);
}

#[test]
fn a_software_adapter_only_on_request() {
    let machine = with_gpu(2, GpuKind::Software);
    let mut problem = on_gpu(Operation::Map, 16 * MI, 1000.0);
    assert_eq!(plan(&problem, &machine).unwrap().candidates[2].prediction, Err(Infeasible::Software));
    problem.pinned = Some(Backend::Gpu);
    assert_eq!(backend(&problem, &machine), Backend::Gpu);
}

#[test]
fn a_pin_holds_or_says_why_not() {
    let machine = with_gpu(8, GpuKind::Discrete);
    let base = on_host(Operation::Map, MI, 1.0);
    for pin in [Backend::Simd, Backend::Threads, Backend::Gpu] {
        assert_eq!(backend(&Problem { pinned: Some(pin), ..base }, &machine), pin);
        assert_eq!(backend(&Problem { pinned: Some(pin), n: 1, ..base }, &machine), pin);
    }
    let to_gpu = Problem { pinned: Some(Backend::Gpu), ..base };
    let refused = |change: &dyn Fn(&mut Problem, &mut Machine)| {
        let (mut problem, mut machine) = (to_gpu, machine.clone());
        change(&mut problem, &mut machine);
        let reason = choose(&problem, &machine).unwrap_err();
        assert_eq!(plan(&problem, &machine), Err(reason));
        reason.describe(&problem, &machine)
    };
    let says = |text: String, word: &str| assert!(text.contains(word), "{text}");
    says(refused(&|p, _| p.gpu.int64 = true), "64-bit integers");
    says(refused(&|p, _| p.gpu.float64 = true), "64-bit floats");
    says(refused(&|p, _| p.gpu.bindings = 9), "needs 9");
    says(refused(&|p, _| p.gpu.refused = Some("it recurses")), "it recurses");
    says(refused(&|p, _| p.n = 2 << 30), "allows 4294967296");
    says(refused(&|_, m| m.gpus = Gpus::Absent("no loader".into())), "no loader");
    says(refused(&|_, m| m.gpus = Gpus::NotLookedFor), "not looked for");
    says(refused(&|_, m| m.built.gpu = false), "`gpu`");
    let mut bare = machine.clone();
    bare.built.threads = false;
    let to_threads = Problem { pinned: Some(Backend::Threads), ..base };
    assert_eq!(choose(&to_threads, &bare), Err(Infeasible::NotBuilt(Backend::Threads)));
}

#[test]
fn gpus_are_looked_for_only_where_they_could_matter() {
    let unknown = machine(2, 8, Gpus::NotLookedFor);
    let (small, large) = (on_host(Operation::Map, 1000, 1.0), on_host(Operation::Map, 16 * MI, 100.0));
    assert!(!gpu_matters(&small, &unknown));
    assert!(gpu_matters(&large, &unknown));
    assert!(gpu_matters(&Problem { pinned: Some(Backend::Gpu), ..small }, &unknown));
    assert!(!gpu_matters(&Problem { pinned: Some(Backend::Threads), ..large }, &unknown));
    let refused = GpuNeeds { refused: Some("it recurses"), ..large.gpu };
    assert!(!gpu_matters(&Problem { gpu: refused, ..large }, &unknown));
    assert!(!gpu_matters(&large, &with_gpu(2, GpuKind::Discrete)));
    assert!(!gpu_matters(&large, &machine(2, 8, Gpus::Absent(String::new()))));
}

#[test]
fn more_bytes_are_never_faster() {
    let bytes = (0..80).map(|step| 0.25 * 1.25_f32.powi(step) - 0.25);
    for machine in &machines() {
        for base in problems().iter().filter(|p| p.pinned.is_none()) {
            for pin in [Backend::Simd, Backend::Threads, Backend::Gpu] {
                let mut before = 0.0;
                for bytes_read in bytes.clone().step_by(4) {
                    let element = Cost { bytes_read, ..base.element };
                    let Ok(p) = on(&Problem { element, ..*base }, machine, pin) else { continue };
                    assert!(p.total.is_finite() && p.total >= before, "{bytes_read} bytes: {p:?} < {before} for {base:?}");
                    before = p.total;
                }
            }
        }
    }
}

#[test]
fn a_slower_link_never_makes_the_gpu_more_likely() {
    let mut changes = 0;
    // What only the GPU has is fetched over the link too, so this holds for the rest.
    for problem in problems().iter().filter(|p| p.pinned.is_none() && p.download_bytes == 0) {
        for kind in [GpuKind::Discrete, GpuKind::Integrated] {
            let mut was = true;
            for link in [1e12, 1e11, 3e10, 1e10, 3e9, 1e9, 1e8] {
                let mut gpu = adapter(kind);
                (gpu.rates.upload.bandwidth, gpu.rates.download.bandwidth) = (link, link);
                let is = backend(problem, &machine(2, 8, Gpus::Present(vec![gpu]))) == Backend::Gpu;
                assert!(was || !is, "{link}: {problem:?}");
                changes += usize::from(was && !is && link < 1e12);
                was = is;
            }
        }
    }
    assert!(changes > 10, "the link mattered {changes} times only: this tests nothing");
}

#[test]
fn residency_never_makes_the_gpu_less_likely() {
    let mut changes = 0;
    for machine in &machines() {
        for base in problems().iter().filter(|p| p.pinned.is_none()) {
            let mut was = false;
            for part in 0..=4 {
                let all = 4 * base.n as u64;
                let (download_bytes, upload_bytes) = (all * part / 4, all - all * part / 4);
                let is = backend(&Problem { upload_bytes, download_bytes, ..*base }, machine) == Backend::Gpu;
                assert!(is || !was, "{part}/4: {base:?} on {machine}");
                changes += usize::from(is && !was && part > 0);
                was = is;
            }
        }
    }
    assert!(changes > 10, "residency mattered {changes} times only: this tests nothing");
}

#[test]
fn grains_are_whole_tiles_and_leave_enough_to_share() {
    let mut shared = 0;
    for machine in &machines() {
        for problem in &problems() {
            let Ok(Choice { backend, workers, grain, .. }) = choose(problem, machine) else { continue };
            assert!(grain > 0 && grain.is_multiple_of(TILE), "{grain}: {problem:?}");
            assert!(workers >= 1 && workers <= machine.cpu.cores.max(1));
            if backend == Backend::Threads && problem.n >= 4 * workers * TILE {
                shared += 1;
                assert!(problem.n.div_ceil(grain) >= 4 * workers, "{workers} workers, grain {grain}: {problem:?}");
            }
        }
    }
    assert!(shared > 100, "{shared}");
}

/// A chunk long enough to hide the price of taking it, and short enough for a late helper to matter little.
#[test]
fn chunks_of_large_work_take_20_to_100_microseconds() {
    for (lanes, ops) in [(4, 1.0), (8, 30.0), (16, 100.0)] {
        let machine = machine(4, lanes, Gpus::Absent(String::new()));
        let problem = on_host(Operation::Map, 64 * MI, ops);
        let choice = choose(&problem, &machine).unwrap();
        let serial = on(&problem, &machine, Backend::Simd).unwrap().total;
        let chunk = serial * choice.grain as f64 / problem.n as f64;
        assert!((20e-6..100e-6).contains(&chunk), "{chunk} s at grain {}", choice.grain);
    }
}

#[test]
fn choose_agrees_with_plan_and_plans_are_deterministic() {
    let mut chosen = [0; 4];
    for machine in &machines() {
        for problem in &problems() {
            let (fast, full) = (choose(problem, machine), plan(problem, machine));
            assert_eq!(fast, full.as_ref().map(|plan| plan.choice).map_err(|reason| *reason), "{problem:?} on {machine}");
            assert_eq!(full, plan(problem, machine));
            chosen[fast.map_or(3, |choice| choice.backend as usize)] += 1;
            if let Ok(plan) = full {
                let best =
                    plan.candidates.iter().filter_map(|c| c.prediction.ok()).map(|p| p.total).fold(f64::INFINITY, f64::min);
                assert_eq!(plan.predicted().unwrap().total, best);
            }
        }
    }
    assert!(chosen.iter().all(|count| *count > 50), "{chosen:?}");
}

#[test]
fn terms_add_up() {
    for machine in &machines() {
        for problem in &problems() {
            let Ok(plan) = plan(problem, machine) else { continue };
            for p in plan.candidates.iter().filter_map(|c| c.prediction.ok()) {
                let sum = p.overhead + p.wake + p.transfer + p.memory.max(p.compute) + p.readback;
                assert_eq!(p.total, sum);
                assert_eq!(p.assumed, problem.element.loops_unknown);
            }
        }
    }
}

/// Each term from the rate it is made of.
#[test]
fn terms_are_bytes_and_operations_over_rates() {
    let machine = with_gpu(4, GpuKind::Discrete);
    let (gpu, cpu) = (GpuRates::prior(GpuKind::Discrete), machine.rates);
    let n = 16 * MI;
    let bytes = 4.0 * n as f64;
    let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-12 * a.abs().max(b.abs()), "{a} is not {b}");

    let map = on(&on_host(Operation::Map, n, 100.0), &machine, Backend::Gpu).unwrap();
    close(map.transfer, gpu.upload.seconds(bytes));
    close(map.memory, 2.0 * bytes / gpu.memory);
    close(map.compute, 100.0 * n as f64 / gpu.ops.simple);
    close(map.readback, gpu.download.seconds(bytes));
    close(map.overhead, gpu.submit + gpu.dispatch);

    let reduce = on(&on_host(Operation::Reduce, n, 0.0), &machine, Backend::Gpu).unwrap();
    close(reduce.memory, bytes / gpu.memory);
    close(reduce.readback, gpu.download.seconds(4.0));
    close(reduce.overhead, gpu.submit + 2.0 * gpu.dispatch);

    let scan = on(&on_gpu(Operation::Scan, n, 0.0), &machine, Backend::Gpu).unwrap();
    close(scan.memory, 3.0 * bytes / gpu.memory);
    close(scan.overhead, gpu.submit + 3.0 * gpu.dispatch);
    assert_eq!((scan.transfer, scan.readback), (0.0, 0.0));

    let simd = on(&on_gpu(Operation::Map, n, 100.0), &machine, Backend::Simd).unwrap();
    close(simd.transfer, gpu.submit + gpu.download.seconds(bytes));
    close(simd.compute, 100.0 * n as f64 / (8.0 * cpu.ops.simple));
    let threads = on(&on_host(Operation::Map, n, 100.0), &machine, Backend::Threads).unwrap();
    close(threads.compute, simd.compute / 4.0);
    close(threads.wake, cpu.wake_hot + 2.0 * cpu.wake_more);
    assert_eq!(threads.transfer, 0.0);

    let mut unknown = on_host(Operation::Map, n, 100.0);
    unknown.element.loops_unknown = true;
    close(on(&unknown, &machine, Backend::Simd).unwrap().compute, 64.0 * simd.compute);
}

/// In the caches cores scale; in memory only until it is saturated.
#[test]
fn memory_saturates() {
    let many = machine(64, 16, Gpus::Absent(String::new()));
    let plan = plan(&on_host(Operation::Reduce, 256 * MI, 0.0), &many).unwrap();
    let workers = plan.choice.workers;
    assert!(workers < 64, "{workers} workers, where memory is saturated by far fewer");
    let total = plan.predicted().unwrap().total;
    assert!(total > 0.9 * (1 << 30) as f64 / many.rates.dram_limit, "{total} s is faster than memory");
}

/// `cargo test --release --test plan -- --ignored --nocapture`
#[test]
#[ignore = "a measurement, for release builds"]
fn how_long_choosing_takes() {
    for machine in &machines() {
        for problem in
            [on_host(Operation::Reduce, 1000, 0.0), on_host(Operation::Map, MI, 10.0), on_gpu(Operation::Scan, 64 * MI, 10.0)]
        {
            let fastest = |f: &dyn Fn(&Problem, &Machine)| {
                let mut best = f64::INFINITY;
                for _ in 0..20 {
                    let start = std::time::Instant::now();
                    for _ in 0..2000 {
                        f(std::hint::black_box(&problem), std::hint::black_box(machine));
                    }
                    best = best.min(start.elapsed().as_secs_f64() / 2000.0);
                }
                best * 1e9
            };
            let choosing = fastest(&|problem, machine| _ = std::hint::black_box(choose(problem, machine)));
            let weighing = fastest(&|problem, machine| _ = std::hint::black_box(Weighed::of(problem, machine)));
            let Problem { operation, n, .. } = problem;
            println!("{choosing:5.1} ns, weighing all {weighing:5.1} ns: {operation} {n} on {machine}");
        }
    }
}
