//! This library, pinned to each backend and as it chooses.

use std::hint::black_box;

use granule::prelude::*;

use crate::Entrant;
use crate::gpu::Rivals;
use crate::work::{BINS, LIMIT, SCALAR, Work};

#[kernel]
fn triad(x: f32, y: f32, #[uniform] scalar: f32) -> f32 {
    x + scalar * y
}

#[kernel]
fn product(x: f32, y: f32) -> f32 {
    x * y
}

#[kernel]
fn below(key: u32, #[uniform] limit: u32) -> bool {
    key < limit
}

/// Everything as arrays, so that what is resident stays there; end to end they are made of slices, and read.
pub(crate) fn entrants<'w>(
    engine: &'w Engine,
    rivals: &Rivals<'_>,
    work: &'w Work,
    residency: &'static str,
) -> granule::Result<Vec<Entrant<'w>>> {
    let on_gpu = residency == "gpu";
    if on_gpu && !rivals.has_gpu(work) {
        return Ok(Vec::new());
    }
    let backends: &[Backend] = match (on_gpu, rivals.has_gpu(work)) {
        (true, _) => &[Backend::Gpu],
        (false, true) => &[Backend::Simd, Backend::Threads, Backend::Gpu],
        (false, false) => &[Backend::Simd, Backend::Threads],
    };
    let mut entrants = Vec::new();
    for &backend in backends {
        let inputs = move || Inputs {
            x: engine.array(&work.x),
            y: engine.array(&work.y),
            keys: engine.array(&work.keys),
            values: engine.array(&work.values),
        };
        let resident = if on_gpu { Some(inputs().on_gpu()?) } else { None };
        let held = resident.map(std::rc::Rc::new);
        let answer = {
            let held = held.clone();
            move || {
                let made;
                let inputs = match &held {
                    Some(held) => held,
                    None => {
                        made = std::rc::Rc::new(inputs());
                        &made
                    }
                };
                compute(engine, work, inputs, backend).and_then(Output::read).map_err(|error| error.to_string())
            }
        };
        let run = move || {
            let done = match &held {
                Some(held) => compute(engine, work, held, backend).and_then(|output| {
                    black_box(output);
                    engine.gpu()?.wait(None)
                }),
                None => compute(engine, work, &inputs(), backend).and_then(Output::read).map(|words| _ = black_box(words)),
            };
            done.map_err(|error| error.to_string())
        };
        entrants.push(Entrant { name: backend.to_string(), run: Box::new(run), answer: Box::new(answer) });
    }
    Ok(entrants)
}

struct Inputs {
    x: Array<f32>,
    y: Array<f32>,
    keys: Array<u32>,
    values: Array<u32>,
}

impl Inputs {
    fn on_gpu(self) -> granule::Result<Inputs> {
        [&self.x, &self.y].into_iter().filter(|array| array.bound() > 0).try_for_each(Array::to_gpu)?;
        [&self.keys, &self.values].into_iter().filter(|array| array.bound() > 0).try_for_each(Array::to_gpu)?;
        Ok(self)
    }
}

enum Output {
    Floats(Array<f32>),
    Words(Array<u32>),
    Pairs(Array<u32>, Array<u32>),
    One(u32),
}

impl Output {
    fn read(self) -> granule::Result<Vec<u32>> {
        Ok(match self {
            Output::Floats(array) => bytemuck::cast_vec(array.into_vec()?),
            Output::Words(array) => array.into_vec()?,
            Output::Pairs(keys, values) => [keys.into_vec()?, values.into_vec()?].concat(),
            Output::One(word) => vec![word],
        })
    }
}

fn compute(engine: &Engine, work: &Work, inputs: &Inputs, on: Backend) -> granule::Result<Output> {
    let Inputs { x, y, keys, values } = inputs;
    Ok(match (work.op, work.ty) {
        ("triad", _) => Output::Floats(engine.map(zip(x, y), triad::with(SCALAR)).on(on).run()?),
        ("dot", _) => Output::One(engine.reduce(zip(x, y).map(product::with()), Sum).on(on).run()?.to_bits()),
        ("reduce_sum", "f32") => Output::One(engine.reduce(x, Sum).on(on).run()?.to_bits()),
        ("reduce_sum", _) => Output::One(engine.reduce(keys, Sum).on(on).run()?),
        ("scan_inclusive_sum", _) => Output::Words(engine.scan(keys, Sum).on(on).run()?),
        ("histogram", _) => Output::Words(engine.histogram(keys, BINS).on(on).run()?),
        ("filter", _) => Output::Words(engine.filter(keys, below::with(LIMIT)).on(on).run()?),
        ("sort_keys", _) => Output::Words(engine.sort(keys).on(on).run()?),
        ("sort_pairs", _) => {
            let (keys, values) = engine.sort_pairs(keys, values).on(on).run()?;
            Output::Pairs(keys, values)
        }
        (other, _) => unreachable!("{other} is no work"),
    })
}
