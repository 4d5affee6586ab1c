//! Traces: what kernels, sources and operators become on a GPU. Each shader is compared with its snapshot, validated and
//! translated by naga, and interpreted: it must give the bits that one lane of the CPU gives.

#[path = "trace/check.rs"]
mod check;
#[path = "trace/interp.rs"]
mod interp;
#[path = "trace/kernels.rs"]
mod kernels;
#[path = "trace/validate.rs"]
mod validate;

use check::{agree, agree_closely, agree_operator};
use granule::kernel::trace::{trace_operator, trace_source};
use granule::operator::{ArgMax, ArgMin, Max, Min, Sum};
use granule::source::{IntoSource, constant, gather, iota, zip, zip3};
use kernels::*;

/// Numbers at which floats go wrong.
const FLOATS: [f32; 24] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    0.49999997,
    3.7e9,
    -3.7e9,
    2147483520.0,
    4294967040.0,
    4294967296.0,
    1e20,
    -1e20,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    f32::MIN_POSITIVE,
    1e-45,
    f32::MAX,
    8388609.0,
];
const INTEGERS: [i32; 14] = [0, 1, -1, 2, -2, 7, -7, 31, 32, 33, i32::MAX, i32::MIN, i32::MIN + 1, 0x0f0f_0000];

#[test]
fn a_map_of_two_slices() {
    let (x, y) = (FLOATS, [2.0_f32; 24]);
    agree("saxpy", zip(&x, &y).map(Saxpy(3.0)));
}

#[test]
fn random_words() {
    // Across a multiple of 2^32, from below and from above, with the index in both halves.
    let random = granule::random::Philox::new(0x0123_4567_89AB_CDEF).stream(3);
    let f = agree("random_words", random.bits().skip((1 << 32) - 21).take(50));
    assert!(!f.needs.int64, "the index is put together from 32-bit halves");
    agree("random_words_back", random.bits().skip((1 << 33) - 7).take(50).reverse());
    agree("random_words_strided", random.bits().skip(3).step_by((1 << 31) + 3).take(50));
}

#[test]
fn a_loop_that_ends_by_its_data() {
    let (x, y) = ([0.0_f32, -1.5, 2.0, 0.3], [0.0_f32, 0.1, 2.0, 0.5]);
    let f = agree("mandelbrot", zip(&x, &y).map(Mandelbrot(200)));
    assert!(f.cost.loops_unknown);
}

#[test]
fn an_early_return_from_a_loop_over_a_slice() {
    let table = [1.0_f32, 4.0, 9.0];
    let x = [0.0_f32, 1.0, 5.0, 9.0, f32::NAN];
    let f = agree("first_above", (&x).map(FirstAbove((&table).into())));
    assert!(!f.cost.loops_unknown);
    assert_eq!(f.cost.bytes_random, 12.0, "three elements of the table, each time");
    agree("chained_returns", (&x).map(FirstAbove((&table).into())).map(Returns));
    let empty: [f32; 0] = [];
    agree("first_above", (&x).map(FirstAbove((&empty).into())));
}

#[test]
fn nested_loops_with_break_and_continue() {
    let x: Vec<u32> = (0..40).collect();
    agree("nested", (&x).map(Nested));
    let x = [0_i32, 1, 5, i32::MAX - 1, i32::MAX, i32::MIN];
    agree("inclusive", (&x).map(Inclusive));
}

#[test]
fn branches_as_values_and_returns_from_them() {
    agree("branches", (&FLOATS).map(Branches));
    agree("returns", iota(0_u32..40).map(Returns));
}

#[test]
fn structs_and_tuples() {
    let x: Vec<(f32, u32, bool)> = (0..20).map(|i| (i as f32 * 0.5, i * 3, i % 3 == 0)).collect();
    agree("triples", (&x).map(Triples));
    agree("triples_reversed", (&x).reverse().map(Triples));
    let x: Vec<(u32, f64)> = (0..20).map(|i| (i, i as f64 * 0.1)).collect();
    agree("wide_pairs", &x);
    let x = [true, false, true];
    agree("bools", &x);
}

#[test]
fn sources_in_other_orders() {
    let x: Vec<f32> = (0..50).map(|i| i as f32).collect();
    agree("reversed", (&x).reverse());
    agree("skipped", (&x).skip(7).take(20));
    agree("strided", (&x).step_by(3));
    agree("strided_back", (&x).skip(2).reverse().step_by(5));
    agree("stencil", zip3((&x).take(48), (&x).skip(1).take(48), (&x).skip(2)).map(Third));
    agree("counting", zip3(iota(-5_i32..25), constant(2.5_f32), iota(0.5_f32..96.0).reverse().take(30)));
}

#[test]
fn gathers() {
    let x: Vec<f32> = (0..50).map(|i| i as f32).collect();
    let at = [3_u32, 0, 49, 50, u32::MAX, 7];
    agree("gathered", gather(&x, &at));
    agree("gathered_back", gather((&x).reverse(), &at));
    let empty: [f32; 0] = [];
    agree("gathered", gather(&empty, &at));
    let pairs: Vec<(f32, u32)> = (0..50).map(|i| (i as f32, i)).collect();
    agree("gathered_pairs", gather(&pairs, &at));
}

