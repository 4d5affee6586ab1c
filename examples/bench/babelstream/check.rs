//! Whether the kernels did what they should: BabelStream's own check, and every element of varied data.

use super::streams::Stream;
use super::{KERNELS, Real, SCALAR, START};
use crate::oracle;

/// BabelStream's check: the average error of each array is at most 100 epsilon; the relative one of the sum at most 1e-8. No `f32`
/// is as near as that to anything, so of `f32` the sum may be off by 100 epsilon as well, plus what a running sum of so many
/// terms may lose.
pub(crate) fn averages<T: Real>(arrays: &[Vec<T>; 3], sum: T, repetitions: usize) -> Result<(), String> {
    let [mut a, mut b, mut c] = START.map(T::of);
    let (n, scalar) = (arrays[0].len(), T::of(SCALAR));
    for _ in 0..repetitions {
        c = a;
        b = scalar * c;
        c = a + b;
        a = b + scalar * c;
    }
    let allowed = 100.0 * T::EPSILON;
    for ((name, array), gold) in ["a", "b", "c"].iter().zip(arrays).zip([a, b, c]) {
        let error = array.iter().map(|x| (x.wide() - gold.wide()).abs()).sum::<f64>() / n as f64;
        // A NaN is no small error.
        if error.is_nan() || error > allowed {
            return Err(format!("{name}[]: the average error is {error:.3e}, {allowed:.1e} is allowed"));
        }
    }
    let gold = a.wide() * b.wide() * n as f64;
    let error = ((sum.wide() - gold) / gold).abs();
    let allowed = if T::EPSILON < 1e-8 { 1e-8 } else { allowed + oracle::rounding_of(n) };
    if error.is_nan() || error > allowed {
        return Err(format!("sum: {} instead of {gold}, a relative error of {error:.3e}, {allowed:.1e} is allowed", sum.wide()));
    }
    Ok(())
}

/// Arrays of which no two elements need be equal, in [-1, 1).
pub(crate) fn varied<T: Real>(n: usize) -> [Vec<T>; 3] {
    [1, 2, 3].map(|seed| oracle::floats(n, seed).into_iter().map(|x| T::of(f64::from(x))).collect())
}

/// Each kernel once on [`varied`] data, and every element of all arrays after each. What is copied or rounded once must be equal to
/// the bit; where a GPU may contract a product and a sum, the two roundings are allowed.
pub(crate) fn elements<T: Real>(stream: &mut dyn Stream<T>, n: usize) -> granule::Result<Result<(), String>> {
    let [mut a, mut b, mut c] = varied::<T>(n);
    let scalar = T::of(SCALAR);
    for (kernel, (label, ..)) in KERNELS.iter().enumerate() {
        let dot = stream.kernel(kernel)?;
        match kernel {
            0 => c.copy_from_slice(&a),
            1 => b.iter_mut().zip(&c).for_each(|(b, &c)| *b = scalar * c),
            2 => c.iter_mut().zip(a.iter().zip(&b)).for_each(|(c, (&a, &b))| *c = a + b),
            3 => a.iter_mut().zip(b.iter().zip(&c)).for_each(|(a, (&b, &c))| *a = b + scalar * c),
            _ => {
                let terms = || a.iter().zip(&b).map(|(a, b)| a.wide() * b.wide());
                let (sum, size) = terms().fold((0.0, 0.0), |(sum, size), x| (sum + x, size + x.abs()));
                // The bound of a running sum in the type: it holds for every order.
                let bound = oracle::rounding_of(n) * T::EPSILON / f64::from(f32::EPSILON) * size;
                let got = dot.map_or(f64::NAN, T::wide);
                let near = (got - sum).abs() <= bound;
                return Ok(if near { Ok(()) } else { Err(format!("Dot of varied data: {got}, not {sum} within {bound:.3e}")) });
            }
        }
        let slack = if kernel == 3 { T::EPSILON } else { 0.0 };
        for ((name, got), want) in ["a", "b", "c"].iter().zip(stream.read()?).zip([&a, &b, &c]) {
            let wrong = got.iter().zip(want).position(|(got, want)| {
                let (got, want) = (got.wide(), want.wide());
                // Products and sums here are below 2.
                got.to_bits() != want.to_bits() && ((got - want).abs() > 2.0 * slack || got.is_nan())
            });
            if let Some(i) = wrong.or((got.len() != n).then_some(n)) {
                return Ok(Err(format!("{label} of varied data: {name}[{i}] is not what it must be")));
            }
        }
        if kernel == 3 {
            // What was contracted must not count against the sum.
            a = stream.read()?[0].clone();
        }
    }
    unreachable!("the last kernel is the sum")
}
