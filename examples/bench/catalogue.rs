//! What there is to measure.

/// How the speed of an operation is read best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bound by memory: gigabytes a second.
    GigabytesPerSecond,
    /// Bound by arithmetic: million items a second.
    MitemsPerSecond,
}

/// An operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Op {
    /// Its name, on the command line and in records.
    pub(crate) name: &'static str,
    /// What it computes.
    pub(crate) meaning: &'static str,
    /// Whether it is measured on `f32`.
    pub(crate) on_f32: bool,
    /// Whether it is measured on `u32`.
    pub(crate) on_u32: bool,
    /// Bytes that one element must move, by BabelStream's convention: every input once, every output once.
    pub(crate) bytes: usize,
    /// How its speed is read.
    pub(crate) unit: Unit,
    /// Where the usual sizes end: a map that is bound by arithmetic shows nothing new above.
    pub(crate) largest: usize,
}

const STREAM: Op =
    Op { name: "", meaning: "", on_f32: true, on_u32: false, bytes: 8, unit: Unit::GigabytesPerSecond, largest: usize::MAX };

/// Of random keys; a sort takes so much longer than a stream that its sizes end earlier.
const SORT: Op = Op { unit: Unit::MitemsPerSecond, largest: 1 << 24, ..STREAM };

/// Of `u32` keys alone.
const KEYS: Op = Op { on_f32: false, on_u32: true, ..STREAM };

/// All operations. The first five are BabelStream's (Deakin, Price, Martineau, McIntosh-Smith: GPU-STREAM v2.0, 2016).
pub(crate) const OPS: [Op; 35] = [
    Op { name: "copy", meaning: "c = a", on_u32: true, ..STREAM },
    Op { name: "mul", meaning: "b = scalar * c", ..STREAM },
    Op { name: "add", meaning: "c = a + b", on_u32: true, bytes: 12, ..STREAM },
    Op { name: "triad", meaning: "a = b + scalar * c", bytes: 12, ..STREAM },
    Op { name: "dot", meaning: "sum(a * b)", ..STREAM },
    Op { name: "map_exp_sin", meaning: "exp(x) * sin(x)", unit: Unit::MitemsPerSecond, largest: 1 << 24, ..STREAM },
    Op {
        name: "map_mandelbrot",
        meaning: "steps until a point leaves, 100 at most, over [-2.2, 0.8] x [-1.2, 1.2]",
        bytes: 12,
        unit: Unit::MitemsPerSecond,
        largest: 1 << 22,
        ..STREAM
    },
    Op { name: "map_complex", meaning: "a * b of complex numbers, which are structs", bytes: 24, ..STREAM },
    Op {
        name: "philox",
        meaning: "random words: Philox 4x32-10, in order",
        bytes: 4,
        unit: Unit::MitemsPerSecond,
        largest: 1 << 24,
        ..STREAM
    },
    Op { name: "normal", meaning: "normal random numbers", bytes: 4, unit: Unit::MitemsPerSecond, largest: 1 << 24, ..STREAM },
    Op { name: "reduce_sum", meaning: "sum of all", on_u32: true, bytes: 4, ..STREAM },
    Op { name: "reduce_max", meaning: "largest of all", on_u32: true, bytes: 4, ..STREAM },
    Op { name: "reduce_argmax", meaning: "largest of all, and where it is", on_u32: true, bytes: 4, ..STREAM },
    Op { name: "histogram", meaning: "how many elements fall into each of 256 bins", on_u32: true, bytes: 4, ..STREAM },
    Op { name: "scan_inclusive_sum", meaning: "out[i] = a[0] + ... + a[i]", on_u32: true, ..STREAM },
    Op { name: "stencil_2d", meaning: "mean of five neighbours on a square, edges repeated", ..STREAM },
    Op { name: "stencil_3d", meaning: "sum of seven neighbours in a cube / 8, edges repeated", ..STREAM },
    Op { name: "transpose", meaning: "the rows of a square as its columns", ..STREAM },
    Op { name: "gather", meaning: "x[i] for random i", bytes: 12, ..KEYS },
    Op { name: "scatter", meaning: "y[i] = x for random i, of which the last stays", bytes: 12, ..KEYS },
    Op { name: "convolution", meaning: "a square with 5 x 5 weights, edges repeated", ..STREAM },
    Op {
        name: "matmul",
        meaning: "product of square matrices of so many elements: 2 * sqrt(n) operations an element",
        bytes: 12,
        unit: Unit::MitemsPerSecond,
        largest: 1 << 22,
        ..STREAM
    },
    Op { name: "matvec", meaning: "product of a square matrix and a vector", bytes: 4, ..STREAM },
    Op {
        name: "segmented_reduce",
        meaning: "sums of segments, whose lengths follow a power law, 16 in the mean",
        bytes: 4,
        ..STREAM
    },
    Op {
        name: "spmv",
        meaning: "product of a sparse matrix and a vector; rows as those segments, columns at random",
        bytes: 12,
        unit: Unit::MitemsPerSecond,
        largest: 1 << 24,
        ..STREAM
    },
    Op {
        name: "reduce_by_key",
        meaning: "sums of runs of equal keys, 8 long in the mean",
        on_f32: false,
        on_u32: true,
        ..STREAM
    },
    Op { name: "run_length", meaning: "such runs' keys and lengths", on_f32: false, on_u32: true, bytes: 4, ..STREAM },
    Op { name: "sort_keys", meaning: "keys in ascending order", on_u32: true, ..SORT },
    Op {
        name: "sort_pairs",
        meaning: "u32 keys in ascending order, with u32 values",
        on_f32: false,
        on_u32: true,
        bytes: 16,
        ..SORT
    },
    Op { name: "filter", meaning: "those of random keys that are below 2^31: half of them", bytes: 6, ..KEYS },
    Op { name: "partition", meaning: "the same, and the others", ..KEYS },
    Op { name: "unique", meaning: "of sorted keys each once: a quarter of them", bytes: 5, ..KEYS },
    Op { name: "top_k", meaning: "the 100 largest of random keys, in order", bytes: 4, unit: Unit::MitemsPerSecond, ..KEYS },
    Op { name: "merge", meaning: "two sorted halves in one order", unit: Unit::MitemsPerSecond, ..KEYS },
    Op {
        name: "lower_bound",
        meaning: "where random keys would stand in as many sorted ones",
        bytes: 12,
        unit: Unit::MitemsPerSecond,
        largest: 1 << 24,
        ..KEYS
    },
];

