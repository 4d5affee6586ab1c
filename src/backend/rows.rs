//! Keys with what moves along with them: two columns of writable memory, and how their rows are moved.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

use crate::backend::memory::{Memory, Reserve};
use crate::backend::simd::ViewMut;
use crate::element::{Element, Integer, Scalar};
use crate::error::Result;

/// A key as an unsigned number.
pub(crate) trait Word: Integer + Scalar {}
impl<K: Integer + Scalar> Word for K {}

/// Buckets of a scatter that combines its writes.
pub(crate) const BUCKETS: usize = 256;
/// Bytes of a cache line.
const LINE_BYTES: usize = 64;

/// Rows of a key and what moves along with it, `()` if nothing does. The memory need not be initialised. Copies of it write to
/// disjoint rows.
pub(crate) struct Rows<'a, K, P> {
    keys: *mut K,
    loads: *mut P,
    len: usize,
    lives: PhantomData<&'a mut [(K, P)]>,
}

impl<K, P> Clone for Rows<'_, K, P> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<K, P> Copy for Rows<'_, K, P> {}

// SAFETY: rows write like the `&mut [K]` and `&mut [P]` that they were made of; the drivers give workers disjoint rows.
unsafe impl<K: Send + Sync, P: Send + Sync> Send for Rows<'_, K, P> {}
// SAFETY: as above.
unsafe impl<K: Send + Sync, P: Send + Sync> Sync for Rows<'_, K, P> {}

impl<'a, K: Word> Rows<'a, K, ()> {
    /// Keys alone.
    pub(crate) fn of_keys(keys: ViewMut<'a, K>) -> Self {
        assert!(keys.contiguous());
        Rows { keys: keys.pointer(0), loads: std::ptr::dangling_mut(), len: keys.len(), lives: PhantomData }
    }
}

impl<'a, K: Word, P: Copy> Rows<'a, K, P> {
    /// Keys, and as many of what moves along.
    pub(crate) fn new(keys: ViewMut<'a, K>, loads: ViewMut<'a, P>) -> Self
    where
        P: Element,
    {
        assert!(keys.contiguous() && loads.contiguous() && keys.len() == loads.len());
        Rows { keys: keys.pointer(0), loads: loads.pointer(0), len: keys.len(), lives: PhantomData }
    }

    /// Number of rows.
    #[inline(always)]
    pub(crate) fn len(self) -> usize {
        self.len
    }

    /// Some of the rows.
    #[inline]
    pub(crate) fn part(self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.len, "rows {range:?} of {}", self.len);
        let (keys, loads) = (self.keys.wrapping_add(range.start), self.loads.wrapping_add(range.start));
        Rows { keys, loads, len: range.len(), lives: PhantomData }
    }

    /// The keys, which were written before.
    #[inline]
    pub(crate) fn keys(self) -> &'a mut [K] {
        // SAFETY: the memory is exclusively borrowed for `'a`; the drivers have written these rows, and use one such slice of
        // them at a time.
        unsafe { std::slice::from_raw_parts_mut(self.keys, self.len) }
    }

    /// The keys, to be written.
    pub(crate) fn key_view(self) -> ViewMut<'a, K> {
        // SAFETY: the memory is exclusively borrowed for `'a`, and need not be initialised to be written.
        ViewMut::new(unsafe { std::slice::from_raw_parts_mut(self.keys.cast(), self.len) })
    }

    /// What moves along, to be written.
    pub(crate) fn load_view(self) -> ViewMut<'a, P>
    where
        P: Element,
    {
        // SAFETY: as above.
        ViewMut::new(unsafe { std::slice::from_raw_parts_mut(self.loads.cast(), self.len) })
    }

    /// A row, which was written before.
    #[inline(always)]
    pub(crate) fn get(self, i: usize) -> (K, P) {
        debug_assert!(i < self.len, "row {i} of {}", self.len);
        // SAFETY: `i < len`, both columns are that long, and the drivers read only what they wrote.
        unsafe { (self.keys.add(i).read(), self.loads.add(i).read()) }
    }

    /// Writes a row.
    #[inline(always)]
    pub(crate) fn put(self, i: usize, key: K, load: P) {
        debug_assert!(i < self.len, "row {i} of {}", self.len);
        // SAFETY: `i < len`, both columns are that long, and the memory is exclusively borrowed.
        unsafe {
            self.keys.add(i).write(key);
            self.loads.add(i).write(load);
        }
    }

    /// Writes the same rows of other memory, which were written there.
    pub(crate) fn copy_from(self, other: Rows<'_, K, P>) {
        assert_eq!(self.len, other.len);
        // SAFETY: both are as long, and exclusive borrows of different memory.
        unsafe {
            std::ptr::copy_nonoverlapping(other.keys, self.keys, self.len);
            std::ptr::copy_nonoverlapping(other.loads, self.loads, self.len);
        }
    }

    /// Moves each row to the place that its digit's counter says, and moves the counter on.
    ///
    /// The counters are those of the digits' first rows in `to`, so that each place is in `to` and is written once.
    #[inline(always)]
    pub(crate) fn scatter<C: Counter>(self, to: Rows<'_, K, P>, next: &mut [C], digit: impl Fn(K) -> usize) {
        for i in 0..self.len {
            let (key, load) = self.get(i);
            let at = &mut next[digit(key)];
            to.put(at.place(), key, load);
            at.advance();
        }
    }

    /// The same for many rows: see [`Streamed`].
    #[inline(always)]
    pub(crate) fn stream(self, to: &mut Streamed<'_, K, P>, digit: impl Fn(K) -> usize) {
        for i in 0..self.len {
            let (key, load) = self.get(i);
            let digit = digit(key) % BUCKETS;
            let at = to.next[digit];
            to.next[digit] = at + 1;
            to.keys.push(digit, to.first[digit], at, key);
            to.loads.push(digit, to.first[digit], at, load);
        }
    }
}

