//! The words of a text, counted: words are segments of its letters, their hashes are sorted, and runs of equal ones are added up.
//!
//! `cargo run --release --example word_count -- [text.txt] [--top 10] [--explain]`

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;

use granule::prelude::*;

#[path = "support/args.rs"]
mod args;
#[path = "support/backends.rs"]
mod backends;

use backends::{Bench, Verdict};

/// Whether a byte is part of a word: a letter, or any byte of a character that is not ASCII.
#[kernel]
fn is_letter(byte: u32) -> bool {
    let lower = byte | 32;
    (lower >= 97 && lower <= 122) || byte >= 128
}

/// Whether a word begins at this byte.
#[kernel]
fn begins(i: u32, bytes: &[u32]) -> bool {
    is_letter(bytes[i as usize]) && (i == 0 || !is_letter(bytes[i as usize - 1]))
}

/// The factor of the hash: odd, and of no pattern.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a byte does to a hash: multiply by the first, add the second. What is no letter does nothing, and a capital what its small
/// letter does.
#[kernel]
fn effect(byte: u32) -> (u64, u64) {
    let small = if byte >= 65 && byte <= 90 { byte + 32 } else { byte };
    if is_letter(byte) { (FACTOR, small as u64 + 1) } else { (1, 0) }
}

/// One after the other.
#[operator(identity = (1, 0))]
fn compose(a: (u64, u64), b: (u64, u64)) -> (u64, u64) {
    (a.0 * b.0, a.1 * b.0 + b.1)
}

/// The hash that the letters leave of 0, with its higher bits mixed into the lower ones.
#[kernel]
fn hash(effect: (u64, u64)) -> u64 {
    effect.1 ^ (effect.1 >> 29)
}

fn main() -> ExitCode {
    args::main("word_count", "[text] [--top 10] [--explain]", Options::read, count)
}

fn count(options: &Options) -> Result<(), String> {
    let text = std::fs::read(&options.text).map_err(|e| format!("{}: {e}", options.text.display()))?;
    let n = u32::try_from(text.len()).map_err(|_| format!("{} bytes are more than 2^32", text.len()))?;
    let engine = Engine::new().map_err(message)?;
    println!("granule on this machine");
    let mut bench = Bench::new(&engine, options.explain);
    println!("\nthe text: {}, {n} bytes", options.text.display());

    // The words as a plain loop finds them.
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte >= 128;
    let words: Vec<&[u8]> = text.split(|&byte| !letter(byte)).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return Err("there are no words in it".into());
    }
    let mut counted: HashMap<Vec<u8>, u32> = HashMap::new();
    words.iter().for_each(|word| *counted.entry(word.to_ascii_lowercase()).or_default() += 1);

    // 1. Where words begin: a selection of the places.
    let bytes = engine.array_from_vec(text.iter().map(|&byte| u32::from(byte)).collect());
    let at = |word: &&[u8]| (word.as_ptr().addr() - text.as_ptr().addr()) as u32;
    let want: Vec<u32> = words.iter().map(at).collect();
    let places = bench
        .step(
            "where words begin (filter)",
            text.len(),
            || engine.filter_flagged(iota(0..n), iota(0..n).map(begins::with(&bytes))),
            Array::into_vec,
            |_, got| Verdict::bits(got, &want),
        )
        .map_err(message)?;

    // 2. The hash of each word. A segment is a word with what follows it, up to the next; the first one has what precedes it, too.
    let offsets: Vec<u32> = std::iter::once(0).chain(places[1..].iter().copied()).chain([n]).collect();
    let offsets = engine.array_from_vec(offsets);
    let effects = || engine.segmented_reduce((&bytes).map(effect::with()), &offsets, compose::with());
    let plain = |word: &&[u8]| {
        let sum =
            word.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(FACTOR).wrapping_add(u64::from(byte.to_ascii_lowercase()) + 1));
        sum ^ (sum >> 29)
    };
    let want: Vec<u64> = words.iter().map(plain).collect();
    bench
        .step(
            "the hash of each word (segmented reduction)",
            text.len(),
            effects,
            |effects| Ok(effects.as_slice()?.iter().map(|&effect| hash(effect)).collect()),
            |_, got: &Vec<u64>| Verdict::bits(got, &want),
        )
        .map_err(message)?;
    let effects = effects().run().map_err(message)?;
    let hashes = engine.map(&effects, hash::with()).run().map_err(message)?;

    // 3. Equal words side by side, each with where it stands.
    let mut pairs: Vec<(u64, u32)> = want.iter().copied().zip(0..).collect();
    pairs.sort_by_key(|pair| pair.0);
    let numbers = iota(0..words.len() as u32);
    bench
        .step(
            "words in the order of their hashes (sort of pairs)",
            words.len(),
            || engine.sort_pairs(&hashes, numbers),
            |(hashes, numbers)| Ok(hashes.into_vec()?.into_iter().zip(numbers.into_vec()?).collect()),
            |_, got: &Vec<(u64, u32)>| Verdict::bits(got, &pairs),
        )
        .map_err(message)?;
    let (sorted, numbers) = engine.sort_pairs(&hashes, numbers).run().map_err(message)?;

    // 4. How many there are of each, and the first: two operators in one pass.
    let distinct = bench
        .step(
            "how often each word occurs, and where first (reduction by key)",
            words.len(),
            || engine.reduce_by_key(&sorted, zip(constant(1_u32), &numbers), (Sum, Min)),
            |(_, sums)| sums.into_vec(),
            |_, got: &Vec<(u32, u32)>| same_counts(got, &words, &counted),
        )
        .map_err(message)?;

    // 5. The most frequent ones.
    let counts: Vec<u32> = distinct.iter().map(|&(count, _)| count).collect();
    let firsts: Vec<u32> = distinct.iter().map(|&(_, first)| first).collect();
    let (counts, firsts) = engine.sort_pairs(&counts, &firsts).descending().run().map_err(message)?;
    let (counts, firsts) = (counts.into_vec().map_err(message)?, firsts.into_vec().map_err(message)?);
    println!("\n{} words, {} of them different; the most frequent:", words.len(), counts.len());
    for (count, first) in counts.iter().zip(firsts).take(options.top) {
        println!("  {count:>6}  {}", String::from_utf8_lossy(words[first as usize]).to_lowercase());
    }
    bench.finish()
}

/// Judges the counts of words, each of which is named by where it stands first.
fn same_counts(got: &[(u32, u32)], words: &[&[u8]], counted: &HashMap<Vec<u8>, u32>) -> Verdict {
    if got.len() != counted.len() {
        return Verdict::Wrong(format!("{} different words, not {}", got.len(), counted.len()));
    }
    let differs = got.iter().find(|&&(count, first)| counted.get(&words[first as usize].to_ascii_lowercase()) != Some(&count));
    match differs {
        None => Verdict::Same,
        Some(&(count, first)) => {
            let word = String::from_utf8_lossy(words[first as usize]);
            Verdict::Wrong(format!("{word:?} occurs {:?} times, not {count}", counted.get(&word.to_lowercase().into_bytes())))
        }
    }
}

fn message(error: Error) -> String {
    error.to_string()
}

/// The command line.
struct Options {
    text: PathBuf,
    top: usize,
    explain: bool,
}

impl Options {
    fn read(args: &mut pico_args::Arguments) -> Result<Options, pico_args::Error> {
        Ok(Options {
            top: args::number(args, "--top", 10, 0..=usize::MAX)?,
            explain: args.contains("--explain"),
            text: args::input(args, "README.md")?,
        })
    }
}
