//! When a run ends before all of it is measured: Ctrl-C, or the time that it was given. What was measured by then is kept.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Whether Ctrl-C was pressed.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Why a run ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Ctrl-C.
    Interrupted,
    /// The time is over.
    TimeBudget,
}

impl Why {
    /// Its name in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Why::Interrupted => "interrupted",
            Why::TimeBudget => "time budget",
        }
    }

    /// The one with this name.
    pub(crate) fn named(name: Option<&str>) -> Option<Why> {
        [Why::Interrupted, Why::TimeBudget].into_iter().find(|why| name == Some(why.name()))
    }

    /// As records have it, after so many groups of so many; says so on the terminal too.
    pub(crate) fn describe(self, [done, of]: [usize; 2]) -> Value {
        let why = self.name();
        println!("not whole ({why}): {done} of {of} groups were measured");
        json!({ "why": why, "done": done, "of": of })
    }
}

/// Has the first Ctrl-C end the run in order; the second one ends the process.
pub(crate) fn listen() {
    let pressed = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\ninterrupted: what was measured is kept; once more ends at once");
    };
    if let Err(error) = ctrlc::set_handler(pressed) {
        eprintln!("Ctrl-C will lose what was measured: {error}");
    }
}

/// Whether Ctrl-C was pressed.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// When to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    end: Option<Instant>,
}

impl Stop {
    /// After so long, if it is limited.
    pub(crate) fn after(began: Instant, limit: Option<Duration>) -> Stop {
        Stop { end: limit.and_then(|limit| began.checked_add(limit)) }
    }

    /// Whether it is time, and why.
    pub(crate) fn now(self) -> Option<Why> {
        if interrupted() { Some(Why::Interrupted) } else { self.left().filter(Duration::is_zero).map(|_| Why::TimeBudget) }
    }

    /// When the time is over, if it is limited.
    pub(crate) fn end(self) -> Option<Instant> {
        self.end
    }

    /// What is left of the time, if it is limited.
    pub(crate) fn left(self) -> Option<Duration> {
        self.end.map(|end| end.saturating_duration_since(Instant::now()))
    }
}
