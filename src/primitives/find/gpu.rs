//! Find on a GPU: the least index of a hit, a reduction.

use crate::array::Length;
use crate::backend::gpu::{Recording, Started, counts_in_32_bits};
use crate::error::Result;
use crate::kernel::{Kernel, Lanes, Varying, ops};
use crate::operator::Min;
use crate::primitives::reduce;
use crate::source::{IntoSource, Places, Source, zip};

/// Records the search; what it finds is on its way to the host.
pub(crate) fn find<'t, S: Source<Item = bool>>(on: Recording<'_>, source: &S) -> Result<Started<'t, Option<usize>>> {
    // One more: the last number is no index.
    counts_in_32_bits(Length::of(source)?.bound() as u64 + 1)?;
    let first = reduce::gpu::reduce(on, &zip(*source, Places).map(Place), &Min)?;
    Ok(first.map(|i| (i != NOWHERE).then_some(i as usize)))
}

/// What is no index.
const NOWHERE: u32 = u32::MAX;

/// The index where there is a hit.
#[derive(Clone, Copy)]
struct Place;

impl Kernel<(bool, u32)> for Place {
    type Out = u32;
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, Varying((hit, i)): Varying<L, (bool, u32)>) -> Varying<L, u32> {
        ops::select(l, hit, i, ops::lit(l, NOWHERE))
    }
}
