//! Runs on the CPU, in one pass over keys and values.
//!
//! A link's runs are combined and packed into memory that stays in the second-level cache. Where they go, and what the first of them
//! brings along from the links before, is known when those have counted theirs: links are chained. They are the same however many
//! workers there are, so the order depends on the width of a vector alone.

use std::ops::Range;

use crate::backend::cpu::Cpu;
use crate::backend::memory::Memory;
use crate::backend::simd::{Level, Span, ViewMut, WithLevel, extract};
use crate::element::Element;
use crate::error::Result;
use crate::operator::Operator;
use crate::primitives::blocks::{BLOCK, Flags, Items, SLACK, add, blocks, close, pick, prefix};
use crate::primitives::chain::chain;
use crate::primitives::total::combine;
use crate::source::Source;

/// Elements of a link.
const LINK: usize = 16 * 1024;

type Columns<A, B> = (Memory<A>, Memory<B>);

/// Two columns of at most `n` elements: as many as `write` says that it has written.
fn columns<A: Element, B: Element>(
    cpu: &Cpu<'_>,
    n: usize,
    write: impl FnOnce((ViewMut<'_, A>, ViewMut<'_, B>)) -> Result<usize>,
) -> Result<Columns<A, B>> {
    let mut b = Memory::default();
    let [a] = cpu.allocate_each(n, |[to_a]| {
        [b] = cpu.allocate_each(n, |[to_b]| write((to_a, to_b)).map(|count| [count]))?;
        Ok([b.len()])
    })?;
    Ok((a, b))
}

/// The first key and the first value of each run of `n` elements: those whose flag is set.
pub(super) fn unique<H: Source<Item = bool>, K: Source<Item: Element>, V: Source<Item: Element>>(
    cpu: &Cpu<'_>,
    heads: &H,
    (keys, values): (&K, &V),
    n: usize,
) -> Result<Columns<K::Item, V::Item>> {
    columns(cpu, n, |(to_keys, to_values)| {
        chain(
            cpu,
            n.div_ceil(LINK),
            0,
            |link| {
                let range = link * LINK..((link + 1) * LINK).min(n);
                let (mut keys_of, mut values_of) = (Vec::with_capacity(LINK + SLACK), Vec::with_capacity(LINK + SLACK));
                let to = (ViewMut::new(keys_of.spare_capacity_mut()), ViewMut::new(values_of.spare_capacity_mut()));
                let count = cpu.at_level(First { heads, keys, values, range, to });
                (keys_of, values_of, count)
            },
            |before, (_, _, count)| before + count,
            |_, before, (mut keys_of, mut values_of, count)| {
                to_keys.copy(before, ViewMut::new(keys_of.spare_capacity_mut()), count);
                to_values.copy(before, ViewMut::new(values_of.spare_capacity_mut()), count);
            },
        )
    })
}

/// Packs the keys and the values of a range that begin a run, and counts them.
struct First<'a, H, K: Source<Item: Element>, V: Source<Item: Element>> {
    heads: &'a H,
    keys: &'a K,
    values: &'a V,
    range: Range<usize>,
    to: (ViewMut<'a, K::Item>, ViewMut<'a, V::Item>),
}

impl<H: Source<Item = bool>, K: Source<Item: Element>, V: Source<Item: Element>> WithLevel for First<'_, H, K, V> {
    type Out = usize;
    #[inline(always)]
    fn run<L: Level>(self, l: L) -> usize {
        let (head_of, key_of, value_of) = (self.heads.bind(l), self.keys.bind(l), self.values.bind(l));
        let (mut flags, mut count) = (Flags::new(), 0);
        for range in blocks(self.range) {
            if flags.fill::<L, H>(l, head_of, range.clone()) > 0 {
                pick::<L, K::Item, K>(l, key_of, (&flags, range.clone()), self.to.0, count);
                count += pick::<L, V::Item, V>(l, value_of, (&flags, range), self.to.1, count);
            }
        }
        count
    }
}

/// Values, of which those whose flag is set begin a run; the first does.
pub(crate) struct Runs<'a, H, V, O> {
    pub(crate) heads: &'a H,
    pub(crate) values: &'a V,
    pub(crate) op: &'a O,
}

