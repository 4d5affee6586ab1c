//! Traces: what kernels, sources and operators become on a GPU.

#[path = "trace/check.rs"]
mod check;

use check::snapshot;
use granule::element::Kind;
use granule::kernel::ir::Traced;
use granule::kernel::trace::{trace_operator, trace_source};
use granule::kernel::wgsl::{Access, Module};
use granule::kernel::{Kernel, Lanes, Varying, ops};
use granule::operator::{ArgMax, Max, Operator, Sum};
use granule::source::{IntoSource, Source, constant, gather, iota, zip};

/// The whole shader of a map: what an executor puts together.
fn map_shader(f: &Traced) -> Module {
    let mut m = Module::new(0);
    let leaves: Vec<Kind> = f.results.iter().map(|r| r.0).collect();
    m.item("Item", &leaves);
    m.buffer("dst", "Item", Access::ReadWrite);
    m.function("source", "Item", f);
    m.add(
        "@group(0) @binding(100) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}",
    );
    m
}

#[derive(Clone, Copy)]
struct Saxpy(f32);

impl Kernel<(f32, f32)> for Saxpy {
    type Out = f32;
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, (f32, f32)>) -> Varying<L, f32> {
        let (x, y) = x.0;
        ops::add(l, ops::mul(l, ops::broadcast(l, ops::uniform(l, self.0)), x), y)
    }
}

#[test]
fn a_map_of_two_slices() {
    let (x, y) = (vec![1.0_f32; 8], vec![2.0_f32; 8]);
    let f = trace_source(&zip(&x, &y).map(Saxpy(3.0)));
    snapshot("saxpy", map_shader(&f));
}
