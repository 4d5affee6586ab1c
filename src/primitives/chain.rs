//! Links worked on side by side, each of which needs a value that comes of all before it: a carry, or where its output begins.
//!
//! Links are handed out in order, so whoever holds an earlier one is working on it already, and the wait for it ends.

use std::sync::OnceLock;

use crate::backend::cpu::Cpu;
use crate::error::Result;

/// For each link: `own` is made of it, the value that comes of all links before it is handed on as `pass` says, and `finish` does
/// the rest. Gives what comes of all links.
pub(super) fn chain<V: Copy + Send + Sync, P>(
    cpu: &Cpu<'_>,
    links: usize,
    start: V,
    own: impl Fn(usize) -> P + Sync,
    pass: impl Fn(V, &P) -> V + Sync,
    finish: impl Fn(usize, V, P) + Sync,
) -> Result<V> {
    if cpu.workers <= 1 || links < 2 {
        let mut value = start;
        for link in 0..links {
            cpu.check_deadline()?;
            let part = own(link);
            let before = value;
            value = pass(before, &part);
            finish(link, before, part);
        }
        return Ok(value);
    }
    let passed: Vec<Handed<V>> = (0..links).map(|_| OnceLock::new()).collect();
    // The deadline is checked here and not by the chunks: a link that is not worked on must say so to its successor.
    let all = Cpu { deadline: None, ..cpu.clone() };
    all.for_each_chunk(links, |link| {
        let _publish = FailUnlessHanded(&passed[link]);
        if cpu.check_deadline().is_err() {
            return;
        }
        let part = own(link);
        let before = match link.checked_sub(1) {
            None => start,
            Some(previous) => match wait(&passed[previous]) {
                Some(value) => value,
                None => return,
            },
        };
        _ = passed[link].set(Some(pass(before, &part)));
        finish(link, before, part);
    })?;
    match passed[links - 1].get() {
        Some(Some(value)) => Ok(*value),
        // A panic was raised again before this, so what is left is a deadline that passed.
        _ => cpu.check_deadline().map(|()| start),
    }
}

/// What a link hands on; `None` inside if it failed.
type Handed<V> = OnceLock<Option<V>>;

/// Marks a link as failed if it is left without a value (its kernel panicked, or the deadline passed), so that nobody waits for it.
struct FailUnlessHanded<'a, V>(&'a Handed<V>);
impl<V> Drop for FailUnlessHanded<'_, V> {
    fn drop(&mut self) {
        _ = self.0.set(None);
    }
}

fn wait<V: Copy>(handed: &Handed<V>) -> Option<V> {
    let mut polls = 0_u32;
    loop {
        match handed.get() {
            Some(value) => return *value,
            None if polls < 500 => std::hint::spin_loop(),
            None => std::thread::yield_now(),
        }
        polls += 1;
    }
}
