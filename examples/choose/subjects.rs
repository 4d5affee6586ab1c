//! The five kernels, from light to heavy, on slices of host memory.

use std::hint::black_box;

use granule::plan::{Explanation, Problem, Seen};
use granule::prelude::*;

/// The usual light map.
#[kernel]
fn saxpy(x: f32, y: f32, #[uniform] a: f32) -> f32 {
    a * x + y
}

/// Two transcendental functions.
#[kernel]
fn wave(x: f32) -> f32 {
    x.exp() * x.sin()
}

/// How many steps a point takes to leave the circle of radius 2: a loop whose length depends on the data.
#[kernel]
fn escape(cx: f32, cy: f32, #[uniform] limit: u32) -> u32 {
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

/// What a subject can be asked.
#[derive(Clone, Copy)]
enum Ask {
    Explain,
    /// So many calls on this backend; without one, wherever the library has them run.
    Run(Option<Backend>, u64),
}

/// A kernel with its data: calls of any number of elements up to the largest.
pub(crate) struct Subject<'e> {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it computes.
    pub(crate) formula: &'static str,
    ask: Box<dyn FnMut(usize, Ask) -> granule::Result<Option<Explanation>> + 'e>,
}

impl Subject<'_> {
    /// What a call on `n` elements is to the planner. Shaders are compiled by then, and of what calls taught only how often loops
    /// run is in it: it is the model that is to be seen.
    pub(crate) fn problem(&mut self, n: usize) -> granule::Result<Problem> {
        let explanation = (self.ask)(n, Ask::Explain)?.expect("who asks for an explanation gets one");
        let problem = explanation.problem;
        Ok(Problem { preparing: 0.0, seen: Seen { iterations: problem.seen.iterations, ..Seen::default() }, ..problem })
    }

    /// Makes so many calls on `n` elements, for the library to learn from.
    pub(crate) fn teach(&mut self, n: usize, calls: u64) -> granule::Result<()> {
        (self.ask)(n, Ask::Run(None, calls)).map(|_| ())
    }

    /// Makes so many calls on `n` elements, on this backend.
    pub(crate) fn run(&mut self, n: usize, on: Backend, calls: u64) -> granule::Result<()> {
        (self.ask)(n, Ask::Run(Some(on), calls)).map(|_| ())
    }
}

/// A subject whose task on `n` elements is this expression.
macro_rules! subject {
    ($name:literal, $formula:literal, |$n:ident| $task:expr) => {
        Subject {
            name: $name,
            formula: $formula,
            ask: Box::new(move |$n, ask| match ask {
                Ask::Explain => $task.explain().map(Some),
                Ask::Run(backend, calls) => {
                    for _ in 0..calls {
                        let task = $task;
                        black_box(match backend {
                            Some(backend) => task.on(backend).run()?,
                            None => task.run()?,
                        });
                    }
                    Ok(None)
                }
            }),
        }
    };
}

/// The five, on these inputs. Their results go to memory that exists.
pub(crate) fn all<'e>(engine: &'e Engine, x: &'e [f32], y: &'e [f32]) -> Vec<Subject<'e>> {
    let (mut sums, mut waves, mut prefixes) = (vec![1.0_f32; x.len()], vec![1.0_f32; x.len()], vec![1.0_f32; x.len()]);
    let mut steps = vec![1_u32; x.len()];
    vec![
        subject!("sum", "x[0] + ... + x[n-1]", |n| engine.reduce(&x[..n], Sum)),
        subject!("saxpy", "a * x + y", |n| engine.map(zip(&x[..n], &y[..n]), saxpy::with(0.4)).into(&mut sums[..n])),
        subject!("wave", "exp(x) * sin(x)", |n| engine.map(&x[..n], wave::with()).into(&mut waves[..n])),
        subject!("scan", "x[0] + ... + x[i]", |n| engine.scan(&x[..n], Sum).into(&mut prefixes[..n])),
        subject!("mandelbrot", "at most 100 steps", |n| {
            engine.map(zip(&x[..n], &y[..n]), escape::with(100)).into(&mut steps[..n])
        }),
    ]
}
