//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::catalogue::{BACKENDS, OPS};
use crate::passes;
use crate::report::{self, Outputs, data::Record};

/// What is to be done.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Three sizes and short samples, to see in a minute and a half that all is well.
    pub(crate) quick: bool,
    /// Every octave and long samples.
    pub(crate) full: bool,
    /// BabelStream under its own conventions, and nothing else.
    pub(crate) babelstream: bool,
    /// How often its kernels run.
    pub(crate) repetitions: Option<usize>,
    /// When the run ends, measured or not.
    time_budget: Option<Duration>,
    /// Say what there is, and measure nothing.
    pub(crate) list: bool,
    /// Measure the project's own targets instead of the whole table.
    pub(crate) targets: bool,
    /// Measure how good the library's choices are.
    pub(crate) regret: bool,
    /// What this process is to do for the sweep that started it.
    pub(crate) regret_cold_child: Option<String>,
    /// This process does one pass of the run that started it.
    pub(crate) pass: bool,
    /// Take a software rasteriser for a GPU.
    pub(crate) software_gpu: bool,
    /// What is wrong with this run, to see that it is found.
    pub(crate) plant: Option<Plant>,
    /// Where the record goes.
    json: Option<PathBuf>,
    /// Where reports of it go.
    outputs: Outputs,
    /// Only these operations; empty: all.
    pub(crate) ops: Vec<String>,
    /// Only these numbers of elements; empty: as `quick` says.
    pub(crate) sizes: Vec<usize>,
    /// Only these backends and peers; empty: all.
    pub(crate) backends: Vec<String>,
    /// Time for the samples of one case.
    budget: Option<Duration>,
}

/// What a run can be told to do wrong, so that everybody can see whether it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plant {
    /// Each call of the library works on a tenth more elements than its case says.
    Slower,
    /// One element of what the library writes to host memory is spoilt before it is checked.
    Wrong,
}

impl Plant {
    /// Its name on the command line and in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Plant::Slower => "slower",
            Plant::Wrong => "wrong",
        }
    }
}

pub(crate) const USAGE: &str = "\
usage: cargo run --release --example bench -- [options]

  --quick            sizes 2^12, 2^16, 2^20 and short samples: a minute, and it ends after 100 seconds on any machine
  --full             every octave from 2^10 to 2^26 and long samples: hours
  --time-budget S    end after so many seconds, with what says most first; Ctrl-C ends the run too: both keep what was measured
  --json FILE        write the record of all samples to FILE
  --ops A,B          only these operations (see --list)
  --sizes N,M        only these numbers of elements: 65536, 64Ki, 1Mi or 2^16
  --backends A,B     only these: simd, threads, gpu, auto, std, rayon, loop
  --budget MS        time for the samples of one case, in milliseconds; with --regret of all its contenders together
  --software-gpu     let a software rasteriser (llvmpipe, WARP) count as a GPU; without this it never does
  --babelstream      BabelStream's five kernels under its own conventions: 2^25 elements (or --sizes), 100 repetitions
  --repetitions N    so many instead
  --targets          measure what the project promises itself, with pass or fail
  --regret           how much slower the library's choices are than the fastest backend, cold and warm; with --quick 3 minutes
  --plant WHAT       do something wrong, to see that it is found: `slower` does a tenth more work in each call under the same name,
                     `wrong` spoils an element of each answer
  --list             say what there is, and measure nothing";

/// When a quick run ends at the latest. What follows, the last call and the report, takes a few seconds more.
const QUICK: Duration = Duration::from_secs(100);

/// The sizes of a quick run.
pub(crate) const QUICK_SIZES: [usize; 3] = [1 << 12, 1 << 16, 1 << 20];

