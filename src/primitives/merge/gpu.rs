//! Merge on a GPU, by merge path: where each tile of the result begins in the inputs, then the tiles. No workgroup waits for another.

use crate::array::{Array, Length};
use crate::backend::gpu::{
    Access, Buffer, Declared, Executor, Extent, Function, Holds, Input, Part, Recording, Share, Stage, Started,
    counts_in_32_bits, element_bytes, leaves, part, slots,
};
use crate::element::{Element, Kind};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::plan::Backend;
use crate::primitives::map;
use crate::source::Source;

/// Bytes of workgroup memory that every API promises.
const STAGED_BYTES: usize = 16 * 1024;
/// Threads of a workgroup.
const THREADS: usize = 256;
/// Elements of a thread at most.
const MOST: usize = 8;

/// What is merged.
#[derive(Clone, Copy)]
pub(crate) enum Inputs<'a> {
    /// Two buffers, of so many elements.
    Two([&'a Buffer; 2], [u64; 2]),
    /// Neighbouring runs of so many elements in one buffer.
    Neighbours(&'a Buffer, u64),
}

fn inputs_part(two: bool) -> Part {
    if two { part!("merge_two") } else { part!("merge_neighbours") }
}

/// What finds where tiles begin.
pub(crate) fn partition_template(two: bool) -> [Part; 2] {
    [inputs_part(two), part!("merge_partition")]
}

/// What merges.
pub(crate) fn template(two: bool) -> [Part; 3] {
    [inputs_part(two), part!("merge_tile"), part!("merge_main")]
}

const WORD: Holds<'static> = Holds::Others("Crossing", &[Kind::U32]);
const OTHERS: Declared<'static> = ("others", Holds::Items, Access::Read);

/// The buffers of the search.
pub(crate) fn partition_buffers(two: bool) -> Vec<Declared<'static>> {
    two.then_some(OTHERS).into_iter().chain([("crossings", WORD, Access::ReadWrite)]).collect()
}

/// The buffers of the merge.
pub(crate) fn buffers(two: bool) -> Vec<Declared<'static>> {
    let last = [("crossings", WORD, Access::Read), ("out", Holds::Items, Access::ReadWrite)];
    two.then_some(OTHERS).into_iter().chain(last).collect()
}

/// Elements that a thread takes of a tile of these items: as many as fit in workgroup memory. `None` if not even one does.
pub(crate) fn each(item: &[Kind]) -> Option<usize> {
    // A 64-bit field stands at a multiple of its size.
    let align = item.iter().map(|kind| kind.words()).max().unwrap_or(1);
    let words = item.iter().fold(0, |at: usize, kind| at.next_multiple_of(kind.words()) + kind.words()).next_multiple_of(align);
    let fit = STAGED_BYTES / 4 / THREADS / words;
    (fit > 0).then(|| 1 << fit.min(MOST).ilog2())
}

/// `EACH`, the elements of a thread, and `TILE`, those of a workgroup.
pub(crate) fn glue(each: usize) -> String {
    format!("const EACH = {each}u;\nconst TILE = {}u;\n", each * THREADS)
}

fn unsupported(reason: String) -> Error {
    Error::Unsupported { backend: Backend::Gpu, reason }
}

/// Merges of elements by a comparison, recorded.
pub(crate) struct Merger<'g> {
    pub(crate) executor: Executor<'g>,
    pub(crate) item: Vec<Kind>,
    pub(crate) less: Function,
    pub(crate) glue: String,
    /// Elements that a workgroup takes at a time.
    pub(crate) tile: u64,
    /// Bytes of an element.
    bytes: u64,
    grain: usize,
}

