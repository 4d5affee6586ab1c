//! Search: random needles in as many sorted keys.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use granule::prelude::*;

mod common;
use common::{SIZES, each, pinned, words};

fn search(criterion: &mut Criterion) {
    let engine = Engine::new().expect("an engine can be made");
    for n in SIZES {
        let needles = words(n);
        let mut sorted = needles.clone();
        sorted.sort_unstable();

        let mut group = criterion.benchmark_group("lower_bound u32");
        group.throughput(Throughput::Elements(n as u64));
        each(&mut group, n, |on| pinned(engine.lower_bound(&sorted, &needles), on));
        group.finish();
    }
}

criterion_group!(benches, search);
criterion_main!(benches);
