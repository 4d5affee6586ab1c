//! What is chosen on computers of all classes, whose rates are written down from public data. The whole table is a snapshot,
//! `tests/snapshots/choices.txt`, which `UPDATE_SNAPSHOTS=1` writes; what must hold whatever the rates is asserted beside it.
//!
//! A core's bandwidths and all software costs (waking, chunks, submitting) are not published: they are the priors, unless said.

use std::fmt::Write as _;

use granule::kernel::{Cost, Ops};
use granule::machine::{Cpu, CpuRates, GpuInfo, GpuKind, GpuRates, Gpus, Levels, Link, Machine, OpRates};
use granule::plan::{Backend, GpuNeeds, Operation, Problem, Seen, choose, explain};

use crate::{adapter, machine};

const GIB: u64 = 1 << 30;

fn computer(cpu: Cpu, rates: CpuRates, gpus: Gpus) -> Machine {
    Machine { cpu, rates, gpus, ..machine(1, 4, Gpus::NotLookedFor) }
}

fn one_gpu(name: &str, kind: GpuKind, buffers: u64, rates: GpuRates) -> Gpus {
    let limit = buffers.min(2 * GIB - 4); // of a binding, on Vulkan
    Gpus::Present(vec![GpuInfo {
        name: name.into(),
        max_buffer_bytes: buffers,
        max_binding_bytes: limit,
        rates,
        ..adapter(kind)
    }])
}

/// A link of the same speed both ways.
fn link(bandwidth: f64) -> GpuRates {
    let prior = GpuRates::prior(GpuKind::Discrete);
    GpuRates { upload: Link { bandwidth, ..prior.upload }, download: Link { bandwidth, ..prior.download }, ..prior }
}

/// Qualcomm Snapdragon 8 Gen 2. CPU: Arm Cortex-X3 at 3.2 GHz and seven smaller cores, L3 8 MiB (Qualcomm's product brief; Arm's
/// Cortex-X3 core description: L1 64 KiB, L2 1 MiB, four pipes of 128 bits). Memory: LPDDR5X, 64 bits at 8.4 GT/s: 67 GB/s.
/// GPU: Adreno 740, 1536 lanes at 680 MHz (press; Qualcomm publishes neither): 1.0e12 instructions a second.
fn phone() -> Machine {
    let cpu = Cpu {
        name: "Snapdragon 8 Gen 2".into(),
        cores: 8,
        simd_lanes: 4,
        l1_bytes: 64 << 10,
        l2_bytes: 1 << 20,
        l3_bytes: 8 << 20,
    };
    let rates = CpuRates {
        dram_limit: 45e9,               // two thirds of 67, since GPU, display and modem share it
        ops: OpRates::all(2.0 * 2.4e9), // the mean of the cores: two instructions a cycle, at a clock that a phone can hold
        ..CpuRates::prior(4)
    };
    // The GPU's share of the same memory. A copy there reads and writes it.
    let gpu = GpuRates { memory: 45e9, cache: 45e9, submit: 100e-6, ops: OpRates::all(0.8e12), ..link(15e9) };
    computer(cpu, rates, one_gpu("Adreno 740", GpuKind::Integrated, GIB, gpu))
}

/// AMD Ryzen 7 7840U. CPU: 8 Zen 4 cores, 16 threads, L1 32 KiB, L2 1 MiB, L3 16 MiB (AMD's product page). Memory: LPDDR5-6400, 128
/// bits: 102 GB/s. GPU: Radeon 780M, 768 lanes at 2.7 GHz: 2.1e12 instructions a second, each of which may be two.
fn laptop() -> Machine {
    let cpu = Cpu {
        name: "Ryzen 7 7840U".into(),
        cores: 16,
        simd_lanes: 16,
        l1_bytes: 32 << 10,
        l2_bytes: 1 << 20,
        l3_bytes: 16 << 20,
    };
    // 512 bits in two halves (AMD's optimization guide for Zen 4), and two threads a core: half an instruction a cycle each.
    let rates = CpuRates { dram_limit: 60e9, ops: OpRates::all(0.5 * 3.8e9), ..CpuRates::prior(16) };
    let gpu = GpuRates { memory: 80e9, cache: 300e9, cache_bytes: 2e6, ops: OpRates::all(1.7e12), ..link(25e9) };
    computer(cpu, rates, one_gpu("Radeon 780M", GpuKind::Integrated, 4 * GIB, gpu))
}

