//! Snapshots of generated shaders, their validation by naga, and their comparison with one lane of the CPU. None needs a GPU.

use std::any::TypeId;
use std::collections::HashMap;

use granule::array::{Data, DataKey, DataVisitor};
use granule::backend::simd::{OneLane, Span};
use granule::element::{Element, LeafMap, LeafVisit, Offset, Scalar, Value};
use granule::kernel::ir::Traced;
use granule::kernel::trace::{trace_operator, trace_source};
use granule::kernel::wgsl::{Access, Module, Slots};
use granule::operator::Operator;
use granule::source::{IntoSource, Source, zip};

use crate::interp::{Machine, V};
use crate::kernels::Elementary;
use crate::validate::validate;

/// Validates a module and compares it with its snapshot; `UPDATE_SNAPSHOTS=1` writes the snapshot instead.
fn snapshot(name: &str, module: Module) -> naga::Module {
    let wide = module.needs().int64 || module.needs().float64;
    let text = module.finish();
    let module = validate(name, &text, wide);
    let path = format!("{}/tests/snapshots/{name}.wgsl", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{name} has changed: look at it, then run with UPDATE_SNAPSHOTS=1\n{text}");
    module
}

/// The bits of a value's leaves. All NaN count as one.
struct Bits(Vec<u64>);

fn canonical(bits: u64, name: &str) -> u64 {
    match name {
        "F32" if f32::from_bits(bits as u32).is_nan() => f32::NAN.to_bits() as u64,
        "F64" if f64::from_bits(bits).is_nan() => f64::NAN.to_bits(),
        _ => bits,
    }
}

impl LeafMap<OneLane, OneLane> for Bits {
    fn leaf<S: Scalar>(&mut self, x: S::In<OneLane>) -> S::In<OneLane> {
        self.0.push(canonical(S::from_one(x).bits(), &format!("{:?}", S::KIND)));
        x
    }
}

fn bits<T: Value>(x: T::In<OneLane>) -> Vec<u64> {
    let mut bits = Bits(Vec::new());
    T::map(&mut bits, x);
    bits.0
}

fn bits_of(v: &V, f: &Traced) -> Vec<u64> {
    let mut bits = Vec::new();
    v.bits(&mut bits);
    assert_eq!(bits.len(), f.results.len());
    bits.iter().zip(&f.results).map(|(b, (kind, _))| canonical(*b, &format!("{kind:?}"))).collect()
}

/// Packs the data that a source reads as its buffers hold it.
#[derive(Default)]
struct Pack(HashMap<(DataKey, TypeId), Vec<u32>>);

struct Words(Vec<u32>, usize);

impl LeafVisit<OneLane> for Words {
    fn leaf<S: Scalar>(&mut self, x: S::In<OneLane>, at: Offset) {
        let bits = S::from_one(x).bits();
        for w in 0..S::WORDS {
            self.0[self.1 + at.words + w] = (bits >> (32 * w)) as u32;
        }
    }
}

fn pack<T: Element>(data: &[T]) -> Vec<u32> {
    let mut words = Words(vec![0; data.len() * T::WORDS], 0);
    for (i, x) in data.iter().enumerate() {
        words.1 = i * T::WORDS;
        T::visit(&mut words, x.to_one(), Offset::START);
    }
    words.0
}

impl DataVisitor for Pack {
    fn visit<T: Element>(&mut self, data: Data<'_, T>) -> granule::Result<()> {
        self.0.insert((data.key(), TypeId::of::<T>()), pack(data.host()));
        Ok(())
    }
}

/// The buffers of a dispatch over `base..base + count`, each bound from the first element that it reads.
fn buffers(f: &Traced, slots: &Slots, data: &Pack, base: u64, count: u64) -> HashMap<u32, Vec<u32>> {
    let window = |b: usize| match f.direct_range(b, base, count) {
        Some(range) if !f.bindings[b].random => range.start..range.end,
        _ => 0..f.bindings[b].len as u64,
    };
    let mut buffers = HashMap::new();
    for (k, b) in f.bindings.iter().enumerate() {
        let w = window(k);
        let mut words =
            data.0[&(b.key, b.ty)][(w.start as usize * b.words as usize)..(w.end as usize * b.words as usize)].to_vec();
        // Nothing may be bound empty: a stand-in with rubbish in it, which must not be seen.
        if words.is_empty() {
            words = vec![0xdead_beef; b.words as usize];
        }
        buffers.insert(slots.data[k], words);
    }
    if let Some(binding) = slots.uniforms {
        let mut words = f.uniform_words(base, |b| window(b).start);
        words.resize(slots.uniform_size, 0);
        buffers.insert(binding, words);
    }
    buffers
}

/// The whole shader of a map: what an executor puts together.
fn map_shader(f: &Traced) -> (Module, Slots) {
    let mut m = Module::new(0);
    m.item("Item", &f.results.iter().map(|r| r.0).collect::<Vec<_>>());
    m.buffer("dst", "Item", Access::ReadWrite);
    let slots = m.function("source", "Item", f);
    m.add(
        "@group(1) @binding(0) var<uniform> count: u32;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < count {
        store_dst(id.x, source(id.x));
    }
}",
    );
    (m, slots)
}

