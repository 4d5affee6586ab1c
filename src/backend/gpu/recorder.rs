//! The batch: commands are recorded as data, and encoded and submitted together.
//!
//! Commands are kept as data rather than encoded at once because wgpu refuses a whole encoder for one wrong command. Here every
//! command is checked when it is recorded, so that its error reaches the thread that gave it and spares the others. Should a
//! batch fail nevertheless, the buffers that it would have written say so when they are next used.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::lock::lock;
use crate::plan::Backend;

use super::clock::Clock;
use super::device::Gpu;
use super::memory::{Buffer, Usage};
use super::pipeline::{Access, Pipeline};
use super::poller::{Deadline, Signal};

/// The shape of a dispatch of `groups` workgroups, of which a dimension takes `max` (65,535 on most devices): one row, or as few
/// equal rows as are needed. It may have a few workgroups more; shaders take `wid.y * num_workgroups.x + wid.x` as their number, and
/// leave if it is none of theirs. `None` if two dimensions are too few.
pub fn grid(groups: u64, max: u32) -> Option<(u32, u32)> {
    let max = u64::from(max.max(1));
    let rows = groups.div_ceil(max).max(1);
    let columns = groups.div_ceil(rows);
    (rows <= max).then_some((columns as u32, rows as u32))
}

/// A range of a buffer, to be bound.
#[derive(Clone, Debug)]
pub struct Binding {
    pub(super) buffer: Buffer,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

impl Binding {
    /// The buffer.
    pub fn buffer(&self) -> &Buffer {
        &self.buffer
    }
}

/// Commands beyond which the batch is submitted, so that the device has work while the host records.
const MAX_COMMANDS: usize = 128;
/// Bytes held by the batch beyond which it is submitted, so that they return to the pool.
const MAX_HELD: u64 = 256 << 20;
/// Bytes of one page of parameters.
const PAGE: u64 = 64 << 10;
/// What every API accepts as an offset of a binding.
const ALIGNMENT: u64 = 256;

pub(super) enum Command {
    Dispatch { pipeline: Arc<Pipeline>, group: wgpu::BindGroup, grid: (u32, u32), bindings: Vec<Binding> },
    Copy { source: Buffer, from: u64, target: Buffer, to: u64, bytes: u64 },
    Clear { target: Buffer, offset: u64, bytes: u64 },
}

impl Command {
    fn for_each_written(&self, mut f: impl FnMut(&Buffer)) {
        match self {
            Command::Dispatch { pipeline, bindings, .. } => {
                let pairs = bindings.iter().zip(&pipeline.bindings);
                pairs.filter(|(_, (_, access))| *access == Access::ReadWrite).for_each(|(b, _)| f(&b.buffer));
            }
            Command::Copy { target, .. } | Command::Clear { target, .. } => f(target),
        }
    }
}

/// What was recorded and not submitted yet. The commands keep their buffers alive, and thereby out of the pool.
#[derive(Default)]
pub(super) struct Batch {
    commands: Vec<Command>,
    used: HashSet<u64>,
    held: u64,
    /// The page that takes parameters, and how much of it is taken. Nothing in a page is ever overwritten: a binding that was
    /// made before a submission is still good after it.
    page: Option<(Buffer, u64)>,
    /// Parameters that are not on the device yet.
    params: Vec<(Buffer, u64, Vec<u8>)>,
    pub(super) last: Option<wgpu::SubmissionIndex>,
    /// Takes the times of passes.
    pub(super) clock: Option<Clock>,
}

impl Batch {
    pub(super) fn push(&mut self, command: Command) {
        let mut hold = |buffer: &Buffer| {
            if self.used.insert(buffer.id()) {
                self.held += buffer.capacity();
            }
        };
        match &command {
            Command::Dispatch { bindings, .. } => bindings.iter().for_each(|b| hold(&b.buffer)),
            Command::Copy { source, target, .. } => {
                hold(source);
                hold(target);
            }
            Command::Clear { target, .. } => hold(target),
        }
        self.commands.push(command);
    }

