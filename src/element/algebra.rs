//! Operators of a kernel on more than numbers: what `+`, `-`, `*` and `/` mean for [`Complex`](super::Complex) and small vectors.
//!
//! `a + b` and `a - b` have operands of one type, so one trait serves. `a * b` and `a / b` may scale a vector by a number. A
//! function of two type parameters would leave the type of a literal open (`2.0 * x`), so the macros write [`Operands`]: its own
//! methods take two of one type, and rustc prefers them; only if they do not fit, it looks at the traits [`Scale`] and [`Shrink`].

use super::{Number, NumberLanes, Value};
use crate::kernel::{Lanes, Varying};

/// What `a + b`, `a - b` and `-a` work on in a kernel, and [`Sum`](crate::operator::Sum) in a reduction: numbers, complex numbers
/// and vectors.
pub trait Additive: Value {
    /// The identity of addition to the bit: -0.0 for each float.
    const IDENTITY: Self;
    /// `a + b`
    fn plus<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    /// `a - b`
    fn minus<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    /// `-a`
    fn negative<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L>;
}

impl<T: Number> Additive for T {
    const IDENTITY: Self = T::SUM_IDENTITY;
    #[inline(always)]
    fn plus<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L> {
        <T as NumberLanes>::add(l, a, b)
    }
    #[inline(always)]
    fn minus<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L> {
        <T as NumberLanes>::sub(l, a, b)
    }
    #[inline(always)]
    fn negative<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L> {
        <T as NumberLanes>::neg(l, a)
    }
}

/// What `a * b` and `a / b` work on in a kernel: numbers and complex numbers.
pub trait Multiplicative: Value {
    /// `a * b`
    fn times<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    /// `a / b`
    fn over<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
}

impl<T: Number> Multiplicative for T {
    #[inline(always)]
    fn times<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L> {
        <T as NumberLanes>::mul(l, a, b)
    }
    #[inline(always)]
    fn over<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L> {
        <T as NumberLanes>::div(l, a, b)
    }
}

/// The operands of `*` or `/`.
#[doc(hidden)]
pub struct Operands<A, B>(pub A, pub B);

#[allow(missing_docs, clippy::should_implement_trait, reason = "named for what the macros write")]
impl<L: Lanes, T: Multiplicative> Operands<Varying<L, T>, Varying<L, T>> {
    #[inline(always)]
    pub fn mul(self, l: L) -> Varying<L, T> {
        Varying(T::times(l, self.0.0, self.1.0))
    }
    #[inline(always)]
    pub fn div(self, l: L) -> Varying<L, T> {
        Varying(T::over(l, self.0.0, self.1.0))
    }
}

/// A vector and a number, in either order: `v * s`, `s * v`.
#[doc(hidden)]
#[allow(missing_docs)] // named for what the macros write
pub trait Scale<L> {
    type Out;
    fn mul(self, l: L) -> Self::Out;
}

/// A vector over a number: `v / s`.
#[doc(hidden)]
#[allow(missing_docs)] // named for what the macros write
pub trait Shrink<L> {
    type Out;
    fn div(self, l: L) -> Self::Out;
}

/// The operators of complex numbers and vectors, leaf by leaf: Rust's, and the same in lanes. `[$($generics)*]` are the type's
/// parameters, `$lanes` its form in lanes, `$s` the number that its leaves `$x` are.
macro_rules! space {
    ([$($generics:tt)*] $name:ty, $lanes:ident, $s:ty: $($x:ident)+) => {
        space!(@plain [$($generics)*] $name, $name: Add add AddAssign add_assign, |a, b| { $($x: a.$x + b.$x),+ });
        space!(@plain [$($generics)*] $name, $name: Sub sub SubAssign sub_assign, |a, b| { $($x: a.$x - b.$x),+ });
        space!(@plain [$($generics)*] $name, $s: Mul mul MulAssign mul_assign, |a, b| { $($x: a.$x * b),+ });
        space!(@plain [$($generics)*] $name, $s: Div div DivAssign div_assign, |a, b| { $($x: a.$x / b),+ });
        impl<$($generics)*> std::ops::Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self { $($x: -self.$x),+ }
            }
        }
        impl<$($generics)*> $crate::element::Additive for $name {
            const IDENTITY: Self = Self { $($x: <$s as $crate::element::Number>::SUM_IDENTITY),+ };
            #[inline(always)]
            fn plus<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L> {
                $lanes { $($x: ops::add(l, a.$x, b.$x)),+ }
            }
            #[inline(always)]
            fn minus<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L> {
                $lanes { $($x: ops::sub(l, a.$x, b.$x)),+ }
            }
            #[inline(always)]
            fn negative<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L> {
                $lanes { $($x: ops::neg(l, a.$x)),+ }
            }
        }
        impl<L: Lanes, $($generics)*> $crate::element::Scale<L> for $crate::element::Operands<Varying<L, $name>, Varying<L, $s>> {
            type Out = Varying<L, $name>;
            #[inline(always)]
            fn mul(self, l: L) -> Varying<L, $name> {
                Varying($lanes { $($x: ops::mul(l, self.0.0.$x, self.1)),+ })
            }
        }
        impl<L: Lanes, $($generics)*> $crate::element::Scale<L> for $crate::element::Operands<Varying<L, $s>, Varying<L, $name>> {
            type Out = Varying<L, $name>;
            #[inline(always)]
            fn mul(self, l: L) -> Varying<L, $name> {
                Varying($lanes { $($x: ops::mul(l, self.0, self.1.0.$x)),+ })
            }
        }
        impl<L: Lanes, $($generics)*> $crate::element::Shrink<L> for $crate::element::Operands<Varying<L, $name>, Varying<L, $s>> {
            type Out = Varying<L, $name>;
            #[inline(always)]
            fn div(self, l: L) -> Varying<L, $name> {
                Varying($lanes { $($x: ops::div(l, self.0.0.$x, self.1)),+ })
            }
        }
    };
    (@plain [$($generics:tt)*] $name:ty, $other:ty: $op:ident $f:ident $assign:ident $g:ident,
     |$a:ident, $b:ident| { $($x:ident: $value:expr),+ }) => {
        impl<$($generics)*> std::ops::$op<$other> for $name {
            type Output = Self;
            fn $f(self, $b: $other) -> Self {
                let $a = self;
                Self { $($x: $value),+ }
            }
        }
        impl<$($generics)*> std::ops::$assign<$other> for $name {
            fn $g(&mut self, other: $other) {
                *self = std::ops::$op::$f(*self, other);
            }
        }
    };
}
pub(super) use space;
