//! `Array<T>`: data, and where its valid copies are.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use crate::backend::memory::Memory;
use crate::element::Element;
use crate::engine::Engine;
use crate::error::Result;

#[cfg(feature = "gpu")]
use crate::backend::gpu::DeviceArray;
#[cfg(feature = "gpu")]
use crate::source::Source;

/// Owned data that knows where its valid copies are: in host memory, on the GPU, or both.
///
/// Results are arrays, and a chain of calls on arrays stays on the device: a copy to the host is made when the host first reads,
/// and kept. An array does not change, so both copies stay valid; `.into(&mut array)` writes a new value into it.
///
/// What a selection keeps is counted where it is selected: on a GPU the array's length is known there alone at first. The next call
/// takes it as it is, without waiting; [`len`](Array::len) waits.
pub struct Array<T: Element> {
    engine: Engine,
    /// Number of elements, or at most so many if `pending` is there.
    bound: usize,
    pending: Option<Pending>,
    host: OnceLock<Memory<T>>,
    #[cfg(feature = "gpu")]
    device: OnceLock<DeviceArray>,
    /// Seconds that calls lost because this stayed where it is: the bits of an `f64`. Once they exceed what moving costs it moves.
    forgone: AtomicU64,
    /// Whether the elements were seen to be in ascending order.
    ascends: AtomicBool,
}

/// Where the valid copies of an [`Array`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residency {
    /// In host memory only.
    Host,
    /// On the GPU only.
    Gpu,
    /// In both.
    Both,
}

impl<T: Element> Array<T> {
    #[cfg(feature = "gpu")]
    pub(crate) fn empty(engine: &Engine) -> Self {
        Array::from_vec(engine, Vec::new())
    }

    pub(crate) fn from_vec(engine: &Engine, host: Vec<T>) -> Self {
        Array::from_memory(engine, Memory::of(host))
    }

    pub(crate) fn from_memory(engine: &Engine, host: Memory<T>) -> Self {
        Array {
            engine: engine.clone(),
            bound: host.len(),
            pending: None,
            host: OnceLock::from(host),
            #[cfg(feature = "gpu")]
            device: OnceLock::new(),
            forgone: AtomicU64::new(0),
            ascends: AtomicBool::new(false),
        }
    }

    #[cfg(feature = "gpu")]
    pub(crate) fn from_device(engine: &Engine, length: Length, device: DeviceArray) -> Self {
        let (bound, pending) = match length {
            Length::Known(n) => (n, None),
            Length::Pending(pending) => (pending.bound(), Some(pending)),
        };
        let (host, device) = (OnceLock::new(), OnceLock::from(device));
        let (forgone, ascends) = (AtomicU64::new(0), AtomicBool::new(false));
        Array { engine: engine.clone(), bound, pending, host, device, forgone, ascends }
    }

    /// Number of elements. If only the GPU knows it yet, the first call waits for the GPU.
    ///
    /// # Errors
    /// None if the length is known. Else as [`Array::as_slice`].
    pub fn len(&self) -> Result<usize> {
        self.pending.as_ref().map_or(Ok(self.bound), Pending::get)
    }

    /// Whether there is none. Waits, and fails, as [`Array::len`].
    pub fn is_empty(&self) -> Result<bool> {
        self.len().map(|n| n == 0)
    }

    /// The most elements that there can be: the length, if that is known, and never a wait.
    pub fn bound(&self) -> usize {
        self.pending.as_ref().map_or(self.bound, |pending| pending.known().unwrap_or(self.bound))
    }

    /// The same elements, of which there are as many as in another array, whoever has counted them.
    #[cfg(feature = "gpu")]
    pub(crate) fn counted_with<U: Element>(self, other: &Array<U>) -> Self {
        Array { bound: other.bound, pending: other.pending.clone(), ..self }
    }

    /// The length that only the GPU knows, as long as nobody has asked for it.
    pub(crate) fn pending(&self) -> Option<&Pending> {
        self.pending.as_ref().filter(|pending| pending.known().is_none())
    }

    /// Where the valid copies are now.
    pub fn residency(&self) -> Residency {
        match (self.host.get().is_some(), self.on_device()) {
            (true, true) => Residency::Both,
            (false, true) => Residency::Gpu,
            _ => Residency::Host,
        }
    }

    /// The elements in host memory. The first call on an array that is only on the GPU waits for the GPU and copies.
    ///
    /// # Errors
    /// [`Error::DeviceLost`](crate::Error::DeviceLost) if the only copy was on a GPU that is gone; other GPU errors as they come.
    pub fn as_slice(&self) -> Result<&[T]> {
        if let Some(host) = self.host.get() {
            return Ok(host);
        }
        #[cfg(feature = "gpu")]
        if let Some(device) = self.device.get() {
            let host = device.download::<T>(self.engine.reserve(), self.len()?)?;
            return Ok(self.host.get_or_init(|| host));
        }
        unreachable!("an array has a copy somewhere")
    }

