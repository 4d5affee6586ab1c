//! Histogram on the CPU: a block's bin numbers are computed in vectors, and then counted one by one.
//!
//! An addition must wait for the one before it if both go to the same bin: five times as long as two that do not. So few bins have
//! several counters each, side by side, which neighbouring elements take in turn; where there are many bins the caches matter more,
//! and what is slow is not the waiting. Measured: 8 counters are as fast as 1 for random numbers, and 4 times as fast for equal ones.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::backend::cpu::{Cpu, TILE};
use crate::backend::simd::{Level, OneLane, Pair, Span, ViewMut, WithLevel, store};
use crate::element::{Scalar, Value};
use crate::error::{Error, Result};
use crate::kernel::{Varying, ops};
use crate::primitives::cost;
use crate::source::Source;

use super::entry::{Amount, Entry};

/// Elements of a block: their numbers stay in the first cache.
const BLOCK: usize = 512;
/// Operations of a source that does nothing but read: a number and a weight.
const PLAIN: f32 = 2.0;
/// Parts of a sum that rounds, at most.
const PARTS: usize = 64;

/// How many counters a bin has, where so many elements are counted together. The order of a sum that rounds depends on it.
fn counters(n: usize, bins: usize) -> usize {
    match bins {
        _ if n < 2 * bins || n < 256 => 1,
        ..=1024 => 8,
        ..=8192 => 4,
        _ => 1,
    }
}

/// What all elements add to each bin.
pub(crate) fn histogram<E: Entry, S: Source<Item = E>>(
    cpu: &Cpu<'_>,
    source: &S,
    bins: usize,
    n: usize,
) -> Result<Vec<E::Amount>> {
    // A worker's table costs as much as some elements: it is filled with zeros, and added to the others.
    let useful = (n / bins).max(1);
    let (grain, together) = if E::Amount::ROUNDS {
        // Each part has a table of its own, whoever adds it up.
        let part = n.div_ceil(PARTS).max(8 * bins).max(16 * TILE).next_multiple_of(TILE);
        (part, part.min(n))
    } else if cpu.workers.min(useful) <= 1 && cpu.deadline.is_none() {
        (n.max(1), n)
    } else {
        ((cpu.grain / TILE).max(1) * TILE, n / cpu.workers.min(useful))
    };
    let counters = counters(together, bins);
    let computes = cost::of_source(source, n).cost.ops.total() > PLAIN;
    // One more bin takes what is in none.
    let size = (bins + 1) * counters;
    let mut fits: Vec<E::Amount> = Vec::new();
    fits.try_reserve_exact(size).map_err(|_| Error::TooLarge { elements: bins, limit: isize::MAX as usize / size_of::<E::Amount>() })?;
    drop(fits);

    let tables: Mutex<Vec<(usize, Vec<E::Amount>)>> = Mutex::new(Vec::new());
    let lock = || tables.lock().unwrap_or_else(PoisonError::into_inner);
    let workers = Cpu { workers: cpu.workers.min(useful), ..cpu.clone() };
    workers.for_each_chunk(n.div_ceil(grain), |chunk| {
        let idle = if E::Amount::ROUNDS { None } else { lock().pop() };
        let (first, mut table) = idle.unwrap_or_else(|| (chunk, vec![E::Amount::ZERO; size]));
        let range = chunk * grain..((chunk + 1) * grain).min(n);
        cpu.at_level(Add { source, range, bins, counters, computes, table: ViewMut::of(&mut table) });
        lock().push((first, table));
    })?;

    let mut tables = tables.into_inner().unwrap_or_else(PoisonError::into_inner);
    tables.sort_unstable_by_key(|(first, _)| *first);
    if tables.is_empty() {
        return Ok(vec![E::Amount::ZERO; bins]);
    }
    let mut sums = match counters {
        8 => sum_up::<_, 8>(tables.remove(0).1),
        4 => sum_up::<_, 4>(tables.remove(0).1),
        _ => tables.remove(0).1,
    };
    for (_, table) in tables {
        match counters {
            8 => add_up::<_, 8>(&mut sums, &table),
            4 => add_up::<_, 4>(&mut sums, &table),
            _ => add_up::<_, 1>(&mut sums, &table),
        }
    }
    sums.truncate(bins);
    Ok(sums)
}

/// The sums of each bin's counters.
fn sum_up<A: Amount, const COUNTERS: usize>(table: Vec<A>) -> Vec<A> {
    table.as_chunks::<COUNTERS>().0.iter().map(total).collect()
}

/// Adds the sums of each bin's counters.
fn add_up<A: Amount, const COUNTERS: usize>(sums: &mut [A], table: &[A]) {
    for (sum, counters) in sums.iter_mut().zip(table.as_chunks::<COUNTERS>().0) {
        *sum = sum.plus(total(counters));
    }
}

fn total<A: Amount, const COUNTERS: usize>(counters: &[A; COUNTERS]) -> A {
    counters[1..].iter().fold(counters[0], |sum, &x| sum.plus(x))
}

