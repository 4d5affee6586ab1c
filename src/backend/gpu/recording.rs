//! What a primitive records its work with.

use std::sync::Arc;

use crate::array::{Array, Length};
use crate::element::Element;
use crate::engine::Engine;

use super::array::{DeviceArray, element_bytes, unpack_one};
use super::executor::Executor;
use super::started::Started;
use super::{Buffer, Gpu};

/// One call on a GPU: for which engine, on which device, and how finely it is shared out.
#[derive(Clone, Copy)]
pub struct Recording<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) gpu: &'a Arc<Gpu>,
    /// Elements that a workgroup takes.
    pub(crate) grain: usize,
}

impl<'a> Recording<'a> {
    pub(crate) fn executor(self) -> Executor<'a> {
        Executor { gpu: self.gpu }
    }

    /// The array of what was recorded into a buffer.
    pub(crate) fn array<T: Element>(self, length: Length, buffer: Buffer) -> Array<T> {
        Array::from_device(self.engine, length, DeviceArray::new(self.gpu, buffer))
    }

    /// The first element of a buffer, on its way to the host.
    pub(crate) fn element<'t, T: Element>(self, buffer: Buffer) -> Started<'t, T> {
        let (gpu, bytes) = (self.gpu.clone(), element_bytes::<T>());
        Started::Read { gpu, buffer, bytes, finish: Box::new(|bytes| Ok(unpack_one(bytes))) }
    }
}
