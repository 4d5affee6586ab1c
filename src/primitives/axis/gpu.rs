//! Along an axis on a GPU, in the order of the CPU: a thread for each place behind the axis, so that neighbours read neighbours, or a workgroup
//! where rows are folded side by side.

use crate::array::{Array, Length};
use crate::backend::gpu::{
    Access, Buffer, Executor, Extent, Function, Input, Part, Recording, Share, Slot, Stage, Started, counts_in_32_bits, leaves,
    part,
};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::operator::Operator;
use crate::plan::Backend;
use crate::primitives::map;
use crate::source::{IntoSource, Source, constant};

use super::{Along, LANES, Layout};

/// Threads of a workgroup, each of which has a result of its own.
const THREADS: u64 = 256;
/// Blocks of them that a workgroup takes: one, since each is long.
const SHARE: Share = Share { block: THREADS, blocks: 1 };

/// What gives each thread a result.
pub(crate) const DIRECT: [Part; 2] = [part!("axis_direct"), part!("axis_main")];
/// What folds rows side by side.
pub(crate) const LANED: [Part; 1] = [part!("axis_lanes")];
/// What scans.
pub(crate) const SCAN: [Part; 2] = [part!("axis_scan"), part!("axis_main")];

/// What stands before each place of a part, for a scan in parts.
pub(crate) fn glue(carried: bool, exclusive: bool) -> String {
    let before = if carried { "load_before(i)" } else { "combine_identity()" };
    format!(
        "const CARRIED = {carried};\nconst EXCLUSIVE = {exclusive};\nfn before_part(i: u32) -> Item {{\n    return {before};\n}}\n"
    )
}

/// A source that is read at computed places, with an operator.
struct Operands {
    source: Function,
    combine: Function,
}

impl Operands {
    fn new<S: Source<Item: Element>, O: Operator<S::Item>>(on: Recording<'_>, source: &S, op: &O, n: usize) -> Result<Self> {
        counts_in_32_bits(n as u64)?;
        let source = Function::source(on.gpu, source)?;
        let chunk = on.executor().chunk(&source, S::Item::WORDS)?;
        if n as u64 > chunk {
            let reason =
                format!("a grid of {n} elements is read as a whole, and one binding of this GPU holds {chunk}: run on the CPU");
            return Err(Error::Unsupported { backend: Backend::Gpu, reason });
        }
        Ok(Operands { source, combine: Function::operator::<S::Item, O>(on.gpu, op)? })
    }
}

/// Records the combination of the elements along the axis into a new array.
pub(super) fn reduce<'t, T: Element, S: Source<Item = T>, O: Operator<T>>(
    on: Recording<'_>,
    source: &S,
    op: &O,
    layout: Layout,
) -> Result<Started<'t, Array<T>>> {
    let outputs = layout.along.outputs();
    if outputs == 0 {
        return Ok(Started::Ready(Array::empty(on.engine)));
    }
    if layout.along.len == 0 {
        return map::gpu::map(on, &constant(op.identity()).take(outputs));
    }
    let operands = Operands::new(on, source, op, layout.along.elements())?;
    let executor = on.executor();
    let each = parts::<T>(&executor, Input::Function(&operands.source), &operands, layout)?;
    if layout.parts == 1 {
        return Ok(Started::Ready(on.array(Length::Known(outputs), each)));
    }
    let sums = parts::<T>(&executor, Input::Items(&each), &operands, Layout::whole(layout.of_parts()))?;
    Ok(Started::Ready(on.array(Length::Known(outputs), sums)))
}

/// Records the combination of each part.
fn parts<T: Element>(executor: &Executor<'_>, input: Input<'_>, operands: &Operands, layout: Layout) -> Result<Buffer> {
    let Layout { along: Along { len, inner, .. }, parts, rows, beside } = layout;
    let results = layout.of_parts().elements();
    let out = executor.items(T::WORDS, results as u64)?;
    let words = [len as u32, inner as u32, parts as u32, rows as u32, beside as u32];
    let lanes = beside > 1;
    let stage = Stage {
        template: if lanes { &LANED } else { &DIRECT },
        item: &leaves::<T>(),
        input,
        operator: Some(&operands.combine),
        buffers: &[Slot::items("out", Access::ReadWrite, out.all())],
        shuffles: false,
        extent: Extent::Dispatched,
        glue: "",
    };
    if lanes {
        let groups = (results / inner) as u64;
        executor.dispatch_shared(&stage, words, 0, groups, (1, groups))?;
    } else {
        executor.dispatch(&stage, words, 0, results as u64, SHARE)?;
    }
    Ok(out)
}

/// Records the scan of columns into a new array.
pub(super) fn scan<'t, T: Element, S: Source<Item = T>, O: Operator<T>>(
    on: Recording<'_>,
    source: &S,
    op: &O,
    (layout, exclusive): (Layout, bool),
) -> Result<Started<'t, Array<T>>> {
    let n = layout.along.elements();
    if n == 0 {
        return Ok(Started::Ready(Array::empty(on.engine)));
    }
    let operands = Operands::new(on, source, op, n)?;
    let executor = on.executor();
    let whole = Input::Function(&operands.source);
    let mut before = None;
    if layout.parts > 1 {
        let sums = parts::<T>(&executor, whole, &operands, layout)?;
        before =
            Some(scan_parts::<T>(&executor, Input::Items(&sums), &operands, Layout::whole(layout.of_parts()), (None, true))?);
    }
    let out = scan_parts::<T>(&executor, whole, &operands, layout, (before.as_ref(), exclusive))?;
    Ok(Started::Ready(on.array(Length::Known(n), out)))
}

/// Records the scan of each part behind what stands before it.
fn scan_parts<T: Element>(
    executor: &Executor<'_>,
    input: Input<'_>,
    operands: &Operands,
    layout: Layout,
    (before, exclusive): (Option<&Buffer>, bool),
) -> Result<Buffer> {
    let Layout { along, parts, rows, .. } = layout;
    let out = executor.items(T::WORDS, along.elements() as u64)?;
    let mut buffers = vec![Slot::items("out", Access::ReadWrite, out.all())];
    if let Some(before) = before {
        buffers.push(Slot::items("before", Access::Read, before.all()));
    }
    let stage = Stage {
        template: &SCAN,
        item: &leaves::<T>(),
        input,
        operator: Some(&operands.combine),
        buffers: &buffers,
        shuffles: false,
        extent: Extent::Dispatched,
        glue: &glue(before.is_some(), exclusive),
    };
    let words = [along.len as u32, along.inner as u32, parts as u32, rows as u32];
    executor.dispatch(&stage, words, 0, layout.of_parts().elements() as u64, SHARE)?;
    Ok(out)
}

const _: () = assert!(LANES == 64, "the workgroup of axis_lanes.wgsl");
