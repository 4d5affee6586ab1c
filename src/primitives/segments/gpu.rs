//! Segments on a GPU: the path of `cpu.rs` in tiles of 1024 steps, four a thread, so that threads do equally much whatever the lengths
//! are. No workgroup waits for another: what a tile has left of a segment that ends in a later one is scanned with the other tiles', and
//! combined with the rest in a pass of its own.
//!
//! Values are read once, as they are. To scan them with an operator that stays within a segment, and to pick the ends out of that, would
//! move ten times the bytes.

use std::ops::Range;

use crate::array::{Array, Length};
use crate::backend::gpu::{
    Access, Binding, Buffer, Declared, Executor, Extent, Function, Holds, Input, Part, Recording, Share, Stage, Started, WINDOW,
    element_bytes, leaves, part, slots,
};
use crate::element::{Element, Kind};
use crate::error::Result;
use crate::operator::Operator;
use crate::primitives::scan::gpu::prefixes;
use crate::source::{IntoSource, Source};

use super::carry::{Carry, There};
use super::offsets::Offsets;
use super::path::Path;

/// Steps of the path in a tile.
const STEPS: usize = 1024;
/// Threads of a workgroup, each of which takes one where nothing is shared.
const THREADS: u64 = 256;

/// What finds where tiles begin.
pub(crate) const STARTS: [Part; 1] = [part!("segment_starts")];
/// What combines what tiles have left.
pub(crate) const CARRY: [Part; 1] = [part!("segment_carry")];
/// What flags the first element of each segment.
pub(crate) const HEADS: [Part; 1] = [part!("segment_heads")];

/// What combines.
pub(crate) fn template(subgroups: bool) -> [Part; 3] {
    let (spine, count) = if subgroups {
        (part!("scan_spine_subgroup"), part!("count_subgroup"))
    } else {
        (part!("scan_spine_workgroup"), part!("count_workgroup"))
    };
    [spine, count, part!("segment_main")]
}

const WORD: &[Kind] = &[Kind::U32];

