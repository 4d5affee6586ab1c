//! Radix sort of rows on the CPU, stable, in any bits of the keys.
//!
//! Many rows are split by the eight highest bits that vary, by all workers: each counts the digits of its chunks, the counts say
//! where each chunk's rows of each digit go, and each moves its own. If most rows have one digit, their part is split again in the same
//! way. The other parts are sorted by one worker each, where they stand, with a second copy that stays in its second-level cache:
//!
//! - two passes from the low digit to the high one (LSD), over so many of the highest bits that few rows are equal in them all;
//! - a look for neighbours that are, which are then sorted by the rest of the bits.
//!
//! So the number of passes depends on how many rows there are and not on how wide the keys are. Bits that do not vary in a part cost
//! nothing, wherever they are. Few rows are sorted by insertion. Each step takes rows from one copy to the other.
//!
//! After P. M. McIlroy, K. Bostic, M. D. McIlroy, "Engineering radix sort" (1993) in splitting from the high digit, and N. Satish et
//! al., "Fast sort on CPUs and GPUs" (2010) in combining writes.

use std::ops::Range;
use std::sync::OnceLock;

use crate::backend::cpu::Cpu;
use crate::backend::rows::{BUCKETS, Rows, Scratch, Streamed, Word};
use crate::backend::simd::ViewMut;
use crate::error::Result;

/// Bytes of a part that one worker sorts without splitting it: both copies then stand in a second-level cache of 1 MiB.
const LOCAL_BYTES: usize = 384 << 10;
/// Rows that are sorted by insertion.
const FEW: usize = 24;
/// The same of keys alone, by std, which has networks for that.
const FEW_KEYS: usize = 96;
/// Bits of a digit of the LSD passes at most: the counters of both stand in a half of a first-level cache of 32 KiB.
const DIGIT: u32 = 11;
/// Bits more than there are rows in a part, on a logarithmic scale, that the LSD passes look at. One row in 2^SPARE is then equal to
/// another in these bits, if keys are random.
const SPARE: u32 = 6;
/// Above so much the caches do not hold what is written until it is read again.
const STREAM_BYTES: usize = 16 << 20;
/// Rows of a chunk at least: the counters of a chunk are few beside its rows.
const CHUNK: usize = 32 * 1024;

/// A sort of rows in memory.
pub(super) struct Radix<'c, K> {
    pub(super) cpu: &'c Cpu<'c>,
    /// Whether rows whose keys are equal in all bits that take part cannot be told apart.
    pub(super) interchangeable: bool,
    /// What becomes of the keys in the end.
    pub(super) finish: Option<fn(&mut [K])>,
}

/// Rows side by side, to be sorted by these bits; in the result they come before all that follow.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) range: Range<usize>,
    pub(super) bits: u64,
}

/// Is shown rows, block by block.
pub(super) type See<'f, K, P> = &'f mut dyn FnMut(Rows<'_, K, P>);

/// Which bits vary: those of the union that are not in the intersection.
#[derive(Clone, Copy)]
pub(super) struct Spread {
    pub(super) union: u64,
    pub(super) intersection: u64,
}

impl Spread {
    pub(super) const NONE: Spread = Spread { union: 0, intersection: !0 };

    pub(super) fn of<K: Word>(keys: &[K]) -> Spread {
        let (union, intersection) = keys.iter().fold((!K::ALL_ONES, K::ALL_ONES), |(u, i), &k| (u | k, i & k));
        if keys.is_empty() { Spread::NONE } else { Spread { union: union.bits(), intersection: intersection.bits() } }
    }

    pub(super) fn and(self, other: Spread) -> Spread {
        Spread { union: self.union | other.union, intersection: self.intersection & other.intersection }
    }

    pub(super) fn varying(self) -> u64 {
        self.union & !self.intersection
    }
}

/// The lowest `n` bits.
fn low(n: u32) -> u64 {
    1_u64.checked_shl(n).map_or(u64::MAX, |bit| bit - 1)
}

/// Each count becomes the sum of those before it.
fn places(counts: &mut [u32]) {
    let mut sum = 0;
    for count in counts {
        sum += std::mem::replace(count, sum);
    }
}

/// Whether so many rows are split before they are sorted.
pub(super) fn splits<K, P>(n: usize) -> bool {
    n * (size_of::<K>() + size_of::<P>()) > LOCAL_BYTES
}

/// How many chunks a split of so many rows is shared out in. Eight for each worker: one who comes late finds some left. A deadline is
/// looked at between them.
fn chunks(cpu: &Cpu<'_>, rows: usize) -> usize {
    let most = if cpu.workers > 1 || cpu.deadline.is_some() { 8 * cpu.workers.max(1) } else { 1 };
    rows.div_ceil(CHUNK).clamp(1, most)
}

/// A split by the eight bits from `shift` on, as far as they take part, by all workers.
///
/// `blocks(range, see)` shows the rows of a range, block by block. It is called twice for each chunk: to count, and to move.
pub(super) struct Split<'c, B> {
    pub(super) cpu: &'c Cpu<'c>,
    pub(super) n: usize,
    pub(super) bits: u64,
    pub(super) shift: u32,
    pub(super) blocks: B,
}

