//! What goes to stderr while the measurement runs: a bar on a terminal, a line a group elsewhere.

use std::io::{IsTerminal, Write};
use std::time::Instant;

const WIDTH: usize = 30;

/// The progress of a run.
pub(crate) struct Progress {
    total: usize,
    done: usize,
    start: Instant,
    bar: bool,
}

impl Progress {
    /// Nothing of `total` is done.
    pub(crate) fn new(total: usize) -> Self {
        Progress { total, done: 0, start: Instant::now(), bar: std::io::stderr().is_terminal() }
    }

    /// Says what comes now.
    pub(crate) fn begin(&self, what: &str) {
        let (done, total) = (self.done, self.total);
        if self.bar {
            let filled = WIDTH * done / total.max(1);
            // Back to the start of the line, and clear what is left of it.
            eprint!("\r\x1b[2K[{:<WIDTH$}] {done}/{total} {what}", "=".repeat(filled));
            _ = std::io::stderr().flush();
        } else {
            eprintln!("{:>4}/{total} {:>7.1} s  {what}", done + 1, self.start.elapsed().as_secs_f64());
        }
    }

    /// One more is done.
    pub(crate) fn end(&mut self) {
        self.done += 1;
    }

    /// Says something that stays to be read.
    pub(crate) fn note(&self, text: &str) {
        if self.bar {
            eprint!("\r\x1b[2K");
        }
        eprintln!("{text}");
    }

    /// All is done: removes the bar.
    pub(crate) fn finish(&self) {
        if self.bar {
            eprint!("\r\x1b[2K");
        }
        eprintln!("{} groups in {:.1} s", self.done, self.start.elapsed().as_secs_f64());
    }
}
