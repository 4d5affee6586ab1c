//! What the planner knows of GPUs beyond their speed.

use granule::kernel;
use granule::kernel::Cost;
use granule::kernel::cost::Ops;
use granule::machine::{Built, Cpu, CpuRates, GpuInfo, GpuKind, GpuRates, Gpus, Machine};
use granule::plan::{Backend, Explanation, GpuNeeds, Infeasible, Operation, Plan, Problem, TILE, choose, explain, plan};
use granule::prelude::*;

fn adapter() -> GpuInfo {
    GpuInfo {
        name: "a test's".into(),
        api: "vulkan".into(),
        kind: GpuKind::Discrete,
        driver: "1.0".into(),
        vendor: 0,
        device: 0,
        asked_for: false,
        max_binding_bytes: 1 << 40,
        max_buffer_bytes: 1 << 40,
        max_storage_bindings: 8,
        int64: false,
        float64: false,
        subgroups: true,
        ieee_f32: true,
        rates: GpuRates::prior(GpuKind::Discrete),
    }
}

fn machine(gpu: GpuInfo) -> Machine {
    let cpu = Cpu { name: "a test's".into(), cores: 8, simd_lanes: 8, l1_bytes: 48 << 10, l2_bytes: 2 << 20, l3_bytes: 32 << 20 };
    Machine { cpu, rates: CpuRates::prior(8), gpus: Gpus::Present(vec![gpu]), built: Built { threads: true, gpu: true } }
}

/// At least four workgroups for each that the GPU runs at a time, else one tile each; never more than sixteen tiles.
#[test]
fn a_workgroup_takes_more_tiles_where_there_are_many() {
    for busy in [1.0, 16.0, 100.0, 1024.0] {
        let machine = machine(GpuInfo { rates: GpuRates { workgroups: busy, ..adapter().rates }, ..adapter() });
        for operation in [Operation::Map, Operation::Reduce, Operation::Scan] {
            let mut before = 1;
            for n in (0..36).flat_map(|bits| [1_usize << bits, (1 << bits) + 1, (1 << bits) * 3 / 2]) {
                let problem = Problem { n, pinned: Some(Backend::Gpu), ..Problem::new(operation) };
                let grain = choose(&problem, &machine).unwrap().grain;
                assert!(grain > 0 && grain.is_multiple_of(TILE), "{operation} of {n}: {grain}");
                let tiles = grain / TILE;
                assert!((before..=16).contains(&tiles), "{operation} of {n}: {tiles} after {before}");
                // What a workgroup takes; four share a tile of a map.
                let own = if operation == Operation::Map { grain / 4 } else { grain };
                assert!(tiles == 1 || (n / own) as f64 >= 4.0 * busy, "{operation} of {n}: {tiles} tiles");
                before = tiles;
            }
            assert_eq!(before, 16, "{operation} on {busy}");
        }
    }
}

/// A measurement that went wrong still gives a grain that can be run.
#[test]
fn absurd_rates_give_a_grain() {
    for busy in [0.0, -1.0, f64::INFINITY, f64::NAN] {
        let machine = machine(GpuInfo { rates: GpuRates { workgroups: busy, ..adapter().rates }, ..adapter() });
        let problem = Problem { n: 1 << 20, pinned: Some(Backend::Gpu), ..Problem::new(Operation::Reduce) };
        let grain = choose(&problem, &machine).unwrap().grain;
        assert!((TILE..=16 * TILE).contains(&grain) && grain.is_multiple_of(TILE), "{busy}: {grain}");
    }
}

/// Much arithmetic on data that the GPU has: it wins wherever it may.
fn heavy(operation: Operation) -> Problem {
    Problem {
        n: 1 << 24,
        element: Cost { bytes_read: 4.0, ops: Ops::simple(1000.0), ..Cost::default() },
        item_bytes: 4,
        gpu: GpuNeeds { rounds_f32: true, bindings: 2, ..GpuNeeds::default() },
        ..Problem::new(operation)
    }
}

