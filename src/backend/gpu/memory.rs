//! Buffers, pooled by size, and the way of bytes to the device.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::error::{Error, Result};
use crate::lock::lock;
use crate::plan::Backend;

use super::device::Gpu;
use super::recorder::Binding;

/// What a buffer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Usage {
    /// Bound by shaders, copied from and to.
    Storage,
    /// A page of dispatch parameters.
    Uniform,
    /// Copied to by the device, then mapped by the host.
    Readback,
}

impl Usage {
    fn flags(self) -> wgpu::BufferUsages {
        use wgpu::BufferUsages as B;
        match self {
            Usage::Storage => B::STORAGE | B::COPY_SRC | B::COPY_DST,
            Usage::Uniform => B::UNIFORM | B::COPY_DST,
            Usage::Readback => B::MAP_READ | B::COPY_DST,
        }
    }
}

/// Idle buffers that are kept, in bytes, unless set otherwise; and the last one that became idle, however large, since a loop over
/// large arrays needs it again at once, and the first use of new memory costs another write of all of it (it is cleared).
const IDLE_BYTES: u64 = 512 << 20;

/// The size that is allocated for `bytes`: at least 256, then eight sizes to each doubling, so that at most an eighth is wasted
/// and a call with slightly other lengths finds a buffer.
fn size_class(bytes: u64) -> u64 {
    let bytes = bytes.max(256);
    let step = (1u64 << bytes.ilog2()) / 8;
    bytes.next_multiple_of(step.max(256))
}

/// A snapshot of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStats {
    /// All bytes that the device holds, idle ones too.
    pub total: u64,
    /// Bytes of idle buffers.
    pub idle: u64,
    /// Buffers created so far.
    pub created: u64,
    /// Requests served by an idle buffer so far.
    pub reused: u64,
}

/// Buffers that wait for their next use.
pub struct Pool {
    state: Mutex<State>,
    next_id: AtomicU64,
}

struct State {
    idle: BTreeMap<(Usage, u64), Vec<Idle>>,
    stats: PoolStats,
    limit: u64,
    idle_limit: Option<u64>,
    clock: u64,
}

struct Idle {
    raw: wgpu::Buffer,
    since: u64,
}

impl Default for Pool {
    fn default() -> Self {
        let stats = PoolStats { total: 0, idle: 0, created: 0, reused: 0 };
        let state = State { idle: BTreeMap::new(), stats, limit: u64::MAX, idle_limit: None, clock: 0 };
        Pool { state: Mutex::new(state), next_id: AtomicU64::new(0) }
    }
}

impl Pool {
    /// What the pool holds and has done.
    pub fn stats(&self) -> PoolStats {
        lock(&self.state).stats
    }

    /// Sets how many bytes may exist at once; more is refused with `OutOfMemory`. For a share of a GPU, and to test that refusal.
    /// Staging memory of reads, 128 MiB for each at most, is let through: results can always be fetched.
    pub fn set_limit(&self, bytes: u64) {
        lock(&self.state).limit = bytes;
    }

    /// Sets how many bytes may lie idle; the longest idle ones beyond it are freed.
    pub fn set_idle_limit(&self, bytes: u64) {
        let mut state = lock(&self.state);
        state.idle_limit = Some(bytes);
        state.trim(bytes);
    }

    /// Frees idle buffers.
    pub fn clear(&self) {
        lock(&self.state).trim(0);
    }

    /// An idle buffer, or else room for a new one of `size`, which the caller must create or give up with `forget`.
    fn reserve(&self, usage: Usage, size: u64) -> Result<Option<wgpu::Buffer>> {
        let mut state = lock(&self.state);
        if let Some(idle) = state.idle.get_mut(&(usage, size)).and_then(Vec::pop) {
            state.stats.idle -= size;
            state.stats.reused += 1;
            return Ok(Some(idle.raw));
        }
        let limit = if usage == Usage::Readback { u64::MAX } else { state.limit };
        if state.stats.total.saturating_add(size) > limit {
            let keep = state.stats.idle.saturating_sub(state.stats.total.saturating_add(size) - limit);
            state.trim(keep);
        }
        if state.stats.total.saturating_add(size) > limit {
            return Err(Error::OutOfMemory { bytes: size });
        }
        state.stats.total += size;
        state.stats.created += 1;
        Ok(None)
    }