impl<T: Element, H: Source<Item = bool>, V: Source<Item = T>, O: Operator<T>> Runs<'_, H, V, O> {
    /// The first key of each run of `n` elements, and the combination of its values.
    pub(crate) fn reduce<K: Source<Item: Element>>(&self, cpu: &Cpu<'_>, keys: &K, n: usize) -> Result<Columns<K::Item, T>> {
        columns(cpu, n, |to| self.reduce_into(cpu, keys, n, to))
    }

    fn reduce_into<K: Source<Item: Element>>(
        &self,
        cpu: &Cpu<'_>,
        keys: &K,
        n: usize,
        (to_keys, to_values): (ViewMut<'_, K::Item>, ViewMut<'_, T>),
    ) -> Result<usize> {
        let (runs, last) = chain(
            cpu,
            n.div_ceil(LINK),
            (0, None),
            |link| {
                let range = link * LINK..((link + 1) * LINK).min(n);
                let (mut keys_of, mut closed) = (Vec::with_capacity(LINK + SLACK), Vec::with_capacity(LINK + SLACK));
                let to = (ViewMut::new(keys_of.spare_capacity_mut()), ViewMut::new(closed.spare_capacity_mut()));
                let sums = cpu.at_level(Reduce { runs: self, keys, range, to });
                (keys_of, closed, sums)
            },
            |(runs, before): (usize, Option<T>), (_, _, sums)| (runs + sums.begun, Some(sums.last(self.op, before))),
            |_, (runs, before), (mut keys_of, mut closed, sums)| {
                to_keys.copy(runs, ViewMut::new(keys_of.spare_capacity_mut()), sums.begun);
                let closed = ViewMut::new(closed.spare_capacity_mut());
                if sums.begun > 0 && !sums.begins {
                    // The first run that was closed began in a link before.
                    let first = closed.read(0);
                    closed.write(0, before.map_or(first, |before| combine(self.op, before, first)));
                    to_values.copy(runs - 1, closed, sums.begun);
                } else if sums.begun > 0 {
                    if let Some(before) = before {
                        to_values.write(runs - 1, before);
                    }
                    to_values.copy(runs, closed, sums.begun - 1);
                }
            },
        )?;
        if let Some(last) = last {
            to_values.write(runs - 1, last);
        }
        Ok(runs)
    }

    /// Writes the combination of the values of each run up to each.
    pub(crate) fn scan(&self, cpu: &Cpu<'_>, exclusive: bool, out: ViewMut<'_, T>, n: usize) -> Result<()> {
        let range = |link: usize| link * LINK..((link + 1) * LINK).min(n);
        let links = n.div_ceil(LINK);
        if cpu.workers <= 1 || links < 2 {
            let mut carry = None;
            for link in 0..links {
                cpu.check_deadline()?;
                carry = Some(cpu.at_level(Scan { runs: self, range: range(link), exclusive, carry, out }));
            }
            return Ok(());
        }
        let last = chain(
            cpu,
            links,
            None,
            |link| cpu.at_level(Rest { runs: self, range: range(link) }),
            |before: Option<T>, &(begins, rest)| match before {
                Some(before) if !begins => Some(combine(self.op, before, rest)),
                _ => Some(rest),
            },
            |link, carry, _| {
                cpu.at_level(Scan { runs: self, range: range(link), exclusive, carry, out });
            },
        );
        last.map(|_| ())
    }
}

/// What came of a link.
struct Sums<T> {
    /// Whether its first element begins a run.
    begins: bool,
    /// Runs that begin in it.
    begun: usize,
    /// What is combined at its end, of what is in it.
    last: T,
}

impl<T: Element> Sums<T> {
    /// What is combined at its end, of all.
    fn last<O: Operator<T>>(&self, op: &O, before: Option<T>) -> T {
        match before {
            Some(before) if self.begun == 0 => combine(op, before, self.last),
            _ => self.last,
        }
    }
}

/// Combines the runs of a link.
struct Reduce<'a, H, V, O, K: Source<Item: Element>, T> {
    runs: &'a Runs<'a, H, V, O>,
    keys: &'a K,
    range: Range<usize>,
    to: (ViewMut<'a, K::Item>, ViewMut<'a, T>),
}

