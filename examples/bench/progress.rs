//! What goes to stderr while the measurement runs: a bar on a terminal, a line a group elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const WIDTH: usize = 30;

/// The progress of a run.
pub(crate) struct Progress {
    total: usize,
    done: usize,
    start: Instant,
    bar: bool,
    limit: Option<Instant>,
}

impl Progress {
    /// Nothing of `total` is done.
    pub(crate) fn new(total: usize) -> Self {
        Progress { total, done: 0, start: Instant::now(), bar: std::io::stderr().is_terminal(), limit: None }
    }

    /// Says what comes now.
    pub(crate) fn begin(&self, what: &str) {
        let (done, total) = (self.done, self.total);
        let pace = self.pace().map_or(String::new(), |pace| format!("{pace}  "));
        if self.bar {
            let filled = WIDTH * done / total.max(1);
            // Back to the start of the line, and clear what is left of it.
            eprint!("\r\x1b[2K[{:<WIDTH$}] {done}/{total} {pace}{what}", "=".repeat(filled));
            _ = std::io::stderr().flush();
        } else {
            eprintln!("{:>4}/{total} {:>7.1} s  {pace}{what}", done + 1, self.start.elapsed().as_secs_f64());
        }
    }

    /// How many groups a minute are done, and the time left if the others take as long.
    fn pace(&self) -> Option<String> {
        let each = self.start.elapsed().as_secs_f64() / (self.done > 0).then_some(self.done as f64)?;
        let whole = (self.total.saturating_sub(self.done) as f64 * each).round();
        let left =
            self.limit.map_or(whole, |limit| whole.min(limit.saturating_duration_since(Instant::now()).as_secs_f64().round()));
        Some(format!("{:.0} a minute, {}:{:02} left", 60.0 / each, (left / 60.0) as u64, left as u64 % 60))
    }

    /// One more is done.
    pub(crate) fn end(&mut self) {
        self.done += 1;
    }

    /// So many of so many are done, and it was begun so long ago.
    pub(crate) fn resume(&mut self, [done, total]: [usize; 2], since: Duration) {
        (self.done, self.total) = (done, total);
        self.start = Instant::now().checked_sub(since).unwrap_or(self.start);
    }

    /// How long ago it was begun.
    pub(crate) fn since(&self) -> Duration {
        self.start.elapsed()
    }

    /// How many are done, of how many.
    pub(crate) fn so_far(&self) -> [usize; 2] {
        [self.done, self.total]
    }

    /// The run ends then at the latest.
    pub(crate) fn limit(&mut self, end: Option<Instant>) {
        self.limit = end;
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
