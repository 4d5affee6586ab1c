//! A plan file: choices for a whole program, by kind of call.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

use crate::error::Error;

use super::fields::{Bad, Fields};
use super::{Backend, Choice, Operation, Problem};

/// The half-octave of a number of elements: `floor(2 * log2(n))`, exact, and 0 for none. From 0 to 127; two for each doubling.
#[inline]
pub const fn half_octave(n: usize) -> u8 {
    let n = if n == 0 { 1 } else { n as u64 };
    let exponent = n.ilog2();
    let upper = n << (63 - exponent) > SQRT_2;
    2 * exponent as u8 + upper as u8
}

/// The square root of 2 times 2^63, rounded down. No whole number is equal to what it is rounded from.
const SQRT_2: u64 = 0xb504_f333_f9de_6484;

/// The last half-octave of a `usize`.
const LAST: u8 = half_octave(usize::MAX);

/// The numbers of elements in a half-octave. Nothing is in the second one: no whole number is between the square root of 2 and 2.
fn elements(half_octave: u8) -> RangeInclusive<usize> {
    let first = |b: u8| match b {
        0 => 0,
        b if b % 2 == 0 => 1 << (b / 2),
        b => (SQRT_2 >> (63 - b / 2)) as usize + 1,
    };
    first(half_octave)..=if half_octave < LAST { first(half_octave + 1) - 1 } else { usize::MAX }
}

/// Where a call's data is and where its result has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Places {
    /// Whether a GPU would have to be sent some of the input.
    pub upload: bool,
    /// Whether the host would have to fetch some of the input.
    pub download: bool,
    /// Whether the caller needs the result in host memory.
    pub result_on_host: bool,
}

impl Places {
    /// As in this problem.
    #[inline]
    pub fn of(problem: &Problem) -> Places {
        Places { upload: problem.upload_bytes > 0, download: problem.download_bytes > 0, result_on_host: problem.result_on_host }
    }

    fn input(self) -> &'static str {
        FROM.into_iter().find(|(_, sides)| *sides == (self.upload, self.download)).map_or("", |(name, _)| name)
    }

    fn result(self) -> &'static str {
        if self.result_on_host { "host" } else { "anywhere" }
    }
}

/// Where the input is, by what would have to be uploaded and downloaded. `anywhere`: both sides have it, or there is none.
const FROM: [(&str, (bool, bool)); 4] =
    [("anywhere", (false, false)), ("host", (true, false)), ("gpu", (false, true)), ("mixed", (true, true))];

impl std::fmt::Display for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "from={} to={}", self.input(), self.result())
    }
}

/// A kind of call: the same code, data in the same places, about as many elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanKey {
    /// The primitive.
    pub operation: Operation,
    /// Names the code: [`Problem::code`].
    pub code: u64,
    /// Where its data is.
    pub places: Places,
    half_octave: u8,
}

impl PlanKey {
    /// Calls of this code on about `n` elements.
    pub fn new(operation: Operation, code: u64, places: Places, n: usize) -> PlanKey {
        PlanKey { operation, code, places, half_octave: half_octave(n) }
    }

    /// The kind that this problem is of.
    #[inline]
    pub fn of(problem: &Problem) -> PlanKey {
        PlanKey::new(problem.operation, problem.code, Places::of(problem), problem.n)
    }

    /// The same calls with another number of elements.
    pub(crate) fn with_half_octave(self, half_octave: u8) -> PlanKey {
        PlanKey { half_octave, ..self }
    }

    /// The numbers of elements that it stands for: one [half-octave](half_octave).
    pub fn elements(&self) -> RangeInclusive<usize> {
        elements(self.half_octave)
    }
}

impl std::fmt::Display for PlanKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let PlanKey { operation, code, places, .. } = self;
        let n = self.elements();
        write!(f, "{operation} code={code:016x} {places} n={}..={}", n.start(), n.end())
    }
}

/// The choices of a whole program, by kind of call. They can be written to a file, read, edited and pinned: what is in here is not
/// chosen any more, and every other call is chosen as usual.
///
/// As text there is a line for each, in order, after the first line, which names the form and its version. Lines that start with
/// `#` are comments. `n` may span any number of whole half-octaves; the text is written with one line for each.
///
/// ```
/// use granule::plan::{Backend, Operation, Plans, Problem};
///
/// let plans: Plans = "
///     granule plans 1
///     reduce code=0123456789abcdef from=host to=host n=0..=65535 backend=simd workers=1 grain=65536
///     reduce code=0123456789abcdef from=host to=host n=65536..=92681 backend=threads workers=2 grain=16384
/// "
/// .parse()?;
/// let call = Problem {
///     code: 0x0123_4567_89ab_cdef,
///     upload_bytes: 4 * 70_000,
///     result_on_host: true,
///     n: 70_000,
///     ..Problem::new(Operation::Reduce)
/// };
/// assert_eq!(plans.get(&call).unwrap().backend, Backend::Threads);
/// assert_eq!(plans.get(&Problem { n: 100, ..call }).unwrap().backend, Backend::Simd);
/// assert_eq!(plans.get(&Problem { n: 100_000, ..call }), None);
/// # Ok::<(), granule::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plans(BTreeMap<PlanKey, Choice>);

