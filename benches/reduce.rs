//! Reduce: a sum and an argmax.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use granule::prelude::*;

mod common;
use common::{SIZES, each, pinned};

fn reduce(criterion: &mut Criterion) {
    let engine = Engine::new().expect("an engine can be made");
    for n in SIZES {
        let x: Vec<f32> = (0..n).map(|i| (i % 1000) as f32).collect();

        let mut group = criterion.benchmark_group("sum f32");
        group.throughput(Throughput::Bytes(4 * n as u64));
        each(&mut group, n, |on| pinned(engine.reduce(&x, Sum), on));
        group.finish();

        let mut group = criterion.benchmark_group("argmax f32");
        group.throughput(Throughput::Bytes(4 * n as u64));
        each(&mut group, n, |on| pinned(engine.reduce(zip(&x, iota(0..n as u32)), ArgMax), on));
        group.finish();
    }
}

criterion_group!(benches, reduce);
criterion_main!(benches);
