//! Philox 4x32-10 as functions that kernels call.
//!
//! J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. A block is a function
//! of a counter of four words and a key of two. Each of its ten rounds multiplies two of the words by constants, swaps the halves of the
//! products across, and mixes the other two words and the key into the upper halves; between rounds the key moves on by the
//! Weyl constants.

use granule_macros::kernel;

/// What the first and the third word are multiplied by.
pub(crate) const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// What the key's words are advanced by from round to round: the golden ratio and the square root of 3, less 1.
pub(crate) const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

const M0: u32 = MULTIPLIERS[0];
const M1: u32 = MULTIPLIERS[1];
const W0: u32 = WEYL[0];
const W1: u32 = WEYL[1];

/// One round.
#[kernel]
fn round(c: (u32, u32, u32, u32), key: (u32, u32)) -> (u32, u32, u32, u32) {
    let p = M0.carrying_mul(c.0, 0);
    let q = M1.carrying_mul(c.2, 0);
    (q.1 ^ c.1 ^ key.0, q.0, p.1 ^ c.3 ^ key.1, p.0)
}

/// The next round's key.
#[kernel]
fn advance(key: (u32, u32)) -> (u32, u32) {
    (key.0.wrapping_add(W0), key.1.wrapping_add(W1))
}

/// A block of Philox 4x32-10: four random words for a counter and a key. A kernel may call it.
///
/// The same counter and key give the same words on every backend, to the bit. Different counters give independent words for all
/// statistical purposes (the function passes BigCrush); so do different keys. A kernel that draws its own numbers puts what names
/// the draw into the counter: the element's index, the time step, which of several quantities.
///
/// ```
/// use granule::prelude::*;
/// use granule::random::{philox, unit};
///
/// /// A random walk of `steps` steps: each block of four words serves four of them.
/// #[kernel]
/// fn walk(i: u32, #[uniform] steps: u32, #[uniform] seed: u32) -> f32 {
///     let mut x = 0.0;
///     for k in 0..steps / 4 {
///         let w = philox((i, k, 0, 0), (seed, 0));
///         x += (unit(w.0) + unit(w.1)) + (unit(w.2) + unit(w.3)) - 2.0;
///     }
///     x
/// }
///
/// let engine = Engine::new()?;
/// let ends = engine.map(iota(0..1000_u32), walk::with(100, 7)).run()?.into_vec()?;
/// assert_eq!(ends[123], walk(123, 100, 7));
/// # Ok::<(), granule::Error>(())
/// ```
#[kernel]
pub fn philox(counter: (u32, u32, u32, u32), key: (u32, u32)) -> (u32, u32, u32, u32) {
    // A loop, since each source that reads a stream holds this once for each way in which it is read.
    let mut c = counter;
    let mut k = key;
    for _ in 0..9 {
        c = round(c, k);
        k = advance(k);
    }
    round(c, k)
}
