//! Histogram on the CPU: a block's bin numbers are computed in vectors, and then counted one by one.
//!
//! An addition must wait for the one before it if both go to the same bin. So where there are few bins there are four tables, which
//! neighbouring elements take in turn; where there are many the caches matter more, and what is slow is not the waiting. Measured with
//! 256 bins: four tables are as fast as one for random numbers, and three times as fast for two bins in a random order.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::backend::cpu::{Cpu, TILE};
use crate::backend::memory::Memory;
use crate::backend::simd::{Level, OneLane, Pair, Span, ViewMut, WithLevel, store};
use crate::element::{Scalar, Value};
use crate::error::Result;
use crate::kernel::{Varying, ops};
use crate::lock::lock;
use crate::primitives::cost;
use crate::source::Source;

use super::entry::{Amount, Entry};

/// Elements of a block: their numbers stay in the first cache.
const BLOCK: usize = 512;
/// Operations of a source that does nothing but read: a number and a weight.
const PLAIN: f32 = 2.0;
/// Parts of a sum that rounds, at most.
const PARTS: usize = 64;

/// How many tables neighbours take in turn, where so many elements are counted together: floats more, since an addition of theirs takes
/// longer. The order of a sum that rounds depends on it.
fn turns<A: Amount>(n: usize, bins: usize) -> usize {
    if n < 256 || n < 2 * bins {
        1
    } else if bins <= if A::ROUNDS { 65_536 } else { 1024 } {
        4
    } else if bins <= 16_384 || A::ROUNDS {
        2
    } else {
        1
    }
}

/// What all elements add to each bin.
pub(crate) fn histogram<E: Entry, S: Source<Item = E>>(
    cpu: &Cpu<'_>,
    source: &S,
    bins: usize,
    n: usize,
) -> Result<Memory<E::Amount>> {
    // A worker's table costs as much as some elements: it is filled with zeros, and added to the others.
    let useful = (n / bins).max(1);
    let (grain, together) = if E::Amount::ROUNDS {
        // Each part is added up by itself, whoever does it.
        let part = n.div_ceil(PARTS).max(8 * bins).max(16 * TILE).next_multiple_of(TILE);
        (part, part.min(n))
    } else if cpu.workers.min(useful) <= 1 && cpu.deadline.is_none() {
        (n.max(1), n)
    } else {
        ((cpu.grain / TILE).max(1) * TILE, n / cpu.workers.min(useful))
    };
    let turns = turns::<E::Amount>(together, bins);
    let computes = cost::of_source(source, n).cost.ops.total() > PLAIN;
    // One more bin takes what is in none. Tables do not begin at the same place of a page: there a read would wait for a write.
    let stride = if turns == 1 { bins + 1 } else { (bins + 1).next_multiple_of(16) + 16 };
    let size = stride * turns;
    let zeros = |size: usize| -> Result<Memory<E::Amount>> {
        let mut zeros = cpu.reserve.take(size)?;
        zeros.vec().resize(size, E::Amount::ZERO);
        Ok(zeros)
    };

    let (workers, chunks) = (Cpu { workers: cpu.workers.min(useful), ..cpu.clone() }, n.div_ceil(grain));
    let in_parts = E::Amount::ROUNDS && chunks > 1;
    // A worker takes the tables that another has left, or new ones.
    let idle = Mutex::new(vec![zeros(size)?]);
    let tables = || {
        let left = lock(&idle).pop();
        if let Some(mut tables) = left {
            if in_parts {
                tables.fill(E::Amount::ZERO);
            }
            return tables;
        }
        // What has failed here ends the process there, as for any vector.
        zeros(size).unwrap_or_else(|_| Memory::of(vec![E::Amount::ZERO; size]))
    };
    let count = |chunk: usize, tables: &mut [E::Amount]| {
        let range = chunk * grain..((chunk + 1) * grain).min(n);
        cpu.at_level(Add { source, range, bins, turns, stride, computes, table: ViewMut::of(tables) });
    };
    if chunks == 0 {
        return zeros(bins);
    }
    if in_parts {
        let mut sums = cpu.allocate(chunks * bins, |sums| {
            workers.for_each_chunk(chunks, |chunk| {
                let mut tables = tables();
                count(chunk, &mut tables);
                let total = fold(&mut tables, stride);
                total[..bins].iter().enumerate().for_each(|(bin, &sum)| sums.write(chunk * bins + bin, sum));
                lock(&idle).push(tables);
            })
        })?;
        fold(&mut sums, bins);
        sums.vec().truncate(bins);
        return Ok(sums);
    }
    workers.for_each_chunk(chunks, |chunk| {
        let mut tables = tables();
        count(chunk, &mut tables);
        lock(&idle).push(tables);
    })?;
    let mut all = idle.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter();
    let mut sums = all.next().expect("a chunk has left its tables");
    let total = fold(&mut sums, stride);
    all.for_each(|mut tables| add_up(total, fold(&mut tables, stride)));
    sums.vec().truncate(bins);
    Ok(sums)
}