/// Traces a source, and compares what its shader computes with one lane: whole, and in chunks.
pub(crate) fn agree<S: IntoSource>(name: &str, source: S) -> Traced {
    let source = source.into_source();
    let f = trace_source(&source);
    assert_eq!(f.refusal, None);
    let (m, slots) = map_shader(&f);
    let module = snapshot(name, m);
    let mut data = Pack::default();
    source.data(&mut data).unwrap();
    let n = source.len().unwrap() as u64;
    for (base, count) in [(0, n), (1, n - 1), (n / 3, n / 3), (n - 1, 1)] {
        let machine = Machine { module: &module, buffers: buffers(&f, &slots, &data, base, count) };
        for i in 0..count {
            let got = machine.call("source", &[V::U32(i as u32)]);
            let at = (base + i) as usize;
            let expected = S::Source::load(OneLane, source.bind(OneLane), Span::new(at, 1));
            assert_eq!(bits_of(&got, &f), bits::<S::Item>(expected.0), "{name}[{at}] in the chunk at {base}: {got:?}");
        }
    }
    f
}

/// Traces an operator, and compares it with one lane on all pairs.
pub(crate) fn agree_operator<T: Element, O: Operator<T>>(name: &str, operator: &O, values: &[T]) {
    let f = trace_operator::<T, O>(operator);
    assert_eq!(f.refusal, None);
    let leaves: Vec<_> = f.results.iter().map(|r| r.0).collect();
    let mut m = Module::new(0);
    m.item("Item", &leaves);
    m.buffer("src", "Item", Access::Read);
    m.buffer("dst", "Item", Access::ReadWrite);
    m.shuffles("Item");
    let slots = m.function("combine", "Item", &f);
    m.add(
        "@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) i: u32) {
    let v = combine(combine_identity(), load_src(i));
    store_dst(i, combine(v, shuffle_down_Item(shuffle_up_Item(v, 1u), 1u)));
}",
    );
    let module = snapshot(name, m);
    let mut buffers = buffers(&f, &slots, &Pack::default(), 0, 1);
    buffers.insert(0, pack(values));
    let machine = Machine { module: &module, buffers };
    assert_eq!(bits_of(&machine.call("combine_identity", &[]), &f), bits::<T>(operator.identity().to_one()));
    for (i, &x) in values.iter().enumerate() {
        for (j, &y) in values.iter().enumerate() {
            let (a, b) = (machine.call("load_src", &[V::U32(i as u32)]), machine.call("load_src", &[V::U32(j as u32)]));
            let got = machine.call("combine", &[a, b]);
            let lit = |x: T| granule::kernel::ops::lit(OneLane, x);
            assert_eq!(bits_of(&got, &f), bits::<T>(operator.combine(OneLane, lit(x), lit(y)).0), "{name} of {i} and {j}");
        }
    }
}

