//! Puts a template, a source and an operator together into dispatches: the one place where traced code meets the device.
//!
//! A template (`shaders/*.wgsl`) is written against names: `Item`, `source(i)`, `combine(a, b)`, `combine_identity()`, and the
//! buffers it is given. What those are is generated. Which variant of a template runs is decided by listing another file.
//!
//! A grid that is larger than one binding or one dispatch allows is cut into chunks of whole tiles. Data that is read in order is
//! then bound as a window that moves along with the chunk; data that is read at random must fit one binding.

use std::any::TypeId;
use std::sync::Arc;

use crate::array::{Data, DataKey, DataVisitor, Length};
use crate::backend::cpu::TILE;
use crate::element::{Element, Kind, Offset};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::kernel::ir::{Needs, Traced};
use crate::kernel::trace::{trace_comparison, trace_operator, trace_source};
use crate::operator::Operator;
use crate::plan::Backend;
use crate::source::Source;

use super::array::DeviceArray;
use super::template::{Declared, Holds, Part, Text};
use super::{Access, Binding, Buffer, Checks, Gpu, Module, PipelineKey, PipelineSpec};

/// Elements to which the start of a window is rounded down: 64 elements of at least 4 bytes are the 256 bytes to which every API
/// aligns a binding.
pub(crate) const WINDOW: u64 = 64;

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

    /// A comparison: whether the first of two elements comes before the second.
    pub(crate) fn comparison<T: Element, K: Kernel<(T, T), Out = bool>>(gpu: &Arc<Gpu>, comparison: &K) -> Result<Function> {
        let mut resident = Resident { gpu, data: Vec::new() };
        comparison.data(&mut resident)?;
        Function::new(gpu, trace_comparison::<T, K>(comparison), resident)
    }

    /// The words of a source that is nothing but data in order: to be moved, whatever type they are of. What is needed of the GPU for
    /// that type is not asked for.
    pub(crate) fn plain<S: Source<Item: Element>>(gpu: &Arc<Gpu>, source: &S) -> Result<Option<Buffer>> {
        let traced = trace_source(source);
        if !traced.is_plain() {
            return Ok(None);
        }
        let mut resident = Resident { gpu, data: Vec::new() };
        source.data(&mut resident)?;
        let binding = &traced.bindings[0];
        Ok(Some(resident.find(binding.key, binding.ty)))
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

/// What a GPU cannot do, and what to do instead.
pub(crate) fn unsupported(reason: String) -> Error {
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
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// A traced source.
    Function(&'a Function),
    /// The items of a buffer: the results of the stage before.
    Items(&'a Buffer),
    /// Some of the items of a buffer.
    Window(&'a Binding),
}

/// One dispatch of a template, but for where in the grid it starts.
pub(crate) struct Stage<'a> {
    /// The files, in order; the last has the entry point `main`.
    pub(crate) template: &'a [Part],
    /// The item type, as its leaves.
    pub(crate) item: &'a [Kind],
    /// `source(i)`
    pub(crate) input: Input<'a>,
    /// `combine(a, b)`, or of a comparison `precedes(a, b)`.
    pub(crate) operator: Option<&'a Function>,
    /// The buffers.
    pub(crate) buffers: &'a [Slot<'a>],
    /// Whether to offer subgroup shuffles of the item.
    pub(crate) shuffles: bool,
    /// How many elements there are.
    pub(crate) extent: Extent<'a>,
    /// Functions of the item's own, which the template calls.
    pub(crate) glue: &'a str,
}

/// A buffer of a template: `load_<name>(i)`, and `store_<name>(i, x)` if it is written.
pub(crate) struct Slot<'a> {
    pub(crate) name: &'static str,
    /// The type of what it holds: `Item`, or one of its own, as its leaves.
    pub(crate) holds: Holds<'a>,
    pub(crate) access: Access,
    pub(crate) binding: Binding,
}

impl<'a> Slot<'a> {
    /// Of items.
    pub(crate) fn items(name: &'static str, access: Access, binding: Binding) -> Slot<'a> {
        Slot { name, holds: Holds::Items, access, binding }
    }

    fn declared(&self) -> Declared<'a> {
        (self.name, self.holds, self.access)
    }
}

/// Buffers as declared, with what is bound.
pub(crate) fn slots<'a>(declared: &[Declared<'a>], bindings: impl IntoIterator<Item = Binding>) -> Vec<Slot<'a>> {
    let pairs = declared.iter().zip(bindings);
    pairs.map(|(&(name, holds, access), binding)| Slot { name, holds, access, binding }).collect()
}

/// How many elements a stage has: as the host says, or as the device has counted, then at most as the host says.
#[derive(Clone, Copy)]
pub(crate) enum Extent<'a> {
    /// What is dispatched is what there is.
    Dispatched,
    /// The number in this word of the buffer, so many times divided by the elements of a tile, and rounded up.
    Counted(&'a Buffer, u32, u32),
}

