//! Random numbers: the published answers, the same bits on every backend and for every split, and the distributions' shapes.

mod backends;
mod oracle;

use granule::kernel;
use granule::prelude::*;
use granule::random::{Philox, gaussian, philox, unit};
use oracle::{FEW, LENGTHS};

/// Philox 4x32-10 as the paper writes it, with 64-bit products.
fn block(mut c: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
        }
        let p = 0xD251_1F53_u64 * u64::from(c[0]);
        let q = 0xCD9E_8D57_u64 * u64::from(c[2]);
        c = [(q >> 32) as u32 ^ c[1] ^ key[0], q as u32, (p >> 32) as u32 ^ c[3] ^ key[1], p as u32];
    }
    c
}

/// Word i of a stream.
fn word(seed: u64, stream: u32, i: u64) -> u32 {
    let b = i / 4;
    block([b as u32, (b >> 32) as u32, stream, 0], [seed as u32, (seed >> 32) as u32])[(i % 4) as usize]
}

fn words(seed: u64, stream: u32, indices: impl Iterator<Item = u64>) -> Vec<u32> {
    indices.map(|i| word(seed, stream, i)).collect()
}

/// Number i of a range of `n` numbers, and how many words it took.
fn below(seed: u64, stream: u32, i: u64, n: u32) -> (u32, usize) {
    let key = [seed as u32, (seed >> 32) as u32];
    let again = (1..=32).flat_map(|k| block([i as u32, (i >> 32) as u32, stream, k], key));
    for (taken, word) in std::iter::once(word(seed, stream, i)).chain(again).enumerate() {
        let product = u64::from(word) * u64::from(n);
        // What is left of 2^32 after the last whole round of the n numbers.
        if product % (1 << 32) >= (1_u64 << 32) % u64::from(n) {
            return ((product >> 32) as u32, taken + 1);
        }
    }
    panic!("129 words were rejected, which happens once in 2^129 times");
}

const SEED: u64 = 0x0123_4567_89AB_CDEF;

type Counter = (u32, u32, u32, u32);

/// The answers that Random123 publishes for Philox 4x32 with ten rounds.
const KNOWN: [(Counter, (u32, u32), Counter); 3] = [
    ((0, 0, 0, 0), (0, 0), (0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)),
    ((!0, !0, !0, !0), (!0, !0), (0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)),
    (
        (0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344),
        (0xA409_3822, 0x299F_31D0),
        (0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1),
    ),
];

#[test]
fn known_answers() {
    for (counter, key, want) in KNOWN {
        assert_eq!(philox(counter, key), want);
        let (c, k) = (counter, key);
        assert_eq!(block([c.0, c.1, c.2, c.3], [k.0, k.1]), [want.0, want.1, want.2, want.3], "the tests' own");
    }
    let (counters, keys) = (KNOWN.map(|k| k.0).repeat(40), KNOWN.map(|k| k.1).repeat(40));
    agree!("known answers", |e| e.map(zip(&counters, &keys), philox::with()), KNOWN.map(|k| k.2).repeat(40));
    // The first block of the first and the second seed through the source: four lanes share it.
    for (counter, key, want) in [KNOWN[0], ((0, 0, 5, 0), (7, 9), philox((0, 0, 5, 0), (7, 9)))] {
        let random = Philox::new(u64::from(key.0) | u64::from(key.1) << 32).stream(counter.2);
        agree!("the first block", |e| e.collect(random.bits().take(4)), [want.0, want.1, want.2, want.3]);
    }
}

#[test]
fn bits_are_the_same_for_every_length() {
    let random = Philox::new(SEED).stream(3);
    for n in LENGTHS {
        let want = words(SEED, 3, 0..n as u64);
        agree!(format!("{n} words"), |e| e.collect(random.bits().take(n)), want);
        let xor = want.iter().fold(0, |a, b| a ^ b);
        agree_one!(format!("xor of {n} words"), |e| e.reduce(random.bits().take(n), BitXor), xor);
    }
    let want = oracle::inclusive(&words(SEED, 3, 0..9000), None, u32::wrapping_add);
    agree!("prefixes of words", |e| e.scan(random.bits().take(9000), Sum), want);
}