    fn forget(&self, size: u64) {
        lock(&self.state).stats.total -= size;
    }

    fn give_back(&self, usage: Usage, raw: wgpu::Buffer) {
        let mut state = lock(&self.state);
        let size = raw.size();
        state.clock += 1;
        let since = state.clock;
        state.stats.idle += size;
        state.idle.entry((usage, size)).or_default().push(Idle { raw, since });
        let keep = state.idle_limit.unwrap_or(IDLE_BYTES.max(size));
        state.trim(keep);
    }
}

impl State {
    /// Frees the longest idle buffers until at most `keep` bytes are idle.
    fn trim(&mut self, keep: u64) {
        while self.stats.idle > keep {
            // The first of each class is its oldest: buffers are pushed and popped at the end.
            let oldest = self.idle.iter().filter_map(|(k, v)| v.first().map(|i| (i.since, *k))).min();
            let Some((_, key)) = oldest else { return };
            if let Some(class) = self.idle.get_mut(&key) {
                class.remove(0);
                if class.is_empty() {
                    self.idle.remove(&key);
                }
            }
            self.stats.idle -= key.1;
            self.stats.total -= key.1;
        }
    }
}

/// Memory on the device; a cheap handle. When the last one drops, the memory returns to the pool.
#[derive(Clone)]
pub struct Buffer(Arc<Inner>);

struct Inner {
    /// `None` only while this drops.
    raw: Option<wgpu::Buffer>,
    id: u64,
    bytes: u64,
    usage: Usage,
    pool: Arc<Pool>,
    /// The host has mapped it, or asked to: it must not be reused.
    mapped: AtomicBool,
    /// The batch that should have written it failed.
    failure: OnceLock<Error>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(raw) = self.raw.take() {
            if *self.mapped.get_mut() {
                self.pool.forget(raw.size());
            } else {
                self.pool.give_back(self.usage, raw);
            }
        }
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} bytes)", self.0.bytes)
    }
}

impl Buffer {
    /// The bytes that were asked for.
    pub fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// The bytes that are there: a multiple of 256, at least [`Buffer::bytes`].
    pub fn capacity(&self) -> u64 {
        self.raw().size()
    }

    /// The wgpu buffer.
    pub fn raw(&self) -> &wgpu::Buffer {
        self.0.raw.as_ref().expect("it is taken out only while the last handle drops")
    }

    /// All of it as a binding, rounded up to whole words.
    pub fn all(&self) -> Binding {
        self.range(0, self.0.bytes)
    }

    /// A part of it as a binding, rounded up to whole words and never empty, for shaders cannot bind nothing. `offset` must be
    /// a multiple of 256.
    pub fn range(&self, offset: u64, bytes: u64) -> Binding {
        Binding { buffer: self.clone(), offset, bytes: bytes.max(1).next_multiple_of(4) }
    }

    /// Distinguishes live buffers.
    pub(super) fn id(&self) -> u64 {
        self.0.id
    }

    pub(super) fn set_mapped(&self, mapped: bool) {
        self.0.mapped.store(mapped, Ordering::Release);
    }

    /// Marks its content as never written, because of `error`.
    pub(super) fn fail(&self, error: &Error) {
        _ = self.0.failure.set(error.clone());
    }

    pub(super) fn failure(&self) -> Result<()> {
        self.0.failure.get().map_or(Ok(()), |e| Err(e.clone()))
    }

    /// Refuses a byte range that is not inside.
    pub(super) fn check_range(&self, offset: u64, bytes: u64) -> Result<()> {
        if offset.checked_add(bytes).is_some_and(|end| end <= self.0.bytes) {
            return Ok(());
        }
        let message = format!("bytes {offset}..+{bytes} are not inside a buffer of {} bytes", self.0.bytes);
        Err(Error::Gpu { message })
    }
}

/// Host memory that one step of an upload stages. Steps of this size were twice as fast as 64 MiB at once, for the device copies one
/// while the host fills the next, and staging memory is recycled.
const UPLOAD_STEP: usize = 8 << 20;

impl Gpu {
    /// A storage buffer of `bytes` whose content is not defined.
    ///
    /// # Errors
    /// `OutOfMemory` if neither the pool's limit nor the device leaves room; `Unsupported` above the largest buffer.
    pub fn alloc(&self, bytes: u64) -> Result<Buffer> {
        self.take(Usage::Storage, bytes)
    }

