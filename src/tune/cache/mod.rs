//! The cache: rates and history, in a file a machine.
//!
//! A file is never trusted: it holds the whole key of its machine and a checksum, and whatever is not exactly right is ignored, with
//! the reason. It is never changed in place: a new one is written beside it and renamed over it, so that a reader sees all of the old
//! one or all of the new one. Writers take turns by a lock, and each adds what it learned to what is there. The time of day plays no
//! part.

mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::backend::simd::SimdLevel;
use crate::machine::{CpuRates, GpuInfo, GpuRates, Machine};
use crate::plan::{Backend, Sample};
use crate::tune::probes;

/// What one file holds: of the processor, or of one adapter.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Record {
    /// Measured rates of the processor.
    pub(crate) cpu: Option<CpuRates>,
    /// Measured rates of the adapter.
    pub(crate) gpu: Option<GpuRates>,
    /// How often loops of unknown length ran, by the name of the kind of call.
    pub(crate) iterations: Vec<(u64, f32)>,
    /// Measured calls.
    pub(crate) samples: Vec<Entry>,
}

/// What was measured of a kind of call on one backend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The kind: code, residency, workers.
    pub(crate) kind: u64,
    /// Half-octave of the number of elements.
    pub(crate) bucket: u8,
    /// Where.
    pub(crate) backend: Backend,
    /// Measured over predicted.
    pub(crate) sample: Sample,
}

/// What a machine, or one adapter of it, is known by: whatever rates and samples depend on, as lines of `name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    of: &'static str,
    lines: String,
}

impl Key {
    /// The key of the processor, for an engine at this SIMD level whose calls may use so many threads.
    pub(crate) fn cpu(machine: &Machine, level: SimdLevel, workers: usize) -> Key {
        let mut key = Key::new("cpu", machine);
        let cpu = &machine.cpu;
        key.add("simd", level);
        key.add("lanes", cpu.simd_lanes);
        key.add("workers", workers);
        key.add("l1", cpu.l1_bytes);
        key.add("l2", cpu.l2_bytes);
        key.add("l3", cpu.l3_bytes);
        key
    }

    /// The key of an adapter in this machine.
    pub(crate) fn gpu(machine: &Machine, adapter: &GpuInfo) -> Key {
        let mut key = Key::new("gpu", machine);
        key.add("adapter", &adapter.name);
        key.add("vendor", format_args!("{:#06x}", adapter.vendor));
        key.add("device", format_args!("{:#06x}", adapter.device));
        key.add("driver", &adapter.driver);
        key.add("api", &adapter.api);
        key
    }

    /// What every key has. The host is part of an adapter's too: it feeds the bus, and runs a software adapter.
    fn new(of: &'static str, machine: &Machine) -> Key {
        let mut key = Key { of, lines: String::new() };
        key.add("crate", env!("CARGO_PKG_VERSION"));
        key.add("probes", probes::SUITE);
        // A build without optimisation is a slower machine.
        key.add("build", if cfg!(debug_assertions) { "debug" } else { "release" });
        key.add("target", format_args!("{}-{}", std::env::consts::ARCH, std::env::consts::OS));
        key.add("cpu", &machine.cpu.name);
        key.add("cores", machine.cpu.cores);
        key
    }

    /// A value may be any text that a driver comes up with; it stays on its line.
    fn add(&mut self, name: &str, value: impl std::fmt::Display) {
        let value = value.to_string().replace(char::is_control, " ");
        self.lines += &format!("{name}={value}\n");
    }

    fn file_name(&self) -> String {
        format!("{}-{:016x}.granule", self.of, text::fnv1a(self.lines.as_bytes()))
    }
}

/// What came of looking for a file.
#[derive(Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "made once an engine, and taken apart at once")]
pub(crate) enum Loaded {
    /// It is there and right.
    Found(Record),
    /// There is none.
    Absent,
    /// It is of no use, and why.
    Ignored(String),
}

/// A file with more bytes than this was not written by us.
const MAX_BYTES: u64 = 1 << 20;
/// Samples that a file holds at most, and as many numbers of iterations: half a file of the largest size.
const MAX_ENTRIES: usize = 4096;
/// From so many samples on the median is known: who has so many knows as much as who has more.
const SETTLED: u32 = 5;
/// A writer waits for others as long as this.
const LOCK_WAIT: Duration = Duration::from_millis(100);

/// Where the files are.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
}

impl Cache {
    /// Files in this directory, which is made when it is needed.
    pub(crate) fn at(directory: impl AsRef<Path>) -> Cache {
        let directory = directory.as_ref();
        // The program may change its working directory. There is no absolute path for an empty one only.
        Cache { directory: std::path::absolute(directory).unwrap_or_else(|_| directory.to_path_buf()) }
    }

