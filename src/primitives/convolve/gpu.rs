//! Convolution on a GPU: a thread for each result, which goes through the weights; a dispatch for each table. What is read beyond the
//! edges of the grid is looked up in a table that the host made.

use crate::array::{Array, Length};
use crate::backend::gpu::{
    Access, Declared, DeviceArray, Extent, Function, Holds, Input, Part, Recording, Share, Stage, Started, counts_in_32_bits,
    leaves, part, slots,
};
use crate::element::{Element, Kind, Number};
use crate::error::{Error, Result};
use crate::plan::Backend;
use crate::source::Source;

use super::halo::{Frame, Pass};

/// What runs.
pub(crate) const TEMPLATE: [Part; 1] = [part!("convolve")];

/// The buffers but for the source.
pub(crate) const BUFFERS: [Declared<'static>; 3] = [
    ("weights", Holds::Items, Access::Read),
    ("halo", Holds::Others("Word", &[Kind::U32]), Access::Read),
    ("out", Holds::Items, Access::ReadWrite),
];

/// Stands for what is outside.
const OUTSIDE: u32 = u32::MAX;

/// The shape of the grid, and of the weights before and behind an element: words of the table.
fn halo<T: Number>(frame: &Frame<T>, pass: &Pass<T>) -> Vec<u32> {
    let mut words: Vec<u32> =
        [frame.shape, pass.shape, pass.before, pass.after].as_flattened().iter().map(|&x| x as u32).collect();
    for axis in 0..3 {
        let n = frame.shape[axis] as isize;
        let places = (-(pass.before[axis] as isize)..0).chain(n..n + pass.after[axis] as isize);
        words.extend(places.map(|p| frame.place(axis, p).map_or(OUTSIDE, |p| p as u32)));
    }
    words
}

/// Records the convolution into a new array.
pub(super) fn convolve<'t, T: Number + Element, S: Source<Item = T>>(
    on: Recording<'_>,
    source: &S,
    frame: &Frame<T>,
    passes: &[Pass<T>],
) -> Result<Started<'t, Array<T>>> {
    let n = source.len()? as u64;
    if n == 0 {
        return Ok(Started::Ready(Array::empty(on.engine)));
    }
    counts_in_32_bits(n)?;
    let (function, executor) = (Function::source(on.gpu, source)?, on.executor());
    let chunk = executor.chunk(&function, T::WORDS)?;
    if n > chunk {
        let reason =
            format!("a grid of {n} elements is read as a whole, and one binding of this GPU holds {chunk}: run on the CPU");
        return Err(Error::Unsupported { backend: Backend::Gpu, reason });
    }
    let mut frame = *frame;
    let mut made = None;
    for pass in passes {
        let out = executor.items(T::WORDS, n)?;
        // The value outside stands behind the weights.
        let mut weights = pass.weights.clone();
        weights.push(frame.outside.unwrap_or(T::ZERO));
        let weights = DeviceArray::upload(on.gpu, &weights)?;
        let halo = DeviceArray::upload(on.gpu, &halo(&frame, pass))?;
        let bindings = [weights.buffer().all(), halo.buffer().all(), out.all()];
        let stage = Stage {
            template: &TEMPLATE,
            item: &leaves::<T>(),
            input: made.as_ref().map_or(Input::Function(&function), Input::Items),
            operator: None,
            buffers: &slots(&BUFFERS, bindings),
            shuffles: false,
            extent: Extent::Dispatched,
            glue: "",
        };
        executor.dispatch(&stage, [0, 0], 0, n, Share { block: 256, blocks: 4 })?;
        frame.outside = frame.outside.map(|x| pass.of_one(x));
        made = Some(out);
    }
    let Some(out) = made else { unreachable!("there is a table for each axis") };
    Ok(Started::Ready(on.array(Length::Known(n as usize), out)))
}
