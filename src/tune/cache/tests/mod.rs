//! The cache under every fault that a file system, another process or a hand with an editor can commit.

mod damage;

use std::process::{Child, Command};
use std::time::SystemTime;

use super::*;
use crate::machine::{Built, Cpu, GpuKind, Gpus, Levels, Link, Measured, OpRates};

/// A directory that goes when the test ends.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("granule-cache-{name}-{}", std::process::id()));
        _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Place(path)
    }

    fn cache(&self) -> Cache {
        Cache::at(&self.0)
    }

    /// The names of the files in it, but for locks.
    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.ends_with(".lock")).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

fn machine() -> Machine {
    Machine {
        cpu: Cpu {
            name: "A processor".into(),
            cores: 4,
            simd_lanes: 8,
            l1_bytes: 32 << 10,
            l2_bytes: 1 << 20,
            l3_bytes: 8 << 20,
        },
        rates: CpuRates::prior(8),
        gpus: Gpus::NotLookedFor,
        built: Built::this(),
    }
}

fn key() -> Key {
    Key::cpu(&machine(), SimdLevel::Base, 4)
}

/// Different values that no decimal fraction is equal to.
fn thirds() -> impl FnMut() -> f64 {
    let mut next = 4.0;
    move || {
        next += 1.0;
        next / 3.0
    }
}

/// Every figure is different.
fn record() -> Record {
    let mut x = thirds();
    let mut levels = || Levels { l1: x(), l2: x(), l3: x(), dram: x() };
    let (read, write, random_weight) = (levels(), levels(), levels());
    let cpu = CpuRates {
        read,
        write,
        random_weight,
        dram_limit: x(),
        fresh: x() * 1e9,
        ops: OpRates { simple: x(), divide: x(), function: x() },
        int64_slowdown: x(),
        float64_slowdown: x(),
        wake_hot: x() * 1e-6,
        wake_cold: x() * 1e-5,
        wake_more: 0.0,
        chunk: x() * 1e-9,
        call: x() * 1e-300,
        measured: Measured { overhead: true, wake: false, transfer: true, memory: false, random: true, compute: true },
    };
    let gpu = GpuRates {
        submit: x() * 1e-6,
        dispatch: x() * 1e-6,
        compile: x() * 1e-3,
        upload: Link { latency: x() * 1e-6, bandwidth: x() },
        download: Link { latency: x() * 1e-6, bandwidth: x() },
        memory: x(),
        cache: x(),
        cache_bytes: 0.0,
        random_weight: x(),
        ops: OpRates { simple: x(), divide: x(), function: x() },
        int64_slowdown: x(),
        float64_slowdown: x(),
        workgroups: x(),
        measured: Measured { overhead: false, wake: true, transfer: false, memory: true, random: false, compute: false },
    };
    Record {
        cpu: Some(cpu),
        gpu: Some(gpu),
        iterations: vec![(0, 1.0 / 3.0), (u64::MAX, 1e15)],
        samples: vec![entry(1, 0, 1), Entry { backend: Backend::Gpu, ..entry(1, 0, 2) }, entry(u64::MAX, 127, u32::MAX)],
    }
}

fn entry(kind: u64, bucket: u8, count: u32) -> Entry {
    Entry { kind, bucket, backend: Backend::Threads, sample: Sample { ratio: 0.7, count } }
}

/// A record with these samples alone.
fn samples(samples: impl IntoIterator<Item = Entry>) -> Record {
    Record { samples: samples.into_iter().collect(), ..Record::default() }
}

fn ignored(loaded: Loaded) -> String {
    match loaded {
        Loaded::Ignored(reason) => reason,
        other => panic!("{other:?}"),
    }
}

/// The text with something else in it, and a checksum to match.
fn forged(from: &str, to: &str) -> String {
    let text = text::write(&record(), &key());
    assert!(text.contains(from), "{from}");
    let text = text.replacen(from, to, 1);
    let body = &text[..text.rfind("checksum=").unwrap()];
    format!("{body}checksum={:016x}\n", text::fnv1a(body.as_bytes()))
}

#[test]
fn the_hash_is_the_published_one() {
    for (text, hash) in [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)] {
        assert_eq!(text::fnv1a(text.as_bytes()), hash, "{text}");
    }
}