/// The buffers of `segment_starts.wgsl`.
pub(crate) const STARTS_BUFFERS: [Declared<'static>; 1] = [("starts", Holds::Others("Count", WORD), Access::ReadWrite)];

/// The buffers of `segment_carry.wgsl`; those of `segment_main.wgsl` are these and one more.
pub(crate) fn buffers(element: &[Kind]) -> [Declared<'_>; 4] {
    [
        ("starts", Holds::Others("Count", WORD), Access::Read),
        ("offsets", Holds::Others("Count", WORD), Access::Read),
        ("out", Holds::Others("Element", element), Access::ReadWrite),
        ("carries", Holds::Items, Access::ReadWrite),
    ]
}

/// The buffers of `segment_heads.wgsl`.
pub(crate) const HEADS_BUFFERS: [Declared<'static>; 1] = [("flags", Holds::Others("Flag", &[Kind::Bool]), Access::ReadWrite)];

/// `value_of(item)` and `there(element)`, for elements of these leaves.
pub(crate) fn glue(element: &[Kind]) -> String {
    let of_item: Vec<_> = (1..=element.len()).map(|k| format!("x.f{k}")).collect();
    let (value, there) = match of_item.as_slice() {
        [one] => (one.clone(), "x".to_owned()),
        several => {
            let of_element: Vec<_> = (0..several.len()).map(|k| format!("x.f{k}")).collect();
            (format!("Element({})", several.join(", ")), of_element.join(", "))
        }
    };
    format!(
        "fn value_of(x: Item) -> Element {{\n    return {value};\n}}\nfn there(x: Element) -> Item {{\n    return Item(1u, {there});\n}}\n"
    )
}

/// Elements `from..to` of a buffer, and how far behind the beginning of the window the first one is.
fn window(buffer: &Buffer, bytes: u64, from: usize, to: usize) -> (Binding, u32) {
    let (from, to) = (from as u64, to as u64);
    let start = from / WINDOW * WINDOW;
    (buffer.range(start * bytes, (to - start) * bytes), (from - start) as u32)
}

/// A part of the path that every binding can show.
struct Stretch {
    /// Segments and elements, from its first on.
    segments: u64,
    elements: u64,
    /// The number of its first tile, and how many it has.
    tile: u64,
    tiles: u64,
    /// How many segments have ended where each tile begins, counted from its own first.
    starts: Buffer,
    offsets: Binding,
    out: Binding,
    /// Where its first segment begins in the window of the offsets, its first element, and where its first result is in the window of
    /// the output.
    firsts: [u32; 3],
}

impl Stretch {
    fn new(executor: &Executor<'_>, path: Path<'_>, steps: Range<usize>, offsets: &Buffer, out: (&Buffer, u64)) -> Result<Self> {
        let (from, to) = (path.at(steps.start), path.at(steps.end));
        let tiles = steps.len().div_ceil(STEPS) as u64;
        let (offsets, first_offset) = window(offsets, 4, from.ended, to.ended + 1);
        // All of it has a segment at least: the last end is behind the last element.
        let (out, first_out) = window(out.0, out.1, from.ended, to.ended.max(from.ended + 1));
        Ok(Stretch {
            segments: (to.ended - from.ended) as u64,
            elements: (to.read - from.read) as u64,
            tile: (steps.start / STEPS) as u64,
            tiles,
            starts: executor.items(1, tiles + 1)?,
            offsets,
            out,
            firsts: [first_offset, from.read as u32, first_out],
        })
    }
}

/// Records the reduction of each segment into a new array.
pub(super) fn reduce<'t, T: Element, S: Source<Item = T>, O: Operator<T>>(
    on: Recording<'_>,
    (values, operator): (&S, &O),
    offsets: &Offsets<'_>,
    path: Path<'_>,
) -> Result<Started<'t, Array<T>>> {
    let segments = path.segments();
    if path.elements() == 0 {
        return Ok(Started::Ready(Array::from_vec(on.engine, vec![operator.identity(); segments])));
    }
    let executor = on.executor();
    let source = Function::source(on.gpu, &values.map(There))?;
    let combine = Function::operator::<(u32, T), _>(on.gpu, &Carry(*operator))?;
    let offsets = offsets.on_device(on.gpu)?;
    let out = executor.items(T::WORDS, segments as u64)?;
    let (item, element) = (leaves::<(u32, T)>(), leaves::<T>());
    let (glue, shuffles) = (glue(&element), executor.subgroups());

    // A window begins up to 64 elements earlier, and that of the offsets has one more.
    let longest = (executor.chunk(&source, T::WORDS)? - 2 * WINDOW) as usize / STEPS * STEPS;
    let all = path.length().div_ceil(STEPS) as u64;
    let carries = executor.items(T::WORDS + 1, all)?;
    let stretch = |step: usize| {
        let steps = step..(step + longest).min(path.length());
        Stretch::new(&executor, path, steps, &offsets, (&out, element_bytes::<T>()))
    };
    let stretches = (0..path.length()).step_by(longest).map(stretch).collect::<Result<Vec<_>>>()?;

    let (blocks, share) = ((on.grain / STEPS) as u64, Share { block: THREADS, blocks: 16 });
    for stretch in &stretches {
        let Stretch { segments, elements, tile, tiles, firsts: [first_offset, first, first_out], .. } = *stretch;
        let steps = (segments + elements) as u32;
        let starts = Stage {
            template: &STARTS,
            item: WORD,
            input: Input::Window(&stretch.offsets),
            operator: None,
            buffers: &slots(&STARTS_BUFFERS, [stretch.starts.all()]),
            shuffles: false,
            extent: Extent::Dispatched,
            glue: "",
        };
        let words = [segments as u32, steps, first_offset, STEPS as u32, first];
        executor.dispatch(&starts, words, 0, tiles + 1, share)?;

        let bindings = [&stretch.starts.all(), &stretch.offsets, &stretch.out, &carries.all()].map(Binding::clone);
        let main = Stage {
            template: &template(shuffles),
            item: &item,
            input: Input::Function(&source),
            operator: Some(&combine),
            buffers: &slots(&buffers(&element), bindings),
            shuffles,
            extent: Extent::Dispatched,
            glue: &glue,
        };
        let words = [tile as u32, steps, first_offset, first, first_out];
        // A stretch of ends alone reads nothing.
        let base = u64::from(first).min(path.elements() as u64 - 1);
        executor.dispatch_shared(&main, words, base, elements.max(1), Share { block: 1, blocks }.of(tiles))?;
    }
    if all > 1 {
        let carried = prefixes::<(u32, T), _>(&executor, &Carry(*operator), carries, all)?;
        for stretch in &stretches {
            let Stretch { tile, tiles, firsts: [first_offset, first, first_out], .. } = *stretch;
            let before = tile.saturating_sub(1) / WINDOW * WINDOW;
            let (carried, _) = window(&carried, element_bytes::<(u32, T)>(), before as usize, (tile + tiles) as usize);
            let bindings = [&stretch.starts.all(), &stretch.offsets, &stretch.out].map(Binding::clone);
            let stage = Stage {
                template: &CARRY,
                item: &item,
                input: Input::Window(&carried),
                operator: Some(&combine),
                buffers: &slots(&buffers(&element)[..3], bindings),
                shuffles: false,
                extent: Extent::Dispatched,
                glue: &glue,
            };
            let words = [tile as u32, before as u32, first_offset, first, first_out];
            executor.dispatch(&stage, words, 0, tiles, share)?;
        }
    }
    Ok(Started::Ready(on.array(Length::Known(segments), out)))
}

/// A flag for each of `n` elements: whether a segment begins with it.
pub(super) fn heads(on: Recording<'_>, offsets: &Offsets<'_>, n: usize) -> Result<Array<bool>> {
    let executor = on.executor();
    let (flags, segments, offsets) = (executor.items(1, n as u64)?, offsets.segments()? as u64, offsets.on_device(on.gpu)?);
    on.gpu.clear(&flags, 0, n as u64 * 4)?;
    let most = executor.window(1)? - WINDOW;
    for from in (0..segments).step_by(most as usize) {
        let to = (from + most).min(segments);
        let (of_offsets, first) = window(&offsets, 4, from as usize, to as usize + 1);
        for start in (0..n as u64).step_by(most as usize) {
            let end = (start + most).min(n as u64);
            let stage = Stage {
                template: &HEADS,
                item: WORD,
                input: Input::Window(&of_offsets),
                operator: None,
                buffers: &slots(&HEADS_BUFFERS, [flags.range(start * 4, (end - start) * 4)]),
                shuffles: false,
                extent: Extent::Dispatched,
                glue: "",
            };
            executor.dispatch(
                &stage,
                [first, 0, start as u32, end as u32],
                0,
                to - from,
                Share { block: THREADS, blocks: 16 },
            )?;
        }
    }
    Ok(on.array(Length::Known(n), flags))
}
