//! Kernels whose machine code `tests/assembly.rs` reads. Compiled by that test alone, with optimisation.

use granule::kernel::{Kernel, Lanes, Varying, ops};
use granule::prelude::*;

#[kernel]
fn sample_saxpy(x: f32, y: f32, #[uniform] a: f32) -> f32 {
    a * x + y
}

#[kernel]
fn sample_escape(cx: f32, cy: f32, #[uniform] limit: u32) -> u32 {
    let mut x = 0.0;
    let mut y = 0.0;
    let mut n = 0;
    while n < limit && x * x + y * y <= 4.0 {
        let t = x * x - y * y + cx;
        y = 2.0 * x * y + cy;
        x = t;
        n += 1;
    }
    n
}

#[kernel]
fn sample_functions(x: f32) -> f32 {
    if x > 0.0 { x.sqrt().floor() } else { x.abs().min(3.0) }
}

#[kernel]
fn sample_look_up(i: u32, table: &[f32]) -> f32 {
    table[i as usize] + 1.0
}

#[kernel]
fn sample_folded(x: f32) -> f32 {
    x.abs()
}

#[kernel]
fn sample_scanned(x: u32) -> u32 {
    x ^ 5
}

/// What must not happen: a helper on the way that is not inlined. Proves that the test sees it.
#[derive(Clone, Copy)]
pub struct SampleCliff;

#[inline(never)]
fn helper<L: Lanes>(l: L, x: Varying<L, f32>) -> Varying<L, f32> {
    ops::add(l, ops::mul(l, x, x), ops::lit(l, 1.0))
}

impl Kernel<f32> for SampleCliff {
    type Out = f32;
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, f32>) -> Varying<L, f32> {
        helper(l, x)
    }
}

pub fn run(engine: &Engine, x: &[f32], y: &[f32], i: &[u32]) -> granule::Result<f32> {
    let mut total = 0.0;
    total += engine.map(zip(x, y), sample_saxpy::with(2.0)).run()?.as_slice()?[0];
    total += engine.map(zip(x, y), sample_escape::with(100)).run()?.as_slice()?[0] as f32;
    total += engine.map(x, sample_functions::with()).run()?.as_slice()?[0];
    total += engine.map(i, sample_look_up::with(y)).run()?.as_slice()?[0];
    total += engine.reduce(x.map(sample_folded::with()), Sum).run()?;
    total += engine.scan(i.map(sample_scanned::with()), Sum).run()?.as_slice()?[0] as f32;
    total += engine.map(x, SampleCliff).run()?.as_slice()?[0];
    Ok(total)
}
