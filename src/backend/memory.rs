//! Host memory for results and intermediate values, and a reserve of it.
//!
//! The system hands out large memory untouched, and the first touch of its pages takes longer than most primitives need to write
//! them; an allocator that gives large memory back at once, as the usual ones do, makes every call pay again. So what a result or an
//! intermediate value gives up is kept, up to a limit, and the next of about the same size takes it: the last that was given first,
//! since the caches may still hold it.

use std::alloc::{Layout, dealloc};
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};

use crate::backend::pages::in_large_pages;
use crate::error::{Error, Result};
use crate::lock::lock;

/// Bytes from which on memory is kept. Allocators keep smaller memory themselves.
const LEAST: usize = 64 << 10;
/// Pieces that are kept at most: a search looks at each.
const PIECES: usize = 64;

/// Elements in memory that goes back to where it came from when it is dropped: to a reserve, or to the allocator.
pub(crate) struct Memory<T: Copy> {
    elements: Vec<T>,
    reserve: Option<Arc<Reserve>>,
}

impl<T: Copy> Memory<T> {
    /// A vector's.
    pub(crate) fn of(elements: Vec<T>) -> Self {
        Memory { elements, reserve: None }
    }

    /// As a vector, which goes back to the allocator.
    pub(crate) fn into_vec(mut self) -> Vec<T> {
        std::mem::take(&mut self.elements)
    }

    /// The vector, whose elements and capacity may change.
    pub(crate) fn vec(&mut self) -> &mut Vec<T> {
        &mut self.elements
    }

    /// Moves the elements to memory of their size if they fill less than a third of this. To move more of them would take longer than
    /// many selections take to find them.
    pub(crate) fn fit(&mut self) -> Result<()> {
        if self.elements.len() >= self.elements.capacity() / 3 {
            return Ok(());
        }
        match &self.reserve {
            // What is too large to be kept shrinks where it is.
            None => self.elements.shrink_to_fit(),
            Some(reserve) => {
                let mut fitting = reserve.take(self.elements.len())?;
                fitting.elements.extend_from_slice(&self.elements);
                *self = fitting;
            }
        }
        Ok(())
    }
}

impl<T: Copy> Default for Memory<T> {
    fn default() -> Self {
        Memory::of(Vec::new())
    }
}

impl<T: Copy> Drop for Memory<T> {
    fn drop(&mut self) {
        if let Some(reserve) = self.reserve.take() {
            reserve.give(std::mem::take(&mut self.elements));
        }
    }
}

impl<T: Copy> Deref for Memory<T> {
    type Target = [T];
    #[inline(always)]
    fn deref(&self) -> &[T] {
        &self.elements
    }
}

impl<T: Copy> DerefMut for Memory<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.elements
    }
}

/// Memory that was given up, for those who need some.
pub(crate) struct Reserve {
    /// Bytes that are kept at most.
    limit: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The last that was given comes first.
    pieces: VecDeque<Piece>,
    bytes: usize,
}

