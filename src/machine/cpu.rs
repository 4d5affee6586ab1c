//! The processor.

use super::{Bytes, Measured, OpRates};

/// The processor, as far as this process may use it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cpu {
    /// What it calls itself.
    pub name: String,
    /// Logical cores that this process may use. On Linux those of its affinity mask (so `taskset` and cpusets count), and no more than
    /// the CPU quota of its control group, of version 1 or 2, rounded down; elsewhere what the system says of the process.
    pub cores: usize,
    /// Number of `f32` lanes at the SIMD level in use: 4, 8 or 16.
    pub simd_lanes: usize,
    /// First-level data cache of one core, in bytes.
    pub l1_bytes: usize,
    /// Second-level cache of one core, in bytes.
    pub l2_bytes: usize,
    /// Last-level cache that one core can fill, in bytes; what is below it on machines without a third level.
    pub l3_bytes: usize,
}

impl std::fmt::Display for Cpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (cores, s) = (self.cores, if self.cores == 1 { "" } else { "s" });
        let [l1, l2, l3] = [self.l1_bytes, self.l2_bytes, self.l3_bytes].map(|b| Bytes(b as f64));
        write!(f, "{}, {cores} core{s}, {} lanes, caches {l1}, {l2}, {l3}", self.name, self.simd_lanes)
    }
}

/// One figure for each place where data can be, in the unit that the field has which holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// In the first-level cache.
    pub l1: f64,
    /// In the second-level cache.
    pub l2: f64,
    /// In the last-level cache.
    pub l3: f64,
    /// In memory.
    pub dram: f64,
}

/// How fast the processor is. Seconds, and bytes or operations a second.
///
/// Bandwidth is a curve over the working set and no number: the bytes that fit into a level are priced at that level's figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CpuRates {
    /// Bytes a second that one core reads in order.
    pub read: Levels,
    /// Bytes a second that one core writes in order. Reading and writing add up: a copy of `b` bytes takes `b / read + b / write`.
    pub write: Levels,
    /// How many bytes in order one byte at a computed index is worth.
    pub random_weight: Levels,
    /// Bytes a second that all cores together get out of memory. Caches scale with the cores.
    pub dram_limit: f64,
    /// Bytes a second at which memory that was just allocated is touched for the first time, beyond the time of writing it.
    pub fresh: f64,
    /// Weighted operations a second, in one lane of one core.
    pub ops: OpRates,
    /// How many times slower arithmetic on 64-bit integers is than the same operations on 32 bits.
    pub int64_slowdown: f64,
    /// How many times slower arithmetic on 64-bit floats is.
    pub float64_slowdown: f64,
    /// Seconds that the caller loses by calling the first helper, when the pool's threads are awake.
    pub wake_hot: f64,
    /// Seconds until the first helper begins, when they sleep. The caller works meanwhile, so this is no cost by itself.
    pub wake_cold: f64,
    /// Seconds that the caller loses for each further helper.
    pub wake_more: f64,
    /// Seconds to take one chunk and begin on it.
    pub chunk: f64,
    /// Seconds that any call takes.
    pub call: f64,
    /// Which of these figures were measured on this machine.
    pub measured: Measured,
}

impl CpuRates {
    /// What is assumed before anything was measured.
    ///
    /// "Measured" below means: on two cores of a Sapphire-Rapids-class Xeon at 16 lanes, in November 2026, minima of interleaved
    /// runs. "Estimated" means that nobody measured it.
    pub fn prior(simd_lanes: usize) -> Self {
        let lanes = simd_lanes as f64;
        const CLOCK: f64 = 3.0e9; // estimated: what current cores run at when all are busy
        let read = Levels {
            // Two vector loads a cycle is what x86-64 cores have had since 2013 and wide AArch64 ones reach; a quarter is taken off
            // for the rest of a loop. Measured sums in this cache scale with the lanes: 3.3 : 1.9 : 1.1.
            l1: 0.75 * 2.0 * 4.0 * lanes * CLOCK,
            // 16 lanes measured. Fewer lanes: estimated, in the ratio of the sums of 4096 elements.
            l2: if simd_lanes >= 16 { 181e9 } else { 12.5e9 * lanes },
            // Estimated: half way from the second level to memory on a logarithmic scale.
            l3: if simd_lanes >= 16 { 60e9 } else { 30e9 + 2.5e9 * (lanes - 4.0) },
            // Measured with 256 MiB: a sum at 17.5 (16 lanes), 16.5 (8), 13.1 (4). A bare read reaches 24.
            dram: match simd_lanes {
                16.. => 17.5e9,
                8.. => 16.5e9,
                _ => 13.1e9,
            },
        };
        let write = Levels {
            l1: read.l1 / 2.0, // one store for two loads a cycle
            // Measured: copies in this cache at 99 GB/s both ways; 1/99 is the mean of 1/181 and 1/68.
            l2: read.l2 * (68.0 / 181.0),
            l3: read.l3 / 2.0, // estimated: a line that is written is read first
            // Measured: plain writes 10.7, streaming 26; outputs that miss the caches are mostly streamed.
            dram: read.dram.min(22e9),
        };
        CpuRates {
            read,
            write,
            // A gather of 4-byte elements takes one cache access a lane instead of one a vector. From memory each takes a line of
            // 64 bytes for 4, of which the overlap of several misses at a time wins nothing back: bandwidth is used up all the same.
            random_weight: Levels { l1: 4.0, l2: 4.0, l3: 4.0, dram: 16.0 },
            // Estimated: two channels of DDR5 give 60 to 80, a server's socket 200 to 300. One core does not saturate it, ten do.
            dram_limit: 100e9,
            // Measured on Linux: a fault for 4 KiB takes 0.25 us where pages are small; large pages are faster.
            fresh: 16e9,
            // Two vector instructions a cycle.
            ops: OpRates::all(2.0 * CLOCK),
            // As many lanes in twice the registers.
            int64_slowdown: 2.0,
            float64_slowdown: 2.0,
            // Measured: a scope with one helper 1.9 us awake, 24 us asleep.
            wake_hot: 2.0e-6,
            wake_cold: 24.0e-6,
            // Estimated: one allocation, one push to a shared queue, one notification.
            wake_more: 0.4e-6,
            // Estimated: an atomic addition to a line that another core owns, and a call through a pointer.
            chunk: 0.1e-6,
            // Estimated: planning, and the way from the task to the loop.
            call: 0.05e-6,
            measured: Measured::default(),
        }
    }
}