/// AMD Ryzen 9 7950X: 16 Zen 4 cores, L3 64 MiB in two halves, DDR5-5200: 83 GB/s (AMD's product page). NVIDIA RTX 4090 on PCIe 4.0
/// x16: 1008 GB/s, 16384 lanes at 2.52 GHz, 72 MiB of L2 (NVIDIA's Ada architecture white paper); the bus carries 25 of its 31.5 GB/s.
fn workstation() -> Machine {
    let cpu = Cpu {
        name: "Ryzen 9 7950X".into(),
        cores: 16,
        simd_lanes: 16,
        l1_bytes: 32 << 10,
        l2_bytes: 1 << 20,
        l3_bytes: 32 << 20,
    };
    let rates = CpuRates { dram_limit: 65e9, ops: OpRates::all(5.0e9), ..CpuRates::prior(16) };
    let gpu = GpuRates { memory: 920e9, cache: 4e12, cache_bytes: 72e6, ops: OpRates::all(33e12), ..link(25e9) };
    computer(cpu, rates, one_gpu("GeForce RTX 4090", GpuKind::Discrete, 4 * GIB, gpu))
}

/// NVIDIA H200: 4.8 TB/s, of which 4.3 are reached, 16896 lanes at 1.98 GHz, 50 MiB of L2, `f64` at half the rate (NVIDIA's H200 and
/// H100 data sheets); PCIe 5.0 x16 carries 50 of its 63 GB/s. Intel Xeon 8480+: 56 cores, L1 48 KiB, L2 2 MiB, L3 105 MiB, eight
/// channels of DDR5-4800: 307 GB/s (Intel ARK).
fn h200() -> Machine {
    let cpu = Cpu {
        name: "Xeon Platinum 8480+".into(),
        cores: 56,
        simd_lanes: 16,
        l1_bytes: 48 << 10,
        l2_bytes: 2 << 20,
        l3_bytes: 105 << 20,
    };
    let rates = CpuRates { dram_limit: 240e9, ..CpuRates::prior(16) };
    let gpu = GpuRates {
        memory: 4.3e12,
        cache: 5.5e12,
        cache_bytes: 50e6,
        ops: OpRates::all(27e12),
        float64_slowdown: 2.0,
        ..link(50e9)
    };
    let gpus = one_gpu("H200", GpuKind::Discrete, 64 * GIB, gpu);
    computer(cpu, rates, gpus)
}

/// AMD EPYC 9554: 64 Zen 4 cores, L3 256 MiB in eight parts of 32, twelve channels of DDR5-4800: 461 GB/s (AMD's product page).
fn server() -> Machine {
    let cpu =
        Cpu { name: "EPYC 9554".into(), cores: 64, simd_lanes: 16, l1_bytes: 32 << 10, l2_bytes: 1 << 20, l3_bytes: 32 << 20 };
    let rates = CpuRates { dram_limit: 370e9, ops: OpRates::all(3.5e9), ..CpuRates::prior(16) };
    computer(cpu, rates, Gpus::Absent("no driver".into()))
}

/// One core of an Intel Core i5-8250U at AVX2, as a container gets it: L1 32 KiB, L2 256 KiB, L3 6 MiB, DDR4-2400: 34 GB/s (Intel ARK).
fn single_core() -> Machine {
    let cpu =
        Cpu { name: "Core i5-8250U".into(), cores: 1, simd_lanes: 8, l1_bytes: 32 << 10, l2_bytes: 256 << 10, l3_bytes: 6 << 20 };
    let prior = CpuRates::prior(8);
    let read = Levels { dram: 14e9, ..prior.read };
    let write = Levels { dram: 10e9, ..prior.write };
    let rates = CpuRates { read, write, dram_limit: 25e9, ..prior };
    computer(cpu, rates, Gpus::Absent("no driver".into()))
}

