//! Scan: prefix sums of integers and of floats, on one core, on all, and as the library chooses.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use granule::prelude::*;

const SIZES: [usize; 4] = [1 << 10, 1 << 14, 1 << 18, 1 << 22];

fn scan(criterion: &mut Criterion) {
    let engine = Engine::new().expect("an engine can be made");
    for n in SIZES {
        let mut group = criterion.benchmark_group("inclusive sum u32");
        sums(&engine, &mut group, &vec![1_u32; n]);
        group.finish();

        let mut group = criterion.benchmark_group("inclusive sum f32");
        sums(&engine, &mut group, &vec![1.0_f32; n]);
        group.finish();
    }
}

fn sums<T: Element + Number>(engine: &Engine, group: &mut BenchmarkGroup<'_, WallTime>, x: &[T]) {
    let n = x.len();
    let mut out = x.to_vec();
    group.throughput(Throughput::Bytes(2 * size_of_val(x) as u64));
    for backend in [Some(Backend::Simd), Some(Backend::Threads), None] {
        let name = backend.map_or("auto".to_owned(), |b| b.to_string());
        group.bench_function(BenchmarkId::new(name, n), |b| {
            b.iter(|| {
                let task = engine.scan(x, Sum);
                let task = if let Some(backend) = backend { task.on(backend) } else { task };
                task.into(&mut out).run().expect("the input is good");
            });
        });
    }
}

criterion_group!(benches, scan);
criterion_main!(benches);