#[test]
fn bits_are_the_same_for_every_split_and_order() {
    let random = Philox::new(SEED);
    let n = 4500;
    for skipped in
        [1, 2, 3, 4, 5, 8, 63, 64, 4095, 4096, (1 << 32) - 9, 1 << 32, (1 << 34) - 3, (1 << 34) - 8, 1 << 45, (1 << 62) + 1]
    {
        let want = words(SEED, 0, skipped..skipped + n);
        let source = || random.bits().skip(skipped as usize).take(n as usize);
        agree!(format!("from {skipped} on"), |e| e.collect(source()), want);
        let back: Vec<u32> = want.iter().rev().copied().collect();
        agree!(format!("from {skipped} on, in reverse"), |e| e.collect(source().reverse()), back);
        let third: Vec<u32> = want.iter().copied().step_by(3).collect();
        agree!(format!("from {skipped} on, each third"), |e| e.collect(source().step_by(3)), third);
    }
    // Strides that pass 2^32 within a vector.
    for step in [(1 << 30) + 1, 1 << 31, (1 << 40) + 3] {
        let want = words(SEED, 0, (0..999).map(|i| 5 + i * step));
        let source = || random.bits().skip(5).step_by(step as usize).take(999);
        agree!(format!("with a stride of {step}"), |e| e.collect(source()), want);
        let back: Vec<u32> = want.iter().rev().copied().collect();
        agree!(format!("with a stride of {step}, in reverse"), |e| e.collect(source().reverse()), back);
    }
    let at: Vec<u32> = words(9, 9, 0..3000);
    agree!("anywhere", |e| e.collect(gather(random.bits(), &at)), words(SEED, 0, at.iter().map(|&i| u64::from(i))));
}

#[test]
fn seeds_and_streams_differ() {
    let sets = [(1, 0), (2, 0), (1 << 32, 0), (1, 1), (1, 2), (1, u32::MAX)];
    for (seed, stream) in sets {
        agree!("a stream", |e| e.collect(Philox::new(seed).stream(stream).bits().take(333)), words(seed, stream, 0..333));
    }
    for (i, a) in sets.iter().enumerate() {
        for b in &sets[..i] {
            let both = (0..4096).map(|i| (word(a.0, a.1, i), word(b.0, b.1, i)));
            let equal_bits: u32 = both.map(|(x, y)| (x ^ y).count_zeros()).sum();
            // Half of 2^17 bits, with a standard deviation of 181.
            assert!(equal_bits.abs_diff(1 << 16) < 5 * 181, "{a:?} and {b:?} have {equal_bits} of 131072 bits in common");
        }
    }
}

#[test]
fn uniform_numbers_are_the_upper_bits() {
    assert_eq!((unit(0), unit(255), unit(256)), (0.0, 0.0, 1.0 / (1 << 24) as f32));
    assert_eq!(unit(u32::MAX), 1.0 - 1.0 / (1 << 24) as f32);
    for n in FEW {
        let want: Vec<f32> = (0..n as u64).map(|i| (word(SEED, 1, i) >> 8) as f32 / (1 << 24) as f32).collect();
        agree!(format!("{n} uniform"), |e| e.collect(Philox::new(SEED).stream(1).uniform().take(n)), want);
    }
}

/// Moments of n numbers.
fn moments(x: impl Iterator<Item = f64>) -> [f64; 4] {
    let (mut n, mut sums) = (0.0, [0.0; 4]);
    for x in x {
        n += 1.0;
        let mut power = 1.0;
        for sum in &mut sums {
            power *= x;
            *sum += power;
        }
    }
    sums.map(|sum| sum / n)
}

/// Pearson's statistic of counts against their expectations, in standard deviations from its mean.
fn chi_square(counts: &[u32], expected: impl Fn(usize) -> f64) -> f64 {
    let sum: f64 = counts.iter().enumerate().map(|(i, &c)| (f64::from(c) - expected(i)).powi(2) / expected(i)).sum();
    let freedom = counts.len() as f64 - 1.0;
    (sum - freedom) / (2.0 * freedom).sqrt()
}

const MANY: usize = 1 << 20;

