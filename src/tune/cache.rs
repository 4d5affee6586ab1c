//! The cache: rates and history, in a file a machine.

use std::path::PathBuf;

use crate::machine::{CpuRates, GpuRates};
use crate::plan::{Backend, Sample};

/// What one file holds: of the processor, or of one adapter.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Record {
    /// Measured rates of the processor.
    pub(crate) cpu: Option<CpuRates>,
    /// Measured rates of the adapter.
    pub(crate) gpu: Option<GpuRates>,
    /// How often loops of unknown length ran, by the name of the kind of call.
    pub(crate) iterations: Vec<(u64, f32)>,
    /// Measured calls.
    pub(crate) samples: Vec<Entry>,
}

/// What was measured of a kind of call on one backend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The kind: code, residency, workers.
    pub(crate) kind: u64,
    /// Half-octave of the number of elements.
    pub(crate) bucket: u8,
    /// Where.
    pub(crate) backend: Backend,
    /// Measured over predicted.
    pub(crate) sample: Sample,
}

/// Where the files are.
pub(crate) struct Cache {
    directory: PathBuf,
}
