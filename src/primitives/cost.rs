//! The cost of a source or an operator, traced once per type and thread.

use std::cell::Cell;

use crate::element::Element;
use crate::kernel::cost::Cost;
use crate::kernel::ir::Traced;
use crate::kernel::trace;
use crate::operator::Operator;
use crate::plan::GpuNeeds;
use crate::source::Source;

type Entry = (usize, Cost, GpuNeeds);

/// Direct-mapped: the cost of a call that was made before is one look.
const SLOTS: usize = 64;

thread_local! {
    static TRACED: [Cell<Option<Entry>>; SLOTS] = const { [const { Cell::new(None) }; SLOTS] };
}

/// `key` is the address of a function that is compiled once per type; two types share it only if they trace alike.
#[inline]
fn cached(key: usize, trace: impl FnOnce() -> (Cost, GpuNeeds)) -> (Cost, GpuNeeds) {
    TRACED.with(|slots| {
        let slot = &slots[(key ^ key >> 6 ^ key >> 12) % SLOTS];
        match slot.get() {
            Some((of, cost, needs)) if of == key => (cost, needs),
            _ => {
                let (cost, needs) = trace();
                slot.set(Some((key, cost, needs)));
                (cost, needs)
            }
        }
    })
}

#[inline]
pub(super) fn of_source<S: Source<Item: Element>>(source: &S) -> (Cost, GpuNeeds) {
    cached(trace_source::<S> as *const () as usize, || trace_source(source))
}

#[inline]
pub(super) fn of_operator<T: Element, O: Operator<T>>(operator: &O) -> (Cost, GpuNeeds) {
    cached(trace_operator::<T, O> as *const () as usize, || trace_operator::<T, O>(operator))
}

#[cold]
fn trace_source<S: Source<Item: Element>>(source: &S) -> (Cost, GpuNeeds) {
    read_off(&trace::trace_source(source))
}

#[cold]
fn trace_operator<T: Element, O: Operator<T>>(operator: &O) -> (Cost, GpuNeeds) {
    read_off(&trace::trace_operator::<T, O>(operator))
}

fn read_off(traced: &Traced) -> (Cost, GpuNeeds) {
    let refused = traced.refusal.as_ref().map(|_| "the kernel uses what WGSL has not; run it on the GPU alone to hear what");
    let bindings = traced.bindings.len() as u32;
    (traced.cost, GpuNeeds { int64: traced.needs.int64, float64: traced.needs.float64, bindings, refused })
}
