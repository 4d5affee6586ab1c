//! The project's chores: `cargo xtask test`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use serde_json::Value;

const HELP: &str = "\
cargo xtask test [--no-gpu]   run all tests on every backend; install the software adapter if there is no adapter and it may
cargo xtask adapter           only see to it that there is an adapter";

/// What Debian and its like call the Vulkan loader and Mesa's drivers, the software one included.
const PACKAGES: [&str; 2] = ["libvulkan1", "mesa-vulkan-drivers"];

/// The unit and integration tests, for cargo.
const TESTS: [&str; 6] = ["test", "--workspace", "--exclude", "xtask", "--lib", "--tests"];

/// Test files that no SIMD level reaches, or that try every level themselves: one run of them is enough.
const ONE_RUN: [&str; 14] = [
    "assembly",
    "bench_json",
    "bench_run",
    "device",
    "events",
    "expansion",
    "gpu",
    "levels",
    "plan",
    "plan_gpu",
    "report",
    "templates",
    "trace",
    "tuning",
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["test"] => adapter().and_then(test),
        ["test", "--no-gpu"] => test(Adapter::None),
        ["adapter"] => adapter().map(|adapter| println!("adapter: {adapter:?}")),
        _ => Err(HELP.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nxtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// What the tests of the GPU backend run on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Adapter {
    /// The machine's own, or what `GRANULE_ADAPTER` names.
    Given,
    /// Mesa's rasteriser.
    Software,
    /// The GPU is left out.
    None,
}

/// Runs everything.
fn test(adapter: Adapter) -> Result<(), String> {
    let backends = match adapter {
        Adapter::None => "simd,threads",
        _ => "gpu,simd,threads",
    };
    let gpu = match adapter {
        Adapter::Given => None,
        Adapter::Software => Some("llvmpipe"),
        Adapter::None => Some("none"),
    };
    let run = |what: &str, args: &[&str]| {
        let mut command = cargo();
        command.args(args).env("REQUIRE_BACKENDS", backends).env_remove("GRANULE_SIMD");
        gpu.map(|name| command.env("GRANULE_ADAPTER", name));
        step(what, without_memory(&mut command))
    };

    run("unit and integration tests, at the widest SIMD level", &TESTS)?;
    run("the examples in the documentation", &["test", "--workspace", "--exclude", "xtask", "--doc"])?;
    // Without the GPU's dependencies, which have no part in it.
    let events = ["test", "--package", "granule", "--no-default-features", "--features", "threads,tracing", "--test", "events"];
    run("events, which need the feature `tracing`", &events)?;

    // The same programs: for another selection of tests cargo would build them anew.
    let programs = programs()?;
    for level in narrower_levels() {
        for program in &programs {
            let name = program.file_stem().unwrap_or_default().to_string_lossy();
            let mut command = Command::new(program);
            // What a GPU computes does not depend on it.
            command.env("GRANULE_SIMD", level).env("GRANULE_ADAPTER", "none").env("REQUIRE_BACKENDS", "simd,threads");
            step(&format!("at {level}: {name}"), without_memory(command.current_dir(root())))?;
        }
    }
    println!("\nall tests passed, with {backends}");
    Ok(())
}

/// Tests neither depend on what was learned of this machine nor add to it.
fn without_memory(command: &mut Command) -> &mut Command {
    command.env("GRANULE_CACHE", "off")
}

/// The SIMD levels of this CPU below its widest.
fn narrower_levels() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            return vec!["base", "avx2"];
        }
        if is_x86_feature_detected!("avx2") {
            return vec!["base"];
        }
    }
    vec![]
}

