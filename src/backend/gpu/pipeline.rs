//! Compute pipelines: compiled once for each key, whatever the number of threads that ask.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use wgpu::naga;

use crate::error::{Error, Result};
use crate::lock::lock;

use super::device::Gpu;
use super::shader::Module;

/// How a shader uses one of its bindings, all of which are in group 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// `var<storage, read>`
    Read,
    /// `var<storage, read_write>`
    ReadWrite,
    /// `var<uniform>`
    Uniform,
}

/// Which checks the compiler adds to a shader. Integer division is always checked, for its results are part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Checks {
    /// Indices are clamped and loops are bounded by a 64-bit counter.
    Full,
    /// None. Only for text that this crate wrote or generated, in which every index is in range by construction and every loop
    /// ends: an index out of range would read or write other memory of the device.
    Trusted,
}

/// Identifies a pipeline: a stable hash of all that its text depends on, and a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PipelineKey {
    /// The hash.
    pub hash: u128,
    /// The template and its variant.
    pub variant: u32,
}

/// What a pipeline is made from.
#[derive(Clone, Debug)]
pub struct PipelineSpec<'a> {
    /// Shown in graphics debuggers.
    pub label: &'a str,
    /// The WGSL.
    pub module: Module,
    /// The entry point.
    pub entry: &'a str,
    /// Binding numbers of group 0 and their use, in the order in which [`Gpu::dispatch`] is given them.
    pub bindings: &'a [(u32, Access)],
    /// Values of `override` constants.
    pub constants: &'a [(&'a str, f64)],
    /// Checks in the shader.
    pub checks: Checks,
}

/// A compiled pipeline and the layout of its bindings.
#[derive(Debug)]
pub struct Pipeline {
    pub(super) raw: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
    pub(super) bindings: Box<[(u32, Access)]>,
}

/// One mutex a key: whoever comes second waits for the first one's result, and other keys are not held up.
type Slot = Arc<Mutex<Option<Arc<Pipeline>>>>;

#[derive(Default)]
pub(super) struct PipelineCache {
    slots: Mutex<HashMap<PipelineKey, Slot>>,
    compilations: AtomicU64,
}

