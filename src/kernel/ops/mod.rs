//! The functions that the macros emit: one a construct of the kernel language, each generic over the lanes and the type.
//!
//! `a * x + y` becomes `add(l, mul(l, a, x), y)`. Functions and not operators, since both operands then have one type parameter
//! and the compiler infers literals from either side.

use crate::backend::simd::OneLane;
use crate::element::{
    Additive, Cast, Element, Equal, Float, Integer, LeafBuild, LeafMap, LeafZip, Number, NumberLanes, Offset, Scalar, Value,
};
use crate::element::{FloatLanes, IntegerLanes};
pub use crate::element::{Operands, Scale, Shrink};
use crate::kernel::{Lanes, MaskLane, Uniform, Varying};

mod data;
mod methods;
pub use data::*;
pub use methods::*;

// ---- values ---------------------------------------------------------------------------------------------------------------

struct Splat<L>(L);
impl<L: Lanes> LeafMap<OneLane, L> for Splat<L> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, x: S::In<OneLane>) -> S::In<L> {
        S::splat(self.0, S::from_one(x))
    }
}

/// A constant: a literal, an identity. A trace bakes it into the code.
#[inline(always)]
pub fn lit<L: Lanes, T: Value>(l: L, x: T) -> Varying<L, T> {
    Varying(T::map(&mut Splat(l), x.to_one()))
}

/// A constant as a uniform value.
#[inline(always)]
pub fn lit_uniform<L: Lanes, T: Value>(l: L, x: T) -> Uniform<L, T> {
    Uniform(lit(l.uniform_level(), x))
}

struct Bind<L>(L);
impl<L: Lanes> LeafMap<OneLane, L::Uniform> for Bind<L> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, x: S::In<OneLane>) -> S::In<L::Uniform> {
        self.0.uniform::<S>(S::from_one(x))
    }
}

/// A value known at run time only: a kernel's uniform. A trace never bakes it into code.
#[inline(always)]
pub fn uniform<L: Lanes, T: Value>(l: L, x: T) -> Uniform<L, T> {
    Uniform(Varying(T::map(&mut Bind(l), x.to_one())))
}

struct Broadcast<L>(L);
impl<L: Lanes> LeafMap<L::Uniform, L> for Broadcast<L> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, x: S::In<L::Uniform>) -> S::In<L> {
        S::broadcast(self.0, x)
    }
}

/// A uniform value in every lane.
#[inline(always)]
pub fn broadcast<L: Lanes, T: Value>(l: L, x: Uniform<L, T>) -> Varying<L, T> {
    Varying(T::map(&mut Broadcast(l), x.0.0))
}

struct Select<L: Lanes>(L, L::Mask);
impl<L: Lanes> LeafZip<L> for Select<L> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, a: S::In<L>, b: S::In<L>) -> S::In<L> {
        S::select(self.0, self.1, a, b)
    }
}

/// `m ? a : b`, lane by lane.
#[inline(always)]
pub fn select<L: Lanes, T: Value>(l: L, m: Varying<L, bool>, a: Varying<L, T>, b: Varying<L, T>) -> Varying<L, T> {
    Varying(T::zip(&mut Select(l, m.0), a.0, b.0))
}

struct Permute<L: Lanes>(L, L::U32);
impl<L: Lanes> LeafMap<L, L> for Permute<L> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, x: S::In<L>) -> S::In<L> {
        S::permute(self.0, x, self.1)
    }
}

/// Lane `j` gets lane `from[j]` modulo the width.
#[inline(always)]
pub fn permute<L: Lanes, T: Value>(l: L, x: Varying<L, T>, from: Varying<L, u32>) -> Varying<L, T> {
    Varying(T::map(&mut Permute(l, from.0), x.0))
}

struct Var<L>(L);
impl<L: Lanes> LeafMap<L, L> for Var<L> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, x: S::In<L>) -> S::In<L> {
        S::var(self.0, x)
    }
}

