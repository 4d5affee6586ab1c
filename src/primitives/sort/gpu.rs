//! Sort on a GPU: keys as words, and for every eight bits count, sum the counts, move (reduce-then-scan: no workgroup waits for another).
//!
//! All that is moved is 32-bit words, so that 64-bit keys need no 64-bit arithmetic, and NaNs keep their bits. A value of one word
//! moves along with its key; of larger ones the position does, and the value itself once, in the end.

use std::fmt::Write;

use crate::array::{Array, Length};
use crate::backend::gpu::{
    Access, Buffer, Declared, Executor, Extent, Function, Holds, Input, Part, Recording, Share, Stage, Started,
    counts_in_32_bits, leaves, part, slots, unsupported,
};
use crate::element::{Element, Kind};
use crate::error::Result;
use crate::kernel::wgsl::to_words;
use crate::primitives::map;
use crate::primitives::scan::gpu::prefix_sums;
use crate::source::{Source, iota};

use super::{Order, SortKey};

/// Keys of a block of `sort_count.wgsl` and `sort_move.wgsl`.
const BLOCK: u64 = 2048;
/// Elements of a block of `sort_words.wgsl` and `sort_gather.wgsl`.
const WORDS_BLOCK: u64 = 1024;
/// Bits of a digit.
const DIGIT: u32 = 8;
const DIGITS: u64 = 1 << DIGIT;

const WORD: &[Kind] = &[Kind::U32];

/// A key, or a value, of so many words.
pub(crate) fn of_words(words: usize) -> &'static [Kind] {
    &[Kind::U32, Kind::U32][..words]
}

fn key_part(words: usize) -> Part {
    if words == 1 { part!("sort_key_one") } else { part!("sort_key_two") }
}

/// What turns elements into words.
pub(crate) fn words_template(words: usize) -> [Part; 2] {
    [key_part(words), part!("sort_words")]
}

/// What counts.
pub(crate) fn count_template(words: usize) -> [Part; 2] {
    [key_part(words), part!("sort_count")]
}

/// What moves.
pub(crate) fn move_template(words: usize, subgroups: bool) -> [Part; 3] {
    [key_part(words), if subgroups { part!("count_subgroup") } else { part!("count_workgroup") }, part!("sort_move")]
}

/// What brings values to their places.
pub(crate) const GATHER: [Part; 1] = [part!("sort_gather")];

/// `words_of(item)`, for items of these leaves.
pub(crate) fn words_glue(item: &[Kind]) -> String {
    let words = match item {
        [one] => to_words(*one, "x"),
        several => (0..several.len()).map(|k| format!("x.f{k}")).collect(),
    };
    let key = if let [one] = &words[..] { one.clone() } else { format!("Key({})", words.join(", ")) };
    format!("fn words_of(x: Item) -> Key {{\n    return {key};\n}}\n")
}

/// `Key`
pub(crate) const COUNT_GLUE: &str = "alias Key = Item;\n";

/// `Key`, and `carry(from, to)` for what moves along.
pub(crate) fn move_glue(along: bool) -> String {
    let mut glue = format!("{COUNT_GLUE}fn carry(from_row: u32, to_row: u32) {{\n");
    if along {
        _ = writeln!(glue, "    store_loads_out(to_row, load_loads(from_row));");
    }
    glue + "}\n"
}

/// The buffers of `sort_words.wgsl`.
pub(crate) fn words_buffers(words: usize) -> [Declared<'static>; 1] {
    [("out", Holds::Others("Key", of_words(words)), Access::ReadWrite)]
}

/// The buffers of `sort_count.wgsl`.
pub(crate) const COUNT_BUFFERS: [Declared<'static>; 1] = [("tallies", Holds::Others("Count", WORD), Access::ReadWrite)];

/// The buffers of `sort_move.wgsl`; the last two are there if something moves along.
pub(crate) const MOVE_BUFFERS: [Declared<'static>; 4] = [
    ("prefix", Holds::Others("Count", WORD), Access::Read),
    ("out", Holds::Items, Access::ReadWrite),
    ("loads", Holds::Others("Load", WORD), Access::Read),
    ("loads_out", Holds::Others("Load", WORD), Access::ReadWrite),
];

/// The buffers of `sort_gather.wgsl`.
pub(crate) const GATHER_BUFFERS: [Declared<'static>; 2] =
    [("values", Holds::Others("Word", WORD), Access::Read), ("out", Holds::Others("Word", WORD), Access::ReadWrite)];

/// Records the sort of keys into a new array.
pub(crate) fn sort<'t, S: Source<Item: SortKey>>(
    on: Recording<'_>,
    source: &S,
    order: &Order,
) -> Result<Started<'t, Array<S::Item>>> {
    let n = source.len()?;
    if n == 0 {
        return Ok(Started::Ready(Array::empty(on.engine)));
    }
    let sorter = Sorter::new(on, n)?;
    let (keys, _) = sorter.sort(source, order, None)?;
    Ok(Started::Ready(sorter.array(keys)))
}

