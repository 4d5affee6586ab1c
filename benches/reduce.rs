//! Reduce: a sum and an argmax, on one core, on all, and as the library chooses.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use granule::prelude::*;

const SIZES: [usize; 4] = [1 << 10, 1 << 14, 1 << 18, 1 << 22];

fn reduce(criterion: &mut Criterion) {
    let engine = Engine::new().expect("an engine can be made");
    for n in SIZES {
        let x: Vec<f32> = (0..n).map(|i| (i % 1000) as f32).collect();

        let mut group = criterion.benchmark_group("sum f32");
        group.throughput(Throughput::Bytes(4 * n as u64));
        for backend in [Some(Backend::Simd), Some(Backend::Threads), None] {
            group.bench_function(id(backend, n), |b| {
                b.iter(|| {
                    let task = engine.reduce(&x, Sum);
                    let task = if let Some(backend) = backend { task.on(backend) } else { task };
                    task.run().expect("the input is good")
                });
            });
        }
        group.finish();

        let mut group = criterion.benchmark_group("argmax f32");
        group.throughput(Throughput::Bytes(4 * n as u64));
        for backend in [Some(Backend::Simd), Some(Backend::Threads), None] {
            group.bench_function(id(backend, n), |b| {
                b.iter(|| {
                    let task = engine.reduce(zip(&x, iota(0..n as u32)), ArgMax);
                    let task = if let Some(backend) = backend { task.on(backend) } else { task };
                    task.run().expect("the input is good")
                });
            });
        }
        group.finish();
    }
}

fn id(backend: Option<Backend>, n: usize) -> BenchmarkId {
    BenchmarkId::new(backend.map_or("auto".to_owned(), |b| b.to_string()), n)
}

criterion_group!(benches, reduce);
criterion_main!(benches);