#[test]
fn uniform_numbers_are_uniform() {
    let engine = Engine::new().unwrap();
    let x = engine.collect(Philox::new(11).uniform().take(MANY)).run().unwrap().into_vec().unwrap();
    assert!(x.iter().all(|&x| (0.0..1.0).contains(&x)));
    let got = moments(x.iter().map(|&x| f64::from(x)));
    for (k, got) in got.iter().enumerate() {
        // The k-th moment is 1 / (k + 1), and that of its square 1 / (2 k + 1).
        let k = k as f64 + 1.0;
        let (mean, square) = (1.0 / (k + 1.0), 1.0 / (2.0 * k + 1.0));
        let sigma = ((square - mean * mean) / MANY as f64).sqrt();
        assert!((got - mean).abs() < 4.0 * sigma, "moment {k} is {got}, not {mean} +- {sigma}");
    }
    let mut counts = vec![0; 1 << 12];
    x.iter().for_each(|x| counts[(x * 4096.0) as usize] += 1);
    let off = chi_square(&counts, |_| MANY as f64 / 4096.0);
    assert!(off.abs() < 4.0, "chi-square is {off} standard deviations off");
    // Neighbours, in the plane.
    let mut counts = vec![0; 1 << 12];
    x.chunks(2).for_each(|p| counts[(p[0] * 64.0) as usize * 64 + (p[1] * 64.0) as usize] += 1);
    let off = chi_square(&counts, |_| MANY as f64 / 8192.0);
    assert!(off.abs() < 4.0, "chi-square of pairs is {off} standard deviations off");
    // The lowest of the 24 bits, too.
    let odd = x.iter().filter(|&&x| (x * (1 << 24) as f32) as u32 % 2 == 1).count();
    assert!(odd.abs_diff(MANY / 2) < 4 * 512, "{odd} of {MANY} lowest bits are set");
}

/// The complementary error function in f64: a series near 0, a continued fraction beyond.
fn erfc(x: f64) -> f64 {
    let square = x * x;
    if x < 2.0 {
        let (mut term, mut sum, mut k) = (x, x, 0.0);
        while term.abs() > 1e-18 * sum.abs() {
            k += 1.0;
            term *= -square / k;
            sum += term / (2.0 * k + 1.0);
        }
        return 1.0 - sum * 2.0 / std::f64::consts::PI.sqrt();
    }
    let tail = (1..200).rev().fold(x, |below, k| x + 0.5 * f64::from(k) / below);
    (-square).exp() / (tail * std::f64::consts::PI.sqrt())
}

#[test]
fn normal_numbers_are_quantiles() {
    let root = std::f64::consts::SQRT_2;
    let (mut worst, mut at) = (0.0_f64, 0);
    let magnitudes = (0..20_000_u32).chain((0..u32::MAX / 2).step_by(10_007)).chain(0x7FFF_FFFF - 20_000..=0x7FFF_FFFF);
    for bits in magnitudes {
        let z = gaussian(bits);
        assert_eq!((-z).to_bits(), gaussian(bits | 1 << 31).to_bits(), "the halves are mirrored");
        let q = (f64::from(bits) + 0.5) / (1_u64 << 31) as f64;
        let z = f64::from(z);
        // How far z is off, from how far its probability is: by the density, and near 0 by the density there.
        let density = (2.0 / std::f64::consts::PI).sqrt() * (-z * z / 2.0).exp();
        let error = if q > 0.9 {
            // The difference to 1 is exact only if it is not made of q.
            let inside = (f64::from(0x7FFF_FFFF - bits) + 0.5) / (1_u64 << 31) as f64;
            let (mut term, mut sum, mut k) = (z / root, z / root, 0.0);
            while term.abs() > 1e-18 * sum.abs() {
                k += 1.0;
                term *= -z * z / 2.0 / k;
                sum += term / (2.0 * k + 1.0);
            }
            (sum * 2.0 / std::f64::consts::PI.sqrt() - inside) / density
        } else {
            (erfc(z / root) - q) / density
        };
        let relative = (error / z).abs();
        if relative > worst {
            (worst, at) = (relative, bits);
        }
    }
    println!("the largest relative error is {worst:e}, at {at}");
    assert!(worst < 4e-7, "{worst:e} at {at}");
    assert!(gaussian(0) < 6.35 && gaussian(0) > 6.33, "{}", gaussian(0));
    assert!(gaussian(0x7FFF_FFFF) > 0.0 && gaussian(0x7FFF_FFFF) < 1e-9);
}

