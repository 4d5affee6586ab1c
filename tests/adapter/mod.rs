//! The adapter that tests run on: hardware if there is any, else software, else none, which is only a failure where
//! `REQUIRE_BACKENDS` names `gpu`.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::OnceLock;

use granule::EngineBuilder;
use granule::backend::gpu::Selection;
use granule::machine::{GpuKind, GpuRates, Link, OpRates};
use granule::prelude::*;

/// A new engine on an adapter that is chosen by its name, so that the planner may choose it even if it is software.
pub(crate) fn engine() -> Option<Engine> {
    with(|builder| builder)
}

/// The same with an adapter that the planner takes for so fast that it prefers it for whatever is not tiny.
pub(crate) fn preferred() -> Option<Engine> {
    let prior = GpuRates::prior(GpuKind::Discrete);
    let link = |link: Link| Link { bandwidth: 1e12, ..link };
    let (upload, download) = (link(prior.upload), link(prior.download));
    let rates = GpuRates { ops: OpRates::all(1e14), upload, download, memory: 1e13, cache: 1e13, ..prior };
    with(|builder| builder.gpu_rates(rates))
}

/// An engine with what is set, which decides alike in every run.
pub(crate) fn with(set: impl FnOnce(EngineBuilder) -> EngineBuilder) -> Option<Engine> {
    learning(|builder| set(builder.frozen()))
}

/// An engine that learns from its calls and keeps nothing, unless what is set says otherwise.
pub(crate) fn learning(set: impl FnOnce(EngineBuilder) -> EngineBuilder) -> Option<Engine> {
    let wanted = std::env::var("GRANULE_ADAPTER").ok();
    let name = || {
        let mut all = Engine::adapters();
        all.sort_by_key(|adapter| !adapter.is_hardware());
        all.into_iter().next().map(|adapter| adapter.name)
    };
    let Some(name) = wanted.or_else(name) else { return absent("there is no adapter") };
    let engine = set(Engine::builder().no_cache()).gpu(Selection::Name(name)).build().unwrap();
    match engine.gpu() {
        Ok(_) => Some(engine),
        Err(error) => absent(&error.to_string()),
    }
}

/// One engine for the tests that neither break nor limit its device.
pub(crate) fn shared() -> Option<&'static Engine> {
    static SHARED: OnceLock<Option<Engine>> = OnceLock::new();
    SHARED.get_or_init(engine).as_ref()
}

/// Says that a test did not run, or fails if it must.
pub(crate) fn absent<T>(reason: &str) -> Option<T> {
    let required = std::env::var("REQUIRE_BACKENDS").unwrap_or_default();
    assert!(!required.split(',').any(|b| b.trim() == "gpu"), "the gpu backend is required, but: {reason}");
    eprintln!("no GPU, not tested: {reason}");
    None
}

/// A device and queue of the caller's own, whose limits are those of the adapter but for what `limit` changes.
pub(crate) fn device(limit: impl FnOnce(&mut wgpu::Limits)) -> Option<(wgpu::Device, wgpu::Queue)> {
    let gpu = shared()?.gpu().ok()?;
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.flags = wgpu::InstanceFlags::empty();
    let adapters = pollster::block_on(wgpu::Instance::new(descriptor).enumerate_adapters(wgpu::Backends::PRIMARY));
    let adapter = adapters.into_iter().find(|a| a.get_info().name == gpu.summary().name)?;
    let mut limits = adapter.limits();
    limit(&mut limits);
    let useful = wgpu::Features::SUBGROUP | wgpu::Features::SHADER_INT64;
    let request = adapter.request_device(&wgpu::DeviceDescriptor {
        required_features: adapter.features() & useful,
        required_limits: limits,
        ..Default::default()
    });
    Some(pollster::block_on(request).unwrap())
}