/// `let mut`: a variable with its initial value.
#[inline(always)]
pub fn var<L: Lanes, T: Value>(l: L, x: Varying<L, T>) -> Varying<L, T> {
    Varying(T::map(&mut Var(l), x.0))
}

struct Get<L>(L);
impl<L: Lanes> LeafMap<L, L> for Get<L> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, x: S::In<L>) -> S::In<L> {
        S::get(self.0, x)
    }
}

/// A variable's value now: every read of a `let mut` name (or of a field of it).
#[inline(always)]
pub fn get<L: Lanes, T: Value>(l: L, x: Varying<L, T>) -> Varying<L, T> {
    Varying(T::map(&mut Get(l), x.0))
}

struct Set<L>(L);
impl<L: Lanes> LeafZip<L> for Set<L> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, mut a: S::In<L>, b: S::In<L>) -> S::In<L> {
        S::set(self.0, &mut a, b);
        a
    }
}

/// `place = x` where all lanes take part.
#[inline(always)]
pub fn set<L: Lanes, T: Value>(l: L, place: &mut Varying<L, T>, x: Varying<L, T>) {
    place.0 = T::zip(&mut Set(l), place.0, x.0);
}

struct SetMasked<L: Lanes>(L, L::Mask);
impl<L: Lanes> LeafZip<L> for SetMasked<L> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, mut a: S::In<L>, b: S::In<L>) -> S::In<L> {
        S::set_masked(self.0, self.1, &mut a, b);
        a
    }
}

/// `place = x` for the lanes of `m`.
#[inline(always)]
pub fn set_masked<L: Lanes, T: Value>(l: L, m: L::Mask, place: &mut Varying<L, T>, x: Varying<L, T>) {
    place.0 = T::zip(&mut SetMasked(l, m), place.0, x.0);
}

/// Joins the values of the two branches of an `if` expression. `then` is the variable that [`var`] made at the end of the first
/// branch; this is called at the end of the second branch, still inside it, and [`get`] after the `if` gives the result.
#[inline(always)]
pub fn merge<L: Lanes, T: Value>(l: L, otherwise: L::Mask, then: &mut Varying<L, T>, value: Varying<L, T>) {
    set_masked(l, otherwise, then, value);
}

struct Zero<L>(L);
impl<L: Lanes> LeafBuild<L> for Zero<L> {
    #[inline(always)]
    fn leaf<S: Scalar>(&mut self, _: Offset) -> S::In<L> {
        S::splat(self.0, S::ZERO)
    }
}

/// All leaves zero: what a struct literal starts from, before its fields are filled in.
#[inline(always)]
pub fn zero<L: Lanes, T: Element>(l: L) -> Varying<L, T> {
    Varying(T::build(&mut Zero(l), Offset::START))
}

/// [`zero`] of the type that the function returns. It is not called: a struct literal names its type by it.
#[inline(always)]
pub fn zero_as<L: Lanes, X, T: Element>(l: L, _: impl FnOnce(X) -> T) -> Varying<L, T> {
    zero(l)
}

macro_rules! tuples {
    ($($f:ident: $($t:ident $x:ident),+;)+) => {$(
        /// A tuple.
        #[inline(always)]
        #[allow(clippy::too_many_arguments, reason = "one for each field")]
        pub fn $f<L: Lanes, $($t: Value),+>($($x: Varying<L, $t>),+) -> Varying<L, ($($t,)+)> {
            Varying(($($x,)+))
        }
    )+};
}
tuples! {
    tuple1: A a;
    tuple2: A a, B b;
    tuple3: A a, B b, C c;
    tuple4: A a, B b, C c, D d;
    tuple5: A a, B b, C c, D d, E e;
    tuple6: A a, B b, C c, D d, E e, F f;
    tuple7: A a, B b, C c, D d, E e, F f, G g;
    tuple8: A a, B b, C c, D d, E e, F f, G g, H h;
}

// ---- arithmetic and comparison --------------------------------------------------------------------------------------------

