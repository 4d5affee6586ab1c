//! Probes: short runs of the library's own primitives, from which the rates of this machine follow.
//!
//! Every figure is fitted so that the model predicts the time that its probe took: a rate of a cache is what is left of a run when
//! the share of the nearer caches is taken off, as the model prices it. What is no positive number leaves the prior as it is; what is more
//! than [`SANE`] times above or below it was disturbed, and is brought back to that.
//!
//! A probe is repeated and its least time counts, since whatever else runs on the machine can only add to it.

mod cpu;
#[cfg(feature = "gpu")]
mod gpu;

use std::hint::black_box;
use std::time::{Duration, Instant};

pub(crate) use cpu::cpu;
#[cfg(feature = "gpu")]
pub(crate) use gpu::gpu;

use crate::element::{Element, Number};

use crate::error::{Error, Result};
use crate::kernel::cost::Ops;
use crate::machine::OpRates;
use crate::operator::{Operator, Sum};
use crate::prelude::kernel;
use crate::source::{IntoSource, Source, iota};

/// Changes whenever a probe does, so that rates of older probes are not taken for those of newer ones.
pub(crate) const SUITE: u32 = 2;

/// A figure this many times above or below its prior was disturbed: it is brought back to that distance.
const SANE: f64 = 50.0;
/// Times a probe is repeated at least, and the time after which it is not repeated any more.
const REPEATS: usize = 5;
const CAP: Duration = Duration::from_millis(10);
/// Time for which a short probe is repeated, so that one disturbance does not spoil all of its runs.
const ENOUGH: Duration = Duration::from_millis(1);
/// A reading of the clock takes up to 50 ns: shorter runs than this are timed several at once.
const TIMED: f64 = 10e-6;

/// Why a figure was not measured.
enum Stop {
    /// The time is used up.
    Budget,
    /// A call failed.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Failed(error)
    }
}

type Probed<T> = Result<T, Stop>;

/// The clock, with the time at which measuring must end.
#[derive(Clone, Copy)]
struct Clock {
    end: Instant,
}

impl Clock {
    fn start(budget: Duration) -> Clock {
        let now = Instant::now();
        Clock { end: now.checked_add(budget).unwrap_or(now + Duration::from_secs(u32::MAX.into())) }
    }

    /// Fails if less than this many seconds are left.
    fn needs(&self, seconds: f64) -> Probed<()> {
        let left = self.end.saturating_duration_since(Instant::now()).as_secs_f64();
        if left > seconds { Ok(()) } else { Err(Stop::Budget) }
    }

    /// Seconds of one run.
    fn once<T>(&self, run: impl FnOnce() -> Result<T>) -> Probed<f64> {
        self.needs(0.0)?;
        let from = Instant::now();
        black_box(run()?);
        Ok(from.elapsed().as_secs_f64())
    }

    /// The least seconds of a run, of several that follow each other at once.
    fn least<T>(&self, mut run: impl FnMut() -> Result<T>) -> Probed<f64> {
        // Kernels are traced, pages touched, threads started and pipelines compiled in the first run, which does not count.
        self.once(&mut run)?;
        let begun = Instant::now();
        let mut least = self.once(&mut run)?;
        let batch = (TIMED / least).ceil().clamp(1.0, 1000.0) as usize;
        let mut repeats = 0;
        while repeats < REPEATS && begun.elapsed() < CAP || begun.elapsed() < ENOUGH {
            let Ok(seconds) = self.once(|| (1..batch).try_for_each(|_| run().map(|x| drop(black_box(x)))).and_then(|()| run()))
            else {
                break;
            };
            least = least.min(seconds / batch as f64);
            repeats += 1;
        }
        Ok(least)
    }
}

/// Replaces a prior by what was measured, if that is a rate or a time at all.
fn set(prior: &mut f64, measured: f64) -> bool {
    let good = measured.is_finite() && measured > 0.0;
    if good {
        *prior = measured.clamp(*prior / SANE, *prior * SANE);
    }
    good
}

