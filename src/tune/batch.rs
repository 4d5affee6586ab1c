//! Batches: calls on a GPU are recorded, submitted together, and seen to be done only when somebody waits.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::lock::lock;

use super::{Ticket, Tuner};

/// Calls that nobody has waited for yet, at most; of a longer chain the rest is no sample.
const MOST: usize = 256;

/// Calls on a GPU whose results nobody has waited for.
#[derive(Default)]
pub(super) struct Batch(Mutex<Pending>);

#[derive(Default)]
struct Pending {
    tickets: Vec<Ticket>,
    /// The time that recording them took.
    recording: Duration,
    /// Whether a shader was compiled meanwhile: then the time says nothing of the next call.
    compiled: bool,
}

impl Batch {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        lock(&self.0)
    }
}

impl Tuner {
    /// A call is recorded, for which shaders may have been compiled. How long it takes is seen when somebody waits.
    pub(crate) fn recorded(&self, ticket: Ticket, compiled: bool) {
        let took = ticket.begun.elapsed();
        self.ran.fetch_add(took.as_nanos() as u64, Relaxed);
        let mut pending = self.batch.pending();
        pending.compiled |= compiled;
        if pending.tickets.len() < MOST {
            pending.recording += took;
            pending.tickets.push(ticket);
        }
    }

    /// Somebody waited so long, of which so many seconds were predicted for moving what was read. All that was recorded is done now,
    /// and is taken to have deviated from its prediction by the same factor.
    pub(crate) fn waited(&self, took: Duration, moving: f64) {
        let Pending { tickets, recording, compiled } = std::mem::take(&mut *self.batch.pending());
        if tickets.is_empty() {
            return;
        }
        self.ran.fetch_add(took.as_nanos() as u64, Relaxed);
        // What is read is counted here, and not once more with the call that is for the host.
        let there = |ticket: &Ticket| ticket.prediction.modelled() - ticket.prediction.readback;
        let predicted: f64 = tickets.iter().map(there).sum::<f64>() + moving;
        let ratio = (recording + took).as_secs_f64() / predicted;
        for ticket in &tickets {
            let seconds = ticket.prediction.modelled() * ratio;
            self.charge(ticket, seconds);
            self.learn(ticket, seconds, if compiled { f64::NAN } else { ratio });
        }
    }

    /// The calls that were recorded are no samples: they failed, or nobody stood by to see when they were done.
    pub(crate) fn forget_pending(&self) {
        for ticket in std::mem::take(&mut *self.batch.pending()).tickets {
            self.learn(&ticket, f64::NAN, f64::NAN);
        }
    }
}
