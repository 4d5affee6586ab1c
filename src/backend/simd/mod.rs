//! SIMD on one core: the levels, and the choice among them at run time.
//!
//! A driver is written once, generic over `L: Level`, as a [`WithLevel`]. [`dispatch`] enters it through a function that has the
//! level's instructions enabled, and all that it inlines is compiled with them (the manner of the `pulp` crate, El Kazdadi). What
//! is not inlined falls back to the baseline and passes vectors through memory, so `run` and everything generic below it carry
//! `#[inline(always)]`.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod base;
mod lanewise;
mod level;
mod math;
mod one;
mod pair;
mod philox;
mod vector;
mod view;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use base::Base;
pub use level::{Level, VectorLane};
pub use one::OneLane;
pub use pair::Pair;
pub(crate) use vector::{Fence, MOST, compress, extract, first, slide_down, slide_up, store, stream, turn};
pub use view::{Span, View, ViewMut};

use std::sync::OnceLock;

use crate::error::{Error, Result};
#[cfg(target_arch = "x86_64")]
use crate::kernel::Rare;

/// The environment variable that overrides the detected level.
pub const SIMD_VARIABLE: &str = "GRANULE_SIMD";

/// The SIMD levels, from the narrowest to the widest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SimdLevel {
    /// What every CPU of the target has: SSE2, NEON, wasm simd128, or plain scalars. 4 lanes.
    Base,
    /// AVX2 and FMA (x86-64-v3). 8 lanes.
    Avx2,
    /// AVX-512 F, BW, CD, DQ and VL (x86-64-v4). 16 lanes.
    Avx512,
}

/// Whether streaming stores go faster to several pages side by side than in order. Measured: 1.1 to 1.25 times as fast on Intel's
/// Sapphire Rapids, and 0.7 times on AMD's EPYC.
pub(crate) fn streams_side_by_side() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        static INTEL: OnceLock<bool> = OnceLock::new();
        *INTEL.get_or_init(|| {
            let vendor = std::arch::x86_64::__cpuid(0);
            let words = [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes);
            words.as_flattened() == b"GenuineIntel"
        })
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

impl SimdLevel {
    /// Every level, narrowest first.
    pub const ALL: [SimdLevel; 3] = [SimdLevel::Base, SimdLevel::Avx2, SimdLevel::Avx512];

    /// The widest level that this CPU and this build have.
    #[inline]
    pub fn detect() -> SimdLevel {
        static WIDEST: OnceLock<SimdLevel> = OnceLock::new();
        *WIDEST.get_or_init(|| SimdLevel::ALL.into_iter().rev().find(|l| l.supported()).unwrap_or(SimdLevel::Base))
    }

    /// The levels that this CPU and this build have, narrowest first. A wider level includes the narrower ones.
    pub fn available() -> impl DoubleEndedIterator<Item = SimdLevel> {
        SimdLevel::ALL.into_iter().filter(|&l| l <= SimdLevel::detect())
    }

    /// What `GRANULE_SIMD` asks for: `base`, `avx2` or `avx512`; `None` if it is not set.
    ///
    /// # Errors
    /// [`Error::Config`] if the value is not a level, or is one that this CPU lacks.
    pub fn from_env() -> Result<Option<SimdLevel>> {
        match std::env::var_os(SIMD_VARIABLE) {
            None => Ok(None),
            Some(value) => SimdLevel::from_setting(&value.to_string_lossy()).map(Some),
        }
    }

    /// The level of a setting.
    fn from_setting(value: &str) -> Result<SimdLevel> {
        let level: SimdLevel = value.parse()?;
        if level <= SimdLevel::detect() {
            return Ok(level);
        }
        let have: Vec<_> = SimdLevel::available().map(|l| l.to_string()).collect();
        Err(Error::Config { message: format!("{SIMD_VARIABLE}={level}, but this CPU has only {}", have.join(", ")) })
    }

    /// Number of 32-bit lanes.
    pub fn lanes(self) -> usize {
        match self {
            SimdLevel::Base => 4,
            SimdLevel::Avx2 => 8,
            SimdLevel::Avx512 => 16,
        }
    }

