//! What arithmetic means where machines differ: the same on every backend.

use granule::kernel;
use granule::prelude::*;

use crate::agree;
use crate::oracle::{self, Value, pairs};

macro_rules! integers {
    ($($test:ident $t:ident $bits:literal;)+) => {$(
        #[test]
        fn $test() {
            let (a, b) = pairs::<$t>();
            let of = |f: &dyn Fn($t, $t) -> $t| a.iter().zip(&b).map(|(&a, &b)| f(a, b)).collect::<Vec<_>>();
            let name = |op: &str| format!("{} {op}", stringify!($t));
            macro_rules! binary {
                ($op:literal, |$x:ident, $y:ident| $kernel:expr, $plain:expr) => {
                    agree!(name($op), |e| e.map(zip(&a, &b), kernel!(|$x: $t, $y: $t| $kernel)), of(&$plain))
                };
            }
            binary!("wraps: a + b", |x, y| x + y, $t::wrapping_add);
            binary!("wraps: a - b", |x, y| x - y, $t::wrapping_sub);
            binary!("wraps: a * b", |x, y| x * y, $t::wrapping_mul);
            binary!("x / 0 = x, MIN / -1 = MIN", |x, y| x / y, |x: $t, y: $t| if y == 0 { x } else { x.wrapping_div(y) });
            binary!("x % 0 = 0, MIN % -1 = 0", |x, y| x % y, |x: $t, y: $t| if y == 0 { 0 } else { x.wrapping_rem(y) });
            binary!("min", |x, y| x.min(y), |x: $t, y: $t| if y < x { y } else { x });
            binary!("max", |x, y| x.max(y), |x: $t, y: $t| if y > x { y } else { x });
            binary!("bits", |x, y| (x & y) ^ (!x | y), |x: $t, y: $t| (x & y) ^ (!x | y));
            let by: Vec<u32> = a.iter().zip(0_u32..).map(|(_, i)| [i % 70, i.wrapping_mul(0x9E37_79B9)][i as usize % 2]).collect();
            macro_rules! shift {
                ($op:literal, |$x:ident, $y:ident| $kernel:expr, $plain:expr) => {
                    let want: Vec<$t> = a.iter().zip(&by).map(|(&x, &y)| $plain(x, y % $bits)).collect();
                    agree!(name($op), |e| e.map(zip(&a, &by), kernel!(|$x: $t, $y: u32| $kernel)), want)
                };
            }
            shift!("shl modulo the width", |x, y| x << y, |x: $t, y| x << y);
            shift!("shr modulo the width", |x, y| x >> y, |x: $t, y| x >> y);
            shift!("rotate left", |x, y| x.rotate_left(y), |x: $t, y| x.rotate_left(y));
            shift!("rotate right", |x, y| x.rotate_right(y), |x: $t, y| x.rotate_right(y));
            let all = $t::edges();
            let counts = kernel!(|x: $t| (x.count_ones(), x.leading_zeros(), x.trailing_zeros(), x.reverse_bits()));
            let want = oracle::map(&all, |x| (x.count_ones(), x.leading_zeros(), x.trailing_zeros(), x.reverse_bits()));
            agree!(name("counts"), |e| e.map(&all, counts), want);
            let negated = oracle::map(&all, |x| x.wrapping_neg());
            agree!(name("negation"), |e| e.map(&all, kernel!(|x: $t| x.wrapping_neg())), negated);
            let compared: Vec<_> = a.iter().zip(&b).map(|(x, y)| ((x < y, x <= y), (x > y, x >= y), (x == y, x != y))).collect();
            let compare = kernel!(|x: $t, y: $t| ((x < y, x <= y), (x > y, x >= y), (x == y, x != y)));
            agree!(name("comparison"), |e| e.map(zip(&a, &b), compare), compared);
        }
    )+};
}
integers! {
    u32_arithmetic u32 32;
    i32_arithmetic i32 32;
    u64_arithmetic u64 64;
    i64_arithmetic i64 64;
}

#[test]
fn products_carry_over() {
    let (a, b) = pairs::<u32>();
    let c: Vec<u32> = a.iter().rev().copied().collect();
    let wide = |i: usize| u64::from(a[i]) * u64::from(b[i]) + u64::from(c[i]);
    let want: Vec<(u32, u32)> = (0..a.len()).map(|i| (wide(i) as u32, (wide(i) >> 32) as u32)).collect();
    agree!("carrying_mul", |e| e.map(zip3(&a, &b, &c), kernel!(|a: u32, b: u32, c: u32| a.carrying_mul(b, c))), want);
}

#[test]
fn absolute_values_wrap() {
    let (x, y) = (i32::edges(), i64::edges());
    agree!("i32", |e| e.map(&x, kernel!(|x: i32| x.wrapping_abs())), oracle::map(&x, i32::wrapping_abs));
    agree!("i64", |e| e.map(&y, kernel!(|x: i64| x.wrapping_abs())), oracle::map(&y, i64::wrapping_abs));
}

