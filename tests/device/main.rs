//! The device layer on a real adapter, hardware or software. `GRANULE_ADAPTER` selects one by name.

#![cfg(feature = "gpu")]

mod loss;
mod waiting;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use granule::Error;
use granule::backend::gpu::{Access, Binding, Checks, Gpu, Module, Pipeline, PipelineKey, PipelineSpec, Selection};

/// A device of its own for each test that breaks or limits it, else shared.
fn open() -> Option<Arc<Gpu>> {
    let selection = std::env::var("GRANULE_ADAPTER").map_or(Selection::Any, Selection::Name);
    match Gpu::open(&selection) {
        Ok(gpu) => Some(gpu),
        Err(error) => {
            let required = std::env::var("REQUIRE_BACKENDS").unwrap_or_default();
            assert!(!required.split(',').any(|b| b.trim() == "gpu"), "the gpu backend is required, but: {error}");
            eprintln!("no device, not tested: {error}");
            None
        }
    }
}

fn shared() -> Option<Arc<Gpu>> {
    static GPU: OnceLock<Option<Arc<Gpu>>> = OnceLock::new();
    GPU.get_or_init(open).clone()
}

fn bytes(n: usize, seed: u32) -> Vec<u8> {
    (0..n as u32).map(|i| ((i ^ seed).wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|w| u32::from_le_bytes(w.try_into().unwrap())).collect()
}

fn upload_words(gpu: &Gpu, data: &[u32]) -> granule::backend::gpu::Buffer {
    gpu.upload(&data.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>()).unwrap()
}

fn read_words(gpu: &Arc<Gpu>, buffer: &granule::backend::gpu::Buffer) -> Vec<u32> {
    words(&gpu.read(buffer, 0, buffer.bytes(), None).unwrap())
}

const HEADER: &str = "
struct Params { n: u32, addend: u32 }
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;
";
/// `output[i] += input[i] + addend`
const ADD: &str = "
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let i = (wid.y * groups.x + wid.x) * 64u + t;
    if (i < params.n) {
        output[i] = output[i] + input[i] + params.addend;
    }
}
";
/// One word a workgroup, which is one thread.
const MARK: &str = "
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let g = wid.y * groups.x + wid.x;
    if (g < params.n) {
        output[g] = output[g] + g + params.addend;
    }
}
";
const BINDINGS: [(u32, Access); 3] = [(0, Access::Read), (1, Access::ReadWrite), (2, Access::Uniform)];

fn spec<'a>(body: &str) -> PipelineSpec<'a> {
    PipelineSpec {
        label: "test",
        module: Module::new().add("header", HEADER).add("body", body),
        entry: "main",
        bindings: &BINDINGS,
        constants: &[],
        checks: Checks::Trusted,
    }
}

fn key(hash: u128) -> PipelineKey {
    PipelineKey { hash, variant: 1 }
}

fn add_pipeline(gpu: &Gpu) -> Arc<Pipeline> {
    gpu.pipeline(key(1), || spec(ADD)).unwrap()
}

fn add(gpu: &Gpu, input: Binding, output: Binding, n: u32, addend: u32) {
    let params = gpu.params(&[n, addend]).unwrap();
    gpu.dispatch(&add_pipeline(gpu), &[input, output, params], u64::from(n).div_ceil(64)).unwrap();
}

#[test]
fn adapters_are_described() {
    let Some(gpu) = shared() else { return };
    let all = Gpu::discover();
    assert!(all.iter().any(|a| a.name == gpu.summary().name), "{all:?}");
    let summary = gpu.summary();
    assert!(summary.max_buffer >= 1 << 27 && summary.max_binding >= 1 << 27 && summary.max_invocations >= 128, "{summary:?}");
    let (line, details) = (summary.to_string(), format!("{summary:#}"));
    assert!(line.starts_with(&summary.name) && !line.contains('\n'), "{line}");
    let groups = format!("{} a dimension", summary.max_workgroups);
    assert!(summary.max_workgroups >= 65_535 && details.contains(&groups) && details.lines().count() >= 6, "{details}");
    for word in [&*summary.kind.to_string(), &summary.api, &summary.driver, &summary.driver_info] {
        assert!(line.contains(word) && details.contains(word), "{word} is not in {line} or {details}");
    }
    for (has, name) in [(summary.subgroups.is_some(), "subgroups of"), (summary.int64, "i64"), (summary.float64, "f64")] {
        assert!(line.contains(name) == has && details.contains(name) == has, "{name}, {has}: {line}, {details}");
    }
    let index = all.iter().position(|a| a.name == summary.name).unwrap();
    assert_eq!(Gpu::open(&Selection::Index(index)).unwrap().summary().name, summary.name);
    let part = summary.name[..4].to_uppercase();
    assert!(Gpu::open(&Selection::Name(part.clone())).unwrap().summary().name.to_uppercase().contains(&part));
}