/// Adds a range to a table: bin by bin, each with its counters side by side.
struct Add<'a, S, A> {
    source: &'a S,
    range: Range<usize>,
    bins: usize,
    counters: usize,
    /// Whether an element is worth a vector.
    computes: bool,
    table: ViewMut<'a, A>,
}

impl<E: Entry, S: Source<Item = E>> WithLevel for Add<'_, S, E::Amount> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        match self.counters {
            8 => self.looped::<L, E, 8>(l),
            4 => self.looped::<L, E, 4>(l),
            _ => self.looped::<L, E, 1>(l),
        }
    }
}

impl<S, A: Amount> Add<'_, S, A> {
    #[inline(always)]
    fn looped<L: Level, E: Entry<Amount = A>, const COUNTERS: usize>(self, l: L)
    where
        S: Source<Item = E>,
    {
        if !self.computes {
            self.straight::<E, COUNTERS>();
        } else if S::LOOPS {
            self.each::<_, E, COUNTERS>(Pair(l));
        } else {
            self.each::<_, E, COUNTERS>(l);
        }
    }

    /// Element by element: where there is nothing to compute, to write numbers down is more work than to use them.
    #[inline(always)]
    fn straight<E: Entry<Amount = A>, const COUNTERS: usize>(self)
    where
        S: Source<Item = E>,
    {
        let (bound, table, bins) = (self.source.bind(OneLane), self.table.whole(), self.bins as u32);
        let Range { start: mut i, end } = self.range;
        while i < end {
            let last = end.min(i + 8);
            if i + 8 <= last {
                for k in 0..8 {
                    let x = S::load(OneLane, bound, Span::new(i + k, 1));
                    add::<E, COUNTERS>(table, E::bin(x).0.min(bins) as usize * COUNTERS, amount::<E>(x), k);
                }
            } else {
                for k in 0..last - i {
                    let x = S::load(OneLane, bound, Span::new(i + k, 1));
                    add::<E, COUNTERS>(table, E::bin(x).0.min(bins) as usize * COUNTERS, amount::<E>(x), k);
                }
            }
            i = last;
        }
    }

    #[inline(always)]
    fn each<L: Level, E: Entry<Amount = A>, const COUNTERS: usize>(self, l: L)
    where
        S: Source<Item = E>,
    {
        let (bound, table) = (self.source.bind(l), self.table.whole());
        let (mut slots, mut amounts) = ([MaybeUninit::<u32>::uninit(); BLOCK], [MaybeUninit::<A>::uninit(); BLOCK]);
        let (slots, amounts) = (ViewMut::new(&mut slots), ViewMut::new(&mut amounts));
        let Range { start: mut at, end } = self.range;
        while at < end {
            let count = BLOCK.min(end - at);
            let mut i = 0;
            while i + L::WIDTH <= count {
                let x = S::load(l, bound, Span::new(at + i, L::WIDTH));
                place::<L, E, COUNTERS>(l, x, self.bins, slots, amounts, Span::new(i, L::WIDTH));
                i += L::WIDTH;
            }
            if i < count {
                let x = S::load(l, bound, Span::new(at + i, count - i));
                place::<L, E, COUNTERS>(l, x, self.bins, slots, amounts, Span::new(i, count - i));
            }
            let mut i = 0;
            while i < count {
                let last = count.min(i + 8);
                if i + 8 <= last {
                    for k in 0..8 {
                        let weight = if E::WEIGHTED { amounts.read(i + k) } else { A::ONE };
                        add::<E, COUNTERS>(table, slots.read(i + k) as usize, weight, k);
                    }
                } else {
                    for k in 0..last - i {
                        let weight = if E::WEIGHTED { amounts.read(i + k) } else { A::ONE };
                        add::<E, COUNTERS>(table, slots.read(i + k) as usize, weight, k);
                    }
                }
                i = last;
            }
            at += count;
        }
    }
}

/// Writes where entries go, the slot of a bin's first counter, and what they weigh.
#[inline(always)]
fn place<L: Level, E: Entry, const COUNTERS: usize>(
    l: L,
    x: Varying<L, E>,
    bins: usize,
    slots: ViewMut<'_, u32>,
    amounts: ViewMut<'_, E::Amount>,
    to: Span,
) {
    let (bin, none) = (E::bin(x), ops::lit(l, bins as u32));
    let bin = ops::select(l, ops::lt(l, bin, none), bin, none);
    store(l, if COUNTERS == 1 { bin } else { ops::mul(l, bin, ops::lit(l, COUNTERS as u32)) }, slots, to);
    if E::WEIGHTED {
        store(l, E::amount(l, x), amounts, to);
    }
}

/// What one entry weighs.
#[inline(always)]
fn amount<E: Entry>(x: Varying<OneLane, E>) -> E::Amount {
    if E::WEIGHTED { E::Amount::from_one(E::amount(OneLane, x).0) } else { E::Amount::ONE }
}

/// Adds to the counter whose turn it is, of the bin whose first counter this is.
#[inline(always)]
fn add<E: Entry, const COUNTERS: usize>(table: ViewMut<'_, E::Amount>, first: usize, amount: E::Amount, turn: usize) {
    let slot = first + turn % COUNTERS;
    table.write(slot, table.read(slot).plus(amount));
}