    /// A copy of the elements. Errors as [`Array::as_slice`].
    pub fn to_vec(&self) -> Result<Vec<T>> {
        self.as_slice().map(<[T]>::to_vec)
    }

    /// The elements as a vector, without a copy if they are in host memory. Errors as [`Array::as_slice`].
    pub fn into_vec(self) -> Result<Vec<T>> {
        self.as_slice()?;
        Ok(self.host.into_inner().expect("reading the array has made its host copy").into_vec())
    }

    /// Copies to the GPU now, if the engine has one and the elements are not there yet, so that later calls find them.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) if there is no GPU; [`Error::OutOfMemory`](crate::Error::OutOfMemory) if there is no room.
    pub fn to_gpu(&self) -> Result<()> {
        #[cfg(feature = "gpu")]
        {
            let gpu = self.engine.gpu()?;
            self.device(&gpu).map(|_| ())
        }
        #[cfg(not(feature = "gpu"))]
        Err(crate::error::Error::Unsupported {
            backend: crate::plan::Backend::Gpu,
            reason: "this build of granule has no GPU backend: enable the feature `gpu`".into(),
        })
    }

    /// Seconds that calls lost because the elements stayed where they are.
    #[inline]
    pub(crate) fn forgone(&self) -> f64 {
        f64::from_bits(self.forgone.load(Relaxed))
    }

    /// More of them.
    pub(crate) fn forgo(&self, seconds: f64) {
        self.forgone.store((self.forgone() + seconds).to_bits(), Relaxed);
    }

    /// Whether the elements were seen to be in ascending order.
    pub(crate) fn ascends(&self) -> bool {
        self.ascends.load(Relaxed)
    }

    /// They were.
    pub(crate) fn set_ascends(&self) {
        self.ascends.store(true, Relaxed);
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn on_device(&self) -> bool {
        #[cfg(feature = "gpu")]
        return self.device.get().is_some();
        #[cfg(not(feature = "gpu"))]
        false
    }

    pub(crate) fn on_host(&self) -> bool {
        self.host.get().is_some()
    }

    /// Copies the elements to the beginning of host memory once the GPU has counted them; how many there are.
    #[cfg(feature = "gpu")]
    pub(crate) fn copy_later<'t>(self, to: &'t mut [T]) -> Result<crate::backend::gpu::Started<'t, usize>> {
        use crate::backend::gpu::Started;

        let Some(pending) = self.pending().cloned() else {
            let host = self.as_slice()?;
            to[..host.len()].copy_from_slice(host);
            return Ok(Started::Ready(host.len()));
        };
        let (counts, _) = pending.on_device();
        Ok(Started::Read {
            gpu: counts.gpu().clone(),
            buffer: counts.buffer().clone(),
            bytes: 4,
            finish: Box::new(move |_| {
                let host = self.as_slice()?;
                to[..host.len()].copy_from_slice(host);
                Ok(host.len())
            }),
        })
    }

    /// The copy on the GPU, made if need be.
    #[cfg(feature = "gpu")]
    pub(crate) fn device(&self, gpu: &std::sync::Arc<crate::backend::gpu::Gpu>) -> Result<&DeviceArray> {
        if let Some(device) = self.device.get() {
            return Ok(device);
        }
        let device = DeviceArray::upload(gpu, self.as_slice()?)?;
        Ok(self.device.get_or_init(|| device))
    }

    /// Gives the array a new value in host memory, and with it its storage to write to.
    pub(crate) fn replace_host(&mut self, host: Memory<T>) {
        debug_assert_eq!(host.len(), self.bound());
        self.host = OnceLock::from(host);
        self.forgone = AtomicU64::new(0);
        self.ascends = AtomicBool::new(false);
        #[cfg(feature = "gpu")]
        {
            self.device = OnceLock::new();
        }
    }

    /// The copy on the GPU, if there is one.
    #[cfg(feature = "gpu")]
    pub(crate) fn device_copy(&self) -> Option<&DeviceArray> {
        self.device.get()
    }

    /// The host storage, to be overwritten with a new value: the copy on the GPU is given up. `None` if there is no host storage.
    pub(crate) fn overwrite_host(&mut self) -> Option<&mut [T]> {
        let host = self.host.get_mut()?;
        self.forgone = AtomicU64::new(0);
        self.ascends = AtomicBool::new(false);
        #[cfg(feature = "gpu")]
        {
            self.device = OnceLock::new();
        }
        Some(host)
    }
}

impl<T: Element + std::fmt::Debug> std::fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Array");
        match self.pending() {
            None => debug.field("len", &self.bound()),
            Some(_) => debug.field("bound", &self.bound),
        };
        debug.field("residency", &self.residency());
        if let Some(host) = self.host.get() {
            debug.field("head", &&host[..host.len().min(8)]);
        }
        debug.finish()
    }
}