/// Looks at this computer: the cores from the operating system (see [`std::thread::available_parallelism`]), the caches from `/sys` where
/// there is one (else typical sizes).
pub fn discover(simd_lanes: usize) -> Cpu {
    let caches = caches();
    let l1_bytes = caches[0].unwrap_or(32 << 10);
    let l2_bytes = caches[1].unwrap_or(1 << 20).max(l1_bytes);
    // Without a third level the second one is the last. Nothing known at all: a desktop's 8 MiB.
    let l3_bytes = caches[2].or(caches[1]).unwrap_or(8 << 20).max(l2_bytes);
    Cpu {
        name: name(),
        cores: std::thread::available_parallelism().map_or(1, |n| n.get()),
        simd_lanes,
        l1_bytes,
        l2_bytes,
        l3_bytes,
    }
}

fn name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    model_name(&info).unwrap_or_else(|| std::env::consts::ARCH.to_string())
}

fn model_name(cpuinfo: &str) -> Option<String> {
    cpuinfo.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        let value = value.trim();
        (key.trim() == "model name" && !value.is_empty()).then(|| value.to_string())
    })
}

/// The data caches of the first three levels that the first core sees.
fn caches() -> [Option<usize>; 3] {
    let mut found = [None; 3];
    for index in 0..8 {
        let read = |file: &str| {
            let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{file}");
            std::fs::read_to_string(path).ok().map(|text| text.trim().to_string())
        };
        if read("type").as_deref() == Some("Instruction") {
            continue;
        }
        let Some(level @ 1..=3) = read("level").and_then(|text| text.parse::<usize>().ok()) else { continue };
        let Some(size) = read("size").and_then(|text| parse_size(&text)) else { continue };
        let sharers = read("shared_cpu_list").and_then(|text| parse_list(&text)).unwrap_or(1);
        found[level - 1] = Some(if level == 3 { share(size, sharers) } else { size });
    }
    found
}

/// A virtual machine shows the whole cache of its host, with its own few cores as the only sharers. No common part has more than
/// 8 MiB of last-level cache for a logical core, so what is above that belongs to somebody else.
fn share(size: usize, sharers: usize) -> usize {
    size.min(sharers.saturating_mul(8 << 20))
}

/// `48K`, `2M`.
fn parse_size(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let shift = match &text[digits.len()..] {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(1 << shift)
}

/// The length of `0-3,8,10-11`.
fn parse_list(text: &str) -> Option<usize> {
    text.split(',').try_fold(0, |count, part| match part.split_once('-') {
        None => part.parse::<usize>().ok().map(|_| count + 1),
        Some((from, to)) => to.parse::<usize>().ok()?.checked_sub(from.parse().ok()?).map(|more| count + more + 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_lists_as_the_kernel_writes_them() {
        assert_eq!(parse_size("48K"), Some(48 << 10));
        assert_eq!(parse_size("2M"), Some(2 << 20));
        assert_eq!(parse_size("512"), Some(512));
        assert_eq!([parse_size(""), parse_size("K"), parse_size("4X")], [None; 3]);
        assert_eq!(parse_list("0"), Some(1));
        assert_eq!(parse_list("0-3,8,10-11"), Some(7));
        assert_eq!([parse_list(""), parse_list("3-1"), parse_list("a")], [None; 3]);
    }

    #[test]
    fn a_guest_does_not_count_its_hosts_cache() {
        assert_eq!(share(260 << 20, 2), 16 << 20);
        assert_eq!(share(96 << 20, 16), 96 << 20);
    }

    #[test]
    fn a_name_is_found_or_absent() {
        assert_eq!(model_name("processor\t: 0\nmodel name\t: Some CPU @ 2: x\n").as_deref(), Some("Some CPU @ 2: x"));
        assert_eq!(model_name("processor : 0\n"), None);
    }

    #[test]
    fn this_computer_makes_sense() {
        let cpu = discover(8);
        assert!(cpu.cores >= 1 && cpu.simd_lanes == 8 && !cpu.name.is_empty());
        assert!(cpu.l1_bytes >= 4096 && cpu.l1_bytes <= cpu.l2_bytes && cpu.l2_bytes <= cpu.l3_bytes);
    }

    /// The predictions are monotone in the bytes only because of this.
    #[test]
    fn farther_is_never_faster() {
        for lanes in [4, 8, 16] {
            let rates = CpuRates::prior(lanes);
            for Levels { l1, l2, l3, dram } in [rates.read, rates.write] {
                assert!(l1 >= l2 && l2 >= l3 && l3 >= dram && dram > 0.0, "{lanes}: {l1} {l2} {l3} {dram}");
            }
        }
    }
}
