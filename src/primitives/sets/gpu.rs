//! Set operations on a GPU.
//!
//! What fits one binding is searched at computed places, as on the CPU; but all is merged with its flags, and then selected.
//!
//! Above one binding nothing can be searched. Instead each element gets its number among its equals, which a scan finds: then no two of one
//! input are alike, and if all are merged by element and number, those that match each other are neighbours. Each stage reads in order or
//! goes along the path of a merge, so that windows of the data are enough for it.

use crate::array::{Array, Data};
use crate::backend::gpu::{Recording, Started, element_bytes, unsupported};
use crate::element::{Element, Number};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::operator::Max;
use crate::primitives::scan::{self, Scan};
use crate::primitives::{merge, select};
use crate::source::{IntoSource, Map, Places, SliceSource, Zip3, constant, zip, zip3};

use super::{ALL, Flagged, Keep, NONE, SetOperation, with_flags};

/// Elements of an input that is numbered, at most: a number has a bit for whose it is.
const MOST: usize = 1 << 31;

/// Records the operation into a new array.
pub(super) fn start<'t, T: Number + Element>(on: Recording<'_>, set: &SetOperation<'_, T>) -> Result<Started<'t, Array<T>>> {
    let SetOperation { a, b, keep } = *set;
    let longest = a.len().max(b.len());
    let kept = if longest as u64 * element_bytes::<T>() > on.gpu.limits().max_storage_buffer_binding_size {
        if longest > MOST {
            return Err(unsupported(format!("it numbers equals in 31 bits, and there are {longest} elements: run on the CPU")));
        }
        let merged = numbered_and_merged(on, a, b)?;
        let flagged = zip3((&merged).beside(-1), &merged, (&merged).beside(1)).map(kept_among::with(keep.a, keep.b));
        select::gpu::select::<T, _, 1>(on, &flagged.map(Flagged))
    } else if keep.b == NONE {
        select::gpu::select::<T, _, 1>(on, &with_flags(a, b, keep.a).map(Flagged))
    } else {
        let merged = flagged_and_merged(on, a, b, keep)?;
        select::gpu::select::<T, _, 1>(on, &(&merged).map(Flagged))
    };
    Ok(kept?.map(|[kept]| kept))
}

/// All elements in order, with whether they are kept.
fn flagged_and_merged<T: Number + Element>(
    on: Recording<'_>,
    a: Data<'_, T>,
    b: Data<'_, T>,
    keep: Keep,
) -> Result<Array<(T, bool)>> {
    let (of_b, less) = (with_flags(b, a, keep.b), less_flagged::with());
    let merged = if keep.a == ALL {
        merge::gpu::merge(on, (&zip(SliceSource::new(a), constant(true)), &of_b), &less)
    } else {
        merge::gpu::merge(on, (&with_flags(a, b, keep.a), &of_b), &less)
    };
    Ok(merged?.array())
}

/// Whether an element comes first, of elements with flags.
#[granule_macros::kernel]
fn less_flagged<T: Number + Element>(a: (T, bool), b: (T, bool)) -> bool {
    a.0 < b.0
}

/// All elements in order, equal ones by their number, and then those of `a` first. The number's last bit is set of those of `b`.
fn numbered_and_merged<T: Number + Element>(on: Recording<'_>, a: Data<'_, T>, b: Data<'_, T>) -> Result<Array<(T, u32)>> {
    let starts = [starts(on, a)?, starts(on, b)?];
    let of_a = with_numbers(a, &starts[0], 0);
    let of_b = with_numbers(b, &starts[1], 1);
    Ok(merge::gpu::merge(on, (&of_a, &of_b), &less_numbered::with())?.array())
}

/// For each element where its equals begin.
fn starts<T: Number + Element>(on: Recording<'_>, data: Data<'_, T>) -> Result<Array<u32>> {
    let x = SliceSource::new(data);
    Ok(scan::gpu::scan(on, &Scan::inclusive(zip3(x.beside(-1), x, Places).map(start_of::with()), Max))?.array())
}

/// The place of an element that is above the one before it.
#[granule_macros::kernel]
fn start_of<T: Number + Element>(before: T, x: T, i: u32) -> u32 {
    if before < x { i } else { 0 }
}

/// Elements with their numbers.
type WithNumbers<'d, T, K> = Map<Zip3<SliceSource<'d, T>, SliceSource<'d, u32>, Places>, K>;

fn with_numbers<'d, T: Number + Element>(
    data: Data<'d, T>,
    starts: &'d Array<u32>,
    second: u32,
) -> WithNumbers<'d, T, impl Kernel<(T, u32, u32), Out = (T, u32)>> {
    zip3(SliceSource::new(data), starts, Places).map(with_number::with(second))
}

#[granule_macros::kernel]
fn with_number<T: Number + Element>(x: T, start: u32, i: u32, #[uniform] second: u32) -> (T, u32) {
    (x, (i - start) * 2 + second)
}

#[granule_macros::kernel]
fn less_numbered<T: Number + Element>(a: (T, u32), b: (T, u32)) -> bool {
    a.0 < b.0 || a.0 == b.0 && a.1 < b.1
}

/// An element of all that are in order, and whether it is kept: as what its neighbours say of a match.
#[granule_macros::kernel]
fn kept_among<T: Number + Element>(
    before: (T, u32),
    x: (T, u32),
    after: (T, u32),
    #[uniform] of_a: u32,
    #[uniform] of_b: u32,
) -> (T, bool) {
    let second = x.1 % 2 == 1;
    let matched = if second { before.1 + 1 == x.1 && before.0 == x.0 } else { after.1 == x.1 + 1 && after.0 == x.0 };
    let keep = if second { of_b } else { of_a };
    let bit = if matched { 1 } else { 2 };
    (x.0, keep & bit != 0)
}