#[test]
fn what_is_saved_is_loaded_to_the_last_bit() {
    let place = Place::new("round");
    let cache = Cache::at(place.0.join("made/on/demand"));
    assert_eq!(cache.load(&key()), Loaded::Absent);
    cache.save(&key(), &record()).unwrap();
    assert_eq!(cache.load(&key()), Loaded::Found(record()));
    for bit in 0..6 {
        let on = |index: u32| bit == index;
        let measured = Measured { overhead: on(0), wake: on(1), transfer: on(2), memory: on(3), random: on(4), compute: on(5) };
        let cpu = CpuRates { measured, ..CpuRates::prior(16) };
        let gpu = GpuRates { measured, ..GpuRates::prior(GpuKind::Discrete) };
        let record = Record { cpu: Some(cpu), gpu: Some(gpu), ..Record::default() };
        assert_eq!(text::read(text::write(&record, &key()).as_bytes(), &key()), Ok(record));
    }
    for empty in [Record::default(), samples([entry(1, 1, 1)])] {
        assert_eq!(text::read(text::write(&empty, &key()).as_bytes(), &key()), Ok(empty));
    }
}

/// Whatever changes the rates changes the name of the file, and the key is compared besides.
#[test]
fn each_machine_has_its_file() {
    let (m, level) = (machine(), SimdLevel::Base);
    let with = |change: fn(&mut Cpu)| {
        let mut machine = machine();
        change(&mut machine.cpu);
        Key::cpu(&machine, SimdLevel::Base, 4)
    };
    let keys = [
        Key::cpu(&m, level, 4),
        Key::cpu(&m, level, 5),
        Key::cpu(&m, SimdLevel::Avx2, 4),
        with(|cpu| cpu.cores = 3),
        with(|cpu| cpu.name += "!"),
        with(|cpu| cpu.simd_lanes = 4),
        with(|cpu| cpu.l1_bytes += 1),
        with(|cpu| cpu.l2_bytes += 1),
        with(|cpu| cpu.l3_bytes += 1),
    ];
    let place = Place::new("keys");
    for (index, key) in keys.iter().enumerate() {
        assert!(key.file_name().starts_with("cpu-") && key.file_name().ends_with(".granule"));
        assert_eq!(place.cache().load(key), Loaded::Absent, "{index}");
        place.cache().save(key, &samples([entry(index as u64, 0, 1)])).unwrap();
    }
    for (index, key) in keys.iter().enumerate() {
        assert_eq!(place.cache().load(key), Loaded::Found(samples([entry(index as u64, 0, 1)])));
    }
    fs::copy(place.0.join(keys[0].file_name()), place.0.join(keys[3].file_name())).unwrap();
    let reason = ignored(place.cache().load(&keys[3]));
    assert!(reason.contains("of another machine: `key cores=4`, expected `key cores=3`"), "{reason}");
    let strange = with(|cpu| cpu.name = "two\nlines=1\r\n\0".into());
    assert_eq!(strange.lines.lines().count(), keys[0].lines.lines().count());
    place.cache().save(&strange, &record()).unwrap();
    assert_eq!(place.cache().load(&strange), Loaded::Found(record()));
}

#[test]
fn each_adapter_has_its_file() {
    let adapter = GpuInfo {
        name: "A card".into(),
        api: "vulkan".into(),
        kind: GpuKind::Discrete,
        driver: "A driver 1.0".into(),
        vendor: 0x10de,
        device: 0x2335,
        asked_for: false,
        max_binding_bytes: 1 << 30,
        max_buffer_bytes: 1 << 30,
        max_storage_bindings: 8,
        int64: false,
        float64: false,
        subgroups: true,
        ieee_f32: true,
        rates: GpuRates::prior(GpuKind::Discrete),
    };
    let with = |change: fn(&mut GpuInfo)| {
        let mut adapter = adapter.clone();
        change(&mut adapter);
        Key::gpu(&machine(), &adapter)
    };
    let keys = [
        with(|_| ()),
        with(|a| a.name += "!"),
        with(|a| a.vendor += 1),
        with(|a| a.device += 1),
        with(|a| a.api = "dx12".into()),
        with(|a| a.driver += "!"),
    ];
    let names: std::collections::BTreeSet<_> = keys.iter().map(Key::file_name).collect();
    assert_eq!(names.len(), keys.len());
    assert!(names.iter().all(|name| name.starts_with("gpu-")));
}

#[test]
fn who_does_not_get_the_lock_saves_nothing() {
    let place = Place::new("lock");
    place.cache().save(&key(), &record()).unwrap();
    let lock = File::open(place.cache().path(&key()).with_added_extension("lock")).unwrap();
    lock.lock().unwrap();
    let reason = place.cache().save(&key(), &samples([entry(9, 9, 9)])).unwrap_err();
    assert!(reason.contains("another process has held it for 100 ms"), "{reason}");
    assert_eq!(place.cache().load(&key()), Loaded::Found(record()));
    drop(lock);
    place.cache().save(&key(), &samples([entry(9, 9, 9)])).unwrap();
    assert_ne!(place.cache().load(&key()), Loaded::Found(record()));
}