#[test]
fn arithmetic() {
    let pairs: Vec<(f32, f32)> = FLOATS.iter().flat_map(|&a| FLOATS.map(|b| (a, b))).collect();
    agree("floats", (&pairs).map(Floats));
    let pairs: Vec<(i32, i32)> = INTEGERS.iter().flat_map(|&a| INTEGERS.map(|b| (a, b))).collect();
    agree("signed", (&pairs).map(Integers));
    let pairs: Vec<(u32, u32)> = pairs.iter().map(|&(a, b)| (a as u32, b as u32)).collect();
    agree("unsigned", (&pairs).map(Integers));
    let pairs: Vec<(i64, i64)> =
        INTEGERS.iter().flat_map(|&a| INTEGERS.map(|b| ((a as i64) << 31 ^ b as i64, (b as i64) * a as i64))).collect();
    agree("signed_64", (&pairs).map(Integers));
    let pairs: Vec<(u64, u64)> = pairs.iter().map(|&(a, b)| (a as u64, b as u64)).collect();
    agree("unsigned_64", (&pairs).map(Integers));
}

#[test]
fn casts() {
    agree("casts_f32", (&FLOATS).map(Casts));
    agree("casts_i32", (&INTEGERS).map(Casts));
    agree("casts_u32", (&INTEGERS.map(|x| x as u32)).map(Casts));
    let wide: Vec<f64> = FLOATS.iter().map(|&x| x as f64 * 1.000000001).collect();
    agree("casts_f64", (&wide).map(WideCasts));
    agree("casts_i64", (&INTEGERS.map(|x| (x as i64) << 17)).map(WideCasts));
    agree("casts_u64", (&INTEGERS.map(|x| (x as u64) << 17)).map(WideCasts));
    agree("casts_f32_wide", (&FLOATS).map(WideCasts));
    agree("casts_i32_wide", (&INTEGERS).map(WideCasts));
}

#[test]
fn constants_keep_their_bits() {
    agree("constants", (&FLOATS).map(Constants));
}

#[test]
fn operators() {
    agree_operator("sum", &Sum, &FLOATS);
    agree_operator("max", &Max, &FLOATS);
    agree_operator("min_signed", &Min, &INTEGERS);
    let pairs: Vec<(f32, u32)> = FLOATS.iter().enumerate().map(|(i, &x)| (x, i as u32)).collect();
    agree_operator("arg_max", &ArgMax, &pairs);
    agree_operator("arg_min", &ArgMin, &pairs);
    let pairs: Vec<(f32, i32)> = FLOATS.iter().zip(INTEGERS).map(|(&x, i)| (x, i)).collect();
    agree_operator("sum_and_max", &(Sum, Max), &pairs);
}

#[test]
fn functions_of_floats() {
    agree_closely();
}

#[test]
fn the_hash_sees_the_structure_and_nothing_else() {
    let (x, y) = (vec![1.0_f32; 100], vec![2.0_f32; 100]);
    let z = [1.0_f32; 3];
    let saxpy = |a, n| trace_source(&zip((&x).skip(n), (&y).skip(n)).map(Saxpy(a))).hash();
    assert_eq!(saxpy(1.0, 2), saxpy(f32::NAN, 50), "neither a uniform nor an offset");
    assert_eq!(trace_source(&zip(&z, &x[..3]).map(Saxpy(1.0))).hash(), saxpy(1.0, 2), "nor a length, nor what is unused");
    assert_ne!(trace_source(&zip(&z, &z).map(Saxpy(1.0))).hash(), saxpy(1.0, 0), "one binding or two");
    assert_ne!(trace_source(&(&x).reverse()).hash(), trace_source(&(&x).skip(1)).hash());
    assert_eq!(trace_source(&(&x).step_by(2)).hash(), trace_source(&(&x).step_by(9)).hash(), "nor a stride");
    assert_ne!(trace_operator::<f32, _>(&Sum).hash(), trace_operator::<f32, _>(&Max).hash());
    assert_ne!(trace_operator::<f32, _>(&Sum).hash(), trace_operator::<u32, _>(&Sum).hash());
    let lit = |c: f32| trace_source(&(&z).map(AddConstant(c))).hash();
    assert_ne!(lit(1.0), lit(2.0), "a literal is part of the code");
}

#[test]
fn a_window_of_the_data() {
    let x: Vec<f32> = (0..100).map(|i| i as f32).collect();
    let f = trace_source(&zip((&x).skip(10), (&x).reverse().skip(10)));
    assert_eq!(f.bindings.len(), 1, "one piece of data, bound once");
    assert_eq!(f.direct_range(0, 0, 90), Some(0..100));
    assert_eq!(f.direct_range(0, 40, 5), Some(45..55));
    let f = trace_source(&(&x).step_by(7));
    assert_eq!(f.direct_range(0, 2, 3), Some(14..29));
    assert_eq!(f.direct_range(0, 2, 0), None);
}

#[test]
fn what_is_not_used_is_not_read() {
    let (x, y) = (vec![1.0_f32; 8], vec![2_u32; 8]);
    let f = trace_source(&zip(&x, &y).map(First));
    assert_eq!(f.bindings.len(), 1);
    assert_eq!(f.cost.bytes_read, 4.0);
    assert!(!f.needs.int64 && !f.needs.float64);
}

#[test]
fn cost_multiplies_nested_loops() {
    let x = vec![1.0_f32; 8];
    let table = vec![1.0_f32; 1000];
    let f = trace_source(&(&x).map(AllPairs((&table).into())));
    assert!(!f.cost.loops_unknown);
    assert!((3e6..2e7).contains(&f.cost.ops.total()), "{:?}", f.cost);
    assert_eq!(f.cost.bytes_read, 4.0);
}

#[test]
fn what_wgsl_lacks_is_refused_with_a_reason() {
    let x = [1.0_f64];
    let f = trace_source(&(&x).map(ExpOf64));
    assert!(f.refusal.is_some_and(|r| r.contains("f64")));
    assert!(f.needs.float64);
}