impl<'g> Merger<'g> {
    pub(crate) fn new<T: Element, K: Kernel<(T, T), Out = bool>>(on: Recording<'g>, less: &K) -> Result<Self> {
        let item = leaves::<T>();
        let Some(each) = each(&item) else {
            let reason = format!(
                "{THREADS} elements of {} bytes exceed the {STAGED_BYTES} bytes of a workgroup's memory: sort or merge positions, or \
                 run on the CPU",
                element_bytes::<T>()
            );
            return Err(unsupported(reason));
        };
        let less = Function::comparison::<T, K>(on.gpu, less)?;
        let (glue, tile) = (glue(each), (each * THREADS) as u64);
        Ok(Merger { executor: on.executor(), item, less, glue, tile, bytes: element_bytes::<T>(), grain: on.grain })
    }

    /// An error, if one binding does not hold so many elements.
    pub(crate) fn check(&self, n: u64) -> Result<()> {
        let max = self.executor.gpu.limits().max_storage_buffer_binding_size;
        if n * self.bytes > max || n > 1 << 31 {
            let reason = format!(
                "a merge reads {n} elements of {} bytes at computed indices, and one binding of this GPU holds {max}: run on the CPU",
                self.bytes
            );
            return Err(unsupported(reason));
        }
        Ok(())
    }

    /// Elements as a workgroup takes them: a tile at a time.
    pub(crate) fn share(&self) -> Share {
        Share { block: self.tile, ..Share::tiles(self.grain) }
    }

    /// Merges into `out`, of `n` elements.
    pub(crate) fn merge(&self, inputs: Inputs<'_>, out: &Buffer, n: u64) -> Result<()> {
        let executor = &self.executor;
        let (input, others, sizes) = match inputs {
            Inputs::Two([a, b], sizes) => (a, Some(b), sizes),
            Inputs::Neighbours(rows, run) => (rows, None, [run, n]),
        };
        let two = others.is_some();
        let tiles = n.div_ceil(self.tile);
        let crossings = executor.items(1, tiles)?;
        let [first, second] = sizes.map(|size| size as u32);
        let stage = Stage {
            template: &partition_template(two),
            item: &self.item,
            input: Input::Items(input),
            operator: Some(&self.less),
            buffers: &slots(&partition_buffers(two), others.map(Buffer::all).into_iter().chain([crossings.all()])),
            shuffles: false,
            extent: Extent::Dispatched,
            glue: &self.glue,
        };
        executor.dispatch(&stage, [0, first, second], 0, tiles, Share { block: THREADS as u64, blocks: 1 })?;
        // What is written can be cut where a tile begins; what is read cannot, for it is not known where.
        let max = executor.gpu.limits().max_storage_buffer_binding_size;
        let window = max / self.bytes / self.tile * self.tile;
        for base in (0..n).step_by(window as usize) {
            let count = window.min(n - base);
            let bindings = [crossings.all(), out.range(base * self.bytes, count * self.bytes)];
            let bindings = others.map(Buffer::all).into_iter().chain(bindings);
            let stage = Stage { template: &template(two), buffers: &slots(&buffers(two), bindings), ..stage };
            executor.dispatch(&stage, [(base / self.tile) as u32, first, second], base, count, self.share())?;
        }
        Ok(())
    }
}

/// Records the merge into a new array.
pub(crate) fn merge<'t, T: Element, A: Source<Item = T>, B: Source<Item = T>, K: Kernel<(T, T), Out = bool>>(
    on: Recording<'_>,
    (a, b): (&A, &B),
    less: &K,
) -> Result<Started<'t, Array<T>>> {
    let sizes = [a.len()? as u64, b.len()? as u64];
    let n = sizes[0] + sizes[1];
    if n == 0 {
        return Ok(Started::Ready(Array::empty(on.engine)));
    }
    let merger = Merger::new::<T, K>(on, less)?;
    merger.check(sizes[0].max(sizes[1]))?;
    counts_in_32_bits(n)?;
    let inputs = [map::gpu::data(on, a)?, map::gpu::data(on, b)?];
    let out = merger.executor.items(T::WORDS, n)?;
    merger.merge(Inputs::Two([&inputs[0], &inputs[1]], sizes), &out, n)?;
    Ok(Started::Ready(on.array(Length::Known(n as usize), out)))
}
