//! Map: a kernel bound by memory and one bound by arithmetic, on one core, on all, and as the library chooses.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use granule::prelude::*;

const SIZES: [usize; 4] = [1 << 10, 1 << 14, 1 << 18, 1 << 22];

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
        for backend in [Some(Backend::Simd), Some(Backend::Threads), None] {
            group.bench_function(id(backend, n), |b| {
                b.iter(|| {
                    let task = engine.map(zip(&x, &y), saxpy::with(2.0));
                    let task = if let Some(backend) = backend { task.on(backend) } else { task };
                    task.into(&mut out).run().expect("the input is good");
                });
            });
        }
        group.finish();

        let mut group = criterion.benchmark_group("exp_sin f32");
        group.throughput(Throughput::Elements(n as u64));
        for backend in [Some(Backend::Simd), Some(Backend::Threads), None] {
            group.bench_function(id(backend, n), |b| {
                b.iter(|| {
                    let task = engine.map(&x, exp_sin::with());
                    let task = if let Some(backend) = backend { task.on(backend) } else { task };
                    task.into(&mut out).run().expect("the input is good");
                });
            });
        }
        group.finish();
    }
}

fn id(backend: Option<Backend>, n: usize) -> BenchmarkId {
    BenchmarkId::new(backend.map_or("auto".to_owned(), |b| b.to_string()), n)
}

criterion_group!(benches, map);
criterion_main!(benches);
