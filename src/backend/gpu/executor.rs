//! Puts a template, a source and an operator together into dispatches: the one place where traced code meets the device.
//!
//! A template (`shaders/*.wgsl`) is written against names: `Item`, `source(i)`, `combine(a, b)`, `combine_identity()`, and the
//! buffers it is given. What those are is generated. Which variant of a template runs is decided by listing another file.
//!
//! A grid that is larger than one binding or one dispatch allows is cut into chunks of whole tiles. Data that is read in order is
//! then bound as a window that moves along with the chunk; data that is read at random must fit one binding.

use std::any::TypeId;
use std::sync::Arc;

use crate::array::{Data, DataKey, DataVisitor};
use crate::backend::cpu::TILE;
use crate::element::{Element, Kind, Offset};
use crate::error::{Error, Result};
use crate::kernel::ir::{Needs, Traced};
use crate::kernel::trace::{trace_operator, trace_source};
use crate::kernel::wgsl;
use crate::operator::Operator;
use crate::plan::Backend;
use crate::source::Source;

use super::array::DeviceArray;
use super::{Access, Binding, Buffer, Checks, Gpu, Module, PipelineKey, PipelineSpec};

/// Elements to which the start of a window is rounded down: 64 elements of at least 4 bytes are the 256 bytes to which every API
/// aligns a binding.
const WINDOW: u64 = 64;

/// One file of a template.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// Names it in errors, and tells variants apart.
    pub(crate) name: &'static str,
    /// The WGSL.
    pub(crate) text: &'static str,
}

/// Names a file of `shaders/`.
macro_rules! part {
    ($name:literal) => {
        $crate::backend::gpu::Part { name: $name, text: include_str!(concat!("../../../shaders/", $name, ".wgsl")) }
    };
}
pub(crate) use part;

/// A traced function with its data on the device.
pub(crate) struct Function {
    traced: Traced,
    hash: u128,
    data: Vec<Buffer>,
}

impl Function {
    /// A source: the function from the grid index to the element.
    pub(crate) fn source<S: Source<Item: Element>>(gpu: &Arc<Gpu>, source: &S) -> Result<Function> {
        let mut resident = Resident { gpu, data: Vec::new() };
        source.data(&mut resident)?;
        Function::new(gpu, trace_source(source), resident)
    }

    /// An operator: the function of two elements.
    pub(crate) fn operator<T: Element, O: Operator<T>>(gpu: &Arc<Gpu>, operator: &O) -> Result<Function> {
        let mut resident = Resident { gpu, data: Vec::new() };
        operator.data(&mut resident)?;
        Function::new(gpu, trace_operator::<T, O>(operator), resident)
    }

    fn new(gpu: &Gpu, traced: Traced, resident: Resident<'_>) -> Result<Function> {
        if let Some(reason) = &traced.refusal {
            return Err(unsupported(reason.clone()));
        }
        check_needs(gpu, traced.needs)?;
        let data = traced.bindings.iter().map(|b| resident.find(b.key, b.ty)).collect();
        Ok(Function { hash: traced.hash(), traced, data })
    }
}

fn unsupported(reason: String) -> Error {
    Error::Unsupported { backend: Backend::Gpu, reason }
}

fn check_needs(gpu: &Gpu, needs: Needs) -> Result<()> {
    let has = gpu.features();
    if needs.int64 && !has.contains(wgpu::Features::SHADER_INT64) {
        return Err(unsupported("this GPU has no 64-bit integers: use i32 or u32, or run on the CPU".into()));
    }
    if needs.float64 && !has.contains(wgpu::Features::SHADER_F64) {
        return Err(unsupported("this GPU has no f64: use f32, or run on the CPU".into()));
    }
    Ok(())
}

/// Brings data to the device: arrays stay there, slices are copied for this one task.
struct Resident<'g> {
    gpu: &'g Arc<Gpu>,
    data: Vec<(DataKey, TypeId, Buffer)>,
}

