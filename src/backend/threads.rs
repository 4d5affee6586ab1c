//! All cores: chunks are taken from an atomic counter by the caller and by rayon workers.
//!
//! Waking a parked thread takes 25 microseconds in the good case and milliseconds on a busy machine, so nothing is ever split
//! into static halves, and nobody is waited for who has not begun: helpers are detached jobs that must *enter* before they touch
//! the caller's data. When the chunks are used up the caller closes the door and waits for those inside only. A helper that
//! comes late finds the door closed and goes away. So a nested call, or a pool that is busy with something else, never blocks.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::lock::lock;

/// The threads to borrow.
#[derive(Clone, Default)]
pub struct Pool(Option<Arc<rayon::ThreadPool>>);

impl Pool {
    /// A pool of the user's own. The default is rayon's global one.
    pub fn of(pool: Arc<rayon::ThreadPool>) -> Self {
        Pool(Some(pool))
    }

    /// How many threads it has.
    pub fn threads(&self) -> usize {
        match &self.0 {
            Some(pool) => pool.current_num_threads(),
            None => rayon::current_num_threads(),
        }
    }

    fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        match &self.0 {
            Some(pool) => pool.spawn(job),
            None => rayon::spawn(job),
        }
    }

    /// Calls `work(chunk)` once for every chunk below `chunks`, on this thread and on up to `workers - 1` others. Chunks start in
    /// ascending order. A panic in `work` stops the handing out and is raised here again, when nobody is working any more.
    pub fn for_each_chunk(&self, workers: usize, chunks: usize, work: &(dyn Fn(usize) + Sync)) {
        let helpers = workers.min(chunks).saturating_sub(1);
        if helpers == 0 {
            (0..chunks).for_each(work);
            return;
        }
        // SAFETY: only the lifetime is erased. Helpers use the reference between `enter` and `leave` alone, and `close_and_wait`
        // does not return before everybody who entered has left, and nobody enters after it; a guard calls it on every way out
        // of here, so the reference is never used after this call.
        let work = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(work) };
        let shared =
            Arc::new(Shared { next: AtomicUsize::new(0), chunks, inside: AtomicUsize::new(0), panic: Mutex::new(None), work });
        {
            let _closes = CloseAndWait(&shared);
            for _ in 0..helpers {
                let shared = Arc::clone(&shared);
                self.spawn(move || shared.help());
            }
            shared.take_chunks();
        }
        let panic = lock(&shared.panic).take();
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }
}

/// Closes the door however the caller leaves: a pool that cannot start its threads panics in `spawn`.
struct CloseAndWait<'a>(&'a Shared);
impl Drop for CloseAndWait<'_> {
    fn drop(&mut self) {
        self.0.close_and_wait();
    }
}

/// Set in `Shared::inside` when the caller is done.
const CLOSED: usize = 1 << (usize::BITS - 1);

struct Shared {
    next: AtomicUsize,
    chunks: usize,
    /// Helpers that have entered and not left, and `CLOSED`.
    inside: AtomicUsize,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    work: &'static (dyn Fn(usize) + Sync),
}

impl Shared {
    fn help(&self) {
        if self.inside.fetch_add(1, Ordering::Acquire) & CLOSED == 0 {
            self.take_chunks();
        }
        self.inside.fetch_sub(1, Ordering::Release);
    }

    fn take_chunks(&self) {
        loop {
            let chunk = self.next.fetch_add(1, Ordering::Relaxed);
            if chunk >= self.chunks {
                return;
            }
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| (self.work)(chunk))) {
                self.next.store(self.chunks, Ordering::Relaxed);
                let mut first = lock(&self.panic);
                match *first {
                    // Dropping it would run code of the user's, which may panic again, where nobody catches it.
                    Some(_) => std::mem::forget(payload),
                    None => *first = Some(payload),
                }
            }
        }
    }

    fn close_and_wait(&self) {
        let mut polls = 0_u32;
        let mut inside = self.inside.fetch_or(CLOSED, Ordering::Acquire) & !CLOSED;
        while inside != 0 {
            polls += 1;
            if polls < 1000 {
                std::hint::spin_loop()
            } else {
                std::thread::yield_now()
            }
            inside = self.inside.load(Ordering::Acquire) & !CLOSED;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn every_chunk_once() {
        for workers in 1..=8 {
            for chunks in [0, 1, 2, 7, 1000] {
                let seen: Vec<AtomicU64> = (0..chunks).map(|_| AtomicU64::new(0)).collect();
                Pool::default().for_each_chunk(workers, chunks, &|c| {
                    seen[c].fetch_add(1, Ordering::Relaxed);
                });
                assert!(seen.iter().all(|s| s.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_lives() {
        for _ in 0..20 {
            let result = catch_unwind(|| {
                Pool::default().for_each_chunk(4, 100, &|c| assert_ne!(c, 50, "planted"));
            });
            assert!(result.is_err());
        }
        every_chunk_once();
    }

    #[test]
    fn nested_calls_do_not_deadlock() {
        let count = AtomicU64::new(0);
        Pool::default().for_each_chunk(4, 16, &|_| {
            Pool::default().for_each_chunk(4, 16, &|_| {
                count.fetch_add(1, Ordering::Relaxed);
            });
        });
        assert_eq!(count.into_inner(), 256);
    }
}
