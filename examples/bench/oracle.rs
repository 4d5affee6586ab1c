//! The inputs, and what the answers must be: plain iterators, sums of floats in f64.

use std::rc::Rc;

use granule::element::Complex;

use crate::stage::{Arithmetic, CheckAll, CheckOne};

/// Half a unit in the last place of 1.0_f32.
const HALF_ULP: f64 = 1.0 / (1 << 24) as f64;

/// Pseudo-random 64-bit numbers (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
fn random(seed: u64) -> impl Iterator<Item = u64> {
    (1..).map(move |i: u64| {
        let mut z = seed.wrapping_add(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// Where the one largest element is put, so that an argmax has one answer whatever an implementation does with ties.
fn peak(n: usize) -> usize {
    n / 7 * 5
}

/// Keys whose bits are all random.
pub(crate) fn keys(n: usize, seed: u64) -> Vec<u32> {
    random(seed).take(n).map(|r| (r >> 32) as u32).collect()
}

/// Floats in [-1, 1), with a mean of zero: a running sum in f32 of positive numbers stops growing at 2^24, and would be compared
/// with nothing. One element is 1.5.
pub(crate) fn floats(n: usize, seed: u64) -> Vec<f32> {
    let mut x: Vec<f32> = random(seed).take(n).map(|r| (r >> 40) as f32 / (1 << 23) as f32 - 1.0).collect();
    if let Some(x) = x.get_mut(peak(n)) {
        *x = 1.5;
    }
    x
}

/// Integers below 16, so that no sum of two and no total overflows below 2^28 elements. One element is 1000.
pub(crate) fn integers(n: usize, seed: u64) -> Vec<u32> {
    let mut x: Vec<u32> = random(seed).take(n).map(|r| (r >> 60) as u32).collect();
    if let Some(x) = x.get_mut(peak(n)) {
        *x = 1000;
    }
    x
}

/// Offsets of segments of `n` elements, whose lengths follow a power law: 16 in the mean, one in six empty, few of them long.
pub(crate) fn offsets(n: usize) -> Vec<u32> {
    let mut offsets = vec![0];
    let mut at = 0;
    for r in random(5) {
        let u = (r >> 11) as f64 / (1_u64 << 53) as f64;
        at += (8.0 * ((1.0 - u).powf(-2.0 / 3.0) - 1.0)) as usize;
        offsets.push(at.min(n) as u32);
        if at >= n {
            break;
        }
    }
    offsets
}

/// Columns of a matrix of `n` columns and as many entries.
pub(crate) fn columns(n: usize) -> Vec<u32> {
    random(6).take(n).map(|r| (r % n as u64) as u32).collect()
}

/// Keys in runs, which are 8 long in the mean.
pub(crate) fn runs(n: usize) -> Vec<u32> {
    let mut key = 0;
    let next = |r: u64| {
        key += u32::from(r >> 61 == 0);
        key
    };
    random(7).take(n).map(next).collect()
}

/// The sums of these segments of terms.
pub(crate) fn sums_of<'g>(offsets: &'g [u32], term: impl Fn(usize) -> f64 + 'g) -> CheckAll<'g, f32> {
    let sums: Vec<(f64, f64)> = offsets
        .windows(2)
        .map(|pair| (pair[0]..pair[1]).map(|i| term(i as usize)).fold((0.0, 0.0), |(s, m), x| (s + x, m + x.abs())))
        .collect();
    let sums = Rc::new(sums);
    let expected = sums.clone();
    floats_near(
        move |i| expected[i].0,
        // Every term is rounded, and each is added so many times at most.
        move |i, _| rounding(1 + (offsets[i + 1] - offsets[i]) as usize) * sums[i].1,
    )
}

/// Numbers of 256 bins.
pub(crate) fn bins(n: usize) -> Vec<u32> {
    random(4).take(n).map(|r| (r >> 56) as u32).collect()
}

/// How often each of 256 numbers occurs.
pub(crate) fn counts_of<'g>(numbers: impl Iterator<Item = usize>) -> CheckAll<'g, u32> {
    let mut counts = vec![0_u32; 256];
    numbers.for_each(|bin| counts[bin] += 1);
    integers_are(move |i| counts[i])
}

/// Floats in [-3, 3]: inside the range in which WGSL bounds the error of `sin`.
pub(crate) fn angles(n: usize) -> Vec<f32> {
    floats(n, 3).into_iter().map(|x| x.min(1.0) * 3.0).collect()
}

/// The points of a grid over [-2.2, 0.8] x [-1.2, 1.2], row by row.
pub(crate) fn points(n: usize) -> (Vec<f32>, Vec<f32>) {
    let width = (n as f64).sqrt().ceil().max(1.0) as usize;
    let along = |k: usize, from: f32, span: f32| from + span * (k as f32 / width as f32);
    ((0..n).map(|i| along(i % width, -2.2, 3.0)).collect(), (0..n).map(|i| along(i / width, -1.2, 2.4)).collect())
}

/// Every element is what it must be, to the bit. On a GPU, whose driver may contract a product and a sum, the difference may be
/// `slack(i)`.
pub(crate) fn floats_are<'g>(expected: impl Fn(usize) -> f32 + 'g, slack: impl Fn(usize) -> f64 + 'g) -> CheckAll<'g, f32> {
    Rc::new(move |out, arithmetic| {
        every(out, &expected, |i, got, want| {
            got.to_bits() == want.to_bits()
                || (arithmetic == Arithmetic::Gpu && (f64::from(got) - f64::from(want)).abs() <= slack(i))
        })
    })
}

/// Every product of complex numbers is what its four products make. A GPU's driver may round two of them once less.
pub(crate) fn complex_products_of<'g>(x: &'g [Complex<f32>], y: &'g [Complex<f32>]) -> CheckAll<'g, Complex<f32>> {
    let parts = |a: Complex<f32>, b: Complex<f32>| [[a.re * b.re, -(a.im * b.im)], [a.re * b.im, a.im * b.re]];
    let expected = move |i: usize| {
        let [re, im] = parts(x[i], y[i]).map(|[a, b]| a + b);
        Complex { re, im }
    };
    Rc::new(move |out, arithmetic| {
        every(out, expected, |i, got: Complex<f32>, want| {
            let exact = [(got.re, want.re), (got.im, want.im)].map(|(got, want)| got.to_bits() == want.to_bits());
            let slack = parts(x[i], y[i]).map(|[a, b]| f32::EPSILON * (a.abs() + b.abs()));
            exact == [true; 2]
                || arithmetic == Arithmetic::Gpu && (got.re - want.re).abs() <= slack[0] && (got.im - want.im).abs() <= slack[1]
        })
    })
}

/// Every integer is what it must be.
pub(crate) fn integers_are<'g>(expected: impl Fn(usize) -> u32 + 'g) -> CheckAll<'g, u32> {
    Rc::new(move |out, _| every(out, &expected, |_, got, want| got == want))
}

/// Every element is within the bound of its f64 value.
pub(crate) fn floats_near<'g>(
    expected: impl Fn(usize) -> f64 + 'g,
    bound: impl Fn(usize, Arithmetic) -> f64 + 'g,
) -> CheckAll<'g, f32> {
    Rc::new(move |out, arithmetic| {
        every(out, |i| expected(i) as f32, |i, got, _| (f64::from(got) - expected(i)).abs() <= bound(i, arithmetic))
    })
}