#[test]
fn without_an_adapter_the_error_says_how_to_go_on() {
    let none = Gpu::open_in(wgpu::Backends::empty(), &Selection::Hardware).unwrap_err();
    let text = none.to_string();
    assert!(matches!(none, Error::Unsupported { .. }), "{text}");
    assert!(
        text.contains("no hardware GPU") && text.contains("install") && text.contains("Vulkan") && text.contains("CPU"),
        "{text}"
    );

    let Some(gpu) = shared() else { return };
    for selection in [Selection::Name("no such thing".into()), Selection::Index(99)] {
        let text = Gpu::open(&selection).unwrap_err().to_string();
        assert!(text.contains(&gpu.summary().name) && text.contains("99") | text.contains("no such thing"), "{text}");
    }
}

#[test]
fn bytes_go_to_the_device_and_come_back() {
    let Some(gpu) = shared() else { return };
    for n in [0, 1, 2, 3, 4, 5, 255, 256, 257, 4099, 1 << 20, (1 << 20) + 3] {
        let data = bytes(n, 7);
        let buffer = gpu.upload(&data).unwrap();
        assert_eq!(buffer.bytes(), n as u64);
        assert!(gpu.read(&buffer, 0, n as u64, None).unwrap() == data, "{n} bytes");
        for (from, to) in [(1, n), (3, 3.max(n / 2)), (n / 3, n)] {
            if from <= to && to <= n {
                let part = gpu.read(&buffer, from as u64, (to - from) as u64, None).unwrap();
                assert!(part == data[from..to], "{from}..{to} of {n} bytes");
            }
        }
        assert!(matches!(gpu.read(&buffer, 0, n as u64 + 1, None), Err(Error::Gpu { .. })));
        assert!(matches!(gpu.read(&buffer, u64::MAX, 2, None), Err(Error::Gpu { .. })));
    }
}

#[test]
fn a_read_of_several_pieces_is_whole() {
    let Some(gpu) = shared() else { return };
    // Three pieces of 64 MiB, the first at an odd offset.
    let n = (129 << 20) + 5;
    let data = bytes(n, 1);
    let buffer = gpu.upload(&data).unwrap();
    assert!(gpu.read(&buffer, 0, n as u64, None).unwrap() == data);
    assert!(pollster::block_on(gpu.read_async(&buffer, 3, n as u64 - 3, None)).unwrap() == data[3..]);
}

#[test]
fn a_write_changes_what_follows_and_not_what_was_recorded() {
    let Some(gpu) = shared() else { return };
    let input = upload_words(&gpu, &[1; 100]);
    let (first, second) = (upload_words(&gpu, &[0; 100]), upload_words(&gpu, &[0; 100]));
    add(&gpu, input.all(), first.all(), 100, 0);
    gpu.write(&input, 8, &[9, 0, 0, 0]).unwrap();
    add(&gpu, input.all(), second.all(), 100, 0);
    assert_eq!(read_words(&gpu, &first), [1; 100]);
    let mut want = [1; 100];
    want[2] = 9;
    assert_eq!(read_words(&gpu, &second), want);
    assert!(matches!(gpu.write(&input, 2, &[0; 4]), Err(Error::Gpu { .. })), "offset");
    assert!(matches!(gpu.write(&input, 0, &[0; 3]), Err(Error::Gpu { .. })), "length");
    assert!(matches!(gpu.write(&input, 396, &[0; 8]), Err(Error::Gpu { .. })), "end");
}

