//! Vectors that carry their level, so that a formula reads as one: `(x * k).fma(y, z)`.

use std::mem::MaybeUninit;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::backend::simd::{Level, Span, ViewMut};
use crate::element::{Cast, Equal, Float, FloatLanes, Integer, IntegerLanes, Number, NumberLanes, Scalar, Value};
use crate::kernel::{Varying, ops};

/// The most lanes of a level, a pair of 16 included.
const MOST: usize = 32;

/// A vector of `T` at the level `L`.
pub(super) struct V<L: Level, T: Value>(pub(super) L, pub(super) T::In<L>);

impl<L: Level, T: Value> Clone for V<L, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<L: Level, T: Value> Copy for V<L, T> {}

macro_rules! operators {
    ($($Op:ident $op:ident),+) => {$(
        impl<L: Level, T: Number> $Op for V<L, T> {
            type Output = Self;
            #[inline(always)]
            fn $op(self, o: Self) -> Self {
                V(self.0, <T as NumberLanes>::$op(self.0, self.1, o.1))
            }
        }
        impl<L: Level, T: Number> $Op<T> for V<L, T> {
            type Output = Self;
            #[inline(always)]
            fn $op(self, o: T) -> Self {
                self.$op(V::k(self.0, o))
            }
        }
    )+};
}
operators!(Add add, Sub sub, Mul mul, Div div);

impl<L: Level, T: Number> Neg for V<L, T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        V(self.0, <T as NumberLanes>::neg(self.0, self.1))
    }
}

impl<L: Level, T: Value> V<L, T> {
    /// `T as To`
    #[inline(always)]
    pub(super) fn cast<To: Value>(self) -> V<L, To>
    where
        T: Cast<To>,
    {
        V(self.0, T::cast(self.0, self.1))
    }
}

impl<L: Level, T: Number> V<L, T> {
    /// A constant.
    #[inline(always)]
    pub(super) fn k(l: L, x: T) -> Self {
        V(l, <T as NumberLanes>::constant(l, x))
    }
    #[inline(always)]
    pub(super) fn abs(self) -> Self {
        V(self.0, <T as NumberLanes>::abs(self.0, self.1))
    }
    #[inline(always)]
    pub(super) fn lt(self, o: Self) -> V<L, bool> {
        V(self.0, <T as NumberLanes>::lt(self.0, self.1, o.1))
    }
    #[inline(always)]
    pub(super) fn below(self, o: T) -> V<L, bool> {
        self.lt(V::k(self.0, o))
    }
    #[inline(always)]
    pub(super) fn above(self, o: T) -> V<L, bool> {
        V::k(self.0, o).lt(self)
    }
    /// Not above; false for NaN.
    #[inline(always)]
    pub(super) fn upto(self, o: T) -> V<L, bool> {
        V(self.0, <T as NumberLanes>::le(self.0, self.1, V::k(self.0, o).1))
    }
    #[inline(always)]
    pub(super) fn is(self, o: T) -> V<L, bool> {
        self.equal(V::k(self.0, o))
    }
    #[inline(always)]
    pub(super) fn equal(self, o: Self) -> V<L, bool> {
        V(self.0, <T as Equal>::equal(self.0, self.1, o.1))
    }
    /// Between two constants, NaN unchanged.
    #[inline(always)]
    pub(super) fn within(self, low: T, high: T) -> Self {
        let x = self.below(low).pick(V::k(self.0, low), self);
        x.above(high).pick(V::k(self.0, high), x)
    }
}

impl<L: Level, T: Float> V<L, T> {
    /// `self * a + b`, rounded once where that is one instruction.
    #[inline(always)]
    pub(super) fn fma(self, a: Self, b: Self) -> Self {
        if L::FMA { V(self.0, <T as FloatLanes>::mul_add(self.0, self.1, a.1, b.1)) } else { self * a + b }
    }
    /// `self * a + b` with constants.
    #[inline(always)]
    pub(super) fn fma_k(self, a: T, b: T) -> Self {
        self.fma(V::k(self.0, a), V::k(self.0, b))
    }
    /// `self - n * k`
    #[inline(always)]
    pub(super) fn minus(self, n: Self, k: T) -> Self {
        if L::FMA { n.fma(V::k(self.0, -k), self) } else { self - n * k }
    }
    /// The polynomial with these coefficients, the constant first, by Horner's rule.
    #[inline(always)]
    pub(super) fn polynomial<const N: usize>(self, c: [T; N]) -> Self {
        let mut p = V::k(self.0, c[N - 1]);
        let mut i = N - 1;
        while i > 0 {
            i -= 1;
            p = p.fma(self, V::k(self.0, c[i]));
        }
        p
    }
    #[inline(always)]
    pub(super) fn is_nan(self) -> V<L, bool> {
        V(self.0, <T as FloatLanes>::is_nan(self.0, self.1))
    }
    #[inline(always)]
    pub(super) fn trunc(self) -> Self {
        V(self.0, <T as FloatLanes>::trunc(self.0, self.1))
    }
    #[inline(always)]
    pub(super) fn copysign(self, o: Self) -> Self {
        V(self.0, <T as FloatLanes>::copysign(self.0, self.1, o.1))
    }
    /// The bits.
    #[inline(always)]
    pub(super) fn bits(self) -> V<L, T::Bits>
    where
        T: ops::Bits,
    {
        V(self.0, ops::to_bits::<L, T>(self.0, Varying(self.1)).0)
    }
}

