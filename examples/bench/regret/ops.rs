//! The operations of the sweep, from light to heavy, on slices and on arrays that only the GPU has.

use std::hint::black_box;

use granule::prelude::*;
use granule::{Primitive, Task};

use crate::groups::Residency;
use crate::measure::Trouble;
use crate::stage::{Arithmetic, CheckAll};
use crate::{kernels, oracle};

/// The factor of the light map.
const SCALAR: f32 = 0.4;
/// When the Mandelbrot kernel gives up.
const LIMIT: u32 = 100;

/// The operations, by the names that the rest of the benchmark has for them.
pub(crate) const OPS: [&str; 5] = ["triad", "map_exp_sin", "map_mandelbrot", "dot", "scan_inclusive_sum"];

/// The calls of one case, each of which anybody can make.
pub(crate) trait Calls {
    /// Whether calls can follow one another without anything being prepared in between.
    fn repeatable(&self) -> bool;
    /// Prepares what the next call reads; outside the clock.
    fn prepare(&mut self) -> granule::Result<()>;
    /// Makes calls, by the library's choice or pinned, and waits for their results.
    fn call(&mut self, on: Option<Backend>, calls: u64) -> granule::Result<()>;
    /// Where a call would run.
    fn choice(&mut self, on: Option<Backend>) -> granule::Result<Backend>;
    /// Makes a call and compares its answer with the oracle's.
    fn verify(&mut self, on: Option<Backend>) -> Result<(), Trouble>;
}

/// The calls of an operation on `n` elements.
pub(crate) fn calls<'e>(op: &str, engine: &'e Engine, n: usize, residency: Residency) -> granule::Result<Box<dyn Calls + 'e>> {
    fn place<'e, O: Op + 'e>(engine: &'e Engine, n: usize, residency: Residency) -> granule::Result<Box<dyn Calls + 'e>> {
        let (x, y) = O::inputs(n);
        // Written, so that no call pays for the first touch of the output.
        let out = vec![O::SPOILT; O::outputs(n)];
        Ok(match residency {
            Residency::Host => Box::new(OnSlices::<O> { engine, x, y, out }),
            Residency::Gpu => {
                let seeds = [engine.array(&x), engine.array(&y)];
                seeds.iter().filter(|seed| seed.bound() > 0).try_for_each(Array::to_gpu)?;
                Box::new(OnArrays::<O> { engine, x, y, seeds, fresh: None, kept: None, out })
            }
        })
    }
    match op {
        "triad" => place::<Triad>(engine, n, residency),
        "map_exp_sin" => place::<ExpSin>(engine, n, residency),
        "map_mandelbrot" => place::<Mandelbrot>(engine, n, residency),
        "dot" => place::<Dot>(engine, n, residency),
        "scan_inclusive_sum" => place::<Scan>(engine, n, residency),
        other => unreachable!("{other} is not in the list of operations"),
    }
}

/// An operation: its inputs, its task, its oracle.
trait Op {
    /// An element of the output; of a reduction the value.
    type Out: Element;
    /// What a task gives that has been told where to write.
    type Written: Answer<Self::Out>;
    /// What a task on arrays gives.
    type Kept: Answer<Self::Out>;
    /// An element of the output before it is written.
    const SPOILT: Self::Out;

    /// The inputs; the second one is empty if the operation has one only.
    fn inputs(n: usize) -> (Vec<f32>, Vec<f32>);
    /// Number of elements of the output.
    fn outputs(n: usize) -> usize {
        n
    }
    fn on_slices<'a>(
        engine: &'a Engine,
        x: &'a [f32],
        y: &'a [f32],
        out: &'a mut [Self::Out],
    ) -> Task<'a, impl Primitive<Output = Self::Written>>;
    fn on_arrays<'a>(engine: &'a Engine, x: &'a Array<f32>, y: &'a Array<f32>) -> Task<'a, impl Primitive<Output = Self::Kept>>;
    fn oracle<'a>(x: &'a [f32], y: &'a [f32]) -> CheckAll<'a, Self::Out>;
}