impl Resident<'_> {
    fn find(&self, key: DataKey, ty: TypeId) -> Buffer {
        let found = self.data.iter().find(|(k, t, _)| *k == key && *t == ty);
        found.map(|(_, _, buffer)| buffer.clone()).expect("a kernel shows all the data that it reads")
    }
}

impl DataVisitor for Resident<'_> {
    fn visit<T: Element>(&mut self, data: Data<'_, T>) -> Result<()> {
        let (key, ty) = (data.key(), TypeId::of::<T>());
        if self.data.iter().any(|(k, t, _)| *k == key && *t == ty) {
            return Ok(());
        }
        let buffer = match data {
            Data::Slice(s) => DeviceArray::upload(self.gpu, s)?.buffer().clone(),
            Data::Array(a) => a.device(self.gpu)?.buffer().clone(),
        };
        self.data.push((key, ty, buffer));
        Ok(())
    }
}

/// What stands behind a template's `source(i)`.
pub(crate) enum Input<'a> {
    /// A traced source.
    Function(&'a Function),
    /// The items of a buffer: the results of the stage before.
    Items(&'a Buffer),
}

/// One dispatch of a template, but for where in the grid it starts.
pub(crate) struct Stage<'a> {
    /// The files, in order; the last has the entry point `main`.
    pub(crate) template: &'a [Part],
    /// The item type, as its leaves.
    pub(crate) item: &'a [Kind],
    /// `source(i)`
    pub(crate) input: Input<'a>,
    /// `combine(a, b)`
    pub(crate) operator: Option<&'a Function>,
    /// Buffers of items by name.
    pub(crate) buffers: &'a [(&'static str, Access, Binding)],
    /// Whether to offer subgroup shuffles of the item.
    pub(crate) shuffles: bool,
}

/// How elements are shared out: a workgroup takes blocks that lie side by side, one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    /// Elements of a block, all threads of a workgroup together.
    pub(crate) block: u64,
    /// Blocks that a workgroup takes, at least one.
    pub(crate) blocks: u64,
}

impl Share {
    /// A tile at a time, `grain` elements in all: a multiple of a tile.
    pub(crate) fn tiles(grain: usize) -> Share {
        Share { block: TILE as u64, blocks: (grain / TILE) as u64 }
    }

    /// Of `count` elements: how many blocks a workgroup takes, and how many workgroups that makes.
    fn of(self, count: u64) -> (u64, u64) {
        let all = count.div_ceil(self.block);
        let blocks = self.blocks.min(all).max(1);
        (blocks, all.div_ceil(blocks))
    }
}

/// Records stages on a device.
pub(crate) struct Executor<'g> {
    pub(crate) gpu: &'g Arc<Gpu>,
}

