//! Map: a kernel bound by memory and one bound by arithmetic.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use granule::prelude::*;

mod common;
use common::{SIZES, each, pinned};

#[kernel]
fn saxpy(x: f32, y: f32, #[uniform] a: f32) -> f32 {
    a * x + y
}

#[kernel]
fn exp_sin(x: f32) -> f32 {
    x.exp() * x.sin()
}

fn map(criterion: &mut Criterion) {
    let engine = Engine::new().expect("an engine can be made");
    for n in SIZES {
        let x: Vec<f32> = (0..n).map(|i| i as f32 / n as f32).collect();
        let y = x.clone();
        let mut out = vec![0.0_f32; n];

        let mut group = criterion.benchmark_group("saxpy f32");
        group.throughput(Throughput::Bytes(12 * n as u64));
        each(&mut group, n, |on| pinned(engine.map(zip(&x, &y), saxpy::with(2.0)).into(&mut out), on));
        group.finish();

        let mut group = criterion.benchmark_group("exp_sin f32");
        group.throughput(Throughput::Elements(n as u64));
        each(&mut group, n, |on| pinned(engine.map(&x, exp_sin::with()).into(&mut out), on));
        group.finish();
    }
}

criterion_group!(benches, map);
criterion_main!(benches);
