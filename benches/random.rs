//! Random numbers: words, and normal numbers.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use granule::prelude::*;
use granule::random::Philox;

mod common;
use common::{SIZES, each, pinned};

fn random(criterion: &mut Criterion) {
    let engine = Engine::new().expect("an engine can be made");
    for n in SIZES {
        let mut bits = vec![0_u32; n];
        let mut normal = vec![0.0_f32; n];

        let mut group = criterion.benchmark_group("philox u32");
        group.throughput(Throughput::Bytes(4 * n as u64));
        each(&mut group, n, |on| pinned(engine.collect(Philox::new(7).bits().take(n)).into(&mut bits), on));
        group.finish();

        let mut group = criterion.benchmark_group("normal f32");
        group.throughput(Throughput::Elements(n as u64));
        each(&mut group, n, |on| pinned(engine.collect(Philox::new(7).normal().take(n)).into(&mut normal), on));
        group.finish();
    }
}

criterion_group!(benches, random);
criterion_main!(benches);