#[test]
fn dropped_buffers_are_reused_and_idle_ones_are_bounded() {
    let Some(gpu) = open() else { return };
    let pool = gpu.pool();
    let first = gpu.alloc(1_000_000).unwrap();
    let raw = first.raw().clone();
    let before = pool.stats();
    assert!(before.total >= 1_000_000 && before.idle == 0);
    drop(first);
    assert_eq!(pool.stats().idle, before.total);
    let again = gpu.alloc(999_999).unwrap();
    assert_eq!(again.raw(), &raw, "the same memory");
    let after = pool.stats();
    assert_eq!((after.total, after.created, after.reused, after.idle), (before.total, before.created, before.reused + 1, 0));

    let many: Vec<_> = (1..=10).map(|i| gpu.alloc(i << 20).unwrap()).collect();
    pool.set_idle_limit(20 << 20);
    drop(many);
    let stats = pool.stats();
    assert!(stats.idle <= 20 << 20 && stats.idle > 10 << 20, "{stats:?}");
    pool.clear();
    assert_eq!(pool.stats().idle, 0);
    assert_eq!(pool.stats().total, again.capacity());
}

#[test]
fn a_recorded_command_keeps_its_buffers_out_of_the_pool() {
    let Some(gpu) = open() else { return };
    let output = upload_words(&gpu, &[0; 64]);
    let input = upload_words(&gpu, &[5; 64]);
    let raw = input.raw().clone();
    add(&gpu, input.all(), output.all(), 64, 0);
    drop(input);
    let other = upload_words(&gpu, &[77; 64]);
    assert_ne!(other.raw(), &raw, "still in use by the batch");
    assert_eq!(read_words(&gpu, &output), [5; 64]);
    assert_eq!(gpu.alloc(256).unwrap().raw(), &raw, "free after the submission");
}

#[test]
fn beyond_the_limit_memory_is_refused_and_all_else_goes_on() {
    let Some(gpu) = open() else { return };
    let kept = gpu.upload(&bytes(1 << 20, 3)).unwrap();
    gpu.pool().set_limit(4 << 20);
    assert_eq!(gpu.alloc(8 << 20).unwrap_err(), Error::OutOfMemory { bytes: 8 << 20 });
    // Idle buffers make room.
    drop(gpu.alloc(2 << 20).unwrap());
    let three = gpu.alloc(5 << 19).unwrap();
    assert_eq!(gpu.alloc(1 << 20).unwrap_err(), Error::OutOfMemory { bytes: 1 << 20 });
    // So do buffers that only the batch still holds.
    gpu.clear(&three, 0, 5 << 19).unwrap();
    drop(three);
    drop(gpu.alloc(2 << 20).unwrap());
    assert!(gpu.read(&kept, 0, 1 << 20, None).unwrap() == bytes(1 << 20, 3));
    // Above what the adapter can do at all.
    assert!(matches!(gpu.alloc(u64::MAX), Err(Error::Unsupported { .. })));
}

/// A device of its own, for passes of other tests would be counted too.
#[test]
fn passes_are_timed_by_the_devices_own_clock() {
    let Some(gpu) = open() else { return };
    let n = 1 << 16;
    let (input, output) = (upload_words(&gpu, &vec![1; n]), upload_words(&gpu, &vec![0; n]));
    let record = |times: usize| {
        gpu.time_passes(|| {
            for _ in 0..times {
                add(&gpu, input.all(), output.all(), n as u32, 1);
                gpu.flush()?;
            }
            Ok(times)
        })
        .unwrap()
    };
    let begun = Instant::now();
    let (done, took) = record(3);
    let wall = begun.elapsed();
    assert_eq!((done, read_words(&gpu, &output) == vec![6; n]), (3, true));
    assert_eq!(took.is_some(), gpu.summary().timestamps);
    assert!(took.is_none_or(|took| !took.is_zero() && took <= wall), "{took:?} of {wall:?}");
    assert!(record(0).1.is_none_or(|took| took.is_zero()));
    assert_eq!(gpu.time_passes(|| Err::<(), _>(Error::ForeignArray)), Err(Error::ForeignArray));
    // More passes than there is room for.
    assert_eq!(record(2049).1, None);
}