impl<'a> Extent<'a> {
    /// Of elements in an array or a source of this length.
    pub(crate) fn of(length: &'a Length) -> Extent<'a> {
        match length {
            Length::Known(_) => Extent::Dispatched,
            Length::Pending(pending) => {
                let (counts, word) = pending.on_device();
                Extent::Counted(counts.buffer(), word, 0)
            }
        }
    }

    /// Of their tiles.
    pub(crate) fn tiles(self) -> Extent<'a> {
        match self {
            Extent::Dispatched => self,
            Extent::Counted(counts, word, level) => Extent::Counted(counts, word, level + 1),
        }
    }
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
    pub(crate) fn of(self, count: u64) -> (u64, u64) {
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

    /// How many items of so many words fit a binding: a whole number of tiles.
    pub(crate) fn window(&self, words: usize) -> Result<u64> {
        let max = self.gpu.limits().max_storage_buffer_binding_size;
        match (max / (words as u64 * 4)).min(1 << 31) / TILE as u64 * TILE as u64 {
            0 => Err(unsupported(format!(
                "a tile of elements of {words} words exceeds one binding of {max} bytes: run on the CPU"
            ))),
            window => Ok(window),
        }
    }

    /// The windows of so many items, of so many words each: where one starts, and how many items it has.
    pub(crate) fn windows(&self, words: usize, n: u64) -> Result<impl Iterator<Item = (u64, u64)> + use<>> {
        let window = self.window(words)?;
        Ok((0..n).step_by(window as usize).map(move |start| (start, window.min(n - start))))
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
    /// are the count, the first two words, the number of blocks that a workgroup takes, and the other words.
    pub(crate) fn dispatch<const W: usize>(
        &self,
        stage: &Stage<'_>,
        words: [u32; W],
        base: u64,
        count: u64,
        share: Share,
    ) -> Result<()> {
        self.dispatch_shared(stage, words, base, count, share.of(count))
    }

    /// The same in so many blocks a workgroup and so many workgroups, for work that is not shared out by elements.
    pub(crate) fn dispatch_shared<const W: usize>(
        &self,
        stage: &Stage<'_>,
        words: [u32; W],
        base: u64,
        count: u64,
        (blocks, groups): (u64, u64),
    ) -> Result<()> {
        let mut access = vec![(0, Access::Uniform)];
        let mut params = [0; 8];
        params[0] = count as u32;
        params[1..3].copy_from_slice(&words[..2]);
        params[3] = blocks as u32;
        params[4..2 + W].copy_from_slice(&words[2..]);
        let mut bindings = vec![self.gpu.params(&params)?];
        let mut hash = Mix(stage.shuffles as u128);
        hash.kinds(stage.item);
        if let Extent::Counted(counts, word, level) = stage.extent {
            access.extend([(1, Access::Read), (2, Access::Uniform)]);
            bindings.extend([counts.all(), self.gpu.params(&[word, level, base as u32, 0])?]);
        }
        hash.add(matches!(stage.extent, Extent::Counted(..)).into());
        match stage.input {
            Input::Function(f) => {
                hash.add(f.hash);
                self.bind(f, Some((base, count)), &mut access, &mut bindings)?;
            }
            Input::Items(buffer) => {
                access.push((access.len() as u32, Access::Read));
                bindings.push(buffer.all());
            }
            Input::Window(window) => {
                access.push((access.len() as u32, Access::Read));
                bindings.push(window.clone());
            }
        }
        if let Some(operator) = stage.operator {
            hash.add(operator.hash);
            self.bind(operator, None, &mut access, &mut bindings)?;
        }
        for slot in stage.buffers {
            access.push((access.len() as u32, slot.access));
            bindings.push(slot.binding.clone());
            if let Holds::Others(_, kinds) = slot.holds {
                hash.kinds(kinds);
            }
        }
        for part in stage.template {
            part.name.bytes().for_each(|b| hash.add(b.into()));
        }
        stage.glue.bytes().for_each(|b| hash.add(b.into()));
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
            Input::Items(_) | Input::Window(_) => None,
        };
        let buffers: Vec<_> = self.buffers.iter().map(Slot::declared).collect();
        let counted = matches!(self.extent, Extent::Counted(..));
        let operator = self.operator.map(|o| &o.traced);
        let text = Text {
            template: self.template,
            item: self.item,
            input,
            operator,
            buffers: &buffers,
            shuffles: self.shuffles,
            counted,
            glue: self.glue,
        };
        let (module, first) = text.compose();
        debug_assert_eq!(first as usize, access.len() - buffers.len());
        module
    }
}

/// Mixes hashes and words into one.
struct Mix(u128);

impl Mix {
    fn kinds(&mut self, kinds: &[Kind]) {
        self.add(kinds.iter().fold(kinds.len() as u128, |h, k| h << 3 | *k as u128));
    }

    fn add(&mut self, x: u128) {
        self.0 = (self.0.rotate_left(37) ^ x).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
}

/// Refuses more elements than 32 bits count.
pub(crate) fn counts_in_32_bits(n: u64) -> Result<()> {
    if n > u64::from(u32::MAX) {
        return Err(unsupported(format!("it counts in 32 bits, and there are {n} elements: run on the CPU")));
    }
    Ok(())
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