    /// A storage buffer with this content.
    pub fn upload(&self, data: &[u8]) -> Result<Buffer> {
        let buffer = self.alloc(data.len() as u64)?;
        self.write(&buffer, 0, data)?;
        Ok(buffer)
    }

    /// Writes into a buffer. What was recorded before still sees the old content, what is recorded afterwards the new.
    ///
    /// `offset` is a multiple of 4; so is the length, unless it reaches the buffer's end.
    pub fn write(&self, buffer: &Buffer, offset: u64, data: &[u8]) -> Result<()> {
        self.check()?;
        buffer.check_range(offset, data.len() as u64)?;
        let whole = data.len() / 4 * 4;
        let at_end = offset + data.len() as u64 == buffer.bytes();
        if !offset.is_multiple_of(4) || (whole < data.len() && !at_end) {
            return Err(Error::Gpu { message: "device memory is written in whole words of 4 bytes".to_owned() });
        }
        // Host writes run before the commands of the next submission, thus before all that is recorded now.
        self.flush_if_used(buffer)?;

        let mut previous = None;
        let mut at = offset;
        let mut steps = data[..whole].chunks(UPLOAD_STEP).peekable();
        while let Some(step) = steps.next() {
            self.scoped(step.len() as u64, || self.queue.write_buffer(buffer.raw(), at, step))?;
            at += step.len() as u64;
            if steps.peek().is_some() {
                // Waiting for the step before the last bounds the staging memory.
                let submitted = self.queue.submit([]);
                if let Some(index) = previous.replace(submitted) {
                    self.wait_idle(Some(index));
                }
            }
        }
        if whole < data.len() {
            let mut word = [0; 4];
            word[..data.len() - whole].copy_from_slice(&data[whole..]);
            self.scoped(4, || self.queue.write_buffer(buffer.raw(), at, &word))?;
        }
        self.check()
    }

    /// A buffer of any usage.
    pub(super) fn take(&self, usage: Usage, bytes: u64) -> Result<Buffer> {
        self.check()?;
        let limit = self.limits().max_buffer_size / 256 * 256;
        if bytes > limit {
            let reason = format!("a buffer of {bytes} bytes is above this adapter's largest of {limit}: split the input");
            return Err(Error::Unsupported { backend: Backend::Gpu, reason });
        }
        let size = size_class(bytes).min(limit);
        let raw = match self.try_take(usage, size) {
            Err(Error::OutOfMemory { .. }) => {
                // What the batch holds returns to the pool once submitted, and what was freed is really free once it ran.
                self.wait(None)?;
                self.pool.clear();
                self.wait_idle(None);
                self.try_take(usage, size).map_err(|e| match e {
                    Error::OutOfMemory { .. } => Error::OutOfMemory { bytes },
                    other => other,
                })?
            }
            other => other?,
        };
        Ok(Buffer(Arc::new(Inner {
            raw: Some(raw),
            id: self.pool.next_id.fetch_add(1, Ordering::Relaxed),
            bytes,
            usage,
            pool: self.pool.clone(),
            mapped: AtomicBool::new(false),
            failure: OnceLock::new(),
        })))
    }

    fn try_take(&self, usage: Usage, size: u64) -> Result<wgpu::Buffer> {
        if let Some(raw) = self.pool.reserve(usage, size)? {
            return Ok(raw);
        }
        let descriptor = wgpu::BufferDescriptor { label: None, size, usage: usage.flags(), mapped_at_creation: false };
        self.scoped(size, || self.device.create_buffer(&descriptor)).inspect_err(|_| self.pool.forget(size))
    }
}

#[cfg(test)]
mod tests {
    use super::size_class;

    #[test]
    fn size_classes_waste_at_most_an_eighth_and_are_whole() {
        for bytes in (0..200_000u64).chain((20..40).flat_map(|s| [(1 << s) - 1, 1 << s, (1 << s) + 1])) {
            let class = size_class(bytes);
            assert!(class >= bytes && class >= 256 && class.is_multiple_of(256), "{bytes}");
            assert!(bytes < 4096 || class - bytes <= bytes / 8, "{bytes} -> {class}");
            assert_eq!(size_class(class), class, "a class is its own class");
        }
    }
}
