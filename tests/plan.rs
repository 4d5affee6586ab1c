//! The planner on machines written down by hand: what is chosen, what must hold for every problem, and what a plan survives.

#[path = "plan/laws.rs"]
mod laws;
#[path = "plan/machines.rs"]
mod machines;
mod oracle;

use granule::kernel::{Cost, Ops};
use granule::machine::{Built, Cpu, CpuRates, GpuInfo, GpuKind, GpuRates, Gpus, Machine, Measured};
use granule::plan::{
    Analysis, Backend, Choice, GpuNeeds, Infeasible, Operation, Origin, Plan, Prediction, Problem, Sample, Seen, TILE, Weighed,
    choose, explain, explain_with, plan, worth_a_look,
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

#[test]
fn text_survives_a_round_trip() {
    for machine in &machines() {
        for problem in problems().iter().step_by(7) {
            let Ok(plan) = plan(problem, machine) else { continue };
            let text = plan.to_text();
            assert_eq!(text.parse::<Plan>().as_ref(), Ok(&plan), "{text}");
        }
    }
    let machine = with_gpu(8, GpuKind::Discrete);
    for change in [
        |p: &mut Problem| p.gpu.bindings = 9,
        |p: &mut Problem| p.gpu.int64 = true,
        |p: &mut Problem| p.gpu.float64 = true,
        |p: &mut Problem| p.n = 2 << 30,
    ] {
        let mut problem = on_host(Operation::Map, MI, 1.0);
        change(&mut problem);
        let plan = plan(&problem, &machine).unwrap();
        assert_eq!(plan.to_text().parse(), Ok(plan));
    }
}

#[test]
fn a_plan_by_hand_and_bad_ones() {
    let by_hand = "# for the big machine\ngranule plan 2\n\n  choice backend=threads workers=2 grain=32768 gpu=0\n";
    let written: Plan = by_hand.parse().unwrap();
    assert_eq!(written.choice, Choice { backend: Backend::Threads, workers: 2, grain: 32768, gpu: 0 });
    assert_eq!((written.predicted(), written.to_string()), (None, "threads: 2 workers, grain 32768".to_string()));
    let mut observed = on_host(Operation::Map, MI, 1.0);
    observed.seen.simd = Sample { ratio: 0.5, count: 3 };
    let good = plan(&observed, &machine(1, 8, Gpus::NotLookedFor)).unwrap().to_text();
    assert!(good.parse::<Plan>().is_ok() && good.contains("ratio=5e-1 samples=3"), "{good}");
    for bad in [
        "",
        "granule plan 1\nchoice backend=simd workers=1 grain=4096 gpu=0",
        "granule plan 2",
        "granule plan 2\nchoice backend=simd workers=1 grain=4096",
        "granule plan 2\nchoice backend=tpu workers=1 grain=4096 gpu=0",
        "granule plan 2\nchoice backend=simd workers=0 grain=4096 gpu=0",
        "granule plan 2\nchoice backend=simd workers=1 grain=4000 gpu=0",
        "granule plan 2\nchoice backend=simd workers=1 grain=0 gpu=0",
        "granule plan 2\nchoice backend=simd workers=x grain=4096 gpu=0",
        "granule plan 2\nnonsense",
        "granule plan 2\nchoice backend=simd workers=1 grain=4096 gpu=0\nchoice backend=simd workers=1 grain=4096 gpu=0",
        "granule plan 2\nchoice backend=simd workers=1 grain=4096 gpu=0\ncandidate backend=gpu gpu=0 workers=1 infeasible=moon",
        "granule plan 2\nchoice backend=simd workers=1 grain=4096 gpu=0\ncandidate backend=gpu gpu=0 workers=1 overhead=NaN",
        &good.replace("ratio=5e-1", "ratio=0"),
        &good.replace("ratio=5e-1", "ratio=inf"),
        &good.replace("paid=", "payed="),
        &good.replace("samples=3", "samples=-1"),
    ] {
        assert!(matches!(bad.parse::<Plan>(), Err(granule::Error::Config { .. })), "{bad}");
    }
}

#[test]
fn a_plan_prints_on_one_line() {
    let plan = plan(&on_host(Operation::Map, MI, 100.0), &machine(2, 8, Gpus::Absent(String::new()))).unwrap();
    let (line, Choice { grain, .. }) = (plan.to_string(), plan.choice);
    assert!(line.starts_with(&format!("threads: 2 workers, grain {grain}; ")) && line.ends_with(" ms predicted"), "{line}");
    assert!(!line.contains('\n'));
}

#[test]
fn an_explanation_names_all_that_was_considered() {
    let machine = machine(4, 8, Gpus::Present(vec![adapter(GpuKind::Software), adapter(GpuKind::Discrete)]));
    let problem = on_host(Operation::Map, MI, 10.0);
    let explanation = explain(&problem, &machine);
    assert_eq!(explanation.choice, choose(&problem, &machine));
    let text = explanation.to_string();
    for word in
        ["map of 1048576", "  simd ", "* threads x4", "gpu 1 (a \"discrete\" one)", "software adapter", "chunks of", "memory"]
    {
        assert!(text.contains(word), "no `{word}` in\n{text}");
    }
    let mut unknown = on_host(Operation::Map, MI, 10.0);
    unknown.element.loops_unknown = true;
    assert!(explain(&unknown, &machine).to_string().contains("64 are assumed"));
    let impossible =
        Problem { pinned: Some(Backend::Gpu), gpu: GpuNeeds { refused: Some("it recurses"), ..problem.gpu }, ..problem };
    assert!(
        explain(&impossible, &machine).to_string().contains("nothing can run it: the kernel cannot run on a GPU: it recurses")
    );
}

fn explained(problem: &Problem, machine: &Machine) -> String {
    explain(problem, machine).to_string()
}

/// The line of a candidate, without its name, and the notes below it.
fn lines<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let mut lines = text.lines().skip_while(|line| !line[2..].starts_with(name));
    let first = lines.next().unwrap_or_else(|| panic!("no `{name}` in\n{text}"));
    let notes = lines.take_while(|line| line.starts_with("    "));
    std::iter::once(first[2 + name.len()..].trim()).chain(notes.map(str::trim)).collect()
}

