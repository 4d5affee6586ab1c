//! Top-k: the 100 largest of random keys, and the median.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use granule::prelude::*;

mod common;
use common::{SIZES, each, pinned, words};

fn top_k(criterion: &mut Criterion) {
    let engine = Engine::new().expect("an engine can be made");
    for n in SIZES {
        let keys = words(n);

        let mut group = criterion.benchmark_group("top_k u32");
        group.throughput(Throughput::Bytes(4 * n as u64));
        each(&mut group, n, |on| pinned(engine.top_k(&keys, 100), on));
        group.finish();

        let mut group = criterion.benchmark_group("nth_element u32");
        group.throughput(Throughput::Bytes(4 * n as u64));
        each(&mut group, n, |on| pinned(engine.nth_element(&keys, n / 2), on));
        group.finish();
    }
}

criterion_group!(benches, top_k);
criterion_main!(benches);
