//! How steady the machine is: the same two loops before, between and after the groups. Neither uses the library.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Steps of the arithmetic, each of which waits for the one before it: half a millisecond.
const STEPS: u64 = 400_000;
/// Words that are copied: more than the caches next to a core hold.
const WORDS: usize = 2 << 20;
/// Between two looks at the machine, so that they take a hundredth of the run.
const PAUSE: Duration = Duration::from_secs(2);
/// Looks before and after.
const AT_THE_ENDS: usize = 5;

/// What a look found, in seconds.
#[derive(Clone, Copy, Debug)]
struct Moment {
    at: f64,
    arithmetic: f64,
    copy: f64,
}

/// The looks of a run.
pub(crate) struct Noise {
    start: Instant,
    last: Instant,
    source: Vec<u64>,
    target: Vec<u64>,
    moments: Vec<Moment>,
}

impl Noise {
    /// Looks a few times: that is before the run.
    pub(crate) fn begin() -> Noise {
        let mut noise = Noise::resume(Duration::ZERO);
        (0..AT_THE_ENDS).for_each(|_| noise.look());
        noise
    }

    /// Goes on in another process, so long after the run began.
    pub(crate) fn resume(since: Duration) -> Noise {
        let now = Instant::now();
        let (source, target) = ((0..WORDS as u64).collect(), vec![0; WORDS]);
        Noise { start: now.checked_sub(since).unwrap_or(now), last: now, source, target, moments: Vec::new() }
    }

    /// Looks, if the last time is a while ago.
    pub(crate) fn between(&mut self) {
        if self.last.elapsed() >= PAUSE {
            self.look();
        }
    }

    /// The fastest of three: what lasts is seen, not a single interruption.
    fn look(&mut self) {
        let fastest = |f: &mut dyn FnMut()| {
            let time = |f: &mut dyn FnMut()| {
                let begun = Instant::now();
                f();
                begun.elapsed().as_secs_f64()
            };
            (0..3).map(|_| time(f)).fold(f64::INFINITY, f64::min)
        };
        let at = self.start.elapsed().as_secs_f64();
        let arithmetic = fastest(&mut || {
            black_box((0..black_box(STEPS)).fold(1_u64, |x, i| x.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ i));
        });
        let (source, target) = (&self.source, &mut self.target);
        let copy = fastest(&mut || black_box(&mut *target).copy_from_slice(black_box(source)));
        self.moments.push(Moment { at, arithmetic, copy });
        self.last = Instant::now();
    }

    /// What was found so far, as records have it.
    pub(crate) fn moments(&self) -> Value {
        self.moments.iter().map(|m| json!({ "at": m.at, "arithmetic": m.arithmetic, "copy": m.copy })).collect()
    }

    /// Adds what another process found.
    pub(crate) fn add(&mut self, moments: &[Value]) {
        let read =
            |m: &Value| Some(Moment { at: m["at"].as_f64()?, arithmetic: m["arithmetic"].as_f64()?, copy: m["copy"].as_f64()? });
        self.moments.extend(moments.iter().filter_map(read));
    }

    /// Looks a last few times, and gives all of it, as records have it.
    pub(crate) fn end(mut self) -> Value {
        (0..AT_THE_ENDS).for_each(|_| self.look());
        json!({ "at_the_ends": AT_THE_ENDS, "copied_bytes": 2 * 8 * WORDS, "moments": self.moments() })
    }
}