#[test]
fn an_explanation_says_where_each_number_comes_from() {
    let mut machine = with_gpu(4, GpuKind::Discrete);
    let problem = on_host(Operation::Map, MI, 10.0);
    let all_priors = explained(&problem, &machine);
    assert!(all_priors.contains("all terms are priors") && !all_priors.contains('~'), "{all_priors}");

    // Of the processor all is measured but reads at random; of the GPU the link alone.
    machine.rates.measured = Measured { overhead: true, wake: true, transfer: true, memory: true, random: false, compute: true };
    let Gpus::Present(list) = &mut machine.gpus else { unreachable!() };
    list[0].rates.measured = Measured { transfer: true, ..Measured::default() };
    let text = explained(&problem, &machine);
    assert!(
        text.contains("\n~: a prior") && text.contains(" time  =  overhead      wake  transfer    memory   compute  readback\n")
    );
    assert!(!lines(&text, "simd")[0].contains('~') && !lines(&text, "threads x4")[0].contains('~'), "{text}");
    let gpu: Vec<_> =
        lines(&text, "gpu 0 (a \"discrete\" one)")[0].split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let guessed: Vec<_> = gpu.iter().map(|cell| cell.starts_with('~')).collect();
    assert_eq!(guessed, [false, true, false, false, true, true, false], "total, overhead, no wake, transfer, ... in\n{text}");

    let mut gather = problem;
    gather.element.bytes_random = 4.0;
    assert_eq!(
        lines(&explained(&gather, &machine), "simd")[0].matches('~').count(),
        1,
        "memory is no better than its worst part"
    );
    // What the GPU alone has comes over its link, in a submission whose price is a prior.
    let fetched = explain(&on_gpu(Operation::Map, MI, 10.0), &machine);
    assert_eq!((fetched.origins[0].transfer, fetched.origins[0].memory), (Origin::Prior, Origin::Calibrated));

    let Gpus::Present(list) = &mut machine.gpus else { unreachable!() };
    list[0].rates.measured = Measured { random: true, ..machine.rates.measured };
    let text = explained(&problem, &machine);
    assert!(text.contains("all terms were measured on this machine") && !text.contains('~'), "{text}");
}

#[test]
fn an_explanation_says_what_was_observed() {
    let machine = machine(4, 8, Gpus::Absent("no driver".into()));
    let mut problem = on_host(Operation::Map, MI, 10.0);
    problem.seen.simd = Sample { ratio: 0.93, count: 12 };
    problem.seen.threads = Sample { ratio: 1.5, count: 0 };
    let text = explained(&problem, &machine);
    assert_eq!(lines(&text, "simd")[1..], ["observed 12 times: x0.93 of the model"], "{text}");
    assert_eq!(lines(&text, "threads x4")[1..], ["x1.50, assumed from other backends or sizes"], "{text}");
    assert!(text.contains("gpu         no: no GPU was found: no driver"), "{text}");
    problem.seen.simd.count = 1;
    problem.seen.threads = Sample::default();
    let text = explained(&problem, &machine);
    assert_eq!(lines(&text, "simd")[1..], ["observed once: x0.93 of the model"], "{text}");
    assert_eq!(lines(&text, "threads x4").len(), 1, "{text}");

    problem.element.loops_unknown = true;
    assert!(explained(&problem, &machine).contains("64 are assumed"));
    problem.seen.iterations = 37.25;
    let text = explained(&problem, &machine);
    assert!(text.contains("priced as 37.2, by what was measured") && !text.contains("64 are assumed"), "{text}");
}

