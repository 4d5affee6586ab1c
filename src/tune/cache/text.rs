//! A record as text: a line that names the form and its version, the key, one line a thing, and a checksum of all before it.
//!
//! ```text
//! granule cache 1
//! key crate=0.1.0
//! ...
//! rates-cpu read.l1=2.88e11 ... measured.overhead=true ...
//! iterations kind=0123456789abcdef value=1.5e2
//! sample kind=0123456789abcdef bucket=32 backend=threads ratio=1.1e0 count=5
//! checksum=0123456789abcdef
//! ```
//!
//! Numbers are written with as many digits as tell them from all others, so that they are read back exactly.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use crate::machine::{CpuRates, GpuKind, GpuRates, Levels, Link, Measured, OpRates};
use crate::plan::fields::{Bad, Fields};
use crate::plan::{Sample, half_octave};

use super::{Entry, Key, MAX_BYTES, Record};

const HEADER: &str = "granule cache 1\n";

/// FNV-1a with 64 bits (Fowler, Noll, Vo 1991). Each step maps states one to one, so two texts that differ in one byte never agree.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn checksum(text: &str) -> String {
    format!("checksum={:016x}\n", fnv1a(text.as_bytes()))
}

pub(super) fn write(record: &Record, key: &Key) -> String {
    let Record { cpu, gpu, iterations, samples } = record;
    let mut text = HEADER.to_string();
    // Writing to a String cannot fail.
    for line in key.lines.lines() {
        _ = writeln!(text, "key {line}");
    }
    if let Some(mut rates) = *cpu {
        text += &line_of("rates-cpu", cpu_figures(&mut rates));
    }
    if let Some(mut rates) = *gpu {
        text += &line_of("rates-gpu", gpu_figures(&mut rates));
    }
    for (kind, value) in iterations {
        _ = writeln!(text, "iterations kind={kind:016x} value={value:e}");
    }
    for Entry { kind, bucket, backend, sample: Sample { ratio, count } } in samples {
        _ = writeln!(text, "sample kind={kind:016x} bucket={bucket} backend={backend} ratio={ratio:e} count={count}");
    }
    let sum = checksum(&text);
    text + &sum
}

/// The record of this key in these bytes, or what is wrong with them.
pub(super) fn read(bytes: &[u8], key: &Key) -> Result<Record, String> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("has {} bytes, more than {MAX_BYTES}", bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8 text")?;
    let Some(rest) = text.strip_prefix(HEADER) else {
        let first: String = text.lines().next().unwrap_or_default().chars().take(40).collect();
        return Err(format!("is of another version, or no cache: it begins with {first:?}, expected {:?}", HEADER.trim_end()));
    };
    // The last line is as long in every file.
    let end = text.len().saturating_sub(checksum("").len());
    let body = text.get(..end).filter(|body| text[end..] == checksum(body));
    let body = body.and_then(|body| body.strip_prefix(HEADER));
    let Some(mut body) = body else {
        return Err(format!("is truncated or damaged: its {} bytes and its checksum do not agree", HEADER.len() + rest.len()));
    };
    for line in key.lines.lines() {
        let (found, after) = body.split_once('\n').unwrap_or((body, ""));
        if found.strip_prefix("key ") != Some(line) {
            return Err(format!("is of another machine: `{found}`, expected `key {line}`"));
        }
        body = after;
    }
    lines(body).map_err(|bad| bad.to_string())
}

fn lines(body: &str) -> Result<Record, Bad> {
    let mut record = Record::default();
    for line in body.lines() {
        let fields = Fields(line);
        match line.split(' ').next() {
            Some("rates-cpu") if record.cpu.is_none() => {
                let mut rates = CpuRates::prior(4); // overwritten to the last figure
                fill(fields, cpu_figures(&mut rates))?;
                record.cpu = Some(rates);
            }
            Some("rates-gpu") if record.gpu.is_none() => {
                let mut rates = GpuRates::prior(GpuKind::Other); // as above
                fill(fields, gpu_figures(&mut rates))?;
                record.gpu = Some(rates);
            }
            Some("iterations") => {
                record.iterations.push((fields.hash("kind")?, within(fields, "value", f32::MIN_POSITIVE..=1e15)?));
            }
            Some("sample") => record.samples.push(Entry {
                kind: fields.hash("kind")?,
                bucket: within(fields, "bucket", 0..=half_octave(usize::MAX))?,
                backend: fields.backend("backend")?,
                sample: Sample { ratio: within(fields, "ratio", 1e-9..=1e9)?, count: within(fields, "count", 1..=u32::MAX)? },
            }),
            _ => return Err(Bad::new("a line", line, "rates-cpu or rates-gpu once, iterations or sample")),
        }
    }
    Ok(record)
}