/// Philox 4x32-10 (Salmon and others 2011) as a plain loop: a block of stream 0.
pub(crate) fn philox(seed: u64, block: usize) -> [u32; 4] {
    let mut c = [block as u32, (block as u64 >> 32) as u32, 0, 0];
    let mut key = [seed as u32, (seed >> 32) as u32];
    for _ in 0..10 {
        let (p, q) = (0xD251_1F53_u64 * u64::from(c[0]), 0xCD9E_8D57_u64 * u64::from(c[2]));
        c = [(q >> 32) as u32 ^ c[1] ^ key[0], q as u32, (p >> 32) as u32 ^ c[3] ^ key[1], p as u32];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    c
}

/// Normal numbers that are the quantiles of a seed's words: those that the words' own order gives, with their mean and variance.
pub(crate) fn normal_words<'g>(seed: u64) -> CheckAll<'g, f32> {
    let moments = normal_moments();
    Rc::new(move |out, arithmetic| {
        // The sign is the highest bit, and the magnitude falls with the others: neighbours show it if their words lie well apart.
        let words: Vec<u32> = (0..out.len()).map(|i| philox(seed, i / 4)[i % 4]).collect();
        for (i, (x, word)) in out.iter().zip(&words).enumerate() {
            if x.is_nan() || (*x < 0.0) != (word >> 31 == 1) {
                return Err(format!("element {i} is {x}, of the word {word:#x}"));
            }
        }
        for (i, (x, word)) in out.windows(2).zip(words.windows(2)).enumerate() {
            let rest = |word: u32| word << 1;
            if rest(word[0]).abs_diff(rest(word[1])) > 1 << 16 && (x[0].abs() < x[1].abs()) != (rest(word[0]) > rest(word[1])) {
                return Err(format!("elements {i} and {} are {} and {}, of the words {word:x?}", i + 1, x[0], x[1]));
            }
        }
        moments(out, arithmetic)
    })
}

/// Normal numbers, by their mean and variance: within six standard errors.
pub(crate) fn normal_moments<'g>() -> CheckAll<'g, f32> {
    Rc::new(|out, _| {
        let n = out.len() as f64;
        let mean = out.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let variance = out.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>() / n;
        if mean.abs() <= 6.0 / n.sqrt() && (variance - 1.0).abs() <= 6.0 * (2.0 / n).sqrt() {
            Ok(())
        } else {
            Err(format!("{n} numbers have mean {mean} and variance {variance}"))
        }
    })
}

/// exp(x) * sin(x). On the CPU both functions and the product are within 4 ulp; WGSL allows exp 3 + 2|x| ulp and sin an absolute
/// error of 2^-11.
pub(crate) fn exp_sin_of(x: &[f32]) -> CheckAll<'_, f32> {
    let value = |x: f32| f64::from(x).exp() * f64::from(x).sin();
    floats_near(
        move |i| value(x[i]),
        move |i, arithmetic| {
            let x64 = f64::from(x[i]);
            let relative = if arithmetic == Arithmetic::Gpu { 4.0 + 2.0 * x64.abs() } else { 12.0 };
            let absolute = if arithmetic == Arithmetic::Gpu { 1.0 / 2048.0 } else { 4.0 * HALF_ULP * HALF_ULP };
            2.0 * HALF_ULP * relative * value(x[i]).abs() + absolute * x64.exp()
        },
    )
}

