//! Merge on a GPU, by merge path: where each tile of the result begins in the inputs, then the tiles. No workgroup waits for another.
//!
//! Inputs above one binding are cut into windows of half a binding. Where the path goes, only the device knows; but what comes of window
//! `p` of the one and `q` of the other input lies in the two windows of the result that begin at `p + q`, and these fit a binding. So each
//! pair of windows is dispatched, in order: one thread looks where the path leaves the pair, if it enters it, and what lies between is
//! merged as two inputs are. The other pairs find nothing to do.

use crate::array::{Array, Length};
use crate::backend::gpu::{
    Access, Binding, Buffer, Declared, Executor, Extent, Function, Holds, Input, Part, Recording, Share, Stage, Started,
    counts_in_32_bits, element_bytes, leaves, part, slots, unsupported,
};
use crate::element::{Element, Kind};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::primitives::map;
use crate::source::Source;

/// Bytes of workgroup memory that every API promises.
const STAGED_BYTES: usize = 16 * 1024;
/// Threads of a workgroup.
const THREADS: usize = 256;
/// Elements of a thread at most.
const MOST: usize = 8;

/// What is merged.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Inputs {
    /// Two bindings.
    Two,
    /// A part of two bindings: what their windows have in common with the merge's path.
    Windows,
    /// Neighbouring runs in one binding.
    Neighbours,
}

impl Inputs {
    fn part(self) -> Part {
        match self {
            Inputs::Two => part!("merge_two"),
            Inputs::Windows => part!("merge_windows"),
            Inputs::Neighbours => part!("merge_neighbours"),
        }
    }

    /// What finds where tiles begin.
    pub(crate) fn partition_template(self) -> [Part; 2] {
        [self.part(), part!("merge_partition")]
    }

    /// What merges.
    pub(crate) fn template(self) -> [Part; 3] {
        [self.part(), part!("merge_tile"), part!("merge_main")]
    }

    fn buffers<const N: usize>(self, last: [Declared<'static>; N]) -> Vec<Declared<'static>> {
        let others = (self != Inputs::Neighbours).then_some(OTHERS);
        let path = (self == Inputs::Windows).then_some(("path", VERTEX, Access::Read));
        others.into_iter().chain(path).chain(last).collect()
    }

    /// The buffers of the search.
    pub(crate) fn partition_buffers(self) -> Vec<Declared<'static>> {
        self.buffers([("crossings", WORD, Access::ReadWrite)])
    }

    /// The buffers of the merge.
    pub(crate) fn merge_buffers(self) -> Vec<Declared<'static>> {
        self.buffers([("crossings", WORD, Access::Read), ("out", Holds::Items, Access::ReadWrite)])
    }
}

/// What follows the path through a pair of windows.
pub(crate) const PATH: [Part; 1] = [part!("merge_path")];

/// Its buffers.
pub(crate) const PATH_BUFFERS: [Declared<'static>; 2] = [OTHERS, ("path", VERTEX, Access::ReadWrite)];

const WORD: Holds<'static> = Holds::Others("Crossing", &[Kind::U32]);
const VERTEX: Holds<'static> = Holds::Others("Vertex", &[Kind::U32, Kind::U32]);
const OTHERS: Declared<'static> = ("others", Holds::Items, Access::Read);

/// Elements of a buffer: where they begin, and how many.
#[derive(Clone, Copy)]
pub(crate) struct Items<'a> {
    pub(crate) buffer: &'a Buffer,
    pub(crate) start: u64,
    pub(crate) len: u64,
}

impl<'a> Items<'a> {
    /// So many from one of them on, as far as there are.
    fn part(self, start: u64, len: u64) -> Self {
        Items { start: self.start + start, len: len.min(self.len - start), ..self }
    }

    /// All, in parts of so many: at least one part.
    fn parts(self, len: u64) -> impl Iterator<Item = Items<'a>> + Clone {
        (0..self.len.max(1)).step_by(len as usize).map(move |start| self.part(start, len))
    }
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