/// Records the positions of the keys in their order.
pub(crate) fn arg_sort<'t, S: Source<Item: SortKey>>(
    on: Recording<'_>,
    source: &S,
    order: &Order,
) -> Result<Started<'t, Array<u32>>> {
    let n = source.len()?;
    if n == 0 {
        return Ok(Started::Ready(Array::empty(on.engine)));
    }
    let sorter = Sorter::new(on, n)?;
    let (_, positions) = sorter.sort(source, order, Some(sorter.positions()?))?;
    Ok(Started::Ready(sorter.array(positions.expect("what moved along is there"))))
}

/// Keys and values.
type Pairs<S, V> = (Array<<S as Source>::Item>, Array<<V as Source>::Item>);

/// Records the sort of keys with values.
pub(crate) fn sort_pairs<'t, S: Source<Item: SortKey>, V: Source<Item: Element>>(
    on: Recording<'_>,
    source: &S,
    values: &V,
    order: &Order,
) -> Result<Started<'t, Pairs<S, V>>> {
    let n = source.len()?;
    if n == 0 {
        return Ok(Started::Ready((Array::empty(on.engine), Array::empty(on.engine))));
    }
    let sorter = Sorter::new(on, n)?;
    let carried = V::Item::WORDS == 1;
    let along = if carried { sorter.words(values, AS_IT_IS)? } else { sorter.positions()? };
    let (keys, along) = sorter.sort(source, order, Some(along))?;
    let along = along.expect("what moved along is there");
    let values = if carried { along } else { sorter.gather(values, &along)? };
    Ok(Started::Ready((sorter.array(keys), sorter.array(values))))
}

/// A stage over keys of so many words.
fn of_keys<'a>(words: usize, input: Input<'a>) -> Stage<'a> {
    Stage {
        template: &[],
        item: of_words(words),
        input,
        operator: None,
        buffers: &[],
        shuffles: false,
        extent: Extent::Dispatched,
        glue: COUNT_GLUE,
    }
}

/// Modes of `encode` and `decode`.
const AS_IT_IS: u32 = 0;

fn mode<T: SortKey>(order: &Order) -> u32 {
    let form = match T::KIND {
        Kind::I32 | Kind::I64 => 2,
        Kind::F32 | Kind::F64 => 3,
        _ => 1,
    };
    form + if order.descending { 4 } else { 0 }
}

/// The digits that take part, from the lowest on: each as `sort_count.wgsl` takes it.
fn digits(order: &Order, words: u32) -> Vec<u32> {
    let bits = order.bits.clone().unwrap_or(0..32 * words);
    let mut digits = Vec::new();
    for word in 0..words {
        let (start, end) = (bits.start.max(32 * word), bits.end.min(32 * word + 32));
        let mut at = start;
        while at < end {
            let width = DIGIT.min(end - at);
            digits.push((at - 32 * word) | width << 8 | word << 16);
            at += width;
        }
    }
    digits
}

struct Sorter<'g> {
    on: Recording<'g>,
    executor: Executor<'g>,
    n: u64,
}

impl<'g> Sorter<'g> {
    fn new(on: Recording<'g>, n: usize) -> Result<Self> {
        let (n, max) = (n as u64, on.gpu.limits().max_storage_buffer_binding_size);
        let counts = n.div_ceil(BLOCK) * DIGITS * 4;
        counts_in_32_bits(n)?;
        if counts > max {
            let reason =
                format!("a sort of {n} keys counts in {counts} bytes, and one binding of this GPU holds {max}: run on the CPU");
            return Err(unsupported(reason));
        }
        Ok(Sorter { on, executor: on.executor(), n })
    }

    fn array<T: Element>(&self, buffer: Buffer) -> Array<T> {
        self.on.array(Length::Known(self.n as usize), buffer)
    }

    fn share(&self, block: u64) -> Share {
        Share { block, ..Share::tiles(self.on.grain) }
    }

