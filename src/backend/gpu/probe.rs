//! How a device really computes, found out by asking it: whether its floats are IEEE 754, and how subgroups lie in a workgroup.
//!
//! WGSL promises correct rounding for + - * only, leaves flushing of denormals and contraction open, and says nothing of the order
//! of lanes. The promise "the same bits everywhere" is made per device, on this evidence.

use std::fmt;
use std::sync::Arc;

use super::device::Gpu;
use super::pipeline::{Access, Checks, PipelineKey, PipelineSpec};
use super::recorder::Binding;
use super::shader::Module;
use crate::error::Result;

/// What the probe found on one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `f32` addition, subtraction and multiplication of normal numbers are correctly rounded, to the last bit.
    pub ieee_f32: bool,
    /// So are division and square root.
    pub ieee_div_sqrt: bool,
    /// Denormals are computed with and returned, not flushed to zero.
    pub denormals: bool,
    /// `a * b + c` rounds twice, as written.
    pub uncontracted: bool,
    /// Subgroup s, lane k is thread s * size + k of a one-dimensional workgroup of 128. False without subgroups.
    pub subgroups_linear: bool,
    /// Shuffling down by one gives the next lane's value. False without subgroups.
    pub shuffle_down: bool,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = [
            (self.ieee_f32, "IEEE + - *"),
            (self.ieee_div_sqrt, "IEEE / sqrt"),
            (self.denormals, "denormals"),
            (self.uncontracted, "no contraction"),
            (self.subgroups_linear, "linear subgroups"),
            (self.shuffle_down, "shuffles"),
        ];
        for (i, (holds, what)) in list.into_iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            let not = if holds { "" } else { "NOT " };
            write!(f, "{comma}{not}{what}")?;
        }
        Ok(())
    }
}

/// Samples; one workgroup each 64.
const SAMPLES: usize = 256;
/// Words that one sample writes.
const RESULTS: usize = 6;

/// One operation a word, on values that the compiler cannot know.
const ARITHMETIC: &str = "
@group(0) @binding(0) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let s = input[id.x];
    let at = id.x * 6u;
    output[at] = s.x + s.y;
    output[at + 1u] = s.x - s.y;
    output[at + 2u] = s.x * s.y;
    output[at + 3u] = s.x / s.y;
    output[at + 4u] = sqrt(s.x);
    output[at + 5u] = s.x * s.y + s.z;
}
";

const SUBGROUPS: &str = "
@group(0) @binding(0) var<storage, read_write> output: array<vec4<u32>>;

@compute @workgroup_size(128)
fn main(
    @builtin(local_invocation_index) index: u32,
    @builtin(subgroup_size) size: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    output[index] = vec4(size, subgroup, lane, subgroupShuffleDown(index, 1u));
}
";

pub(super) fn probe(gpu: &Arc<Gpu>) -> Result<Verdict> {
    let (ieee_f32, ieee_div_sqrt, denormals, uncontracted) = arithmetic(gpu)?;
    let (subgroups_linear, shuffle_down) = match gpu.subgroups() {
        Some(_) if gpu.limits().max_compute_invocations_per_workgroup >= 128 => subgroups(gpu)?,
        _ => (false, false),
    };
    Ok(Verdict { ieee_f32, ieee_div_sqrt, denormals, uncontracted, subgroups_linear, shuffle_down })
}

fn run(gpu: &Arc<Gpu>, text: &str, list: &[(u32, Access)], bindings: &[Binding], groups: u64) -> Result<()> {
    let key = PipelineKey { hash: 0x0070_726f_6265, variant: list.len() as u32 };
    let pipeline = gpu.pipeline(key, || PipelineSpec {
        label: "probe",
        module: Module::new().add("probe", text),
        entry: "main",
        bindings: list,
        constants: &[],
        checks: Checks::Trusted,
    })?;
    gpu.dispatch(&pipeline, bindings, groups)
}

/// Whether + - *, / and sqrt, denormals, and `a * b + c` are as on the CPU.
fn arithmetic(gpu: &Arc<Gpu>) -> Result<(bool, bool, bool, bool)> {
    let samples: Vec<[f32; 4]> = samples();
    let input = gpu.upload(bytemuck::cast_slice(&samples))?;
    let mut results = vec![[0f32; RESULTS]; SAMPLES];
    let output = gpu.alloc(size_of_val(results.as_slice()) as u64)?;
    let bindings = [(0, Access::Read), (1, Access::ReadWrite)];
    run(gpu, ARITHMETIC, &bindings, &[input.all(), output.all()], SAMPLES as u64 / 64)?;
    gpu.read_into(&output, 0, bytemuck::cast_slice_mut(&mut results), None)?;

    let (mut basic, mut div_sqrt, mut denormals, mut uncontracted) = (true, true, true, true);
    for ([a, b, c, _], got) in samples.into_iter().zip(results) {
        let want = [a + b, a - b, a * b, a / b, a.sqrt(), a * b + c];
        let same: [bool; RESULTS] = std::array::from_fn(|i| got[i].to_bits() == want[i].to_bits());
        if [a, b].iter().any(|x| x.is_subnormal()) || want[..3].iter().any(|x| x.is_subnormal()) {
            denormals &= same[..3] == [true; 3];
        } else {
            basic &= same[..3] == [true; 3];
            div_sqrt &= want[3].is_subnormal() || same[3];
            div_sqrt &= same[4];
            uncontracted &= same[5];
        }
    }
    Ok((basic, div_sqrt, denormals, uncontracted))
}

/// Half are normal numbers of middling size, a quarter pairs of denormals, a quarter pairs whose product is one. The third value
/// cancels the product of the first two, which leaves the rounding error if, and only if, a device fuses.
fn samples() -> Vec<[f32; 4]> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    let mut number = |exponents: std::ops::Range<u32>| {
        let exponent = exponents.start + random() % (exponents.end - exponents.start);
        f32::from_bits(exponent << 23 | random() & 0x7f_ffff)
    };
    let sample = |i: usize| {
        let (a, b) = match i % 4 {
            0 | 1 => (number(100..150), number(100..150)),
            2 => (number(0..1), number(0..1)),
            _ => (number(5..8), number(100..118)),
        };
        [a, b, -(a * b), 0.0]
    };
    (0..SAMPLES).map(sample).collect()
}

/// Whether subgroups are linear, and whether shuffling down is right.
fn subgroups(gpu: &Arc<Gpu>) -> Result<(bool, bool)> {
    let mut threads = vec![[0u32; 4]; 128];
    let output = gpu.alloc(size_of_val(threads.as_slice()) as u64)?;
    run(gpu, SUBGROUPS, &[(0, Access::ReadWrite)], &[output.all()], 1)?;
    gpu.read_into(&output, 0, bytemuck::cast_slice_mut(&mut threads), None)?;
    let size = threads[0][0];
    let linear =
        size > 0 && (0..).zip(&threads).all(|(i, &[s, subgroup, lane, _])| s == size && subgroup == i / size && lane == i % size);
    // The thread one lane further on in the same subgroup, wherever it is.
    let shuffled = threads.iter().all(|&[_, subgroup, lane, got]| {
        let next = threads.iter().position(|&[_, s, l, _]| s == subgroup && l == lane + 1);
        next.is_none_or(|next| got == next as u32)
    });
    Ok((linear, shuffled))
}
