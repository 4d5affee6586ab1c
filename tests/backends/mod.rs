//! The backends that every case runs on: each SIMD level, several numbers of workers, and the GPU's variants.
//!
//! A backend that is absent is left out with a note; `REQUIRE_BACKENDS=gpu,simd,threads` turns its absence into failure.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::OnceLock;

use granule::backend::simd::SimdLevel;
use granule::plan::{Choice, Plan};
use granule::prelude::*;

use crate::oracle::{EXACT, Precision};

/// A way to run a task.
pub(crate) struct Runner {
    pub(crate) name: String,
    pub(crate) engine: Engine,
    pub(crate) plan: Plan,
    /// What the arithmetic promises.
    pub(crate) precision: Precision,
    /// Whether the backend may say that it lacks what a task needs.
    pub(crate) limited: bool,
}

impl Runner {
    /// The result, or nothing if the backend says that it lacks a type or the room.
    #[track_caller]
    pub(crate) fn result<T>(&self, label: &str, result: granule::Result<T>) -> Option<T> {
        match result {
            Ok(result) => Some(result),
            Err(Error::Unsupported { reason, .. }) if self.limited => {
                eprintln!("{label} not tested on {}: {reason}", self.name);
                None
            }
            Err(error) => panic!("{label} on {}: {error}", self.name),
        }
    }

    pub(crate) fn is_gpu(&self) -> bool {
        self.plan.choice.backend == Backend::Gpu
    }
}

pub(crate) fn plan(backend: Backend, workers: usize, grain: usize) -> Plan {
    Plan { choice: Choice { backend, workers, grain, gpu: 0 }, candidates: Vec::new() }
}

#[track_caller]
fn absent(backend: &str, why: impl std::fmt::Display) {
    let required = std::env::var("REQUIRE_BACKENDS").unwrap_or_default();
    assert!(!required.split(',').any(|b| b.trim() == backend), "the backend {backend} is required, but: {why}");
    eprintln!("{backend} not tested: {why}");
}

/// One core, at every level that this CPU has.
pub(crate) fn simd() -> Vec<Runner> {
    let runner = |level: SimdLevel| Runner {
        name: format!("simd {level}"),
        engine: Engine::builder().no_cache().simd(level).workers(1).build().unwrap(),
        plan: plan(Backend::Simd, 1, 4096),
        precision: EXACT,
        limited: false,
    };
    SimdLevel::available().map(runner).collect()
}

/// These numbers of workers with these grains, on a pool of eight threads of its own.
#[cfg(feature = "threads")]
pub(crate) fn threads(choices: &[(usize, usize)]) -> Vec<Runner> {
    static POOL: OnceLock<std::sync::Arc<rayon::ThreadPool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| rayon::ThreadPoolBuilder::new().num_threads(8).build().unwrap().into());
    let engine = Engine::builder().no_cache().pool(pool.clone()).build().unwrap();
    let runner = |&(workers, grain): &(usize, usize)| Runner {
        name: format!("threads, {workers} workers, grain {grain}"),
        engine: engine.clone(),
        plan: plan(Backend::Threads, workers, grain),
        precision: EXACT,
        limited: false,
    };
    choices.iter().map(runner).collect()
}
#[cfg(not(feature = "threads"))]
pub(crate) fn threads(_: &[(usize, usize)]) -> Vec<Runner> {
    absent("threads", "this build has not the feature `threads`");
    Vec::new()
}

#[cfg(not(feature = "gpu"))]
fn gpus() -> Vec<Runner> {
    absent("gpu", "this build has not the feature `gpu`");
    Vec::new()
}

/// The GPU as it is, with one tile and with several a workgroup; and a device of the user's own without subgroups, with bindings of 256 KiB and grids of 11 by 11 workgroups,
/// where every large input is cut.
#[cfg(feature = "gpu")]
fn gpus() -> Vec<Runner> {
    use granule::backend::gpu::Selection;

    let selection = std::env::var("GRANULE_ADAPTER").map_or(Selection::Any, Selection::Name);
    let whole = Engine::builder().no_cache().gpu(selection).build().unwrap();
    let gpu = match whole.gpu() {
        Ok(gpu) => gpu,
        Err(why) => {
            absent("gpu", why);
            return Vec::new();
        }
    };
    let small = {
        let backends = wgpu::Backends::PRIMARY;
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = backends;
        let adapters = pollster::block_on(wgpu::Instance::new(descriptor).enumerate_adapters(backends));
        let adapter = adapters.into_iter().find(|a| a.get_info().name == gpu.summary().name).unwrap();
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            required_features: adapter.features() & (wgpu::Features::SHADER_INT64 | wgpu::Features::SHADER_F64),
            required_limits: wgpu::Limits {
                max_storage_buffer_binding_size: 256 << 10,
                max_compute_workgroups_per_dimension: 11,
                ..adapter.limits()
            },
            ..Default::default()
        }))
        .unwrap();
        Engine::builder().no_cache().device(device, queue).build().unwrap()
    };
    let runner = |name: &str, engine: Engine, grain: usize| {
        let gpu = engine.gpu().unwrap();
        let verdict = *gpu.verdict().unwrap();
        let exact = verdict.ieee_f32 && verdict.ieee_div_sqrt && verdict.uncontracted;
        let precision = Precision { ulps: if exact { 0 } else { 4 }, flush: !verdict.denormals };
        Runner { name: name.into(), engine, plan: plan(Backend::Gpu, 1, grain), precision, limited: true }
    };
    vec![
        runner("gpu", whole.clone(), 4096),
        runner("gpu, three tiles a workgroup", whole, 3 * 4096),
        runner("gpu, small", small, 4096),
    ]
}

/// Every backend, made once.
pub(crate) fn all() -> &'static [Runner] {
    static ALL: OnceLock<Vec<Runner>> = OnceLock::new();
    ALL.get_or_init(|| {
        let choices = [(1, 4096), (2, 4096), (3, 8192), (8, 4096)];
        simd().into_iter().chain(threads(&choices)).chain(gpus()).collect()
    })
}

/// Runs a task that gives an array on every backend, and compares with the expected elements.
#[macro_export]
macro_rules! agree {
    ($label:expr, |$engine:ident| $task:expr, $want:expr) => {
        $crate::agree!(@ $label, |$engine| $task, $want, |runner| runner.precision)
    };
    (@ $label:expr, |$engine:ident| $task:expr, $want:expr, |$runner:ident| $precision:expr) => {{
        let (label, want) = (&*$label, &$want);
        for $runner in $crate::backends::all() {
            let $engine = &$runner.engine;
            if let Some(got) = $runner.result(label, ($task).with_plan(&$runner.plan).run()) {
                let got = got.as_slice().unwrap_or_else(|e| panic!("{label} on {}: {e}", $runner.name));
                $crate::oracle::assert_same(format!("{label} on {}", $runner.name), got, &want[..], $precision);
            }
        }
    }};
}

/// Runs a task that gives one value on every backend, and compares.
#[macro_export]
macro_rules! agree_one {
    ($label:expr, |$engine:ident| $task:expr, $want:expr) => {{
        let (label, want) = (&*$label, $want);
        for runner in $crate::backends::all() {
            let $engine = &runner.engine;
            if let Some(got) = runner.result(label, ($task).with_plan(&runner.plan).run()) {
                let right = $crate::oracle::Same::same(&got, &want, runner.precision);
                assert!(right, "{label} on {}: {got:?}, expected {want:?}", runner.name);
            }
        }
    }};
}