/// Step counts: the same everywhere on the CPU. A contracted product moves points at the rim of the set by a few steps or many, so
/// on a GPU one point in fifty may differ.
pub(crate) fn steps_are<'g>(expected: Vec<u32>) -> CheckAll<'g, u32> {
    Rc::new(move |out, arithmetic| {
        let differ = out.iter().zip(&expected).filter(|(got, want)| got != want).count();
        let allowed = if arithmetic == Arithmetic::Gpu { expected.len().div_ceil(50) } else { 0 };
        if out.len() == expected.len() && differ <= allowed {
            Ok(())
        } else {
            Err(format!("{differ} of {} step counts are wrong, {allowed} may be", expected.len()))
        }
    })
}

/// The inclusive scan of floats, in f64. The bound is that of a running sum, since the order of a float scan is the backend's own.
pub(crate) fn prefixes_of(x: &[f32]) -> CheckAll<'_, f32> {
    Rc::new(move |out, _| {
        if out.len() != x.len() {
            return Err(format!("{} elements instead of {}", out.len(), x.len()));
        }
        let (mut sum, mut magnitude) = (0.0, 0.0);
        for (i, (&x, &got)) in x.iter().zip(out).enumerate() {
            sum += f64::from(x);
            magnitude += f64::from(x).abs();
            let bound = rounding(i + 1) * magnitude;
            let is_near = (f64::from(got) - sum).abs() <= bound;
            if !is_near {
                return Err(format!("element {i} is {got}, not {sum} within {bound:.3e}"));
            }
        }
        Ok(())
    })
}

