//! Scatter on a GPU. Threads that write to one place are told apart by atomics, or by sorting: what comes out never depends on which of
//! them comes first.

use crate::array::{Array, Data, Length};
use crate::backend::gpu::{
    Access, Buffer, Declared, DeviceArray, Executor, Extent, Function, Holds, Input, Part, Recording, Share, Stage, Started,
    element_bytes, leaves, part, slots,
};
use crate::element::{Element, Kind};
use crate::error::Result;
use crate::kernel::{Kernel, Lanes, Varying, ops};
use crate::operator::{Atomic, Operator};
use crate::primitives::by_key::gpu::reduce;
use crate::primitives::sort::{Order, gpu::sort_pairs};
use crate::source::{IntoSource, Source, zip};

/// What finds the last position with each index.
pub(crate) const CLAIM: [Part; 2] = [part!("scatter_claim"), part!("scatter_main")];
/// What writes the elements that are last.
pub(crate) const LAST: [Part; 2] = [part!("scatter_last"), part!("scatter_main")];
/// What combines by atomics.
pub(crate) const ATOMIC: [Part; 2] = [part!("scatter_atomic"), part!("scatter_main")];
/// What combines elements of which each has a place of its own.
pub(crate) const COMBINE: [Part; 2] = [part!("scatter_combine"), part!("scatter_main")];

/// The buffers of `scatter_claim.wgsl`.
pub(crate) const CLAIM_BUFFERS: [Declared<'static>; 1] = [("winners", Holds::Atomics(Kind::U32), Access::ReadWrite)];

const WORD: Holds<'static> = Holds::Others("Word", &[Kind::U32]);

/// The buffers of `scatter_last.wgsl`, for elements of these leaves.
pub(crate) fn last_buffers(element: &[Kind]) -> [Declared<'_>; 2] {
    [("winners", WORD, Access::Read), ("out", Holds::Others("Element", element), Access::ReadWrite)]
}

/// The buffers of `scatter_combine.wgsl`.
pub(crate) const COMBINE_BUFFERS: [Declared<'static>; 2] =
    [("places", WORD, Access::Read), ("out", Holds::Items, Access::ReadWrite)];

/// `value_of(item)`, for an index and an element of so many leaves.
pub(crate) fn last_glue(leaves: usize) -> String {
    let fields: Vec<_> = (1..=leaves).map(|k| format!("x.f{k}")).collect();
    let value = if leaves == 1 { fields[0].clone() } else { format!("Element({})", fields.join(", ")) };
    format!("fn value_of(x: Item) -> Element {{\n    return {value};\n}}\n")
}

/// The buffer of `scatter_atomic.wgsl`, for numbers of this kind.
pub(crate) fn atomic_buffers(kind: Kind) -> [Declared<'static>; 1] {
    [("out", Holds::Atomics(kind), Access::ReadWrite)]
}

/// `meet(at, item)`
pub(crate) fn atomic_glue(function: Atomic) -> String {
    let function = match function {
        Atomic::Add => "atomicAdd",
        Atomic::Min => "atomicMin",
        Atomic::Max => "atomicMax",
        Atomic::And => "atomicAnd",
        Atomic::Or => "atomicOr",
        Atomic::Xor => "atomicXor",
    };
    format!("fn meet(at: u32, x: Item) {{\n    {function}(&out[at], x.f1);\n}}\n")
}

/// What combines elements in memory, if there is such a thing for them.
pub(super) fn atomic<T: Element, O: Operator<T>>() -> Option<Atomic> {
    O::ATOMIC.filter(|_| matches!(leaves::<T>()[..], [Kind::U32 | Kind::I32]))
}

/// The memory of a destination, with what is in it.
pub(super) fn there<T: Element>(on: Recording<'_>, data: Data<'_, T>) -> Result<Buffer> {
    Ok(match data {
        Data::Slice(slice) => DeviceArray::upload(on.gpu, slice)?.buffer().clone(),
        Data::Array(array) => array.device(on.gpu)?.buffer().clone(),
    })
}

/// The result.
pub(super) fn array<'t, T: Element>(on: Recording<'_>, len: usize, out: Buffer) -> Started<'t, Array<T>> {
    Started::Ready(on.array(Length::Known(len), out))
}

/// A stage over so many elements, in chunks, for each window of the places. Its parameters: the first place, the number of places, the
/// first element's number.
struct Sweep<'a> {
    executor: &'a Executor<'a>,
    function: &'a Function,
    length: &'a Length,
    share: Share,
    stage: Stage<'a>,
}

impl Sweep<'_> {
    /// Records it for the places from `first` on.
    fn record(&self, first: u64, places: u64) -> Result<()> {
        let n = self.length.bound() as u64;
        let chunk = self.executor.chunk(self.function, 1)?;
        for base in (0..n).step_by(chunk as usize) {
            let words = [first as u32, places as u32, base as u32];
            self.executor.dispatch(&self.stage, words, base, chunk.min(n - base), self.share)?;
        }
        Ok(())
    }
}

