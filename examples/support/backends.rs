//! Runs one task on every backend, times it, checks it and says what the planner chose.
#![allow(dead_code, reason = "each example uses its part")]

use std::time::{Duration, Instant};

use granule::prelude::*;
use granule::{Primitive, Task};

/// Whether a result is right, and by how much it is off.
pub(crate) enum Verdict {
    /// The same bits as the reference.
    Same,
    /// Off by this much at most, of what is allowed.
    Close { off: f64, allowed: f64 },
    /// Wrong.
    Wrong(String),
}

impl Verdict {
    /// Judges values of which the same bits are promised.
    pub(crate) fn bits<T: Bits>(got: &[T], want: &[T]) -> Verdict {
        if got.len() != want.len() {
            return Verdict::Wrong(format!("{} elements, not {}", got.len(), want.len()));
        }
        match got.iter().zip(want).position(|(g, w)| !g.same(w)) {
            None => Verdict::Same,
            Some(i) => Verdict::Wrong(format!("element {i} is {:?}, not {:?}", got[i], want[i])),
        }
    }

    /// Judges values that may be off by `allowed`, absolutely.
    pub(crate) fn close(got: &[f32], want: &[f32], allowed: f64) -> Verdict {
        if got.len() != want.len() {
            return Verdict::Wrong(format!("{} elements, not {}", got.len(), want.len()));
        }
        let off = got.iter().zip(want).map(|(&g, &w)| f64::from(g) - f64::from(w)).map(f64::abs);
        // `max` would drop a NaN: it must count as the largest error.
        let off = off.fold(0.0, |a, b| if b > a || b.is_nan() { b } else { a });
        if got.iter().zip(want).all(|(g, w)| g.same(w)) {
            Verdict::Same
        } else if off <= allowed {
            Verdict::Close { off, allowed }
        } else {
            Verdict::Wrong(format!("off by {off:.1e}, more than {allowed:.0e}"))
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Verdict::Same => f.write_str("same bits"),
            Verdict::Close { off, allowed } => write!(f, "off by {off:.1e} at most (allowed {allowed:.0e})"),
            Verdict::Wrong(why) => write!(f, "WRONG: {why}"),
        }
    }
}

/// Comparison by bits: -0.0 is not 0.0, and NaN is itself.
pub(crate) trait Bits: std::fmt::Debug {
    fn same(&self, other: &Self) -> bool;
}
impl Bits for f32 {
    fn same(&self, other: &f32) -> bool {
        self.to_bits() == other.to_bits()
    }
}
impl Bits for u32 {
    fn same(&self, other: &u32) -> bool {
        self == other
    }
}
impl Bits for u64 {
    fn same(&self, other: &u64) -> bool {
        self == other
    }
}
impl<A: Bits, B: Bits> Bits for (A, B) {
    fn same(&self, other: &Self) -> bool {
        self.0.same(&other.0) && self.1.same(&other.1)
    }
}

/// The backends of an engine, and what went wrong so far.
pub(crate) struct Bench {
    backends: Vec<Backend>,
    explain: bool,
    wrong: usize,
}

impl Bench {
    /// Finds out which backends there are, and prints them.
    pub(crate) fn new(engine: &Engine, explain: bool) -> Bench {
        println!("  simd      {} vectors on one core", engine.simd_level());
        let mut backends = vec![Backend::Simd];
        for backend in [Backend::Threads, Backend::Gpu] {
            // The shortest way to know whether a backend works is to have it work.
            match engine.reduce(iota(0..1000_u32), Sum).on(backend).run() {
                Ok(total) => {
                    assert_eq!(total, 499_500, "the {backend} backend cannot count");
                    backends.push(backend);
                    match backend {
                        Backend::Threads => println!("  threads   {} threads, each with such vectors", engine.workers()),
                        _ => println!("  gpu       {}", engine.machine().gpus.to_string().trim_start_matches("gpu 0: ")),
                    }
                }
                Err(error) => println!("  {:<9} not here: {error}", backend.to_string()),
            }
        }
        Bench { backends, explain, wrong: 0 }
    }

    /// Runs a task on every backend and by the planner's choice. `read` brings the result to the host and is part of the time.
    ///
    /// Returns the result of the planner's choice.
    pub(crate) fn step<'e, P: Primitive, R>(
        &mut self,
        title: &str,
        n: usize,
        task: impl Fn() -> Task<'e, P>,
        read: impl Fn(P::Output) -> granule::Result<R>,
        judge: impl Fn(Backend, &R) -> Verdict,
    ) -> granule::Result<R> {
        println!("\n{title}");
        let plan = task().plan()?;
        let mut times = Vec::new();
        for &backend in &self.backends {
            let (result, time) = match timed(|| task().on(backend).run().and_then(&read)) {
                Ok(done) => done,
                // A GPU may lack a type or a binding that this kernel needs: that is a fact to show, not a failure.
                Err(error @ Error::Unsupported { .. }) => {
                    println!("  {:<9} {error}", backend.to_string());
                    continue;
                }
                Err(error) => return Err(error),
            };
            let verdict = judge(backend, &result);
            self.wrong += usize::from(matches!(verdict, Verdict::Wrong(_)));
            let rate = n as f64 / time.as_secs_f64() / 1e6;
            let mark = if backend == plan.choice.backend { "<- chosen" } else { "" };
            println!("  {:<9} {:>10} {rate:>8.0} M/s   {mark:<9}   {verdict}", backend.to_string(), show(time));
            times.push((backend, time));
        }
        let (result, _) = timed(|| task().run().and_then(&read))?;
        let verdict = judge(plan.choice.backend, &result);
        self.wrong += usize::from(matches!(verdict, Verdict::Wrong(_)));
        let fastest = times.iter().min_by_key(|(_, time)| *time);
        let chosen = times.iter().find(|(backend, _)| *backend == plan.choice.backend);
        if let (Some((best, least)), Some((_, time))) = (fastest, chosen) {
            match time.as_secs_f64() / least.as_secs_f64() {
                // Closer than that, the next run may have it the other way round.
                ..1.1 => println!("  plan      {plan}; nothing was faster by a tenth"),
                ratio => println!("  plan      {plan}; {best} was {ratio:.1} times as fast"),
            }
        }
        if self.explain {
            for line in task().explain()?.to_string().lines() {
                println!("            {line}");
            }
        }
        Ok(result)
    }

    /// An error if any result was wrong.
    pub(crate) fn finish(self) -> Result<(), String> {
        match self.wrong {
            0 => Ok(()),
            n => Err(format!("{n} results are not what they should be (see WRONG above)")),
        }
    }
}

/// The last result of a few runs, and their median time. The first run, which warms caches and compiles shaders, is left out.
fn timed<R>(run: impl Fn() -> granule::Result<R>) -> granule::Result<(R, Duration)> {
    const RUNS: usize = 9;
    const LIMIT: Duration = Duration::from_millis(150);
    let mut result = run()?;
    let (mut times, started) = (Vec::new(), Instant::now());
    while times.len() < RUNS && (times.is_empty() || started.elapsed() < LIMIT) {
        let begin = Instant::now();
        result = run()?;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    Ok((result, times[times.len() / 2]))
}

/// A duration in the unit that suits it.
pub(crate) fn show(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s < 1e-3 => format!("{:.1} us", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}
