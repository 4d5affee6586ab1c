//! Work that was recorded on a GPU: a result that stays there, or bytes on their way to the host.

use std::sync::Arc;

use crate::array::Array;
use crate::backend::cpu::Deadline;
use crate::element::Element;
use crate::error::Result;
use crate::primitives::Destination;

use super::array::{element_bytes, unpack_into};
use super::{Buffer, Gpu};

/// Makes the result from the bytes that were read.
type Finish<'t, O> = Box<dyn FnOnce(&[u8]) -> Result<O> + 't>;

/// A task's work on a GPU, recorded.
pub enum Started<'t, O> {
    /// Nothing to wait for: the result is an array that stays on the device.
    Ready(O),
    /// The result is made from bytes that the host must read.
    Read {
        /// The device.
        gpu: Arc<Gpu>,
        /// Where the bytes are.
        buffer: Buffer,
        /// How many.
        bytes: u64,
        /// What to do with them.
        finish: Finish<'t, O>,
    },
}

impl<'t, O> Started<'t, O> {
    /// What stays on the device.
    pub(crate) fn ready(self) -> O {
        let Started::Ready(result) = self else { unreachable!("an array stays on the device") };
        result
    }

    /// The same, of what the result is made into.
    pub(crate) fn map<P>(self, f: impl FnOnce(O) -> P + 't) -> Started<'t, P>
    where
        O: 't,
    {
        match self {
            Started::Ready(result) => Started::Ready(f(result)),
            Started::Read { gpu, buffer, bytes, finish } => {
                Started::Read { gpu, buffer, bytes, finish: Box::new(|words| finish(words).map(f)) }
            }
        }
    }

    /// Waits on this thread.
    pub(crate) fn wait(self, deadline: Option<Deadline>) -> Result<O> {
        match self {
            Started::Ready(result) => Ok(result),
            Started::Read { gpu, buffer, bytes, finish } => {
                finish(&gpu.read(&buffer, 0, bytes, deadline.map(Deadline::left)).map_err(|e| named(e, deadline))?)
            }
        }
    }

    /// Waits without blocking a thread.
    pub(crate) async fn finish(self, deadline: Option<Deadline>) -> Result<O> {
        match self {
            Started::Ready(result) => Ok(result),
            Started::Read { gpu, buffer, bytes, finish } => {
                let read = gpu.read_async(&buffer, 0, bytes, deadline.map(Deadline::left)).await;
                finish(&read.map_err(|e| named(e, deadline))?)
            }
        }
    }
}

/// A timeout names the limit that was set, not what was left of it when the wait began.
fn named(error: crate::Error, deadline: Option<Deadline>) -> crate::Error {
    match (error, deadline) {
        (crate::Error::Timeout { .. }, Some(deadline)) => crate::Error::Timeout { deadline: deadline.limit },
        (error, _) => error,
    }
}

impl<T: Element> Started<'_, Array<T>> {
    /// The array, which stays on the device.
    pub(crate) fn array(self) -> Array<T> {
        let Started::Ready(result) = self else { unreachable!("an array stays on the device") };
        result
    }

    /// The same result, in memory that exists.
    pub(crate) fn into_destination<'t>(self, destination: &'t mut Destination<'_, T>) -> Started<'t, ()> {
        let result = self.array();
        match destination {
            Destination::Array(array) => {
                **array = result;
                Started::Ready(())
            }
            Destination::Slice(slice) => match result.device_copy() {
                None => Started::Ready(()),
                Some(device) => Started::Read {
                    gpu: device.gpu().clone(),
                    buffer: device.buffer().clone(),
                    bytes: result.bound() as u64 * element_bytes::<T>(),
                    finish: Box::new(|words| {
                        unpack_into(words, slice);
                        Ok(())
                    }),
                },
            },
        }
    }
}