/// Memory for rows, to be written before they are read.
pub(crate) struct Scratch<K: Copy, P: Copy> {
    keys: Memory<MaybeUninit<K>>,
    loads: Memory<MaybeUninit<P>>,
}

impl<K: Word, P: Copy> Scratch<K, P> {
    /// Room for `n` rows.
    pub(crate) fn new(reserve: &Arc<Reserve>, n: usize) -> Result<Self> {
        let (mut keys, mut loads) = (reserve.take(n)?, reserve.take(n)?);
        keys.vec().resize_with(n, MaybeUninit::uninit);
        loads.vec().resize_with(n, MaybeUninit::uninit);
        Ok(Scratch { keys, loads })
    }

    /// Room for a few rows, which there always is.
    pub(crate) fn small(n: usize) -> Self {
        let (mut keys, mut loads) = (Vec::new(), Vec::new());
        keys.resize_with(n, MaybeUninit::uninit);
        loads.resize_with(n, MaybeUninit::uninit);
        Scratch { keys: Memory::of(keys), loads: Memory::of(loads) }
    }

    /// The rows.
    pub(crate) fn rows(&mut self) -> Rows<'_, K, P> {
        let (keys, loads) = (self.keys.as_mut_ptr().cast(), self.loads.as_mut_ptr().cast());
        Rows { keys, loads, len: self.keys.len(), lives: PhantomData }
    }
}

/// Memory that many rows of up to 256 digits are moved to. They are collected in the first-level cache and written a cache line at a
/// time, past the caches. A scatter to 256 places that are far apart otherwise reads each line before it writes to it, and evicts
/// it before the next write comes.
pub(crate) struct Streamed<'a, K, P> {
    keys: Combined<K>,
    loads: Combined<P>,
    first: [usize; BUCKETS],
    next: [usize; BUCKETS],
    lives: PhantomData<Rows<'a, K, P>>,
}

impl<'a, K: Word, P: Copy> Streamed<'a, K, P> {
    /// Where the rows of each digit go, from its place in `first` on.
    pub(crate) fn new(to: Rows<'a, K, P>, first: [usize; BUCKETS]) -> Self {
        let (keys, loads) = (Combined::new(to.keys, to.len), Combined::new(to.loads, to.len));
        Streamed { keys, loads, first, next: first, lives: PhantomData }
    }

    /// Writes what is not written yet.
    pub(crate) fn finish(self) {
        for digit in 0..BUCKETS {
            self.keys.flush(digit, self.first[digit], self.next[digit]);
            self.loads.flush(digit, self.first[digit], self.next[digit]);
        }
        fence();
    }
}

/// A digit's next place.
pub(crate) trait Counter {
    /// As an index.
    fn place(&self) -> usize;
    /// Goes on to the next.
    fn advance(&mut self);
}
impl Counter for u32 {
    #[inline(always)]
    fn place(&self) -> usize {
        *self as usize
    }
    #[inline(always)]
    fn advance(&mut self) {
        *self += 1;
    }
}
impl Counter for usize {
    #[inline(always)]
    fn place(&self) -> usize {
        *self
    }
    #[inline(always)]
    fn advance(&mut self) {
        *self += 1;
    }
}

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([MaybeUninit<u8>; LINE_BYTES]);

/// A column that is written a line at a time: one line for each bucket, as it will stand in memory.
struct Combined<T> {
    column: *mut T,
    len: usize,
    lines: Vec<Line>,
    /// Elements between the last line boundary before the column and its start.
    ahead: usize,
}

impl<T: Copy> Combined<T> {
    /// Elements of a line; none if they do not fill one, and are written one by one.
    const EACH: usize = match size_of::<T>() {
        bytes @ (4 | 8 | 16) => LINE_BYTES / bytes,
        _ => 0,
    };

    fn new(column: *mut T, len: usize) -> Self {
        let fits = Self::EACH > 0 && column.addr().is_multiple_of(size_of::<T>().max(1));
        let lines = if fits { vec![Line([MaybeUninit::uninit(); LINE_BYTES]); BUCKETS] } else { Vec::new() };
        let ahead = if fits { column.addr() % LINE_BYTES / size_of::<T>() } else { 0 };
        Combined { column, len, lines, ahead }
    }