/// What a task gives.
trait Answer<U> {
    /// Waits until it is there: work whose result stays on the GPU is only recorded.
    fn settle(&self, engine: &Engine) -> granule::Result<()>;
    /// Puts it where it can be compared.
    fn read(self, out: &mut [U]) -> granule::Result<()>;
}

impl<U> Answer<U> for () {
    fn settle(&self, _: &Engine) -> granule::Result<()> {
        Ok(())
    }
    fn read(self, _: &mut [U]) -> granule::Result<()> {
        Ok(())
    }
}

impl Answer<f32> for f32 {
    fn settle(&self, _: &Engine) -> granule::Result<()> {
        Ok(())
    }
    fn read(self, out: &mut [f32]) -> granule::Result<()> {
        out[0] = self;
        Ok(())
    }
}

impl<U: Element> Answer<U> for Array<U> {
    fn settle(&self, engine: &Engine) -> granule::Result<()> {
        if self.residency() == granule::Residency::Gpu { drain(engine) } else { Ok(()) }
    }
    fn read(self, out: &mut [U]) -> granule::Result<()> {
        out.copy_from_slice(self.as_slice()?);
        Ok(())
    }
}

/// Waits until the GPU has done all that was recorded.
fn drain(engine: &Engine) -> granule::Result<()> {
    #[cfg(feature = "gpu")]
    engine.gpu()?.wait(None)?;
    _ = engine; // without a GPU backend nothing is ever recorded
    Ok(())
}

fn pinned<P: Primitive>(task: Task<'_, P>, on: Option<Backend>) -> Task<'_, P> {
    match on {
        Some(backend) => task.on(backend),
        None => task,
    }
}

/// How exact an answer can be. A call without a pin may run anywhere, whatever its plan says: backends are tried out.
fn arithmetic(engine: &Engine, on: Option<Backend>) -> Arithmetic {
    match on {
        Some(Backend::Simd | Backend::Threads) => Arithmetic::Cpu,
        None if engine.machine().gpus().is_empty() => Arithmetic::Cpu,
        Some(Backend::Gpu) | None => Arithmetic::Gpu,
    }
}

/// Slices in, and the result in a slice that exists.
struct OnSlices<'e, O: Op> {
    engine: &'e Engine,
    x: Vec<f32>,
    y: Vec<f32>,
    out: Vec<O::Out>,
}

impl<O: Op> Calls for OnSlices<'_, O> {
    fn repeatable(&self) -> bool {
        true
    }

    fn prepare(&mut self) -> granule::Result<()> {
        Ok(())
    }

    fn call(&mut self, on: Option<Backend>, calls: u64) -> granule::Result<()> {
        for _ in 0..calls {
            let task = O::on_slices(self.engine, black_box(&self.x), black_box(&self.y), &mut self.out);
            black_box(pinned(task, on).run()?);
        }
        Ok(())
    }

    fn choice(&mut self, on: Option<Backend>) -> granule::Result<Backend> {
        let task = O::on_slices(self.engine, &self.x, &self.y, &mut self.out);
        Ok(pinned(task, on).plan()?.choice.backend)
    }

    fn verify(&mut self, on: Option<Backend>) -> Result<(), Trouble> {
        self.out.fill(O::SPOILT);
        let arithmetic = arithmetic(self.engine, on);
        let written = pinned(O::on_slices(self.engine, &self.x, &self.y, &mut self.out), on).run()?;
        written.read(&mut self.out)?;
        O::oracle(&self.x, &self.y)(&self.out, arithmetic).map_err(Trouble::Wrong)
    }
}

/// Arrays that only the GPU has, and the result an array wherever it lands. A download leaves a copy on the host, so every call
/// gets arrays of its own.
struct OnArrays<'e, O: Op> {
    engine: &'e Engine,
    x: Vec<f32>,
    y: Vec<f32>,
    /// What the arrays are copies of.
    seeds: [Array<f32>; 2],
    fresh: Option<[Array<f32>; 2]>,
    /// The last result: it is dropped when the next call is prepared, outside the clock.
    kept: Option<O::Kept>,
    out: Vec<O::Out>,
}