/// Memory of the global allocator that nobody uses.
struct Piece {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: a piece owns its memory, of which it says nothing but where it is.
unsafe impl Send for Piece {}

impl Drop for Piece {
    fn drop(&mut self) {
        // SAFETY: it came from a vector, which had allocated it with this layout, and has not been freed since.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}

impl Piece {
    /// A vector's memory; `None` if it has none.
    fn of<T: Copy>(elements: Vec<T>) -> Option<Piece> {
        let layout = Layout::array::<T>(elements.capacity()).ok().filter(|layout| layout.size() > 0)?;
        let start = NonNull::new(std::mem::ManuallyDrop::new(elements).as_mut_ptr())?.cast();
        Some(Piece { start, layout })
    }

    /// Whether it can be a vector's that has room for `n` elements, and little more.
    fn fits<T>(&self, n: usize) -> bool {
        let (bytes, needed) = (self.layout.size(), n * size_of::<T>());
        self.layout.align() == align_of::<T>()
            && bytes.is_multiple_of(size_of::<T>())
            && (needed..=needed + needed / 4).contains(&bytes)
    }

    /// As a vector without elements. Only of what [fits](Self::fits).
    fn into_vec<T: Copy>(self) -> Vec<T> {
        let piece = std::mem::ManuallyDrop::new(self);
        assert!(piece.layout.align() == align_of::<T>() && piece.layout.size().is_multiple_of(size_of::<T>()));
        // SAFETY: the memory is the global allocator's, of the alignment of `T` and as many bytes as the capacity has, and the vector
        // is its only owner from now on.
        unsafe { Vec::from_raw_parts(piece.start.cast().as_ptr(), 0, piece.layout.size() / size_of::<T>()) }
    }
}

impl Reserve {
    /// Keeps so many bytes at most.
    pub(crate) fn new(limit: usize) -> Self {
        Reserve { limit, kept: Mutex::default() }
    }

    /// Whether memory of so many bytes will be kept once it is given up, so that calls like this one find it.
    pub(crate) fn keeps(&self, bytes: f64) -> bool {
        bytes <= self.limit as f64
    }

    /// Gives all back to the allocator; how many bytes.
    pub(crate) fn release(&self) -> usize {
        let all = std::mem::take(&mut *lock(&self.kept));
        all.bytes
    }

    /// Room for `n` elements, of which there are none yet: memory that was kept, or new memory in large pages.
    pub(crate) fn take<T: Copy>(self: &Arc<Self>, n: usize) -> Result<Memory<T>> {
        let bytes = n.saturating_mul(size_of::<T>());
        let reserve = (LEAST..=self.limit).contains(&bytes).then(|| self.clone());
        if let Some(piece) = reserve.as_ref().and_then(|reserve| reserve.find::<T>(n)) {
            return Ok(Memory { elements: piece.into_vec(), reserve });
        }
        let mut elements: Vec<T> = Vec::new();
        elements
            .try_reserve_exact(n)
            .map_err(|_| Error::TooLarge { elements: n, limit: isize::MAX as usize / size_of::<T>() })?;
        in_large_pages(elements.spare_capacity_mut());
        Ok(Memory { elements, reserve })
    }

    fn find<T>(&self, n: usize) -> Option<Piece> {
        let kept = &mut *lock(&self.kept);
        let at = kept.pieces.iter().position(|piece| piece.fits::<T>(n))?;
        let piece = kept.pieces.remove(at)?;
        kept.bytes -= piece.layout.size();
        Some(piece)
    }

    /// Keeps a vector's memory, in the place of what was given long ago if there is too much.
    fn give<T: Copy>(&self, elements: Vec<T>) {
        let Some(piece) = Piece::of(elements).filter(|piece| (LEAST..=self.limit).contains(&piece.layout.size())) else { return };
        let mut excess = Vec::new();
        let mut kept = lock(&self.kept);
        kept.bytes += piece.layout.size();
        kept.pieces.push_front(piece);
        while kept.bytes > self.limit || kept.pieces.len() > PIECES {
            let Some(oldest) = kept.pieces.pop_back() else { break };
            kept.bytes -= oldest.layout.size();
            excess.push(oldest);
        }
        // Large memory takes a while to be freed, for which others need not wait.
        drop(kept);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{LEAST, Memory, PIECES, Reserve};
    use crate::lock::lock;

    const MIB: usize = 1 << 20;

    impl Reserve {
        fn bytes(&self) -> usize {
            lock(&self.kept).bytes
        }
    }

    fn filled<T: Copy>(reserve: &Arc<Reserve>, n: usize, x: T) -> Memory<T> {
        let mut memory = reserve.take(n).unwrap();
        memory.vec().resize(n, x);
        memory
    }

    #[test]
    fn what_is_dropped_is_taken_again() {
        let reserve = Arc::new(Reserve::new(16 * MIB));
        let first = filled(&reserve, MIB, 7_u32);
        let at = first.as_ptr();
        drop(first);
        assert_eq!(reserve.bytes(), 4 * MIB);
        // Another type of the same alignment, and a little less of it.
        let second = filled(&reserve, MIB - 1000, 2.5_f32);
        assert_eq!((second.as_ptr().cast(), reserve.bytes()), (at, 0));
        assert!(second.iter().all(|&x| x == 2.5));
        // Memory that fits is not there: too little, far too much, or of another alignment.
        drop(second);
        for other in [MIB + 1, MIB / 2] {
            assert!(filled(&reserve, other, 1_u32).len() == other && reserve.bytes() >= 4 * MIB);
        }
        assert!(filled(&reserve, MIB / 2, 1_u64).iter().all(|&x| x == 1));
        reserve.release();
        assert_eq!(reserve.bytes(), 0);
    }

    #[test]
    fn the_limit_holds() {
        let reserve = Arc::new(Reserve::new(10 * MIB));
        let many: Vec<Memory<u8>> = (0..7).map(|i| filled(&reserve, 3 * MIB, i)).collect();
        assert!(many.iter().zip(0..).all(|(memory, i)| memory.iter().all(|&x| x == i)));
        drop(many);
        assert_eq!(reserve.bytes(), 9 * MIB);
        drop(filled(&reserve, 11 * MIB, 0_u8));
        assert_eq!(reserve.bytes(), 9 * MIB);
        drop((0..2 * PIECES).map(|_| filled(&reserve, LEAST, 0_u8)).collect::<Vec<_>>());
        assert_eq!(reserve.bytes(), LEAST * PIECES);
        drop(filled(&reserve, LEAST - 1, 0_u8));
        assert_eq!(reserve.bytes(), LEAST * PIECES);
    }

    #[test]
    fn nothing_is_kept_of_nothing_or_without_a_reserve() {
        let none = Arc::new(Reserve::new(0));
        drop(filled(&none, MIB, 1_u32));
        assert_eq!(none.bytes(), 0);
        let some = Arc::new(Reserve::new(MIB));
        drop(filled(&some, 1 << 40, ()));
        drop(Memory::of(vec![1_u8; MIB]));
        let vec = filled(&some, MIB, 1_u8).into_vec();
        assert_eq!((vec.len(), some.bytes()), (MIB, 0));
    }

    #[test]
    fn what_is_fitted_holds_what_it_held() {
        let reserve = Arc::new(Reserve::new(16 * MIB));
        let mut most = filled(&reserve, MIB, 3_u32);
        let at = most.as_ptr();
        most.vec().truncate(MIB / 2);
        most.fit().unwrap();
        assert_eq!((most.as_ptr(), reserve.bytes()), (at, 0));
        most.vec().truncate(MIB / 4);
        most.fit().unwrap();
        assert!(most.len() == MIB / 4 && most.iter().all(|&x| x == 3) && reserve.bytes() == 4 * MIB);
        let mut alone = Memory::of(vec![9_u8; MIB]);
        alone.vec().truncate(10);
        alone.fit().unwrap();
        assert!(*alone == [9; 10] && alone.vec().capacity() < MIB);
    }

    #[test]
    fn threads_share_it() {
        let reserve = Arc::new(Reserve::new(4 * MIB));
        std::thread::scope(|scope| {
            for id in 0..4_u8 {
                let reserve = &reserve;
                scope.spawn(move || {
                    for n in 0..200 {
                        let memory = filled(reserve, LEAST + n * 100, id);
                        assert!(memory.iter().all(|&x| x == id));
                    }
                });
            }
        });
        assert!(reserve.bytes() <= 4 * MIB);
    }
}
