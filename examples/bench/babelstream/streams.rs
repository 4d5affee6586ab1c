//! Who does the five kernels: the library pinned to each backend, a plain iterator, and rayon.

use std::hint::black_box;

use granule::prelude::*;
use rayon::prelude::*;

use super::{Real, SCALAR};
use crate::groups::CHUNK;
use crate::kernels;

/// Arrays `a`, `b` and `c` that stay where they are, and the kernels on them.
pub(crate) trait Stream<T> {
    /// One kernel, in the order of [`super::KERNELS`], and waits until it is done. `dot` gives its sum.
    fn kernel(&mut self, kernel: usize) -> granule::Result<Option<T>>;
    /// The arrays in host memory.
    fn read(&self) -> granule::Result<[Vec<T>; 3]>;
}

/// How a contender does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Library(Backend),
    Std,
    Rayon,
}

/// All that can be tried here, by their names in records.
pub(crate) fn contenders(gpu: bool) -> impl Iterator<Item = (&'static str, On)> {
    [
        ("simd", On::Library(Backend::Simd), true),
        ("threads", On::Library(Backend::Threads), cfg!(feature = "threads")),
        ("gpu", On::Library(Backend::Gpu), gpu),
        ("peer:std", On::Std, true),
        ("peer:rayon", On::Rayon, true),
    ]
    .into_iter()
    .filter_map(|(name, on, can)| can.then_some((name, on)))
}

/// A contender with these arrays.
pub(crate) fn open<'e, T: Real>(engine: &'e Engine, on: On, arrays: [Vec<T>; 3]) -> granule::Result<Box<dyn Stream<T> + 'e>> {
    Ok(match on {
        On::Library(backend) => {
            let arrays = arrays.map(|array| engine.array_from_vec(array));
            if backend == Backend::Gpu {
                arrays.iter().try_for_each(Array::to_gpu)?;
            }
            Box::new(Library { engine, backend, arrays })
        }
        On::Std => Box::new(Plain { parallel: false, arrays }),
        On::Rayon => Box::new(Plain { parallel: true, arrays }),
    })
}

/// The library, pinned to a backend.
struct Library<'e, T: Element> {
    engine: &'e Engine,
    backend: Backend,
    arrays: [Array<T>; 3],
}

impl<T: Real> Stream<T> for Library<'_, T> {
    fn kernel(&mut self, kernel: usize) -> granule::Result<Option<T>> {
        let (engine, on, scalar) = (self.engine, self.backend, T::of(SCALAR));
        let [a, b, c] = &mut self.arrays;
        match kernel {
            0 => engine.collect(&*a).on(on).into(c).run()?,
            1 => engine.map(&*c, kernels::scaled::with(scalar)).on(on).into(b).run()?,
            2 => engine.map(zip(&*a, &*b), kernels::sum_of_two::with()).on(on).into(c).run()?,
            3 => engine.map(zip(&*b, &*c), kernels::plus_scaled::with(scalar)).on(on).into(a).run()?,
            _ => return engine.reduce(zip(&*a, &*b).map(kernels::product_of_two::with()), Sum).on(on).run().map(Some),
        }
        #[cfg(feature = "gpu")]
        if on == Backend::Gpu {
            engine.gpu()?.wait(None)?;
        }
        Ok(None)
    }

    fn read(&self) -> granule::Result<[Vec<T>; 3]> {
        let [a, b, c] = &self.arrays;
        Ok([a.to_vec()?, b.to_vec()?, c.to_vec()?])
    }
}

/// What one would write without the library.
struct Plain<T> {
    parallel: bool,
    arrays: [Vec<T>; 3],
}

impl<T: Real> Stream<T> for Plain<T> {
    fn kernel(&mut self, kernel: usize) -> granule::Result<Option<T>> {
        let scalar = T::of(SCALAR);
        let [a, b, c] = black_box(&mut self.arrays);
        match kernel {
            0 => each(self.parallel, c, (&*a, &*a), |a, _| a),
            1 => each(self.parallel, b, (&*c, &*c), |c, _| scalar * c),
            2 => each(self.parallel, c, (&*a, &*b), |a, b| a + b),
            3 => each(self.parallel, a, (&*b, &*c), |b, c| b + scalar * c),
            _ => return Ok(Some(dot(self.parallel, a, b))),
        }
        Ok(None)
    }

    fn read(&self) -> granule::Result<[Vec<T>; 3]> {
        Ok(self.arrays.clone())
    }
}

fn each<T: Real>(parallel: bool, out: &mut [T], (x, y): (&[T], &[T]), f: impl Fn(T, T) -> T + Sync) {
    let one =
        |((out, x), y): ((&mut [T], &[T]), &[T])| out.iter_mut().zip(x.iter().zip(y)).for_each(|(out, (&x, &y))| *out = f(x, y));
    if parallel {
        out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).zip(y.par_chunks(CHUNK)).for_each(one);
    } else {
        one(((out, x), y));
    }
}

/// A sum of sums, on one thread as well: a running sum of so many equal `f32` stops to grow.
fn dot<T: Real>(parallel: bool, x: &[T], y: &[T]) -> T {
    let one = |(x, y): (&[T], &[T])| x.iter().zip(y).fold(T::default(), |sum, (&x, &y)| sum + x * y);
    if parallel {
        x.par_chunks(CHUNK).zip(y.par_chunks(CHUNK)).map(one).reduce(T::default, |a, b| a + b)
    } else {
        x.chunks(CHUNK).zip(y.chunks(CHUNK)).map(one).fold(T::default(), |a, b| a + b)
    }
}
