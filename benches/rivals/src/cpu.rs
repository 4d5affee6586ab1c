//! Libraries for one CPU: std, ndarray, rdst, radsort. They take slices and give host memory.

use serde_json::Value;

use crate::work::{BINS, LIMIT, SCALAR, Work};
use crate::{Entrant, absent};

/// What a library makes of some work, if it knows it.
type Compute = fn(&Work) -> Option<Vec<u32>>;

/// All that know this work; of the others is said that they do not.
pub(crate) fn entrants<'w>(work: &'w Work, residency: &'static str, not_run: &mut Vec<Value>) -> Vec<Entrant<'w>> {
    if residency != "host" {
        return Vec::new();
    }
    let rivals: [(&str, Compute); 4] =
        [("peer:std", std), ("peer:ndarray", ndarray), ("peer:rdst", rdst), ("peer:radsort", radsort)];
    let mut entrants = Vec::new();
    for (name, compute) in rivals {
        if !built(name) {
            not_run.push(absent(name, Some(work), "this program was built without it"));
        } else if !knows(name, work.op) {
            not_run.push(absent(name, Some(work), "it has no such operation"));
        } else {
            let answer = move || compute(work).ok_or_else(|| "it has no such operation".to_owned());
            let run = move || answer().map(|words| _ = std::hint::black_box(words));
            entrants.push(Entrant { name: name.to_owned(), run: Box::new(run), answer: Box::new(answer) });
        }
    }
    entrants
}

fn built(name: &str) -> bool {
    match name {
        "peer:ndarray" => cfg!(feature = "ndarray"),
        "peer:rdst" => cfg!(feature = "rdst"),
        "peer:radsort" => cfg!(feature = "radsort"),
        _ => true,
    }
}

fn knows(name: &str, op: &str) -> bool {
    match name {
        "peer:ndarray" => matches!(op, "triad" | "dot" | "reduce_sum" | "scan_inclusive_sum"),
        "peer:rdst" | "peer:radsort" => matches!(op, "sort_keys" | "sort_pairs"),
        _ => true,
    }
}

fn std(work: &Work) -> Option<Vec<u32>> {
    let Work { x, y, keys, values, .. } = work;
    Some(match (work.op, work.ty) {
        ("triad", _) => bytemuck::cast_vec(x.iter().zip(y).map(|(x, y)| x + SCALAR * y).collect::<Vec<f32>>()),
        ("dot", _) => vec![x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>().to_bits()],
        ("reduce_sum", "f32") => vec![x.iter().sum::<f32>().to_bits()],
        ("reduce_sum", _) => vec![keys.iter().sum()],
        ("scan_inclusive_sum", _) => {
            let next = |sum: &mut u32, key: &u32| {
                *sum = sum.wrapping_add(*key);
                Some(*sum)
            };
            keys.iter().scan(0, next).collect()
        }
        ("histogram", _) => {
            let mut counts = vec![0; BINS];
            keys.iter().for_each(|key| counts[*key as usize] += 1);
            counts
        }
        ("filter", _) => keys.iter().copied().filter(|key| *key < LIMIT).collect(),
        ("sort_keys", _) => {
            let mut keys = keys.clone();
            keys.sort_unstable();
            keys
        }
        _ => pairs(keys, values, |pairs| pairs.sort_by_key(|pair| pair.0)),
    })
}

/// Keys with their values through a sort of pairs.
fn pairs(keys: &[u32], values: &[u32], sort: impl FnOnce(&mut [(u32, u32)])) -> Vec<u32> {
    let mut pairs: Vec<(u32, u32)> = keys.iter().copied().zip(values.iter().copied()).collect();
    sort(&mut pairs);
    pairs.iter().map(|pair| pair.0).chain(pairs.iter().map(|pair| pair.1)).collect()
}

#[cfg(feature = "ndarray")]
fn ndarray(work: &Work) -> Option<Vec<u32>> {
    use ndarray::{Array1, ArrayView1, Axis};
    let (x, y, keys) = (ArrayView1::from(&work.x[..]), ArrayView1::from(&work.y[..]), ArrayView1::from(&work.keys[..]));
    Some(match (work.op, work.ty) {
        ("triad", _) => {
            let out: Array1<f32> = ndarray::Zip::from(x).and(y).map_collect(|x, y| x + SCALAR * y);
            bytemuck::cast_vec(out.into_raw_vec_and_offset().0)
        }
        ("dot", _) => vec![x.dot(&y).to_bits()],
        ("reduce_sum", "f32") => vec![x.sum().to_bits()],
        ("reduce_sum", _) => vec![keys.sum()],
        _ => {
            let mut out = keys.to_owned();
            out.accumulate_axis_inplace(Axis(0), |before, now| *now = now.wrapping_add(*before));
            out.into_raw_vec_and_offset().0
        }
    })
}

#[cfg(not(feature = "ndarray"))]
fn ndarray(_: &Work) -> Option<Vec<u32>> {
    None
}

#[cfg(feature = "rdst")]
fn rdst(work: &Work) -> Option<Vec<u32>> {
    use rdst::{RadixKey, RadixSort};

    #[derive(Clone, Copy)]
    struct Pair(u32, u32);

    impl RadixKey for Pair {
        const LEVELS: usize = 8;

        /// Values break ties, which makes an unstable sort give the order of a stable one only where keys are all different: so the place
        /// is what breaks them.
        fn get_level(&self, level: usize) -> u8 {
            if level < 4 { (self.1 >> (8 * level)) as u8 } else { (self.0 >> (8 * (level - 4))) as u8 }
        }
    }

    if work.op == "sort_keys" {
        let mut keys = work.keys.clone();
        keys.radix_sort_unstable();
        return Some(keys);
    }
    let mut pairs: Vec<Pair> = (0..).zip(&work.keys).map(|(place, key)| Pair(*key, place)).collect();
    pairs.radix_sort_unstable();
    Some(pairs.iter().map(|pair| pair.0).chain(pairs.iter().map(|pair| work.values[pair.1 as usize])).collect())
}

#[cfg(not(feature = "rdst"))]
fn rdst(_: &Work) -> Option<Vec<u32>> {
    None
}

#[cfg(feature = "radsort")]
fn radsort(work: &Work) -> Option<Vec<u32>> {
    if work.op == "sort_keys" {
        let mut keys = work.keys.clone();
        radsort::sort(&mut keys);
        return Some(keys);
    }
    Some(pairs(&work.keys, &work.values, |pairs| radsort::sort_by_key(pairs, |pair| pair.0)))
}

#[cfg(not(feature = "radsort"))]
fn radsort(_: &Work) -> Option<Vec<u32>> {
    None
}
