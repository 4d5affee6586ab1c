//! Keys as unsigned numbers in the same order.

use crate::element::{Cast, Integer, Scalar};
use crate::kernel::{Kernel, Lanes, Varying, ops};
use crate::source::Count;

/// A type that elements can be sorted by: `u32`, `i32`, `f32`, `u64`, `i64` or `f64`.
///
/// A key's *ordered form* is an unsigned number of the same width that compares as the key does. Integers compare as usual. Floats are
/// in a total order, which is that of [`f32::total_cmp`]: -NaN < -inf < ... < -0 < +0 < ... < +inf < NaN, and NaNs of one sign by their
/// bits.
///
/// ```
/// use granule::primitives::SortKey;
///
/// assert!((-1.0_f32).ordered() < (-0.0_f32).ordered());
/// assert_eq!(i32::from_ordered((-7_i32).ordered()), -7);
/// ```
pub trait SortKey: Scalar {
    /// The unsigned number: `u32` or `u64`.
    type Bits: Integer + Scalar + Cast<u32> + Count;

    /// The ordered form.
    fn ordered(self) -> Self::Bits;
    /// The key with this ordered form.
    fn from_ordered(bits: Self::Bits) -> Self;
    /// The ordered form in any lanes.
    fn ordered_in<L: Lanes>(l: L, x: Varying<L, Self>) -> Varying<L, Self::Bits>;
}

macro_rules! keys {
    ($($bits:ident $signed:ident $float:ident $sign:expr),+) => {$(
        impl SortKey for $bits {
            type Bits = $bits;
            #[inline(always)]
            fn ordered(self) -> $bits {
                self
            }
            #[inline(always)]
            fn from_ordered(bits: $bits) -> $bits {
                bits
            }
            #[inline(always)]
            fn ordered_in<L: Lanes>(_: L, x: Varying<L, $bits>) -> Varying<L, $bits> {
                x
            }
        }

        /// The sign bit is turned over.
        impl SortKey for $signed {
            type Bits = $bits;
            #[inline(always)]
            fn ordered(self) -> $bits {
                self as $bits ^ $sign
            }
            #[inline(always)]
            fn from_ordered(bits: $bits) -> $signed {
                (bits ^ $sign) as $signed
            }
            #[inline(always)]
            fn ordered_in<L: Lanes>(l: L, x: Varying<L, $signed>) -> Varying<L, $bits> {
                ops::xor(l, ops::cast::<$bits, _, _>(l, x), ops::lit(l, $sign))
            }
        }

        /// The sign bit is turned over, and if it was set all others too: the larger a negative float's bits, the smaller it is.
        impl SortKey for $float {
            type Bits = $bits;
            #[inline(always)]
            fn ordered(self) -> $bits {
                let bits = self.to_bits();
                bits ^ (((bits as $signed) >> ($bits::BITS - 1)) as $bits | $sign)
            }
            #[inline(always)]
            fn from_ordered(bits: $bits) -> $float {
                $float::from_bits(bits ^ (!((bits as $signed) >> ($bits::BITS - 1)) as $bits | $sign))
            }
            #[inline(always)]
            fn ordered_in<L: Lanes>(l: L, x: Varying<L, $float>) -> Varying<L, $bits> {
                let bits = ops::to_bits(l, x);
                let signs = ops::shr(l, ops::cast::<$signed, _, _>(l, bits), ops::lit(l, $bits::BITS - 1));
                ops::xor(l, bits, ops::or(l, ops::cast::<$bits, _, _>(l, signs), ops::lit(l, $sign)))
            }
        }
    )+};
}
keys!(u32 i32 f32 1 << 31, u64 i64 f64 1 << 63);

/// The kernel from a key to its ordered form.
#[derive(Clone, Copy)]
pub struct Ordered;

impl<T: SortKey> Kernel<T> for Ordered {
    type Out = T::Bits;

    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, T>) -> Varying<L, T::Bits> {
        T::ordered_in(l, x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: SortKey>(sorted: &[T]) {
        for pair in sorted.windows(2) {
            assert!(pair[0].ordered() < pair[1].ordered(), "{pair:?}");
        }
        for &x in sorted {
            assert_eq!(T::from_ordered(x.ordered()).bits(), x.bits());
        }
    }

    #[test]
    fn the_ordered_form_compares_as_the_key() {
        check(&[0, 1, u32::MAX / 2, u32::MAX]);
        check(&[i32::MIN, -1, 0, 1, i32::MAX]);
        check(&[i64::MIN, -1, 0, 1, i64::MAX]);
        let tiny = f32::from_bits(1);
        check(&[-f32::NAN, f32::NEG_INFINITY, -1.0, -tiny, -0.0, 0.0, tiny, 1.0, f32::INFINITY, f32::NAN]);
        check(&[-f64::NAN, f64::NEG_INFINITY, -1.0, -0.0, 0.0, 1.0, f64::INFINITY, f64::NAN]);
    }
}