/// Adds the tables up, one after the other, in the first.
fn fold<A: Amount>(tables: &mut [A], stride: usize) -> &mut [A] {
    let (total, others) = tables.split_at_mut(stride);
    others.chunks(stride).for_each(|table| add_up(total, table));
    total
}

fn add_up<A: Amount>(sums: &mut [A], table: &[A]) {
    sums.iter_mut().zip(table).for_each(|(sum, &x)| *sum = sum.plus(x));
}

/// A body for each index of a range, eight at a time: whose turn it is, `k`, is then known when this is compiled.
macro_rules! in_eights {
    ($range:expr, |$i:ident, $k:ident| $body:block) => {{
        let Range { mut start, end } = $range;
        while start + 8 <= end {
            for $k in 0..8 {
                let $i = start + $k;
                $body
            }
            start += 8;
        }
        for $k in 0..end - start {
            let $i = start + $k;
            $body
        }
    }};
}

/// Adds a range to tables, one behind the other.
struct Add<'a, S, A> {
    source: &'a S,
    range: Range<usize>,
    bins: usize,
    turns: usize,
    /// How far it is from one to the next.
    stride: usize,
    /// Whether an element is worth a vector.
    computes: bool,
    table: ViewMut<'a, A>,
}

impl<E: Entry, S: Source<Item = E>> WithLevel for Add<'_, S, E::Amount> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        match self.turns {
            4 => self.in_turns::<L, E, 4>(l),
            2 => self.in_turns::<L, E, 2>(l),
            _ => self.in_turns::<L, E, 1>(l),
        }
    }
}

impl<S, A: Amount> Add<'_, S, A> {
    #[inline(always)]
    fn in_turns<L: Level, E: Entry<Amount = A>, const T: usize>(self, l: L)
    where
        S: Source<Item = E>,
    {
        if !self.computes {
            self.straight::<E, T>();
        } else if S::LOOPS {
            self.each::<_, E, T>(Pair(l));
        } else {
            self.each::<_, E, T>(l);
        }
    }

    /// Element by element: where there is nothing to compute, to write numbers down is more work than to use them.
    #[inline(always)]
    fn straight<E: Entry<Amount = A>, const T: usize>(self)
    where
        S: Source<Item = E>,
    {
        let (bound, table) = (self.source.bind(OneLane), self.table.whole());
        let (bins, stride) = (self.bins as u32, self.stride);
        in_eights!(self.range, |i, k| {
            let x = S::load(OneLane, bound, Span::new(i, 1));
            add::<E>(table, E::bin(x).0.min(bins) as usize + k % T * stride, amount::<E>(x));
        });
    }

    #[inline(always)]
    fn each<L: Level, E: Entry<Amount = A>, const T: usize>(self, l: L)
    where
        S: Source<Item = E>,
    {
        let (bound, table, stride) = (self.source.bind(l), self.table.whole(), self.stride);
        let (mut numbers, mut amounts) = ([MaybeUninit::<u32>::uninit(); BLOCK], [MaybeUninit::<A>::uninit(); BLOCK]);
        let (numbers, amounts) = (ViewMut::new(&mut numbers), ViewMut::new(&mut amounts));
        let Range { start: mut at, end } = self.range;
        while at < end {
            let count = BLOCK.min(end - at);
            let mut i = 0;
            while i + L::WIDTH <= count {
                let x = S::load(l, bound, Span::new(at + i, L::WIDTH));
                place::<L, E>(l, x, self.bins, numbers, amounts, Span::new(i, L::WIDTH));
                i += L::WIDTH;
            }
            if i < count {
                let x = S::load(l, bound, Span::new(at + i, count - i));
                place::<L, E>(l, x, self.bins, numbers, amounts, Span::new(i, count - i));
            }
            in_eights!(0..count, |i, k| {
                let weight = if E::WEIGHTED { amounts.read(i) } else { A::ONE };
                add::<E>(table, numbers.read(i) as usize + k % T * stride, weight);
            });
            at += count;
        }
    }
}

/// Writes down where entries go, and what they weigh.
#[inline(always)]
fn place<L: Level, E: Entry>(
    l: L,
    x: Varying<L, E>,
    bins: usize,
    numbers: ViewMut<'_, u32>,
    amounts: ViewMut<'_, E::Amount>,
    to: Span,
) {
    let (bin, none) = (E::bin(x), ops::lit(l, bins as u32));
    store(l, ops::select(l, ops::lt(l, bin, none), bin, none), numbers, to);
    if E::WEIGHTED {
        store(l, E::amount(l, x), amounts, to);
    }
}

/// What one entry weighs.
#[inline(always)]
fn amount<E: Entry>(x: Varying<OneLane, E>) -> E::Amount {
    if E::WEIGHTED { E::Amount::from_one(E::amount(OneLane, x).0) } else { E::Amount::ONE }
}

/// Adds to one bin of one table.
#[inline(always)]
fn add<E: Entry>(table: ViewMut<'_, E::Amount>, slot: usize, amount: E::Amount) {
    table.write(slot, table.read(slot).plus(amount));
}
