//! The records under `benches/record` follow `benches/record/schema.json`, and hold no wrong answer; and regret is reckoned as
//! `benches/README.md` describes it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

mod report {
    #[path = "../../examples/bench/report/stats.rs"]
    #[allow(dead_code, reason = "the benchmark compares records with it too")]
    pub(crate) mod stats;
}

#[path = "../examples/bench/regret/figures.rs"]
#[allow(dead_code, reason = "the benchmark prints what records do not hold")]
mod figures;

use figures::{Case, Summary};

#[path = "bench_json/schema.rs"]
mod schema;

/// The first thing that is wrong with a record.
fn check(record: &Value) -> Result<(), String> {
    let schema = include_str!("../benches/record/schema.json");
    schema::check(&serde_json::from_str(schema).expect("the schema is JSON"), record)
}

fn records_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/record")
}

fn records(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder of records can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            records(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") && path != records_folder().join("schema.json") {
            found.push(path);
        }
    }
}

#[test]
fn every_record_has_the_form() {
    let mut found = Vec::new();
    records(&records_folder(), &mut found);
    assert!(found.len() >= 2, "there are records to check");
    for path in found {
        let text = std::fs::read_to_string(&path).expect("a record can be read");
        let record: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        check(&record).unwrap_or_else(|what| panic!("{}: {what}", path.display()));
    }
}

#[test]
fn the_check_accepts_the_form_and_nothing_else() {
    let good = json!({
        "schema": 1,
        "granule": "0.1.0",
        "machine": { "cpu": "a", "cores": 2, "simd": "avx2", "gpus": [{ "name": "b", "api": "vulkan", "type": "discrete" }] },
        "cases": [{
            "op": "dot", "type": "f32", "n": 4096, "residency": "host", "backend": "auto", "chose": "simd", "plan": "simd",
            "seconds": [1e-6, 1.1e-6], "bytes": 32768, "verified": true,
        }],
    });
    assert_eq!(check(&good), Ok(()));
    let mut with_context = good.clone();
    with_context["stopped"] = json!({ "why": "interrupted", "done": 3, "of": 9 });
    with_context["not_run"] = json!([{ "backend": "gpu", "reason": "there is none" }]);
    with_context["noise"] =
        json!({ "at_the_ends": 1, "copied_bytes": 64, "moments": [{ "at": 0, "arithmetic": 1e-3, "copy": 1e-3 }] });
    with_context["peaks"] = json!([{ "backend": "simd", "operations_per_second": 1e10 }]);
    with_context["babelstream"] = json!({
        "repetitions": 2, "start": [0.1, 0.2, 0.0], "scalar": 0.4,
        "results": [{
            "function": "Copy", "type": "f64", "n": 8, "backend": "simd",
            "mbytes_per_second": 1.0, "least": 1e-3, "most": 1e-3, "average": 1e-3,
        }],
    });
    (with_context["cases"][0]["ops_per_element"], with_context["cases"][0]["gpu_seconds"]) = (json!(4), json!([1e-6]));
    with_context["context"] =
        json!({ "date": null, "workers": 2, "load_average": [0.5, 0.25, 0], "features": ["gpu"], "more": 1 });
    with_context["operations"] = json!({ "dot": { "meaning": "sum", "unit": "GB/s", "bytes_per_element": 8 } });
    assert_eq!(check(&with_context), Ok(()));

    let spoilt = [
        ("/schema", json!(2)),
        ("/granule", Value::Null),
        ("/machine/cores", json!(0)),
        ("/machine/gpus/0/api", Value::Null),
        ("/cases", json!([])),
        ("/cases/0/n", json!(-1)),
        ("/cases/0/bytes", Value::Null),
        ("/cases/0/residency", json!("disk")),
        ("/cases/0/backend", json!("simd")), // with a `chose`
        ("/cases/0/chose", json!("auto")),
        ("/cases/0/seconds", json!([])),
        ("/cases/0/seconds/1", json!("fast")),
        ("/cases/0/verified", json!(false)),
        ("/cases/0/ops_per_element", json!(0)),
        ("/cases/0/gpu_seconds", json!([])),
        ("/stopped/why", json!("tired")),
        ("/not_run/0/reason", Value::Null),
        ("/noise/moments/0/copy", json!(0)),
        ("/babelstream/results/0/least", Value::Null),
        ("/peaks/0/backend", json!("peer:std")),
    ];
    let spoilt_context =
        [("/context/workers", json!(0)), ("/context/load_average", json!([0.5])), ("/operations/dot/unit", json!("miles"))];
    for (at, value) in spoilt.into_iter().chain(spoilt_context) {
        let mut record = with_context.clone();
        *record.pointer_mut(at).expect("the path is in the record") = value;
        assert!(check(&record).is_err(), "{at} may be {}", record.pointer(at).unwrap());
    }
}

