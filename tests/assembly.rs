//! The inlining cliff: whatever stands between the entry of a SIMD level and an instruction must be inlined, or the level's
//! instructions become calls that pass vectors through memory, 40 times slower. Nothing warns of it, so this reads the assembly.

#![cfg(target_arch = "x86_64")]

use std::path::Path;
use std::process::{Command, Output};

/// The kernels of the sample, and whether they keep the rule.
const KERNELS: [(&str, bool); 7] = [
    ("sample_saxpy", true),
    ("sample_escape", true),
    ("sample_functions", true),
    ("sample_look_up", true),
    ("sample_folded", true),
    ("sample_scanned", true),
    ("SampleCliff", false),
];

fn succeeded(what: &str, output: Output) -> Output {
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The assembly of the sample, optimised.
fn assembly() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = root.join("target/assembly");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--release", "--lib", "--no-default-features", "--target-dir"])
        .arg(&target)
        .output();
    succeeded("the library", built.unwrap());

    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let (release, out) = (target.join("release"), target.join("sample.s"));
    let compiled = Command::new(rustc)
        .args(["--edition", "2024", "--crate-type", "lib", "--crate-name", "sample", "--emit", "asm"])
        .args(["-C", "opt-level=3", "-C", "codegen-units=1", "-C", "symbol-mangling-version=v0"])
        .arg("--extern")
        .arg(format!("granule={}", release.join("libgranule.rlib").display()))
        .arg("-L")
        .arg(format!("dependency={}", release.join("deps").display()))
        .arg("-o")
        .arg(&out)
        .arg(root.join("tests/assembly/sample.rs"))
        .output();
    succeeded("the sample", compiled.unwrap());
    std::fs::read_to_string(out).unwrap()
}

/// The functions of an assembly text: symbol and lines.
fn functions(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut functions: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line.strip_suffix(':') {
            Some(label) if label.starts_with("_R") || label.starts_with("_ZN") => {
                functions.push((label, Vec::new()));
                inside = true;
            }
            _ if line.trim() == ".cfi_endproc" => inside = false,
            _ if inside => functions.last_mut().expect("a label came before").1.push(line.trim()),
            _ => {}
        }
    }
    functions
}

/// The calls that may stay: they end the program or go on with a panic, move memory outside of loops, or are the cold paths for strides beyond 32 bits, which
/// take no vectors.
const HARMLESS: [&str; 11] = [
    "panic",
    "_Unwind_Resume",
    "unwrap_failed",
    "expect_failed",
    "slice_index",
    "memcpy",
    "memset",
    "memmove",
    "read_each",
    "write_each",
    "gather_each",
];

/// Whether a call may stay. One through a register may be to any symbol that the function puts there.
fn harmless(call: &str, lines: &[&str]) -> bool {
    let named = |line: &str| HARMLESS.iter().any(|name| line.contains(name));
    match call.split_once("*%") {
        None => named(call),
        Some((_, register)) => {
            let target = format!("@GOTPCREL(%rip), %{register}");
            let mut loaded = lines.iter().filter(|line| line.ends_with(&target)).peekable();
            loaded.peek().is_some() && loaded.all(|line| named(line))
        }
    }
}

/// What is wrong with the entry function of a level.
fn faults(lines: &[&str], register: &str) -> Vec<String> {
    let is_call = |line: &&&str| line.starts_with("call") && !harmless(line, lines);
    let mut faults: Vec<_> = lines.iter().filter(is_call).map(|line| line.to_string()).collect();
    if !lines.iter().any(|line| line.contains(register)) {
        faults.push(format!("no {register} register is used"));
    }
    faults
}

#[test]
fn kernels_are_inlined_into_the_entries_of_their_levels() {
    let text = assembly();
    let functions = functions(&text);
    for (kernel, keeps) in KERNELS {
        for (entry, register) in [("enter_avx512", "%zmm"), ("enter_avx2", "%ymm")] {
            let found: Vec<_> = functions.iter().filter(|(name, _)| name.contains(entry) && name.contains(kernel)).collect();
            assert!(!found.is_empty(), "{kernel} has no {entry}");
            let mut wrong = Vec::new();
            for (_, lines) in found {
                wrong.extend(faults(lines, register));
            }
            assert_eq!(wrong.is_empty(), keeps, "{kernel} at {entry}: {wrong:#?}");
        }
    }
    // Where an intrinsic is a function, something is not inlined; the planted helper has them.
    let intrinsics = functions.iter().filter(|(name, _)| name.contains("core_arch")).count();
    let calls = functions.iter().filter(|(name, _)| !name.contains("helper")).flat_map(|(_, lines)| lines);
    let stray: Vec<_> = calls.filter(|line| line.starts_with("call") && line.contains("core_arch")).collect();
    assert!(stray.is_empty(), "{stray:#?}");
    assert!(intrinsics > 0, "the planted helper calls no intrinsic: has the compiler found a way to inline it?");
}
