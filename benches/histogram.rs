//! Histogram: numbered bins, and even ones of floats.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use granule::prelude::*;

mod common;
use common::{SIZES, each, pinned, words};

fn histogram(criterion: &mut Criterion) {
    let engine = Engine::new().expect("an engine can be made");
    for n in SIZES {
        let bins: Vec<u32> = words(n).into_iter().map(|word| word >> 24).collect();
        let x: Vec<f32> = words(n).into_iter().map(|word| (word >> 8) as f32 / (1 << 24) as f32).collect();

        let mut group = criterion.benchmark_group("histogram u32");
        group.throughput(Throughput::Bytes(4 * n as u64));
        each(&mut group, n, |on| pinned(engine.histogram(&bins, 256), on));
        group.finish();

        let mut group = criterion.benchmark_group("histogram_even f32");
        group.throughput(Throughput::Bytes(4 * n as u64));
        each(&mut group, n, |on| pinned(engine.histogram_even(&x, 0.0..1.0, 256), on));
        group.finish();
    }
}

criterion_group!(benches, histogram);
criterion_main!(benches);
