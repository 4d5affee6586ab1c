//! What is to be planned.

use crate::kernel::cost::Cost;

use super::Backend;

/// Which primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// One output for each input.
    Map,
    /// One output in all.
    Reduce,
    /// One output for each prefix.
    Scan,
    /// One output for each input that is kept.
    Select,
    /// The inputs in another order.
    Sort,
    /// One output for each bin.
    Histogram,
    /// Two sorted inputs in one order.
    Merge,
    /// The inputs in the order of a comparison.
    MergeSort,
    /// The first few inputs in an order.
    TopK,
    /// One output for each segment.
    SegmentedReduce,
    /// Each input to a computed place.
    Scatter,
    /// The same with an operator that no GPU applies to memory: there it is a sort.
    ScatterReduce,
    /// The product of two dense matrices.
    Matmul,
    /// One output for each place of the other axes.
    ReduceAxis,
    /// One output for each prefix along an axis that does not run along the memory.
    ScanAxis,
}

impl Operation {
    /// Every primitive.
    pub const ALL: [Operation; 15] = [
        Operation::Map,
        Operation::Reduce,
        Operation::Scan,
        Operation::Select,
        Operation::Sort,
        Operation::Histogram,
        Operation::Merge,
        Operation::MergeSort,
        Operation::TopK,
        Operation::SegmentedReduce,
        Operation::Scatter,
        Operation::ScatterReduce,
        Operation::Matmul,
        Operation::ReduceAxis,
        Operation::ScanAxis,
    ];
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Operation::Map => "map",
            Operation::Reduce => "reduce",
            Operation::Scan => "scan",
            Operation::Select => "select",
            Operation::Sort => "sort",
            Operation::Histogram => "histogram",
            Operation::Merge => "merge",
            Operation::MergeSort => "merge_sort",
            Operation::TopK => "top_k",
            Operation::SegmentedReduce => "segmented_reduce",
            Operation::Scatter => "scatter",
            Operation::ScatterReduce => "scatter_reduce",
            Operation::Matmul => "matmul",
            Operation::ReduceAxis => "reduce_axis",
            Operation::ScanAxis => "scan_axis",
        })
    }
}

/// A call, described by what its cost depends on. No type, no data: a plan is a pure function of this and the machine.
///
/// A task makes one of itself, which [`Explanation::problem`](super::Explanation::problem) shows. One that is written by hand starts
/// from [`Problem::new`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Problem {
    /// The primitive.
    pub operation: Operation,
    /// Number of elements; of a product of matrices, how many products of two numbers it adds up.
    pub n: usize,
    /// How often it is done, each time on what came out: one, but for an iteration.
    pub steps: usize,
    /// Whether there may be fewer elements: how many, only a GPU knows yet.
    pub bounded: bool,
    /// What reading and computing one element costs: the source, with everything fused into it.
    pub element: Cost,
    /// What combining two elements costs; zero for a map.
    pub combine: Cost,
    /// Names the code that runs: the same for the same kernels and operator in every process.
    pub code: u64,
    /// Size of one output element, in bytes; of a histogram, a top-k, a segmented reduction, a scatter, a product of matrices or a reduction
    /// along an axis, that of all of them together.
    pub item_bytes: usize,
    /// Input bytes that the GPU does not have.
    pub upload_bytes: u64,
    /// Input bytes that only the GPU has.
    pub download_bytes: u64,
    /// Whether the caller needs the result in host memory.
    pub result_on_host: bool,
    /// Whether the result goes to memory that the call allocates and the engine does not keep for the next, being too large: a CPU
    /// touches it for the first time then.
    pub allocates: bool,
    /// Seconds that earlier calls on the same arrays lost because the arrays stayed where they are: so much of a transfer is paid.
    pub forgone: f64,
    /// Whether the canonical order of a reduction may be given up.
    pub unordered: bool,
    /// Whether the kernel can run on a GPU at all, and what it needs there.
    pub gpu: GpuNeeds,
    /// Threads that may be used, the caller's included; `usize::MAX`: as many as there are cores.
    pub max_workers: usize,
    /// Seconds until a GPU can begin, for the shader is not compiled yet, less what earlier calls lost by not having it.
    pub preparing: f64,
    /// The backend that the caller asked for.
    pub pinned: Option<Backend>,
    /// What was measured of calls like this one.
    pub seen: Seen,
}