    /// Whether the instructions are there, and the operating system saves their registers. Each list is the one that the entry
    /// function of the level enables.
    fn supported(self) -> bool {
        match self {
            SimdLevel::Base => true,
            #[cfg(target_arch = "x86_64")]
            SimdLevel::Avx2 => {
                use std::is_x86_feature_detected as has;
                has!("avx2") && has!("fma") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt")
            }
            #[cfg(target_arch = "x86_64")]
            SimdLevel::Avx512 => SimdLevel::Avx2.supported() && Avx512::detect().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }
}

impl std::fmt::Display for SimdLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            SimdLevel::Base => "base",
            SimdLevel::Avx2 => "avx2",
            SimdLevel::Avx512 => "avx512",
        })
    }
}

impl std::str::FromStr for SimdLevel {
    type Err = Error;

    fn from_str(s: &str) -> Result<SimdLevel> {
        SimdLevel::ALL.into_iter().find(|l| l.to_string().eq_ignore_ascii_case(s.trim())).ok_or_else(|| Error::Config {
            message: format!("{s:?} is no SIMD level: {SIMD_VARIABLE} accepts base, avx2 and avx512"),
        })
    }
}

/// Asks for the cache line at an address, which need not be that of anything.
#[inline(always)]
pub(crate) fn prefetch(address: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, which no address makes fault; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::without_provenance(address)) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Work that runs at any SIMD level.
pub trait WithLevel {
    /// What it returns.
    type Out;
    /// Does it. Every implementation must be `#[inline(always)]`, and so must all that it calls with vectors.
    fn run<L: Level>(self, l: L) -> Self::Out;
}

/// Runs `w` at this level. A level that the CPU lacks is replaced by the widest that it has.
#[inline]
pub fn dispatch<W: WithLevel>(level: SimdLevel, w: W) -> W::Out {
    match level.min(SimdLevel::detect()) {
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx2 => {
            // SAFETY: `detect` is at least `Avx2`, so the CPU has every feature that the entry enables and the token stands for.
            unsafe { enter_avx2(Avx2::new_unchecked(), w) }
        }
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx512 => {
            // SAFETY: as above: `detect` is `Avx512`.
            unsafe { enter_avx512(Avx512::new_unchecked(), w) }
        }
        _ => w.run(Base),
    }
}

/// The entries of a level: the functions that have its instructions enabled. The second is for what is not to be inlined.
#[cfg(target_arch = "x86_64")]
macro_rules! entry {
    ($name:ident, $rarely:ident, $level:ident, $features:literal) => {
        #[target_feature(enable = $features)]
        fn $name<W: WithLevel>(l: $level, w: W) -> W::Out {
            w.run(l)
        }

        #[inline(never)]
        #[target_feature(enable = $features)]
        fn $rarely<R: Rare<$level>>(l: $level, rare: R) -> R::Out {
            rare.run(l)
        }
    };
}
#[cfg(target_arch = "x86_64")]
entry!(enter_avx2, rarely_avx2, Avx2, "avx2,fma,bmi1,bmi2,lzcnt,popcnt");
#[cfg(target_arch = "x86_64")]
entry!(enter_avx512, rarely_avx512, Avx512, "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,bmi1,bmi2,lzcnt,popcnt");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_named_and_ordered() {
        for level in SimdLevel::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        assert!(SimdLevel::Base < SimdLevel::Avx2 && SimdLevel::Avx2 < SimdLevel::Avx512);
        assert_eq!(SimdLevel::available().next(), Some(SimdLevel::Base));
        assert_eq!(SimdLevel::available().next_back(), Some(SimdLevel::detect()));
    }

    #[test]
    fn a_bad_setting_says_what_is_accepted() {
        let Err(Error::Config { message }) = SimdLevel::from_setting("sse9") else { panic!("accepted") };
        assert!(message.contains("sse9") && message.contains("base, avx2 and avx512"), "{message}");
        for level in SimdLevel::ALL {
            let setting = SimdLevel::from_setting(&level.to_string().to_uppercase());
            assert_eq!(setting.is_ok(), level <= SimdLevel::detect(), "{setting:?}");
        }
    }
}
