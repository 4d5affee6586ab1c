//! What should run where: who is the fastest from which size on, by how much, and what the library chose.

use super::data::{BACKENDS, Case, Record};
use super::stats;
use super::words::{in_words, size};
use crate::catalogue::Unit;

/// How much faster than the fastest backend of the size before another one must be to take its place: less is noise.
const CLEARLY: f64 = 1.03;

/// An operation on a type, with the data in one place: what one chart shows. Wrong answers are left out.
#[derive(Debug)]
pub(crate) struct Group<'r> {
    /// Operation.
    pub(crate) op: &'r str,
    /// Element type.
    pub(crate) ty: &'r str,
    /// Where the data was.
    pub(crate) residency: &'r str,
    /// How the speed is read.
    pub(crate) unit: Unit,
    /// Numbers of elements, least first.
    pub(crate) sizes: Vec<u64>,
    /// All contenders at all sizes.
    pub(crate) cases: Vec<&'r Case>,
    /// The plain iterator on host data.
    std: Vec<&'r Case>,
}

/// Sizes at which the same backend is the fastest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stretch {
    /// The fastest.
    pub(crate) backend: &'static str,
    /// The first size that was measured.
    pub(crate) from: u64,
    /// The last one.
    pub(crate) to: u64,
    /// Where it overtook the one before: the last size before, and where the lines between cross in the logarithms.
    pub(crate) crossing: Option<(u64, f64)>,
}

/// All groups of a record, in its order of operations.
pub(crate) fn groups(record: &Record) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for case in record.cases.iter().filter(|case| case.verified) {
        let same = |g: &&mut Group<'_>| (g.op, g.ty, g.residency) == (&*case.op, &*case.ty, &*case.residency);
        match groups.iter_mut().find(same) {
            Some(group) => group.cases.push(case),
            None => groups.push(Group {
                op: &case.op,
                ty: &case.ty,
                residency: &case.residency,
                unit: case.unit,
                sizes: Vec::new(),
                cases: vec![case],
                std: Vec::new(),
            }),
        }
    }
    for group in &mut groups {
        group.sizes = group.cases.iter().map(|case| case.n).collect();
        group.sizes.sort_unstable();
        group.sizes.dedup();
        let is_std = |c: &&Case| (&*c.op, &*c.ty, &*c.residency, &*c.backend) == (group.op, group.ty, "host", "peer:std");
        group.std = record.cases.iter().filter(|case| case.verified).filter(is_std).collect();
    }
    // By operation, as the record has them first; then by type, the host before the GPU.
    let first = |op: &str| record.cases.iter().position(|case| case.op == op);
    groups.sort_by_key(|group| (first(group.op), group.ty, group.residency != "host"));
    groups
}

impl<'r> Group<'r> {
    /// The contenders, the library's first, then peers by name.
    pub(crate) fn contenders(&self) -> Vec<&'r str> {
        let mut names: Vec<&str> = self.cases.iter().map(|case| &*case.backend).collect();
        let rank = |name: &str| ["simd", "threads", "gpu", "auto"].iter().position(|known| *known == name).unwrap_or(4);
        names.sort_unstable_by_key(|name| (rank(name), *name));
        names.dedup();
        names
    }

    /// This contender at this size.
    pub(crate) fn at(&self, backend: &str, n: u64) -> Option<&'r Case> {
        self.cases.iter().copied().find(|case| case.n == n && case.backend == backend)
    }

    /// A backend of the library at this size: pinned, or else as `auto` shows it where that chose it.
    fn on(&self, backend: &str, n: u64) -> Option<&'r Case> {
        let chosen = || self.at("auto", n).filter(|auto| auto.chose.as_deref() == Some(backend));
        self.at(backend, n).or_else(chosen)
    }

    /// The library's fastest backend at this size.
    pub(crate) fn fastest(&self, n: u64) -> Option<(&'static str, &'r Case)> {
        let all = BACKENDS.into_iter().filter_map(|backend| Some((backend, self.on(backend, n)?)));
        all.min_by(|a, b| a.1.median.total_cmp(&b.1.median))
    }

    /// The fastest of the peers at this size.
    pub(crate) fn fastest_peer(&self, n: u64) -> Option<&'r Case> {
        let peers = self.cases.iter().copied().filter(|case| case.n == n && case.backend.starts_with("peer:"));
        peers.min_by(|a, b| a.median.total_cmp(&b.median))
    }

    /// How many times as fast as the plain iterator on host data it is.
    pub(crate) fn to_std(&self, case: &Case) -> Option<f64> {
        self.std.iter().find(|std| std.n == case.n).map(|std| std.median / case.median)
    }

    /// Who is the fastest from which size on. What leads by a little, or at one size alone, changes nothing.
    pub(crate) fn stretches(&self) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = Vec::new();
        for (index, &n) in self.sizes.iter().enumerate() {
            let Some((backend, fastest)) = self.fastest(n) else { continue };
            let Some(last) = stretches.last_mut() else {
                stretches.push(Stretch { backend, from: n, to: n, crossing: None });
                continue;
            };
            let times = |n| Some((self.on(backend, n)?.median, self.on(last.backend, n)?.median));
            let clearly = self.on(last.backend, n).is_none_or(|incumbent| incumbent.median > fastest.median * CLEARLY);
            let stays = self.sizes.get(index + 1).and_then(|&next| times(next)).is_none_or(|(new, old)| new <= old);
            if backend == last.backend || !clearly || !stays {
                last.to = n;
                continue;
            }
            let before = last.to;
            let crossing = self.crossing(last.backend, backend, before, n).map(|at| (before, at));
            stretches.push(Stretch { backend, from: n, to: n, crossing });
        }
        stretches
    }

    /// Where `new` overtakes `old` between two sizes, if their times between are powers of the size.
    fn crossing(&self, old: &str, new: &str, from: u64, to: u64) -> Option<f64> {
        let lead = |n| Some((self.on(new, n)?.median / self.on(old, n)?.median).ln());
        let (before, after) = (lead(from)?, lead(to)?);
        let part = if before > after { (before / (before - after)).clamp(0.0, 1.0) } else { 0.0 };
        let (from, to) = ((from as f64).ln(), (to as f64).ln());
        Some((from + part * (to - from)).exp())
    }

    /// The backend of the library with the best speed, at the size where it has that.
    pub(crate) fn best(&self) -> Option<(&'static str, &'r Case)> {
        let speed = |case: &Case| case.speed(case.median).unwrap_or(0.0);
        let fastest = self.sizes.iter().filter_map(|&n| self.fastest(n));
        fastest.max_by(|a, b| speed(a.1).total_cmp(&speed(b.1)))
    }

    /// The time of the library's choice over that of the fastest backend: the geometric mean over sizes.
    pub(crate) fn cost_of_choice(&self) -> Option<f64> {
        stats::geomean(self.sizes.iter().filter_map(|&n| self.cost_at(n)))
    }

    /// The same at one size; `None` if the fastest is known by that choice alone.
    pub(crate) fn cost_at(&self, n: u64) -> Option<f64> {
        let (_, fastest) = self.fastest(n)?;
        (fastest.backend != "auto").then_some(self.at("auto", n)?.median / fastest.median)
    }

    /// What the library chose, from which size on, and at how many sizes.
    pub(crate) fn choices(&self) -> Vec<(&'r str, u64, usize)> {
        let mut choices: Vec<(&str, u64, usize)> = Vec::new();
        for &n in &self.sizes {
            let Some(chose) = self.at("auto", n).and_then(|case| case.chose.as_deref()) else { continue };
            match choices.last_mut() {
                Some((last, _, count)) if *last == chose => *count += 1,
                _ => choices.push((chose, n, 1)),
            }
        }
        choices
    }
}

