//! Segments: sums of segments of 16 elements, and of runs of equal keys.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use granule::prelude::*;

mod common;
use common::{SIZES, each, pinned, words};

fn segments(criterion: &mut Criterion) {
    let engine = Engine::new().expect("an engine can be made");
    for n in SIZES {
        let x = vec![1.0_f32; n];
        let offsets: Vec<u32> = (0..=n as u32).step_by(16).collect();
        let keys: Vec<u32> = (0..n as u32).map(|i| i / 8).collect();
        let values = words(n);

        let mut group = criterion.benchmark_group("segmented_reduce f32");
        group.throughput(Throughput::Bytes(4 * n as u64));
        each(&mut group, n, |on| pinned(engine.segmented_reduce(&x, &offsets, Sum), on));
        group.finish();

        let mut group = criterion.benchmark_group("reduce_by_key u32");
        group.throughput(Throughput::Bytes(8 * n as u64));
        each(&mut group, n, |on| pinned(engine.reduce_by_key(&keys, &values, Sum), on));
        group.finish();
    }
}

criterion_group!(benches, segments);
criterion_main!(benches);
