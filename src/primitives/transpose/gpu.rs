//! Transpose on a GPU: squares of the grid are brought to a workgroup's memory row by row, and written column by column, so that
//! neighbouring threads read and write side by side (G. Ruetsch, P. Micikevicius, "Optimizing matrix transpose in CUDA", 2009).

use crate::array::{Array, Length};
use crate::backend::cpu::TILE;
use crate::backend::gpu::{Access, Extent, Function, Input, Part, Recording, Slot, Stage, Started, element_bytes, leaves, part};
use crate::element::{Element, Kind};
use crate::error::{Error, Result};
use crate::plan::Backend;
use crate::source::Source;

/// What runs.
pub(crate) const TEMPLATE: [Part; 1] = [part!("transpose")];
/// Words of a workgroup's memory that every API promises.
const SHARED_WORDS: usize = 4096;
/// Elements after a multiple of which a binding may begin: see `WINDOW` of the executor.
const ALIGNED: u64 = 64;

/// The side of the squares: as much as a workgroup's memory holds, with a column more than there are, so that what stands in one
/// column is in different banks.
fn side(words: usize) -> Option<usize> {
    [32, 16, 8].into_iter().find(|side| side * (side + 1) * words <= SHARED_WORDS)
}

/// `SIDE` and `CELLS`, for items of these leaves; `None` if a workgroup's memory is too small for them.
pub(crate) fn glue(item: &[Kind]) -> Option<String> {
    let side = side(item.iter().map(|kind| kind.words()).sum())?;
    Some(format!("const SIDE = {side}u;\nconst CELLS = {}u;\n", side * (side + 1)))
}

/// Records the transpose into a new array.
pub(super) fn transpose<'t, S: Source<Item: Element>>(
    on: Recording<'_>,
    source: &S,
    [rows, columns]: [usize; 2],
) -> Result<Started<'t, Array<S::Item>>> {
    let n = rows * columns;
    if n == 0 {
        return Ok(Started::Ready(Array::empty(on.engine)));
    }
    let (executor, words, item) = (on.executor(), S::Item::WORDS, leaves::<S::Item>());
    let (Some(side), Some(glue)) = (side(words), glue(&item)) else {
        return Err(unsupported(format!("elements of {words} words do not fit a workgroup's memory: run on the CPU")));
    };
    let function = Function::source(on.gpu, source)?;
    let out = executor.items(words, n as u64)?;
    let (rows, columns, side) = (rows as u64, columns as u64, side as u64);
    // A window of the source is aligned by the executor; one of the result begins with a column.
    let band = part_of(rows, columns, executor.chunk(&function, 1)?, 1)?;
    let strip = part_of(columns, rows, executor.window(words)?, ALIGNED >> rows.trailing_zeros().min(ALIGNED.ilog2()))?;
    for top in (0..rows).step_by(band as usize) {
        let height = band.min(rows - top);
        for left in (0..columns).step_by(strip as usize) {
            let width = strip.min(columns - left);
            let window = out.range(left * rows * element_bytes::<S::Item>(), width * rows * element_bytes::<S::Item>());
            let stage = Stage {
                template: &TEMPLATE,
                item: &item,
                input: Input::Function(&function),
                operator: None,
                buffers: &[Slot::items("out", Access::ReadWrite, window)],
                shuffles: false,
                extent: Extent::Dispatched,
                glue: &glue,
            };
            let across = width.div_ceil(side);
            let squares = height.div_ceil(side) * across;
            let most = u64::from(on.gpu.limits().max_compute_workgroups_per_dimension).pow(2);
            let each = ((on.grain / TILE) as u64).max(squares.div_ceil(most));
            let params = [squares as u32, across as u32, columns as u32, rows as u32, top as u32, left as u32];
            executor.dispatch_shared(&stage, params, top * columns, height * columns, (each, squares.div_ceil(each)))?;
        }
    }
    Ok(Started::Ready(on.array(Length::Known(n), out)))
}

/// How many of `lines` of `length` elements fit where so many elements do: all, or a multiple.
fn part_of(lines: u64, length: u64, elements: u64, multiple: u64) -> Result<u64> {
    if lines * length <= elements {
        return Ok(lines);
    }
    match elements / length / multiple * multiple {
        0 => {
            Err(unsupported(format!("{multiple} lines of a grid, of {length} elements each, exceed one binding: run on the CPU")))
        }
        part => Ok(part),
    }
}

fn unsupported(reason: String) -> Error {
    Error::Unsupported { backend: Backend::Gpu, reason }
}