fn computers() -> [(&'static str, Machine); 6] {
    [
        ("phone", phone()),
        ("laptop", laptop()),
        ("workstation", workstation()),
        ("h200", h200()),
        ("server", server()),
        ("single-core", single_core()),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kernel {
    /// `a * x + y`.
    LightMap,
    /// Fifty functions of `x`.
    HeavyMap,
    Sum,
    Scan,
    /// 12 operations an iteration, of which 200 on average were measured.
    Mandelbrot,
}

const KERNELS: [(&str, Kernel); 5] = [
    ("light-map", Kernel::LightMap),
    ("heavy-map", Kernel::HeavyMap),
    ("sum", Kernel::Sum),
    ("scan", Kernel::Scan),
    ("mandelbrot", Kernel::Mandelbrot),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Data {
    Host,
    Gpu,
}

/// A call on `f32`. What a map or a scan makes stays where it was made if the input was on the GPU, and is read by the host if not.
fn call(kernel: Kernel, n: usize, data: Data) -> Problem {
    let operation = match kernel {
        Kernel::Sum => Operation::Reduce,
        Kernel::Scan => Operation::Scan,
        _ => Operation::Map,
    };
    let (inputs, ops) = match kernel {
        Kernel::LightMap => (2, Ops::simple(2.0)),
        Kernel::HeavyMap => (1, Ops { simple: 50.0, divide: 0.0, function: 800.0 }),
        Kernel::Sum | Kernel::Scan => (1, Ops::default()),
        Kernel::Mandelbrot => (2, Ops::simple(12.0)),
    };
    let combine = if operation == Operation::Map { Ops::default() } else { Ops::simple(1.0) };
    let bytes = 4 * inputs * n as u64;
    let (upload_bytes, download_bytes) = if data == Data::Host { (bytes, 0) } else { (0, bytes) };
    Problem {
        n,
        element: Cost { bytes_read: 4.0 * inputs as f32, ops, loops_unknown: kernel == Kernel::Mandelbrot, ..Cost::default() },
        combine: Cost { ops: combine, ..Cost::default() },
        item_bytes: 4,
        upload_bytes,
        download_bytes,
        result_on_host: data == Data::Host || operation == Operation::Reduce,
        allocates: data == Data::Host,
        gpu: GpuNeeds { bindings: inputs as u32 + 1, ..GpuNeeds::default() },
        seen: Seen { iterations: if kernel == Kernel::Mandelbrot { 200.0 } else { 0.0 }, ..Seen::default() },
        ..Problem::new(operation)
    }
}

const BITS: std::ops::RangeInclusive<u32> = 6..=26;

fn chosen(machine: &Machine, kernel: Kernel, data: Data) -> Vec<(u32, Backend)> {
    BITS.map(|bits| (bits, choose(&call(kernel, 1 << bits, data), machine).unwrap().backend)).collect()
}

/// The first power of two from which on this backend is chosen up to the largest.
fn from(machine: &Machine, kernel: Kernel, data: Data, backend: Backend) -> Option<u32> {
    let choices = chosen(machine, kernel, data);
    let first = choices.iter().rposition(|(_, other)| *other != backend).map_or(0, |last| last + 1);
    choices.get(first).map(|(bits, _)| *bits)
}

fn never(machine: &Machine, kernel: Kernel, data: Data, backend: Backend) -> bool {
    chosen(machine, kernel, data).iter().all(|(_, other)| *other != backend)
}

fn table() -> String {
    let mut text = String::new();
    for (name, machine) in computers() {
        for (kernel_name, kernel) in KERNELS {
            for data in [Data::Host, Data::Gpu] {
                if data == Data::Gpu && machine.gpus().is_empty() {
                    continue;
                }
                let choices = chosen(&machine, kernel, data);
                let runs = choices.chunk_by(|a, b| a.1 == b.1).map(|run| {
                    let (bits, backend) = run[run.len() - 1];
                    format!("{backend} to 2^{bits}")
                });
                let place = format!("{data:?}").to_lowercase();
                let _ = writeln!(text, "{name} {kernel_name} {place}: {}", runs.collect::<Vec<_>>().join(", "));
            }
        }
    }
    text
}

#[test]
fn choices_on_all_computers_are_those_of_the_snapshot() {
    let (text, path) = (table(), concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/choices.txt"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    let changed: Vec<_> = text.lines().filter(|line| !expected.lines().any(|old| old == *line)).collect();
    assert!(text == expected, "choices have changed: look at them, then run with UPDATE_SNAPSHOTS=1\n{}", changed.join("\n"));
}

#[test]
fn one_core_shares_nothing() {
    for (_, kernel) in KERNELS {
        assert!(chosen(&single_core(), kernel, Data::Host).iter().all(|(_, backend)| *backend == Backend::Simd), "{kernel:?}");
    }
}

#[test]
fn without_a_gpu_large_calls_go_to_all_cores() {
    for (_, kernel) in KERNELS {
        let first = from(&server(), kernel, Data::Host, Backend::Threads).unwrap();
        assert!(never(&server(), kernel, Data::Host, Backend::Gpu) && (13..=18).contains(&first), "{kernel:?}: from 2^{first}");
        let largest = choose(&call(kernel, 1 << 26, Data::Host), &server()).unwrap();
        // Arithmetic takes all cores. Memory is saturated by 370 / 17.5 = 21 of them, but not the caches that a part is in.
        let workers = if matches!(kernel, Kernel::HeavyMap | Kernel::Mandelbrot) { 64..=64 } else { 22..=64 };
        assert!(workers.contains(&largest.workers), "{kernel:?}: {} workers", largest.workers);
    }
}

/// Bringing it over and back takes longer than using it: the cores' memory is faster than the link.
#[test]
fn what_is_on_the_host_and_read_once_stays_there() {
    for (name, machine) in computers() {
        for kernel in [Kernel::LightMap, Kernel::Sum, Kernel::Scan] {
            assert!(never(&machine, kernel, Data::Host, Backend::Gpu), "{kernel:?} on {name}");
        }
    }
}

/// A result that stays where it is made needs no wait; fetching the input does, however small it is.
#[test]
fn what_is_on_the_gpu_and_may_stay_there_stays() {
    for (name, machine) in computers().into_iter().filter(|(_, machine)| !machine.gpus().is_empty()) {
        for kernel in [Kernel::LightMap, Kernel::HeavyMap, Kernel::Mandelbrot] {
            assert_eq!(from(&machine, kernel, Data::Gpu, Backend::Gpu), Some(6), "{kernel:?} on {name}");
        }
        // A sum is waited for on either side; the more there is to fetch, the less that pays.
        let first = from(&machine, Kernel::Sum, Data::Gpu, Backend::Gpu).unwrap();
        assert!((13..=18).contains(&first), "sum on {name}: from 2^{first}");
    }
}

/// By hand, on the workstation: 2^26 elements take 850 operations each. All cores: 2^26 * 850 / (16 * 16 * 5e9) = 45 ms. The GPU: both
/// ways over the bus 2 * 2^28 / 25e9 = 21 ms, and 2^26 * 850 / 33e12 = 2 ms. On the H200's host 56 cores at 6e9 take 10.6 ms, and the
/// bus 10.7: it is the cores that are faster there, not the GPU that is slower.
#[test]
fn arithmetic_pays_for_a_bus_where_the_cores_are_few() {
    let expected = [(phone(), true), (laptop(), true), (workstation(), true), (h200(), false)];
    for (machine, pays) in expected {
        let choice = choose(&call(Kernel::HeavyMap, 1 << 26, Data::Host), &machine).unwrap();
        assert_eq!(choice.backend == Backend::Gpu, pays, "{machine}");
    }
    // Mandelbrot's 2400 operations for 12 bytes pay everywhere.
    for machine in [phone(), laptop(), workstation(), h200()] {
        let first = from(&machine, Kernel::Mandelbrot, Data::Host, Backend::Gpu).unwrap();
        assert!((10..=20).contains(&first), "from 2^{first} on {machine}");
    }
}

/// By hand: a sum out of caches at some 100 GB/s a core (181 from the second level, 60 from the third) takes twice the 2 us that calling
/// a helper does from 2 * 2e-6 * 100e9 / 4 = 1e5 elements on, 2^17. A phone's core is half as fast.
#[test]
fn the_second_core_pays_where_its_share_is_longer_than_its_call() {
    for (machine, bits) in [(phone(), 15..=17), (laptop(), 16..=18), (workstation(), 16..=18), (h200(), 16..=18)] {
        let first = from(&machine, Kernel::Sum, Data::Host, Backend::Threads).unwrap();
        assert!(bits.contains(&first), "from 2^{first} on {machine}");
    }
}

/// The explanation finds by itself the crossovers that the table shows.
#[test]
fn explanations_agree_with_the_table() {
    let mut changes = 0;
    for (name, machine) in computers() {
        for (_, kernel) in KERNELS {
            for data in [Data::Host, Data::Gpu] {
                let choices = chosen(&machine, kernel, data);
                for pair in choices.windows(2).filter(|pair| pair[0].1 != pair[1].1) {
                    let [(below, small), (above, large)] = [pair[0], pair[1]];
                    let up = explain(&call(kernel, 1 << below, data), &machine).above.unwrap();
                    let down = explain(&call(kernel, 1 << above, data), &machine).below.unwrap();
                    for n in [up.n, down.n] {
                        assert!((1 << below..=1 << above).contains(&n), "{kernel:?} on {name}: {n}");
                    }
                    // Between two octaves a third backend may come in.
                    if up.n == down.n + 1 {
                        assert_eq!((up.backend, down.backend), (large, small), "{kernel:?} on {name}");
                    }
                    changes += 1;
                }
            }
        }
    }
    assert!(changes > 20, "{changes}");
}