    /// Takes element `at`, of a bucket whose first one was `first`.
    #[inline(always)]
    fn push(&mut self, bucket: usize, first: usize, at: usize, x: T) {
        debug_assert!(at < self.len, "row {at} of {}", self.len);
        if Self::EACH == 0 || self.lines.is_empty() {
            // SAFETY: the counters' places are in the column, which is exclusively borrowed.
            unsafe { self.column.add(at).write(x) };
            return;
        }
        let slot = (at + self.ahead) % Self::EACH;
        // SAFETY: a slot lies inside its line, whose alignment is a multiple of the element's size.
        unsafe { self.lines[bucket].0.as_mut_ptr().cast::<T>().add(slot).write(x) };
        if slot == Self::EACH - 1 {
            if at + 1 >= first + Self::EACH {
                // SAFETY: all slots of the line were written since the last one was moved, for the bucket began at or before its
                // first; and in the column its elements begin at a line's boundary, by `ahead`.
                unsafe { stream_line(&self.lines[bucket], self.column.add(at + 1 - Self::EACH).cast()) };
            } else {
                self.flush_from(bucket, first, at + 1);
            }
        }
    }

    /// Writes what was taken of a bucket and is not written yet, if its next element would be `next`.
    fn flush(&self, bucket: usize, first: usize, next: usize) {
        if !self.lines.is_empty() {
            let line = (next + self.ahead) / Self::EACH.max(1) * Self::EACH;
            self.flush_from(bucket, first.max(line.saturating_sub(self.ahead)), next);
        }
    }

    fn flush_from(&self, bucket: usize, from: usize, to: usize) {
        for at in from..to {
            let slot = (at + self.ahead) % Self::EACH;
            // SAFETY: these elements were taken into their slots, and their places are in the column.
            unsafe { self.column.add(at).write(self.lines[bucket].0.as_ptr().cast::<T>().add(slot).read()) };
        }
    }
}

/// Writes a line past the caches.
///
/// # Safety
/// The line is initialised, and `to` is aligned to a line and valid for writing one.
#[inline(always)]
unsafe fn stream_line(line: &Line, to: *mut u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{__m128i, _mm_load_si128, _mm_stream_si128};
        for part in 0..LINE_BYTES / 16 {
            // SAFETY: both are aligned to 64 bytes and as long; SSE2 is part of x86-64.
            unsafe {
                let x = _mm_load_si128(line.0.as_ptr().cast::<__m128i>().add(part));
                _mm_stream_si128(to.cast::<__m128i>().add(part), x);
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: as the caller promises.
    unsafe {
        std::ptr::copy_nonoverlapping(line.0.as_ptr().cast(), to, LINE_BYTES);
    }
}

/// Puts streamed lines before later writes, as a thread that hands them on must.
fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of x86-64.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each kind of scatter against the plain meaning, into memory at every alignment, with buckets of all sizes.
    fn scatters<P: Element + PartialEq + std::fmt::Debug>(load: impl Fn(usize) -> P) {
        for n in [0, 1, 15, 16, 17, 1000, 5000] {
            for offset in [0, 1, 5] {
                let digit = |key: u32| (key >> 24) as usize;
                let mut keys: Vec<u32> = (0..n as u32).map(|i| i.wrapping_mul(0x9E37_79B9) >> (i % 7)).collect();
                let mut loads: Vec<P> = (0..n).map(&load).collect();
                let mut want: Vec<_> = keys.iter().copied().zip(loads.iter().copied()).collect();
                want.sort_by_key(|&(key, _)| digit(key));
                let mut next = [0; BUCKETS];
                keys.iter().for_each(|&key| next[digit(key)] += 1);
                let mut sum = 0;
                next.iter_mut().for_each(|x| sum += std::mem::replace(x, sum));
                let from = Rows::new(ViewMut::of(&mut keys), ViewMut::of(&mut loads));
                for streaming in [false, true] {
                    let (mut keys, mut loads) = (vec![0; n + offset], vec![load(0); n + offset]);
                    let to = Rows::new(ViewMut::of(&mut keys[offset..]), ViewMut::of(&mut loads[offset..]));
                    if streaming {
                        let mut streamed = Streamed::new(to, next);
                        from.part(0..n / 3).stream(&mut streamed, digit);
                        from.part(n / 3..n).stream(&mut streamed, digit);
                        streamed.finish();
                    } else {
                        from.scatter(to, &mut next.clone(), digit);
                    }
                    let got: Vec<_> = (0..n).map(|i| to.get(i)).collect();
                    assert!(got == want, "{n} rows at {offset}, streaming: {streaming}");
                }
            }
        }
    }

    #[test]
    fn rows_arrive_in_their_order() {
        scatters(|i| i as u32);
        scatters(|i| i as u64);
        scatters(|i| (i as u32, i as f32, -(i as i32)));
        scatters(|i| i % 3 == 0);
    }
}