impl<O: Op> OnArrays<'_, O> {
    fn run(&mut self, on: Option<Backend>) -> granule::Result<&mut Option<O::Kept>> {
        let [x, y] = self.fresh.as_ref().expect("every call is prepared");
        let kept = pinned(O::on_arrays(self.engine, black_box(x), black_box(y)), on).run()?;
        kept.settle(self.engine)?;
        self.kept = Some(kept);
        Ok(&mut self.kept)
    }
}

impl<O: Op> Calls for OnArrays<'_, O> {
    fn repeatable(&self) -> bool {
        false
    }

    fn prepare(&mut self) -> granule::Result<()> {
        (self.fresh, self.kept) = (None, None);
        let [x, y] = &self.seeds;
        let copy = |seed: &Array<f32>| match seed.bound() {
            0 => Ok(self.engine.array_from_vec(Vec::new())),
            _ => self.engine.collect(seed).on(Backend::Gpu).run(),
        };
        let fresh = [copy(x)?, copy(y)?];
        drain(self.engine)?;
        debug_assert_eq!(fresh[0].residency(), granule::Residency::Gpu);
        self.fresh = Some(fresh);
        Ok(())
    }

    fn call(&mut self, on: Option<Backend>, calls: u64) -> granule::Result<()> {
        (0..calls).try_for_each(|_| self.run(on).map(|_| ()))
    }

    fn choice(&mut self, on: Option<Backend>) -> granule::Result<Backend> {
        let [x, y] = self.fresh.as_ref().expect("every call is prepared");
        Ok(pinned(O::on_arrays(self.engine, x, y), on).plan()?.choice.backend)
    }

    fn verify(&mut self, on: Option<Backend>) -> Result<(), Trouble> {
        self.prepare()?;
        let arithmetic = arithmetic(self.engine, on);
        self.out.fill(O::SPOILT);
        let kept = self.run(on)?.take();
        kept.expect("the call has left its result").read(&mut self.out)?;
        O::oracle(&self.x, &self.y)(&self.out, arithmetic).map_err(Trouble::Wrong)
    }
}

/// The light map: `x + scalar * y`.
struct Triad;

impl Op for Triad {
    type Out = f32;
    type Written = ();
    type Kept = Array<f32>;
    const SPOILT: f32 = f32::NAN;

    fn inputs(n: usize) -> (Vec<f32>, Vec<f32>) {
        (oracle::floats(n, 1), oracle::floats(n, 2))
    }
    fn on_slices<'a>(
        engine: &'a Engine,
        x: &'a [f32],
        y: &'a [f32],
        out: &'a mut [f32],
    ) -> Task<'a, impl Primitive<Output = ()>> {
        engine.map(zip(x, y), kernels::triad::with(SCALAR)).into(out)
    }
    fn on_arrays<'a>(engine: &'a Engine, x: &'a Array<f32>, y: &'a Array<f32>) -> Task<'a, impl Primitive<Output = Array<f32>>> {
        engine.map(zip(x, y), kernels::triad::with(SCALAR))
    }
    fn oracle<'a>(x: &'a [f32], y: &'a [f32]) -> CheckAll<'a, f32> {
        oracle::floats_are(
            |i| x[i] + SCALAR * y[i],
            |i| f64::from(f32::EPSILON) * (f64::from(x[i]).abs() + f64::from(y[i]).abs()),
        )
    }
}

/// The heavy map: `exp(x) * sin(x)`.
struct ExpSin;

impl Op for ExpSin {
    type Out = f32;
    type Written = ();
    type Kept = Array<f32>;
    const SPOILT: f32 = f32::NAN;