    /// The next free range of the page, if there is one.
    fn place(&mut self, bytes: u64) -> Option<Binding> {
        let (page, used) = self.page.as_mut()?;
        let offset = *used;
        if offset + bytes > page.bytes() {
            return None;
        }
        *used = (offset + bytes).next_multiple_of(ALIGNMENT);
        Some(Binding { buffer: page.clone(), offset, bytes })
    }
}

impl Gpu {
    /// Parameters for one or more dispatches, in words: a `var<uniform>` whose size is rounded up to 16 bytes. They stay valid for
    /// as long as the binding lives.
    ///
    /// # Errors
    /// `TooLarge` above 16,384 words.
    pub fn params(&self, words: &[u32]) -> Result<Binding> {
        let mut data: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let bytes = (data.len() as u64).max(1).next_multiple_of(16);
        let limit = PAGE.min(self.limits().max_uniform_buffer_binding_size);
        if bytes > limit {
            return Err(Error::TooLarge { elements: words.len(), limit: limit as usize / 4 });
        }
        data.resize(bytes as usize, 0);
        let mut batch = lock(&self.batch);
        let binding = match batch.place(bytes) {
            Some(binding) => binding,
            None => {
                // A new page is taken outside the lock: the pool may have to submit the batch to find room.
                drop(batch);
                let page = self.take(Usage::Uniform, PAGE)?;
                batch = lock(&self.batch);
                batch.page = Some((page, 0));
                batch.place(bytes).expect("an empty page has room for what the limit lets through")
            }
        };
        batch.params.push((binding.buffer.clone(), binding.offset, data));
        Ok(binding)
    }

