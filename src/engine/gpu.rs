//! What an engine with the feature `gpu` has besides: one device, opened when it is first needed.

use super::*;
use std::sync::Mutex;

use crate::backend::gpu::{AdapterKind, AdapterSummary, Found};
use crate::machine::{GpuInfo, GpuKind, GpuRates};

/// Why there is no GPU where none is wanted.
pub(super) const LEFT_OUT: &str = "this engine was set up without one (`GRANULE_ADAPTER=none`, or the builder's `no_gpu`)";

/// Where the device comes from.
pub(super) enum Origin {
    Open(Selection),
    None,
    Given(Arc<Gpu>),
}

pub(super) struct GpuSide {
    origin: Origin,
    /// The adapter to open, once one was looked for.
    found: OnceLock<Result<Found>>,
    opened: OnceLock<Result<Arc<Gpu>>>,
    fallback: Mutex<Option<Error>>,
    rates: Option<GpuRates>,
}

impl GpuSide {
    pub(super) fn new(origin: Origin, rates: Option<GpuRates>) -> Self {
        GpuSide { origin, found: OnceLock::new(), opened: OnceLock::new(), fallback: Mutex::new(None), rates }
    }

    /// Says of the machine that there is no GPU, if none is wanted.
    pub(super) fn without_gpus(&self, machine: Machine) -> Machine {
        match self.origin {
            Origin::None => Machine { gpus: Gpus::Absent(LEFT_OUT.into()), ..machine },
            Origin::Open(_) | Origin::Given(_) => machine,
        }
    }

    fn find(&self, selection: &Selection) -> Result<&Found> {
        let found = self.found.get_or_init(|| Found::new(wgpu::Backends::PRIMARY, selection));
        found.as_ref().map_err(Error::clone)
    }
}

impl Origin {
    /// What `GRANULE_ADAPTER` asks for; else the best there is.
    pub(super) fn from_env() -> Origin {
        match std::env::var("GRANULE_ADAPTER") {
            Ok(name) if name.eq_ignore_ascii_case("none") => Origin::None,
            Ok(name) => Origin::Open(Selection::Name(name)),
            Err(_) => Origin::Open(Selection::Any),
        }
    }
}

impl Engine {
    /// The GPU of this engine, opened if it is not yet.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if there is none, with the reason and what to do; [`Error::DeviceLost`] if it is gone.
    pub fn gpu(&self) -> Result<Arc<Gpu>> {
        let side = &self.0.gpu;
        let open = || match &side.origin {
            Origin::Open(selection) => side.find(selection)?.open(),
            Origin::Given(gpu) => Ok(gpu.clone()),
            Origin::None => Err(Error::Unsupported { backend: Backend::Gpu, reason: LEFT_OUT.into() }),
        };
        let open_and_watch = || {
            let gpu = open()?;
            let engine = Arc::downgrade(&self.0);
            gpu.watch(move |took, bytes| {
                if let Some(engine) = engine.upgrade() {
                    engine.knowledge.waited(took, bytes);
                }
            });
            Ok(gpu)
        };
        side.opened.get_or_init(open_and_watch).clone()
    }

    /// All GPUs of this computer, also those that this engine does not use. None is opened.
    pub fn adapters() -> Vec<AdapterSummary> {
        Gpu::discover()
    }

    /// Why the last call that was planned for the GPU ran on the CPU instead, if one did.
    pub fn gpu_fallback(&self) -> Option<Error> {
        lock(&self.0.gpu.fallback).clone()
    }

    /// Keeps the reason. A lost device never comes back, so no later call without a pin is planned for it.
    pub(crate) fn note_fallback(&self, error: Error) {
        if let Error::DeviceLost { reason } = &error {
            let gone = format!("it was lost in an earlier call ({reason}): a new engine opens it again");
            _ = self.0.bereft.set(Machine { gpus: Gpus::Absent(gone), ..self.machine().clone() });
        }
        *lock(&self.0.gpu.fallback) = Some(error);
    }

    pub(super) fn look_for_gpus(&self) -> Gpus {
        let side = &self.0.gpu;
        // Software that nobody asked for is planned for no call without a pin: what is known of it unopened will do.
        if let Origin::Open(Selection::Any) = side.origin
            && let Ok(Found { summary, .. }) = side.find(&Selection::Any)
            && !summary.is_hardware()
        {
            return Gpus::Present(vec![info(summary.clone(), false, side.rates)]);
        }
        match self.gpu() {
            Ok(gpu) => {
                let by_chance = matches!(side.origin, Origin::Open(Selection::Any));
                // Into the summary goes what the probe found.
                _ = gpu.verdict();
                Gpus::Present(vec![info(gpu.summary(), !by_chance, side.rates)])
            }
            Err(Error::Unsupported { reason, .. }) => Gpus::Absent(reason),
            Err(error) => Gpus::Absent(error.to_string()),
        }
    }
}

fn info(adapter: AdapterSummary, asked_for: bool, rates: Option<GpuRates>) -> GpuInfo {
    let kind = match adapter.kind {
        AdapterKind::Discrete => GpuKind::Discrete,
        AdapterKind::Integrated => GpuKind::Integrated,
        AdapterKind::Virtual => GpuKind::Virtual,
        AdapterKind::Cpu => GpuKind::Software,
        AdapterKind::Other => GpuKind::Other,
    };
    GpuInfo {
        name: adapter.name,
        api: adapter.api,
        kind,
        driver: format!("{} {}", adapter.driver, adapter.driver_info).trim().to_owned(),
        vendor: adapter.vendor,
        device: adapter.device,
        asked_for,
        max_binding_bytes: adapter.max_binding,
        max_buffer_bytes: adapter.max_buffer,
        max_storage_bindings: adapter.max_storage_buffers,
        int64: adapter.int64,
        float64: adapter.float64,
        subgroups: adapter.subgroups.is_some(),
        ieee_f32: adapter.verdict.is_some_and(|verdict| verdict.ieee_f32),
        rates: rates.unwrap_or_else(|| GpuRates::prior(kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::{Sum, iota};

    /// Hardware is opened, since only then its arithmetic can be probed; software only for a call that is pinned to it.
    #[test]
    fn software_that_nobody_asked_for_is_not_opened() {
        let engine = Engine::builder().no_cache().gpu(Selection::Any).build().unwrap();
        let [gpu] = engine.machine().gpus() else {
            let required = std::env::var("REQUIRE_BACKENDS").unwrap_or_default();
            assert!(!required.contains("gpu"), "{}", engine.machine());
            eprintln!("no adapter, not tested: {}", engine.machine());
            return;
        };
        let software = gpu.kind == GpuKind::Software;
        assert_eq!((gpu.asked_for, engine.0.gpu.opened.get().is_none()), (false, software), "{gpu}");
        if !software {
            eprintln!("there is hardware: software not tested");
            return;
        }
        let task = || engine.reduce(iota(0..10_000_000_u32), Sum);
        let gpu = task().plan().unwrap().candidates.into_iter().find(|c| c.backend == Backend::Gpu);
        assert_eq!(gpu.unwrap().prediction, Err(Infeasible::Software));
        let total = task().run().unwrap();
        assert!(engine.0.gpu.opened.get().is_none());
        assert_eq!(task().on(Backend::Gpu).run().unwrap(), total);
        assert!(engine.0.gpu.opened.get().is_some());
    }
}