/// All backends and peers, as the command line names them.
pub(crate) const BACKENDS: [&str; 7] = ["simd", "threads", "gpu", "auto", "std", "rayon", "loop"];

/// The operation of this name.
pub(crate) fn op(name: &str) -> &'static Op {
    OPS.iter().find(|op| op.name == name).expect("operations are looked up by names in the list")
}

/// Prints all of it.
pub(crate) fn print() {
    println!("operations, on elements of these types");
    for op in &OPS {
        let types = [("f32", op.on_f32), ("u32", op.on_u32)].map(|(name, has)| if has { name } else { "" });
        println!("  {:<20}{:<4}{:<4}{:>3} B/element  {}", op.name, types[0], types[1], op.bytes, op.meaning);
    }
    println!(
        "backends\n  \
         simd         one core\n  \
         threads      all cores (GRANULE_WORKERS sets how many)\n  \
         gpu          a GPU, if there is one; a software rasteriser only with --software-gpu\n  \
         auto         what the library chooses\n\
         peers\n  \
         std          peer:std: plain iterators, one thread\n  \
         rayon        peer:rayon: its parallel iterators, in chunks\n  \
         loop         peer:loop, peer:loop-nt, peer:loop-2t: hand-written loops as a measure of the machine, from 2^22 elements on;\n  \
         \x20            a histogram and a transpose have one at every size; a product's does as many fused multiply-adds in registers"
    );
}
