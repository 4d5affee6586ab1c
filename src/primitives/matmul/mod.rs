//! The product of two dense matrices.

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;

use crate::array::{Array, DataVisitor};
use crate::backend::cpu::Cpu;
#[cfg(feature = "gpu")]
use crate::backend::gpu::{Recording, Started};
use crate::backend::simd::ViewMut;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::kernel::cost::{Cost, Ops};
use crate::matrix::Matrix;
use crate::plan::{GpuNeeds, Operation, Problem};
use crate::source::{Constant, IntoSource, Source};
use crate::task::{Primitive, Survey, Task};

use super::{Fill, describe_exact};

impl Engine {
    /// The product of two dense matrices of `f32`, row-major: `out[i][j]` is the sum of `a[i][p] * b[p][j]` over all `p`.
    ///
    /// `a` has `m` rows and `k` columns, `b` has `k` rows and `n` columns; each is a [`Matrix`] or a [`Grid`](crate::grid::Grid) of two axes
    /// over any source, and may be [transposed](Matrix::transposed). The result is a new [`Array`] of `m * n` elements, or goes where
    /// [`into`](Task::into) says. [`plus`](Task::plus) adds a third matrix: BLAS's `alpha * a * b + beta * c` is a product of maps, which are
    /// evaluated as the matrices are read.
    ///
    /// The products of an element are added in ascending order of `p`, and what 256 of them make is added to the sum so far. On a CPU with
    /// fused multiply-add (AVX2, AVX-512) a product is not rounded before it is added; there the result has the same bits at every level
    /// and for every number of workers. At the base level of x86-64 products are rounded; on a GPU all `k` are one sum, and its driver may
    /// fuse or not. Nothing is left out: a NaN or an infinity in a row of `a` or a column of `b` is in each of their sums. If `k` is 0 each
    /// element is 0; if `m` or `n` is 0 there is none.
    ///
    /// Bound by arithmetic: `2 * m * n * k` operations. On the CPU the parts of both matrices are copied to where caches want them, and a
    /// kernel keeps a block of the result in registers (K. Goto, R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008; F. Van
    /// Zee, R. van de Geijn, "BLIS: A Framework for Rapidly Instantiating BLAS Functionality", 2015); it takes room for a copy of `b`, of 32 MiB
    /// at most unless `k` is above 2^18. On a GPU workgroups share tiles of both matrices, and threads keep 8 by 8 elements each; a matrix that is
    /// computed is evaluated beforehand, `b` must fit one binding, and so must `a` if it is transposed. Few rows or columns leave registers
    /// unused: [`matvec`](Engine::matvec) is for one.
    ///
    /// # Errors
    /// When the task is run: [`Error::LengthMismatch`] if `a` has not as many columns as `b` has rows; [`Error::TooLarge`] if `m * n * k`
    /// overflows.
    ///
    /// ```
    /// use granule::grid::Grid;
    /// use granule::kernel;
    /// use granule::matrix::Matrix;
    /// use granule::prelude::*;
    ///
    /// let engine = Engine::new()?;
    /// let a = Matrix::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3])?;
    /// let b = Grid::new(&[1.0, 0.0, 0.0, 1.0, 1.0, 1.0], [3, 2])?;
    /// assert_eq!(engine.matmul(a, b).run()?.as_slice()?, [4.0, 5.0, 10.0, 11.0]);
    ///
    /// // The products of the rows with each other, halved, less 1.
    /// let half = Matrix::new((&[1.0, 2.0, 3.0, 4.0]).map(kernel!(|x: f32| 0.5 * x)), [2, 2])?;
    /// let b = Matrix::new(&[1.0, 2.0, 3.0, 4.0], [2, 2])?.transposed();
    /// let gram = engine.matmul(half, b).plus(constant(-1.0).take(4)).run()?;
    /// assert_eq!(gram.as_slice()?, [1.5, 4.5, 4.5, 11.5]);
    /// # Ok::<(), granule::Error>(())
    /// ```
    #[inline]
    pub fn matmul<A, B>(&self, a: impl Into<Matrix<A>>, b: impl Into<Matrix<B>>) -> Task<'_, Matmul<A, B>>
    where
        A: Source<Item = f32>,
        B: Source<Item = f32>,
    {
        Task::new(self, Matmul { a: a.into(), b: b.into(), plus: None })
    }
}

impl<'e, A: Source<Item = f32>, B: Source<Item = f32>> Task<'e, Matmul<A, B>> {
    /// Adds the elements of a source, row-major, of as many as the product has: `out = c + a * b`. It is what the sums begin with.
    pub fn plus<C: IntoSource<Item = f32>>(self, c: C) -> Task<'e, Matmul<A, B, C::Source>> {
        let c = c.into_source();
        self.with(|Matmul { a, b, .. }| Matmul { a, b, plus: Some(c) })
    }
}

/// See [`Engine::matmul`].
pub struct Matmul<A, B, C = Constant<f32>> {
    a: Matrix<A>,
    b: Matrix<B>,
    plus: Option<C>,
}