impl Executor<'_> {
    /// Memory for the results of a task.
    pub(crate) fn items(&self, words: usize, n: u64) -> Result<Buffer> {
        self.gpu.alloc(n.saturating_mul(words as u64 * 4).max(16))
    }

    /// Whether subgroups can be relied on: they are there, and lie in a workgroup as the shaders expect.
    pub(crate) fn subgroups(&self) -> bool {
        let usable = |v: &super::Verdict| v.subgroups_linear && v.shuffle_down;
        self.gpu.subgroups().is_some()
            && std::env::var_os("GRANULE_SUBGROUPS").is_none_or(|v| v != "off")
            && self.gpu.verdict().is_ok_and(usable)
    }

    /// The largest chunk of the grid that one dispatch can take: a whole number of tiles, such that each window fits a binding.
    pub(crate) fn chunk(&self, source: &Function, out_words: usize) -> Result<u64> {
        let max = self.gpu.limits().max_storage_buffer_binding_size;
        let mut chunk = (max / (out_words as u64 * 4)).min(1 << 31);
        for (b, binding) in source.traced.bindings.iter().enumerate() {
            let bytes = u64::from(binding.words) * 4;
            let whole = binding.len as u64 * bytes;
            if whole <= max {
                continue;
            }
            if binding.random {
                return Err(unsupported(format!(
                    "a kernel reads {whole} bytes at computed indices, and one binding of this GPU holds {max}: run on the CPU"
                )));
            }
            let affines = || source.traced.affines.iter().filter(|a| a.binding == Some(b as u32));
            let stride = affines().map(|a| a.stride.unsigned_abs()).max().unwrap_or(1).max(1);
            // Reads at several offsets widen the window.
            let spread = affines().map(|a| a.offset).max().unwrap_or(0) - affines().map(|a| a.offset).min().unwrap_or(0);
            chunk = chunk.min((max / bytes).saturating_sub(2 * WINDOW + spread.unsigned_abs()) / stride);
        }
        match chunk / TILE as u64 * TILE as u64 {
            0 => Err(unsupported(format!("a tile of this kernel's data exceeds one binding of {max} bytes: run on the CPU"))),
            chunk => Ok(chunk),
        }
    }

    /// Records a stage for the grid indices `base..base + count`, which are whole tiles but for the last. The template's `params`
    /// are the count, the two words, and the number of blocks that a workgroup takes.
    pub(crate) fn dispatch(&self, stage: &Stage<'_>, words: [u32; 2], base: u64, count: u64, share: Share) -> Result<()> {
        let (blocks, groups) = share.of(count);
        let mut access = vec![(0, Access::Uniform)];
        let mut bindings = vec![self.gpu.params(&[count as u32, words[0], words[1], blocks as u32])?];
        let mut hash = Mix(stage.item.iter().fold(stage.shuffles as u128, |h, k| h << 3 | *k as u128));
        match stage.input {
            Input::Function(f) => {
                hash.add(f.hash);
                self.bind(f, Some((base, count)), &mut access, &mut bindings)?;
            }
            Input::Items(buffer) => {
                access.push((access.len() as u32, Access::Read));
                bindings.push(buffer.all());
            }
        }
        if let Some(operator) = stage.operator {
            hash.add(operator.hash);
            self.bind(operator, None, &mut access, &mut bindings)?;
        }
        for (_, mode, binding) in stage.buffers {
            access.push((access.len() as u32, *mode));
            bindings.push(binding.clone());
        }
        for part in stage.template {
            part.name.bytes().for_each(|b| hash.add(b.into()));
        }
        let label = stage.template.last().map_or("", |part| part.name);
        let pipeline =
            self.gpu.pipeline(PipelineKey { hash: hash.0, variant: stage.template.len() as u32 }, || PipelineSpec {
                label,
                module: stage.module(&access),
                entry: "main",
                bindings: &access,
                constants: &[],
                checks: Checks::Trusted,
            })?;
        self.gpu.dispatch(&pipeline, &bindings, groups)
    }

    /// Adds a function's bindings: its uniforms for this chunk, then its data.
    fn bind(
        &self,
        f: &Function,
        chunk: Option<(u64, u64)>,
        access: &mut Vec<(u32, Access)>,
        bindings: &mut Vec<Binding>,
    ) -> Result<()> {
        let max = self.gpu.limits().max_storage_buffer_binding_size;
        let mut starts = Vec::with_capacity(f.data.len());
        let mut windows = Vec::with_capacity(f.data.len());
        for (b, (binding, buffer)) in f.traced.bindings.iter().zip(&f.data).enumerate() {
            let bytes = u64::from(binding.words) * 4;
            let range = match chunk {
                Some((base, count)) if binding.len as u64 * bytes > max => f.traced.direct_range(b, base, count),
                _ => None,
            };
            let start = range.as_ref().map_or(0, |r| r.start / WINDOW * WINDOW);
            starts.push(start);
            windows.push(match range {
                Some(range) => buffer.range(start * bytes, (range.end - start) * bytes),
                None => buffer.all(),
            });
        }
        let mut words = f.traced.uniform_words(chunk.map_or(0, |(base, _)| base), |b| starts[b]);
        if !words.is_empty() {
            words.resize(words.len().next_multiple_of(4), 0);
            access.push((access.len() as u32, Access::Uniform));
            bindings.push(self.gpu.params(&words)?);
        }
        for window in windows {
            access.push((access.len() as u32, Access::Read));
            bindings.push(window);
        }
        Ok(())
    }
}

