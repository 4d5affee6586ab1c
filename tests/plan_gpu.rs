//! What the planner knows of GPUs beyond their speed.

use granule::machine::{Built, Cpu, CpuRates, GpuInfo, GpuKind, GpuRates, Gpus, Machine};
use granule::plan::{Backend, Operation, Problem, TILE, choose};

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
