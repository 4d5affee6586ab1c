//! What the tests plant: directories, files of the cache that were edited, processes with variables of their own; and the calls that
//! they make.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use granule::machine::Measured;
use granule::plan::{Explanation, Prediction};
use granule::prelude::*;
use granule::{Calibrate, EngineBuilder};

use crate::oracle;

/// Nothing was measured.
pub(crate) const NOTHING: Measured =
    Measured { overhead: false, wake: false, transfer: false, memory: false, random: false, compute: false };

/// About a hundred operations, of which a compiler can leave out none.
#[kernel]
pub(crate) fn heavy(x: u32) -> u32 {
    let mut y = x;
    for i in 0..30_u32 {
        y = (y ^ (y >> 7)).wrapping_mul(0x9e37_79b1).wrapping_add(i);
    }
    y
}

#[kernel]
pub(crate) fn light(x: u32, #[uniform] a: u32) -> u32 {
    x.wrapping_mul(a) ^ 5
}

pub(crate) fn numbers(n: usize) -> Vec<u32> {
    oracle::Random(n as u64).of(n)
}

pub(crate) fn sum(x: impl IntoIterator<Item = u32>) -> u32 {
    x.into_iter().fold(0, u32::wrapping_add)
}

/// An engine without a GPU, which measures nothing by itself and keeps nothing.
pub(crate) fn cpu() -> EngineBuilder {
    let builder = Engine::builder().calibrate(Calibrate::Never).no_cache();
    #[cfg(feature = "gpu")]
    let builder = builder.no_gpu();
    builder
}

/// Whether one core has an alternative here: without one, no call of an engine without a GPU is ever in doubt.
pub(crate) fn several_cores() -> bool {
    let several = cfg!(feature = "threads") && cpu().build().unwrap().machine().cpu.cores > 1;
    if !several {
        eprintln!("one core, not tested");
    }
    several
}

/// What was predicted there.
#[track_caller]
pub(crate) fn predicted(explanation: &Explanation, backend: Backend) -> Prediction {
    let candidate = explanation.candidates.iter().find(|c| c.backend == backend);
    candidate.unwrap().prediction.unwrap_or_else(|why| panic!("{backend}: {why:?}"))
}

/// A directory that goes when the test ends.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("granule-tuning-{name}-{}", std::process::id()));
        _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Place(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The files of the cache whose names begin like this.
    pub(crate) fn files(&self, prefix: &str) -> Vec<PathBuf> {
        let names = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        let named = |path: &Path| path.file_name().is_some_and(|name| name.to_str().unwrap().starts_with(prefix));
        names.filter(|path| named(path) && path.extension().is_some_and(|e| e == "granule")).collect()
    }

    /// The only one of them.
    #[track_caller]
    pub(crate) fn file(&self, prefix: &str) -> PathBuf {
        let files = self.files(prefix);
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }

    /// Has the processor measured and kept, and then changes what was kept.
    pub(crate) fn plant(&self, builder: impl Fn() -> EngineBuilder, change: impl FnOnce(String) -> String) {
        builder().cache(self.path()).build().unwrap().calibrate().unwrap();
        edit(&self.file("cpu-"), change);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// Changes a file of the cache, and its checksum with it: FNV-1a with 64 bits of all that is before it.
pub(crate) fn edit(file: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(file).unwrap();
    let body = change(text[..text.rfind("checksum=").unwrap()].to_string());
    let sum = body.bytes().fold(0xcbf2_9ce4_8422_2325, |h: u64, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
    fs::write(file, format!("{body}checksum={sum:016x}\n")).unwrap();
}

/// Multiplies a figure in the line of rates.
#[track_caller]
pub(crate) fn scale(text: &str, name: &str, factor: f64) -> String {
    let start = text.find(&format!(" {name}=")).unwrap_or_else(|| panic!("no {name}: {text}")) + name.len() + 2;
    let end = start + text[start..].find([' ', '\n']).unwrap();
    let value: f64 = text[start..end].parse().unwrap();
    format!("{}{:e}{}", &text[..start], value * factor, &text[end..])
}

/// Names the case for the child.
pub(crate) const CHILD: &str = "GRANULE_TEST_CHILD";

/// Runs `child` in a process of its own, without a GPU and without a cache unless the variables say otherwise. What it printed.
#[track_caller]
pub(crate) fn child(case: &str, variables: &[(&str, &str)]) -> String {
    let output = command(case, variables).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{case}, {variables:?}: {text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// That process, before it runs.
pub(crate) fn command(case: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture", "--test-threads=1"]).env(CHILD, case);
    for name in ["SIMD", "WORKERS", "BACKEND", "CALIBRATE"] {
        command.env_remove(format!("GRANULE_{name}"));
    }
    command.env("GRANULE_ADAPTER", "none").env("GRANULE_CACHE", "off").envs(variables.iter().copied());
    command
}
