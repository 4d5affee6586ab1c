//! What all benches share: sizes, backends, data.
#![allow(dead_code, reason = "not every bench needs all of it")]
#![allow(unreachable_pub, reason = "each bench is a program of its own")]

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId};
use granule::prelude::*;
use granule::{Primitive, Task};

/// Numbers of elements.
pub const SIZES: [usize; 4] = [1 << 10, 1 << 14, 1 << 18, 1 << 22];

/// A task, pinned if a backend is given.
pub fn pinned<P: Primitive>(task: Task<'_, P>, on: Option<Backend>) -> P::Output {
    let task = if let Some(backend) = on { task.on(backend) } else { task };
    task.run().expect("the input is good")
}

/// On one core, on all, and as the library chooses. A GPU is measured by the example `bench`, beside them.
pub fn each<R>(group: &mut BenchmarkGroup<'_, WallTime>, n: usize, mut run: impl FnMut(Option<Backend>) -> R) {
    for on in [Some(Backend::Simd), Some(Backend::Threads), None] {
        let name = on.map_or("auto".to_owned(), |backend| backend.to_string());
        group.bench_function(BenchmarkId::new(name, n), |b| b.iter(|| run(on)));
    }
}

/// Words whose bits are all random (Marsaglia: Xorshift RNGs, 2003).
pub fn words(n: usize) -> Vec<u32> {
    let mut state = 0x9e37_79b9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    std::iter::repeat_with(next).take(n).collect()
}
