//! The device's own clock: how long compute passes take on it, whatever the host does meanwhile.

use std::time::Duration;

use super::Gpu;
use crate::error::{Error, Result};
use crate::lock::lock;

/// The most passes of which the times are kept: WebGPU's query sets have no more than 4096 entries.
const MOST: u32 = 2048;
/// Bytes of a timestamp.
const STAMP: u64 = 8;

/// Takes the times of passes while it lies in the batch.
pub(super) struct Clock {
    stamps: wgpu::QuerySet,
    passes: u32,
}

impl Clock {
    /// Where the next pass writes when it began and ended; nowhere if there is no more room.
    pub(super) fn next(&mut self) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        let first = 2 * self.passes;
        // One too many is counted, so that an incomplete sum is known for one.
        self.passes = (self.passes + 1).min(MOST + 1);
        (first < 2 * MOST).then_some(wgpu::ComputePassTimestampWrites {
            query_set: &self.stamps,
            beginning_of_pass_write_index: Some(first),
            end_of_pass_write_index: Some(first + 1),
        })
    }
}

impl Gpu {
    /// Does `work`, waits until the device has done all of it, and says how long its compute passes took there, by the device's own
    /// clock: no submission, no copy and no waiting is in it. Passes that other threads record meanwhile are counted too.
    ///
    /// `None` where the device has no [timestamps](super::AdapterSummary::timestamps), after more than 2048 passes, or if another
    /// thread began to take times meanwhile.
    ///
    /// # Errors
    /// Those of `work`, and those of [`Gpu::wait`].
    pub fn time_passes<R>(&self, work: impl FnOnce() -> Result<R>) -> Result<(R, Option<Duration>)> {
        self.wait(None)?;
        if !self.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            let done = work()?;
            self.wait(None)?;
            return Ok((done, None));
        }
        let descriptor = wgpu::QuerySetDescriptor { label: None, ty: wgpu::QueryType::Timestamp, count: 2 * MOST };
        let stamps = self.device().create_query_set(&descriptor);
        lock(&self.batch).clock = Some(Clock { stamps, passes: 0 });
        let done = work().and_then(|done| self.wait(None).map(|()| done));
        let clock = lock(&self.batch).clock.take();
        let done = done?;
        match clock {
            Some(clock) if clock.passes <= MOST => Ok((done, Some(self.read_clock(&clock)?))),
            _ => Ok((done, None)),
        }
    }

    /// The sum of the passes' times.
    fn read_clock(&self, clock: &Clock) -> Result<Duration> {
        if clock.passes == 0 {
            return Ok(Duration::ZERO);
        }
        let size = u64::from(2 * clock.passes) * STAMP;
        let buffer = |usage| {
            let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
            self.device().create_buffer(&descriptor)
        };
        let resolved = buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC);
        let read = buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
        let mut encoder = self.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        encoder.resolve_query_set(&clock.stamps, 0..2 * clock.passes, &resolved, 0);
        encoder.copy_buffer_to_buffer(&resolved, 0, &read, 0, size);
        let submission = self.queue().submit([encoder.finish()]);
        read.map_async(wgpu::MapMode::Read, .., |_| ());
        self.wait_idle(Some(submission));
        self.check()?;
        let bytes = read.get_mapped_range(..);
        let bytes = bytes.map_err(|error| Error::Gpu { message: format!("the times of passes cannot be read: {error}") })?;
        let (stamps, _) = bytes.as_chunks::<{ STAMP as usize }>();
        let ticks: u64 =
            stamps.chunks_exact(2).map(|pass| u64::from_le_bytes(pass[1]).saturating_sub(u64::from_le_bytes(pass[0]))).sum();
        Ok(Duration::from_secs_f64(ticks as f64 * f64::from(self.queue().get_timestamp_period()) * 1e-9))
    }
}
