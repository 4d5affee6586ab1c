//! Reduce on a GPU, in the canonical order: each tile by one workgroup, then the tiles' results in the same way, until one is left.
//! How many tiles a workgroup takes changes nothing in the result, since no tile knows of another.

use crate::array::Length;
use crate::backend::cpu::TILE;
use crate::backend::gpu::{
    Access, Buffer, Executor, Extent, Function, Input, Part, Recording, Share, Slot, Stage, Started, leaves, part,
};
use crate::element::{Element, Kind};
use crate::error::Result;
use crate::operator::Operator;
use crate::source::Source;

/// Records the reduction; its one result is on its way to the host.
pub(crate) fn reduce<'t, T: Element, S: Source<Item = T>, O: Operator<T>>(
    on: Recording<'_>,
    source: &S,
    operator: &O,
) -> Result<Started<'t, T>> {
    let length = Length::of(source)?;
    let n = length.bound();
    if n == 0 {
        return Ok(Started::Ready(operator.identity()));
    }
    let executor = on.executor();
    let function = Function::source(on.gpu, source)?;
    let tiles = Tiles::new(&executor, Function::operator(on.gpu, operator)?, O::COMMUTATIVE, T::WORDS, leaves::<T>());
    let mut left = (n as u64).div_ceil(TILE as u64);
    let mut extent = Extent::of(&length);
    let mut results = tiles.of_source(&function, n as u64, extent, on.grain)?;
    while left > 1 {
        let next = executor.items(T::WORDS, left.div_ceil(TILE as u64))?;
        extent = extent.tiles();
        tiles.dispatch(Input::Items(&results), &next, 0, Range { base: 0, count: left, extent }, TILE)?;
        results = next;
        left = left.div_ceil(TILE as u64);
    }
    Ok(on.element(results))
}

/// What runs: subgroups help where lanes fold, which the order of an operator that does not commute forbids.
pub(crate) fn template(commutative: bool, shuffles: bool) -> Vec<Part> {
    match (commutative, shuffles) {
        (true, true) => vec![part!("fold_subgroup"), part!("reduce_lanes"), part!("reduce_main")],
        (true, false) => vec![part!("fold_workgroup"), part!("reduce_lanes"), part!("reduce_main")],
        (false, _) => vec![part!("reduce_runs"), part!("reduce_main")],
    }
}

/// Reduces tiles to one item each.
pub(crate) struct Tiles<'x, 'g> {
    executor: &'x Executor<'g>,
    pub(crate) operator: Function,
    pub(crate) words: usize,
    pub(crate) item: Vec<Kind>,
    template: Vec<Part>,
    shuffles: bool,
}

impl<'x, 'g> Tiles<'x, 'g> {
    pub(crate) fn new(executor: &'x Executor<'g>, operator: Function, commutative: bool, words: usize, item: Vec<Kind>) -> Self {
        let shuffles = commutative && executor.subgroups();
        let template = template(commutative, shuffles);
        Tiles { executor, operator, words, item, template, shuffles }
    }

    /// The results of all tiles of a source, of which a workgroup takes `grain` elements.
    pub(crate) fn of_source(&self, source: &Function, n: u64, extent: Extent<'_>, grain: usize) -> Result<Buffer> {
        let results = self.executor.items(self.words, n.div_ceil(TILE as u64))?;
        let chunk = self.executor.chunk(source, 1)?;
        for base in (0..n).step_by(chunk as usize) {
            let count = chunk.min(n - base);
            let range = Range { base, count, extent };
            self.dispatch(Input::Function(source), &results, base / TILE as u64, range, grain)?;
        }
        Ok(results)
    }

    /// Records the tiles of a range; results go to `out` from item `first` on. Of no elements at all the result is the identity.
    pub(crate) fn dispatch(&self, input: Input<'_>, out: &Buffer, first: u64, range: Range<'_>, grain: usize) -> Result<()> {
        let stage = Stage {
            template: &self.template,
            item: &self.item,
            input,
            operator: Some(&self.operator),
            buffers: &[Slot::items("out", Access::ReadWrite, out.all())],
            shuffles: self.shuffles,
            extent: range.extent,
            glue: "",
        };
        self.executor.dispatch(&stage, [first as u32, 0], range.base, range.count, Share::tiles(grain))
    }
}

/// The grid indices `base..base + count`, of which those exist that are below the extent.
#[derive(Clone, Copy)]
pub(crate) struct Range<'a> {
    pub(crate) base: u64,
    pub(crate) count: u64,
    pub(crate) extent: Extent<'a>,
}