    /// Records a dispatch of `groups` workgroups, as a [`grid`]. The bindings are in the order of the pipeline's list.
    ///
    /// # Errors
    /// Whatever is wrong with this command; nothing is recorded then.
    pub fn dispatch(&self, pipeline: &Arc<Pipeline>, bindings: &[Binding], groups: u64) -> Result<()> {
        self.check()?;
        if groups == 0 {
            return Ok(());
        }
        let max = self.limits().max_compute_workgroups_per_dimension;
        let limit = u64::from(max).pow(2);
        let grid = grid(groups, max).ok_or(Error::TooLarge { elements: groups as usize, limit: limit as usize })?;
        self.check_bindings(pipeline, bindings)?;
        let entries: Vec<_> = pipeline
            .bindings
            .iter()
            .zip(bindings)
            .map(|(&(binding, _), b)| wgpu::BindGroupEntry {
                binding,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: b.buffer.raw(),
                    offset: b.offset,
                    size: wgpu::BufferSize::new(b.bytes),
                }),
            })
            .collect();
        let descriptor = wgpu::BindGroupDescriptor { label: None, layout: &pipeline.layout, entries: &entries };
        let group = self.scoped(0, || self.device.create_bind_group(&descriptor))?;
        self.record(Command::Dispatch { pipeline: pipeline.clone(), group, grid, bindings: bindings.to_vec() })
    }

    fn check_bindings(&self, pipeline: &Pipeline, bindings: &[Binding]) -> Result<()> {
        let wrong = |message: String| Err(Error::Gpu { message });
        let list = &pipeline.bindings;
        if bindings.len() != list.len() {
            return wrong(format!("the pipeline has {} bindings, {} were given", list.len(), bindings.len()));
        }
        for (i, (b, (number, access))) in bindings.iter().zip(list).enumerate() {
            b.buffer.failure()?;
            let max = self.limits().max_storage_buffer_binding_size;
            if *access != Access::Uniform && b.bytes > max {
                let reason = format!("a binding of {} bytes is above this adapter's largest of {max}: bind in parts", b.bytes);
                return Err(Error::Unsupported { backend: Backend::Gpu, reason });
            }
            if b.offset.checked_add(b.bytes).is_none_or(|end| end > b.buffer.capacity()) {
                return wrong(format!("binding {number} ends behind its buffer of {} bytes", b.buffer.bytes()));
            }
            // wgpu finds this only when the whole encoder is finished.
            let aliased = bindings[..i].iter().zip(list).any(|(o, (_, other))| o.buffer.id() == b.buffer.id() && other != access);
            if aliased {
                return wrong(format!("binding {number} is bound for reading and for writing at once: use two buffers"));
            }
        }
        Ok(())
    }

    /// Records a copy between two buffers. Offsets and length are multiples of 4; a length that reaches the source's end is rounded
    /// up.
    pub fn copy(&self, source: &Buffer, from: u64, target: &Buffer, to: u64, bytes: u64) -> Result<()> {
        self.check()?;
        source.failure()?;
        source.check_range(from, bytes)?;
        target.check_range(to, bytes)?;
        let bytes = whole_words(source, from, bytes).filter(|_| to.is_multiple_of(4) && source.id() != target.id());
        let bytes = bytes.filter(|n| to + n <= target.capacity()).ok_or_else(|| {
            let message = "a copy is between two buffers, at offsets and of a length that are multiples of 4".to_owned();
            Error::Gpu { message }
        })?;
        if bytes == 0 {
            return Ok(());
        }
        self.record(Command::Copy { source: source.clone(), from, target: target.clone(), to, bytes })
    }

    /// Records filling with zeros. Offset and length are multiples of 4; a length that reaches the end is rounded up.
    pub fn clear(&self, target: &Buffer, offset: u64, bytes: u64) -> Result<()> {
        self.check()?;
        target.check_range(offset, bytes)?;
        let bytes = whole_words(target, offset, bytes).ok_or_else(|| {
            let message = "buffers are cleared in whole words of 4 bytes".to_owned();
            Error::Gpu { message }
        })?;
        if bytes == 0 {
            return Ok(());
        }
        self.record(Command::Clear { target: target.clone(), offset, bytes })
    }

    fn record(&self, command: Command) -> Result<()> {
        let mut batch = lock(&self.batch);
        batch.push(command);
        if batch.commands.len() >= MAX_COMMANDS || batch.held >= MAX_HELD {
            self.submit(&mut batch)?;
        }
        Ok(())
    }

    /// Submits what was recorded. Does not wait.
    pub fn flush(&self) -> Result<()> {
        self.check()?;
        self.submit(&mut lock(&self.batch))
    }

    pub(super) fn flush_if_used(&self, buffer: &Buffer) -> Result<()> {
        let mut batch = lock(&self.batch);
        if batch.used.contains(&buffer.id()) { self.submit(&mut batch) } else { Ok(()) }
    }

    pub(super) fn submit(&self, batch: &mut Batch) -> Result<()> {
        if batch.commands.is_empty() {
            return Ok(());
        }
        let commands = std::mem::take(&mut batch.commands);
        let params = std::mem::take(&mut batch.params);
        batch.used.clear();
        batch.held = 0;
        // Not `check`: an error from elsewhere must not cost this batch.
        let clock = batch.clock.as_mut();
        let submitted = self.faults.lost().map_or(Ok(()), Err).and_then(|()| {
            self.scoped(0, || {
                for (page, offset, data) in &params {
                    self.queue.write_buffer(page.raw(), *offset, data);
                }
                self.queue.submit([self.encode(&commands, clock)])
            })
        });
        match submitted {
            Ok(index) => {
                batch.last = Some(index);
                Ok(())
            }
            Err(error) => {
                commands.iter().for_each(|c| c.for_each_written(|b| b.fail(&error)));
                Err(error)
            }
        }
    }

    fn encode(&self, commands: &[Command], mut clock: Option<&mut Clock>) -> wgpu::CommandBuffer {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        let mut rest = commands;
        while let Some((first, after)) = rest.split_first() {
            match first {
                Command::Copy { source, from, target, to, bytes } => {
                    encoder.copy_buffer_to_buffer(source.raw(), *from, target.raw(), *to, *bytes);
                }
                Command::Clear { target, offset, bytes } => encoder.clear_buffer(target.raw(), *offset, Some(*bytes)),
                Command::Dispatch { .. } => {
                    let timestamp_writes = clock.as_mut().and_then(|clock| clock.next());
                    let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
                    let mut pass = encoder.begin_compute_pass(&descriptor);
                    // Neighbouring dispatches share a pass; wgpu puts barriers between those that depend on each other.
                    while let Some((Command::Dispatch { pipeline, group, grid: (x, y), .. }, next)) = rest.split_first() {
                        pass.set_pipeline(&pipeline.raw);
                        pass.set_bind_group(0, group, &[]);
                        pass.dispatch_workgroups(*x, *y, 1);
                        rest = next;
                    }
                    continue;
                }
            }
            rest = after;
        }
        encoder.finish()
    }

    /// Submits what was recorded and waits until the device has done everything.
    ///
    /// # Errors
    /// `Timeout` after `deadline`: the work goes on, and everything stays usable.
    pub fn wait(&self, deadline: Option<Duration>) -> Result<()> {
        let since = Instant::now();
        let last = {
            let mut batch = lock(&self.batch);
            self.submit(&mut batch)?;
            batch.last.clone()
        };
        let Some(submission) = last else { return self.check() };
        match deadline.and_then(Deadline::after) {
            None => self.wait_idle(Some(submission)),
            deadline => {
                let signal = Arc::new(Signal::default());
                let done = signal.clone();
                self.queue.on_submitted_work_done(move || done.set(Ok(())));
                self.wait_for(&signal, &submission, deadline)?;
            }
        }
        self.waited(since, 0);
        self.check()
    }
}