    fn inputs(n: usize) -> (Vec<f32>, Vec<f32>) {
        (oracle::angles(n), Vec::new())
    }
    fn on_slices<'a>(
        engine: &'a Engine,
        x: &'a [f32],
        _: &'a [f32],
        out: &'a mut [f32],
    ) -> Task<'a, impl Primitive<Output = ()>> {
        engine.map(x, kernels::exp_sin::with()).into(out)
    }
    fn on_arrays<'a>(engine: &'a Engine, x: &'a Array<f32>, _: &'a Array<f32>) -> Task<'a, impl Primitive<Output = Array<f32>>> {
        engine.map(x, kernels::exp_sin::with())
    }
    fn oracle<'a>(x: &'a [f32], _: &'a [f32]) -> CheckAll<'a, f32> {
        oracle::exp_sin_of(x)
    }
}

/// A map whose cost depends on the data.
struct Mandelbrot;

impl Op for Mandelbrot {
    type Out = u32;
    type Written = ();
    type Kept = Array<u32>;
    const SPOILT: u32 = u32::MAX;

    fn inputs(n: usize) -> (Vec<f32>, Vec<f32>) {
        oracle::points(n)
    }
    fn on_slices<'a>(
        engine: &'a Engine,
        x: &'a [f32],
        y: &'a [f32],
        out: &'a mut [u32],
    ) -> Task<'a, impl Primitive<Output = ()>> {
        engine.map(zip(x, y), kernels::mandelbrot::with(LIMIT)).into(out)
    }
    fn on_arrays<'a>(engine: &'a Engine, x: &'a Array<f32>, y: &'a Array<f32>) -> Task<'a, impl Primitive<Output = Array<u32>>> {
        engine.map(zip(x, y), kernels::mandelbrot::with(LIMIT))
    }
    fn oracle<'a>(x: &'a [f32], y: &'a [f32]) -> CheckAll<'a, u32> {
        oracle::steps_are(x.iter().zip(y).map(|(&x, &y)| kernels::mandelbrot(x, y, LIMIT)).collect())
    }
}

/// A map and a reduction in one pass: `sum(x * y)`.
struct Dot;

impl Op for Dot {
    type Out = f32;
    type Written = f32;
    type Kept = f32;
    const SPOILT: f32 = f32::NAN;

    fn inputs(n: usize) -> (Vec<f32>, Vec<f32>) {
        (oracle::floats(n, 1), oracle::floats(n, 2))
    }
    fn outputs(_: usize) -> usize {
        1
    }
    fn on_slices<'a>(engine: &'a Engine, x: &'a [f32], y: &'a [f32], _: &'a mut [f32]) -> Task<'a, impl Primitive<Output = f32>> {
        engine.reduce(zip(x, y).map(kernels::product::with()), Sum)
    }
    fn on_arrays<'a>(engine: &'a Engine, x: &'a Array<f32>, y: &'a Array<f32>) -> Task<'a, impl Primitive<Output = f32>> {
        engine.reduce(zip(x, y).map(kernels::product::with()), Sum)
    }
    fn oracle<'a>(x: &'a [f32], y: &'a [f32]) -> CheckAll<'a, f32> {
        let check = oracle::sum_of(x.len(), x.iter().zip(y).map(|(&x, &y)| f64::from(x) * f64::from(y)));
        std::rc::Rc::new(move |out, arithmetic| check(out[0], arithmetic))
    }
}

/// The inclusive scan.
struct Scan;

impl Op for Scan {
    type Out = f32;
    type Written = ();
    type Kept = Array<f32>;
    const SPOILT: f32 = f32::NAN;

    fn inputs(n: usize) -> (Vec<f32>, Vec<f32>) {
        (oracle::floats(n, 1), Vec::new())
    }
    fn on_slices<'a>(
        engine: &'a Engine,
        x: &'a [f32],
        _: &'a [f32],
        out: &'a mut [f32],
    ) -> Task<'a, impl Primitive<Output = ()>> {
        engine.scan(x, Sum).into(out)
    }
    fn on_arrays<'a>(engine: &'a Engine, x: &'a Array<f32>, _: &'a Array<f32>) -> Task<'a, impl Primitive<Output = Array<f32>>> {
        engine.scan(x, Sum)
    }
    fn oracle<'a>(x: &'a [f32], _: &'a [f32]) -> CheckAll<'a, f32> {
        oracle::prefixes_of(x)
    }
}