#[test]
fn normal_numbers_are_the_same_everywhere() {
    for n in FEW.into_iter().chain([1 << 17]) {
        let want: Vec<f32> = (0..n as u64).map(|i| gaussian(word(SEED, 2, i))).collect();
        let random = Philox::new(SEED).stream(2);
        agree!(@ format!("{n} normal"), |e| e.collect(random.normal().take(n)), want, |runner| oracle::Precision {
            // A driver may contract sums of products, and has a square root of its own.
            ulps: if runner.is_gpu() { 24 } else { 0 },
            ..runner.precision
        });
    }
}

#[test]
fn normal_numbers_are_normal() {
    let engine = Engine::new().unwrap();
    let z = engine.collect(Philox::new(12).normal().take(MANY)).run().unwrap().into_vec().unwrap();
    // The moments of the standard normal distribution, and those of their squares.
    let got = moments(z.iter().map(|&z| f64::from(z)));
    for (k, (mean, square)) in [(0.0, 1.0), (1.0, 3.0), (0.0, 15.0), (3.0, 105.0)].into_iter().enumerate() {
        let sigma = ((square - mean * mean) / MANY as f64).sqrt();
        assert!((got[k] - mean).abs() < 4.0 * sigma, "moment {} is {}, not {mean} +- {sigma}", k + 1, got[k]);
    }
    // 64 intervals between -4 and 4, and the tails.
    let mut counts = vec![0; 66];
    z.iter().for_each(|&z| counts[((z + 4.0) * 8.0 + 1.0).clamp(0.0, 65.0) as usize] += 1);
    let distribution = |z: f64| if z < 0.0 { erfc(-z / 2_f64.sqrt()) / 2.0 } else { 1.0 - erfc(z / 2_f64.sqrt()) / 2.0 };
    let edge = |i: usize| match i {
        0 => 0.0,
        66 => 1.0,
        i => distribution((i as f64 - 1.0) / 8.0 - 4.0),
    };
    let off = chi_square(&counts, |i| (edge(i + 1) - edge(i)) * MANY as f64);
    assert!(off.abs() < 4.0, "chi-square is {off} standard deviations off");
    let neighbours: f64 = z.chunks(2).map(|p| f64::from(p[0]) * f64::from(p[1])).sum::<f64>() / (MANY as f64 / 2.0).sqrt();
    assert!(neighbours.abs() < 4.0, "neighbours are correlated: {neighbours}");
}

#[test]
fn integers_are_the_same_everywhere() {
    let random = Philox::new(SEED).stream(4);
    for n in FEW {
        for range in [1, 2, 3, 6, 1 << 16, 1 << 31, (1 << 31) + 1, u32::MAX] {
            let want: Vec<u32> = (0..n as u64).map(|i| below(SEED, 4, i, range).0).collect();
            agree!(format!("{n} below {range}"), |e| e.collect(random.integers(0..range).take(n)), want);
        }
    }
    let signed: Vec<i32> = (0..5000).map(|i| -3 + below(SEED, 4, i, 7).0 as i32).collect();
    agree!("-3 to 3", |e| e.collect(random.integers(-3..4_i32).take(5000)), signed);
    let all: Vec<i32> = (0..5000).map(|i| i32::MIN.wrapping_add(below(SEED, 4, i, u32::MAX).0 as i32)).collect();
    agree!("all but one", |e| e.collect(random.integers(i32::MIN..i32::MAX).take(5000)), all);
    // Elsewhere than in order, and beyond 2^32: what is drawn again depends on the element alone.
    let far = (1_u64 << 33) + 1;
    let want: Vec<u32> = (0..3000).map(|i| below(SEED, 4, far + i, (1 << 31) + 1).0).collect();
    let source = || random.integers(0..(1 << 31) + 1_u32).skip(far as usize).take(3000);
    agree!("far out", |e| e.collect(source()), want);
    agree!("far out, in reverse", |e| e.collect(source().reverse()), want.iter().rev().copied().collect::<Vec<_>>());
    let at: Vec<u32> = words(9, 9, 0..3000);
    let want: Vec<u32> = at.iter().map(|&i| below(SEED, 4, u64::from(i), (1 << 31) + 1).0).collect();
    agree!("anywhere", |e| e.collect(gather(random.integers(0..(1 << 31) + 1_u32), &at)), want);
}

