//! Scan: prefix sums of integers and of floats.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use granule::prelude::*;

mod common;
use common::{SIZES, each, pinned};

fn scan(criterion: &mut Criterion) {
    let engine = Engine::new().expect("an engine can be made");
    for n in SIZES {
        let (x, mut out) = (vec![1_u32; n], vec![0_u32; n]);
        let (y, mut sums) = (vec![1.0_f32; n], vec![0.0_f32; n]);

        let mut group = criterion.benchmark_group("inclusive sum u32");
        group.throughput(Throughput::Bytes(8 * n as u64));
        each(&mut group, n, |on| pinned(engine.scan(&x, Sum).into(&mut out), on));
        group.finish();

        let mut group = criterion.benchmark_group("inclusive sum f32");
        group.throughput(Throughput::Bytes(8 * n as u64));
        each(&mut group, n, |on| pinned(engine.scan(&y, Sum).into(&mut sums), on));
        group.finish();
    }
}

criterion_group!(benches, scan);
criterion_main!(benches);
