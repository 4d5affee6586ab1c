//! `Lanes`: the vocabulary in which every kernel is evaluated.
//!
//! The `#[kernel]` macro turns a function into one body that is generic over `L: Lanes`. Evaluated with a SIMD level, the body
//! computes on whole vectors; evaluated with [`Trace`](crate::kernel::Trace), the same body records an IR. Nothing else in the
//! library translates kernels.
//!
//! Control flow is straight-line code around hooks, never closures: a closure would not inherit `#[inline(always)]`, and one call
//! that is not inlined makes a vector loop 40 times slower. Lanes that leave a branch or a loop are masked (the model of ISPC,
//! Pharr and Mark 2012). A trace answers `true` to [`Lanes::any`], so each block is recorded exactly once.

use crate::array::Data;
use crate::element::{Element, Integer, Offset, Scalar};

/// The value of scalar type `S` in the lanes `L`.
pub type In<L, S> = <S as crate::element::Value>::In<L>;

/// A way to evaluate kernels: a SIMD level, a single lane, or a trace.
pub trait Lanes: Copy {
    /// Number of lanes of a SIMD level: a power of two, the same for every type: 4, 8 or 16, and twice that for a pair of vectors. 1 of a
    /// single lane and of a trace.
    const WIDTH: usize = 1;
    /// Where values that are equal in all lanes live: one lane for a SIMD level, the trace itself for a trace.
    type Uniform: Lanes<Uniform = Self::Uniform>;

    /// One truth value a lane.
    type Mask: MaskLane<Self>;
    /// One `f32` a lane.
    type F32: FloatLane<Self, f32>;
    /// One `f64` a lane.
    type F64: FloatLane<Self, f64>;
    /// One `i32` a lane.
    type I32: IntLane<Self, i32>;
    /// One `u32` a lane.
    type U32: IntLane<Self, u32>;
    /// One `i64` a lane.
    type I64: IntLane<Self, i64>;
    /// One `u64` a lane.
    type U64: IntLane<Self, u64>;

    /// Read-only data that any lane may read at any index.
    type Slice<'a, T: Element>: Copy;
    /// Which elements of the grid the lanes stand for: an affine map of the lane number.
    type Index: Copy;
    /// What a `while` or `loop` must remember.
    type Loop;
    /// What a `for` over a uniform range must remember.
    type Range<T: Integer>;

    /// The level at which uniform values live.
    fn uniform_level(self) -> Self::Uniform;

    // ---- data -------------------------------------------------------------------------------------------------------------