#[test]
fn an_explanation_says_what_is_paid_of_a_transfer() {
    let machine = with_gpu(4, GpuKind::Discrete);
    let problem = Problem { forgone: 100e-6, ..on_host(Operation::Map, MI, 10.0) };
    let (with, without) = (explain(&problem, &machine), explain(&Problem { forgone: 0.0, ..problem }, &machine));
    let [with_text, without_text] = [&with, &without].map(|explanation| explanation.to_string());
    let (with_lines, without_lines) = (lines(&with_text, "gpu 0"), lines(&without_text, "gpu 0"));
    assert_eq!(with_lines[0], without_lines[0], "the time that is expected is the same");
    assert_eq!((with_lines.len(), without_lines.len()), (2, 1));
    assert!(with_lines[1].contains("lost 100 us because the data was not moved"), "{with_text}");
    assert!(with.candidates[2].total() < without.candidates[2].total());
}

#[test]
fn crossovers_use_what_was_observed_at_their_sizes() {
    let machine = machine(4, 8, Gpus::Absent(String::new()));
    let problem = on_host(Operation::Map, 1 << 12, 10.0);
    let plain = explain(&problem, &machine).above.unwrap();
    // Threads turn out slow below 2^20 elements.
    let slow = Seen { threads: Sample { ratio: 50.0, count: 3 }, ..Seen::default() };
    let told = explain_with(&problem, &machine, &|n| if n < MI { slow } else { Seen::default() }).above.unwrap();
    assert!(plain.n < MI, "{plain:?}");
    assert_eq!((told.n, told.backend), (MI, Backend::Threads));
}

#[test]
fn an_analysis_sets_measured_beside_predicted() {
    let machine = with_gpu(4, GpuKind::Discrete);
    let mut problem = Problem { pinned: Some(Backend::Gpu), ..on_host(Operation::Map, MI, 10.0) };
    problem.seen.gpu = Sample { ratio: 2.0, count: 5 };
    let explanation = explain(&problem, &machine);
    let p = on(&problem, &machine, Backend::Gpu).unwrap();
    let analysis = Analysis {
        explanation,
        total: 3.0 * p.expected(),
        planning: Some(80e-9),
        transfer: Some(2.0 * p.transfer),
        work: Some(p.overhead + p.memory.max(p.compute)),
        readback: None,
    };
    assert_eq!(analysis.predicted(), Some(p));
    assert!((analysis.ratio().unwrap() - 3.0).abs() < 1e-12);
    let text = analysis.to_string();
    let (head, tail) = text.split_at(analysis.explanation.to_string().len());
    assert_eq!(head, analysis.explanation.to_string());
    let rows: Vec<Vec<&str>> =
        tail.lines().skip(1).map(|line| line.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect()).collect();
    let shown: Vec<_> = rows.iter().map(|row| (row[0], *row.last().unwrap())).collect();
    // The observed ratio corrects the parts too, so that they add up to the whole.
    let expected = [("total", "x3.00"), ("planning", "-"), ("transfer", "x1.00"), ("work", "x0.50"), ("readback", "-")];
    assert_eq!(shown, expected, "{text}");

    let json: serde_json::Value = serde_json::from_str(&analysis.to_json()).unwrap();
    let close =
        |value: &serde_json::Value, x: f64| assert!((value.as_f64().unwrap() / x - 1.0).abs() < 1e-9, "{value} is not {x}");
    close(&json["total"]["measured"], 3.0 * p.expected());
    close(&json["total"]["predicted"], p.expected());
    close(&json["transfer"]["ratio"], 1.0);
    assert!(json["planning"]["predicted"].is_null() && json["readback"]["measured"].is_null());
    let parts = ["transfer", "work", "readback"].map(|part| json[part]["predicted"].as_f64().unwrap());
    assert!((parts.iter().sum::<f64>() / p.expected() - 1.0).abs() < 1e-9);
    assert_eq!(json["explanation"], serde_json::from_str::<serde_json::Value>(&analysis.explanation.to_json()).unwrap());

    let here = Analysis { planning: None, transfer: None, work: None, readback: None, total: 1e-3, ..analysis };
    let on_cpu = Analysis { explanation: explain(&Problem { pinned: Some(Backend::Simd), ..problem }, &machine), ..here };
    assert!(!on_cpu.to_string().contains("\nplanning") && !on_cpu.to_string().contains("\ntransfer"), "{on_cpu}");
}