/// Merges of elements by a comparison, recorded.
pub(crate) struct Merger<'g> {
    pub(crate) executor: Executor<'g>,
    pub(crate) item: Vec<Kind>,
    pub(crate) less: Function,
    pub(crate) glue: String,
    /// Elements that a workgroup takes at a time.
    pub(crate) tile: u64,
    /// Elements of a binding at most, whole tiles.
    window: u64,
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
        let (executor, less) = (on.executor(), Function::comparison::<T, K>(on.gpu, less)?);
        let window = executor.window(T::WORDS)?;
        let (glue, tile) = (glue(each), (each * THREADS) as u64);
        Ok(Merger { executor, item, less, glue, tile, window, bytes: element_bytes::<T>(), grain: on.grain })
    }

    /// Elements as a workgroup takes them: a tile at a time.
    pub(crate) fn share(&self) -> Share {
        Share { block: self.tile, ..Share::tiles(self.grain) }
    }

    /// Merges neighbouring runs of so many elements, two by two. A run is a tile times a power of two.
    pub(crate) fn merge_runs(&self, rows: &Buffer, run: u64, out: &Buffer, n: u64) -> Result<()> {
        let of = |buffer, start: u64, len: u64| Items { buffer, start, len: len.min(n - start.min(n)) };
        let window = self.window / (2 * run) * (2 * run);
        if window == 0 {
            for start in (0..n).step_by(2 * run as usize) {
                self.merge([of(rows, start, run), of(rows, start + run, run)], of(out, start, 2 * run))?;
            }
            return Ok(());
        }
        for start in (0..n).step_by(window as usize) {
            let (rows, out) = (of(rows, start, window), of(out, start, window));
            self.merge_tiles(Inputs::Neighbours, &[self.bind(rows)], [run as u32, rows.len as u32, 0], out)?;
        }
        Ok(())
    }

    /// Merges two sorted inputs.
    pub(crate) fn merge(&self, [a, b]: [Items<'_>; 2], out: Items<'_>) -> Result<()> {
        if a.len.max(b.len) <= self.window {
            let sizes = [a.len as u32, b.len as u32, 0];
            return self.merge_tiles(Inputs::Two, &[self.bind(a), self.bind(b)], sizes, out);
        }
        // What comes of two windows has to fit a binding.
        let half = self.window / 2;
        let pairs = a.parts(half).flat_map(|left| b.parts(half).map(move |right| (left, right)));
        let path = self.executor.items(2, pairs.clone().count() as u64)?;
        for (pair, (left, right)) in (0..).zip(pairs) {
            let [i, j] = [left.start - a.start, right.start - b.start];
            let last = u32::from(i + left.len == a.len) | u32::from(j + right.len == b.len) << 1;
            let (input, others) = (self.bind(left), self.bind(right));
            let buffers = slots(&PATH_BUFFERS, [others.clone(), path.all()]);
            let along = Stage { template: &PATH, buffers: &buffers, ..self.stage(&input) };
            let words = [last, i as u32, pair, j as u32, left.len as u32, right.len as u32];
            self.executor.dispatch(&along, words, 0, 1, Share { block: 1, blocks: 1 })?;
            let words = [i as u32, pair, j as u32];
            self.merge_tiles(Inputs::Windows, &[input, others, path.all()], words, out.part(i + j, 2 * half))?;
        }
        Ok(())
    }

    /// Merges what is bound: where tiles begin, then the tiles.
    fn merge_tiles(&self, inputs: Inputs, bound: &[Binding], [x, y, z]: [u32; 3], out: Items<'_>) -> Result<()> {
        let (executor, others) = (&self.executor, bound[1..].iter().cloned());
        let tiles = out.len.div_ceil(self.tile);
        let crossings = executor.items(1, tiles)?;
        let stage = self.stage(&bound[0]);
        let buffers = slots(&inputs.partition_buffers(), others.clone().chain([crossings.all()]));
        let partition = Stage { template: &inputs.partition_template(), buffers: &buffers, ..stage };
        executor.dispatch(&partition, [0, x, y, z], 0, tiles, Share { block: THREADS as u64, blocks: 1 })?;
        for base in (0..out.len).step_by(self.window as usize) {
            let window = out.part(base, self.window);
            let buffers = slots(&inputs.merge_buffers(), others.clone().chain([crossings.all(), self.bind(window)]));
            let merge = Stage { template: &inputs.template(), buffers: &buffers, ..stage };
            executor.dispatch(&merge, [(base / self.tile) as u32, x, y, z], 0, window.len, self.share())?;
        }
        Ok(())
    }

    fn bind(&self, items: Items<'_>) -> Binding {
        // Nothing cannot be bound, and behind the last element there may be no memory.
        let start = if items.len == 0 { 0 } else { items.start };
        items.buffer.range(start * self.bytes, items.len.max(1) * self.bytes)
    }

    /// A stage that compares items, but for its template and its buffers.
    fn stage<'a>(&'a self, input: &'a Binding) -> Stage<'a> {
        Stage {
            template: &[],
            item: &self.item,
            input: Input::Window(input),
            operator: Some(&self.less),
            buffers: &[],
            shuffles: false,
            extent: Extent::Dispatched,
            glue: &self.glue,
        }
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
    counts_in_32_bits(n)?;
    let [a, b] = [map::gpu::data(on, a)?, map::gpu::data(on, b)?];
    let out = merger.executor.items(T::WORDS, n)?;
    let all = |buffer, len| Items { buffer, start: 0, len };
    merger.merge([all(&a, sizes[0]), all(&b, sizes[1])], all(&out, n))?;
    Ok(Started::Ready(on.array(Length::Known(n as usize), out)))
}