/// As [`set`], for what is a difference of two times and may be lost in their noise: then it is small, and not unknown.
fn set_difference(prior: &mut f64, measured: f64) -> bool {
    set(prior, if measured.is_finite() { measured.max(*prior / SANE) } else { measured })
}

/// Four independent chains of eight multiplications and additions: enough for every unit of every vector to be busy. Squares,
/// since a compiler may simplify what is linear.
#[kernel]
fn simple<T: Number>(x: T, #[uniform] a: T, #[uniform] b: T) -> T {
    let (mut p, mut q, mut r, mut s) = (x, x + a, x + b, x * b);
    p = p * p + a;
    q = q * q + a;
    r = r * r + a;
    s = s * s + a;
    p = p * p + b;
    q = q * q + b;
    r = r * r + b;
    s = s * s + b;
    p = p * p + a;
    q = q * q + a;
    r = r * r + a;
    s = s * s + a;
    p = p * p + b;
    q = q * q + b;
    r = r * r + b;
    s = s * s + b;
    p = p * p + a;
    q = q * q + a;
    r = r * r + a;
    s = s * s + a;
    p = p * p + b;
    q = q * q + b;
    r = r * r + b;
    s = s * s + b;
    p = p * p + a;
    q = q * q + a;
    r = r * r + a;
    s = s * s + a;
    p = p * p + b;
    q = q * q + b;
    r = r * r + b;
    s = s * s + b;
    p + q + r + s
}

#[kernel]
fn divide(x: f32, #[uniform] a: f32) -> f32 {
    a / (x + a) + x.sqrt() + x / a + (x + a).sqrt()
}

/// `scale` brings the arguments between 1 and 9, so that none is special.
#[kernel]
fn function(x: f32, #[uniform] scale: f32) -> f32 {
    let y = x * scale + 1.0;
    y.exp() + y.sin() + y.ln()
}

/// Times kernels that read nothing: the sum of what they make of counting numbers.
trait Arithmetic {
    /// Seconds for an element, beyond what any call takes, and the operations that the planner counts for it.
    fn element<S: Source<Item: Element>>(&mut self, source: impl Fn(usize) -> S) -> Probed<(f64, Ops)>
    where
        Sum: Operator<S::Item>;

    /// The rates by class, each from what the classes before it leave of a kernel's time.
    fn op_rates(&mut self, rates: &mut OpRates) -> Probed<()> {
        let (seconds, ops) = self.element(floats)?;
        let simple = f64::from(ops.simple) / seconds;
        set(&mut rates.simple, simple);
        let (seconds, ops) = self.element(|n| iota(0.0..n as f32).map(divide::with(3.0)))?;
        set(&mut rates.divide, f64::from(ops.divide) / (seconds - f64::from(ops.simple) / simple));
        let (seconds, ops) = self.element(|n| iota(0.0..n as f32).map(function::with(8.0 / n as f32)))?;
        set(&mut rates.function, f64::from(ops.function) / (seconds - f64::from(ops.simple) / simple));
        Ok(())
    }

    /// How many times longer an operation of another type takes, as counted, than a simple one at this rate.
    fn slowdown<S: Source<Item: Element>>(&mut self, source: impl Fn(usize) -> S, simple: f64, slowdown: &mut f64) -> Probed<()>
    where
        Sum: Operator<S::Item>,
    {
        let (seconds, ops) = self.element(source)?;
        set(slowdown, seconds * simple / f64::from(ops.simple));
        Ok(())
    }
}

fn floats(n: usize) -> impl Source<Item = f32> {
    iota(0.0..n as f32).map(simple::with(0.5, 0.75))
}

fn long_floats(n: usize) -> impl Source<Item = f64> {
    iota(0.0..n as f64).map(simple::with(0.5, 0.75))
}

fn long_integers(n: usize) -> impl Source<Item = i64> {
    iota(0..n as i64).map(simple::with(3, 5))
}

#[cfg(test)]
mod tests;
