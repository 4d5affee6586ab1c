//! What evaluating a kernel once costs, read off its IR.

/// Bytes and weighted operations of one evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Cost {
    /// Bytes read in order.
    pub bytes_read: f32,
    /// Bytes read at computed indices.
    pub bytes_random: f32,
    /// Operations, weighted: an addition counts 1.
    pub ops: f32,
    /// Whether a loop's number of iterations depends on data: `ops` then counts one iteration.
    pub loops_unknown: bool,
}