    /// Makes data readable. The data was prepared for this backend before.
    fn slice<T: Element>(self, data: Data<'_, T>) -> Self::Slice<'_, T>;
    /// The number of elements. At most `u32::MAX` are addressed by lanes.
    fn slice_len<T: Element>(self, s: Self::Slice<'_, T>) -> In<Self::Uniform, u32>;
    /// The view of one field in a slice of structs.
    ///
    /// # Safety
    /// An `F` stands at `at` in every `T`, as [`Element::build`] and [`Element::visit`] tell it.
    unsafe fn field<'a, T: Element, F: Element>(self, s: Self::Slice<'a, T>, at: Offset) -> Self::Slice<'a, F>;
    /// Asks for `count` elements from `first` on, which need not exist, to be in the caches soon.
    #[inline(always)]
    fn prefetch<T: Element>(self, _s: Self::Slice<'_, T>, _first: usize, _count: usize) {}
    /// A scalar that is only known at run time, equal in all lanes. A trace makes it a shader uniform: it is never baked into code.
    fn uniform<S: Scalar>(self, x: S) -> S::In<Self::Uniform>;

    /// Reads at one uniform index. Out of range reads the nearest element in range; an empty slice gives zero.
    fn gather_uniform<S: Scalar>(self, s: Self::Slice<'_, S>, i: In<Self::Uniform, u32>) -> S::In<Self::Uniform>;

    // ---- indices ----------------------------------------------------------------------------------------------------------

    /// `i -> i + by`
    fn index_shift(self, i: Self::Index, by: usize) -> Self::Index;
    /// `i -> last - i`
    fn index_flip(self, i: Self::Index, last: usize) -> Self::Index;
    /// `i -> i * by`
    fn index_scale(self, i: Self::Index, by: usize) -> Self::Index;
    /// `i -> i + by`, brought into `0..=last`. `None` where that is no affine map of the lane number.
    fn index_beside(self, i: Self::Index, by: isize, last: usize) -> Option<Self::Index>;
    /// The first element and the number of those that the index stands for, if they are neighbours in order and known here: whole
    /// vectors of a SIMD level.
    fn index_run(self, i: Self::Index) -> Option<(usize, usize)>;
    /// The index of `count` neighbours in order from `first` on, at most a vector's width. `None` for a trace.
    #[inline(always)]
    fn index_of_run(self, _first: usize, _count: usize) -> Option<Self::Index> {
        None
    }
    /// A uniform number as it is, if it is known here: at a SIMD level.
    #[inline(always)]
    fn known(self, _x: In<Self::Uniform, i32>) -> Option<i32> {
        None
    }
    /// `i -> i + by`, which is in range.
    fn index_by(self, i: Self::Index, by: In<Self::Uniform, i32>) -> Self::Index;
    /// `i -> i + by` modulo 2^32, which is in range, by another number in each lane. `None` where that is no index.
    fn index_nudge(self, i: Self::Index, by: Self::U32) -> Option<Self::Index>;
    /// The index as a value, modulo 2^32.
    fn index_u32(self, i: Self::Index) -> Self::U32;
    /// The index as a value.
    fn index_u64(self, i: Self::Index) -> Self::U64;
    /// The upper half of the index as a 64-bit value: with [`Lanes::index_u32`], all of it where there are no 64-bit integers.
    #[inline(always)]
    fn index_high(self, i: Self::Index) -> Self::U32 {
        self.index_u64(i).shr(self, Lane::splat(self, 32)).to_u32(self)
    }

    // ---- bits -----------------------------------------------------------------------------------------------------------------

    /// The bits of an `f32`.
    fn f32_bits(self, x: Self::F32) -> Self::U32;
    /// The `f32` with these bits.
    fn f32_from_bits(self, x: Self::U32) -> Self::F32;
    /// The bits of an `f64`.
    fn f64_bits(self, x: Self::F64) -> Self::U64;
    /// The `f64` with these bits.
    fn f64_from_bits(self, x: Self::U64) -> Self::F64;
    /// The upper 32 bits of the 64-bit product.
    fn mul_hi(self, a: Self::U32, b: Self::U32) -> Self::U32;

    // ---- random numbers -------------------------------------------------------------------------------------------------------

    /// The words of a Philox 4x32-10 stream at the elements that the index stands for: element `i` is word `i % 4` of the block whose
    /// counter is `[i / 4, i / 4 >> 32, stream, 0]`. `None` where a level has no way for this index that is shorter than a
    /// block for each lane: four neighbours share a block, and a level may compute it once for the four.
    #[inline(always)]
    fn philox_words(
        self,
        _i: Self::Index,
        _key: [In<Self::Uniform, u32>; 2],
        _stream: In<Self::Uniform, u32>,
    ) -> Option<Self::U32> {
        None
    }

    // ---- code -----------------------------------------------------------------------------------------------------------------

    /// Evaluates what is large and seldom needed. A SIMD level calls it instead of inlining it, so that it is compiled once and not
    /// at every place that reads a source.
    #[inline(always)]
    fn rarely<R: Rare<Self>>(self, rare: R) -> R::Out {
        rare.run(self)
    }

    // ---- flow -------------------------------------------------------------------------------------------------------------

    /// The mask in which a kernel starts: every lane takes part.
    fn mask_all(self) -> Self::Mask;
    /// No lane.
    fn mask_none(self) -> Self::Mask;
    /// Whether any lane takes part. A trace answers `true`: the block is recorded.
    fn any(self, m: Self::Mask) -> bool;

    /// Enters the first branch of an `if`: the lanes of `outer` for which `c` holds.
    fn if_then(self, outer: Self::Mask, c: Self::Mask) -> Self::Mask;
    /// Enters the second branch: the lanes of `outer` for which `c` does not hold.
    fn if_else(self, outer: Self::Mask, c: Self::Mask) -> Self::Mask;
    /// As [`Lanes::if_else`], where hardly any lane goes in.
    #[inline(always)]
    fn if_else_rarely(self, outer: Self::Mask, c: Self::Mask) -> Self::Mask {
        self.if_else(outer, c)
    }
    /// Leaves the `if`: the lanes that are left at the end of either branch.
    fn if_end(self, then: Self::Mask, other: Self::Mask) -> Self::Mask;

    /// Starts a loop.
    fn loop_begin(self) -> Self::Loop;
    /// Whether the body is to be evaluated (once more). A trace says yes once, and at the second call closes the block.
    fn loop_next(self, state: &mut Self::Loop, m: Self::Mask) -> bool;
    /// The condition of a `while`: lanes for which it fails leave the loop.
    fn loop_while(self, m: Self::Mask, c: Self::Mask) -> Self::Mask;
    /// `break` for all lanes of the current mask: the mask that is left, none.
    fn loop_break(self) -> Self::Mask;
    /// `continue` for all lanes of the current mask: the mask that is left, none.
    fn loop_continue(self) -> Self::Mask;

    /// Starts `for i in from..to` (or `from..=to`) where both ends are uniform.
    fn range<T: Integer>(self, from: T::In<Self::Uniform>, to: T::In<Self::Uniform>, inclusive: bool) -> Self::Range<T>;
    /// The next counter; `None` ends the loop, as it does when no lane of `m` is left.
    fn range_next<T: Integer>(self, r: &mut Self::Range<T>, m: Self::Mask) -> Option<T::In<Self::Uniform>>;

    /// Starts the body of a kernel that has an early `return`. Ended by [`Lanes::scope_end`].
    fn scope_begin(self);
    /// `return` for all lanes of the current mask (the value was stored before): the mask that is left, none.
    fn scope_return(self) -> Self::Mask;
    /// After a loop that contains a `return`: a trace leaves the enclosing block too if the flag was raised.
    fn scope_check(self);
    /// Ends the body.
    fn scope_end(self);
}

/// What [`Lanes::rarely`] evaluates.
pub trait Rare<L> {
    /// The result.
    type Out;
    /// Evaluates it. Every implementation is `#[inline(always)]`.
    fn run(self, l: L) -> Self::Out;
}

/// A vector of the scalar type `S`: what every type can do.
pub trait Lane<L: Lanes, S: Scalar>: Copy {
    /// A constant, equal in all lanes. A trace bakes it into the code: for literals and identities only.
    fn splat(l: L, x: S) -> Self;
    /// A uniform value in all lanes.
    fn broadcast(l: L, x: S::In<L::Uniform>) -> Self;
    /// `m ? self : other`, lane by lane. The lanes not chosen may hold anything.
    fn select(self, l: L, m: L::Mask, other: Self) -> Self;
    /// Reads the elements that the index stands for. The index is in range.
    fn load(l: L, s: L::Slice<'_, S>, i: L::Index) -> Self;
    /// The same at `i + by`, where all elements up to a vector's width before the first and behind the last that `i` stands for are
    /// in range. So a level may take neighbours out of whole vectors that others are read from too.
    #[inline(always)]
    fn load_by(l: L, s: L::Slice<'_, S>, i: L::Index, by: In<L::Uniform, i32>) -> Self {
        Self::load(l, s, l.index_by(i, by))
    }
    /// Reads at any index a lane. Out of range reads the nearest element in range; an empty slice gives zeros.
    fn gather(l: L, s: L::Slice<'_, S>, i: L::U32) -> Self;

    /// Lane `j` gets lane `from[j]` modulo the width. A trace has one lane.
    fn permute(self, l: L, from: L::U32) -> Self;

    /// A mutable variable with this initial value. For SIMD a variable is its value.
    fn var(self, l: L) -> Self;
    /// The variable's value now.
    fn get(self, l: L) -> Self;
    /// Stores to a variable, in all lanes.
    fn set(&mut self, l: L, value: Self);
    /// Stores to a variable, in the lanes of `m`. A trace stores: it stands in the right block already.
    fn set_masked(&mut self, l: L, m: L::Mask, value: Self);
}

/// A vector of truth values.
pub trait MaskLane<L: Lanes>: Lane<L, bool> {
    /// Logical and, lane by lane.
    fn and(self, l: L, o: Self) -> Self;
    /// Logical or, lane by lane.
    fn or(self, l: L, o: Self) -> Self;
    /// Exclusive or (also `!=`), lane by lane.
    fn xor(self, l: L, o: Self) -> Self;
    /// Logical not, lane by lane.
    fn not(self, l: L) -> Self;
}

/// A vector of numbers. Integers wrap; `x / 0 = x`, `x % 0 = 0`, `MIN / -1 = MIN`, `MIN % -1 = 0` for integers.
pub trait NumLane<L: Lanes, S: Scalar>: Lane<L, S> {
    /// Sum.
    fn add(self, l: L, o: Self) -> Self;
    /// Difference.
    fn sub(self, l: L, o: Self) -> Self;
    /// Product.
    fn mul(self, l: L, o: Self) -> Self;
    /// Quotient.
    fn div(self, l: L, o: Self) -> Self;
    /// Remainder with the sign of the dividend.
    fn rem(self, l: L, o: Self) -> Self;
    /// Negation; for unsigned integers two's complement.
    fn neg(self, l: L) -> Self;
    /// Absolute value; `MIN.abs() = MIN` for integers.
    fn abs(self, l: L) -> Self;
    /// `o < self || self is NaN ? o : self`. The number if one side is NaN; of two zeros, the left one.
    fn min(self, l: L, o: Self) -> Self;
    /// `o > self || self is NaN ? o : self`. The number if one side is NaN; of two zeros, the left one.
    fn max(self, l: L, o: Self) -> Self;
    /// `==`; false if a side is NaN.
    fn eq(self, l: L, o: Self) -> L::Mask;
    /// `<`; false if a side is NaN.
    fn lt(self, l: L, o: Self) -> L::Mask;
    /// `<=`; false if a side is NaN.
    fn le(self, l: L, o: Self) -> L::Mask;

    /// Conversion with the meaning of Rust's `as`: integers wrap, floats saturate, NaN gives 0.
    fn to_f32(self, l: L) -> L::F32;
    /// As [`NumLane::to_f32`].
    fn to_f64(self, l: L) -> L::F64;
    /// As [`NumLane::to_f32`].
    fn to_i32(self, l: L) -> L::I32;
    /// As [`NumLane::to_f32`].
    fn to_u32(self, l: L) -> L::U32;
    /// As [`NumLane::to_f32`].
    fn to_i64(self, l: L) -> L::I64;
    /// As [`NumLane::to_f32`].
    fn to_u64(self, l: L) -> L::U64;
}

/// A vector of integers.
pub trait IntLane<L: Lanes, S: Scalar>: NumLane<L, S> {
    /// Bitwise and.
    fn bit_and(self, l: L, o: Self) -> Self;
    /// Bitwise or.
    fn bit_or(self, l: L, o: Self) -> Self;
    /// Bitwise exclusive or.
    fn bit_xor(self, l: L, o: Self) -> Self;
    /// Bitwise not.
    fn bit_not(self, l: L) -> Self;
    /// Shift left, the amount modulo the width.
    fn shl(self, l: L, by: L::U32) -> Self;
    /// Shift right (arithmetic for signed integers), the amount modulo the width.
    fn shr(self, l: L, by: L::U32) -> Self;
    /// Number of ones.
    fn count_ones(self, l: L) -> L::U32;
    /// Number of leading zeros; the width for 0.
    fn leading_zeros(self, l: L) -> L::U32;
    /// Number of trailing zeros; the width for 0.
    fn trailing_zeros(self, l: L) -> L::U32;
    /// The bits in reverse order.
    fn reverse_bits(self, l: L) -> Self;
}

/// A vector of floats. Error bounds stand at the functions of `backend::simd::math`.
pub trait FloatLane<L: Lanes, S: Scalar>: NumLane<L, S> {
    /// `self * a + b`, rounded once.
    fn mul_add(self, l: L, a: Self, b: Self) -> Self;
    /// Square root, correctly rounded.
    fn sqrt(self, l: L) -> Self;
    /// Largest integer not above.
    fn floor(self, l: L) -> Self;
    /// Smallest integer not below.
    fn ceil(self, l: L) -> Self;
    /// Towards zero.
    fn trunc(self, l: L) -> Self;
    /// To the nearest integer, halves away from zero (as `f32::round`).
    fn round(self, l: L) -> Self;
    /// Whether it is NaN.
    fn is_nan(self, l: L) -> L::Mask;
    /// Magnitude of self, sign of `o`.
    fn copysign(self, l: L, o: Self) -> Self;
    /// e^x
    fn exp(self, l: L) -> Self;
    /// 2^x
    fn exp2(self, l: L) -> Self;
    /// Natural logarithm.
    fn ln(self, l: L) -> Self;
    /// Logarithm to base 2.
    fn log2(self, l: L) -> Self;
    /// Logarithm to base 10.
    fn log10(self, l: L) -> Self;
    /// Sine of radians.
    fn sin(self, l: L) -> Self;
    /// Cosine of radians.
    fn cos(self, l: L) -> Self;
    /// Tangent of radians.
    fn tan(self, l: L) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self, l: L) -> Self;
    /// Arc tangent.
    fn atan(self, l: L) -> Self;
    /// Angle of the vector (x = `o`, y = `self`), in (-pi, pi].
    fn atan2(self, l: L, o: Self) -> Self;
    /// `self` to the power `o`.
    fn powf(self, l: L, o: Self) -> Self;
}
