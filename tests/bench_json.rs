//! The records under `benches/record` have the form that `benches/README.md` describes, and hold no wrong answer; and regret is
//! reckoned as it is described there.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

#[path = "../examples/bench/regret/figures.rs"]
#[allow(dead_code, reason = "the benchmark prints what records do not hold")]
mod figures;

use figures::{Case, Summary};

/// The first thing that is wrong with a record.
fn check(record: &Value) -> Result<(), String> {
    let fail = |what: &str| Err(what.to_owned());
    if record["schema"] != 1 {
        return fail("schema is not 1");
    }
    if !record["granule"].is_string() {
        return fail("granule is no version");
    }
    let machine = &record["machine"];
    if !machine["cpu"].is_string() || !machine["simd"].is_string() || machine["cores"].as_u64().is_none_or(|n| n == 0) {
        return fail("machine lacks cpu, cores or simd");
    }
    let Some(gpus) = machine["gpus"].as_array() else { return fail("machine.gpus is no list") };
    if gpus.iter().any(|gpu| ["name", "api", "type"].iter().any(|&key| !gpu[key].is_string())) {
        return fail("a GPU lacks name, api or type");
    }
    let Some(cases) = record["cases"].as_array() else { return fail("cases is no list") };
    if cases.is_empty() {
        return fail("there are no cases");
    }
    let regret = &record["regret"];
    if regret.is_null() {
        return cases.iter().try_for_each(|case| check_case(case).map_err(|what| format!("{what}: {case}")));
    }
    check_regret(regret)?;
    let cold = record["cold"].as_array().ok_or("cold is no list")?;
    cases.iter().chain(cold).try_for_each(|case| check_regret_case(case).map_err(|what| format!("{what}: {case}")))
}

/// Whether it is a time or a ratio of times.
fn is_positive(value: &Value) -> bool {
    value.as_f64().is_some_and(|x| x > 1e-12 && x < 1e12)
}

/// The summary of a regret sweep.
fn check_regret(regret: &Value) -> Result<(), String> {
    let is_spread = |value: &Value| ["geomean", "p95", "max"].iter().all(|&key| is_positive(&value[key]));
    if !is_spread(regret) {
        return Err("regret lacks geomean, p95 or max".to_owned());
    }
    if !is_positive(&regret["cold_geomean"]) || !regret["decision_ns"].is_number() {
        return Err("regret lacks cold_geomean or decision_ns".to_owned());
    }
    let alternatives = ["always_simd", "always_threads", "always_gpu", "threshold", "threshold_with_gpu"];
    match alternatives.iter().find(|&&key| regret.get(key).is_none_or(|value| !value.is_null() && !is_spread(value))) {
        Some(key) => Err(format!("regret.{key} is neither null nor a geomean, p95 and max")),
        None => Ok(()),
    }
}

/// One case of a regret sweep.
fn check_regret_case(case: &Value) -> Result<(), &'static str> {
    let text = |key: &str| case[key].as_str().unwrap_or("");
    let is_backend = |name: &str| ["simd", "threads", "gpu"].contains(&name);
    if ["op", "type"].iter().any(|&key| text(key).is_empty()) || case["n"].as_u64().is_none_or(|n| n == 0) {
        return Err("op, type or n is missing");
    }
    if !["host", "gpu"].contains(&text("residency")) {
        return Err("residency is neither host nor gpu");
    }
    if !is_backend(text("chose")) || !is_backend(text("best_backend")) {
        return Err("chose or best_backend is no backend");
    }
    if ["auto", "best", "regret"].iter().any(|&key| !is_positive(&case[key])) {
        return Err("auto, best or regret is missing or not positive");
    }
    for key in ["median", "least"] {
        let times = case[key].as_object().ok_or("median or least is missing")?;
        if !times.contains_key("auto")
            || times.iter().any(|(who, time)| (who != "auto" && !is_backend(who)) || !is_positive(time))
        {
            return Err("a time is missing, not positive, or of nobody known");
        }
    }
    if case["rounds"].as_u64().is_none_or(|rounds| rounds < 2) {
        return Err("there are fewer than two rounds");
    }
    if case["verified"] != true {
        return Err("the answer was not verified");
    }
    Ok(())
}

fn check_case(case: &Value) -> Result<(), &'static str> {
    let text = |key: &str| case[key].as_str().unwrap_or("");
    if ["op", "type", "backend"].iter().any(|&key| text(key).is_empty()) {
        return Err("op, type or backend is missing");
    }
    if !["host", "gpu"].contains(&text("residency")) {
        return Err("residency is neither host nor gpu");
    }
    if [&case["n"], &case["bytes"]].iter().any(|x| x.as_u64().is_none_or(|x| x == 0)) {
        return Err("n or bytes is no positive number");
    }
    let backend = text("backend");
    if !["simd", "threads", "gpu", "auto"].contains(&backend) && !backend.starts_with("peer:") {
        return Err("the backend is not known");
    }
    let chose = text("chose");
    if (backend == "auto") != ["simd", "threads", "gpu"].contains(&chose) {
        return Err("chose belongs to auto, and names what it chose");
    }
    let seconds = case["seconds"].as_array().ok_or("seconds is no list")?;
    if seconds.is_empty() || seconds.iter().any(|s| s.as_f64().is_none_or(|s| s <= 0.0)) {
        return Err("seconds are missing or not positive");
    }
    if case["verified"] != true {
        return Err("the answer was not verified");
    }
    Ok(())
}

fn records(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder of records can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            records(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

#[test]
fn every_record_has_the_form() {
    let mut found = Vec::new();
    records(&Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/record"), &mut found);
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
    ];
    for (at, value) in spoilt {
        let mut record = good.clone();
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
        ("/regret/cold_geomean", Value::Null),
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