/// The measured roof: the bandwidth of the fastest copy by anybody, at the number of bytes that it moves.
pub(crate) fn roof(record: &Record, residency: &str) -> Vec<(u64, f64)> {
    let mut points: Vec<(u64, f64)> = Vec::new();
    let copies = record.cases.iter().filter(|case| case.verified && case.op == "copy" && case.residency == residency);
    for case in copies {
        let Some(bytes) = case.bytes else { continue };
        let speed = bytes as f64 / case.median / 1e9;
        match points.iter_mut().find(|(at, _)| *at == bytes) {
            Some((_, best)) => *best = best.max(speed),
            None => points.push((bytes, speed)),
        }
    }
    points.sort_by_key(|(bytes, _)| *bytes);
    points
}

/// What the whole record says of data in one place, a sentence each: which backend is mostly the fastest from which size on.
pub(crate) fn sentences(record: &Record, groups: &[Group<'_>]) -> Vec<String> {
    let mut residencies: Vec<&str> = groups.iter().map(|group| group.residency).collect();
    residencies.sort_unstable_by_key(|name| (*name != "host", *name));
    residencies.dedup();
    residencies.into_iter().filter_map(|residency| sentence(record, groups, residency)).collect()
}

fn sentence(record: &Record, groups: &[Group<'_>], residency: &str) -> Option<String> {
    let place = record.place(residency);
    let here: Vec<_> = groups.iter().filter(|group| group.residency == residency).collect();
    let who: Vec<&str> =
        BACKENDS.into_iter().filter(|name| here.iter().any(|g| g.sizes.iter().any(|&n| g.on(name, n).is_some()))).collect();
    if let [only] = who[..] {
        return Some(format!("Data on the {place}: only {} was measured there.", in_words(only)));
    }
    let mut sizes: Vec<u64> = here.iter().flat_map(|group| group.sizes.iter().copied()).collect();
    sizes.sort_unstable();
    sizes.dedup();
    // Who wins how many of the operations that were measured at this size.
    let majority = |n: u64| {
        let winners: Vec<_> = here
            .iter()
            .filter_map(|group| group.stretches().into_iter().find(|s| s.from <= n && n <= s.to && group.fastest(n).is_some()))
            .collect();
        let count = |name: &str| winners.iter().filter(|s| s.backend == name).count();
        let best = BACKENDS.into_iter().rev().max_by_key(|name| count(name))?;
        (count(best) > 0).then(|| (best, count(best), winners.len()))
    };
    let mut parts: Vec<(&str, u64, u64, usize, usize)> = Vec::new();
    for n in sizes {
        let Some((best, won, of)) = majority(n) else { continue };
        match parts.last_mut() {
            Some(last) if last.0 == best => (last.2, last.3, last.4) = (n, last.3 + won, last.4 + of),
            _ => parts.push((best, n, n, won, of)),
        }
    }
    let words: Vec<String> = parts
        .iter()
        .map(|&(best, from, to, won, of)| {
            let where_to = match (from == parts[0].1, to == parts[parts.len() - 1].2) {
                (true, true) => "at every size".to_owned(),
                (true, false) => format!("up to {} elements", size(to)),
                (false, true) => format!("from {}", size(from)),
                (false, false) if from == to => format!("at {}", size(from)),
                (false, false) => format!("from {} to {}", size(from), size(to)),
            };
            format!("{} {where_to} (fastest in {won} of {of} cases)", in_words(best))
        })
        .collect();
    (!words.is_empty()).then(|| format!("Data on the {place}: {}.", words.join("; ")))
}