/// The inclusive scan of integers.
pub(crate) fn integer_prefixes_of(x: &[u32]) -> CheckAll<'_, u32> {
    Rc::new(move |out, _| {
        let mut sum = 0_u32;
        for (i, &x) in x.iter().enumerate() {
            sum = sum.wrapping_add(x);
            if out.get(i) != Some(&sum) {
                return Err(format!("element {i} is {:?}, not {sum}", out.get(i)));
            }
        }
        Ok(())
    })
}

/// The sum of these terms. A sum in the library's order adds every term 39 times or fewer a level (32 rows, then 7 halvings), with
/// a factor of 4096 between levels; a running sum adds up to n times.
pub(crate) fn sum_of<'g>(n: usize, terms: impl Iterator<Item = f64>) -> CheckOne<'g, f32> {
    let (sum, magnitude) = terms.fold((0.0, 0.0), |(s, m), x| (s + x, m + x.abs()));
    Rc::new(move |got: f32, arithmetic| {
        let depth = match arithmetic {
            Arithmetic::Running => n,
            _ => 1 + 39 * (n.max(2) as f64).log(4096.0).ceil() as usize,
        };
        let bound = rounding(depth) * magnitude;
        if (f64::from(got) - sum).abs() <= bound { Ok(()) } else { Err(format!("{got}, not {sum} within {bound:.3e}")) }
    })
}

/// The keys in order with their values, by std's stable sort.
pub(crate) fn sorted_pairs(keys: &[u32], values: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut pairs: Vec<(u32, u32)> = keys.iter().copied().zip(values.iter().copied()).collect();
    pairs.sort_by_key(|pair| pair.0);
    pairs.into_iter().unzip()
}

/// Exactly these pairs.
pub(crate) fn pairs_are<'g>(want: (Vec<u32>, Vec<u32>)) -> CheckOne<'g, (Vec<u32>, Vec<u32>)> {
    Rc::new(move |got, _| {
        // Of a partition they need not be equally many.
        for (part, got, want) in [("first", &got.0, &want.0), ("second", &got.1, &want.1)] {
            if got.len() != want.len() {
                return Err(format!("{} elements instead of {} in the {part} part", got.len(), want.len()));
            }
            every(got, |i| want[i], |_, got, want| got == want).map_err(|wrong| format!("in the {part} part {wrong}"))?;
        }
        Ok(())
    })
}

/// Exactly these elements.
pub(crate) fn elements_are<'g>(want: Vec<u32>) -> CheckOne<'g, Vec<u32>> {
    Rc::new(move |got, _| {
        if got.len() != want.len() {
            return Err(format!("{} elements instead of {}", got.len(), want.len()));
        }
        every(&got, |i| want[i], |_, got, want| got == want)
    })
}

/// Exactly this.
pub(crate) fn equals<'g, R: PartialEq + std::fmt::Debug + 'g>(want: R) -> CheckOne<'g, R> {
    Rc::new(move |got, _| if got == want { Ok(()) } else { Err(format!("{got:?}, not {want:?}")) })
}

/// The relative error of `depth` roundings in a row: the certain bound, or the probabilistic one of Higham and Mary (A new approach
/// to probabilistic rounding error analysis, 2019) with a factor of 8, whichever is smaller.
fn rounding(depth: usize) -> f64 {
    let depth = depth as f64;
    HALF_ULP * depth.min(8.0 * depth.sqrt())
}

/// The same of a sum of so many terms, in whatever order.
pub(crate) fn rounding_of(terms: usize) -> f64 {
    rounding(1 + terms)
}