#[test]
fn integers_are_unbiased() {
    let engine = Engine::new().unwrap();
    let draw = |seed: u64, n: u32| engine.collect(Philox::new(seed).integers(0..n).take(MANY)).run().unwrap().into_vec().unwrap();
    assert!(draw(1, 1).iter().all(|&x| x == 0));
    for (seed, n) in [(2, 2), (3, 3), (4, 6), (5, 7), (6, 1024), (7, 1000)] {
        let mut counts = vec![0; n as usize];
        draw(seed, n).iter().for_each(|&x| counts[x as usize] += 1);
        let off = chi_square(&counts, |_| MANY as f64 / f64::from(n));
        assert!(off < 4.0, "chi-square of {n} numbers is {off} standard deviations off");
    }
    // Ranges of which a word is a poor multiple: a plain product or remainder gives a third of the numbers twice the chance of the
    // others. A number and what it leaves when divided by 3 and 4 must both be even.
    for (seed, n) in [(8, (1 << 31) + 1), (9, 3 << 30), (10, (1_u32 << 31) + (1 << 30) + 7)] {
        let x = draw(seed, n);
        assert!(x.iter().all(|&x| x < n));
        for parts in [3, 4, 1000] {
            let mut counts = vec![0; parts as usize];
            x.iter().for_each(|&x| counts[(x % parts) as usize] += 1);
            let off = chi_square(&counts, |_| MANY as f64 / f64::from(parts));
            assert!(off < 4.0, "chi-square of {n} modulo {parts} is {off} standard deviations off");
            let mut counts = vec![0; parts as usize];
            x.iter().for_each(|&x| counts[(u64::from(x) * u64::from(parts) / u64::from(n)) as usize] += 1);
            let off = chi_square(&counts, |_| MANY as f64 / f64::from(parts));
            assert!(off < 4.0, "chi-square of {n} in {parts} parts is {off} standard deviations off");
        }
    }
    // The oracle itself draws again where it should: half of the time at worst, never for a power of two.
    let again = |n: u32| (0..10_000).filter(|&i| below(SEED, 0, i, n).1 > 1).count();
    assert_eq!((again(1 << 31), again(1)), (0, 0));
    assert!(again((1 << 31) + 1).abs_diff(5000) < 250);
}

#[test]
fn an_empty_range_is_an_error() {
    let engine = Engine::new().unwrap();
    let (low, high) = (3, -3);
    for range in [3..3, low..high] {
        let Err(Error::Config { message }) = engine.collect(Philox::new(1).integers(range).take(5)).run() else {
            panic!("accepted")
        };
        assert!(message.contains("empty range"), "{message}");
    }
    assert_eq!(engine.collect(Philox::new(1).bits()).run().err(), Some(Error::Unbounded));
}

/// Kernels of one's own: all four words of a block, in a loop whose length differs from lane to lane.
#[kernel]
fn walk(i: u32, #[uniform] seed: u32) -> f32 {
    let mut x = 0.0;
    for k in 0..i % 5 {
        let w = philox((i, k, 0, 1), (seed, 1));
        x += unit(w.0) - unit(w.1) * unit(w.2) + unit(w.3);
    }
    x
}

#[test]
fn kernels_draw_their_own() {
    let at: Vec<u32> = (0..5000).collect();
    let want: Vec<f32> = at.iter().map(|&i| walk(i, 17)).collect();
    agree!("a walk", |e| e.map(&at, walk::with(17)), want);
    let want: Vec<u32> = at.iter().map(|&i| block([i, 1, 2, 3], [4, 5])[3]).collect();
    agree!("in place", |e| e.map(&at, kernel!(|i: u32| philox((i, 1, 2, 3), (4, 5)).3)), want);
}
