//! One value under two names of its type.

use std::any::TypeId;
use std::mem::transmute_copy;

use crate::element::Value;
use crate::kernel::{Lanes, Varying};

/// The value itself, where `A` and `B` are the same type but only the caller of generic code knows that. `kernel!` without `-> T`
/// uses it: rustc infers `B` from a closure with the kernel's body, and `A` is the type of the same body in the lanes.
///
/// # Panics
/// If the types differ: when the result is made of unsuffixed literals whose type the context chose.
#[inline(always)]
#[doc(hidden)]
pub fn same<L: Lanes, A: Value, B: Value>(_: L, x: Varying<L, A>) -> Varying<L, B> {
    assert!(
        TypeId::of::<A>() == TypeId::of::<B>(),
        "the kernel's result is {} in one place and {} in another: write its type, `kernel!(|..| -> T {{ .. }})`",
        std::any::type_name::<A>(),
        std::any::type_name::<B>()
    );
    // SAFETY: `A` and `B` are `'static` (`Value` requires it) and have equal ids, so they are one type, and so are
    // `Varying<L, A>` and `Varying<L, B>`, which are `Copy`.
    unsafe { transmute_copy::<Varying<L, A>, Varying<L, B>>(&x) }
}
