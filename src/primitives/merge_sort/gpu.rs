//! Merge sort on a GPU: tiles in workgroup memory, then runs of them merged, two by two, by merge path.

use crate::array::{Array, Length};
use crate::backend::gpu::{
    Access, Declared, Extent, Function, Holds, Input, Part, Recording, Stage, Started, counts_in_32_bits, element_bytes, part,
    slots,
};
use crate::element::Element;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::primitives::merge::gpu::Merger;
use crate::source::Source;

/// What sorts tiles.
pub(crate) const TEMPLATE: [Part; 2] = [part!("merge_tile"), part!("merge_sort_tile")];

/// The buffers that it writes.
pub(crate) const BUFFERS: [Declared<'static>; 1] = [("out", Holds::Items, Access::ReadWrite)];

/// Records the sort into a new array.
pub(super) fn sort<'t, T: Element, S: Source<Item = T>, K: Kernel<(T, T), Out = bool>>(
    on: Recording<'_>,
    source: &S,
    less: &K,
) -> Result<Started<'t, Array<T>>> {
    let n = source.len()? as u64;
    if n == 0 {
        return Ok(Started::Ready(Array::empty(on.engine)));
    }
    let merger = Merger::new::<T, K>(on, less)?;
    counts_in_32_bits(n)?;
    let (executor, function) = (&merger.executor, Function::source(on.gpu, source)?);
    let mut sorted = executor.items(T::WORDS, n)?;
    let chunk = executor.chunk(&function, T::WORDS)?;
    for base in (0..n).step_by(chunk as usize) {
        let count = chunk.min(n - base);
        let window = sorted.range(base * element_bytes::<T>(), count * element_bytes::<T>());
        let stage = Stage {
            template: &TEMPLATE,
            item: &merger.item,
            input: Input::Function(&function),
            operator: Some(&merger.less),
            buffers: &slots(&BUFFERS, [window]),
            shuffles: false,
            extent: Extent::Dispatched,
            glue: &merger.glue,
        };
        executor.dispatch(&stage, [0, 0], base, count, merger.share())?;
    }
    let mut run = merger.tile;
    while run < n {
        let merged = executor.items(T::WORDS, n)?;
        merger.merge_runs(&sorted, run, &merged, n)?;
        (sorted, run) = (merged, run * 2);
    }
    Ok(Started::Ready(on.array(Length::Known(n as usize), sorted)))
}
