//! How much arithmetic this machine can do at most: the flat part of a roofline.
//!
//! One operation is a multiplication and an addition of `f32`, fused: the unit in which the planner counts takes as long for one of them
//! alone.

use std::hint::black_box;
use std::time::{Duration, Instant};

use granule::prelude::*;
use serde_json::{Value, json};

use crate::{kernels, loops};

/// The shortest that a loop may take.
const ENOUGH: Duration = Duration::from_millis(4);
/// The fastest of so many counts.
const TRIES: usize = 5;

/// Of one core, all cores, and the GPU where there is one, as records have it.
pub(crate) fn measure(engine: &Engine, gpu: bool) -> granule::Result<Value> {
    let mut peaks = vec![peak("simd", &mut |steps| Ok(chains(steps)))?];
    if cfg!(feature = "threads") {
        let together = |steps| {
            std::thread::scope(|scope| {
                let others: Vec<_> = (1..engine.workers()).map(|_| scope.spawn(move || chains(steps))).collect();
                let own = chains(steps);
                own + others.into_iter().map(|other| other.join().expect("arithmetic does not panic")).sum::<u64>()
            })
        };
        peaks.push(peak("threads", &mut |steps| Ok(together(steps)))?);
    }
    #[cfg(feature = "gpu")]
    if gpu {
        let x = engine.array_from_vec((0..1 << 18).map(|i| i as f32 * 1e-6).collect());
        x.to_gpu()?;
        let mut out = engine.array_from_vec(vec![0.0_f32; x.bound()]);
        peaks.push(peak("gpu", &mut |steps| {
            engine.map(&x, kernels::chains::with(steps)).on(Backend::Gpu).into(&mut out).run()?;
            engine.gpu()?.wait(None)?;
            Ok(8 * u64::from(steps) * x.bound() as u64)
        })?);
    }
    _ = gpu; // without a GPU backend there is none
    Ok(Value::Array(peaks))
}

/// Operations in registers, and how many they were.
fn chains(steps: u32) -> u64 {
    let count = 256 * steps as usize;
    black_box(loops::multiply_add(count));
    count as u64
}

/// What a loop does in a second, when it has as many steps as make it long enough.
fn peak(backend: &str, run: &mut dyn FnMut(u32) -> granule::Result<u64>) -> granule::Result<Value> {
    let mut time = |steps: u32| -> granule::Result<(Duration, u64)> {
        let begun = Instant::now();
        let done = run(steps)?;
        Ok((begun.elapsed(), done))
    };
    let mut steps = 16;
    // Of three, since one may have waited for a thread.
    while time(steps)?.0.min(time(steps)?.0).min(time(steps)?.0) < ENOUGH && steps < 1 << 30 {
        steps *= 2;
    }
    let mut best = 0.0_f64;
    for _ in 0..TRIES {
        let (took, done) = time(steps)?;
        best = best.max(done as f64 / took.as_secs_f64());
    }
    Ok(json!({ "backend": backend, "operations_per_second": best }))
}
