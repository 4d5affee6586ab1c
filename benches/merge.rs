//! Merge: two sorted halves in one order.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use granule::prelude::*;

mod common;
use common::{SIZES, each, pinned, words};

fn merge(criterion: &mut Criterion) {
    let engine = Engine::new().expect("an engine can be made");
    for n in SIZES {
        let mut keys = words(n);
        let (left, right) = keys.split_at_mut(n / 2);
        left.sort_unstable();
        right.sort_unstable();
        let (left, right) = (&*left, &*right);

        let mut group = criterion.benchmark_group("merge u32");
        group.throughput(Throughput::Elements(n as u64));
        each(&mut group, n, |on| pinned(engine.merge(left, right), on));
        group.finish();
    }
}

criterion_group!(benches, merge);
criterion_main!(benches);