impl<B> Split<'_, B> {
    fn ranges(&self) -> Vec<Range<usize>> {
        let each = self.n.div_ceil(chunks(self.cpu, self.n)).next_multiple_of(64).max(1);
        (0..self.n).step_by(each).map(|start| start..(start + each).min(self.n)).collect()
    }

    /// The number of rows of each digit in each chunk, and which bits vary.
    pub(super) fn count<K: Word, P: Copy>(&self) -> Result<(Vec<u64>, Spread)>
    where
        B: Fn(Range<usize>, See<'_, K, P>) + Sync,
    {
        let (ranges, digit) = (self.ranges(), digit(self.bits, self.shift, 8));
        let each = BUCKETS + 2;
        let mut counts = vec![0_u64; ranges.len() * each];
        let counted = ViewMut::of(&mut counts);
        self.cpu.for_each_chunk(ranges.len(), |chunk| {
            let (mut sums, mut spread) = ([0_u64; BUCKETS], Spread::NONE);
            (self.blocks)(ranges[chunk].clone(), &mut |rows| {
                let keys = rows.keys();
                spread = spread.and(Spread::of(keys));
                sums.iter_mut().zip(count(keys, digit)).for_each(|(sum, count)| *sum += u64::from(count));
            });
            let words = sums.into_iter().chain([spread.union, spread.intersection]);
            words.enumerate().for_each(|(i, word)| counted.write(chunk * each + i, word));
        })?;
        let spread = counts.chunks(each).map(|words| Spread { union: words[BUCKETS], intersection: words[BUCKETS + 1] });
        let spread = spread.fold(Spread::NONE, Spread::and);
        Ok((counts.chunks(each).flat_map(|words| &words[..BUCKETS]).copied().collect(), spread))
    }

    /// The split by the highest bits that vary, if any do: this one, if at least six of its bits are among them.
    pub(super) fn refine<K: Word, P: Copy>(mut self, counts: Vec<u64>, spread: Spread) -> Result<Option<(Self, Vec<u64>)>>
    where
        B: Fn(Range<usize>, See<'_, K, P>) + Sync,
    {
        let varying = spread.varying() & self.bits;
        if varying == 0 {
            return Ok(None);
        }
        let shift = top(varying).saturating_sub(8);
        if shift + 2 >= self.shift {
            return Ok(Some((self, counts)));
        }
        (self.bits, self.shift) = (varying, shift);
        let (counts, _) = self.count()?;
        Ok(Some((self, counts)))
    }

    /// Moves the rows to `to`, and says which parts there are.
    pub(super) fn scatter<K: Word, P: Copy + Send + Sync>(&self, mut counts: Vec<u64>, to: Rows<'_, K, P>) -> Result<Vec<Part>>
    where
        B: Fn(Range<usize>, See<'_, K, P>) + Sync,
    {
        let (ranges, digit) = (self.ranges(), digit(self.bits, self.shift, 8));
        // By digit, then by chunk: rows that are equal in the digit keep their order.
        let (mut parts, mut sum) = (Vec::new(), 0);
        for bucket in 0..BUCKETS {
            let start = sum as usize;
            for chunk in 0..ranges.len() {
                sum += std::mem::replace(&mut counts[chunk * BUCKETS + bucket], sum);
            }
            if sum as usize > start {
                parts.push(Part { range: start..sum as usize, bits: self.bits & low(self.shift) });
            }
        }
        let streaming = self.n * (size_of::<K>() + size_of::<P>()) >= STREAM_BYTES;
        self.cpu.for_each_chunk(ranges.len(), |chunk| {
            let mut next: [usize; BUCKETS] = std::array::from_fn(|bucket| counts[chunk * BUCKETS + bucket] as usize);
            if streaming {
                let mut streamed = Streamed::new(to, next);
                (self.blocks)(ranges[chunk].clone(), &mut |rows| rows.stream(&mut streamed, digit));
                streamed.finish();
            } else {
                (self.blocks)(ranges[chunk].clone(), &mut |rows| rows.scatter(to, &mut next, |key| digit(key) % BUCKETS));
            }
        })?;
        Ok(parts)
    }
}

impl<K: Word> Radix<'_, K> {
    /// Sorts parts where they stand, on all workers.
    pub(super) fn sort<P: Copy + Send + Sync>(&self, rows: Rows<'_, K, P>, parts: Vec<Part>) -> Result<()> {
        self.sort_to(rows, None, parts)
    }

    /// Sorts parts where they stand; or of other rows, which are overwritten, to their places.
    fn sort_to<P: Copy + Send + Sync>(
        &self,
        rows: Rows<'_, K, P>,
        moved: Option<Rows<'_, K, P>>,
        parts: Vec<Part>,
    ) -> Result<()> {
        let share = rows.len() / (2 * self.cpu.workers.max(1));
        let is_wide = |part: &Part| splits::<K, P>(part.range.len()) && part.range.len() >= share;
        let (wide, narrow): (Vec<_>, Vec<_>) = parts.into_iter().partition(is_wide);
        let groups = groups(&narrow);
        let failed = OnceLock::new();
        self.cpu.for_each_chunk(groups.len(), |group| {
            let parts = &narrow[groups[group].clone()];
            let most = if moved.is_some() { 0 } else { parts.iter().map(|part| part.range.len()).max().unwrap_or(0) };
            let mut scratch = match Scratch::new(self.cpu.reserve, most) {
                Ok(scratch) => scratch,
                Err(error) => {
                    _ = failed.set(error);
                    return;
                }
            };
            for part in parts {
                let own = rows.part(part.range.clone());
                let (copy, other) = match moved {
                    Some(moved) => (1, moved.part(part.range.clone())),
                    None => (0, scratch.rows().part(0..own.len())),
                };
                let copies = Copies { rows: [own, other], interchangeable: self.interchangeable };
                copies.settle(0..own.len(), copy, part.bits);
                if let Some(finish) = self.finish {
                    finish(own.keys());
                }
            }
        })?;
        if let Some(error) = failed.into_inner() {
            return Err(error);
        }
        for part in wide {
            let own = rows.part(part.range.clone());
            if let Some(moved) = moved {
                let moved = moved.part(part.range);
                self.cpu.for_each_range(own.len(), |range| own.part(range.clone()).copy_from(moved.part(range)))?;
            }
            self.sort_wide(own, part.bits)?;
        }
        Ok(())
    }

    /// Sorts rows where they stand, with room for as many if they are split.
    pub(super) fn sort_all<P: Copy + Send + Sync>(&self, rows: Rows<'_, K, P>, bits: u64) -> Result<()> {
        if splits::<K, P>(rows.len()) {
            self.sort_wide(rows, bits)
        } else {
            self.sort(rows, vec![Part { range: 0..rows.len(), bits }])
        }
    }

    /// Sorts what is too much for one worker.
    fn sort_wide<P: Copy + Send + Sync>(&self, rows: Rows<'_, K, P>, bits: u64) -> Result<()> {
        let n = rows.len();
        let blocks = |range: Range<usize>, see: See<'_, K, P>| see(rows.part(range));
        let guess = Split { cpu: self.cpu, n, bits, shift: top(bits).saturating_sub(8), blocks };
        let (counts, spread) = guess.count()?;
        let Some((split, counts)) = guess.refine(counts, spread)? else {
            return self.finish_all(rows);
        };
        let mut scratch = Scratch::new(self.cpu.reserve, n)?;
        let to = scratch.rows();
        let parts = split.scatter(counts, to)?;
        self.sort_to(rows, Some(to), parts)
    }

    /// Finishes keys that are sorted as they are.
    pub(super) fn finish_all<P: Copy + Send + Sync>(&self, rows: Rows<'_, K, P>) -> Result<()> {
        let Some(finish) = self.finish else { return Ok(()) };
        self.cpu.for_each_range(rows.len(), |range| finish(rows.part(range).keys()))
    }
}

/// Rows twice, for one worker: the result goes to the first.
struct Copies<'a, K, P> {
    rows: [Rows<'a, K, P>; 2],
    interchangeable: bool,
}

impl<K: Word, P: Copy> Copies<'_, K, P> {
    /// Sorts rows that stand in one of the copies by these bits.
    fn settle(&self, range: Range<usize>, copy: usize, bits: u64) {
        let n = range.len();
        let (result, from, other) =
            (self.rows[0].part(range.clone()), self.rows[copy].part(range.clone()), self.rows[1 - copy].part(range.clone()));
        let to_result = || {
            if copy != 0 {
                result.copy_from(from);
            }
        };
        let few = if self.interchangeable { FEW_KEYS } else { FEW };
        if n <= few || bits == 0 {
            to_result();
            if bits != 0 && self.interchangeable {
                // In all bits that do not take part any more the keys are equal.
                result.keys().sort_unstable();
            } else if bits != 0 {
                insertion(result, bits);
            }
            return;
        }
        let varying = Spread::of(from.keys()).varying() & bits;
        if varying == 0 {
            return to_result();
        }
        let (end, start) = (top(varying), varying.trailing_zeros());
        if splits::<K, P>(n) {
            return self.split(range, copy, bits, end.saturating_sub(8));
        }
        let width = (end - start).min(n.ilog2() + SPARE).min(2 * DIGIT);
        let shift = end - width;
        match width {
            0..=8 => self.one_pass::<256>(from, other, digit(bits, shift, width)),
            9..=DIGIT => self.one_pass::<{ 1 << DIGIT }>(from, other, digit(bits, shift, width)),
            12..=16 => self.two_passes::<256>(from, other, bits, shift, width),
            _ => self.two_passes::<{ 1 << DIGIT }>(from, other, bits, shift, width),
        }
        match (width > DIGIT, copy) {
            (true, _) => to_result(),
            (false, 0) => result.copy_from(other),
            (false, _) => {}
        }
        let rest = varying & low(shift);
        if rest != 0 {
            self.settle_equals(range, bits & !low(shift), rest);
        }
    }

    /// Moves rows by one digit below `N`.
    fn one_pass<const N: usize>(&self, from: Rows<'_, K, P>, to: Rows<'_, K, P>, digit: impl Fn(K) -> usize) {
        let mut counts = [0; N];
        from.keys().iter().for_each(|&key| counts[digit(key) % N] += 1);
        places(&mut counts);
        from.scatter(to, &mut counts, |key| digit(key) % N);
    }

    /// Moves rows by a digit and then by the next, both below `N`, there and back.
    fn two_passes<const N: usize>(&self, from: Rows<'_, K, P>, to: Rows<'_, K, P>, bits: u64, shift: u32, width: u32) {
        let (lower, upper) = (digit(bits, shift, width / 2), digit(bits, shift + width / 2, width - width / 2));
        let mut counts = [[0; N]; 2];
        for &key in &*from.keys() {
            counts[0][lower(key) % N] += 1;
            counts[1][upper(key) % N] += 1;
        }
        places(&mut counts[0][..1 << (width / 2)]);
        places(&mut counts[1][..1 << (width - width / 2)]);
        from.scatter(to, &mut counts[0], |key| lower(key) % N);
        to.scatter(from, &mut counts[1], |key| upper(key) % N);
    }

    /// Splits a part by eight bits from `shift` on into the other copy, and sorts what comes of it.
    fn split(&self, range: Range<usize>, copy: usize, bits: u64, shift: u32) {
        let (from, to) = (self.rows[copy].part(range.clone()), self.rows[1 - copy].part(range.clone()));
        let digit = digit(bits, shift, 8);
        let counts = count(from.keys(), digit);
        let mut next = counts;
        places(&mut next);
        from.scatter(to, &mut next, |key| digit(key) % BUCKETS);
        let mut start = range.start;
        for count in counts.into_iter().filter(|&count| count > 0) {
            let range = start..start + count as usize;
            start = range.end;
            self.settle(range, 1 - copy, bits & low(shift));
        }
    }

    /// Sorts rows of the first copy that are sorted by the bits `by`: those that are equal in them by the rest.
    fn settle_equals(&self, range: Range<usize>, by: u64, rest: u64) {
        let rows = self.rows[0].part(range.clone());
        let (n, key) = (rows.len(), |i: usize| rows.get(i).0.bits());
        let mut i = 1;
        while i < n {
            if (key(i) ^ key(i - 1)) & by != 0 {
                i += 1;
                continue;
            }
            let first = i - 1;
            while i < n && (key(i) ^ key(first)) & by == 0 {
                i += 1;
            }
            if i - first <= FEW {
                insertion(rows.part(first..i), rest);
            } else {
                self.settle(range.start + first..range.start + i, 0, rest);
            }
        }
    }
}

/// The number of the highest bit that is set, plus one.
pub(super) fn top(bits: u64) -> u32 {
    u64::BITS - bits.leading_zeros()
}

/// The `width` bits from `shift` on of a key, as far as they take part.
fn digit<K: Word>(bits: u64, shift: u32, width: u32) -> impl Fn(K) -> usize + Copy {
    let mask = bits >> shift & low(width);
    move |key| (key.bits() >> shift & mask) as usize
}

/// How many keys there are of each digit. Equal keys in a row wait for one another's count, so two tables take turns.
fn count<K: Word>(keys: &[K], digit: impl Fn(K) -> usize) -> [u32; BUCKETS] {
    let mut counts = [[0_u32; BUCKETS]; 2];
    let mut pairs = keys.chunks_exact(2);
    for pair in &mut pairs {
        counts[0][digit(pair[0]) % BUCKETS] += 1;
        counts[1][digit(pair[1]) % BUCKETS] += 1;
    }
    for &key in pairs.remainder() {
        counts[0][digit(key) % BUCKETS] += 1;
    }
    std::array::from_fn(|bucket| counts[0][bucket] + counts[1][bucket])
}

/// Sorts a few rows.
fn insertion<K: Word, P: Copy>(rows: Rows<'_, K, P>, bits: u64) {
    for i in 1..rows.len() {
        let (key, load) = rows.get(i);
        let mut at = i;
        while at > 0 {
            let (before, moved) = rows.get(at - 1);
            if before.bits() & bits <= key.bits() & bits {
                break;
            }
            rows.put(at, before, moved);
            at -= 1;
        }
        rows.put(at, key, load);
    }
}

/// Parts that one worker takes at a time.
fn groups(parts: &[Part]) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let (mut start, mut rows) = (0, 0);
    for (i, part) in parts.iter().enumerate() {
        rows += part.range.len();
        if rows >= CHUNK || i + 1 == parts.len() {
            groups.push(start..i + 1);
            (start, rows) = (i + 1, 0);
        }
    }
    groups
}
