//! Reads: the only calls that wait. What was recorded is submitted, the device copies into staging memory, the host maps that.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::lock::lock;

use super::device::{AWAKE, Gpu};
use super::memory::{Buffer, Usage};
use super::poller::{Deadline, Pauses, Signal};
use super::recorder::Command;

/// Bytes of one piece of a read: small enough that the device's copy and the host's overlap.
const READ_STEP: u64 = 16 << 20;
/// Pieces of one read in flight at once.
const READ_PIECES: usize = 8;

impl Gpu {
    /// Polls on this thread until the signal is set.
    pub(super) fn wait_for(&self, signal: &Signal, submission: &wgpu::SubmissionIndex, deadline: Option<Deadline>) -> Result<()> {
        let mut pauses = Pauses::new();
        if let Some(deadline) = deadline {
            self.done_within(AWAKE.min(deadline.remaining()));
        }
        loop {
            if let Some(lost) = self.faults.lost() {
                return Err(lost);
            }
            match deadline {
                None => self.wait_idle(Some(submission.clone())),
                Some(deadline) => {
                    deadline.check()?;
                    self.poll();
                }
            }
            // After a wait it is set, unless another thread has taken the callback and is about to run it.
            let pause = deadline.map_or(pauses.next(), |d| d.remaining().min(pauses.next()));
            if let Some(result) = signal.wait(pause) {
                return self.observe(result);
            }
        }
    }

    /// A mapping that the device refused is how loss shows first, and on a device of the caller's own the only way.
    fn observe(&self, result: Result<()>) -> Result<()> {
        if let Err(Error::DeviceLost { reason }) = &result {
            // The driver's own words come with the next poll, if this device has a callback.
            self.poll();
            self.faults.lose(reason.clone());
            return self.check();
        }
        result
    }

    /// Reads bytes of a buffer into host memory, after all that was recorded. This waits.
    ///
    /// # Errors
    /// `Timeout` after `deadline`; the error of the batch that should have written the buffer, if that failed.
    pub fn read_into(
        self: &Arc<Self>,
        buffer: &Buffer,
        offset: u64,
        target: &mut [u8],
        deadline: Option<Duration>,
    ) -> Result<()> {
        let (since, bytes) = (Instant::now(), target.len() as u64);
        let deadline = deadline.and_then(Deadline::after);
        let mut reading = Reading::start(self, buffer, offset, bytes, None)?;
        let mut rest = target;
        while let Some(piece) = reading.in_flight.pop_front() {
            self.wait_for(&piece.signal, &piece.submission, deadline)?;
            let (now, after) = std::mem::take(&mut rest).split_at_mut(piece.len);
            piece.finish(self, |bytes| now.copy_from_slice(bytes))?;
            rest = after;
            reading.fill()?;
        }
        self.waited(since, bytes);
        Ok(())
    }

    /// [`Gpu::read_into`] a new vector.
    pub fn read(self: &Arc<Self>, buffer: &Buffer, offset: u64, bytes: u64, deadline: Option<Duration>) -> Result<Vec<u8>> {
        buffer.check_range(offset, bytes)?;
        let mut out = vec![0; bytes as usize];
        self.read_into(buffer, offset, &mut out, deadline)?;
        Ok(out)
    }

    /// Reads bytes of a buffer without blocking. The copy is submitted at once, not at the first poll; up to 128 MiB are then as
    /// they were at this call, of more the buffer must not be written to until the future is done.
    ///
    /// It needs no runtime: a thread of this device polls and wakes.
    pub fn read_async(
        self: &Arc<Self>,
        buffer: &Buffer,
        offset: u64,
        bytes: u64,
        deadline: Option<Duration>,
    ) -> impl Future<Output = Result<Vec<u8>>> + Send + 'static + use<> {
        let gpu = self.clone();
        let watch = Some(deadline.and_then(Deadline::after));
        let reading = Reading::start(self, buffer, offset, bytes, watch);
        async move {
            let mut reading = reading?;
            let mut out = Vec::with_capacity(bytes as usize);
            while let Some(piece) = reading.in_flight.pop_front() {
                let mapped = (&*piece.signal).await;
                gpu.observe(mapped)?;
                piece.finish(&gpu, |bytes| out.extend_from_slice(bytes))?;
                reading.fill()?;
            }
            Ok(out)
        }
    }
}