impl Plans {
    /// None yet.
    pub fn new() -> Plans {
        Plans::default()
    }

    /// What is chosen for this problem, if it is in here. Does not allocate.
    #[inline]
    pub fn get(&self, problem: &Problem) -> Option<Choice> {
        self.0.get(&PlanKey::of(problem)).copied()
    }

    /// Sets what is chosen for a kind of call, and returns what was before.
    pub fn insert(&mut self, key: PlanKey, choice: Choice) -> Option<Choice> {
        self.0.insert(key, choice)
    }

    /// How many kinds of calls are in here.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them: by operation, then code, then places, then `n`.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (PlanKey, Choice)> + '_ {
        self.0.iter().map(|(key, choice)| (*key, *choice))
    }

    /// Reads a plan file.
    ///
    /// # Errors
    /// [`Error::Config`] with the file's name: it cannot be read, or a line makes no sense (its number, and what is accepted).
    pub fn read(path: impl AsRef<Path>) -> Result<Plans, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| file(path, "cannot be read", error))?;
        parse(&text).map_err(|(line, bad)| file(path, &format!("line {line}"), bad))
    }

    /// Writes a plan file, over the one that may be there.
    ///
    /// # Errors
    /// [`Error::Config`] with the file's name and why it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        std::fs::write(path, self.to_string()).map_err(|error| file(path, "cannot be written", error))
    }
}

fn file(path: &Path, what: &str, why: impl std::fmt::Display) -> Error {
    Error::Config { message: format!("plan file {}: {what}: {why}", path.display()) }
}

impl FromIterator<(PlanKey, Choice)> for Plans {
    fn from_iter<I: IntoIterator<Item = (PlanKey, Choice)>>(choices: I) -> Plans {
        Plans(choices.into_iter().collect())
    }
}

/// First line of the text, with the version of its form.
const HEADER: &str = "granule plans 1";

