//! Set operations on the CPU: what is kept of each input is selected, and merged.

use crate::array::Data;
use crate::backend::cpu::Cpu;
use crate::backend::simd::ViewMut;
use crate::element::{Element, Number};
use crate::error::Result;
use crate::primitives::{merge, select};
use crate::source::IntoSource;

use super::{ALL, Flagged, NONE, SetOperation, less, with_flags};

/// Writes what results; how many elements there are.
pub(super) fn write<T: Number + Element>(cpu: &Cpu<'_>, set: &SetOperation<'_, T>, out: ViewMut<'_, T>) -> Result<usize> {
    let SetOperation { a, b, keep } = *set;
    if keep.b == NONE {
        let source = with_flags(a, b, keep.a).map(Flagged);
        return select::cpu::select_into(cpu, &source, a.len(), [out]).map(|[kept]| kept);
    }
    let only = |own: Data<'_, T>, other, keep| {
        let source = with_flags(own, other, keep).map(Flagged);
        select::cpu::select::<T, _, 1>(cpu, &source, own.len()).map(|[kept]| kept)
    };
    let of_b = only(b, a, keep.b)?;
    let selected;
    let of_a = if keep.a == ALL {
        a.host()
    } else {
        selected = only(a, b, keep.a)?;
        &selected[..]
    };
    let lengths = (of_a.len(), of_b.len());
    merge::cpu::merge(cpu, (&of_a.into_source(), &(&of_b).into_source()), lengths, &less::with(), out)?;
    Ok(lengths.0 + lengths.1)
}
