//! What can go wrong, with the numbers.

use std::time::Duration;

use crate::plan::Backend;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. Input is never lost: after any error the engine and the caller's data are usable.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// Two inputs that are read together have different lengths.
    LengthMismatch {
        /// Length of the left one, in elements.
        left: usize,
        /// Length of the right one, in elements.
        right: usize,
    },
    /// More elements than this operation can address.
    TooLarge {
        /// What was asked for, in elements.
        elements: usize,
        /// What is possible, in elements.
        limit: usize,
    },
    /// There are fewer elements than are wanted.
    TooFew {
        /// How many are wanted.
        wanted: usize,
        /// How many there are.
        there: usize,
    },
    /// The bins of a histogram make no sense.
    Bins {
        /// What is wrong with them, and what is accepted.
        reason: String,
    },
    /// The data do not fill the shape of a grid.
    Shape {
        /// Elements of each axis that were asked for.
        shape: Vec<usize>,
        /// How many elements there are.
        elements: usize,
    },
    /// The offsets of segments make no sense.
    Offsets {
        /// What is wrong with them, and what is accepted.
        reason: String,
    },
    /// An index is not below the length of what it points into.
    OutOfRange {
        /// Which of the indices, from 0 on.
        place: usize,
        /// The index.
        index: usize,
        /// The length.
        len: usize,
    },
    /// A source without an end was given where a length is needed.
    Unbounded,
    /// The backend that the task was pinned to cannot run it.
    Unsupported {
        /// The backend.
        backend: Backend,
        /// Why it cannot, and what to do.
        reason: String,
    },
    /// An array of another engine was passed in.
    ForeignArray,
    /// The GPU was lost (reset, removed, driver restarted).
    DeviceLost {
        /// What the driver said.
        reason: String,
    },
    /// The GPU had no memory left.
    OutOfMemory {
        /// What was asked for, in bytes.
        bytes: u64,
    },
    /// The deadline passed before the result was there.
    Timeout {
        /// The deadline that was set.
        deadline: Duration,
    },
    /// The GPU driver or the shader compiler refused what was given to it.
    Gpu {
        /// What it said.
        message: String,
    },
    /// A kernel could not be translated.
    Kernel {
        /// What was refused, and what to write instead.
        message: String,
        /// Line in the generated shader, 1-based; 0 if not known.
        line: u32,
        /// Column in the generated shader, 1-based; 0 if not known.
        column: u32,
    },
    /// A setting, from the builder or the environment, that makes no sense.
    Config {
        /// Which setting, its value, and what is accepted.
        message: String,
    },
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::LengthMismatch { left, right } => {
                write!(f, "inputs that are read together must have equal lengths, but have {left} and {right} elements")
            }
            Error::TooLarge { elements, limit } => {
                write!(f, "{elements} elements are more than the {limit} that can be addressed here")
            }
            Error::TooFew { wanted, there } => {
                write!(f, "{wanted} elements are wanted of a source that has {there}: ask for as many as there are, or fewer")
            }
            Error::Bins { reason } => write!(f, "no histogram has such bins: {reason}"),
            Error::Shape { shape, elements } => {
                write!(
                    f,
                    "a grid of shape {shape:?} does not hold {elements} elements: their number must be the product of its axes"
                )
            }
            Error::Offsets { reason } => write!(f, "no segments have such offsets: {reason}"),
            Error::OutOfRange { place, index, len } => write!(f, "index {place} is {index}, and there are {len} to point at"),
            Error::Unbounded => {
                write!(f, "every source of this call is unbounded: give one that has a length, such as `iota(0..n)`")
            }
            Error::Unsupported { backend, reason } => write!(f, "the {backend} backend cannot run this: {reason}"),
            Error::ForeignArray => {
                write!(f, "an array belongs to another engine: pass it as a slice, or make both with one engine")
            }
            Error::DeviceLost { reason } => write!(f, "the GPU was lost: {reason}"),
            Error::OutOfMemory { bytes } => write!(f, "the GPU has no room for {bytes} bytes"),
            Error::Timeout { deadline } => write!(f, "the deadline of {deadline:?} passed"),
            Error::Gpu { message } => write!(f, "the GPU refused: {message}"),
            Error::Kernel { message, line: 0, .. } => write!(f, "the kernel could not be translated: {message}"),
            Error::Kernel { message, line, column } => {
                write!(f, "the kernel could not be translated, line {line}, column {column}: {message}")
            }
            Error::Config { message } => write!(f, "bad setting: {message}"),
        }
    }
}

impl std::error::Error for Error {}