fn every<T: Copy + std::fmt::Debug>(
    out: &[T],
    expected: impl Fn(usize) -> T,
    is_right: impl Fn(usize, T, T) -> bool,
) -> Result<(), String> {
    match out.iter().enumerate().find(|&(i, &got)| !is_right(i, got, expected(i))) {
        None => Ok(()),
        Some((i, got)) => Err(format!("element {i} is {got:?}, not {:?}", expected(i))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A check accepts an answer, and refuses it when any one element is replaced.
    fn is_strict<T: Copy>(check: &CheckAll<'_, T>, answer: &[T], wrong: &[T]) {
        check(answer, Arithmetic::Cpu).expect("the answer is right");
        for i in [0, 1, answer.len() / 2, answer.len() - 1] {
            for &wrong in wrong {
                let mut spoilt = answer.to_vec();
                spoilt[i] = wrong;
                assert!(check(&spoilt, Arithmetic::Cpu).is_err(), "element {i} may be anything");
            }
        }
    }

    #[test]
    fn wrong_vectors_are_refused() {
        let x = floats(1000, 1);
        is_strict(&floats_are(|i| x[i], |_| 0.0), &x, &[f32::NAN, 7.0]);
        let x = angles(1000);
        let answer: Vec<f32> = x.iter().map(|x| x.exp() * x.sin()).collect();
        is_strict(&exp_sin_of(&x), &answer, &[f32::NAN, 21.0]);
        let (keys, values) = (keys(1000, 1), integers(1000, 2));
        let answer = sorted_pairs(&keys, &values);
        let check = pairs_are(answer.clone());
        check(answer.clone(), Arithmetic::Cpu).expect("the answer is right");
        assert!(check((keys.clone(), answer.1.clone()), Arithmetic::Cpu).is_err());
        assert!(check((answer.0, values.clone()), Arithmetic::Cpu).is_err());
        let check = elements_are(values.clone());
        check(values.clone(), Arithmetic::Cpu).expect("the answer is right");
        assert!(check(values[1..].to_vec(), Arithmetic::Cpu).is_err() && check(keys.clone(), Arithmetic::Cpu).is_err());
        let x = integers(1000, 1);
        is_strict(&integers_are(|i| x[i]), &x, &[16]);
        is_strict(&steps_are(x.clone()), &x, &[16]);
    }

    #[test]
    fn wrong_sums_of_segments_are_refused() {
        let (x, offsets) = (floats(1000, 1), offsets(1000));
        assert!(offsets.is_sorted() && offsets.last() == Some(&1000) && offsets.windows(2).any(|pair| pair[0] == pair[1]));
        let sum = |pair: &[u32]| x[pair[0] as usize..pair[1] as usize].iter().sum();
        let answer: Vec<f32> = offsets.windows(2).map(sum).collect();
        is_strict(&sums_of(&offsets, |i| f64::from(x[i])), &answer, &[f32::NAN, 1001.0]);
    }

    #[test]
    fn wrong_scans_are_refused() {
        let x = floats(1000, 1);
        let running = x.iter().scan(0.0, |sum, x| {
            *sum += x;
            Some(*sum)
        });
        is_strict(&prefixes_of(&x), &running.collect::<Vec<f32>>(), &[f32::NAN, 1e6]);
        let exclusive: Vec<f32> = std::iter::once(0.0).chain(x.iter().copied()).take(x.len()).collect();
        assert!(prefixes_of(&x)(&exclusive, Arithmetic::Cpu).is_err());

        let x = integers(1000, 1);
        let running = x.iter().scan(0, |sum, x| {
            *sum += x;
            Some(*sum)
        });
        is_strict(&integer_prefixes_of(&x), &running.collect::<Vec<u32>>(), &[u32::MAX]);
    }

    #[test]
    fn a_sum_may_differ_by_rounding_and_no_more() {
        let x = floats(100_000, 1);
        let exact: f64 = x.iter().map(|&x| f64::from(x)).sum();
        let check = sum_of(x.len(), x.iter().map(|&x| f64::from(x)));
        check(exact as f32, Arithmetic::Cpu).expect("the exact sum is right");
        check(x.iter().sum(), Arithmetic::Running).expect("a running sum is right");
        for wrong in [f32::NAN, exact as f32 + 1.5] {
            assert!(check(wrong, Arithmetic::Cpu).is_err());
        }
        assert!(check(f32::NAN, Arithmetic::Running).is_err());
    }

    #[test]
    fn the_largest_element_is_unique() {
        for n in [1, 2, 64, 1000] {
            assert_eq!(floats(n, 1).iter().filter(|&&x| x == 1.5).count(), 1);
            assert!(floats(n, 1).iter().all(|&x| x == 1.5 || (-1.0..1.0).contains(&x)));
        }
    }
}