    /// Where `GRANULE_CACHE` says: `off`, or a directory. Without it, in the user's cache directory.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn from_env() -> Result<Cache, String> {
        Cache::from_setting(std::env::var_os("GRANULE_CACHE"), || {
            use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};
            choose_native_strategy().ok().map(|user| user.cache_dir())
        })
    }

    fn from_setting(setting: Option<OsString>, user: impl FnOnce() -> Option<PathBuf>) -> Result<Cache, String> {
        match setting.filter(|value| !value.is_empty()) {
            Some(value) if value.eq_ignore_ascii_case("off") => Err("GRANULE_CACHE=off".into()),
            Some(directory) => Ok(Cache::at(PathBuf::from(directory))),
            None => match user() {
                Some(directory) => Ok(Cache::at(directory.join("granule"))),
                None => Err("this user has no home directory: GRANULE_CACHE=DIRECTORY names another place".into()),
            },
        }
    }

    /// Where the files are.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.directory.join(key.file_name())
    }

    /// What is known of this machine. Never fails: what cannot be read or is not right is as good as absent, but for the reason.
    pub(crate) fn load(&self, key: &Key) -> Loaded {
        let path = self.path(key);
        match read(&path).and_then(|bytes| bytes.map(|bytes| text::read(&bytes, key)).transpose()) {
            Ok(Some(record)) => Loaded::Found(record),
            Ok(None) => Loaded::Absent,
            Err(reason) => Loaded::Ignored(format!("{}: {reason}", path.display())),
        }
    }

    /// Adds this to what is kept of this machine. Waits for other writers for a tenth of a second at most, and for the disk.
    ///
    /// # Errors
    /// Why nothing was saved. What was there is as it was.
    pub(crate) fn save(&self, key: &Key, record: &Record) -> Result<(), String> {
        let path = self.path(key);
        let explain = |what: &str, error: io::Error| format!("{}: {what}: {error}", path.display());
        fs::create_dir_all(&self.directory).map_err(|e| explain("its directory cannot be made", e))?;
        // Not removed afterwards: another process may be waiting for it, and a third would then make a second one.
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(path.with_added_extension("lock"));
        let lock = lock.map_err(|e| explain("its lock cannot be opened", e))?;
        take(&lock).map_err(|e| explain("its lock was not to be had", e))?;
        // From here on until the lock is closed nobody else writes this file.
        self.remove_leftovers(key);
        let (merged, unchanged) = match self.load(key) {
            Loaded::Found(before) => {
                let merged = merge(&before, record);
                let unchanged = merged == before;
                (merged, unchanged)
            }
            Loaded::Absent | Loaded::Ignored(_) => (merge(&Record::default(), record), false),
        };
        if unchanged {
            return Ok(());
        }
        let text = text::write(&merged, key);
        // What would be ignored is not written.
        text::read(text.as_bytes(), key).map_err(|reason| format!("{}: not saved: {reason}", path.display()))?;
        replace(&path, text.as_bytes()).map_err(|e| explain("cannot be written", e))
    }

    /// Removes what a writer of this file left that died while it wrote. Only who holds the lock has such a file, so all are leftovers.
    fn remove_leftovers(&self, key: &Key) {
        let prefix = format!("{}.", key.file_name());
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| name.starts_with(&prefix) && name.ends_with(".tmp")) {
                _ = fs::remove_file(entry.path()); // if not, the next writer tries again
            }
        }
    }
}

/// The bytes of a file; `None` if there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let about = |error: io::Error| format!("cannot be read: {error}");
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(about(error)),
        // Opening a pipe would wait for its writer.
        Ok(found) if !found.is_file() => return Err("is not a file".into()),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(about)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(about)?;
    if bytes.len() as u64 > MAX_BYTES { Err(format!("has more than {MAX_BYTES} bytes")) } else { Ok(Some(bytes)) }
}

/// Takes the lock, or gives up after a while.
fn take(lock: &File) -> io::Result<()> {
    let started = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if started.elapsed() >= LOCK_WAIT => {
                let message = format!("another process has held it for {} ms", LOCK_WAIT.as_millis());
                return Err(io::Error::new(io::ErrorKind::WouldBlock, message));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// Writes a file with a name of its own, waits until the disk has it, and renames it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_added_extension(format!("{}-{number}.tmp", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file); // Windows renames no open file
    let renamed = written.and_then(|()| fs::rename(&temporary, path));
    if renamed.is_err() {
        _ = fs::remove_file(&temporary); // if not, the next writer does
    }
    renamed
}

/// What is kept: newer rates; of two samples of the same calls the one that is worth more. What calls taught is relative to the rates
/// that they were predicted from: where these are new, it is kept no longer.
fn merge(before: &Record, ours: &Record) -> Record {
    let outdated = ours.cpu.is_some() && ours.cpu != before.cpu || ours.gpu.is_some() && ours.gpu != before.gpu;
    let (old_samples, old_iterations) = if outdated { (&[][..], &[][..]) } else { (&before.samples[..], &before.iterations[..]) };
    let mut samples = BTreeMap::new();
    for (entry, is_ours) in old_samples.iter().map(|e| (e, false)).chain(ours.samples.iter().map(|e| (e, true))) {
        let slot = samples.entry((entry.kind, entry.bucket, entry.backend)).or_insert((*entry, is_ours));
        if entry.sample.count >= slot.0.sample.count.min(SETTLED) {
            *slot = (*entry, is_ours);
        }
    }
    let mut samples: Vec<_> = samples.into_values().collect();
    if samples.len() > MAX_ENTRIES {
        samples.sort_by_key(|(entry, is_ours)| std::cmp::Reverse((entry.sample.count, *is_ours)));
        samples.truncate(MAX_ENTRIES);
        samples.sort_by_key(|(entry, _)| (entry.kind, entry.bucket, entry.backend));
    }
    let mut iterations: BTreeMap<u64, f32> = ours.iterations.iter().take(MAX_ENTRIES).copied().collect();
    for (kind, value) in old_iterations {
        if iterations.len() < MAX_ENTRIES {
            iterations.entry(*kind).or_insert(*value);
        }
    }
    Record {
        cpu: ours.cpu.or(before.cpu),
        gpu: ours.gpu.or(before.gpu),
        iterations: iterations.into_iter().collect(),
        samples: samples.into_iter().map(|(entry, _)| entry).collect(),
    }
}