impl<T, H, V, O, K> WithLevel for Reduce<'_, H, V, O, K, T>
where
    T: Element,
    H: Source<Item = bool>,
    V: Source<Item = T>,
    O: Operator<T>,
    K: Source<Item: Element>,
{
    type Out = Sums<T>;
    #[inline(always)]
    fn run<L: Level>(self, l: L) -> Sums<T> {
        let Runs { heads, values, op } = *self.runs;
        let (head_of, key_of, value_of) = (heads.bind(l), self.keys.bind(l), values.bind(l));
        let (keys, closed) = (self.to.0.whole(), self.to.1.whole());
        let (mut flags, mut items) = (Flags::new(), Items::new(op.identity()));
        // The first element is what is carried along: no identity enters the arithmetic.
        let Range { start, end } = self.range;
        let begins = flags.fill::<L, H>(l, head_of, start..start + 1) > 0;
        let mut begun = pick::<L, K::Item, K>(l, key_of, (&flags, start..start + 1), keys, 0);
        let mut ended = 0;
        let mut sum = extract(l, V::load(l, value_of, Span::new(start, 1)), 0);
        for range in blocks(start + 1..end) {
            if flags.fill::<L, H>(l, head_of, range.clone()) == 0 {
                sum = add::<L, T, V, O>(l, value_of, op, Some(sum), range);
                continue;
            }
            begun += pick::<L, K::Item, K>(l, key_of, (&flags, range.clone()), keys, begun);
            let count;
            (sum, count) = close::<L, T, V, O>(l, value_of, op, (&flags, &mut items, range), sum, closed.from(ended));
            ended += count;
        }
        Sums { begins, begun, last: sum }
    }
}

/// Scans a link behind a carry, and gives the carry after it.
struct Scan<'a, H, V, O, T> {
    runs: &'a Runs<'a, H, V, O>,
    range: Range<usize>,
    exclusive: bool,
    carry: Option<T>,
    out: ViewMut<'a, T>,
}

impl<T: Element, H: Source<Item = bool>, V: Source<Item = T>, O: Operator<T>> WithLevel for Scan<'_, H, V, O, T> {
    type Out = T;
    #[inline(always)]
    fn run<L: Level>(self, l: L) -> T {
        if self.exclusive { self.each::<L, true>(l) } else { self.each::<L, false>(l) }
    }
}

impl<T: Element, H: Source<Item = bool>, V: Source<Item = T>, O: Operator<T>> Scan<'_, H, V, O, T> {
    #[inline(always)]
    fn each<L: Level, const EXCLUSIVE: bool>(self, l: L) -> T {
        let Runs { heads, values, op } = *self.runs;
        let (head_of, value_of) = (heads.bind(l), values.bind(l));
        let mut flags = Flags::new();
        let mut carry = self.carry;
        for range in blocks(self.range) {
            flags.fill::<L, H>(l, head_of, range.clone());
            // The first of all elements begins a run, so that what is carried there is not seen.
            let before = carry.unwrap_or_else(|| op.identity());
            carry = Some(prefix::<L, T, V, O, EXCLUSIVE>(l, value_of, op, (&flags, range), before, self.out));
        }
        carry.unwrap_or_else(|| op.identity())
    }
}

/// What a link hands on to the next: whether a run begins in it, and what is combined from the last beginning on.
struct Rest<'a, H, V, O> {
    runs: &'a Runs<'a, H, V, O>,
    range: Range<usize>,
}

impl<T: Element, H: Source<Item = bool>, V: Source<Item = T>, O: Operator<T>> WithLevel for Rest<'_, H, V, O> {
    type Out = (bool, T);
    #[inline(always)]
    fn run<L: Level>(self, l: L) -> (bool, T) {
        let Runs { heads, values, op } = *self.runs;
        let (head_of, value_of) = (heads.bind(l), values.bind(l));
        let Range { start, mut end } = self.range;
        let mut flags = Flags::new();
        let all = end;
        while end > start {
            let from = end.saturating_sub(BLOCK).max(start);
            if flags.fill::<L, H>(l, head_of, from..end) > 0 {
                let begins = flags.last(end - from).map_or(from, |place| from + place);
                return (true, add::<L, T, V, O>(l, value_of, op, None, begins..all));
            }
            end = from;
        }
        (false, add::<L, T, V, O>(l, value_of, op, None, start..all))
    }
}
