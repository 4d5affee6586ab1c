//! Memory as the lanes see it: strided views, and the spans of a grid that one vector covers.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use crate::element::{Element, Kind, Offset, Scalar};

use super::prefetch;

/// Bytes of a cache line.
const LINE_BYTES: usize = 64;

/// The elements `base + stride * lane` for the lanes below `count`. Lanes from `count` on repeat the last of them, so that a
/// kernel does in them what it does in a lane that counts: it terminates, and traps nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Element of lane 0.
    pub base: usize,
    /// Distance between lanes, in elements.
    pub stride: isize,
    /// Number of lanes that exist, at least 1.
    pub count: usize,
}

impl Span {
    /// `count` consecutive elements from `base` on.
    #[inline(always)]
    pub fn new(base: usize, count: usize) -> Span {
        Span { base, stride: 1, count }
    }

    /// The element of a lane.
    #[inline(always)]
    pub fn element(self, lane: usize) -> usize {
        let lane = if lane < self.count { lane } else { self.count - 1 };
        self.base.wrapping_add_signed(self.stride.wrapping_mul(lane as isize))
    }

    /// `i + by`
    #[inline(always)]
    pub fn shift(self, by: usize) -> Span {
        Span { base: self.base.wrapping_add(by), ..self }
    }

    /// `i + by`, if all of it lies in `0..=last`.
    #[inline(always)]
    pub(crate) fn beside(self, by: isize, last: usize) -> Option<Span> {
        let ends = (self.base, self.element(self.count - 1));
        let (low, high) = (ends.0.min(ends.1), ends.0.max(ends.1));
        let inside = if by < 0 { low >= by.unsigned_abs() } else { high.saturating_add(by.unsigned_abs()) <= last };
        if inside { Some(Span { base: self.base.wrapping_add_signed(by), ..self }) } else { None }
    }

    /// The first element and how many, if they are neighbours in order.
    #[inline(always)]
    pub(crate) fn run(self) -> Option<(usize, usize)> {
        if self.stride == 1 { Some((self.base, self.count)) } else { None }
    }

    /// `last - i`
    #[inline(always)]
    pub fn flip(self, last: usize) -> Span {
        Span { base: last.wrapping_sub(self.base), stride: -self.stride, ..self }
    }

    /// `i * by`
    #[inline(always)]
    pub fn scale(self, by: usize) -> Span {
        Span { base: self.base.wrapping_mul(by), stride: self.stride.wrapping_mul(by as isize), ..self }
    }
}

/// A read-only strided view: a slice, or one field of a slice of structs.
pub struct View<'a, T> {
    start: *const u8,
    step: usize,
    len: usize,
    lives: PhantomData<&'a [T]>,
}

impl<T> Clone for View<'_, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for View<'_, T> {}

// SAFETY: a view reads like the `&[T]` that it was made of, and every `T` in use is an `Element`, which is `Sync`.
unsafe impl<T: Sync> Send for View<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for View<'_, T> {}

impl<'a, T: Element> View<'a, T> {
    /// The view of a slice.
    #[inline(always)]
    pub fn new(slice: &'a [T]) -> Self {
        View { start: slice.as_ptr().cast(), step: size_of::<T>(), len: slice.len(), lives: PhantomData }
    }

