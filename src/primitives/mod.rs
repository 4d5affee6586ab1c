//! The primitives: one folder each, with the contract and the task in `mod.rs` and an algorithm a side in `cpu.rs` and `gpu.rs`.

mod blocks;
pub mod by_key;
mod chain;
mod cost;
mod destination;
mod fill;
pub mod find;
pub mod histogram;
pub mod iterate;
pub mod map;
pub mod merge;
pub mod merge_sort;
pub mod reduce;
pub mod replicate;
pub mod scan;
pub mod scatter;
pub mod search;
pub mod segments;
pub mod select;
pub mod sets;
#[cfg(feature = "gpu")]
#[doc(hidden)]
pub mod shaders;
pub mod sort;
mod then;
pub mod top_k;
mod total;
pub mod transpose;

pub use destination::Destination;
pub use fill::{Fill, FillInto};
pub use segments::Csr;
pub use sort::SortKey;
pub use then::Then;

use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::operator::Operator;
use crate::plan::{Operation, Problem};
use crate::source::{Source, UNBOUNDED};
use crate::task::Survey;

/// The problem that a primitive over this source poses; the task adds what it alone knows.
#[inline]
fn describe<S: Source<Item: Element>>(_: &Survey<'_>, operation: Operation, source: &S) -> Result<Problem> {
    if let Some(pending) = source.pending() {
        let n = pending.bound();
        let cost::Known { cost: element, needs: gpu, code, .. } = cost::of_source(source, n);
        return Ok(Problem { n, bounded: true, element, gpu, code, item_bytes: size_of::<S::Item>(), ..Problem::new(operation) });
    }
    let n = source.len()?;
    if n == UNBOUNDED {
        return Err(Error::Unbounded);
    }
    let cost::Known { cost: element, needs: gpu, code, .. } = cost::of_source(source, n);
    Ok(Problem { n, element, gpu, code, item_bytes: size_of::<S::Item>(), ..Problem::new(operation) })
}

/// The same, of a source whose length must be known: where the output's length is given.
fn describe_exact<S: Source<Item: Element>>(survey: &Survey<'_>, operation: Operation, source: &S) -> Result<Problem> {
    source.len()?;
    describe(survey, operation, source)
}

/// The same problem with a comparison.
#[inline]
fn with_comparison<T: Element, K: Kernel<(T, T), Out = bool>>(problem: Problem, less: &K) -> Problem {
    with_code(problem, cost::of_comparison::<T, K>(less, problem.n))
}

/// The same problem with an operator.
#[inline]
fn with_operator<T: Element, O: Operator<T>>(problem: Problem, operator: &O) -> Problem {
    with_code(problem, cost::of_operator::<T, O>(operator, problem.n))
}

#[inline]
fn with_code(problem: Problem, known: cost::Known) -> Problem {
    let cost::Known { cost: combine, needs, code, .. } = known;
    Problem { combine, gpu: problem.gpu.and(needs), code: problem.code.rotate_left(23) ^ code, ..problem }
}