/// Exact, also on a GPU: none of these rounds more than once.
macro_rules! floats {
    ($($test:ident $t:ident)+) => {$(
        #[test]
        fn $test() {
            let (a, b) = pairs::<$t>();
            let name = |op: &str| format!("{} {op}", stringify!($t));
            macro_rules! binary {
                ($op:literal, |$x:ident, $y:ident| $kernel:expr, |$p:ident, $q:ident| $plain:expr) => {
                    let want: Vec<_> = a.iter().zip(&b).map(|(&$p, &$q): (&$t, &$t)| $plain).collect();
                    agree!(name($op), |e| e.map(zip(&a, &b), kernel!(|$x: $t, $y: $t| $kernel)), want)
                };
            }
            binary!("min: the number, the left zero", |x, y| x.min(y), |x, y| if y < x || x.is_nan() { y } else { x });
            binary!("max: the number, the left zero", |x, y| x.max(y), |x, y| if y > x || x.is_nan() { y } else { x });
            binary!("copysign", |x, y| x.abs().copysign(y), |x, y| x.abs().copysign(if y.is_nan() { 1.0 } else { y }));
            let x = $t::edges();
            macro_rules! unary {
                ($f:ident) => {
                    agree!(name(stringify!($f)), |e| e.map(&x, kernel!(|x: $t| x.$f())), oracle::map(&x, |x| x.$f()))
                };
            }
            unary!(abs);
            unary!(floor);
            unary!(ceil);
            unary!(trunc);
            unary!(round);
            unary!(is_nan);
            unary!(is_finite);
            unary!(is_infinite);
            agree!(name("negation"), |e| e.map(&x, kernel!(|x: $t| -x)), oracle::map(&x, |x| -x));
            agree!(name("clamp"), |e| e.map(&x, kernel!(|x: $t| x.clamp(-2.0, 3.0))), oracle::map(&x, |x| x.clamp(-2.0, 3.0)));
        }
    )+};
}
floats! { f32_rounding f32 f64_rounding f64 }

#[test]
fn remainders_of_floats() {
    let x = [5.5_f32, -5.5, 7.0, -7.0, 0.0, -0.0, 1e6, 3.25, f32::INFINITY, f32::NAN, 2.0];
    let y = [2.0_f32, -2.0, 0.75, 7.0, f32::INFINITY, 0.0, 10.0];
    let (a, b): (Vec<f32>, Vec<f32>) = x.iter().flat_map(|&x| y.iter().map(move |&y| (x, y))).unzip();
    let want: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a % b).collect();
    agree!("f32 %", |e| e.map(zip(&a, &b), kernel!(|x: f32, y: f32| x % y)), want);
}

#[test]
fn powers_at_the_special_points() {
    let x = [0.0_f32, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, f32::INFINITY, f32::NEG_INFINITY];
    let y = [0.0_f32, -0.0, 1.0, 2.0, 3.0, -1.0, -2.0, f32::INFINITY, f32::NEG_INFINITY];
    let (a, b): (Vec<f32>, Vec<f32>) = x.iter().flat_map(|&x| y.iter().map(move |&y| (x, y))).unzip();
    let want: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a.powf(*b)).collect();
    // Small whole results may be off by rounding where a GPU takes a power by logarithms.
    let precision = |gpu: bool| oracle::Precision { ulps: if gpu { 32 } else { 2 }, flush: false };
    agree!(@ "powf", |e| e.map(zip(&a, &b), kernel!(|x: f32, y: f32| x.powf(y))), want, |runner| precision(runner.is_gpu()));
    let nan = [f32::NAN, -2.0, 1.0];
    let to = [2.0_f32, 0.5, f32::NAN];
    let want: Vec<f32> = nan.iter().zip(&to).map(|(a, b)| a.powf(*b)).collect();
    agree!(@ "powf and NaN", |e| e.map(zip(&nan, &to), kernel!(|x: f32, y: f32| x.powf(y))), want, |runner| precision(runner.is_gpu()));
}

/// Rust's `as`: integers wrap or extend, floats saturate and NaN gives 0, numbers round to the nearest float.
#[test]
fn casts_of_all_pairs() {
    macro_rules! from {
        ($($from:ident: $($to:ident)+;)+) => {$($(
            let x = $from::edges();
            let want: Vec<$to> = x.iter().map(|&x| x as $to).collect();
            agree!(concat!(stringify!($from), " as ", stringify!($to)), |e| e.map(&x, kernel!(|x: $from| x as $to)), want);
        )+)+};
    }
    from! {
        f32: i32 u32 i64 u64 f64;
        i32: f32 u32 i64 u64 f64;
        u32: f32 i32 i64 u64 f64;
        f64: f32 i32 u32 i64 u64;
        i64: f32 i32 u32 u64 f64;
        u64: f32 i32 u32 i64 f64;
    }
    let truth = [true, false, false, true, true];
    agree!("bool as i32", |e| e.map(&truth, kernel!(|x: bool| x as i32)), truth.map(i32::from));
    agree!("bool as u32", |e| e.map(&truth, kernel!(|x: bool| x as u32)), truth.map(u32::from));
    agree!("bool as i64", |e| e.map(&truth, kernel!(|x: bool| x as i64)), truth.map(i64::from));
    agree!("bool as u64", |e| e.map(&truth, kernel!(|x: bool| x as u64)), truth.map(u64::from));
    let x = f32::edges();
    let bits = kernel!(|x: f32| f32::from_bits(x.to_bits() ^ 0x8000_0000));
    agree!("bits", |e| e.map(&x, bits), oracle::map(&x, |x| f32::from_bits(x.to_bits() ^ 0x8000_0000)));
}
