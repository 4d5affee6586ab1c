//! Lines of `key=value` pairs: the form of plans, of plan files and of the cache.

use std::str::FromStr;

use super::{Backend, Choice};

/// What is wrong with a text: what was found, and what is accepted there.
#[derive(Debug)]
pub(crate) struct Bad(String);

impl std::fmt::Display for Bad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Bad {
    pub(crate) fn new(what: &str, value: &str, accepted: &str) -> Bad {
        Bad(format!("{what} is `{value}`, expected {accepted}"))
    }
}

/// The `key=value` pairs of a line, separated by spaces.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a str);

impl<'a> Fields<'a> {
    /// The value of this key, if the line has it.
    pub(crate) fn find(&self, key: &str) -> Option<&'a str> {
        self.0.split_whitespace().find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
    }

    pub(crate) fn text(&self, key: &str) -> Result<&'a str, Bad> {
        self.find(key).ok_or_else(|| Bad::new("a line", self.0, &format!("`{key}=...` in it")))
    }

    pub(crate) fn get<T: FromStr>(&self, key: &str) -> Result<T, Bad> {
        let value = self.text(key)?;
        value.parse().map_err(|_| Bad::new(key, value, std::any::type_name::<T>()))
    }

    /// A hash: sixteen hexadecimal digits.
    pub(crate) fn hash(&self, key: &str) -> Result<u64, Bad> {
        let value = self.text(key)?;
        let digits = value.len() == 16 && value.bytes().all(|b| b.is_ascii_hexdigit());
        let parsed = if digits { u64::from_str_radix(value, 16).ok() } else { None };
        parsed.ok_or_else(|| Bad::new(key, value, "sixteen hexadecimal digits"))
    }

    pub(crate) fn backend(&self, key: &str) -> Result<Backend, Bad> {
        let value = self.text(key)?;
        let known = Backend::ALL.into_iter().find(|b| b.to_string() == value);
        known.ok_or_else(|| Bad::new(key, value, "simd, threads or gpu"))
    }

    /// A choice of this adapter.
    pub(crate) fn choice(&self, gpu: usize) -> Result<Choice, Bad> {
        Choice { backend: self.backend("backend")?, workers: self.get("workers")?, grain: self.get("grain")?, gpu }.check()
    }
}