impl Stage<'_> {
    /// The shader's text. The order of declarations is that of the bindings.
    fn module(&self, access: &[(u32, Access)]) -> Module {
        let input = match self.input {
            Input::Function(f) => Some(&f.traced),
            Input::Items(_) => None,
        };
        let buffers: Vec<_> = self.buffers.iter().map(|(name, mode, _)| (*name, *mode)).collect();
        let operator = self.operator.map(|o| &o.traced);
        let (module, first) = compose(self.template, self.item, input, operator, &buffers, self.shuffles);
        debug_assert_eq!(first as usize, access.len() - buffers.len());
        module
    }
}

/// Puts a stage's text together: uniforms, the item, `source` (of the buffer `input` if it is no function), `combine`, the buffers,
/// and the template. Also gives the number of the first buffer's binding. Needs no device.
pub(crate) fn compose(
    template: &[Part],
    item: &[Kind],
    input: Option<&Traced>,
    operator: Option<&Traced>,
    buffers: &[(&'static str, Access)],
    shuffles: bool,
) -> (Module, u32) {
    let mut generated = wgsl::Module::new(1);
    generated.add("@group(0) @binding(0) var<uniform> params: vec4<u32>;\n");
    generated.item("Item", item);
    match input {
        Some(function) => {
            generated.function("source", "Item", function);
        }
        None => {
            generated.buffer("input", "Item", wgsl::Access::Read);
            generated.add("fn source(i: u32) -> Item {\n    return load_input(i);\n}\n");
        }
    }
    if let Some(operator) = operator {
        generated.function("combine", "Item", operator);
    }
    let mut numbers = buffers.iter().map(|(name, mode)| {
        let mode = if *mode == Access::Read { wgsl::Access::Read } else { wgsl::Access::ReadWrite };
        generated.buffer(name, "Item", mode)
    });
    let first = numbers.next().unwrap_or(0);
    numbers.for_each(drop);
    if shuffles {
        generated.shuffles("Item");
    }
    let start = Module::new().add("generated", &generated.finish());
    (template.iter().fold(start, |module, part| module.add(part.name, part.text)), first)
}

/// Mixes hashes and words into one.
struct Mix(u128);

impl Mix {
    fn add(&mut self, x: u128) {
        self.0 = (self.0.rotate_left(37) ^ x).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
}

/// The leaves of an element.
pub(crate) fn leaves<T: Element>() -> Vec<Kind> {
    let mut out = Vec::new();
    T::leaves(Offset::START, &mut out);
    out.into_iter().map(|(kind, _)| kind).collect()
}

#[cfg(test)]
mod tests {
    use super::{Share, TILE};

    #[test]
    fn every_block_has_one_workgroup() {
        for count in [1, 4095, 4096, 4097, 100_003, 1 << 31] {
            for grain in [TILE, 3 * TILE, 16 * TILE, usize::MAX / TILE * TILE] {
                let (blocks, groups) = Share::tiles(grain).of(count);
                let all = count.div_ceil(TILE as u64);
                assert!(blocks <= (grain / TILE) as u64 && u32::try_from(blocks).is_ok(), "{count}, {grain}: {blocks}");
                assert!(blocks * groups >= all && blocks * (groups - 1) < all, "{count}, {grain}: {groups} of {blocks}");
            }
        }
    }
}
