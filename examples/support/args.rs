//! The command line of an example, and its end.
#![allow(dead_code, reason = "each example uses its part")]

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use pico_args::{Arguments, Error};

/// Reads the options, runs, and says on stderr what went wrong. `usage` is what `--help` prints after the program's name.
pub(crate) fn main<O>(
    name: &str,
    usage: &str,
    options: impl FnOnce(&mut Arguments) -> Result<O, Error>,
    run: impl FnOnce(&O) -> Result<(), String>,
) -> ExitCode {
    let mut args = Arguments::from_env();
    if args.contains(["-h", "--help"]) {
        println!("{name} {usage}");
        return ExitCode::SUCCESS;
    }
    let read = options(&mut args).map_err(|error| error.to_string());
    let left = args.finish();
    let read = match left.first() {
        Some(other) => Err(format!("{} is not an option: {usage}", other.display())),
        None => read,
    };
    match read.and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{name}: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The number after this flag, which must be in this range.
pub(crate) fn number<T: FromStr<Err: Display> + PartialOrd + Display>(
    args: &mut Arguments,
    flag: &'static str,
    default: T,
    range: RangeInclusive<T>,
) -> Result<T, Error> {
    match args.opt_value_from_str(flag)? {
        None => Ok(default),
        Some(number) if range.contains(&number) => Ok(number),
        Some(number) => {
            let cause = format!("{flag} takes a number from {} to {}, not {number}", range.start(), range.end());
            Err(Error::ArgumentParsingFailed { cause })
        }
    }
}

/// The path after this flag.
pub(crate) fn path(args: &mut Arguments, flag: &'static str, default: &str) -> Result<PathBuf, Error> {
    let parse = |path: &std::ffi::OsStr| Ok::<_, String>(PathBuf::from(path));
    Ok(args.opt_value_from_os_str(flag, parse)?.unwrap_or_else(|| default.into()))
}

/// What stands alone; else this file of the project.
pub(crate) fn input(args: &mut Arguments, default: &str) -> Result<PathBuf, Error> {
    let parse = |path: &std::ffi::OsStr| match path.to_string_lossy() {
        flag if flag.starts_with('-') => Err(format!("{flag} is not an option; see --help")),
        _ => Ok(PathBuf::from(path)),
    };
    let given = args.opt_free_from_os_str(parse)?;
    Ok(given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(default)))
}
