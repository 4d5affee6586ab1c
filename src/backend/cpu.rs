//! How a primitive runs on the CPU: at which level, on how many threads, in chunks of which size.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::backend::memory::{Memory, Reserve};
use crate::backend::simd::{SimdLevel, ViewMut, WithLevel, dispatch};
#[cfg(feature = "threads")]
pub use crate::backend::threads::Pool;
use crate::element::Element;
use crate::error::{Error, Result};

/// Elements of a tile: the unit of decomposition on every backend.
pub const TILE: usize = 4096;

/// A time limit, counted from when the task started.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// How long the task may take.
    pub limit: Duration,
    /// When that is over.
    pub at: Instant,
}

impl Deadline {
    /// Starts counting now.
    pub fn start(limit: Duration) -> Self {
        let now = Instant::now();
        Deadline { limit, at: now.checked_add(limit).unwrap_or(now + Duration::from_secs(u32::MAX.into())) }
    }

    /// What is left of it.
    pub fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The error, if it has passed.
    pub fn check(self) -> Result<()> {
        if Instant::now() >= self.at { Err(Error::Timeout { deadline: self.limit }) } else { Ok(()) }
    }
}

/// Without the feature `threads` there is nobody to borrow.
#[cfg(not(feature = "threads"))]
#[derive(Clone, Default)]
pub struct Pool;

#[cfg(not(feature = "threads"))]
impl Pool {
    /// How many threads it has: the caller's.
    pub fn threads(&self) -> usize {
        1
    }

    fn for_each_chunk(&self, _: usize, chunks: usize, work: &(dyn Fn(usize) + Sync)) {
        (0..chunks).for_each(work);
    }
}

/// The CPU side of a plan, with the means to carry it out.
#[derive(Clone)]
pub struct Cpu<'e> {
    /// SIMD level.
    pub level: SimdLevel,
    /// Threads, the caller included.
    pub workers: usize,
    /// Elements of a chunk: a multiple of [`TILE`].
    pub grain: usize,
    /// When to give up.
    pub deadline: Option<Deadline>,
    /// Whether a reduction may leave the canonical order.
    pub unordered: bool,
    /// The threads to borrow.
    pub pool: &'e Pool,
    /// Where memory for results comes from.
    pub(crate) reserve: &'e Arc<Reserve>,
}

impl Cpu<'_> {
    /// Runs at the planned level.
    #[inline(always)]
    pub fn at_level<W: WithLevel>(&self, work: W) -> W::Out {
        dispatch(self.level, work)
    }

    /// The error, if the deadline has passed.
    pub fn check_deadline(&self) -> Result<()> {
        self.deadline.map_or(Ok(()), Deadline::check)
    }

    /// Memory of `n` elements, every one of which the drivers' `write` writes unless it fails.
    pub(crate) fn allocate<T: Element>(&self, n: usize, write: impl FnOnce(ViewMut<'_, T>) -> Result<()>) -> Result<Memory<T>> {
        allocate(self.reserve, n, write)
    }

    /// The memory of each of `K` results of at most `n` elements: as many as `write` says that it has written from the first on.
    pub(crate) fn allocate_each<T: Element, const K: usize>(
        &self,
        n: usize,
        write: impl FnOnce([ViewMut<'_, T>; K]) -> Result<[usize; K]>,
    ) -> Result<[Memory<T>; K]> {
        let mut outs: [Memory<T>; K] = std::array::from_fn(|_| Memory::default());
        for out in &mut outs {
            *out = self.reserve.take(n)?;
        }
        let counts = write(outs.each_mut().map(|out| ViewMut::new(&mut out.vec().spare_capacity_mut()[..n])))?;
        for (out, count) in outs.iter_mut().zip(counts) {
            assert!(count <= n, "{count} of {n} elements");
            // SAFETY: there is room for `n` elements, and the drivers have written as many as they say, side by side from the first
            // on.
            unsafe { out.vec().set_len(count) };
            out.fit()?;
        }
        Ok(outs)
    }

    /// Calls `work` for every chunk of `0..n`, on all workers. Each range but the last is a whole number of tiles.
    pub fn for_each_range(&self, n: usize, work: impl Fn(Range<usize>) + Sync) -> Result<()> {
        if self.workers <= 1 && self.deadline.is_none() {
            if n > 0 {
                work(0..n);
            }
            return Ok(());
        }
        // A plan's fields are the caller's to change, and two chunks that share a tile would both write its result.
        let grain = (self.grain / TILE).max(1) * TILE;
        self.for_each_chunk(n.div_ceil(grain), |chunk| work(chunk * grain..((chunk + 1) * grain).min(n)))
    }

    /// Calls `work` once for every chunk, in ascending order of start, and gives up between chunks when the deadline passes.
    pub fn for_each_chunk(&self, chunks: usize, work: impl Fn(usize) + Sync) -> Result<()> {
        let late = AtomicBool::new(false);
        let work = |chunk: usize| {
            if let Some(deadline) = self.deadline
                && (late.load(Ordering::Relaxed) || deadline.check().is_err())
            {
                late.store(true, Ordering::Relaxed);
                return;
            }
            work(chunk);
        };
        self.pool.for_each_chunk(self.workers, chunks, &work);
        match self.deadline {
            Some(deadline) if late.into_inner() => Err(Error::Timeout { deadline: deadline.limit }),
            _ => Ok(()),
        }
    }
}

/// Memory of `n` elements, every one of which the drivers' `write` writes unless it fails.
pub(crate) fn allocate<T: Element>(
    reserve: &Arc<Reserve>,
    n: usize,
    write: impl FnOnce(ViewMut<'_, T>) -> Result<()>,
) -> Result<Memory<T>> {
    let mut out = reserve.take(n)?;
    write(ViewMut::new(&mut out.vec().spare_capacity_mut()[..n]))?;
    // SAFETY: there is room for `n` elements, and `write` has written them all: each driver covers `0..n` with disjoint ranges,
    // writes every element of a range, and returns an error if a range was left out.
    unsafe { out.vec().set_len(n) };
    Ok(out)
}