    /// The view of a field. `at` comes from [`Element::build`], which vouches for it.
    #[inline(always)]
    pub fn field<F: Element>(self, at: Offset) -> View<'a, F> {
        View { start: self.start.wrapping_add(at.bytes), step: self.step, len: self.len, lives: PhantomData }
    }

    /// Number of elements.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Whether the elements lie side by side, so that a vector load reads them.
    #[inline(always)]
    pub fn contiguous(self) -> bool {
        self.step == size_of::<T>()
    }

    /// As [`ViewMut::elements_to_alignment`], from the first on.
    #[inline(always)]
    pub(crate) fn elements_to_alignment(self) -> usize {
        let bytes = self.start.addr().wrapping_neg() % 64;
        if bytes.is_multiple_of(self.step) { bytes / self.step } else { 0 }
    }

    /// Pointer to element `i`.
    #[inline(always)]
    pub fn pointer(self, i: usize) -> *const T {
        self.start.wrapping_add(i.wrapping_mul(self.step)).cast()
    }

    /// Distance between elements, in bytes.
    #[inline(always)]
    pub fn step(self) -> usize {
        self.step
    }

    /// Asks for the cache lines of `count` elements from `first` on, which need not exist.
    #[inline(always)]
    pub(crate) fn prefetch(self, first: usize, count: usize) {
        let start = self.pointer(first).addr();
        for line in 0..(count * self.step).div_ceil(LINE_BYTES) {
            prefetch(start.wrapping_add(line * LINE_BYTES));
        }
    }

    /// The elements from this one on.
    #[inline(always)]
    pub(crate) fn from(self, first: usize) -> Self {
        debug_assert!(first <= self.len, "from element {first} of {} on", self.len);
        View { start: self.start.wrapping_add(first * self.step), len: self.len - first, ..self }
    }

    /// The same memory as words of the same size. The elements consist of scalars without padding.
    #[inline(always)]
    pub(crate) fn words<U: Scalar>(self) -> View<'a, U> {
        // Then every byte is initialised; and of such words every bit pattern is valid.
        assert!(T::PACKED && self.step == size_of::<U>() && U::KIND != Kind::Bool);
        View { start: self.start, step: self.step, len: self.len, lives: PhantomData }
    }

    /// As [`ViewMut::whole`].
    #[inline(always)]
    pub(crate) fn whole(self) -> Self {
        debug_assert_eq!(self.step, size_of::<T>());
        View { step: size_of::<T>(), ..self }
    }

    /// Element `i`, which must exist.
    #[inline(always)]
    pub fn read(self, i: usize) -> T {
        debug_assert!(i < self.len, "element {i} of {}", self.len);
        // SAFETY: the drivers give spans that lie inside the source's length, and random access clamps; so `i < len`, and the
        // view was made from a live slice in which a `T` stands at every step (`Element`'s contract for fields).
        unsafe { self.pointer(i).read_unaligned() }
    }
}

/// A writable strided view of memory that need not be initialised. Copies of it write to disjoint spans.
pub struct ViewMut<'a, T> {
    start: *mut u8,
    step: usize,
    len: usize,
    lives: PhantomData<&'a mut [T]>,
}

impl<T> Clone for ViewMut<'_, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for ViewMut<'_, T> {}

// SAFETY: a view stands for an exclusive borrow of the memory; the drivers hand disjoint spans to different threads.
unsafe impl<T: Send> Send for ViewMut<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for ViewMut<'_, T> {}

impl<'a, T: Element> ViewMut<'a, T> {
    /// The view of a slice.
    #[inline(always)]
    pub fn new(slice: &'a mut [MaybeUninit<T>]) -> Self {
        ViewMut { start: slice.as_mut_ptr().cast(), step: size_of::<T>(), len: slice.len(), lives: PhantomData }
    }

    /// The view of initialised memory.
    #[inline(always)]
    pub fn of(slice: &'a mut [T]) -> Self {
        ViewMut { start: slice.as_mut_ptr().cast(), step: size_of::<T>(), len: slice.len(), lives: PhantomData }
    }

    /// This view of whole elements, with its step known to the compiler again. A view that comes in through memory has lost it, and
    /// every store would ask at run time whether the elements lie side by side.
    #[inline(always)]
    pub(crate) fn whole(self) -> Self {
        debug_assert_eq!(self.step, size_of::<T>());
        ViewMut { step: size_of::<T>(), ..self }
    }