#[test]
fn the_json_of_an_explanation_says_all_that_the_text_does() {
    let mut machine = with_gpu(4, GpuKind::Discrete);
    machine.rates.measured.memory = true;
    let mut problem = Problem { forgone: 1e-4, ..on_host(Operation::Map, MI, 10.0) };
    problem.element.loops_unknown = true;
    problem.seen = Seen { simd: Sample { ratio: 0.5, count: 7 }, iterations: 20.0, ..Seen::default() };
    let json: serde_json::Value = serde_json::from_str(&explain(&problem, &machine).to_json()).unwrap();
    let (simd, gpu) = (&json["candidates"][0]["prediction"], &json["candidates"][2]["prediction"]);
    assert_eq!((&simd["sources"]["memory"], &simd["sources"]["compute"]), (&"calibrated".into(), &"prior".into()));
    assert_eq!(gpu["sources"]["memory"], "prior");
    assert_eq!((&simd["observed"]["count"], &simd["observed"]["ratio"]), (&7.into(), &0.5.into()));
    assert_eq!(simd["expected"].as_f64().unwrap(), 0.5 * simd["modelled"].as_f64().unwrap());
    assert_eq!((gpu["paid"].as_f64(), simd["paid"].as_f64()), (Some(1e-4), Some(0.0)));
    assert_eq!((json["problem"]["iterations"].as_f64(), json["problem"]["forgone"].as_f64()), (Some(20.0), Some(1e-4)));
    assert_eq!(json["problem"]["loops_unknown"], true);
}

/// The neighbours of a change lie on its two sides.
#[test]
fn changes_are_where_an_explanation_says() {
    let at = |problem: &Problem, machine: &Machine, n: usize| {
        let upload_bytes = (problem.upload_bytes as f64 * (n as f64 / problem.n as f64)) as u64;
        backend(&Problem { n, upload_bytes, ..*problem }, machine)
    };
    let mut seen = 0;
    for machine in &machines() {
        for problem in problems().iter().filter(|p| p.pinned.is_none() && p.download_bytes == 0 && p.n > 0).step_by(3) {
            let (explanation, now) = (explain(problem, machine), backend(problem, machine));
            if let Some(change) = explanation.below {
                assert!(change.backend != now && change.n < problem.n);
                assert_eq!((at(problem, machine, change.n), at(problem, machine, change.n + 1)), (change.backend, now));
                seen += 1;
            }
            if let Some(change) = explanation.above {
                assert!(change.backend != now && change.n > problem.n);
                assert_eq!((at(problem, machine, change.n), at(problem, machine, change.n - 1)), (change.backend, now));
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn explanations_are_json() {
    for machine in &machines() {
        for problem in problems().iter().step_by(11) {
            let json = explain(problem, machine).to_json();
            assert_eq!(value(json.as_bytes()), Some(&b""[..]), "{json}");
        }
    }
    for bad in ["", "{", "{\"a\":}", "[1,]", "\"\n\"", "{\"a\":1}}", "NaN", "01"] {
        assert_ne!(value(bad.as_bytes()), Some(&b""[..]), "the judge takes `{bad}`");
    }
}

/// Reads one JSON value without white space, and returns what follows it.
fn value(text: &[u8]) -> Option<&[u8]> {
    match *text.first()? {
        b'{' => items(&text[1..], b'}', |text| value(string(text)?.strip_prefix(b":")?)),
        b'[' => items(&text[1..], b']', value),
        b'"' => string(text),
        _ => {
            let end = text.iter().position(|c| b",]}".contains(c)).unwrap_or(text.len());
            let word = std::str::from_utf8(&text[..end]).ok()?;
            let digits = word.trim_start_matches('-');
            let leading_zero = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
            let number = digits.starts_with(|c: char| c.is_ascii_digit()) && word.parse::<f64>().is_ok() && !leading_zero;
            (number || ["true", "false", "null"].contains(&word)).then(|| &text[end..])
        }
    }
}

fn items(mut text: &[u8], close: u8, item: impl Fn(&[u8]) -> Option<&[u8]>) -> Option<&[u8]> {
    loop {
        text = item(text)?;
        match text.split_first()? {
            (b',', rest) => text = rest,
            (c, rest) if *c == close => return Some(rest),
            _ => return None,
        }
    }
}

fn string(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text.strip_prefix(b"\"")?;
    loop {
        match *rest.first()? {
            b'"' => return Some(&rest[1..]),
            b'\\' => rest = rest.get(if rest.get(1) == Some(&b'u') { 6 } else { 2 }..)?,
            0..0x20 => return None,
            _ => rest = &rest[1..],
        }
    }
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