/// The length of a result.
#[derive(Clone, Debug)]
pub enum Length {
    /// So many elements.
    Known(usize),
    /// As many as the GPU will have counted.
    Pending(Pending),
}

impl Length {
    /// Of what is made of this source's elements, one for each.
    #[cfg(feature = "gpu")]
    pub(crate) fn of<S: Source>(source: &S) -> Result<Length> {
        source.pending().map_or_else(|| source.len().map(Length::Known), |pending| Ok(Length::Pending(pending)))
    }

    /// The most elements that there can be.
    #[cfg(feature = "gpu")]
    pub(crate) fn bound(&self) -> usize {
        match self {
            Length::Known(n) => *n,
            Length::Pending(pending) => pending.bound(),
        }
    }
}

/// A length that only the GPU knows until somebody asks.
#[derive(Clone)]
pub struct Pending(Arc<Counted>);

struct Counted {
    bound: usize,
    known: OnceLock<usize>,
    #[cfg(feature = "gpu")]
    counts: DeviceArray,
    #[cfg(feature = "gpu")]
    word: u32,
}

impl Pending {
    /// The number of elements, at most `bound`, that will stand in a word of `counts`.
    #[cfg(feature = "gpu")]
    pub(crate) fn new(bound: usize, counts: DeviceArray, word: u32) -> Pending {
        Pending(Arc::new(Counted { bound, known: OnceLock::new(), counts, word }))
    }

    /// The most that it can be.
    pub fn bound(&self) -> usize {
        self.0.bound
    }

    /// The number, if somebody has asked before.
    pub(crate) fn known(&self) -> Option<usize> {
        self.0.known.get().copied()
    }

    /// The number. Waits for the GPU at the first call.
    fn get(&self) -> Result<usize> {
        #[cfg(feature = "gpu")]
        if self.known().is_none() {
            let n = self.0.counts.download_word(self.0.word)? as usize;
            return Ok(*self.0.known.get_or_init(|| n));
        }
        Ok(self.known().expect("only a GPU counts late"))
    }

    /// Where the number will stand on the GPU.
    #[cfg(feature = "gpu")]
    pub(crate) fn on_device(&self) -> (&DeviceArray, u32) {
        (&self.0.counts, self.0.word)
    }

    /// Whether the two are one number.
    pub(crate) fn is(&self, other: &Pending) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at most {}", self.0.bound)
    }
}

/// Read-only data that a task refers to: a slice, or an array that may live on the GPU.
pub enum Data<'a, T: Element> {
    /// Host memory.
    Slice(&'a [T]),
    /// An array.
    Array(&'a Array<T>),
}

impl<T: Element> Clone for Data<'_, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: Element> Copy for Data<'_, T> {}

impl<'a, T: Element> Data<'a, T> {
    /// Number of elements; the most that there can be, if only the GPU knows.
    #[inline(always)]
    pub fn len(self) -> usize {
        match self {
            Data::Slice(s) => s.len(),
            Data::Array(a) => a.bound(),
        }
    }

    /// Whether there is none.
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The copy in host memory. A task that runs on the CPU has made it valid before any kernel sees the data.
    #[inline(always)]
    pub fn host(self) -> &'a [T] {
        match self {
            Data::Slice(s) => s,
            Data::Array(a) => a.host.get().expect("the task has brought its arrays to the host"),
        }
    }

    /// What tells this data from other data: where it is, and how long.
    #[inline(always)]
    pub fn key(self) -> DataKey {
        match self {
            Data::Slice(s) => DataKey { address: s.as_ptr() as usize, len: s.len() },
            Data::Array(a) => DataKey { address: std::ptr::from_ref(a) as usize, len: a.bound },
        }
    }
}

/// The identity of a piece of data during one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DataKey {
    address: usize,
    len: usize,
}

impl<'a, T: Element> From<&'a [T]> for Data<'a, T> {
    fn from(s: &'a [T]) -> Self {
        Data::Slice(s)
    }
}
impl<'a, T: Element> From<&'a Vec<T>> for Data<'a, T> {
    fn from(v: &'a Vec<T>) -> Self {
        Data::Slice(v)
    }
}
impl<'a, T: Element, const N: usize> From<&'a [T; N]> for Data<'a, T> {
    fn from(a: &'a [T; N]) -> Self {
        Data::Slice(a)
    }
}
impl<'a, T: Element> From<&'a Array<T>> for Data<'a, T> {
    fn from(a: &'a Array<T>) -> Self {
        Data::Array(a)
    }
}

/// Learns the length of every array that it is shown.
pub(crate) struct Count;

impl DataVisitor for Count {
    fn visit<T: Element>(&mut self, data: Data<'_, T>) -> Result<()> {
        match data {
            Data::Slice(_) => Ok(()),
            Data::Array(a) => a.len().map(|_| ()),
        }
    }
}

/// Is shown each piece of data that a task refers to.
pub trait DataVisitor {
    /// Sees one.
    fn visit<T: Element>(&mut self, data: Data<'_, T>) -> Result<()>;
}
