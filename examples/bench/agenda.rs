//! What a run measures, and in which order: where time is short, what says most of a machine comes first.

use std::time::Duration;

use serde_json::{Value, json};

use crate::catalogue::{OPS, Op};
use crate::groups::Residency;
use crate::options::{Options, QUICK_SIZES};
use crate::record::Place;
use crate::table::size;

/// Operations that say most of a machine, each on the first of its types: streams, arithmetic, reductions, scans, what moves, sorts. What takes
/// longest comes last.
const TELLING: [&str; 14] = [
    "copy",
    "triad",
    "dot",
    "map_exp_sin",
    "map_mandelbrot",
    "reduce_sum",
    "scan_inclusive_sum",
    "histogram",
    "stencil_2d",
    "transpose",
    "filter",
    "segmented_reduce",
    "sort_keys",
    "matmul",
];

/// Where the sizes of a quick run end on a software adapter.
const LARGEST_IN_SOFTWARE: usize = 1 << 16;

/// How often each group is measured, with all the others in between: the medians of passes are the samples that runs are compared by.
pub(crate) const PASSES: usize = 6;

/// An operation on so many elements of a type, in one place: contenders that take turns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) op: &'static Op,
    pub(crate) ty: &'static str,
    pub(crate) n: usize,
    pub(crate) residency: Residency,
    /// Whether a GPU takes part.
    pub(crate) gpu: bool,
}

impl Group {
    /// For the process that measures it.
    pub(crate) fn to_json(self) -> Value {
        let Group { op, ty, n, residency, gpu } = self;
        json!({ "op": op.name, "type": ty, "n": n, "residency": residency.name(), "with_gpu": gpu })
    }

    /// From what [`Group::to_json`] made of it.
    pub(crate) fn from_json(json: &Value) -> Option<Group> {
        let Place { op, ty, n, residency } = Place::from_json(json)?;
        let residency = if residency == Residency::Gpu.name() { Residency::Gpu } else { Residency::Host };
        Some(Group { op, ty, n, residency, gpu: json["with_gpu"].as_bool()? })
    }
}

/// All groups of a run by their rank, the most telling ones first.
pub(crate) struct Agenda {
    ranks: [Vec<Group>; 3],
}

impl Agenda {
    /// What these options ask for, and what of it a GPU does not take part in, as records have it: in a quick run one in software does
    /// what it does soon.
    pub(crate) fn new(options: &Options, gpu: bool, software: bool) -> (Agenda, Vec<Value>) {
        let limited = options.time_budget().is_some();
        let reduced = gpu && software && options.quick && options.ops.is_empty() && options.sizes.is_empty();
        let reason = format!(
            "a software adapter is slow, so a quick run has it do {} operations, on up to {} elements (--ops and --sizes name others)",
            TELLING.len(),
            size(LARGEST_IN_SOFTWARE)
        );
        let (mut ranks, mut not_run): ([Vec<Group>; 3], _) = (Default::default(), Vec::new());
        for n in options.sizes() {
            for ty in ["f32", "u32"] {
                for op in OPS.iter().filter(|op| options.wants_op(op.name)) {
                    let has = if ty == "u32" { op.on_u32 } else { op.on_f32 };
                    if !has || (n > op.largest && options.sizes.is_empty()) {
                        continue;
                    }
                    let telling = TELLING.contains(&op.name) && (ty == "f32" || !op.on_f32);
                    let too_slow = reduced && (n > LARGEST_IN_SOFTWARE || !telling);
                    if too_slow {
                        not_run.push(json!({ "backend": "gpu", "op": op.name, "type": ty, "n": n, "reason": reason }));
                    }
                    let gpu = gpu && !too_slow;
                    let rank = match (limited, QUICK_SIZES.contains(&n) || options.quick) {
                        (false, _) => 0,
                        (true, true) => usize::from(!telling),
                        (true, false) => 2,
                    };
                    let place = |residency| Group { op, ty, n, residency, gpu };
                    ranks[rank].push(place(Residency::Host));
                    if gpu {
                        ranks[rank].push(place(Residency::Gpu));
                    }
                }
            }
        }
        for rank in &mut ranks {
            let at = |group: &Group| TELLING.iter().position(|name| *name == group.op.name);
            if limited {
                rank.sort_by_key(|group| (group.n, at(group)));
            }
        }
        (Agenda { ranks }, not_run)
    }

    /// How many groups are to be measured, counting each pass.
    pub(crate) fn len(&self) -> usize {
        PASSES * self.ranks.iter().map(Vec::len).sum::<usize>()
    }

    /// What is measured first: all of it once, but for what comes only if time is left.
    pub(crate) fn first(&self) -> Vec<Group> {
        self.ranks[..2].concat()
    }

    /// What is measured then, pass by pass, if the first took so long, and so much time is left. If that is not enough for all passes, the
    /// most telling groups get theirs first.
    pub(crate) fn rest(&self, took: Duration, left: Option<Duration>) -> Vec<Vec<Group>> {
        let again = PASSES - 1;
        let enough = left.is_none_or(|left| took * again as u32 <= left);
        let mut passes = if enough {
            vec![self.first(); again]
        } else {
            [vec![self.ranks[0].clone(); again], vec![self.ranks[1].clone(); again]].concat()
        };
        passes.extend(vec![self.ranks[2].clone(); PASSES]);
        passes.retain(|groups| !groups.is_empty());
        passes
    }

    /// What was never measured, since the run ended before, as records have it.
    pub(crate) fn missed(&self, measured: impl Fn(&Group) -> bool, reason: &str) -> Vec<Value> {
        let missed = self.ranks.iter().flatten().filter(|group| !measured(group));
        let entry = |group: &Group| {
            json!({
                "backend": "all", "op": group.op.name, "type": group.ty, "n": group.n, "residency": group.residency.name(),
                "reason": reason,
            })
        };
        missed.map(entry).collect()
    }
}