impl Options {
    /// Reads the arguments.
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options::default();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            match arg.as_str() {
                "--quick" => options.quick = true,
                "--full" => options.full = true,
                "--babelstream" => options.babelstream = true,
                "--list" => options.list = true,
                "--regret" => options.regret = true,
                // Not in the usage: runs start themselves with these.
                "--regret-cold-child" => options.regret_cold_child = Some(value()?),
                passes::ARGUMENT => options.pass = true,
                "--targets" => options.targets = true,
                "--software-gpu" => options.software_gpu = true,
                "--json" => options.json = Some(value()?.into()),
                "--ops" => {
                    options.ops = known(&value()?, "operation", |name| OPS.iter().any(|op| op.name == name))?;
                }
                "--backends" => {
                    options.backends = known(&value()?, "backend", |name| BACKENDS.contains(&name.trim_start_matches("peer:")))?
                        .iter()
                        .map(|name| name.trim_start_matches("peer:").to_owned())
                        .collect();
                }
                "--sizes" => options.sizes = value()?.split(',').map(size).collect::<Result<_, _>>()?,
                "--budget" => {
                    let ms = value()?;
                    let ms = ms.parse().map_err(|_| format!("--budget {ms}: a number of milliseconds is accepted"))?;
                    options.budget = Some(Duration::from_millis(ms));
                }
                "--time-budget" => {
                    let text = value()?;
                    let seconds = text.parse::<f64>().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
                    let seconds = seconds.filter(|time| !time.is_zero());
                    options.time_budget = Some(seconds.ok_or(format!("--time-budget {text}: a number of seconds is accepted"))?);
                }
                "--plant" => {
                    let text = value()?;
                    let known = [Plant::Slower, Plant::Wrong].into_iter().find(|plant| plant.name() == text);
                    options.plant = Some(known.ok_or(format!("--plant {text}: slower or wrong is accepted"))?);
                }
                "--repetitions" => {
                    let text = value()?;
                    let count = text.parse().ok().filter(|&count: &usize| count >= 2);
                    options.repetitions = Some(count.ok_or(format!("--repetitions {text}: a number from 2 on is accepted"))?);
                }
                "--help" | "-h" => return Err(String::new()),
                other => {
                    if !options.outputs.take(other, value)? {
                        return Err(format!("{other}: no such option"));
                    }
                }
            }
        }
        if options.quick && options.full {
            return Err("--quick and --full: one of them is accepted".to_owned());
        }
        Ok(options)
    }

    /// Writes a record, and the reports of it, wherever that was asked for.
    pub(crate) fn write(&self, record: &str) -> Result<(), String> {
        if let Some(path) = &self.json {
            report::save(path, record, "record")?;
        }
        if self.outputs.any() { self.outputs.write(&Record::parse("this run", record)?) } else { Ok(()) }
    }

    /// The numbers of elements to measure, smallest first.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        match (self.sizes.as_slice(), self.quick) {
            ([], true) => QUICK_SIZES.to_vec(),
            ([], false) => (10..=26).step_by(if self.full { 1 } else { 2 }).map(|log| 1 << log).collect(),
            (sizes, _) => {
                let mut sizes = sizes.to_vec();
                sizes.sort_unstable();
                sizes.dedup();
                sizes
            }
        }
    }

    /// Whether this operation is to be measured.
    pub(crate) fn wants_op(&self, name: &str) -> bool {
        self.ops.is_empty() || self.ops.iter().any(|op| op == name)
    }

    /// Whether this backend or peer is to be measured. `loop` stands for all hand-written loops.
    pub(crate) fn wants_backend(&self, name: &str) -> bool {
        let name = name.trim_start_matches("peer:");
        self.backends.is_empty() || self.backends.iter().any(|b| name == b || (b == "loop" && name.starts_with("loop-")))
    }

    /// After how long the run ends: as asked for, or as a quick one does.
    pub(crate) fn time_budget(&self) -> Option<Duration> {
        let table = !(self.targets || self.babelstream || self.regret);
        self.time_budget.or((self.quick && table).then_some(QUICK))
    }

    /// Time for the samples of one case.
    pub(crate) fn budget(&self) -> Duration {
        self.budget_or(Duration::from_millis(match (self.quick, self.full) {
            (true, _) => 40,
            (_, true) => 1000,
            _ => 400,
        }))
    }

    /// The same: as asked for, or else this.
    pub(crate) fn budget_or(&self, usual: Duration) -> Duration {
        self.budget.unwrap_or(usual)
    }
}

fn known(list: &str, what: &str, is_known: impl Fn(&str) -> bool) -> Result<Vec<String>, String> {
    list.split(',')
        .map(
            |name| if is_known(name) { Ok(name.to_owned()) } else { Err(format!("{name}: no such {what}; --list has them all")) },
        )
        .collect()
}

/// `65536`, `64Ki`, `1Mi` or `2^16`.
fn size(text: &str) -> Result<usize, String> {
    let refuse = || format!("--sizes {text}: a number from 1 on is accepted, as 65536, 64Ki, 1Mi or 2^16");
    let n = if let Some(power) = text.strip_prefix("2^") {
        power.parse().ok().and_then(|p| 1usize.checked_shl(p))
    } else {
        let (digits, shift) = match (text.strip_suffix("Ki"), text.strip_suffix("Mi")) {
            (Some(digits), _) => (digits, 10),
            (_, Some(digits)) => (digits, 20),
            _ => (text, 0),
        };
        digits.parse::<usize>().ok().and_then(|n| n.checked_mul(1 << shift))
    };
    // Indices of an argmax are 32 bits wide.
    n.filter(|&n| n > 0 && u32::try_from(n).is_ok()).ok_or_else(refuse)
}
