//! Keys with std's total order, and what the documentation says of their ordered form.

use std::cmp::Ordering;

use granule::primitives::SortKey;

use super::Value;

pub(crate) trait Key: SortKey + Value + Default {
    fn compare(&self, other: &Self) -> Ordering;
    /// From some of the bits.
    fn of_bits(bits: u64) -> Self;
    /// The ordered form.
    fn form(self) -> u64;
}

macro_rules! integers {
    ($($t:ident $u:ident $flip:expr),+) => {$(
        impl Key for $t {
            fn compare(&self, other: &Self) -> Ordering {
                self.cmp(other)
            }
            fn of_bits(bits: u64) -> Self {
                bits as $t
            }
            fn form(self) -> u64 {
                u64::from(self as $u ^ $flip)
            }
        }
    )+};
}
integers!(u32 u32 0, i32 u32 1 << 31, u64 u64 0, i64 u64 1 << 63);

macro_rules! floats {
    ($($t:ident $u:ident $sign:expr),+) => {$(
        impl Key for $t {
            fn compare(&self, other: &Self) -> Ordering {
                self.total_cmp(other)
            }
            fn of_bits(bits: u64) -> Self {
                $t::from_bits(bits as $u)
            }
            fn form(self) -> u64 {
                let bits = self.to_bits();
                u64::from(if bits & $sign == 0 { bits | $sign } else { !bits })
            }
        }
    )+};
}
floats!(f32 u32 1 << 31, f64 u64 1 << 63);

/// The bits of keys, by which NaNs too are compared.
pub(crate) fn bits<T: Key>(x: &[T]) -> Vec<u64> {
    x.iter().map(|x| x.bits()).collect()
}