#[test]
fn dispatches_of_one_batch_have_their_own_parameters_and_run_in_order() {
    let Some(gpu) = shared() else { return };
    let n = 1000;
    let input: Vec<u32> = (0..n).collect();
    let source = upload_words(&gpu, &input);
    let sum = upload_words(&gpu, &vec![0; n as usize]);
    let late = gpu.params(&[n, 1000]).unwrap();
    for addend in [1, 10, 100] {
        add(&gpu, source.all(), sum.all(), n, addend);
    }
    assert_eq!(read_words(&gpu, &sum), input.iter().map(|x| 3 * x + 111).collect::<Vec<_>>());
    // Parameters that were made before a submission are good after it.
    gpu.dispatch(&add_pipeline(&gpu), &[source.all(), sum.all(), late], 16).unwrap();
    assert_eq!(read_words(&gpu, &sum), input.iter().map(|x| 4 * x + 1111).collect::<Vec<_>>());
    // More than fit one page or one batch.
    for _ in 0..600 {
        add(&gpu, source.all(), sum.all(), 1, 2);
    }
    assert_eq!(read_words(&gpu, &sum)[..2], [1111 + 1200, 4 + 1111]);
}

#[test]
fn ranges_copies_and_clears() {
    let Some(gpu) = shared() else { return };
    let source = upload_words(&gpu, &(0..256).collect::<Vec<_>>());
    let target = upload_words(&gpu, &[7; 256]);
    add(&gpu, source.range(512, 256), target.range(256, 256), 64, 0);
    let mut want = vec![7; 256];
    (0..64).for_each(|i| want[64 + i] += 128 + i as u32);
    assert_eq!(read_words(&gpu, &target), want);

    gpu.copy(&source, 16, &target, 0, 12).unwrap();
    gpu.clear(&target, 1020, 4).unwrap();
    want[..3].copy_from_slice(&[4, 5, 6]);
    want[255] = 0;
    assert_eq!(read_words(&gpu, &target), want);
    assert!(matches!(gpu.copy(&source, 2, &target, 0, 4), Err(Error::Gpu { .. })));
    assert!(matches!(gpu.copy(&source, 0, &source, 16, 4), Err(Error::Gpu { .. })));
    assert!(matches!(gpu.copy(&source, 0, &target, 1024, 4), Err(Error::Gpu { .. })));
    assert!(matches!(gpu.clear(&target, 0, 1028), Err(Error::Gpu { .. })));
}

#[test]
fn more_than_65535_workgroups_take_a_second_dimension() {
    let Some(gpu) = shared() else { return };
    let pipeline = gpu.pipeline(key(2), || spec(MARK)).unwrap();
    for groups in [65_535u32, 65_536, 200_003] {
        let input = upload_words(&gpu, &[0]);
        let output = upload_words(&gpu, &vec![0; groups as usize]);
        let params = gpu.params(&[groups, 1]).unwrap();
        gpu.dispatch(&pipeline, &[input.all(), output.all(), params], groups.into()).unwrap();
        // Each exactly once: the kernel adds.
        assert!(read_words(&gpu, &output).into_iter().eq(1..=groups), "{groups} groups");
    }
}

#[test]
fn a_shader_error_has_its_place() {
    let Some(gpu) = shared() else { return };
    let broken = "fn f(x: f32) -> f32 {\n    return x + undeclared;\n}\n";
    let spec = || PipelineSpec { module: Module::new().add("header", HEADER).add("ops", broken).add("add", ADD), ..spec("") };
    let error = gpu.pipeline(key(100), spec).unwrap_err();
    let Error::Kernel { message, line, column } = &error else { panic!("{error:?}") };
    assert_eq!((*line, *column), (HEADER.lines().count() as u32 + 2, 16), "{message}");
    assert!(message.contains("ops:2:16") && message.contains("undeclared"), "{message}");

    // A type error is found by the validator, not the parser.
    let mistyped = "fn f(x: f32) -> u32 {\n    return x;\n}\n";
    let error = gpu.pipeline(key(101), || self::spec(mistyped)).unwrap_err();
    assert!(matches!(&error, Error::Kernel { line, .. } if *line > 5), "{error:?}");
    assert_eq!(read_words(&gpu, &upload_words(&gpu, &[1, 2])), [1, 2], "usable afterwards");
}