fn stage<'a>(function: &'a Function, item: &'a [Kind], length: &'a Length) -> Stage<'a> {
    Stage {
        template: &[],
        item,
        input: Input::Function(function),
        operator: None,
        buffers: &[],
        shuffles: false,
        extent: Extent::of(length),
        glue: "",
    }
}

/// Records a scatter of which the last element of each place stays.
pub(super) fn last<T: Element, I: Source<Item = u32>, V: Source<Item = T>>(
    on: Recording<'_>,
    (indices, values): (&I, &V),
    (out, len): (&Buffer, usize),
) -> Result<()> {
    let entries = zip(*indices, *values);
    let length = Length::of(&entries)?;
    let executor = &on.executor();
    let (index_of, entry_of) = (Function::source(on.gpu, indices)?, Function::source(on.gpu, &entries)?);
    let (index, entry, element) = ([Kind::U32], leaves::<(u32, T)>(), leaves::<T>());
    let winners = executor.items(1, len as u64)?;
    on.gpu.clear(&winners, 0, len as u64 * 4)?;
    let (share, each, glue) = (Share::tiles(on.grain), element_bytes::<T>(), last_glue(element.len()));
    for (first, places) in executor.windows(T::WORDS, len as u64)? {
        let winners = winners.range(first * 4, places * 4);
        let buffers = slots(&CLAIM_BUFFERS, [winners.clone()]);
        let claim = Stage { template: &CLAIM, buffers: &buffers, ..stage(&index_of, &index, &length) };
        Sweep { executor, function: &index_of, length: &length, share, stage: claim }.record(first, places)?;
        let buffers = slots(&last_buffers(&element), [winners, out.range(first * each, places * each)]);
        let write = Stage { template: &LAST, buffers: &buffers, glue: &glue, ..stage(&entry_of, &entry, &length) };
        Sweep { executor, function: &entry_of, length: &length, share, stage: write }.record(first, places)?;
    }
    Ok(())
}

/// Records a scatter that combines numbers in memory.
pub(super) fn combine_atomically<T: Element, I: Source<Item = u32>, V: Source<Item = T>>(
    on: Recording<'_>,
    (indices, values): (&I, &V),
    function: Atomic,
    (out, len): (&Buffer, usize),
) -> Result<()> {
    let entries = zip(*indices, *values);
    let length = Length::of(&entries)?;
    let executor = &on.executor();
    let entry_of = Function::source(on.gpu, &entries)?;
    let (item, kind, glue) = (leaves::<(u32, T)>(), leaves::<T>()[0], atomic_glue(function));
    for (first, places) in executor.windows(1, len as u64)? {
        let buffers = slots(&atomic_buffers(kind), [out.range(first * 4, places * 4)]);
        let stage = Stage { template: &ATOMIC, buffers: &buffers, glue: &glue, ..stage(&entry_of, &item, &length) };
        let share = Share::tiles(on.grain);
        Sweep { executor, function: &entry_of, length: &length, share, stage }.record(first, places)?;
    }
    Ok(())
}

/// Records a scatter that combines whatever it is: sorted by place, reduced by key, and what came of each place combined with what is there.
pub(super) fn combine_sorted<T: Element, I: Source<Item = u32>, V: Source<Item = T>, O: Operator<T>>(
    on: Recording<'_>,
    (indices, values): (&I, &V),
    operator: &O,
    (out, len): (&Buffer, usize),
) -> Result<()> {
    if len == 0 || zip(*indices, *values).len()? == 0 {
        return Ok(());
    }
    let order = Order { descending: false, bits: Some(0..usize::BITS - len.leading_zeros()) };
    let (places, sorted) = sort_pairs(on, &indices.map(UpTo(len as u32)), values, &order)?.ready();
    let (places, sums) = reduce(on, ((&places).into_source(), (&sorted).into_source(), *operator))?.ready();
    let executor = &on.executor();
    let (source, places) = ((&sums).into_source(), places.device(on.gpu)?.buffer().clone());
    let length = Length::of(&source)?;
    let (function, operator) = (Function::source(on.gpu, &source)?, Function::operator(on.gpu, operator)?);
    let (item, n, each) = (leaves::<T>(), length.bound() as u64, element_bytes::<T>());
    for (first, there) in executor.windows(T::WORDS, len as u64)? {
        for (base, count) in executor.windows(T::WORDS, n)? {
            let buffers = slots(&COMBINE_BUFFERS, [places.range(base * 4, count * 4), out.range(first * each, there * each)]);
            let operator = Some(&operator);
            let stage = Stage { template: &COMBINE, operator, buffers: &buffers, ..stage(&function, &item, &length) };
            executor.dispatch(&stage, [first as u32, there as u32], base, count, Share::tiles(on.grain))?;
        }
    }
    Ok(())
}

/// The index, or the number of places if it is none of theirs.
#[derive(Clone, Copy)]
struct UpTo(u32);

impl Kernel<u32> for UpTo {
    type Out = u32;
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, i: Varying<L, u32>) -> Varying<L, u32> {
        ops::min(l, i, ops::lit(l, self.0))
    }
}