macro_rules! binary {
    ($bound:ident $lanes:ident: $($(#[$doc:meta])* $f:ident)+) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub fn $f<L: Lanes, T: $bound>(l: L, a: Varying<L, T>, b: Varying<L, T>) -> Varying<L, T> {
            Varying(<T as $lanes>::$f(l, a.0, b.0))
        }
    )+};
}
macro_rules! unary {
    ($bound:ident $lanes:ident: $($(#[$doc:meta])* $f:ident)+) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub fn $f<L: Lanes, T: $bound>(l: L, a: Varying<L, T>) -> Varying<L, T> {
            Varying(<T as $lanes>::$f(l, a.0))
        }
    )+};
}
/// `a + b`
#[inline(always)]
pub fn add<L: Lanes, T: Additive>(l: L, a: Varying<L, T>, b: Varying<L, T>) -> Varying<L, T> {
    Varying(T::plus(l, a.0, b.0))
}
/// `a - b`
#[inline(always)]
pub fn sub<L: Lanes, T: Additive>(l: L, a: Varying<L, T>, b: Varying<L, T>) -> Varying<L, T> {
    Varying(T::minus(l, a.0, b.0))
}
/// `-a`
#[inline(always)]
pub fn neg<L: Lanes, T: Additive>(l: L, a: Varying<L, T>) -> Varying<L, T> {
    Varying(T::negative(l, a.0))
}
binary!(Number NumberLanes:
    /// `a * b`
    mul
    /// `a / b`
    div
    /// `a % b`
    rem
    /// `a.min(b)`
    min
    /// `a.max(b)`
    max
);
unary!(Number NumberLanes:
    /// `a.abs()`
    abs
);
binary!(Float FloatLanes:
    /// `a.atan2(b)`
    atan2
    /// `a.powf(b)`
    powf
    /// `a.copysign(b)`
    copysign
);
unary!(Float FloatLanes:
    /// `a.sqrt()`
    sqrt
    /// `a.floor()`
    floor
    /// `a.ceil()`
    ceil
    /// `a.trunc()`
    trunc
    /// `a.round()`
    round
    /// `a.exp()`
    exp
    /// `a.exp2()`
    exp2
    /// `a.ln()`
    ln
    /// `a.log2()`
    log2
    /// `a.log10()`
    log10
    /// `a.sin()`
    sin
    /// `a.cos()`
    cos
    /// `a.tan()`
    tan
    /// `a.tanh()`
    tanh
    /// `a.atan()`
    atan
);
unary!(Integer IntegerLanes:
    /// `a.reverse_bits()`
    reverse_bits
);

/// `a == b`
#[inline(always)]
pub fn eq<L: Lanes, T: Equal>(l: L, a: Varying<L, T>, b: Varying<L, T>) -> Varying<L, bool> {
    Varying(T::equal(l, a.0, b.0))
}
/// `a != b`: the negation of [`eq`], true if a side is NaN.
#[inline(always)]
pub fn ne<L: Lanes, T: Equal>(l: L, a: Varying<L, T>, b: Varying<L, T>) -> Varying<L, bool> {
    Varying(T::equal(l, a.0, b.0).not(l))
}
/// `a < b`
#[inline(always)]
pub fn lt<L: Lanes, T: Number>(l: L, a: Varying<L, T>, b: Varying<L, T>) -> Varying<L, bool> {
    Varying(<T as NumberLanes>::lt(l, a.0, b.0))
}
/// `a <= b`
#[inline(always)]
pub fn le<L: Lanes, T: Number>(l: L, a: Varying<L, T>, b: Varying<L, T>) -> Varying<L, bool> {
    Varying(<T as NumberLanes>::le(l, a.0, b.0))
}
/// `a > b`
#[inline(always)]
pub fn gt<L: Lanes, T: Number>(l: L, a: Varying<L, T>, b: Varying<L, T>) -> Varying<L, bool> {
    lt(l, b, a)
}
/// `a >= b`
#[inline(always)]
pub fn ge<L: Lanes, T: Number>(l: L, a: Varying<L, T>, b: Varying<L, T>) -> Varying<L, bool> {
    le(l, b, a)
}