/// Compares the functions of floats with their true values: at most 4 ulp away, and exact where the result is special.
pub(crate) fn agree_closely() {
    let special = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, 1e30, -1e30, 1e-30, 1e-40, f32::MAX, f32::NAN];
    let special = [&special[..], &[f32::INFINITY, f32::NEG_INFINITY, 16777217.0, 87.9, 88.8, -87.4, -103.5, 1e5, 22.0]].concat();
    let mut a: Vec<f32> = Vec::new();
    let mut b: Vec<f32> = Vec::new();
    for &x in &special {
        for &y in &special {
            a.push(x);
            b.push(y);
        }
    }
    // All magnitudes, and closer to where the functions bend.
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        (state ^ (state >> 15)).wrapping_mul(0x2c1b_3c6d)
    };
    for k in 0..3_000 {
        let unit = |r: u32| r as f32 / u32::MAX as f32 * 2.0 - 1.0;
        match k % 4 {
            0 => (a.push(f32::from_bits(random())), b.push(f32::from_bits(random()))),
            1 => (a.push(unit(random()) * 100.0), b.push(unit(random()) * 20.0)),
            2 => (a.push(1.0 + unit(random()) * 0.5), b.push(unit(random()) * 250.0)),
            _ => (a.push(unit(random()) * 10.0), b.push((unit(random()) * 9.0).round())),
        };
    }
    let source = zip(&a, &b).map(Elementary);
    let f = trace_source(&source);
    let (m, slots) = map_shader(&f);
    let module = snapshot("elementary", m);
    let mut data = Pack::default();
    source.data(&mut data).unwrap();
    let machine = Machine { module: &module, buffers: buffers(&f, &slots, &data, 0, a.len() as u64) };
    let names = ["exp", "exp2", "ln", "log2", "log10", "sin", "cos", "tan", "tanh", "atan", "atan2", "powf"];
    let mut worst = [(0.0, 0.0, 0.0); 12];
    let mut wrong = Vec::new();
    for i in 0..a.len() {
        let mut got = Vec::new();
        machine.call("source", &[V::U32(i as u32)]).bits(&mut got);
        let (x, y) = (a[i] as f64, b[i] as f64);
        let exact = [
            x.exp(),
            x.exp2(),
            x.ln(),
            x.log2(),
            x.log10(),
            x.sin(),
            x.cos(),
            x.tan(),
            x.tanh(),
            x.atan(),
            x.atan2(y),
            x.powf(y),
        ];
        for k in 0..12 {
            let (got, exact) = (f32::from_bits(got[k] as u32), exact[k]);
            let near = exact as f32;
            if near.is_nan() || near.is_infinite() || near == 0.0 || got.is_nan() || got.is_infinite() {
                // At the edge of overflow and of zero the neighbour is right too.
                let edge =
                    (near.is_infinite() && got.abs() == f32::MAX) || (got.is_infinite() && near.abs() >= f32::MAX * 0.999999);
                let zero = near == 0.0 && got.to_bits() & 0x7fff_ffff <= 2;
                if !(got.to_bits() == near.to_bits() || got.is_nan() && near.is_nan() || edge || zero) {
                    wrong.push(format!("{}({x:e}, {y:e}) = {got:e}, not {near:e}", names[k]));
                }
                continue;
            }
            let ulp = 2.0_f64.powi((exact.abs().log2().floor() as i32).max(-126) - 23);
            // Near the zeros of sine and cosine the bound is absolute.
            let ulp = if matches!(k, 5 | 6) { ulp.max(2.0_f64.powi(-27)) } else { ulp };
            let error = (got as f64 - exact).abs() / ulp;
            if error > worst[k].0 {
                worst[k] = (error, x, y);
            }
        }
    }
    for (name, (error, x, y)) in names.iter().zip(worst) {
        println!("{name}: {error:.2} ulp at ({x:e}, {y:e})");
    }
    assert!(wrong.is_empty(), "{} wrong, such as {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    for (name, (error, x, y)) in names.iter().zip(worst) {
        assert!(error <= 4.0, "{name}: {error} ulp at ({x:e}, {y:e})");
    }
}