    /// The view of a field. `at` comes from [`Element::visit`], which vouches for it.
    #[inline(always)]
    pub fn field<F: Element>(self, at: Offset) -> ViewMut<'a, F> {
        ViewMut { start: self.start.wrapping_add(at.bytes), step: self.step, len: self.len, lives: PhantomData }
    }

    /// Number of elements.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Whether the elements lie side by side, so that a vector store writes them.
    #[inline(always)]
    pub fn contiguous(self) -> bool {
        self.step == size_of::<T>()
    }

    /// Pointer to element `i`.
    #[inline(always)]
    pub fn pointer(self, i: usize) -> *mut T {
        self.start.wrapping_add(i.wrapping_mul(self.step)).cast()
    }

    /// How many elements from `i` on come before the next 64-byte boundary, where vector stores are aligned and streaming stores
    /// are possible. 0 if no element starts there.
    #[inline(always)]
    pub(crate) fn elements_to_alignment(self, i: usize) -> usize {
        let bytes = self.pointer(i).addr().wrapping_neg() % 64;
        if bytes.is_multiple_of(self.step) { bytes / self.step } else { 0 }
    }

    /// Element `i`, which was written before.
    #[inline(always)]
    pub(crate) fn read(self, i: usize) -> T {
        debug_assert!(i < self.len, "element {i} of {}", self.len);
        // SAFETY: `i < len`, the memory is borrowed, and the callers read only what they wrote.
        unsafe { self.pointer(i).read_unaligned() }
    }

    /// What was written, to be read: the callers read only what they wrote.
    #[inline(always)]
    pub(crate) fn written(self) -> View<'a, T> {
        View { start: self.start, step: self.step, len: self.len, lives: PhantomData }
    }

    /// Writes `count` elements that begin at the other's first, and were written there before, from element `at` on.
    #[inline]
    pub(crate) fn copy(self, at: usize, from: ViewMut<'_, T>, count: usize) {
        debug_assert!(self.contiguous() && from.contiguous());
        debug_assert!(at + count <= self.len && count <= from.len, "{count} elements of {} at {at} of {}", from.len, self.len);
        // SAFETY: both ranges lie inside their views, which are exclusive borrows of different memory, of whole elements.
        unsafe { std::ptr::copy_nonoverlapping(from.pointer(0), self.pointer(at), count) }
    }

    /// The elements from this one on.
    #[inline(always)]
    pub(crate) fn from(self, first: usize) -> Self {
        debug_assert!(first <= self.len, "from element {first} of {} on", self.len);
        ViewMut { start: self.start.wrapping_add(first * self.step), len: self.len - first, ..self }
    }

    /// The view in which the first element has this number, and those before it are not to be written.
    pub(crate) fn starting_at(self, first: usize) -> Self {
        ViewMut { start: self.start.wrapping_sub(first * self.step), len: first + self.len, ..self }
    }

    /// The same memory as other numbers of the same width.
    pub(crate) fn same_bits<U: Scalar>(self) -> ViewMut<'a, U>
    where
        T: Scalar,
    {
        // Of these every bit pattern is valid.
        assert!(size_of::<T>() == size_of::<U>() && T::KIND != Kind::Bool && U::KIND != Kind::Bool);
        ViewMut { start: self.start, step: self.step, len: self.len, lives: PhantomData }
    }

    /// The same memory as words of the same size, to which words of such elements are moved. They consist of scalars without padding.
    #[inline(always)]
    pub(crate) fn words<U: Scalar>(self) -> ViewMut<'a, U> {
        assert!(T::PACKED && self.step == size_of::<U>() && U::KIND != Kind::Bool);
        ViewMut { start: self.start, step: self.step, len: self.len, lives: PhantomData }
    }

    /// Elements between the line of the cache in which element `i` begins, at its start, and that element.
    #[inline(always)]
    pub(crate) fn elements_into_line(self, i: usize) -> usize {
        self.pointer(i).addr() % 64 / self.step
    }

    /// Distance between elements, in bytes.
    #[inline(always)]
    pub fn step(self) -> usize {
        self.step
    }

    /// Writes element `i`, which must exist.
    #[inline(always)]
    pub fn write(self, i: usize, x: T) {
        debug_assert!(i < self.len, "element {i} of {}", self.len);
        // SAFETY: the drivers give spans inside the output's length, so `i < len`, and the memory is exclusively borrowed.
        unsafe { self.pointer(i).write_unaligned(x) }
    }
}
