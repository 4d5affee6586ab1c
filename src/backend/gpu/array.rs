//! Elements in device memory: in Rust's layout where that is already packed, else field by field in 32-bit words.

use std::sync::Arc;

use crate::backend::memory::{Memory, Reserve};
use crate::backend::simd::OneLane;
use crate::element::{Element, LeafBuild, LeafVisit, Offset, Scalar};
use crate::error::Result;

use super::{Buffer, Gpu};

/// The copy of an array on a device.
#[derive(Clone)]
pub struct DeviceArray {
    gpu: Arc<Gpu>,
    buffer: Buffer,
}

/// Bytes of an element on a device.
pub(crate) const fn element_bytes<T: Element>() -> u64 {
    T::WORDS as u64 * 4
}

impl DeviceArray {
    /// A buffer that holds the result of recorded work.
    pub(crate) fn new(gpu: &Arc<Gpu>, buffer: Buffer) -> Self {
        DeviceArray { gpu: gpu.clone(), buffer }
    }

    /// A copy of these elements.
    pub(crate) fn upload<T: Element>(gpu: &Arc<Gpu>, data: &[T]) -> Result<Self> {
        let buffer = match packed_bytes(data) {
            // A binding of no bytes is an error, so there is always room for an element.
            _ if data.is_empty() => gpu.alloc(element_bytes::<T>())?,
            Some(bytes) => gpu.upload(bytes)?,
            None => gpu.upload(&pack(data))?,
        };
        Ok(DeviceArray { gpu: gpu.clone(), buffer })
    }

    /// A copy in host memory, after all recorded work.
    pub(crate) fn download<T: Element>(&self, reserve: &Arc<Reserve>, len: usize) -> Result<Memory<T>> {
        if len == 0 {
            return Ok(Memory::default());
        }
        if T::PACKED {
            let mut out: Memory<T> = reserve.take(len)?;
            // SAFETY: there is room for `len` elements, and all zeros are valid ones: packed elements consist of numbers alone.
            unsafe {
                std::ptr::write_bytes(out.vec().as_mut_ptr(), 0, len);
                out.vec().set_len(len);
            }
            if let Some(bytes) = packed_bytes_mut(&mut out) {
                self.gpu.read_into(&self.buffer, 0, bytes, None)?;
            }
            return Ok(out);
        }
        unpack(&self.gpu.read(&self.buffer, 0, len as u64 * element_bytes::<T>(), None)?).map(Memory::of)
    }

    /// One word, after all recorded work.
    pub(crate) fn download_word(&self, word: u32) -> Result<u32> {
        let mut bytes = [0; 4];
        self.gpu.read_into(&self.buffer, u64::from(word) * 4, &mut bytes, None)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// The device that it is on.
    pub(crate) fn gpu(&self) -> &Arc<Gpu> {
        &self.gpu
    }

    /// Its memory.
    pub(crate) fn buffer(&self) -> &Buffer {
        &self.buffer
    }
}

/// The memory of elements whose layout on the device is their layout here.
fn packed_bytes<T: Element>(data: &[T]) -> Option<&[u8]> {
    // SAFETY: `PACKED` says that an element consists of scalars without padding, so all of its bytes are initialised.
    T::PACKED.then(|| unsafe { std::slice::from_raw_parts(data.as_ptr().cast(), size_of_val(data)) })
}

/// The same, to be written.
fn packed_bytes_mut<T: Element>(data: &mut [T]) -> Option<&mut [u8]> {
    // SAFETY: as above; and every bit pattern is a valid element, for no scalar but `bool`, which is not packed, forbids any.
    T::PACKED.then(|| unsafe { std::slice::from_raw_parts_mut(data.as_mut_ptr().cast(), size_of_val(data)) })
}

struct ToWords<'a>(&'a mut [u8]);
impl LeafVisit<OneLane> for ToWords<'_> {
    fn leaf<S: Scalar>(&mut self, x: S::In<OneLane>, at: Offset) {
        let bits = S::from_one(x).bits().to_le_bytes();
        let bytes = S::KIND.words() * 4;
        self.0[at.words * 4..][..bytes].copy_from_slice(&bits[..bytes]);
    }
}

/// Elements as words.
pub(crate) fn pack<T: Element>(data: &[T]) -> Vec<u8> {
    let mut out = vec![0; data.len() * T::WORDS * 4];
    for (x, words) in data.iter().zip(out.chunks_exact_mut(T::WORDS * 4)) {
        T::visit(&mut ToWords(words), x.to_one(), Offset::START);
    }
    out
}

struct FromWords<'a>(&'a [u8]);
impl LeafBuild<OneLane> for FromWords<'_> {
    fn leaf<S: Scalar>(&mut self, at: Offset) -> S::In<OneLane> {
        let mut bits = [0; 8];
        let bytes = S::KIND.words() * 4;
        bits[..bytes].copy_from_slice(&self.0[at.words * 4..][..bytes]);
        S::from_bits(u64::from_le_bytes(bits)).to_one()
    }
}

/// One element from its words.
pub(crate) fn unpack_one<T: Element>(words: &[u8]) -> T {
    T::from_one(T::build(&mut FromWords(words), Offset::START))
}

/// Elements from words.
pub(crate) fn unpack<T: Element>(words: &[u8]) -> Result<Vec<T>> {
    let n = words.len() / (T::WORDS * 4);
    let mut out: Vec<T> = Vec::with_capacity(n);
    if T::PACKED {
        // SAFETY: there is room for `n` elements; they consist of scalars without padding (`PACKED`), of which every bit pattern
        // is valid (`bool` is not packed), and the source is exactly as long.
        unsafe {
            std::ptr::copy_nonoverlapping(words.as_ptr(), out.as_mut_ptr().cast::<u8>(), n * size_of::<T>());
            out.set_len(n);
        }
    } else {
        out.extend(words.chunks_exact(T::WORDS * 4).map(unpack_one::<T>));
    }
    Ok(out)
}

/// Elements from words into memory that exists.
pub(crate) fn unpack_into<T: Element>(words: &[u8], out: &mut [T]) {
    if let Some(bytes) = packed_bytes_mut(out) {
        let n = bytes.len().min(words.len());
        bytes[..n].copy_from_slice(&words[..n]);
        return;
    }
    for (x, words) in out.iter_mut().zip(words.chunks_exact(T::WORDS * 4)) {
        *x = unpack_one(words);
    }
}
