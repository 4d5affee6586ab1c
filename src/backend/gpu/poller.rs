//! Waiting for the device: signals that mapping callbacks set, and the one thread that polls while futures are pending.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::lock::lock;

use super::device::{Faults, poll};

/// The pauses between two polls: short at first, for most work is short, then longer.
pub(super) struct Pauses(Duration);

impl Pauses {
    pub(super) fn new() -> Self {
        Pauses(Duration::from_micros(20))
    }

    pub(super) fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 5 / 4).min(Duration::from_millis(1));
        now
    }
}

/// A moment after which waiting is over, and the span it came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    at: Instant,
    span: Duration,
}

impl Deadline {
    /// `span` from now on; one beyond what the clock can express is none.
    pub(super) fn after(span: Duration) -> Option<Self> {
        Instant::now().checked_add(span).map(|at| Deadline { at, span })
    }

    pub(super) fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.remaining().is_zero() { Err(Error::Timeout { deadline: self.span }) } else { Ok(()) }
    }
}

/// Is set once, from any thread; can be awaited, or waited for on the spot.
#[derive(Default)]
pub(super) struct Signal {
    state: Mutex<SignalState>,
    changed: Condvar,
}

#[derive(Default)]
struct SignalState {
    result: Option<Result<()>>,
    waker: Option<Waker>,
}

impl Signal {
    /// Sets it. The first result stays.
    pub(super) fn set(&self, result: Result<()>) {
        let waker = {
            let mut state = lock(&self.state);
            state.result.get_or_insert(result);
            self.changed.notify_all();
            state.waker.take()
        };
        // Outside the lock, for a waker may look at the future on the spot. One that panics is its owner's loss only: it must stop
        // neither the poller nor a poll of another thread, in whose callback this may run.
        if let Some(waker) = waker {
            _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }

    pub(super) fn get(&self) -> Option<Result<()>> {
        lock(&self.state).result.clone()
    }

    /// Waits at most `span` for it to be set.
    pub(super) fn wait(&self, span: Duration) -> Option<Result<()>> {
        let state = lock(&self.state);
        let waited = self.changed.wait_timeout_while(state, span, |s| s.result.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.result.clone()
    }
}

impl Future for &Signal {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut state = lock(&self.state);
        match &state.result {
            Some(result) => Poll::Ready(result.clone()),
            None => {
                match &mut state.waker {
                    Some(waker) => waker.clone_from(context.waker()),
                    empty => *empty = Some(context.waker().clone()),
                }
                Poll::Pending
            }
        }
    }
}

/// A mapping that a future waits for. The signal is weak: the future of a dropped read is not waited for.
struct Pending {
    signal: Weak<Signal>,
    deadline: Option<Deadline>,
}

/// Polls the device on a thread of its own while futures wait. The thread starts with the first future and ends with the device.
pub(super) struct Poller {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    device: wgpu::Device,
    faults: Arc<Faults>,
    state: Mutex<PollerState>,
    changed: Condvar,
}

#[derive(Default)]
struct PollerState {
    pending: Vec<Pending>,
    closed: bool,
}

impl Drop for Poller {
    fn drop(&mut self) {
        lock(&self.shared.state).closed = true;
        self.shared.changed.notify_all();
        // The thread must not be in the driver when the process ends and the driver's own state is taken down. If this runs in a waker,
        // it is that thread.
        let thread = lock(&self.thread).take().filter(|thread| thread.thread().id() != thread::current().id());
        if let Some(thread) = thread {
            _ = thread.join();
        }
    }
}

impl Poller {
    pub(super) fn new(device: wgpu::Device, faults: Arc<Faults>) -> Self {
        let shared = Shared { device, faults, state: Mutex::default(), changed: Condvar::new() };
        Poller { shared: Arc::new(shared), thread: Mutex::new(None) }
    }

    /// Polls until `signal` is set, or sets it to `Timeout` or `DeviceLost` itself.
    pub(super) fn watch(&self, signal: &Arc<Signal>, deadline: Option<Deadline>) -> Result<()> {
        let mut thread = lock(&self.thread);
        if thread.is_none() {
            let shared = self.shared.clone();
            let spawned = thread::Builder::new().name("granule-gpu-poller".to_owned()).spawn(move || shared.run());
            let cannot = |e| Error::Gpu { message: format!("the thread that polls the device cannot start: {e}") };
            *thread = Some(spawned.map_err(cannot)?);
        }
        drop(thread);
        lock(&self.shared.state).pending.push(Pending { signal: Arc::downgrade(signal), deadline });
        self.shared.changed.notify_all();
        Ok(())
    }
}

impl Shared {
    fn run(&self) {
        let mut pauses = Pauses::new();
        loop {
            {
                let state = lock(&self.state);
                if state.pending.is_empty() {
                    pauses = Pauses::new();
                }
                let idle = self.changed.wait_while(state, |s| s.pending.is_empty() && !s.closed);
                if idle.unwrap_or_else(PoisonError::into_inner).closed {
                    return;
                }
            }
            poll(&self.device, &self.faults, wgpu::PollType::Poll);
            if self.settle() {
                pauses = Pauses::new();
            } else {
                thread::sleep(pauses.next());
            }
        }
    }

    /// Drops what is done, out of time or given up. Whether there was any.
    fn settle(&self) -> bool {
        let lost = self.faults.lost();
        let mut over = Vec::new();
        let mut state = lock(&self.state);
        let before = state.pending.len();
        state.pending.retain(|p| {
            let Some(signal) = p.signal.upgrade() else { return false };
            if signal.get().is_some() {
                return false;
            }
            let verdict = lost.clone().map_or_else(|| p.deadline.map_or(Ok(()), |d| d.check()), Err);
            match verdict {
                Ok(()) => true,
                Err(error) => {
                    over.push((signal, error));
                    false
                }
            }
        });
        let settled = state.pending.len() < before;
        drop(state);
        for (signal, error) in over {
            signal.set(Err(error));
        }
        settled
    }
}
