//! Operators: how a reduction or a scan combines two elements.

use crate::array::DataVisitor;
use crate::element::{Additive, Integer, IntegerLanes, Number, NumberLanes, Value};
use crate::error::Result;
use crate::kernel::{Lanes, Varying, ops};

/// An associative function of two elements, with an identity.
///
/// Associativity is the caller's promise: `combine(a, combine(b, c)) = combine(combine(a, b), c)`, up to rounding for floats.
/// The order in which a reduction applies it is fixed (see [`Engine::reduce`](crate::Engine::reduce)), so even an operator that
/// is associative only up to rounding gives the same bits on every backend.
pub trait Operator<T: Value>: Copy + Send + Sync {
    /// Whether `combine(a, b) = combine(b, a)`. If not, the order of the elements is kept.
    const COMMUTATIVE: bool;

    /// The value with `combine(identity, x) = x`: the result for empty input.
    fn identity(&self) -> T;

    /// Combines, lane by lane.
    fn combine<L: Lanes>(&self, l: L, a: Varying<L, T>, b: Varying<L, T>) -> Varying<L, T>;

    /// What does the same to a 32-bit integer in memory that many threads share.
    #[doc(hidden)]
    const ATOMIC: Option<Atomic> = None;

    /// Shows the slices that the operator reads.
    fn data<V: DataVisitor>(&self, _visitor: &mut V) -> Result<()> {
        Ok(())
    }
}

/// What combines an integer with one in memory, whoever else does so at the same time.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Atomic {
    Add,
    Min,
    Max,
    And,
    Or,
    Xor,
}

macro_rules! builtin {
    ($($(#[$doc:meta])* $name:ident<$bound:ident>: $identity:ident, $atomic:expr, |$l:ident, $a:ident, $b:ident| $body:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        impl<T: $bound> Operator<T> for $name {
            const COMMUTATIVE: bool = true;
            const ATOMIC: Option<Atomic> = $atomic;
            #[inline(always)]
            fn identity(&self) -> T {
                T::$identity
            }
            #[inline(always)]
            fn combine<L: Lanes>(&self, $l: L, $a: Varying<L, T>, $b: Varying<L, T>) -> Varying<L, T> {
                $body
            }
        }
    )+};
}
builtin! {
    /// Addition of numbers, complex numbers and vectors. Integers wrap. The identity of floats is -0.0, since -0.0 + x is x for every x.
    Sum<Additive>: IDENTITY, Some(Atomic::Add), |l, a, b| ops::add(l, a, b);
    /// Multiplication. Integers wrap.
    Product<Number>: ONE, None, |l, a, b| ops::mul(l, a, b);
    /// The smallest number; NaN only if all are NaN. Empty: positive infinity, or the largest integer.
    Min<Number>: HIGHEST, Some(Atomic::Min), |l, a, b| Varying(<T as NumberLanes>::min(l, a.0, b.0));
    /// The largest number; NaN only if all are NaN. Empty: negative infinity, or the smallest integer.
    Max<Number>: LOWEST, Some(Atomic::Max), |l, a, b| Varying(<T as NumberLanes>::max(l, a.0, b.0));
    /// Bitwise and.
    BitAnd<Integer>: ALL_ONES, Some(Atomic::And), |l, a, b| Varying(<T as IntegerLanes>::bit_and(l, a.0, b.0));
    /// Bitwise or.
    BitOr<Integer>: ZERO, Some(Atomic::Or), |l, a, b| Varying(<T as IntegerLanes>::bit_or(l, a.0, b.0));
    /// Bitwise exclusive or.
    BitXor<Integer>: ZERO, Some(Atomic::Xor), |l, a, b| Varying(<T as IntegerLanes>::bit_xor(l, a.0, b.0));
}

/// Logical and of truth values: whether all are true. Empty: true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct And;

