//! What arithmetic on integers means where machines differ: the same on every backend.
#![allow(clippy::needless_range_loop, clippy::manual_is_multiple_of, reason = "kernels are written in the kernel language")]

mod backends;
mod oracle;

use granule::kernel;
use granule::prelude::*;

use oracle::{Value, pairs};

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