/// Rows and columns of a product, and how many products each element is the sum of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dims {
    pub(crate) m: usize,
    pub(crate) k: usize,
    pub(crate) n: usize,
}

impl<A: Source<Item = f32>, B: Source<Item = f32>, C: Source<Item = f32>> Matmul<A, B, C> {
    /// The dimensions, if they fit together.
    fn dims(&self) -> Result<Dims> {
        let ([m, k], [rows, n]) = (self.a.shape(), self.b.shape());
        if k != rows {
            return Err(Error::LengthMismatch { left: k, right: rows });
        }
        let too_large = Error::TooLarge { elements: usize::MAX, limit: isize::MAX as usize / 4 };
        if m.checked_mul(n).and_then(|mn| mn.checked_mul(k.max(4))).is_none() {
            return Err(too_large);
        }
        match self.plus.map_or(Ok(m * n), |c| c.len())? {
            c if c != m * n => Err(Error::LengthMismatch { left: m * n, right: c }),
            _ => Ok(Dims { m, k, n }),
        }
    }
}

/// What a part of a product costs in which an element is read so often.
fn part(cost: Cost, times: f32) -> Cost {
    let Ops { simple, divide, function } = cost.ops;
    let ops = Ops { simple: simple * times, divide: divide * times, function: function * times };
    Cost { bytes_read: cost.bytes_read * times, bytes_random: cost.bytes_random * times, ops, ..cost }
}

fn sum(a: Cost, b: Cost) -> Cost {
    Cost {
        bytes_read: a.bytes_read + b.bytes_read,
        bytes_random: a.bytes_random + b.bytes_random,
        ops: Ops {
            simple: a.ops.simple + b.ops.simple,
            divide: a.ops.divide + b.ops.divide,
            function: a.ops.function + b.ops.function,
        },
        loops_unknown: a.loops_unknown || b.loops_unknown,
        loops_passed: a.loops_passed || b.loops_passed,
    }
}

impl<A: Source<Item = f32>, B: Source<Item = f32>, C: Source<Item = f32>> Primitive for Matmul<A, B, C> {
    type Output = Array<f32>;

    fn problem(&self, survey: &mut Survey<'_>) -> Result<Problem> {
        let Dims { m, k, n } = self.dims()?;
        let all = (m * n * k.max(1)) as f32;
        let a = describe_exact(survey, Operation::Matmul, &self.a.source())?;
        let b = describe_exact(survey, Operation::Matmul, &self.b.source())?;
        let mut element = Cost { ops: Ops::simple(1.0), ..Cost::default() };
        // Sources are bound one after the other if they are computed; then both, and the output.
        let mut gpu = GpuNeeds { rounds_f32: true, bindings: 3, ..GpuNeeds::default() };
        let mut code = 0;
        let c = self.plus.as_ref().map(|c| describe_exact(survey, Operation::Matmul, c)).transpose()?;
        for part_of in [Some(a), Some(b), c].into_iter().flatten() {
            element = sum(element, part(part_of.element, part_of.n as f32 / all.max(1.0)));
            gpu = GpuNeeds { bindings: gpu.bindings.max(part_of.gpu.bindings + 1), ..gpu.and(part_of.gpu) };
            code = part_of.code ^ u64::rotate_left(code, 31);
        }
        let item_bytes = m * n * size_of::<f32>();
        let n = m * n * k.max(1);
        Ok(Problem { n, element, gpu, code, item_bytes, allocates: true, ..Problem::new(Operation::Matmul) })
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> Result<()> {
        self.a.source().data(visitor)?;
        self.b.source().data(visitor)?;
        self.plus.as_ref().map_or(Ok(()), |c| c.data(visitor))
    }
    fn inherit(&self, output: &Self::Output, forgone: f64) {
        output.forgo(forgone);
    }
    fn run_cpu(&mut self, engine: &Engine, cpu: &Cpu<'_>, n: usize) -> Result<Self::Output> {
        Ok(Array::from_memory(engine, cpu.allocate(self.outputs()?, |out| self.fill(cpu, n, out))?))
    }
    #[cfg(feature = "gpu")]
    fn start_gpu<'t>(&'t mut self, on: Recording<'_>) -> Result<Started<'t, Self::Output>> {
        gpu::matmul(on, (&self.a, &self.b, self.plus.as_ref()), self.dims()?)
    }
}

impl<A: Source<Item = f32>, B: Source<Item = f32>, C: Source<Item = f32>> Fill for Matmul<A, B, C> {
    type Item = f32;

    fn outputs(&self) -> Result<usize> {
        self.dims().map(|dims| dims.m * dims.n)
    }
    fn fill(&mut self, cpu: &Cpu<'_>, _: usize, out: ViewMut<'_, f32>) -> Result<()> {
        cpu::matmul(cpu, (&self.a, &self.b, self.plus.as_ref()), self.dims()?, out)
    }
}