#[test]
fn too_much_workgroup_memory_is_refused() {
    let Some(gpu) = shared() else { return };
    let words = gpu.limits().max_compute_workgroup_storage_size / 4;
    let body =
        |words| format!("var<workgroup> big: array<u32, {words}>;\n{ADD}").replace("params.addend;", "params.addend + big[t];");
    gpu.pipeline(key(110), || spec(&body(words))).unwrap();
    let error = gpu.pipeline(key(111), || spec(&body(words + 1))).unwrap_err();
    assert!(matches!(&error, Error::Kernel { message, .. } if message.contains("workgroup memory")), "{error:?}");
}

#[test]
fn a_wrong_command_is_refused_alone() {
    let Some(gpu) = shared() else { return };
    let pipeline = add_pipeline(&gpu);
    let (input, output) = (upload_words(&gpu, &[1; 64]), upload_words(&gpu, &[0; 64]));
    add(&gpu, input.all(), output.all(), 64, 0);
    let params = gpu.params(&[64, 0]).unwrap();
    let wrong: [(&str, Vec<Binding>, u64); 5] = [
        ("one missing", vec![input.all(), output.all()], 1),
        ("not a uniform", vec![input.all(), output.all(), input.all()], 1),
        ("read and written", vec![output.all(), output.all(), params.clone()], 1),
        ("offset", vec![input.range(4, 4), output.all(), params.clone()], 1),
        ("behind the end", vec![input.range(256, 4), output.all(), params.clone()], 1),
    ];
    for (what, bindings, groups) in wrong {
        // llvmpipe binds storage at any multiple of 16, so 4 is wrong everywhere.
        let error = gpu.dispatch(&pipeline, &bindings, groups).expect_err(what);
        assert!(matches!(error, Error::Gpu { .. }), "{what}: {error:?}");
    }
    assert!(matches!(gpu.dispatch(&pipeline, &[input.all(), output.all(), params], u64::MAX), Err(Error::TooLarge { .. })));
    // Parameters shorter than the shader's struct.
    let longer = HEADER.replace("addend: u32", "addend: u32, more: array<vec4<u32>, 4>");
    let longer = || PipelineSpec { module: Module::new().add("header", &longer).add("add", ADD), ..spec("") };
    let longer = gpu.pipeline(key(121), longer).unwrap();
    let error = gpu.dispatch(&longer, &[input.all(), output.all(), gpu.params(&[64, 0]).unwrap()], 1);
    assert!(matches!(error, Err(Error::Gpu { .. })), "{error:?}");
    // An entry that does not exist is the pipeline's fault, not the shader's.
    let error = gpu.pipeline(key(120), || PipelineSpec { entry: "missing", ..spec(ADD) }).unwrap_err();
    assert!(matches!(error, Error::Gpu { .. }), "{error:?}");
    assert_eq!(read_words(&gpu, &output), [1; 64], "what was recorded before is not touched");
}

#[test]
fn nothing_is_compiled_twice() {
    let Some(gpu) = open() else { return };
    let (input, output) = (upload_words(&gpu, &[1; 64]), upload_words(&gpu, &[0; 64]));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| add_pipeline(&gpu));
        }
    });
    assert_eq!(gpu.compilations(), 1, "eight threads, one compilation");
    (0..50).for_each(|addend| add(&gpu, input.all(), output.all(), 64, addend));
    assert_eq!(gpu.compilations(), 1, "fifty uniforms, none more");
    gpu.pipeline(PipelineKey { hash: 1, variant: 2 }, || spec(ADD)).unwrap();
    assert_eq!(gpu.compilations(), 2, "a variant is its own");
    assert_eq!(read_words(&gpu, &output), [50 + 49 * 25; 64]);
}

#[test]
fn the_probe_knows_the_software_adapter() {
    let Some(gpu) = open() else { return };
    assert_eq!(gpu.summary().verdict, None);
    let verdict = *gpu.verdict().unwrap();
    println!("{:#}", gpu.summary());
    assert_eq!(gpu.summary().verdict, Some(verdict));
    let compiled = gpu.compilations();
    assert_eq!(*gpu.verdict().unwrap(), verdict);
    assert_eq!(gpu.compilations(), compiled, "it is probed once");
    if gpu.summary().name.contains("llvmpipe") {
        assert!(verdict.ieee_f32 && verdict.ieee_div_sqrt && verdict.denormals && verdict.uncontracted, "{verdict}");
        assert!(verdict.subgroups_linear && verdict.shuffle_down, "{verdict}");
    }
}