/// A read on its way: one piece is copied out by the host while the device copies the next ones.
struct Reading {
    gpu: Arc<Gpu>,
    source: Buffer,
    next: u64,
    end: u64,
    in_flight: VecDeque<Piece>,
    /// Whether the poller watches the pieces, and until when.
    watch: Option<Option<Deadline>>,
}

/// One staging buffer that the device fills and the host maps.
struct Piece {
    staging: Buffer,
    /// Bytes to leave out at the start, for copies begin at whole words.
    skip: usize,
    len: usize,
    mapped: u64,
    signal: Arc<Signal>,
    submission: wgpu::SubmissionIndex,
}

impl Reading {
    fn start(gpu: &Arc<Gpu>, source: &Buffer, offset: u64, bytes: u64, watch: Option<Option<Deadline>>) -> Result<Self> {
        gpu.check()?;
        source.failure()?;
        source.check_range(offset, bytes)?;
        let mut reading = Reading {
            gpu: gpu.clone(),
            source: source.clone(),
            next: offset,
            end: offset + bytes,
            in_flight: VecDeque::new(),
            watch,
        };
        reading.fill()?;
        Ok(reading)
    }

    /// Keeps the pieces in flight.
    fn fill(&mut self) -> Result<()> {
        while self.next < self.end && self.in_flight.len() < READ_PIECES {
            let piece = self.piece()?;
            self.next += piece.len as u64;
            self.in_flight.push_back(piece);
        }
        Ok(())
    }

    fn piece(&self) -> Result<Piece> {
        let gpu = &self.gpu;
        let from = self.next / 4 * 4;
        let end = self.end.min(from + READ_STEP);
        let bytes = (end - from).next_multiple_of(4);
        let staging = gpu.take(Usage::Readback, bytes)?;
        let submission = {
            let mut batch = lock(&gpu.batch);
            batch.push(Command::Copy { source: self.source.clone(), from, target: staging.clone(), to: 0, bytes });
            gpu.submit(&mut batch)?;
            batch.last.clone().expect("something was submitted just now")
        };
        // An earlier batch, submitted meanwhile by another thread, may have failed to write it.
        self.source.failure()?;
        let signal = Arc::new(Signal::default());
        let weak = Arc::downgrade(&signal);
        staging.set_mapped(true);
        gpu.scoped(0, || {
            staging.raw().map_async(wgpu::MapMode::Read, ..bytes, move |result| {
                let result = result.map_err(|_| Error::DeviceLost { reason: "it does not answer any more".to_owned() });
                if let Some(signal) = weak.upgrade() {
                    signal.set(result);
                }
            });
        })?;
        if let Some(deadline) = self.watch {
            gpu.poller.watch(&signal, deadline)?;
        }
        let (skip, len) = ((self.next - from) as usize, (end - self.next) as usize);
        Ok(Piece { staging, skip, len, mapped: bytes, signal, submission })
    }
}

impl Piece {
    /// Hands the mapped bytes over and makes the staging buffer reusable.
    fn finish(self, gpu: &Gpu, sink: impl FnOnce(&[u8])) -> Result<()> {
        let raw = self.staging.raw();
        {
            let view = raw.get_mapped_range(..self.mapped);
            let view = view.map_err(|e| {
                gpu.notice_loss();
                gpu.faults.lost().unwrap_or(Error::Gpu { message: e.to_string() })
            })?;
            sink(&view[self.skip..self.skip + self.len]);
        }
        raw.unmap();
        self.staging.set_mapped(false);
        Ok(())
    }
}
