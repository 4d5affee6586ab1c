//! What is known of a source or an operator before it runs, traced once per type and thread.

use std::cell::Cell;

use crate::element::Element;
use crate::kernel::cost::Cost;
use crate::kernel::ir::Traced;
use crate::kernel::{Kernel, trace};
use crate::operator::Operator;
use crate::plan::{GpuNeeds, half_octave};
use crate::source::Source;

/// What a trace says to the planner.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) cost: Cost,
    pub(super) needs: GpuNeeds,
    /// Names the code: the same for the same IR, in every process.
    pub(super) code: u64,
    /// Whether it is a source of data as they are.
    pub(super) plain: bool,
}

/// What is kept of a type. A loop that runs as often as a uniform says may run another number of times in another call, so such a
/// kernel is traced again when the number of elements has changed, and now and then besides.
#[derive(Clone, Copy)]
struct Entry {
    key: usize,
    known: Known,
    size: u8,
    uses: u8,
}

impl Entry {
    #[inline]
    fn holds(&self, size: u8) -> bool {
        !self.known.cost.loops_passed || (self.size == size && self.uses < u8::MAX)
    }
}

/// Direct-mapped: the cost of a call that was made before is one look.
const SLOTS: usize = 64;

thread_local! {
    static TRACED: [Cell<Option<Entry>>; SLOTS] = const { [const { Cell::new(None) }; SLOTS] };
}

/// `key` is the address of a function that is compiled once per type; two types share it only if they trace alike.
#[inline]
fn cached(key: usize, n: usize, trace: impl FnOnce() -> Known) -> Known {
    TRACED.with(|slots| {
        let slot = &slots[(key ^ key >> 6 ^ key >> 12) % SLOTS];
        let size = half_octave(n);
        match slot.get() {
            Some(entry) if entry.key == key && entry.holds(size) => {
                if entry.known.cost.loops_passed {
                    slot.set(Some(Entry { uses: entry.uses + 1, ..entry }));
                }
                entry.known
            }
            _ => {
                let known = trace();
                slot.set(Some(Entry { key, known, size, uses: 0 }));
                known
            }
        }
    })
}

/// Of a source of `n` elements.
#[inline]
pub(super) fn of_source<S: Source<Item: Element>>(source: &S, n: usize) -> Known {
    cached(trace_source::<S> as *const () as usize, n, || trace_source(source))
}

#[inline]
pub(super) fn of_operator<T: Element, O: Operator<T>>(operator: &O, n: usize) -> Known {
    cached(trace_operator::<T, O> as *const () as usize, n, || trace_operator::<T, O>(operator))
}

#[inline]
pub(super) fn of_comparison<T: Element, K: Kernel<(T, T), Out = bool>>(comparison: &K, n: usize) -> Known {
    cached(trace_comparison::<T, K> as *const () as usize, n, || trace_comparison::<T, K>(comparison))
}

#[cold]
fn trace_comparison<T: Element, K: Kernel<(T, T), Out = bool>>(comparison: &K) -> Known {
    read_off(&trace::trace_comparison::<T, K>(comparison))
}

#[cold]
fn trace_source<S: Source<Item: Element>>(source: &S) -> Known {
    read_off(&trace::trace_source(source))
}

#[cold]
fn trace_operator<T: Element, O: Operator<T>>(operator: &O) -> Known {
    read_off(&trace::trace_operator::<T, O>(operator))
}

fn read_off(traced: &Traced) -> Known {
    let refused = traced.refusal.as_ref().map(|_| "the kernel uses what WGSL has not; run it on the GPU alone to hear what");
    let bindings = traced.bindings.len() as u32;
    let rounds_f32 = traced.ops.iter().zip(&traced.kinds).any(|(op, kind)| op.rounds_f32(*kind));
    let needs = GpuNeeds { int64: traced.needs.int64, float64: traced.needs.float64, rounds_f32, bindings, refused };
    let hash = traced.hash();
    Known { cost: traced.cost, needs, code: (hash ^ hash >> 64) as u64, plain: traced.is_plain() }
}
