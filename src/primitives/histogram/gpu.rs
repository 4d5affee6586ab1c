//! Histogram on a GPU: atomic additions of integers, in a workgroup's memory where the bins fit there, else in that of all.

use crate::array::{Array, Length};
use crate::backend::gpu::{
    Access, Declared, Extent, Function, Holds, Input, Part, Recording, Share, Stage, Started, leaves, part, slots,
};
use crate::element::{Element, Kind};
use crate::error::{Error, Result};
use crate::plan::Backend;
use crate::source::Source;

use super::entry::{Amount, Entry, REFUSED};

/// What adds up in a workgroup's memory.
pub(crate) const WORKGROUP: [Part; 1] = [part!("histogram_workgroup")];
/// What adds up in the memory of all.
pub(crate) const GLOBAL: [Part; 1] = [part!("histogram_global")];
/// Counters in a workgroup's memory: the 16 KiB that every API promises.
const COUNTERS: usize = 4096;
/// Counters of a bin at most.
const SHARED_BY: usize = 16;

/// The sums, which are added to atomically: signed ones by their bits.
pub(crate) const SUMS: Declared<'static> = ("sums", Holds::Atomics(Kind::U32), Access::ReadWrite);

/// `bin_of(item)` and `amount_of(item)`, for an item of these leaves.
pub(crate) fn glue(item: &[Kind]) -> String {
    let (bin, amount) = match item {
        [_, Kind::U32] => ("x.f0", "x.f1"),
        [_, _] => ("x.f0", "bitcast<u32>(x.f1)"),
        _ => ("x", "1u"),
    };
    format!("fn bin_of(x: Item) -> u32 {{\n    return {bin};\n}}\nfn amount_of(x: Item) -> u32 {{\n    return {amount};\n}}\n")
}

/// Counters of a bin in a workgroup's memory, where a workgroup takes so many elements: to clear and to add up what it has costs less
/// than they do.
fn counters(bins: usize, grain: usize) -> usize {
    let fit = COUNTERS.min(grain / 4) / bins;
    1 << fit.clamp(1, SHARED_BY).ilog2()
}

/// Records the histogram into a new array.
pub(crate) fn histogram<'t, E: Entry, S: Source<Item = E>>(
    on: Recording<'_>,
    entries: &S,
    bins: usize,
) -> Result<Started<'t, Array<E::Amount>>> {
    if !E::Amount::ON_GPU {
        return Err(Error::Unsupported { backend: Backend::Gpu, reason: REFUSED.into() });
    }
    let executor = on.executor();
    let sums = executor.items(E::Amount::WORDS, bins as u64)?;
    on.gpu.clear(&sums, 0, bins as u64 * 4)?;
    let length = Length::of(entries)?;
    let n = length.bound() as u64;
    if n > 0 {
        let function = Function::source(on.gpu, entries)?;
        let item = leaves::<E>();
        let within = bins <= COUNTERS;
        let chunk = executor.chunk(&function, 1)?;
        for (first, count) in executor.windows(1, bins as u64)? {
            let stage = Stage {
                template: if within { &WORKGROUP } else { &GLOBAL },
                item: &item,
                input: Input::Function(&function),
                operator: None,
                buffers: &slots(&[SUMS], [sums.range(first * 4, count * 4)]),
                shuffles: false,
                extent: Extent::of(&length),
                glue: &glue(&item),
            };
            let words = if within { [bins as u32, counters(bins, on.grain) as u32] } else { [first as u32, count as u32] };
            for base in (0..n).step_by(chunk as usize) {
                executor.dispatch(&stage, words, base, chunk.min(n - base), Share::tiles(on.grain))?;
            }
        }
    }
    Ok(Started::Ready(on.array(Length::Known(bins), sums)))
}

#[cfg(test)]
mod tests {
    use super::{COUNTERS, counters};
    use crate::backend::cpu::TILE;

    #[test]
    fn counters_fit() {
        for bins in 1..=COUNTERS {
            for tiles in 1..=16 {
                let each = counters(bins, tiles * TILE);
                assert!(each.is_power_of_two() && each * bins <= COUNTERS, "{bins} bins, {tiles} tiles: {each}");
            }
        }
    }
}
