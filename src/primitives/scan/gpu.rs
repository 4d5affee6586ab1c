//! Scan on a GPU: reduce, then scan. The tiles are reduced, their totals scanned in the same way, and each tile scanned from the
//! prefix of those before it. Three passes over the data against two of the chained forms, but no workgroup waits for another,
//! which no API promises to end.

use crate::array::{Array, Length};
use crate::backend::cpu::TILE;
use crate::backend::gpu::{
    Access, Binding, Buffer, Executor, Extent, Function, Input, Part, Recording, Share, Slot, Stage, Started, leaves, pack, part,
};
use crate::element::Element;
use crate::error::Result;
use crate::operator::{Operator, Sum};
use crate::primitives::reduce::{Range, Tiles};
use crate::source::Source;

use super::Scan;

/// Flags of `scan_main.wgsl`.
const EXCLUSIVE: u32 = 1;
const INITIAL: u32 = 2;

/// Records the scan into a new array.
pub(crate) fn scan<'t, T: Element, S: Source<Item = T>, O: Operator<T>>(
    on: Recording<'_>,
    scan: &Scan<S, O>,
) -> Result<Started<'t, Array<T>>> {
    let length = Length::of(&scan.source)?;
    let n = length.bound();
    if n == 0 {
        return Ok(Started::Ready(Array::empty(on.engine)));
    }
    let executor = on.executor();
    let function = Function::source(on.gpu, &scan.source)?;
    let operator = Function::operator(on.gpu, &scan.operator)?;
    let initial = match scan.init {
        Some(init) => on.gpu.upload(&pack(&[init]))?,
        None => executor.items(T::WORDS, 1)?,
    };
    let pass = Pass {
        executor: &executor,
        tiles: Tiles::new(&executor, operator, O::COMMUTATIVE, T::WORDS, leaves::<T>()),
        initial,
        flags: if scan.init.is_some() { INITIAL } else { 0 },
        grain: on.grain,
    };
    let out = executor.items(T::WORDS, n as u64)?;
    pass.scan(&function, &out, n as u64, Extent::of(&length), if scan.exclusive { EXCLUSIVE } else { 0 })?;
    Ok(Started::Ready(on.array(length, out)))
}

/// The inclusive prefix sums of `n` numbers.
pub(crate) fn prefix_sums(executor: &Executor<'_>, numbers: Buffer, n: u64) -> Result<Buffer> {
    prefixes::<u32, Sum>(executor, &Sum, numbers, n)
}

/// The inclusive scan of `n` items.
pub(crate) fn prefixes<T: Element, O: Operator<T>>(
    executor: &Executor<'_>,
    operator: &O,
    items: Buffer,
    n: u64,
) -> Result<Buffer> {
    let operator = Function::operator::<T, O>(executor.gpu, operator)?;
    let pass = Pass {
        executor,
        tiles: Tiles::new(executor, operator, O::COMMUTATIVE, T::WORDS, leaves::<T>()),
        initial: executor.items(T::WORDS, 1)?,
        flags: 0,
        grain: TILE,
    };
    pass.scan_items(items, n, Extent::Dispatched)
}

/// What runs.
pub(crate) fn template(shuffles: bool) -> [Part; 2] {
    [if shuffles { part!("scan_spine_subgroup") } else { part!("scan_spine_workgroup") }, part!("scan_main")]
}

/// The buffers that it runs on, in the order of their bindings.
pub(crate) const BUFFERS: [(&str, Access); 3] = [("prefix", Access::Read), ("initial", Access::Read), ("out", Access::ReadWrite)];

struct Pass<'x, 'g> {
    executor: &'x Executor<'g>,
    tiles: Tiles<'x, 'g>,
    initial: Buffer,
    flags: u32,
    /// Elements of the source that a workgroup takes. Of the totals, which are few, it takes a tile.
    grain: usize,
}

impl Pass<'_, '_> {
    fn scan(&self, source: &Function, out: &Buffer, n: u64, extent: Extent<'_>, exclusive: u32) -> Result<()> {
        let tiles = n.div_ceil(TILE as u64);
        let prefix = if tiles > 1 {
            let totals = self.tiles.of_source(source, n, extent, self.grain)?;
            self.scan_items(totals, tiles, extent.tiles())?
        } else {
            self.executor.items(self.tiles.words, 1)?
        };
        let chunk = self.executor.chunk(source, self.tiles.words)?;
        for base in (0..n).step_by(chunk as usize) {
            let count = chunk.min(n - base);
            let bytes = self.tiles.words as u64 * 4;
            let window = out.range(base * bytes, count * bytes);
            self.dispatch(Input::Function(source), &prefix, window, Range { base, count, extent }, exclusive)?;
        }
        Ok(())
    }

    /// The inclusive scan of the tiles' totals.
    fn scan_items(&self, totals: Buffer, n: u64, extent: Extent<'_>) -> Result<Buffer> {
        let out = self.executor.items(self.tiles.words, n)?;
        let tiles = n.div_ceil(TILE as u64);
        let prefix = self.executor.items(self.tiles.words, tiles)?;
        let range = Range { base: 0, count: n, extent };
        let prefix = if tiles > 1 {
            self.tiles.dispatch(Input::Items(&totals), &prefix, 0, range, TILE)?;
            self.scan_items(prefix, tiles, extent.tiles())?
        } else {
            prefix
        };
        self.dispatch(Input::Items(&totals), &prefix, out.all(), range, 0)?;
        Ok(out)
    }

    fn dispatch(&self, input: Input<'_>, prefix: &Buffer, out: Binding, range: Range<'_>, exclusive: u32) -> Result<()> {
        let shuffles = self.executor.subgroups();
        let grain = if let Input::Function(_) = input { self.grain } else { TILE };
        let [prefix_slot, initial_slot, out_slot] = BUFFERS;
        let stage = Stage {
            template: &template(shuffles),
            item: &self.tiles.item,
            input,
            operator: Some(&self.tiles.operator),
            buffers: &[
                Slot::items(prefix_slot.0, prefix_slot.1, prefix.all()),
                Slot::items(initial_slot.0, initial_slot.1, self.initial.all()),
                Slot::items(out_slot.0, out_slot.1, out),
            ],
            shuffles,
            extent: range.extent,
            glue: "",
        };
        let words = [(range.base / TILE as u64) as u32, self.flags | exclusive];
        self.executor.dispatch(&stage, words, range.base, range.count, Share::tiles(grain))
    }
}
