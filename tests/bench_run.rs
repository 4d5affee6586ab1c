//! The benchmark as a program: a run in passes, each of which is a process, and what becomes of a wrong answer and of a pass that fails.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

#[path = "bench_json/schema.rs"]
mod schema;

/// The program. Whoever builds tests does not build examples with them.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let mut cargo = Command::new(env!("CARGO"));
    // The whole workspace, as tests are built, for libraries to have the same features.
    cargo.args([
        "build",
        "--quiet",
        "--locked",
        "--workspace",
        "--exclude",
        "xtask",
        "--example",
        "bench",
        "--message-format=json",
    ]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit()).output().expect("cargo runs");
    assert!(output.status.success(), "the benchmark is not built");
    let messages = String::from_utf8(output.stdout).expect("cargo writes text");
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs =
        messages.filter(|m| m["target"]["name"] == "bench").filter_map(|m| m["executable"].as_str().map(PathBuf::from));
    programs.next().expect("cargo says where the benchmark is")
});

/// Runs it on the CPU alone.
fn bench(arguments: &[&str]) -> Output {
    Command::new(&*PROGRAM).args(arguments).env("GRANULE_ADAPTER", "none").output().expect("the benchmark runs")
}

/// A record of a short run, and how the run ended.
fn record(name: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    _ = std::fs::remove_file(&path);
    let path = path.to_str().expect("a path of text");
    let output = bench(&[arguments, &["--quick", "--sizes", "4Ki", "--json", path]].concat());
    let text = std::fs::read_to_string(path).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), serde_json::from_str(&text).expect("a record is JSON"))
}

#[test]
fn a_run_has_six_passes_and_looks_at_the_machine() {
    let (code, record) = record("six.json", &["--ops", "triad,dot", "--backends", "simd,auto,std"]);
    assert_eq!(code, Some(0));
    let schema = serde_json::from_str(include_str!("../benches/record/schema.json")).expect("the schema is JSON");
    assert_eq!(schema::check(&schema, &record), Ok(()));
    let cases = record["cases"].as_array().expect("there are cases");
    assert_eq!(cases.len(), 6, "two operations of three contenders");
    for case in cases {
        let passes: Vec<u64> = case["passes"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        assert_eq!((passes.len(), case["verified"].as_bool()), (6, Some(true)), "{case}");
        assert_eq!(passes.iter().sum::<u64>(), case["seconds"].as_array().map_or(0, |all| all.len() as u64), "{case}");
        assert_eq!(case["chose"].is_string(), case["backend"] == "auto", "{case}");
    }
    let moments = record["noise"]["moments"].as_array().expect("the machine was looked at");
    assert!(moments.len() >= 10 && moments.iter().map(|m| m["at"].as_f64()).is_sorted());
    assert!(record["stopped"].is_null());
}

#[test]
fn a_wrong_answer_fails_the_run_and_stands_in_the_record() {
    let (code, record) = record("wrong.json", &["--ops", "triad", "--backends", "simd,std", "--plant", "wrong"]);
    assert_eq!((code, record["planted"].as_str()), (Some(1), Some("wrong")));
    let verified = |backend: &str| {
        let mut cases = record["cases"].as_array().into_iter().flatten();
        cases.find(|case| case["backend"] == backend).expect("it took part")["verified"].as_bool()
    };
    assert_eq!((verified("simd"), verified("peer:std")), (Some(false), Some(true)));
}

#[test]
fn a_run_whose_time_is_over_says_what_it_left_out() {
    let (code, record) = record("short.json", &["--time-budget", "3"]);
    assert_eq!(code, Some(0));
    assert_eq!(record["stopped"]["why"], "time budget");
    assert!(record["stopped"]["done"].as_u64() < record["stopped"]["of"].as_u64(), "{}", record["stopped"]);
}

#[test]
fn a_pass_that_cannot_read_what_to_do_says_so() {
    let mut child = Command::new(&*PROGRAM)
        .args(["--quick", "--pass"])
        .env("GRANULE_ADAPTER", "none")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the benchmark runs");
    child.stdin.take().expect("it has an input").write_all(b"{\"groups\":7}").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("does not stand in its input"));
}