fn within<T>(fields: Fields<'_>, key: &str, range: RangeInclusive<T>) -> Result<T, Bad>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Debug,
{
    let value = fields.get(key)?;
    if range.contains(&value) { Ok(value) } else { Err(Bad::new(key, fields.text(key)?, &format!("{range:?}"))) }
}

/// What a figure is, and so what is absurd.
#[derive(Clone, Copy)]
enum Unit {
    /// Bytes or operations a second.
    Rate,
    Seconds,
    /// How many times as much.
    Factor,
    Bytes,
    Count,
}

impl Unit {
    fn range(self) -> RangeInclusive<f64> {
        match self {
            Unit::Rate => 1.0..=1e18,
            Unit::Seconds => 0.0..=10.0,
            Unit::Factor => 1e-3..=1e6,
            Unit::Bytes => 0.0..=1e15,
            Unit::Count => 1.0..=1e9,
        }
    }
}

/// A figure with its name, for writing and for reading. Who lists them takes the struct apart without `..`: a figure that is new and
/// not listed does not compile.
struct Figures<'a> {
    numbers: Vec<(String, Unit, &'a mut f64)>,
    measured: [(&'static str, &'a mut bool); 6],
}

fn line_of(name: &str, figures: Figures<'_>) -> String {
    let mut line = name.to_string();
    for (name, _, value) in figures.numbers {
        _ = write!(line, " {name}={value:e}");
    }
    for (name, value) in figures.measured {
        _ = write!(line, " measured.{name}={value}");
    }
    line + "\n"
}

fn fill(fields: Fields<'_>, figures: Figures<'_>) -> Result<(), Bad> {
    for (name, unit, value) in figures.numbers {
        *value = within(fields, &name, unit.range())?;
    }
    for (name, value) in figures.measured {
        *value = fields.get(&format!("measured.{name}"))?;
    }
    Ok(())
}

fn cpu_figures(rates: &mut CpuRates) -> Figures<'_> {
    let CpuRates {
        read,
        write,
        random_weight,
        dram_limit,
        fresh,
        ops,
        int64_slowdown,
        float64_slowdown,
        wake_hot,
        wake_cold,
        wake_more,
        chunk,
        call,
        measured,
    } = rates;
    let mut numbers = Vec::new();
    numbers.extend(levels("read", Unit::Rate, read));
    numbers.extend(levels("write", Unit::Rate, write));
    numbers.extend(levels("random", Unit::Factor, random_weight));
    numbers.extend(op_rates(ops));
    for (name, unit, value) in [
        ("dram-limit", Unit::Rate, dram_limit),
        ("fresh", Unit::Rate, fresh),
        ("int64-slowdown", Unit::Factor, int64_slowdown),
        ("float64-slowdown", Unit::Factor, float64_slowdown),
        ("wake-hot", Unit::Seconds, wake_hot),
        ("wake-cold", Unit::Seconds, wake_cold),
        ("wake-more", Unit::Seconds, wake_more),
        ("chunk", Unit::Seconds, chunk),
        ("call", Unit::Seconds, call),
    ] {
        numbers.push((name.to_string(), unit, value));
    }
    Figures { numbers, measured: flags(measured) }
}

fn gpu_figures(rates: &mut GpuRates) -> Figures<'_> {
    let GpuRates {
        submit,
        dispatch,
        compile,
        upload,
        download,
        memory,
        cache,
        cache_bytes,
        random_weight,
        ops,
        int64_slowdown,
        float64_slowdown,
        workgroups,
        measured,
    } = rates;
    let mut numbers = Vec::new();
    numbers.extend(link("upload", upload));
    numbers.extend(link("download", download));
    numbers.extend(op_rates(ops));
    for (name, unit, value) in [
        ("submit", Unit::Seconds, submit),
        ("dispatch", Unit::Seconds, dispatch),
        ("compile", Unit::Seconds, compile),
        ("memory", Unit::Rate, memory),
        ("cache", Unit::Rate, cache),
        ("cache-bytes", Unit::Bytes, cache_bytes),
        ("random-weight", Unit::Factor, random_weight),
        ("int64-slowdown", Unit::Factor, int64_slowdown),
        ("float64-slowdown", Unit::Factor, float64_slowdown),
        ("workgroups", Unit::Count, workgroups),
    ] {
        numbers.push((name.to_string(), unit, value));
    }
    Figures { numbers, measured: flags(measured) }
}

fn levels<'a>(of: &str, unit: Unit, levels: &'a mut Levels) -> [(String, Unit, &'a mut f64); 4] {
    let Levels { l1, l2, l3, dram } = levels;
    [("l1", l1), ("l2", l2), ("l3", l3), ("dram", dram)].map(|(level, value)| (format!("{of}.{level}"), unit, value))
}

fn link<'a>(of: &str, link: &'a mut Link) -> [(String, Unit, &'a mut f64); 2] {
    let Link { latency, bandwidth } = link;
    [(format!("{of}.latency"), Unit::Seconds, latency), (format!("{of}.bandwidth"), Unit::Rate, bandwidth)]
}

fn op_rates(rates: &mut OpRates) -> [(String, Unit, &mut f64); 3] {
    let OpRates { simple, divide, function } = rates;
    [("simple", simple), ("divide", divide), ("function", function)].map(|(of, value)| (format!("ops.{of}"), Unit::Rate, value))
}

fn flags(measured: &mut Measured) -> [(&'static str, &mut bool); 6] {
    let Measured { overhead, wake, transfer, memory, random, compute } = measured;
    [("overhead", overhead), ("wake", wake), ("transfer", transfer), ("memory", memory), ("random", random), ("compute", compute)]
}
