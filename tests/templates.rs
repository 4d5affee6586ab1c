//! Every template, with every kind of item and operator, put together as it runs: valid WGSL, and valid for every API. Needs no GPU.

#![cfg(feature = "gpu")]

use std::collections::BTreeSet;

use granule::kernel;
use granule::operator::Operator;
use granule::prelude::*;
use granule::primitives::SortKey;
use granule::primitives::merge::TotalOrder;
use granule::primitives::shaders::{
    histogram_shaders, merge_shaders, scatter_shaders, segment_shaders, select_shaders, shaders, sort_shaders, transpose_shaders,
};
use granule::source::Source;
use naga::back::{hlsl, msl, spv};
use naga::valid::{Capabilities, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};

/// Parses and validates a shader, and translates it for Vulkan, Metal and Direct3D 12.
fn validate(name: &str, text: &str) {
    let module = naga::front::wgsl::parse_str(text).unwrap_or_else(|e| panic!("{name}: {}\n{text}", e.emit_to_string(text)));
    let info =
        Validator::new(ValidationFlags::all(), Capabilities::SUBGROUP | Capabilities::SHADER_INT64 | Capabilities::FLOAT64)
            .subgroup_stages(ShaderStages::COMPUTE)
            .subgroup_operations(SubgroupOperationSet::all())
            .validate(&module)
            .unwrap_or_else(|e| panic!("{name}: {}\n{text}", e.emit_to_string(text)));
    assert_eq!(module.entry_points.len(), 1, "{name}");
    assert_eq!(module.entry_points[0].name, "main", "{name}");

    let options = spv::Options { lang_version: (1, 3), ..Default::default() };
    spv::write_vec(&module, &info, &options, None).unwrap_or_else(|e| panic!("{name}: SPIR-V: {e}\n{text}"));
    // Metal has no f64, and naga translates no bits of one to HLSL.
    if text.contains("f64") {
        return;
    }
    let options = msl::Options { lang_version: (2, 4), fake_missing_bindings: true, ..Default::default() };
    msl::write_string(&module, &info, &options, &Default::default()).unwrap_or_else(|e| panic!("{name}: MSL: {e}\n{text}"));
    let options = hlsl::Options { shader_model: hlsl::ShaderModel::V6_0, fake_missing_bindings: true, ..Default::default() };
    let mut out = String::new();
    let written = hlsl::Writer::new(&mut out, &options, &Default::default()).write(&module, &info, None);
    written.unwrap_or_else(|e| panic!("{name}: HLSL: {e}\n{text}"));
}

/// Checks all stages; returns the names of their templates.
fn all<S: Source<Item: Element>, O: Operator<S::Item>>(name: &str, source: S, operator: O) -> BTreeSet<String> {
    valid(name, shaders(&source, &operator)).into_iter().collect()
}

/// Checks these stages; returns the names of their templates.
fn valid(name: &str, shaders: Vec<(String, String)>) -> Vec<String> {
    for (stage, text) in &shaders {
        validate(&format!("{name}, {stage}"), text);
    }
    shaders.into_iter().map(|(stage, _)| stage).collect()
}

/// The same of the stages of a sort.
fn sorts<K: SortKey, S: Source<Item = K>>(name: &str, source: S) -> BTreeSet<String> {
    let shaders = sort_shaders(&source);
    for (stage, text) in &shaders {
        validate(&format!("{name}, {stage}"), text);
    }
    shaders.into_iter().map(|(stage, _)| stage).collect()
}

#[test]
fn bins_and_weights() {
    let x = [1_u32, 2];
    valid("numbers", histogram_shaders(&(&x).into_source()));
    valid("u32 weights", histogram_shaders(&zip(&x, (&x).reverse())));
    valid("i32 weights", histogram_shaders(&zip(&x, constant(-1_i32))));
}

#[test]
fn every_file_of_shaders_is_covered() {
    let mut stages: Vec<_> = all("u32", (&[1_u32]).into_source(), Sum).into_iter().collect();
    assert_eq!(stages.len(), 2 * (1 + 2 * (3 + 2)), "{stages:?}");
    stages.extend(sorts("u32", (&[1_u32]).into_source()));
    stages.extend(sorts("u64", (&[1_u64]).into_source()));
    stages.extend(valid("select", select_shaders(&zip(&[1_u32], &[1_u32]))));
    stages.extend(valid("merge", merge_shaders(&(&[1_u32]).into_source(), &TotalOrder)));
    stages.extend(valid("histogram", histogram_shaders(&(&[1_u32]).into_source())));
    stages.extend(valid("segments", segment_shaders(&(&[1_u32]).into_source(), &Sum)));
    stages.extend(valid("scatter", scatter_shaders(&(&[1_u32]).into_source(), &Sum)));
    stages.extend(valid("transpose", transpose_shaders(&(&[1_u32]).into_source())));
    let library = ["scalar", "math", "wide"];
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(library.contains(&name) || stages.iter().any(|s| s.contains(name)), "no stage uses {name}: {stages:?}");
    }
}

