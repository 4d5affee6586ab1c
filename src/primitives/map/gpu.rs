//! Map on a GPU: blocks of elements, of which a workgroup takes as many as its share of the grain has tiles.

use crate::array::{Array, Length};
use crate::backend::gpu::{
    Access, Buffer, Extent, Function, Input, Part, Recording, Share, Slot, Stage, Started, element_bytes, leaves, part,
};
use crate::element::Element;
use crate::error::Result;
use crate::source::Source;

/// Elements of a block of `map.wgsl`. Four workgroups share each tile of a map: elements depend on nothing, so that few and dear ones
/// are better spread.
const BLOCK: u64 = 1024;

/// What runs.
pub(crate) const TEMPLATE: [Part; 1] = [part!("map")];

/// Records the map into a new array.
pub(crate) fn map<'t, S: Source<Item: Element>>(on: Recording<'_>, source: &S) -> Result<Started<'t, Array<S::Item>>> {
    let length = Length::of(source)?;
    let n = length.bound();
    if n == 0 {
        return Ok(Started::Ready(Array::empty(on.engine)));
    }
    let executor = on.executor();
    let function = Function::source(on.gpu, source)?;
    let out = executor.items(S::Item::WORDS, n as u64)?;
    let share = Share { block: BLOCK, ..Share::tiles(on.grain) };
    let chunk = executor.chunk(&function, S::Item::WORDS)?;
    for base in (0..n as u64).step_by(chunk as usize) {
        let count = chunk.min(n as u64 - base);
        let window = out.range(base * element_bytes::<S::Item>(), count * element_bytes::<S::Item>());
        let stage = Stage {
            template: &TEMPLATE,
            item: &leaves::<S::Item>(),
            input: Input::Function(&function),
            operator: None,
            buffers: &[Slot::items("out", Access::ReadWrite, window)],
            shuffles: false,
            extent: Extent::of(&length),
            glue: "",
        };
        executor.dispatch(&stage, [0, 0], base, count, share)?;
    }
    Ok(Started::Ready(on.array(length, out)))
}

/// The elements of a source on the device, to be read at computed indices: its data, if it is nothing else.
pub(crate) fn data<S: Source<Item: Element>>(on: Recording<'_>, source: &S) -> Result<Buffer> {
    match Function::plain(on.gpu, source)? {
        Some(data) => Ok(data),
        None => Ok(map(on, source)?.array().device(on.gpu)?.buffer().clone()),
    }
}