impl std::fmt::Display for Plans {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{HEADER}")?;
        writeln!(f, "# choices by kind of call and half-octave of n; edit, and pin with Engine::builder().plans(..)")?;
        for (key, Choice { backend, workers, grain, gpu }) in &self.0 {
            write!(f, "{key} backend={backend} workers={workers} grain={grain}")?;
            if *backend == Backend::Gpu || *gpu > 0 {
                write!(f, " gpu={gpu}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl FromStr for Plans {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).map_err(|(line, bad)| Error::Config { message: format!("plans: line {line}: {bad}") })
    }
}

/// What is wrong comes with the number of the line.
fn parse(text: &str) -> Result<Plans, (usize, Bad)> {
    let lines = text.lines().map(str::trim).enumerate().map(|(index, line)| (index + 1, line));
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    match lines.next() {
        Some((_, HEADER)) => {}
        Some((number, line)) => return Err((number, Bad::new("the first line", line, HEADER))),
        None => return Err((1, Bad::new("the first line", "", HEADER))),
    }
    let mut plans = Plans::new();
    for (number, line) in lines {
        let (kind, half_octaves, choice) = parse_line(line).map_err(|bad| (number, bad))?;
        for half_octave in half_octaves {
            let key = PlanKey { half_octave, ..kind };
            if plans.insert(key, choice).is_some() {
                return Err((number, Bad::new("a line", &key.to_string(), "each kind of call and each n once")));
            }
        }
    }
    Ok(plans)
}

const KEYS: [&str; 8] = ["code", "from", "to", "n", "backend", "workers", "grain", "gpu"];

fn parse_line(line: &str) -> Result<(PlanKey, Vec<u8>, Choice), Bad> {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or_default();
    let known = Operation::ALL.into_iter().find(|op| op.to_string() == name);
    let operation = known.ok_or_else(|| Bad::new("the operation", name, &Operation::ALL.map(|op| op.to_string()).join(", ")))?;
    let mut given = Vec::with_capacity(KEYS.len());
    for word in words {
        let key = word.split_once('=').map_or(word, |(key, _)| key);
        if !KEYS.contains(&key) || given.contains(&key) {
            return Err(Bad::new("a word", word, &format!("one of each `key=value`, with the keys {}", KEYS.join(", "))));
        }
        given.push(key);
    }
    let fields = Fields(line);
    let from = fields.text("from")?;
    let Some((_, (upload, download))) = FROM.into_iter().find(|(name, _)| *name == from) else {
        return Err(Bad::new("from", from, "host, gpu, mixed (some on each) or anywhere (both have it)"));
    };
    let result_on_host = match fields.text("to")? {
        "host" => true,
        "anywhere" => false,
        other => return Err(Bad::new("to", other, "host or anywhere")),
    };
    let gpu = if fields.find("gpu").is_some() { fields.get("gpu")? } else { 0 };
    let half_octaves = half_octaves(fields.text("n")?)?;
    let kind = PlanKey {
        operation,
        code: fields.hash("code")?,
        places: Places { upload, download, result_on_host },
        half_octave: half_octaves[0],
    };
    Ok((kind, half_octaves, fields.choice(gpu)?))
}

/// The half-octaves of `first..=last`, at least one, without those that are empty.
fn half_octaves(range: &str) -> Result<Vec<u8>, Bad> {
    let parsed = range.split_once("..=").and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    let (first, last): (usize, usize) = match parsed {
        Some((first, last)) if first <= last => (first, last),
        _ => return Err(Bad::new("n", range, "the first and the last number of elements, as in `65536..=92681`")),
    };
    let (low, high) = (half_octave(first), half_octave(last));
    let whole = *elements(low).start()..=*elements(high).end();
    if whole != (first..=last) {
        let whole = format!("whole half-octaves: `{}..={}` holds these", whole.start(), whole.end());
        return Err(Bad::new("n", range, &whole));
    }
    Ok((low..=high).filter(|b| !elements(*b).is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By whole numbers alone: `b <= 2 log2(n) < b + 1` is `2^b <= n^2 < 2^(b + 1)`.
    fn is_in(n: usize, b: u8) -> bool {
        let square = (n as u128).pow(2);
        square >> b == 1
    }

    #[test]
    fn half_octaves_are_exact() {
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 8].map(half_octave), [0, 0, 2, 3, 4, 4, 5, 5, 6]);
        assert_eq!([65_536, 92_681, 92_682, 131_071, 131_072].map(half_octave), [32, 32, 33, 33, 34]);
        let mut last = 0;
        for n in 1..100_000 {
            let b = half_octave(n);
            assert!(is_in(n, b) && b >= last, "{n}: {b}");
            last = b;
        }
        for b in 0..=LAST {
            let range = elements(b);
            let (first, last) = (*range.start(), *range.end());
            if b == 1 {
                assert!(range.is_empty());
                continue;
            }
            assert!(is_in(first.max(1), b) && is_in(last, b), "{b}: {first}, {last}");
            assert_eq!((half_octave(first), half_octave(last)), (b, b), "{first}, {last}");
            if b < LAST {
                assert!(!is_in(last + 1, b), "{b}: {last}");
            }
        }
        assert_eq!(LAST, (2 * usize::BITS - 1) as u8);
    }

    fn key(n: usize) -> PlanKey {
        PlanKey::new(Operation::Scan, u64::MAX, Places { upload: true, download: false, result_on_host: true }, n)
    }

    const CHOICE: Choice = Choice { backend: Backend::Threads, workers: 2, grain: 8192, gpu: 0 };

    #[test]
    fn a_round_trip_keeps_everything() {
        let mut plans = Plans::new();
        for operation in Operation::ALL {
            for bits in 0..8 {
                let places = Places { upload: bits & 1 > 0, download: bits & 2 > 0, result_on_host: bits & 4 > 0 };
                for (index, n) in [0, 2, 1000, 65_536, usize::MAX].into_iter().enumerate() {
                    let backend = [Backend::Simd, Backend::Threads, Backend::Gpu][index % 3];
                    let choice = Choice { backend, workers: index + 1, grain: 4096 * (index + 1), gpu: index };
                    assert_eq!(plans.insert(PlanKey::new(operation, 7 << index, places, n), choice), None);
                }
            }
        }
        assert_eq!((plans.len(), plans.iter().len()), (Operation::ALL.len() * 8 * 5, Operation::ALL.len() * 8 * 5));
        let text = plans.to_string();
        assert_eq!(text.parse().as_ref(), Ok(&plans), "{text}");
        assert_eq!(plans.iter().collect::<Plans>(), plans);
        assert!(plans.iter().is_sorted_by_key(|(key, _)| key));
    }

    #[test]
    fn the_text_is_what_the_documentation_says() {
        let mut plans = Plans::new();
        plans.insert(key(70_000), CHOICE);
        plans.insert(key(100_000), Choice { backend: Backend::Gpu, workers: 1, grain: 4096, gpu: 0 });
        assert_eq!(
            plans.to_string(),
            "granule plans 1\n\
             # choices by kind of call and half-octave of n; edit, and pin with Engine::builder().plans(..)\n\
             scan code=ffffffffffffffff from=host to=host n=65536..=92681 backend=threads workers=2 grain=8192\n\
             scan code=ffffffffffffffff from=host to=host n=92682..=131071 backend=gpu workers=1 grain=4096 gpu=0\n"
        );
    }

    /// Comments, blank lines, indentation, other order of the pairs, and a span of several half-octaves.
    #[test]
    fn an_edited_file_is_understood() {
        let plans: Plans = "\n# mine\n  granule plans 1\n\n\tscan n=0..=92681 to=host  grain=8192 from=host workers=2 \
                            backend=threads code=FFFFFFFFFFFFFFFF\n# end"
            .parse()
            .unwrap();
        assert_eq!(plans.len(), 32); // 0 to 32, without 1, which is empty
        for n in [0, 1, 2, 5, 92_681] {
            assert_eq!(plans.0.get(&key(n)), Some(&CHOICE), "{n}");
        }
        assert_eq!(plans.0.get(&key(92_682)), None);
    }

    #[test]
    fn a_problem_finds_its_choice_and_no_other() {
        let mut plans = Plans::new();
        plans.insert(key(70_000), CHOICE);
        let call = Problem { n: 80_000, code: u64::MAX, upload_bytes: 1, result_on_host: true, ..Problem::new(Operation::Scan) };
        assert_eq!(plans.get(&call), Some(CHOICE));
        for other in [
            Problem { n: 60_000, ..call },
            Problem { n: 100_000, ..call },
            Problem { code: 1, ..call },
            Problem { upload_bytes: 0, ..call },
            Problem { download_bytes: 1, ..call },
            Problem { result_on_host: false, ..call },
            Problem { operation: Operation::Map, ..call },
        ] {
            assert_eq!(plans.get(&other), None, "{}", PlanKey::of(&other));
        }
    }

    #[test]
    fn an_error_names_the_line_and_what_is_accepted() {
        let line = "map code=0000000000000001 from=host to=host n=65536..=92681 backend=simd workers=1 grain=4096";
        assert!(format!("granule plans 1\n{line}").parse::<Plans>().is_ok());
        let error = |text: &str| text.parse::<Plans>().unwrap_err().to_string();
        for (from, to, expected) in [
            ("map", "fold", "map, reduce, scan"),
            ("code=0000000000000001", "code=1", "sixteen hexadecimal digits"),
            ("code=0000000000000001", "code=+000000000000001", "sixteen hexadecimal digits"),
            ("from=host", "from=disk", "host, gpu, mixed"),
            ("to=host", "to=gpu", "host or anywhere"),
            ("n=65536..=92681", "n=65536..92681", "`65536..=92681`"),
            ("n=65536..=92681", "n=92681..=65536", "`65536..=92681`"),
            ("n=65536..=92681", "n=65536..=100000", "`65536..=131071`"),
            ("n=65536..=92681", "n=0..=99999999999999999999", "`65536..=92681`"),
            ("n=65536..=92681", "n=1..=92681", "`0..=92681`"),
            ("backend=simd", "backend=tpu", "simd, threads or gpu"),
            ("workers=1", "workers=0", "at least 1"),
            ("workers=1", "workers=-1", "usize"),
            ("grain=4096", "grain=4095", "multiple of 4096"),
            ("grain=4096", "", "`grain=...`"),
            ("grain=4096", "grian=4096", "code, from, to, n, backend"),
            ("grain=4096", "grain=4096 gpu=0 gpu=1", "code, from, to, n, backend"),
            ("grain=4096", "grain=4096 gpu=x", "usize"),
        ] {
            let message = error(&format!("granule plans 1\n# a comment\n\n{}", line.replace(from, to)));
            assert!(message.contains("line 4: ") && message.contains(expected), "{to}: {message}");
        }
        let twice = error(&format!("granule plans 1\n{line}\n{}", line.replace("n=65536", "n=0")));
        assert!(twice.contains("line 3: ") && twice.contains("n=65536..=92681") && twice.contains("once"), "{twice}");
        for text in ["", "# nothing\n", "granule plans 2\n", "granule plan 1\n"] {
            assert!(error(text).contains("granule plans 1"), "{text}");
        }
    }

    #[test]
    fn files_are_written_and_read() {
        let directory = std::env::temp_dir().join(format!("granule-plans-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("plans.txt");
        let plans = Plans::from_iter([(key(5), CHOICE)]);
        plans.write(&path).unwrap();
        assert_eq!(Plans::read(&path).as_ref(), Ok(&plans));
        std::fs::write(&path, "granule plans 1\nmap\n").unwrap();
        let bad = Plans::read(&path).unwrap_err().to_string();
        assert!(bad.contains("plans.txt") && bad.contains("line 2: "), "{bad}");
        for error in [Plans::read(directory.join("none")).unwrap_err(), plans.write(&directory).unwrap_err()] {
            assert!(error.to_string().contains(directory.to_str().unwrap()), "{error}");
        }
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