macro_rules! numbers {
    ($($t:ident),+) => {$(
        #[test]
        fn $t() {
            let x = [1 as $t, 2 as $t];
            let source = || (&x).into_source();
            all("Sum", source(), Sum);
            all("Product", source(), Product);
            all("Min", source(), Min);
            all("Max", source(), Max);
            all("gathered", gather((&x).reverse(), &[1, 0]), Sum);
            all("counted", iota(0 as $t..9 as $t).step_by(2), Max);
            all("constant", constant(3 as $t).take(5), Sum);
            all("pairs", zip(&x, (&x).reverse()), (Sum, Max));
            all("ArgMin", zip(&x, iota(0..2_u32)), ArgMin);
            all("ArgMax", zip(&x, iota(0..2_i32)), ArgMax);
            sorts("sorted", source());
            valid("merged", merge_shaders(&source(), &TotalOrder));
            valid("segments", segment_shaders(&source(), &Sum));
            valid("scattered", scatter_shaders(&source(), &Sum));
            valid("transposed", transpose_shaders(&source()));
            valid("segments of pairs", segment_shaders(&zip(&x, constant(true)), &(Max, Or)));
        }
    )+};
}
numbers!(f32, i32, u32, f64, i64, u64);

macro_rules! integers {
    ($($name:ident $t:ident),+) => {$(
        #[test]
        fn $name() {
            let x = [1 as $t, 2 as $t];
            all("BitAnd", (&x).into_source(), BitAnd);
            all("BitOr", (&x).into_source(), BitOr);
            all("BitXor", (&x).into_source(), BitXor);
            for shaders in [scatter_shaders(&(&x).into_source(), &BitXor), scatter_shaders(&(&x).into_source(), &Min)] {
                valid("scattered", shaders);
            }
        }
    )+};
}
integers!(bits_of_i32 i32, bits_of_u32 u32, bits_of_i64 i64, bits_of_u64 u64);

#[derive(Element, Clone, Copy)]
struct Body {
    alive: bool,
    mass: f32,
    spin: (i32, bool),
    id: u32,
}

#[derive(Element, Clone, Copy)]
struct Wide {
    id: u64,
    mass: f32,
    at: i64,
}

#[operator(identity = Body { alive: false, mass: 0.0, spin: (0, false), id: 0 })]
fn heavier(a: Body, b: Body) -> Body {
    if b.mass > a.mass || !a.alive { b } else { a }
}

#[operator(identity = Wide { id: 0, mass: 0.0, at: 0 }, commutative)]
fn later(a: Wide, b: Wide) -> Wide {
    if b.at > a.at { b } else { a }
}

/// Has a loop and a return of its own, and calls the library's functions.
#[operator(identity = 0.0)]
fn winding(a: f32, b: f32) -> f32 {
    let mut x = a;
    let mut k = 0;
    while k < 5 {
        if x > b {
            return x.sin() + b.exp();
        }
        x += b.abs().sqrt();
        k += 1;
    }
    x
}

#[test]
fn truth_values() {
    let x = [true, false];
    all("And", (&x).into_source(), And);
    all("Or", (&x).into_source(), Or);
    all("pairs", zip(&x, (&x).reverse()), (And, Or));
}

#[test]
fn structs() {
    let bodies = [Body { alive: true, mass: 1.0, spin: (1, false), id: 1 }; 2];
    all("Body", (&bodies).into_source(), heavier::with());
    all("Body, gathered", gather(&bodies, &[1, 0]), heavier::with());
    valid("segments of Body", segment_shaders(&(&bodies).into_source(), &heavier::with()));
    valid("scattered Body", scatter_shaders(&(&bodies).into_source(), &heavier::with()));
    valid("transposed Body", transpose_shaders(&(&bodies).into_source()));
    let wides = [Wide { id: 1, mass: 1.0, at: 2 }; 2];
    all("Wide", (&wides).reverse(), later::with());
    valid("Body", merge_shaders(&(&bodies).into_source(), &kernel!(|a: Body, b: Body| a.mass < b.mass || a.alive)));
    valid("Wide", merge_shaders(&(&wides).reverse(), &kernel!(|a: Wide, b: Wide| a.at < b.at)));
}

#[test]
fn operators_with_control_flow() {
    let x = [1.0_f32, 2.0];
    all("winding", (&x).into_source(), winding::with());
    all("of five", zip5(&x, &x, iota(0..2_u32), constant(true), &[1_i32, 2]), (Sum, winding::with(), Max, Or, Min));
}