#[test]
fn records_are_merged() {
    let before = Record {
        iterations: vec![(1, 10.0), (2, 20.0)],
        samples: vec![entry(1, 1, 3), entry(2, 2, 9), entry(3, 3, 9), entry(4, 4, 3)],
        ..record()
    };
    let newer = |entry: Entry| Entry { sample: Sample { ratio: 2.0, ..entry.sample }, ..entry };
    let ours = Record {
        cpu: None,
        gpu: before.gpu,
        iterations: vec![(2, 21.0), (3, 30.0)],
        // More; enough; too few; as many; another backend and another bucket of the same kind.
        samples: [entry(1, 1, 4), entry(2, 2, 5), entry(3, 3, 4), entry(4, 4, 3), entry(1, 2, 1)].map(newer).to_vec(),
    };
    let merged = merge(&before, &ours);
    assert_eq!((merged.cpu, merged.gpu), (before.cpu, before.gpu));
    assert_eq!(merged.iterations, [(1, 10.0), (2, 21.0), (3, 30.0)]);
    let expected = [newer(entry(1, 1, 4)), newer(entry(1, 2, 1)), newer(entry(2, 2, 5)), entry(3, 3, 9), newer(entry(4, 4, 3))];
    assert_eq!(merged.samples, expected);
}

/// A ratio to what other rates predicted would mislead whoever reads it.
#[test]
fn with_new_rates_what_calls_taught_before_is_dropped() {
    let before = record();
    let slower = Some(CpuRates::prior(4));
    for ours in [
        Record { cpu: slower, samples: vec![entry(5, 5, 1)], iterations: vec![(3, 30.0)], ..Record::default() },
        Record { gpu: Some(GpuRates::prior(GpuKind::Other)), samples: vec![entry(5, 5, 1)], ..Record::default() },
    ] {
        let expected = Record { cpu: ours.cpu.or(before.cpu), gpu: ours.gpu.or(before.gpu), ..ours.clone() };
        assert_eq!(merge(&before, &ours), expected);
        // Whoever measured nothing new has nothing to drop.
        assert_eq!(merge(&expected, &expected), expected);
        assert_eq!(merge(&expected, &Record::default()), expected);
    }
}

#[test]
fn a_file_does_not_grow_without_end() {
    let place = Place::new("growth");
    for round in 0..3_u64 {
        let record = Record {
            // Large counts are rare, so that most of what is dropped has a count of 1.
            samples: (0..3000).map(|i| entry(i * 3 + round, (i % 128) as u8, if i < 1000 { 50 } else { 1 })).collect(),
            iterations: (0..3000).map(|i| (i * 3 + round, 1e9 / 7.0)).collect(),
            cpu: Some(CpuRates::prior(16)),
            gpu: Some(GpuRates::prior(GpuKind::Discrete)),
        };
        place.cache().save(&key(), &record).unwrap();
    }
    let Loaded::Found(record) = place.cache().load(&key()) else { panic!("not found") };
    assert_eq!((record.samples.len(), record.iterations.len()), (MAX_ENTRIES, MAX_ENTRIES));
    assert_eq!(record.samples.iter().filter(|entry| entry.sample.count == 50).count(), 3000);
    assert_eq!(record.iterations.iter().filter(|(kind, _)| kind % 3 == 2).count(), 3000, "the newest are kept");
    assert!(fs::metadata(place.cache().path(&key())).unwrap().len() < MAX_BYTES);
}

/// Files from the future and from 1970, as a clock that was set leaves them behind.
#[test]
fn the_time_of_day_plays_no_part() {
    let place = Place::new("clock");
    let path = place.cache().path(&key());
    let century = Duration::from_secs(100 * 365 * 24 * 3600);
    for (kind, time) in [SystemTime::UNIX_EPOCH, SystemTime::now() + century].into_iter().enumerate() {
        place.cache().save(&key(), &record()).unwrap();
        for name in [path.clone(), path.with_added_extension("lock")] {
            File::options().write(true).open(name).unwrap().set_modified(time).unwrap();
        }
        let leftover = path.with_added_extension("1-0.tmp");
        File::create(&leftover).unwrap().set_modified(time).unwrap();
        assert!(matches!(place.cache().load(&key()), Loaded::Found(_)));
        let new = entry(7, kind as u8, 7);
        place.cache().save(&key(), &samples([new])).unwrap();
        let Loaded::Found(after) = place.cache().load(&key()) else { panic!("not found") };
        assert!(after.samples.contains(&new) && after.cpu == record().cpu);
        assert_eq!(place.files(), [key().file_name()]);
    }
}

#[test]
fn a_leftover_of_another_file_is_not_touched() {
    let place = Place::new("leftover");
    for name in ["cpu-0000000000000000.granule.1-0.tmp", "notes.tmp"] {
        fs::write(place.0.join(name), "x").unwrap();
    }
    place.cache().save(&key(), &record()).unwrap();
    assert_eq!(place.files().len(), 3);
}