/// `a as To`
#[inline(always)]
pub fn cast<To: Value, L: Lanes, T: Cast<To>>(l: L, a: Varying<L, T>) -> Varying<L, To> {
    Varying(T::cast(l, a.0))
}

// ---- logic and bits -------------------------------------------------------------------------------------------------------

/// What `&`, `|`, `^` and `!` work on: `bool` and the integers.
pub trait Logic: Value {
    /// `a & b`
    fn and<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    /// `a | b`
    fn or<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    /// `a ^ b`
    fn xor<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    /// `!a`
    fn not<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L>;
}
impl Logic for bool {
    #[inline(always)]
    fn and<L: Lanes>(l: L, a: L::Mask, b: L::Mask) -> L::Mask {
        MaskLane::and(a, l, b)
    }
    #[inline(always)]
    fn or<L: Lanes>(l: L, a: L::Mask, b: L::Mask) -> L::Mask {
        MaskLane::or(a, l, b)
    }
    #[inline(always)]
    fn xor<L: Lanes>(l: L, a: L::Mask, b: L::Mask) -> L::Mask {
        MaskLane::xor(a, l, b)
    }
    #[inline(always)]
    fn not<L: Lanes>(l: L, a: L::Mask) -> L::Mask {
        MaskLane::not(a, l)
    }
}
impl<T: Integer> Logic for T {
    #[inline(always)]
    fn and<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L> {
        T::bit_and(l, a, b)
    }
    #[inline(always)]
    fn or<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L> {
        T::bit_or(l, a, b)
    }
    #[inline(always)]
    fn xor<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L> {
        T::bit_xor(l, a, b)
    }
    #[inline(always)]
    fn not<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L> {
        T::bit_not(l, a)
    }
}
binary!(Logic Logic:
    /// `a & b`, `a && b` (both sides are evaluated: kernels have no side effects)
    and
    /// `a | b`, `a || b`
    or
    /// `a ^ b`
    xor
);
unary!(Logic Logic:
    /// `!a`
    not
);

/// `a << by`, the amount modulo the width.
#[inline(always)]
pub fn shl<L: Lanes, T: Integer, B: Cast<u32>>(l: L, a: Varying<L, T>, by: Varying<L, B>) -> Varying<L, T> {
    Varying(<T as IntegerLanes>::shl(l, a.0, B::cast(l, by.0)))
}
/// `a >> by`, the amount modulo the width; arithmetic for signed integers.
#[inline(always)]
pub fn shr<L: Lanes, T: Integer, B: Cast<u32>>(l: L, a: Varying<L, T>, by: Varying<L, B>) -> Varying<L, T> {
    Varying(<T as IntegerLanes>::shr(l, a.0, B::cast(l, by.0)))
}
macro_rules! counts {
    ($($(#[$doc:meta])* $f:ident)+) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub fn $f<L: Lanes, T: Integer>(l: L, a: Varying<L, T>) -> Varying<L, u32> {
            Varying(<T as IntegerLanes>::$f(l, a.0))
        }
    )+};
}
counts!(
    /// `a.count_ones()`
    count_ones
    /// `a.leading_zeros()`
    leading_zeros
    /// `a.trailing_zeros()`
    trailing_zeros
);

/// The next counter of a uniform `for`, as [`Lanes::range`] started it.
#[inline(always)]
pub fn range<L: Lanes, T: Integer>(l: L, from: Uniform<L, T>, to: Uniform<L, T>, inclusive: bool) -> L::Range<T> {
    l.range::<T>(from.0.0, to.0.0, inclusive)
}
/// The next counter of a uniform `for`.
#[inline(always)]
pub fn range_next<L: Lanes, T: Integer>(l: L, r: &mut L::Range<T>, m: L::Mask) -> Option<Uniform<L, T>> {
    l.range_next::<T>(r, m).map(|i| Uniform(Varying(i)))
}
