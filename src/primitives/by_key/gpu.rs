//! The scan of runs on a GPU: a scan with an operator that stays within a run, whose flags are then left out.

use std::sync::Arc;

use crate::array::Array;
use crate::backend::gpu::{Gpu, Started};
use crate::element::Element;
use crate::engine::Engine;
use crate::error::Result;
use crate::operator::Operator;
use crate::primitives::map::gpu::map;
use crate::primitives::scan::{self, Scan};
use crate::source::{IntoSource, Source, zip};

use super::runs::{Before, Second, Segmented};

/// Records the scan into a new array.
pub(crate) fn scan<'t, H: Source<Item = bool>, V: Source<Item: Element>, O: Operator<V::Item>>(
    engine: &Engine,
    gpu: &Arc<Gpu>,
    heads: H,
    values: V,
    operator: O,
    exclusive: bool,
    grain: usize,
) -> Result<Started<'t, Array<V::Item>>> {
    let scanned = scan::gpu::scan(engine, gpu, &Scan::inclusive(zip(heads, values), Segmented(operator)), grain)?.array();
    if exclusive {
        map(engine, gpu, &zip(heads, (&scanned).beside(-1)).map(Before(operator)), grain)
    } else {
        map(engine, gpu, &(&scanned).map(Second), grain)
    }
}
