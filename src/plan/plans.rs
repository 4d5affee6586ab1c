//! (stub until merged)
use super::{Choice, Operation, Problem};
/// Kind of call and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlanKey {
    /// The primitive.
    pub operation: Operation,
    /// Names the code.
    pub code: u64,
    /// Where its data is.
    pub places: Places,
    /// Half-octave of the number of elements.
    pub octave2: u8,
}
/// Where a call's data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Places {
    /// Whether something is to be uploaded.
    pub upload: bool,
    /// Whether something is on the GPU alone.
    pub download: bool,
    /// Whether the host needs the result.
    pub result_on_host: bool,
}
impl PlanKey {
    /// The key of a call.
    pub fn of(p: &Problem) -> PlanKey {
        let places = Places { upload: p.upload_bytes > 0, download: p.download_bytes > 0, result_on_host: p.result_on_host };
        PlanKey { operation: p.operation, code: p.code, places, octave2: half_octave(p.n) }
    }
}
/// Number of half-octaves.
pub const HALF_OCTAVES: usize = 128;
/// floor(2 log2 n).
pub fn half_octave(n: usize) -> u8 {
    (n as u128 * n as u128).max(1).ilog2() as u8
}
/// stub
#[derive(Clone, Debug, Default)]
pub struct Plans(std::collections::BTreeMap<PlanKey, Choice>);
impl Plans {
    /// stub
    pub fn get(&self, p: &Problem) -> Option<Choice> { self.0.get(&PlanKey::of(p)).copied() }
    /// stub
    pub fn insert(&mut self, k: PlanKey, c: Choice) { self.0.insert(k, c); }
    /// stub
    pub fn is_empty(&self) -> bool { self.0.is_empty() }
}
