//! What the environment says, in processes of their own.

use granule::prelude::*;
use granule::{Calibrate, EngineBuilder};

use crate::world::{self, NOTHING, Place, heavy, numbers, several_cores, sum};

pub(crate) fn child(case: &str) {
    let engine = match case {
        "builder" => build(Engine::builder().workers(2).no_cache().calibrate(Calibrate::Never)),
        _ => build(Engine::builder()),
    };
    let Some(engine) = engine else { return };
    println!("level={} workers={}.", engine.simd_level(), engine.workers());
    match engine.cache_directory() {
        Ok(directory) => println!("cache: {}.", directory.display()),
        Err(why) => println!("no cache: {why}."),
    }
    println!("measured: {}.", engine.machine().rates.measured != NOTHING);
    for n in [100, 1 << 18] {
        let x = numbers(n);
        let task = || engine.reduce((&x).map(heavy::with()), Sum);
        match task().decide_only() {
            Ok(choice) => println!("{n} on {}.", choice.backend),
            Err(error) => println!("{n} fails: {error}."),
        }
        match task().run() {
            Ok(got) => assert_eq!(got, sum(x.iter().map(|&x| heavy(x)))),
            Err(error) => println!("{n} failed: {error}."),
        }
        println!("{n} pinned: {}.", task().on(Backend::Simd).decide_only().unwrap().backend);
    }
    if case == "call" {
        // Many times as long as measuring waits for; where it must come, for as long as anybody may take.
        let seconds = if std::env::var("GRANULE_CALIBRATE").as_deref() == Ok("never") { 1.0 } else { 300.0 };
        let x = numbers(100_000);
        let begun = std::time::Instant::now();
        while several_cores() && engine.machine().rates.measured == NOTHING && begun.elapsed().as_secs_f64() < seconds {
            engine.reduce((&x).map(heavy::with()), Sum).run().unwrap();
        }
        println!("measured in the end: {}.", engine.machine().rates.measured != NOTHING);
    }
}

fn build(builder: EngineBuilder) -> Option<Engine> {
    match builder.build() {
        Ok(engine) => Some(engine),
        Err(error) => {
            assert!(matches!(error, Error::Config { .. }), "{error}");
            println!("refused: {error}.");
            None
        }
    }
}

#[track_caller]
fn says(variables: &[(&str, &str)], expected: &[&str]) {
    let text = world::child("describe", variables);
    for line in expected {
        assert!(text.contains(line), "{variables:?}: {line:?} is missing in {text}");
    }
}

#[test]
fn the_backend_is_that_of_the_environment_unless_a_call_says_otherwise() {
    says(&[("GRANULE_BACKEND", "simd")], &["100 on simd.", "262144 on simd."]);
    if cfg!(feature = "threads") {
        says(&[("GRANULE_BACKEND", "threads")], &["100 on threads.", "262144 on threads.", "262144 pinned: simd."]);
    }
    says(&[("GRANULE_BACKEND", "gpu")], &["100 fails: ", "262144 fails: ", "262144 failed: ", "262144 pinned: simd."]);
    says(&[("GRANULE_BACKEND", "auto")], &["100 on simd."]);
    says(&[("GRANULE_BACKEND", "")], &["100 on simd."]);
    if several_cores() {
        says(&[("GRANULE_BACKEND", "auto"), ("GRANULE_WORKERS", "2")], &["262144 on threads.", "workers=2."]);
        says(&[("GRANULE_WORKERS", "1")], &["262144 on simd.", "workers=1."]);
    }
}

#[test]
fn the_level_is_that_of_the_environment() {
    says(&[("GRANULE_SIMD", "base"), ("GRANULE_WORKERS", "5")], &["level=base workers=5."]);
    if let Some(widest) = granule::SimdLevel::available().last() {
        says(&[("GRANULE_SIMD", &widest.to_string())], &[&format!("level={widest} ")]);
    }
}

#[test]
fn measuring_is_done_when_the_environment_says() {
    says(&[("GRANULE_CALIBRATE", "now")], &["measured: true."]);
    for (when, in_the_end) in [("never", false), ("lazy", true), ("", true)] {
        let text = world::child("call", &[("GRANULE_CALIBRATE", when)]);
        assert!(text.contains("measured: false."), "{when}: {text}");
        if several_cores() {
            assert!(text.contains(&format!("measured in the end: {in_the_end}.")), "{when}: {text}");
        }
    }
}

#[test]
fn the_cache_is_where_the_environment_says() {
    let place = Place::new("environment");
    let path = place.path().to_str().unwrap();
    says(&[("GRANULE_CACHE", "off")], &["no cache: GRANULE_CACHE=off."]);
    says(&[("GRANULE_CACHE", path), ("GRANULE_CALIBRATE", "now")], &[&format!("cache: {path}."), "measured: true."]);
    place.file("cpu-");
    says(&[("GRANULE_CACHE", path), ("GRANULE_CALIBRATE", "never")], &["measured: true."]);
    if cfg!(target_os = "linux") {
        let user = Place::new("user");
        let home = user.path().to_str().unwrap();
        let variables = [("GRANULE_CACHE", ""), ("XDG_CACHE_HOME", home), ("GRANULE_CALIBRATE", "now")];
        says(&variables, &[&format!("cache: {home}/granule.")]);
        assert!(user.path().join("granule").is_dir());
    }
}

#[test]
fn the_program_comes_before_the_environment() {
    let place = Place::new("program");
    let path = place.path().to_str().unwrap();
    let variables = [("GRANULE_CACHE", path), ("GRANULE_CALIBRATE", "now"), ("GRANULE_WORKERS", "5")];
    let text = world::child("builder", &variables);
    for line in ["workers=2.", "no cache: ", "measured: false."] {
        assert!(text.contains(line), "{line:?} is missing in {text}");
    }
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn what_makes_no_sense_is_refused_and_says_what_does() {
    for (name, value, accepted) in [
        ("GRANULE_BACKEND", "tpu", "simd, threads, gpu, auto"),
        ("GRANULE_BACKEND", "SIMD", "simd, threads, gpu, auto"),
        ("GRANULE_CALIBRATE", "sometimes", "never, lazy, now"),
        ("GRANULE_WORKERS", "0", "from 1 on"),
        ("GRANULE_WORKERS", "many", "from 1 on"),
        ("GRANULE_SIMD", "sse9", "base"),
    ] {
        let text = world::child("describe", &[(name, value)]);
        let line = text.split("refused: ").nth(1).unwrap_or_else(|| panic!("{name}={value} was accepted: {text}"));
        assert!([name, value, accepted].iter().all(|part| line.contains(part)), "{name}={value}: {line}");
    }
}
