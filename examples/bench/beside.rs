//! Groups of the targets alone: an operation beside a copy of as many bytes.

use std::cell::RefCell;

use granule::prelude::*;

use crate::groups::Go;
use crate::stage::{Place, Scene, Stage};
use crate::{loops, movement, oracle, stencils};

/// A copy of so many bytes with the best loops, to be performed beside what `fill` enters.
fn beside_copy<T: Element>(
    scene: &Scene<'_>,
    (x, spoilt): (&[T], T),
    go: Go<'_>,
    fill: impl for<'g> FnOnce(&mut Stage<'g, T>),
) -> granule::Result<()> {
    let copied = oracle::floats(x.len(), 1);
    let (target, out) = (RefCell::new(vec![0.0; x.len()]), RefCell::new(vec![spoilt; x.len()]));
    let check = oracle::floats_are(|i| copied[i], |_| 0.0);
    let mut copy =
        Stage { scene, x: &copied, y: &copied, place: Place::Host { out: &target }, spoilt: f32::NAN, contenders: Vec::new() };
    copy.peer_writes("peer:copy", loops::copy, &check);
    copy.peer_writes("peer:copy-nt", loops::copy_streamed, &check);
    copy.peer_writes("peer:copy-2t", |x, y, out| loops::on_two_threads(x, y, out, loops::copy_streamed), &check);
    let mut stage = Stage { scene, x, y: x, place: Place::Host { out: &out }, spoilt, contenders: Vec::new() };
    fill(&mut stage);
    copy.contenders.append(&mut stage.contenders);
    go(&mut copy.contenders);
    Ok(())
}

/// The scan of integers.
pub(crate) fn scan_beside_copy(scene: &Scene<'_>, x: &[u32], go: Go<'_>) -> granule::Result<()> {
    beside_copy(scene, (x, u32::MAX), go, |stage| {
        let engine = stage.scene.engine;
        stage.writes(move |x, _| engine.scan(x, Sum), oracle::integer_prefixes_of(stage.x));
    })
}

/// The transpose of a square, or a stencil on it.
pub(crate) fn square_beside_copy(op: &str, scene: &Scene<'_>, x: &[f32], go: Go<'_>) -> granule::Result<()> {
    beside_copy(scene, (x, f32::NAN), go, |stage| match op {
        "transpose" => movement::transpose(stage),
        _ => stencils::fill(op, stage),
    })
}
