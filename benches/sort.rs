//! Sort: random keys, keys with values, and by a comparison.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use granule::prelude::*;

mod common;
use common::{SIZES, each, pinned, words};

#[kernel]
fn falls(a: u32, b: u32) -> bool {
    a > b
}

fn sort(criterion: &mut Criterion) {
    let engine = Engine::new().expect("an engine can be made");
    for n in SIZES {
        let keys = words(n);
        let values: Vec<u32> = (0..n as u32).collect();

        let mut group = criterion.benchmark_group("sort u32");
        group.throughput(Throughput::Elements(n as u64));
        each(&mut group, n, |on| pinned(engine.sort(&keys), on));
        group.finish();

        let mut group = criterion.benchmark_group("sort_pairs u32");
        group.throughput(Throughput::Elements(n as u64));
        each(&mut group, n, |on| pinned(engine.sort_pairs(&keys, &values), on));
        group.finish();

        let mut group = criterion.benchmark_group("sort_by u32");
        group.throughput(Throughput::Elements(n as u64));
        each(&mut group, n, |on| pinned(engine.sort_by(&keys, falls::with()), on));
        group.finish();
    }
}

criterion_group!(benches, sort);
criterion_main!(benches);
