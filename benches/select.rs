//! Select: half of random keys, both halves, and each of sorted keys once.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use granule::prelude::*;

mod common;
use common::{SIZES, each, pinned, words};

#[kernel]
fn below(key: u32, #[uniform] limit: u32) -> bool {
    key < limit
}

fn select(criterion: &mut Criterion) {
    let engine = Engine::new().expect("an engine can be made");
    for n in SIZES {
        let keys = words(n);
        let sorted: Vec<u32> = (0..n as u32).map(|i| i / 4).collect();

        let mut group = criterion.benchmark_group("filter u32");
        group.throughput(Throughput::Bytes(6 * n as u64));
        each(&mut group, n, |on| pinned(engine.filter(&keys, below::with(1 << 31)), on));
        group.finish();

        let mut group = criterion.benchmark_group("partition u32");
        group.throughput(Throughput::Bytes(8 * n as u64));
        each(&mut group, n, |on| pinned(engine.partition(&keys, below::with(1 << 31)), on));
        group.finish();

        let mut group = criterion.benchmark_group("unique u32");
        group.throughput(Throughput::Bytes(5 * n as u64));
        each(&mut group, n, |on| pinned(engine.unique(&sorted), on));
        group.finish();
    }
}

criterion_group!(benches, select);
criterion_main!(benches);