impl Gpu {
    /// The pipeline of this key, compiled from `spec` if it is the first time.
    ///
    /// # Errors
    /// `Kernel` with the place if the shader is refused, `Gpu` if the pipeline is. Failures are not cached.
    pub fn pipeline<'a>(&self, key: PipelineKey, spec: impl FnOnce() -> PipelineSpec<'a>) -> Result<Arc<Pipeline>> {
        let slot = lock(&self.pipelines.slots).entry(key).or_default().clone();
        let mut slot = lock(&slot);
        if let Some(pipeline) = &*slot {
            return Ok(pipeline.clone());
        }
        self.check()?;
        let pipeline = Arc::new(self.compile(&spec())?);
        Ok(slot.insert(pipeline).clone())
    }

    /// How many pipelines were compiled so far: a call that only differs in data or uniforms adds none.
    pub fn compilations(&self) -> u64 {
        self.pipelines.compilations.load(Ordering::Relaxed)
    }

    fn compile(&self, spec: &PipelineSpec<'_>) -> Result<Pipeline> {
        self.pipelines.compilations.fetch_add(1, Ordering::Relaxed);
        // A text that does not parse is reported below, with its place.
        let parsed = naga::front::wgsl::parse_str(spec.module.source()).ok();
        if let Some(parsed) = &parsed {
            self.check_workgroup_memory(parsed)?;
        }

        let source = wgpu::ShaderSource::Wgsl(spec.module.source().into());
        let descriptor = wgpu::ShaderModuleDescriptor { label: Some(spec.label), source };
        let checks = match spec.checks {
            Checks::Full => wgpu::ShaderRuntimeChecks::checked(),
            Checks::Trusted => wgpu::ShaderRuntimeChecks { int_div_checks: true, ..wgpu::ShaderRuntimeChecks::unchecked() },
        };
        let mut info = None;
        let module = self.scoped(0, || {
            // SAFETY: `Checks::Trusted` is by its contract only given text of this crate, whose indices are in range by
            // construction and whose loops end; with `Checks::Full` every check is on.
            let module = unsafe { self.device.create_shader_module_trusted(descriptor, checks) };
            info = Some(pollster::block_on(module.get_compilation_info()));
            module
        });
        let module = module.map_err(|error| {
            let messages = info.map(|i| i.messages).unwrap_or_default();
            let first = messages.into_iter().find(|m| m.message_type == wgpu::CompilationMessageType::Error);
            first.map_or(error, |m| {
                let place = m.location.map_or((0, 0), |l| (l.line_number, l.line_position));
                refusal(&spec.module, &m.message, place)
            })
        })?;

        let entries: Vec<_> = spec
            .bindings
            .iter()
            .map(|&(binding, access)| layout_entry(binding, access, parsed.as_ref().and_then(|m| bound_bytes(m, binding))))
            .collect();
        let (raw, layout) = self.scoped(0, || {
            let layout =
                self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
            let pipeline_layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            });
            let raw = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(spec.label),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some(spec.entry),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: spec.constants,
                    zero_initialize_workgroup_memory: false,
                },
                cache: None,
            });
            (raw, layout)
        })?;
        Ok(Pipeline { raw, layout, bindings: spec.bindings.into() })
    }

    /// wgpu does not hold shaders to the adapter's workgroup memory, and drivers then do what they like.
    fn check_workgroup_memory(&self, module: &naga::Module) -> Result<()> {
        let limit = self.limits().max_compute_workgroup_storage_size;
        match workgroup_bytes(module) {
            Some(bytes) if bytes > u64::from(limit) => {
                let message = format!("its {bytes} bytes of workgroup memory are more than this adapter's {limit}");
                Err(Error::Kernel { message, line: 0, column: 0 })
            }
            _ => Ok(()),
        }
    }
}

/// The workgroup memory that a module declares, each variable aligned to 16 bytes as Vulkan counts it. `None` if an `override`
/// constant sizes it.
fn workgroup_bytes(module: &naga::Module) -> Option<u64> {
    let mut layouter = naga::proc::Layouter::default();
    layouter.update(module.to_ctx()).ok()?;
    let variables = module.global_variables.iter().filter(|(_, v)| v.space == naga::AddressSpace::WorkGroup);
    Some(variables.map(|(_, v)| u64::from(layouter[v.ty].size).next_multiple_of(16)).sum())
}

/// The least that a shader must find bound there: its type, with one element of an array without a length. Given with the
/// layout, it makes wgpu refuse a shorter binding when it is bound, and not only when the whole batch is encoded.
fn bound_bytes(module: &naga::Module, binding: u32) -> Option<wgpu::BufferSize> {
    let bound = naga::ResourceBinding { group: 0, binding };
    let (_, variable) = module.global_variables.iter().find(|(_, v)| v.binding.as_ref() == Some(&bound))?;
    wgpu::BufferSize::new(module.types[variable.ty].inner.try_size(module.to_ctx())?.into())
}

/// A shader error with its place, in the whole text and in the part that it is in.
fn refusal(module: &Module, message: &str, (line, column): (u32, u32)) -> Error {
    let message = message.trim();
    let message = match module.locate(line) {
        Some((part, within)) => format!("{part}:{within}:{column}: {message}"),
        None => message.to_owned(),
    };
    Error::Kernel { message, line, column }
}

fn layout_entry(binding: u32, access: Access, min_binding_size: Option<wgpu::BufferSize>) -> wgpu::BindGroupLayoutEntry {
    let ty = match access {
        Access::Uniform => wgpu::BufferBindingType::Uniform,
        Access::Read | Access::ReadWrite => wgpu::BufferBindingType::Storage { read_only: access == Access::Read },
    };
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size },
        count: None,
    }
}
