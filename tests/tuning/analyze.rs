//! What was predicted beside what was measured, on every backend.

use granule::plan::Analysis;
use granule::prelude::*;
use serde_json::Value;

use crate::world::{cpu, heavy, light, numbers, sum};

const PARTS: [&str; 5] = ["total", "planning", "transfer", "work", "readback"];

/// Every figure is a time, and the JSON says the same.
#[track_caller]
fn check(what: &str, backend: Backend, analysis: &Analysis) {
    let Analysis { explanation, total, planning, transfer, work, readback } = analysis;
    assert_eq!(explanation.choice.unwrap().backend, backend, "{what}");
    assert!(total.is_finite() && *total > 0.0, "{what}: {total}");
    let json: Value = serde_json::from_str(&analysis.to_json()).unwrap_or_else(|error| panic!("{what}: {error}"));
    for (name, part) in PARTS.into_iter().zip([&Some(*total), planning, transfer, work, readback]) {
        assert!(same(&json[name]["measured"], *part), "{what}: {name}: {}, not {part:?}", json[name]["measured"]);
        assert!(part.is_none_or(|seconds| seconds.is_finite() && (0.0..=*total).contains(&seconds)), "{what}: {name}: {part:?}");
    }
    assert!(planning.is_some(), "{what}");
    let ratio = analysis.ratio().unwrap();
    assert!(ratio.is_finite() && ratio > 0.0 && same(&json["total"]["ratio"], Some(ratio)), "{what}: {ratio}");
    assert_eq!(json["explanation"]["choice"]["backend"].as_str(), Some(&*backend.to_string()), "{what}");
    assert!(json["explanation"]["candidates"].as_array().is_some_and(|all| all.len() >= 3), "{what}");
    let text = analysis.to_string();
    assert!(text.contains("predicted") && text.contains("measured") && text.contains("work"), "{what}: {text}");
}

/// Whether this was read of it; what reads JSON here rounds the last digit.
fn same(read: &Value, written: Option<f64>) -> bool {
    match (read.as_f64(), written) {
        (Some(read), Some(written)) => (read - written).abs() <= 1e-12 * written,
        (None, None) => read.is_null(),
        _ => false,
    }
}

fn all_calls(engine: &Engine, backend: Backend) {
    for n in [0, 1, 5000, 70_001] {
        let x = numbers(n);
        let mapped: Vec<u32> = x.iter().map(|&x| light(x, 7)).collect();
        let total = sum(x.iter().map(|&x| heavy(x)));
        let mut running = 0_u32;
        let scanned: Vec<u32> = x
            .iter()
            .map(|&x| {
                running = running.wrapping_add(x);
                running
            })
            .collect();
        let array = engine.array(&x);
        // The second time the array is where the work is.
        for round in 0..2 {
            let what = |call: &str| format!("{call} of {n} on {backend}, round {round}");
            let (got, analysis) = engine.reduce((&x).map(heavy::with()), Sum).on(backend).explain_analyze().unwrap();
            assert_eq!(got, total, "{}", what("a sum"));
            check(&what("a sum"), backend, &analysis);
            let (got, analysis) = engine.reduce((&array).map(heavy::with()), Sum).on(backend).explain_analyze().unwrap();
            assert_eq!(got, total, "{}", what("a sum of an array"));
            check(&what("a sum of an array"), backend, &analysis);
            assert!(analysis.work.is_some() && analysis.transfer.is_some(), "{analysis}");
            let (got, analysis) = engine.map(&array, light::with(7)).on(backend).explain_analyze().unwrap();
            check(&what("a map"), backend, &analysis);
            assert!(got.as_slice().unwrap() == mapped, "{}", what("a map"));
            let mut into = vec![0; n];
            let ((), analysis) = engine.scan(&array, Sum).on(backend).into(&mut into).explain_analyze().unwrap();
            check(&what("a scan"), backend, &analysis);
            assert!(into == scanned, "{}", what("a scan"));
        }
    }
}

#[test]
fn on_one_core() {
    all_calls(&cpu().build().unwrap(), Backend::Simd);
}

#[cfg(feature = "threads")]
#[test]
fn on_several_cores() {
    let engine = cpu().build().unwrap();
    // A pin is kept, whatever the number of cores.
    engine.set_workers(3);
    all_calls(&engine, Backend::Threads);
}

#[cfg(feature = "gpu")]
#[test]
fn on_a_gpu() {
    let Some(engine) = crate::adapter::learning(|builder| builder) else { return };
    all_calls(&engine, Backend::Gpu);
}

/// Analysed calls are chosen for as others are, and their errors are the same.
#[test]
fn unpinned_and_failing() {
    let engine = cpu().build().unwrap();
    let x = numbers(300_000);
    for _ in 0..20 {
        let (got, analysis) = engine.reduce((&x).map(heavy::with()), Sum).explain_analyze().unwrap();
        assert_eq!(got, sum(x.iter().map(|&x| heavy(x))));
        check("unpinned", analysis.explanation.choice.unwrap().backend, &analysis);
    }
    let error = engine.reduce(zip(&x, &x[1..]).map(granule::kernel!(|a: u32, b: u32| a ^ b)), Sum).explain_analyze().err();
    assert_eq!(error, Some(Error::LengthMismatch { left: 300_000, right: 299_999 }));
    assert!(matches!(engine.reduce(&x, Sum).on(Backend::Gpu).explain_analyze(), Err(Error::Unsupported { .. })));
}
