//! What else there is to know of a run: when, on what system, how it was built, and what the machine was doing besides.

use std::time::{SystemTime, UNIX_EPOCH};

use granule::prelude::*;
use serde_json::{Value, json};

/// All that can be known here and now; `null` where it cannot.
pub(crate) fn now(engine: &Engine) -> Value {
    let features: Vec<&str> = [(cfg!(feature = "gpu"), "gpu"), (cfg!(feature = "threads"), "threads")]
        .into_iter()
        .filter_map(|(has, name)| has.then_some(name))
        .collect();
    let (commit, dirty) = git().unzip();
    json!({
        "date": SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|since| date(since.as_secs())),
        "os": system(),
        "arch": std::env::consts::ARCH,
        "rustc": rustc(),
        "features": features,
        "cpu_flags": cpu_flags(),
        "workers": engine.workers(),
        "load_average": load_average(),
        "governor": line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "wgpu": wgpu().filter(|_| cfg!(feature = "gpu")),
        "commit": commit,
        "dirty": dirty,
    })
}

/// Seconds since 1970 as a date of the Gregorian calendar, UTC (Hinnant: chrono-compatible low-level date algorithms, 2013).
pub(crate) fn date(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years begin in March, so that the day which some lack is their last; eras of 400 years are all alike.
    let day = days + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// The system and, on Linux, its kernel.
fn system() -> String {
    match line("/proc/sys/kernel/osrelease") {
        Some(release) => format!("{} {release}", std::env::consts::OS),
        None => std::env::consts::OS.to_owned(),
    }
}

/// The compiler that this program was made with, from the note that it leaves in the programs of most systems.
fn rustc() -> Option<String> {
    const NOTE: &[u8] = b"rustc version ";
    let program = std::fs::read(std::env::current_exe().ok()?).ok()?;
    let text = |at: usize| {
        let rest = &program[at + NOTE.len()..];
        let end = rest.iter().take(80).position(|byte| !(b' '..=b'~').contains(byte))?;
        String::from_utf8(rest[..end].to_vec()).ok()
    };
    let found = (0..program.len().saturating_sub(NOTE.len())).filter(|&at| program[at..].starts_with(NOTE));
    // This very function contains the words too, but no digit after them.
    found.filter_map(text).find(|text| text.starts_with(|c: char| c.is_ascii_digit()) && text.ends_with(')'))
}

/// The version of wgpu that this program was made with.
fn wgpu() -> Option<&'static str> {
    let (_, after) = include_str!("../../Cargo.lock").split_once("name = \"wgpu\"\nversion = \"")?;
    after.split('"').next()
}

/// The commit of the checkout that this program lies in, and whether files differ from it. Another checkout says nothing of it.
fn git() -> Option<(String, bool)> {
    let program = std::env::current_exe().ok()?;
    let given = std::env::var_os("CARGO_MANIFEST_DIR").map(std::path::PathBuf::from);
    let here = |folder: &std::path::Path| folder.join("examples/bench/context.rs").is_file().then(|| folder.to_owned());
    let checkout = given.as_deref().and_then(here).or_else(|| program.ancestors().find_map(here))?;
    let git = |args: &[&str]| {
        let output = std::process::Command::new("git").arg("-C").arg(&checkout).args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "HEAD"])?;
    Some((commit, !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty()))
}

/// Those of the processor's extensions that matter here.
fn cpu_flags() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        let flags = [
            ("sse4.2", is_x86_feature_detected!("sse4.2")),
            ("avx", is_x86_feature_detected!("avx")),
            ("avx2", is_x86_feature_detected!("avx2")),
            ("fma", is_x86_feature_detected!("fma")),
            ("bmi2", is_x86_feature_detected!("bmi2")),
            ("avx512f", is_x86_feature_detected!("avx512f")),
            ("avx512dq", is_x86_feature_detected!("avx512dq")),
            ("avx512bw", is_x86_feature_detected!("avx512bw")),
            ("avx512vl", is_x86_feature_detected!("avx512vl")),
        ];
        flags.into_iter().filter_map(|(name, has)| has.then_some(name)).collect()
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        Vec::new()
    }
}

/// How many tasks were running or ready, over the last 1, 5 and 15 minutes.
fn load_average() -> Option<Vec<f64>> {
    line("/proc/loadavg")?.split(' ').take(3).map(|figure| figure.parse().ok()).collect()
}

/// The first line of a file.
fn line(path: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}