/// `bytes` from `offset` on as whole words: rounded up where the end of the buffer lets nobody see it, else `None` if not whole.
fn whole_words(buffer: &Buffer, offset: u64, bytes: u64) -> Option<u64> {
    let whole = bytes.is_multiple_of(4) || offset + bytes == buffer.bytes();
    (offset.is_multiple_of(4) && whole).then(|| bytes.next_multiple_of(4))
}

#[cfg(test)]
mod tests {
    use super::{Command, grid};
    use crate::backend::gpu::{Gpu, Selection};
    use crate::error::Error;

    #[test]
    fn a_grid_holds_all_groups_and_few_more() {
        for groups in [1, 2, 65_535, 65_536, 65_537, 131_070, 131_071, 1 << 20, 1 << 31, 65_535 * 65_535] {
            let (x, y) = grid(groups, 65_535).unwrap();
            assert!(x <= 65_535 && y <= 65_535);
            let all = u64::from(x) * u64::from(y);
            assert!(all >= groups && all - groups < u64::from(y), "{groups}: {x} x {y}");
        }
        assert_eq!(grid(65_535 * 65_535 + 1, 65_535), None);
        assert_eq!(grid(10, 4), Some((4, 3)));
    }

    /// No public call records a wrong command, so this one is put in by hand.
    #[test]
    fn what_a_failed_batch_should_have_written_says_so() {
        let gpu = match Gpu::open(&Selection::Any) {
            Ok(gpu) => gpu,
            Err(error) => {
                let required = std::env::var("REQUIRE_BACKENDS").unwrap_or_default();
                assert!(!required.contains("gpu"), "{error}");
                eprintln!("no device, not tested: {error}");
                return;
            }
        };
        let (source, hit, bystander) = (gpu.upload(&[1; 256]).unwrap(), gpu.alloc(256).unwrap(), gpu.upload(&[2; 256]).unwrap());
        gpu.clear(&hit, 0, 4).unwrap();
        gpu.record(Command::Copy { source: source.clone(), from: 0, target: hit.clone(), to: 0, bytes: 1 << 20 }).unwrap();
        let error = gpu.flush().unwrap_err();
        assert!(matches!(error, Error::Gpu { .. }), "{error:?}");
        assert_eq!(gpu.read(&hit, 0, 256, None), Err(error.clone()));
        assert_eq!(gpu.copy(&hit, 0, &bystander, 0, 4), Err(error));
        assert_eq!(gpu.read(&source, 0, 256, None).unwrap(), [1; 256]);
        assert_eq!(gpu.read(&bystander, 0, 256, None).unwrap(), [2; 256]);
        // Its memory is sound, only its content is not.
        drop(hit);
        assert_eq!(gpu.read(&gpu.upload(&[3; 256]).unwrap(), 0, 256, None).unwrap(), [3; 256]);
    }
}