/// A sweep as it would be on a machine without a GPU: one core is faster at 64 elements, all cores are at 65,536, and the library
/// chose one core for both.
fn sweep() -> Vec<Case> {
    let case = |n, simd: f64, threads: f64| Case {
        op: "dot",
        n,
        residency: "host",
        chose: "simd",
        // Every other round is slower by a half.
        seconds: [simd, simd, threads, 0.0].map(|t| if t > 0.0 { [t, 1.5 * t].repeat(3) } else { Vec::new() }),
        verified: true,
    };
    vec![case(64, 1e-7, 4e-7), case(65_536, 4e-6, 2e-6)]
}

/// What the benchmark writes of a sweep has the form.
#[test]
fn a_regret_record_has_the_form() {
    let cases = sweep();
    let summary = Summary::of(&cases, &cases, &cases, 50.0).expect("there are cases");
    let list: Vec<Value> = cases.iter().map(Case::to_json).collect();
    let good = json!({
        "schema": 1,
        "granule": "0.1.0",
        "machine": { "cpu": "a", "cores": 2, "simd": "avx2", "gpus": [] },
        "regret": summary.to_json(),
        "cold": list,
        "cases": list,
    });
    assert_eq!(check(&good), Ok(()));

    let spoilt = [
        ("/regret/geomean", Value::Null),
        ("/regret/cold_geomean", json!("fast")),
        ("/regret/decision_ns", json!("fast")),
        ("/regret/always_simd", json!(1)),
        ("/regret/threshold/p95", Value::Null),
        ("/cold", Value::Null),
        ("/cold/1/regret", json!(0)),
        ("/cases/0/chose", json!("auto")),
        ("/cases/0/best_backend", Value::Null),
        ("/cases/0/best", json!(0)),
        ("/cases/0/median/simd", json!(-1)),
        ("/cases/0/least", json!({ "simd": 1 })),
        ("/cases/1/rounds", json!(1)),
        ("/cases/1/verified", json!(false)),
    ];
    for (at, value) in spoilt {
        let mut record = good.clone();
        *record.pointer_mut(at).expect("the path is in the record") = value;
        assert!(check(&record).is_err(), "{at} may be {}", record.pointer(at).unwrap());
    }
}

fn near(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < 1e-9
}

/// Regret by hand: 1 where the choice is the fastest backend, 2 where it takes twice as long.
#[test]
fn regret_is_the_ratio_to_the_fastest_backend() {
    let cases = sweep();
    let summary = Summary::of(&cases, &[], &[], 0.0).expect("there are cases");
    assert!(near(summary.auto.geomean, 2_f64.sqrt()) && near(summary.auto.max, 2.0) && near(summary.auto.p95, 2.0));
    let [simd, threads, gpu] = summary.always.map(|(_, spread)| spread);
    assert!(simd.is_some_and(|s| near(s.geomean, 2_f64.sqrt())) && threads.is_some_and(|s| near(s.geomean, 2.0)));
    assert!(gpu.is_none() && summary.cold.is_none());
    let (rule, spread) = summary.rules[0].expect("there is a threshold");
    assert!(rule.threads_from == 65_536 && near(spread.geomean, 1.0) && near(spread.max, 1.0));
    assert!(summary.rules[1].is_none(), "nothing has a GPU");
}

/// A backend that was fast in one round by luck is picked by that half, and then timed by the other half.
#[test]
fn a_lucky_sample_is_not_the_yardstick() {
    let mut case = sweep().remove(0);
    case.seconds[1] = vec![1e-7; 6]; // simd
    case.seconds[2] = [1e-9, 4e-7].repeat(3); // threads, lucky in every even round
    // The even rounds pick threads, which takes 4e-7 in the odd ones; the odd rounds pick simd, which takes 1e-7 in the even ones.
    assert!(near(case.best().expect("there are times"), (4e-7_f64 * 1e-7).sqrt()));
}