impl Operator<bool> for And {
    const COMMUTATIVE: bool = true;
    #[inline(always)]
    fn identity(&self) -> bool {
        true
    }
    #[inline(always)]
    fn combine<L: Lanes>(&self, l: L, a: Varying<L, bool>, b: Varying<L, bool>) -> Varying<L, bool> {
        ops::and(l, a, b)
    }
}

/// Logical or of truth values: whether any is true. Empty: false.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Or;

impl Operator<bool> for Or {
    const COMMUTATIVE: bool = true;
    #[inline(always)]
    fn identity(&self) -> bool {
        false
    }
    #[inline(always)]
    fn combine<L: Lanes>(&self, l: L, a: Varying<L, bool>, b: Varying<L, bool>) -> Varying<L, bool> {
        ops::or(l, a, b)
    }
}

macro_rules! arg {
    ($($(#[$doc:meta])* $name:ident: $worst:ident, |$l:ident, $a:ident, $b:ident| $at_least:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        impl<T: Number, I: Integer> Operator<(T, I)> for $name {
            const COMMUTATIVE: bool = true;
            #[inline(always)]
            fn identity(&self) -> (T, I) {
                (T::$worst, I::HIGHEST)
            }
            #[inline(always)]
            fn combine<L: Lanes>(&self, $l: L, a: Varying<L, (T, I)>, b: Varying<L, (T, I)>) -> Varying<L, (T, I)> {
                // `b` wins if its number is better or the only one, or if the numbers tie and its index is lower. Of two NaN the
                // left one stays, which in the order of a reduction is the first. Four comparisons, since they are what is scarce.
                let (($a, i), ($b, j)) = (a.0, b.0);
                let (a_holds, b_holds) = $at_least;
                let better = ops::and($l, ops::not($l, a_holds), ops::eq($l, $b, $b));
                let tie = ops::and($l, a_holds, b_holds);
                let wins = ops::or($l, better, ops::and($l, tie, ops::lt($l, j, i)));
                ops::select($l, wins, b, a)
            }
        }
    )+};
}
arg! {
    /// The smallest number and its index, over pairs `(number, index)`: `zip(&x, iota(0..n))`. Ties go to the lowest index; NaN
    /// loses to every number. Empty: the largest number and the largest index.
    ArgMin: HIGHEST, |l, x, y| (ops::le(l, x, y), ops::le(l, y, x));
    /// The largest number and its index, over pairs `(number, index)`: `zip(&x, iota(0..n))`. Ties go to the lowest index; NaN
    /// loses to every number. Empty: the smallest number and the largest index.
    ArgMax: LOWEST, |l, x, y| (ops::le(l, y, x), ops::le(l, x, y));
}

macro_rules! tuple {
    ($($o:ident $t:ident $i:tt),+) => {
        /// A tuple of operators reduces a tuple of elements, all in one pass.
        impl<$($t: Value, $o: Operator<$t>),+> Operator<($($t,)+)> for ($($o,)+) {
            const COMMUTATIVE: bool = true $(&& $o::COMMUTATIVE)+;
            #[inline(always)]
            fn identity(&self) -> ($($t,)+) {
                ($(self.$i.identity(),)+)
            }
            #[inline(always)]
            fn combine<L: Lanes>(&self, l: L, a: Varying<L, ($($t,)+)>, b: Varying<L, ($($t,)+)>) -> Varying<L, ($($t,)+)> {
                Varying(($(self.$i.combine(l, a.0.$i, b.0.$i),)+))
            }
            fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
                $(self.$i.data(visitor)?;)+
                Ok(())
            }
        }
    };
}
tuple!(O A 0, P B 1);
tuple!(O A 0, P B 1, Q C 2);
tuple!(O A 0, P B 1, Q C 2, R D 3);
tuple!(O A 0, P B 1, Q C 2, R D 3, S E 4);
tuple!(O A 0, P B 1, Q C 2, R D 3, S E 4, U F 5);