/// What was measured of a kind of calls: the same code, about as many elements, data in the same places.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// On one core.
    pub simd: Sample,
    /// On all cores.
    pub threads: Sample,
    /// On the GPU.
    pub gpu: Sample,
    /// How often a loop whose length depends on data is taken to run, so that the model gives the times that were measured: that is
    /// more than its mean length where lanes wait for the longest of them. Zero if that is not known.
    pub iterations: f32,
}

impl Seen {
    /// What was measured there.
    #[inline]
    pub fn on(&self, backend: Backend) -> Sample {
        match backend {
            Backend::Simd => self.simd,
            Backend::Threads => self.threads,
            Backend::Gpu => self.gpu,
        }
    }
}

/// Measured times of one backend, as a correction of the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Measured over predicted time: a running median, which an outlier moves a little only.
    pub ratio: f32,
    /// How many calls were measured. Zero with a ratio other than 1: it is assumed from calls on other backends, or with fewer or more
    /// elements.
    pub count: u32,
}

impl Default for Sample {
    fn default() -> Self {
        Sample { ratio: 1.0, count: 0 }
    }
}

/// What a kernel needs of a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct GpuNeeds {
    /// 64-bit integers.
    pub int64: bool,
    /// 64-bit floats.
    pub float64: bool,
    /// Whether it computes `f32` values that are rounded: then results in the canonical order have the same bits only on a GPU whose
    /// arithmetic is IEEE.
    pub rounds_f32: bool,
    /// Number of storage bindings, inputs and outputs together.
    pub bindings: u32,
    /// Why no GPU can run it.
    pub refused: Option<&'static str>,
}

impl GpuNeeds {
    /// What two parts of one kernel need together.
    pub fn and(self, other: GpuNeeds) -> GpuNeeds {
        GpuNeeds {
            int64: self.int64 || other.int64,
            float64: self.float64 || other.float64,
            rounds_f32: self.rounds_f32 || other.rounds_f32,
            bindings: self.bindings + other.bindings,
            refused: self.refused.or(other.refused),
        }
    }
}

impl Problem {
    /// The problem of doing nothing to no elements; a starting point for struct update.
    pub fn new(operation: Operation) -> Problem {
        Problem {
            operation,
            n: 0,
            steps: 1,
            bounded: false,
            element: Cost::default(),
            combine: Cost::default(),
            code: 0,
            item_bytes: 0,
            upload_bytes: 0,
            download_bytes: 0,
            result_on_host: false,
            allocates: false,
            forgone: 0.0,
            preparing: 0.0,
            unordered: false,
            gpu: GpuNeeds::default(),
            max_workers: usize::MAX,
            pinned: None,
            seen: Seen::default(),
        }
    }

    /// Bytes of the result, at most.
    #[inline]
    pub fn result_bytes(&self) -> f64 {
        match self.operation {
            // One element, all bins, all segments, all places or all that is wanted, however many elements there are.
            Operation::Reduce
            | Operation::Histogram
            | Operation::TopK
            | Operation::SegmentedReduce
            | Operation::Scatter
            | Operation::ScatterReduce
            | Operation::Matmul
            | Operation::ReduceAxis => self.item_bytes as f64,
            _ => self.item_bytes as f64 * self.n as f64,
        }
    }

    /// Bytes of the result that are written to memory: a single element stays in a register.
    #[inline]
    pub(super) fn written_bytes(&self) -> f64 {
        if self.operation == Operation::Reduce { 0.0 } else { self.result_bytes() }
    }

    /// Bytes that the operation must move through memory at least.
    pub fn bytes(&self) -> u64 {
        let read = f64::from(self.element.bytes_read + self.element.bytes_random);
        (read * self.n as f64 + self.written_bytes()) as u64
    }
}