/// The library's test programs that are worth a run at each level. They are built.
fn programs() -> Result<Vec<PathBuf>, String> {
    let mut command = cargo();
    command.args(TESTS).args(["--no-run", "--message-format=json-render-diagnostics"]);
    let out = command.stderr(Stdio::inherit()).output().map_err(|e| format!("cargo: {e}"))?;
    if !out.status.success() {
        return Err(format!("cargo failed ({})", out.status));
    }
    let manifest = root().join("Cargo.toml");
    let mut programs = Vec::new();
    for line in String::from_utf8_lossy(&out.stdout).lines() {
        let message: Value = serde_json::from_str(line).map_err(|e| format!("what cargo says of its artifacts: {e}: {line}"))?;
        let ours = message["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
        let once = ONE_RUN.iter().any(|name| message["target"]["name"] == *name);
        if let Some(program) = message["executable"].as_str().filter(|_| ours && !once) {
            programs.push(PathBuf::from(program));
        }
    }
    if programs.is_empty() {
        return Err(format!("cargo names no test program of {}", manifest.display()));
    }
    Ok(programs)
}

/// Finds out what the GPU's tests can run on, and installs the software adapter if there is nothing.
fn adapter() -> Result<Adapter, String> {
    // A named adapter is somebody's decision. Metal and DirectX 12 come with their systems.
    if std::env::var_os("GRANULE_ADAPTER").is_some() || !cfg!(target_os = "linux") {
        return Ok(Adapter::Given);
    }
    let hardware = exists("/dev/nvidiactl") || exists("/dev/dxg") || entries("/dev/dri").any(|name| name.starts_with("renderD"));
    if hardware && driver_matches(|name| !name.contains("lvp")) && loader() {
        return Ok(Adapter::Given);
    }
    let software = || driver_matches(|name| name.contains("lvp")) && loader();
    if !software() {
        install()?;
        if !software() {
            return Err(format!("{} are installed, but Mesa's software driver (lvp_icd) is not found", PACKAGES.join(" and ")));
        }
    }
    Ok(Adapter::Software)
}

/// Installs the software adapter, or says how to.
fn install() -> Result<(), String> {
    let advice = format!(
        "there is no GPU adapter. Install a Vulkan driver; Mesa's software driver will do:\n    \
         Debian, Ubuntu   apt-get install {}\n    \
         Fedora           dnf install vulkan-loader mesa-vulkan-drivers\n    \
         Arch             pacman -S vulkan-icd-loader vulkan-swrast\n\
         or leave the GPU out: cargo xtask test --no-gpu",
        PACKAGES.join(" ")
    );
    let root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.trim_ascii() == b"0");
    if !root || !exists("/usr/bin/apt-get") {
        return Err(advice);
    }
    let apt = |what: &str, args: &[&str]| {
        let mut command = Command::new("apt-get");
        step(what, command.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet").args(args))
    };
    let mut args = vec!["install", "--yes", "--no-install-recommends"];
    args.extend(PACKAGES);
    apt("no GPU adapter: the lists of packages", &["update"])
        .and_then(|()| apt("Mesa's software adapter", &args))
        .map_err(|error| format!("{error}\n{advice}"))
}

/// Whether a Vulkan driver is installed whose manifest's name passes.
fn driver_matches(passes: impl Fn(&str) -> bool) -> bool {
    if let Some(files) = std::env::var_os("VK_DRIVER_FILES").or_else(|| std::env::var_os("VK_ICD_FILENAMES")) {
        return std::env::split_paths(&files).any(|file| file.to_str().is_some_and(&passes));
    }
    let folders = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    folders.iter().flat_map(|folder| entries(folder)).any(|name| passes(&name))
}

/// Whether the Vulkan loader is installed.
fn loader() -> bool {
    let cached = || {
        Command::new("ldconfig").arg("-p").output().is_ok_and(|o| String::from_utf8_lossy(&o.stdout).contains("libvulkan.so.1"))
    };
    let folders = ["/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
    folders.iter().any(|folder| exists(&format!("{folder}/libvulkan.so.1"))) || cached()
}

fn exists(path: &str) -> bool {
    Path::new(path).exists()
}

/// The names in a folder; none if it cannot be read.
fn entries(folder: &str) -> impl Iterator<Item = String> + use<> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}

/// The cargo that runs this, in the workspace.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Announces a command, runs it and times it.
fn step(what: &str, command: &mut Command) -> Result<(), String> {
    println!("\n==> {what}");
    let started = std::time::Instant::now();
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|e| format!("{program}: {e}"))?;
    if !status.success() {
        return Err(format!("{what}: {program} failed ({status})"));
    }
    println!("==> {what}: {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}