    /// The elements of a source as words, of which there is one or two: the ordered form of keys, or what they are.
    fn words<S: Source<Item: Element>>(&self, source: &S, mode: u32) -> Result<Buffer> {
        let (executor, words) = (&self.executor, S::Item::WORDS);
        let out = executor.items(words, self.n)?;
        let (template, share) = (words_template(words), self.share(WORDS_BLOCK));
        let each = words as u64 * 4;
        let record = |input: Input<'_>, item: &[Kind], base: u64, count: u64| {
            let stage = Stage {
                template: &template,
                item,
                input,
                operator: None,
                buffers: &slots(&words_buffers(words), [out.range(base * each, count * each)]),
                shuffles: false,
                extent: Extent::Dispatched,
                glue: &words_glue(item),
            };
            executor.dispatch(&stage, [mode, 0], base, count, share)
        };
        if let Some(data) = Function::plain(executor.gpu, source)? {
            for (base, count) in executor.windows(words, self.n)? {
                record(Input::Window(&data.range(base * each, count * each)), of_words(words), base, count)?;
            }
        } else {
            let function = Function::source(executor.gpu, source)?;
            let chunk = executor.chunk(&function, words)?;
            for base in (0..self.n).step_by(chunk as usize) {
                record(Input::Function(&function), &leaves::<S::Item>(), base, chunk.min(self.n - base))?;
            }
        }
        Ok(out)
    }

    fn positions(&self) -> Result<Buffer> {
        self.words(&iota(0..self.n as u32), AS_IT_IS)
    }

    /// Sorts keys, and one word along with each.
    fn sort<S: Source<Item: SortKey>>(
        &self,
        source: &S,
        order: &Order,
        along: Option<Buffer>,
    ) -> Result<(Buffer, Option<Buffer>)> {
        let (words, digits) = (S::Item::WORDS, digits(order, S::Item::WORDS as u32));
        let mode = if digits.is_empty() { AS_IT_IS } else { mode::<S::Item>(order) };
        let mut rows = (self.words(source, mode)?, along);
        for (k, &digit) in digits.iter().enumerate() {
            let decoded = if k + 1 == digits.len() { mode } else { AS_IT_IS };
            rows = self.pass(words, rows, digit, decoded)?;
        }
        Ok(rows)
    }

    /// Sorts by one digit.
    fn pass(
        &self,
        words: usize,
        (keys, along): (Buffer, Option<Buffer>),
        digit: u32,
        mode: u32,
    ) -> Result<(Buffer, Option<Buffer>)> {
        let executor = &self.executor;
        let (blocks, each) = (self.n.div_ceil(BLOCK), words as u64 * 4);
        let tallies = executor.items(1, blocks * DIGITS)?;
        let glue = move_glue(along.is_some());
        for (base, count) in executor.windows(words, self.n)? {
            let window = keys.range(base * each, count * each);
            let (template, buffers) = (count_template(words), slots(&COUNT_BUFFERS, [tallies.all()]));
            let stage = Stage { template: &template, buffers: &buffers, ..of_keys(words, Input::Window(&window)) };
            executor.dispatch(&stage, [(base / BLOCK) as u32, blocks as u32, digit], base, count, self.share(BLOCK))?;
        }
        let prefix = prefix_sums(executor, tallies, blocks * DIGITS)?;
        let out = executor.items(words, self.n)?;
        let along_out = along.as_ref().map(|_| executor.items(1, self.n)).transpose()?;
        let template = move_template(words, executor.subgroups());
        for (base, count) in executor.windows(words, self.n)? {
            for (start, room) in executor.windows(words, self.n)? {
                let window = keys.range(base * each, count * each);
                let mut bindings = vec![prefix.all(), out.range(start * each, room * each)];
                if let (Some(along), Some(along_out)) = (&along, &along_out) {
                    bindings.extend([along.range(base * 4, count * 4), along_out.range(start * 4, room * 4)]);
                }
                let buffers = slots(&MOVE_BUFFERS, bindings);
                let stage =
                    Stage { template: &template, buffers: &buffers, glue: &glue, ..of_keys(words, Input::Window(&window)) };
                let params = [(base / BLOCK) as u32, blocks as u32, digit, start as u32, (start + room) as u32, mode];
                executor.dispatch(&stage, params, base, count, self.share(BLOCK))?;
            }
        }
        Ok((out, along_out))
    }

    /// The values at these positions.
    fn gather<V: Source<Item: Element>>(&self, values: &V, positions: &Buffer) -> Result<Buffer> {
        let (executor, words) = (&self.executor, V::Item::WORDS);
        let each = words as u64 * 4;
        let data = map::gpu::data(self.on, values)?;
        let out = executor.items(words, self.n)?;
        for (base, count) in executor.windows(words, self.n)? {
            for (start, there) in executor.windows(words, self.n)? {
                let window = positions.range(base * 4, count * 4);
                let stage = Stage {
                    template: &GATHER,
                    item: WORD,
                    input: Input::Window(&window),
                    operator: None,
                    buffers: &slots(
                        &GATHER_BUFFERS,
                        [data.range(start * each, there * each), out.range(base * each, count * each)],
                    ),
                    shuffles: false,
                    extent: Extent::Dispatched,
                    glue: "",
                };
                let params = [words as u32, 0, start as u32, (start + there) as u32];
                executor.dispatch(&stage, params, base, count, self.share(WORDS_BLOCK))?;
            }
        }
        Ok(out)
    }
}