#[test]
fn other_bits_are_not_chosen_unasked() {
    let ieee = machine(adapter());
    let fast = machine(GpuInfo { ieee_f32: false, ..adapter() });
    let backend = |problem: &Problem, machine: &Machine| choose(problem, machine).unwrap().backend;
    for operation in [Operation::Reduce, Operation::Scan] {
        let ordered = heavy(operation);
        assert_eq!(backend(&ordered, &ieee), Backend::Gpu, "{operation}");
        assert_ne!(backend(&ordered, &fast), Backend::Gpu, "{operation}");
        let reason =
            plan(&ordered, &fast).unwrap().candidates.into_iter().find(|c| c.backend == Backend::Gpu).unwrap().prediction;
        assert_eq!(reason, Err(Infeasible::Rounding), "{operation}");
        // Who frees it of the order, asks for this GPU, or rounds nothing may have it.
        let exact = GpuNeeds { rounds_f32: false, ..ordered.gpu };
        for free in [
            Problem { unordered: true, ..ordered },
            Problem { pinned: Some(Backend::Gpu), ..ordered },
            Problem { gpu: exact, ..ordered },
            Problem { gpu: exact.and(exact), ..ordered },
        ] {
            assert_eq!(backend(&free, &fast), Backend::Gpu, "{operation}");
        }
        let either = Problem { gpu: exact.and(ordered.gpu), ..ordered };
        assert_ne!(backend(&either, &fast), Backend::Gpu, "{operation}");
    }
    assert_eq!(backend(&heavy(Operation::Map), &fast), Backend::Gpu);
}

#[test]
fn the_reason_is_told_and_kept() {
    let fast = machine(GpuInfo { ieee_f32: false, ..adapter() });
    let problem = heavy(Operation::Reduce);
    let told = explain(&problem, &fast).to_string();
    assert!(told.contains("not IEEE") && told.contains("`.unordered()`"), "{told}");
    let plan = plan(&problem, &fast).unwrap();
    let text = plan.to_text();
    assert!(text.contains("infeasible=rounding"), "{text}");
    assert_eq!(text.parse::<Plan>().unwrap(), plan);
}

/// Of two GPUs the one that keeps the bits.
#[test]
fn another_gpu_is_taken_if_it_keeps_the_bits() {
    let mut machine = machine(GpuInfo { ieee_f32: false, ..adapter() });
    machine.gpus = Gpus::Present(vec![GpuInfo { ieee_f32: false, ..adapter() }, adapter()]);
    let choice = choose(&heavy(Operation::Reduce), &machine).unwrap();
    assert_eq!((choice.backend, choice.gpu), (Backend::Gpu, 1));
}

#[operator(identity = 0.0, commutative)]
fn larger_square(a: f32, b: f32) -> f32 {
    if b * b > a * a { b } else { a }
}

/// Which calls compute what is rounded, as they say of themselves.
#[test]
fn calls_say_whether_they_round() {
    let engine = Engine::builder().no_cache().build().unwrap();
    let (x, i) = ([1.0_f32, 2.0], [1_u32, 2]);
    let rounds = |explanation: granule::Result<Explanation>| explanation.unwrap().problem.gpu.rounds_f32;
    assert!(rounds(engine.reduce(&x, Sum).explain()));
    assert!(rounds(engine.scan(&x, Product).explain()));
    assert!(rounds(engine.reduce(&x, larger_square::with()).explain()));
    assert!(rounds(engine.reduce((&x).map(kernel!(|x: f32| x * 2.0)), Max).explain()));
    assert!(rounds(engine.reduce((&x).map(kernel!(|x: f32| x.sqrt() as u32)), Sum).explain()));
    assert!(rounds(engine.reduce(zip(&i, &x), (Sum, Sum)).explain()));
    assert!(!rounds(engine.reduce(&x, Max).explain()));
    assert!(!rounds(engine.reduce(zip(&x, &i), ArgMin).explain()));
    assert!(!rounds(engine.reduce((&x).map(kernel!(|x: f32| x.abs())), Min).explain()));
    assert!(!rounds(engine.reduce(&i, Sum).explain()));
    assert!(!rounds(engine.scan((&i).map(kernel!(|i: u32| i * 3)), Sum).explain()));
}
