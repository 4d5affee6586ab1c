//! The product of matrices on a GPU: a workgroup makes a square of the result, which threads keep in registers, 8 by 8 elements each; what
//! they multiply is brought to the workgroup's memory, 8 columns of `a` and 8 rows of `b` at a time.

use crate::array::{Array, Length};
use crate::backend::gpu::{
    Access, Binding, Buffer, Declared, Extent, Holds, Input, Part, Recording, Share, Stage, Started, WINDOW, counts_in_32_bits,
    part, slots,
};
use crate::element::Kind;
use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::plan::Backend;
use crate::primitives::map;
use crate::source::Source;

use super::Dims;

/// Rows and columns of a workgroup's square: large ones read each element less often, small ones are more.
pub(crate) const EDGES: [usize; 2] = [64, 128];
/// Large squares that keep a GPU busy.
const ENOUGH: usize = 64;

/// What runs.
pub(crate) const TEMPLATE: [Part; 1] = [part!("matmul")];

/// The buffers but for the first matrix, which is the input.
pub(crate) const BUFFERS: [Declared<'static>; 2] =
    [("others", Holds::Items, Access::Read), ("out", Holds::Items, Access::ReadWrite)];

/// The constants of a variant: its square, which matrices are transposed, and whether the result is added to what is there.
pub(crate) fn glue(edge: usize, transposed: [bool; 2], adds: bool) -> String {
    let [a, b] = transposed;
    let side = edge / 8;
    format!(
        "const EDGE = {edge}u;\nconst SIDE = {side}u;\nconst THREADS = {}u;\nconst ACROSS_A = {a};\nconst ACROSS_B = {b};\nconst ADDS = \
         {adds};\n",
        side * side
    )
}

/// Records the product into a new array.
pub(crate) fn matmul<'t, A: Source<Item = f32>, B: Source<Item = f32>, C: Source<Item = f32>>(
    on: Recording<'_>,
    (a, b, plus): (&Matrix<A>, &Matrix<B>, Option<&C>),
    dims: Dims,
) -> Result<Started<'t, Array<f32>>> {
    let Dims { m, k, n } = dims;
    if m * n == 0 {
        return Ok(Started::Ready(Array::empty(on.engine)));
    }
    let sizes = [m * k, k * n, m * n];
    counts_in_32_bits(sizes.into_iter().max().unwrap_or(0) as u64)?;
    let (gpu, executor) = (on.gpu, on.executor());
    let out = match plus {
        Some(c) => map::gpu::map(on, c)?.array().device(gpu)?.buffer().clone(),
        None => executor.items(1, (m * n) as u64)?,
    };
    if k == 0 {
        if plus.is_none() {
            gpu.clear(&out, 0, (m * n) as u64 * 4)?;
        }
        return Ok(Started::Ready(on.array(Length::Known(m * n), out)));
    }
    let left = map::gpu::data(on, &a.source())?;
    let right = map::gpu::data(on, &b.source())?;

    // Rows of the result are worked on by themselves, so many that their bindings show them.
    let most = gpu.limits().max_storage_buffer_binding_size / 4;
    let longest = if a.is_transposed() { n } else { n.max(k) } as u64;
    let window = (most / longest / WINDOW * WINDOW) as usize;
    let whole = if a.is_transposed() { sizes[0].max(sizes[1]) } else { sizes[1] };
    if whole as u64 > most || (window == 0 && m as u64 * longest > most) {
        let reason = format!(
            "a matrix of {whole} elements is read at computed indices, and {WINDOW} rows of {longest}; one binding of this GPU holds \
             {most}: run on the CPU, or multiply in parts"
        );
        return Err(Error::Unsupported { backend: Backend::Gpu, reason });
    }
    let window = if m as u64 * longest <= most { m } else { window };
    let edge = if m.div_ceil(EDGES[1]) * n.div_ceil(EDGES[1]) < ENOUGH { EDGES[0] } else { EDGES[1] };
    let glue = glue(edge, [a.is_transposed(), b.is_transposed()], plus.is_some());
    for first in (0..m).step_by(window) {
        let rows = window.min(m - first);
        let part =
            |buffer: &Buffer, line: usize| -> Binding { buffer.range((first * line) as u64 * 4, (rows * line) as u64 * 4) };
        let lines = if a.is_transposed() { left.all() } else { part(&left, k) };
        let stage = Stage {
            template: &TEMPLATE,
            item: &[Kind::F32],
            input: Input::Window(&lines),
            operator: None,
            buffers: &slots(&BUFFERS, [right.all(), part(&out, n)]),
            shuffles: false,
            extent: Extent::Dispatched,
            glue: &glue,
        };
        let words = [rows as u32, n as u32, k as u32, m as u32, first as u32];
        let squares = rows.div_ceil(edge) * n.div_ceil(edge);
        let share = Share { block: 1, blocks: 1 }.of(squares as u64);
        executor.dispatch_shared(&stage, words, 0, (rows * n) as u64, share)?;
    }
    Ok(Started::Ready(on.array(Length::Known(m * n), out)))
}
