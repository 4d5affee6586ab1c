//! The records under `benches/record` have the form that `benches/README.md` describes, and hold no wrong answer.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

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
    cases.iter().try_for_each(|case| check_case(case).map_err(|what| format!("{what}: {case}")))
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