impl<L: Level, T: Integer> V<L, T> {
    #[inline(always)]
    pub(super) fn shl(self, by: u32) -> Self {
        V(self.0, <T as IntegerLanes>::shl(self.0, self.1, V::k(self.0, by).1))
    }
    #[inline(always)]
    pub(super) fn shr(self, by: u32) -> Self {
        V(self.0, <T as IntegerLanes>::shr(self.0, self.1, V::k(self.0, by).1))
    }
    #[inline(always)]
    pub(super) fn and(self, o: T) -> Self {
        V(self.0, <T as IntegerLanes>::bit_and(self.0, self.1, V::k(self.0, o).1))
    }
    #[inline(always)]
    pub(super) fn or(self, o: T) -> Self {
        V(self.0, <T as IntegerLanes>::bit_or(self.0, self.1, V::k(self.0, o).1))
    }
    #[inline(always)]
    pub(super) fn xor(self, o: Self) -> Self {
        V(self.0, <T as IntegerLanes>::bit_xor(self.0, self.1, o.1))
    }
    #[inline(always)]
    pub(super) fn not(self) -> Self {
        V(self.0, <T as IntegerLanes>::bit_not(self.0, self.1))
    }
    /// The float with these bits.
    #[inline(always)]
    pub(super) fn float<F: ops::Bits<Bits = T>>(self) -> V<L, F> {
        V(self.0, ops::from_bits::<F, L>(self.0, Varying(self.1)).0)
    }
}

impl<L: Level> V<L, bool> {
    #[inline(always)]
    pub(super) fn pick<T: Value>(self, a: V<L, T>, b: V<L, T>) -> V<L, T> {
        V(self.0, ops::select::<L, T>(self.0, Varying(self.1), Varying(a.1), Varying(b.1)).0)
    }
    #[inline(always)]
    pub(super) fn and(self, o: Self) -> Self {
        V(self.0, ops::and::<L, bool>(self.0, Varying(self.1), Varying(o.1)).0)
    }
    #[inline(always)]
    pub(super) fn or(self, o: Self) -> Self {
        V(self.0, ops::or::<L, bool>(self.0, Varying(self.1), Varying(o.1)).0)
    }
    #[inline(always)]
    pub(super) fn no(self) -> Self {
        V(self.0, ops::not::<L, bool>(self.0, Varying(self.1)).0)
    }
    #[inline(always)]
    pub(super) fn any(self) -> bool {
        self.0.any(self.1)
    }
}

/// `y`, with `f` of the arguments in the lanes of `m`. For the rare lanes that the main path does not reach: it costs a test where
/// there are none.
#[inline(always)]
pub(super) fn patch<L: Level, T: Scalar + Default>(
    m: V<L, bool>,
    x: V<L, T>,
    z: V<L, T>,
    y: V<L, T>,
    f: fn(T, T) -> T,
) -> V<L, T> {
    if !m.any() {
        return y;
    }
    let l = m.0;
    let (which, first, second, mut out) = (array(l, m), array(l, x), array(l, z), array(l, y));
    patch_each(&which, &first, &second, &mut out, f);
    V(l, T::load(l, l.slice(crate::array::Data::from(&out[..])), Span::new(0, L::WIDTH)))
}

/// The lanes, in memory.
#[inline(always)]
fn array<L: Level, T: Scalar + Default>(l: L, x: V<L, T>) -> [T; MOST] {
    let mut out = [T::default(); MOST];
    // SAFETY: a `T` is a valid `MaybeUninit<T>`, and a store writes values only.
    let lanes = unsafe { &mut *(&raw mut out).cast::<[MaybeUninit<T>; MOST]>() };
    T::store(l, x.1, ViewMut::new(lanes), Span::new(0, L::WIDTH));
    out
}

/// It takes no vectors, so it may be a call.
#[cold]
#[inline(never)]
fn patch_each<T: Copy>(m: &[bool; MOST], x: &[T; MOST], z: &[T; MOST], out: &mut [T; MOST], f: fn(T, T) -> T) {
    for j in 0..MOST {
        if m[j] {
            out[j] = f(x[j], z[j]);
        }
    }
}
