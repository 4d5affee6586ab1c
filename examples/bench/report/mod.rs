//! Reports: what a record says, as a page, as CSV and as Markdown, and records beside each other.
//!
//! Everything is made from the JSON of a record and nothing else, so a record of any day and machine gives the same page as a run
//! that has just ended.

pub(crate) mod advice;
pub(crate) mod chart;
pub(crate) mod compare;
pub(crate) mod csv;
pub(crate) mod data;
pub(crate) mod html;
pub(crate) mod markdown;
pub(crate) mod notes;
mod regret;
mod roofline;
mod speed;
pub(crate) mod stats;
mod summary;
mod words;

use std::path::{Path, PathBuf};

use compare::Comparison;
use data::Record;

/// Options of a run, and commands of their own.
pub(crate) const USAGE: &str =
    "  --html FILE        write a page with summary, charts and tables to FILE, to look at in a browser
  --csv FILE         write a line for each case to FILE
  --markdown FILE    write summary and tables as Markdown to FILE

usage: ... -- report RECORD.json [--html FILE] [--csv FILE] [--markdown FILE]
       the same from a record of any earlier run

usage: ... -- compare FIRST.json OTHER.json [MORE.json] [--threshold 5%] [--html FILE]
       ratios of medians to the first record, with intervals; exit code 1 if the library is slower by more than the threshold,
       beyond doubt";

/// Where reports go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outputs {
    html: Option<PathBuf>,
    csv: Option<PathBuf>,
    markdown: Option<PathBuf>,
}

impl Outputs {
    /// Takes an option of these, with its value. Whether it is one.
    pub(crate) fn take(&mut self, option: &str, value: impl FnOnce() -> Result<String, String>) -> Result<bool, String> {
        let file = match option {
            "--html" => &mut self.html,
            "--csv" => &mut self.csv,
            "--markdown" => &mut self.markdown,
            _ => return Ok(false),
        };
        *file = Some(value()?.into());
        Ok(true)
    }

    /// Whether a report is asked for.
    pub(crate) fn any(&self) -> bool {
        self.html.is_some() || self.csv.is_some() || self.markdown.is_some()
    }

    /// Writes the reports of a record.
    pub(crate) fn write(&self, record: &Record) -> Result<(), String> {
        let save_if = |path: &Option<PathBuf>, make: fn(&Record) -> String| match path {
            Some(path) => save(path, &make(record), "report"),
            None => Ok(()),
        };
        save_if(&self.html, html::report)?;
        save_if(&self.csv, csv::csv)?;
        save_if(&self.markdown, markdown::markdown)
    }
}

/// Writes a file, and its folder where that is missing, and says so.
pub(crate) fn save(path: &Path, text: &str, what: &str) -> Result<(), String> {
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    folder.and_then(|()| std::fs::write(path, text)).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{what} written to {}", path.display());
    Ok(())
}

/// What came of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Fine,
    /// A record is slower than the first, or wrong.
    Regressed,
}

/// `report` and `compare`, if the arguments name one of them. The error says how it is used.
pub(crate) fn command(args: &[String]) -> Option<Result<Outcome, String>> {
    match args.first()?.as_str() {
        "report" => Some(report(&args[1..])),
        "compare" => Some(compare(&args[1..])),
        _ => None,
    }
}

fn report(args: &[String]) -> Result<Outcome, String> {
    let (mut outputs, mut files) = (Outputs::default(), Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let value = || args.next().cloned().ok_or(format!("{arg} needs a value"));
        if !outputs.take(arg, value)? {
            files.push(file(arg)?);
        }
    }
    let [path] = &files[..] else { return Err(format!("report takes one record, not {}", files.len())) };
    let record = read(path)?;
    if outputs.any() {
        outputs.write(&record)?;
    } else {
        print!("{}", markdown::markdown(&record));
    }
    Ok(Outcome::Fine)
}

fn compare(args: &[String]) -> Result<Outcome, String> {
    let (mut page, mut threshold, mut files) = (None, 0.05, Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--html" => page = Some(PathBuf::from(value()?)),
            "--threshold" => threshold = percent(value()?)?,
            other => files.push(file(other)?),
        }
    }
    if files.len() < 2 {
        return Err(format!("compare takes two records or more, not {}", files.len()));
    }
    let records: Vec<Record> = files.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
    let comparisons: Vec<_> = records[1..].iter().map(|other| Comparison::of(&records[0], other, threshold)).collect();
    for comparison in &comparisons {
        println!("{}", comparison.text());
    }
    println!("{}", compare::method());
    if let Some(path) = page {
        save(&path, &compare::page(&comparisons), "report")?;
    }
    Ok(if comparisons.iter().any(Comparison::regressed) { Outcome::Regressed } else { Outcome::Fine })
}

fn file(arg: &str) -> Result<PathBuf, String> {
    if arg.starts_with('-') { Err(format!("{arg}: no such option")) } else { Ok(arg.into()) }
}

fn read(path: &Path) -> Result<Record, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Record::parse(&path.display().to_string(), &text)
}

/// `5%` or `0.05`, as a part.
fn percent(text: &str) -> Result<f64, String> {
    let (digits, whole) = text.strip_suffix('%').map_or((text, 1.0), |digits| (digits, 100.0));
    let part = digits.parse::<f64>().ok().map(|number| number / whole);
    part.filter(|part| (0.0..10.0).contains(part)).ok_or(format!("--threshold {text}: a part is accepted, such as 5% or 0.05"))
}