#[test]
fn the_setting_says_where() {
    let user = || Some(std::env::temp_dir().join("user"));
    let set = |value: &str| Cache::from_setting(Some(value.into()), user).map(|cache| cache.directory);
    assert_eq!(Cache::from_setting(None, user).unwrap().directory, std::env::temp_dir().join("user/granule"));
    assert_eq!(set("").unwrap(), std::env::temp_dir().join("user/granule"));
    assert_eq!(set("off").unwrap_err(), "GRANULE_CACHE=off");
    assert_eq!(set("OFF").unwrap_err(), "GRANULE_CACHE=off");
    let elsewhere = std::env::temp_dir().join("elsewhere");
    assert_eq!(set(elsewhere.to_str().unwrap()).unwrap(), elsewhere);
    assert_eq!(set("here").unwrap(), std::env::current_dir().unwrap().join("here"));
    let homeless = Cache::from_setting(None, || None).unwrap_err();
    assert!(homeless.contains("no home directory") && homeless.contains("GRANULE_CACHE=DIRECTORY"), "{homeless}");
}

/// What [`child`] is to do, and where.
const CHILD: &str = "GRANULE_TEST_CACHE_CHILD";
const ROUNDS: u8 = 10;

/// This test binary, to run [`child`] alone, behind a shell if `shell` is not empty.
fn command(shell: &str, place: &Place, task: &str) -> Command {
    let exe = std::env::current_exe().unwrap();
    let mut command = if shell.is_empty() {
        Command::new(exe)
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{shell}; exec \"$0\" \"$@\"")]).arg(exe);
        command
    };
    command.args(["--exact", "tune::cache::tests::child", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(CHILD, format!("{task} {}", place.0.display())).stdout(std::process::Stdio::null());
    command
}

#[test]
#[ignore = "the part that other tests run in processes of their own"]
fn child() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let (task, place) = task.split_once(' ').unwrap();
    let cache = Cache::at(place);
    match task.parse::<u64>() {
        // One of many: a sample a round.
        Ok(kind) => {
            for round in 0..ROUNDS {
                let record = samples([entry(kind, round, 1)]);
                while let Err(reason) = cache.save(&key(), &record) {
                    assert!(reason.contains("another process has held it"), "{reason}");
                }
            }
        }
        // On a full disk.
        Err(_) => {
            let reason = cache.save(&key(), &samples((0..100).map(|i| entry(i, 1, 1)))).unwrap_err();
            assert!(reason.contains("cannot be written"), "{reason}");
        }
    }
}

#[test]
fn processes_that_save_at_once_lose_nothing() {
    const PROCESSES: u64 = 6;
    let place = Place::new("processes");
    let mut children: Vec<Child> = (0..PROCESSES).map(|kind| command("", &place, &kind.to_string()).spawn().unwrap()).collect();
    // Meanwhile every look finds all of some version.
    let mut seen = 0;
    while children.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
        match place.cache().load(&key()) {
            Loaded::Absent => assert_eq!(seen, 0, "the file was away"),
            Loaded::Found(record) => {
                assert!(record.samples.len() >= seen, "{} samples after {seen}", record.samples.len());
                seen = record.samples.len();
            }
            Loaded::Ignored(reason) => panic!("{reason}"),
        }
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let all = (0..PROCESSES).flat_map(|kind| (0..ROUNDS).map(move |round| entry(kind, round, 1)));
    assert_eq!(place.cache().load(&key()), Loaded::Found(samples(all)));
    assert_eq!(place.files(), [key().file_name()]);
}

/// The limit on the size of a file stands for the disk's end: a write succeeds in part, and then fails.
#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_and_breaks_nothing() {
    let place = Place::new("full");
    place.cache().save(&key(), &record()).unwrap();
    let status = command("trap '' XFSZ; ulimit -f 1", &place, "full").status().unwrap();
    assert!(status.success(), "{status}");
    assert_eq!(place.cache().load(&key()), Loaded::Found(record()));
    assert_eq!(place.files(), [key().file_name()], "a temporary file was left");
}

/// Without the trap the same limit ends the process in the middle of the write.
#[cfg(unix)]
#[test]
fn a_writer_that_dies_leaves_what_the_next_one_removes() {
    let place = Place::new("died");
    place.cache().save(&key(), &record()).unwrap();
    let status = command("ulimit -f 1; ulimit -c 0", &place, "die").status().unwrap();
    assert!(!status.success(), "{status}");
    assert_eq!(place.files().len(), 2, "it left no temporary file");
    assert_eq!(place.cache().load(&key()), Loaded::Found(record()));
    place.cache().save(&key(), &samples([entry(9, 9, 9)])).unwrap();
    assert_eq!(place.files(), [key().file_name()]);
    assert!(matches!(place.cache().load(&key()), Loaded::Found(record) if record.samples.contains(&entry(9, 9, 9))));
}
