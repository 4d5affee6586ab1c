//! Kernels against the plain functions they are made of: every construct of the kernel language, in lanes that diverge.
//!
//! Each case runs `all` inputs through a kernel, a vector at a time, and compares each lane with the function itself. `all` is
//! generic over the level: a further level is one line in `levels`.
#![deny(warnings)]
#![deny(missing_docs, unreachable_pub)]

use std::fmt::Debug;

use granule::array::{Data, DataVisitor};
use granule::backend::simd::{Level, OneLane, SimdLevel, Span, WithLevel, dispatch};
use granule::element::{LeafMap, Scalar, Value};
use granule::kernel;
use granule::kernel::ir::Traced;
use granule::kernel::trace::trace_source;
use granule::kernel::wgsl::{Access, Module};
use granule::kernel::{Varying, ops};
use granule::prelude::*;

mod control;
mod expressions;
mod functions;
#[path = "../trace/validate.rs"]
mod shader;

use control::*;
use expressions::*;
use functions::*;

// ---- the check ------------------------------------------------------------------------------------------------------------

struct Extract<L>(L, usize);
impl<L: Level> LeafMap<L, OneLane> for Extract<L> {
    fn leaf<S: Scalar>(&mut self, x: S::In<L>) -> S::In<OneLane> {
        S::extract(self.0, x, self.1).to_one()
    }
}

/// Equal to the bit, except that two NaN are equal.
trait Same: Debug {
    fn same(&self, o: &Self) -> bool;
}
macro_rules! same {
    (exact: $($t:ty),+; float: $($f:ty),+) => {
        $(impl Same for $t {
            fn same(&self, o: &Self) -> bool {
                self == o
            }
        })+
        $(impl Same for $f {
            fn same(&self, o: &Self) -> bool {
                self.to_bits() == o.to_bits() || self.is_nan() && o.is_nan()
            }
        })+
    };
}
same!(exact: bool, i32, u32, i64, u64, usize; float: f32, f64);
macro_rules! same_tuple {
    ($($t:ident $i:tt),+) => {
        impl<$($t: Same),+> Same for ($($t,)+) {
            fn same(&self, o: &Self) -> bool {
                $(self.$i.same(&o.$i))&&+
            }
        }
    };
}
same_tuple!(A 0, B 1);
same_tuple!(A 0, B 1, C 2);

#[track_caller]
fn check<L: Level, X: Element + Debug, K: Kernel<X>>(l: L, name: &str, kernel: K, inputs: &[X], plain: impl Fn(X) -> K::Out)
where
    K::Out: Same,
{
    if L::WIDTH == 1 {
        validate(name, &trace_source(&inputs.map(kernel)));
    }
    lanes_agree(l, name, kernel, inputs, plain);
}

#[track_caller]
fn lanes_agree<L: Level, X: Element + Debug, K: Kernel<X>>(l: L, name: &str, kernel: K, inputs: &[X], plain: impl Fn(X) -> K::Out)
where
    K::Out: Same,
{
    let data = l.slice(Data::Slice(inputs));
    let mut at = 0;
    while at < inputs.len() {
        let count = L::WIDTH.min(inputs.len() - at);
        let out = kernel.eval(l, ops::load::<L, X>(l, data, Span::new(at, count)));
        for lane in 0..count {
            let got = K::Out::from_one(<K::Out as Value>::map(&mut Extract(l, lane), out.0));
            let want = plain(inputs[at + lane]);
            assert!(got.same(&want), "{name}({:?}) gave {got:?}, the function {want:?}", inputs[at + lane]);
        }
        at += count;
    }
}

/// The kernel as a shader: naga accepts it and translates it for each API.
fn validate(name: &str, f: &Traced) {
    let mut m = Module::new(0);
    let leaves: Vec<_> = f.results.iter().map(|r| r.0).collect();
    m.item("Item", &leaves);
    m.buffer("dst", "Item", Access::ReadWrite);
    m.function("source", "Item", f);
    m.add(
        "@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) { store_dst(id.x, source(id.x)); }",
    );
    let wide = m.needs().int64 || m.needs().float64;
    shader::validate(name, &m.finish(), wide);
}

/// `check` with the arguments spread.
macro_rules! case {
    ($l:expr, $kernel:ident($x:ident: $t:ty $(; $($bound:expr),+)?), $inputs:expr) => {
        check($l, stringify!($kernel), $kernel::with($($($bound),+)?), &$inputs, |$x: $t| $kernel($x $(, $($bound.into_plain()),+)?))
    };
    ($l:expr, $kernel:ident($x:ident: $t:ty, $($y:ident: $u:ty),+ $(; $($bound:expr),+)?), $inputs:expr) => {
        check($l, stringify!($kernel), $kernel::with($($($bound),+)?), &$inputs, |($x, $($y),+): ($t, $($u),+)| {
            $kernel($x, $($y),+ $(, $($bound.into_plain()),+)?)
        })
    };
}
/// What `with` takes, as the function takes it.
trait IntoPlain<T> {
    fn into_plain(self) -> T;
}
impl<T: Copy> IntoPlain<T> for T {
    fn into_plain(self) -> T {
        self
    }
}
impl<'a, T, const N: usize> IntoPlain<&'a [T]> for &'a [T; N] {
    fn into_plain(self) -> &'a [T] {
        self
    }
}

fn floats() -> Vec<f32> {
    let mut x: Vec<f32> = (-24..40).map(|i| i as f32 * 0.37).collect();
    x.extend([0.0, -0.0, 1.0, -1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX, f32::MIN_POSITIVE, 0.5, -0.5, 2.5]);
    x
}
fn float_pairs() -> Vec<(f32, f32)> {
    let x = floats();
    (0..x.len() * 3).map(|i| (x[i % x.len()], x[(i * 7 + 3) % x.len()])).collect()
}
fn ints() -> Vec<i32> {
    (-20..45).map(|i| i * 3).chain([0, 1, -1, i32::MAX, i32::MIN, 1 << 20]).collect()
}
fn words() -> Vec<u32> {
    (0..67).map(|i: u32| i.wrapping_mul(0x9E37_79B9) >> (i % 29)).chain([0, 1, u32::MAX, 1 << 31]).collect()
}
fn small() -> Vec<u32> {
    (0..70).map(|i| i * 11 % 23).collect()
}
fn small_pairs() -> Vec<(u32, u32)> {
    (0..90).map(|i| (i * 11 % 23, i * 5 % 17)).collect()
}

#[test]
fn operators_have_their_identity() {
    fn identity<T: Value, O: Operator<T>>(o: O) -> (T, bool) {
        (o.identity(), O::COMMUTATIVE)
    }
    fn combine<T: Value, O: Operator<T>>(o: O, a: T, b: T) -> T {
        T::from_one(o.combine(OneLane, ops::lit(OneLane, a), ops::lit(OneLane, b)).0)
    }
    assert_eq!(identity(log_sum_exp::with()), (f32::NEG_INFINITY, true));
    assert_eq!(combine(log_sum_exp::with(), 1.0, 2.5), log_sum_exp(1.0, 2.5));
    assert_eq!(combine(log_sum_exp::with(), f32::NEG_INFINITY, 2.5), 2.5);
    assert_eq!(identity(compose::with()), ((1.0, 0.0), false));
    assert_eq!(combine(compose::with(), (2.0, 3.0), (4.0, 5.0)), (8.0, 17.0));
    assert_eq!(identity(add_modulo::with(7)), (0, true));
    assert_eq!(combine(add_modulo::with(7), 5, 6), 4);
    assert!(identity::<Complex<f64>, _>(complex_product::with()).0.same(&Complex(1.0, 0.0)));
    assert!(combine(complex_product::with(), Complex(1.0, 2.0), Complex(3.0, 4.0)).same(&Complex(-5.0, 10.0)));
}

// ---- the table ----------------------------------------------------------------------------------------------------------------

fn all<L: Level>(l: L) {
    case!(l, saxpy(x: f32, y: f32; 2.5_f32), float_pairs());
    case!(l, polynomial(x: f32), floats());
    let int_pairs: Vec<(i32, i32)> = ints().iter().zip(ints().iter().rev()).map(|(a, b)| (*a, *b)).collect();
    case!(l, logic(a: i32, b: i32), int_pairs);
    case!(l, bits(a: u32), words());
    case!(l, multiples(a: u32, b: u32), small_pairs());
    case!(l, signed_bits(a: i32), ints());
    case!(l, casts(x: f32), floats());
    let mixed: Vec<(i32, u32)> = ints().into_iter().zip(words()).collect();
    case!(l, more_casts(a: i32, b: u32), mixed);
    case!(l, methods(x: f32, y: f32), float_pairs());
    let bases: Vec<(f32, i32)> = (0..60).map(|i| (0.3 + i as f32 * 0.17, i % 13 - 6)).collect();
    case!(l, powers(x: f32, n: i32), bases);
    let bases: Vec<(u32, u32)> = (0..60).map(|i| (i % 7, i % 11)).collect();
    case!(l, integer_powers(x: u32, n: u32), bases);
    case!(l, raw_bits(x: f32), floats());
    case!(l, by_path(x: f32, y: f32), float_pairs());
    case!(l, typed_lets(x: f32), floats());

    let pairs: Vec<((f32, f32), u32)> = float_pairs().into_iter().zip(words().into_iter().cycle().map(|w| w >> 8)).collect();
    check(l, "tuples", tuples::with(), &pairs, |(p, q)| tuples(p, q));
    check(l, "destructured", destructured::with(), &pairs, |(p, q)| destructured(p, q));
    let centre = Particle { at: (0.5, 1.0), mass: 3.0, alive: true };
    case!(l, step(x: f32, m: f32; centre), float_pairs());
    check(l, "square", square::with(), &float_pairs(), square);
    let complex: Vec<(Complex<f32>, Complex<f32>)> =
        float_pairs().iter().map(|p| (Complex(p.0, p.1), Complex(p.1, p.0))).collect();
    case!(l, multiply(a: Complex<f32>, b: Complex<f32>), complex);

    case!(l, grade(x: f32), floats());
    case!(l, statements(x: i32), (-30..60).collect::<Vec<i32>>());
    for k in [0, 3, 4] {
        case!(l, uniform_branch(x: f32; k), floats());
    }
    let plane: Vec<(f32, f32)> = (0..130).map(|i| ((i % 13) as f32 * 0.2 - 2.0, (i / 13) as f32 * 0.23 - 1.2)).collect();
    case!(l, mandelbrot(x: f32, y: f32; 100_u32), plane);
    case!(l, branch_values_with_effects(x: u32, y: u32), small_pairs());
    case!(l, lazy_sides(x: u32, y: u32), small_pairs());
    case!(l, compound_order(x: u32, y: u32), small_pairs());
    case!(l, conditions_with_effects(x: u32, y: u32), small_pairs());
    case!(l, collatz(n: u32), (0..100).collect::<Vec<u32>>());
    case!(l, sum_to(n: u32), small());
    case!(l, inclusive(a: u32, b: u32), small_pairs());
    case!(l, nested(a: u32, b: u32), small_pairs());
    case!(l, unit_tails(x: u32), small());
    case!(l, always_returns(x: i32), ints());
    case!(l, returns_from_loop(x: u32), small());

    case!(l, first_above(x: f32; &[1.0_f32, 4.0, 9.0]), floats());
    case!(l, first_above(x: i32; &[1_i32, 4, 9, 16]), ints());
    case!(l, gather_sum(i: u32; &[1.0_f32, 2.5, -4.0, 8.0, 0.5], &[3_u32, 0, 7, 1]), words());
    let bodies =
        [centre, Particle { at: (2.0, 0.0), mass: 1.5, alive: false }, Particle { at: (-3.0, 0.0), mass: 0.25, alive: true }];
    case!(l, forces(x: f32; &bodies), floats());
    case!(l, weighted(i: u32; [1.0_f32, -2.0, 3.5, 0.25, 9.0], 0.5_f32), words());
    let triples: Vec<(f32, f32, f32)> = float_pairs().iter().map(|p| (p.0, p.1, 0.25)).collect();
    case!(l, lerp(a: f32, b: f32, t: f32), triples);
    case!(l, scaled(a: u32; 6_u32), words());
    case!(l, scaled(a: i32; 6_i32), ints());

    inline(l);
}

fn inline<L: Level>(l: L) {
    let (a, table) = (3.0_f32, vec![1.0_f32, 2.0, 4.0]);
    check(l, "product", kernel!([a: f32] |x: f32| a * x), &floats(), |x| a * x);
    check(
        l,
        "typed",
        kernel!(|x: f32, n: u32| -> u32 { if x > 0.0 { n } else { 1 } }),
        &paired(),
        |(x, n)| if x > 0.0 { n } else { 1 },
    );
    check(l, "test", kernel!(|x: f32| x > 1.0 && x < 4.0), &floats(), |x| x > 1.0 && x < 4.0);
    check(
        l,
        "slice",
        kernel!([table: &[f32] = &table, b: f32 = a + 1.0] |i: u32| table[i as usize % table.len()] * b),
        &small(),
        |i| table[i as usize % 3] * 4.0,
    );
    check(l, "pair", kernel!(|(x, n): (f32, u32)| (x + 1.0, n)), &paired(), |(x, n)| (x + 1.0, n));
    check(l, "call", kernel!(|x: f32| lerp(x, 2.0, 0.5)), &floats(), |x| lerp(x, 2.0, 0.5));
    let count = kernel!([table: &[f32] = &table] |x: f32| {
        let mut n = 0u32;
        for i in 0..table.len() {
            if table[i] > x {
                n += 1;
            }
        }
        n
    });
    check(l, "count", count, &floats(), |x| table.iter().filter(|t| **t > x).count() as u32);
    let early = kernel!(|x: f32| {
        if x < 0.0 {
            return 0.0;
        }
        x + 1.0
    });
    check(l, "early", early, &floats(), |x| if x < 0.0 { 0.0 } else { x + 1.0 });
}

fn paired() -> Vec<(f32, u32)> {
    floats().into_iter().zip(words().into_iter().cycle()).collect()
}

#[test]
fn one_lane() {
    all(OneLane);
}

#[test]
fn every_simd_level() {
    struct All;
    impl WithLevel for All {
        type Out = ();
        #[inline(always)]
        fn run<L: Level>(self, l: L) {
            all(l);
        }
    }
    for level in SimdLevel::available() {
        dispatch(level, All);
    }
}

/// Kernels that call transcendentals: their last bits belong to the level.
#[test]
fn transcendentals_are_those_of_std_in_one_lane() {
    lanes_agree(OneLane, "branch_value_with_return", branch_value_with_return::with(), &floats(), branch_value_with_return);
    let table = [1.0_f32, 4.0, 9.0];
    lanes_agree(OneLane, "calls", calls::with(&table, 2.0), &float_pairs(), |(x, y)| calls(x, y, &table, 2.0));
    lanes_agree(OneLane, "elementary", elementary::with(), &floats(), elementary);
}

macro_rules! family {
    ($($name:ident $t:ty, $k:expr);+) => {$(
        #[kernel]
        fn $name(x: $t, #[uniform] by: $t, data: &[$t]) -> $t {
            let mut y = x * $k;
            for i in 0..data.len() {
                if data[i] > by {
                    return y;
                }
                y += data[i];
            }
            y
        }
    )+};
}
family!(made_float f32, 2.0; made_word u32, 1 + 2);

/// Kernels that a macro writes, and one inside a function.
#[test]
fn kernels_in_other_places() {
    #[kernel]
    fn local(x: f32) -> f32 {
        x.powi(2)
    }
    let l = OneLane;
    assert_eq!(made_word(5, 2, &[1, 3]), 16);
    case!(l, made_float(x: f32; 2.0_f32, &[1.0_f32, 3.0]), floats());
    case!(l, made_word(x: u32; 2_u32, &[1_u32, 3]), small());
    case!(l, local(x: f32), floats());
}

#[kernel]
fn elementary(x: f32) -> f32 {
    let (s, c) = x.sin_cos();
    let logs = x.abs().ln() + x.abs().log2() + x.abs().log10();
    s * c + x.tan() + x.tanh() + x.atan() + x.atan2(2.0) + x.abs().powf(0.3) + logs + x.exp() + x.exp2() + x.cos() + x.sin()
}

#[test]
fn data_is_shown_in_order() {
    struct Lengths(Vec<usize>);
    impl DataVisitor for Lengths {
        fn visit<T: Element>(&mut self, data: Data<'_, T>) -> granule::Result<()> {
            self.0.push(data.len());
            Ok(())
        }
    }
    let mut lengths = Lengths(Vec::new());
    let (data, starts) = ([0.0_f32; 5], [0_u32; 3]);
    gather_sum::with(&data, &starts).data(&mut lengths).unwrap();
    Kernel::<u32>::data(&weighted::with([0.0; 5], 1.0), &mut lengths).unwrap();
    assert_eq!(lengths.0, [5, 3, 5]);
}

#[test]
fn loops_are_told() {
    fn loops<X: Value, K: Kernel<X>>(_: K) -> bool {
        K::LOOPS
    }
    assert!(loops::<u32, _>(collatz::with()) && loops::<(f32, f32), _>(mandelbrot::with(3)));
    assert!(!loops::<(f32, f32), _>(saxpy::with(2.0)) && !loops::<f32, _>(grade::with()));
}

#[test]
fn layouts() {
    assert_eq!((Particle::WORDS, Particle::PACKED), (4, false));
    assert_eq!((Complex::<f32>::WORDS, Complex::<f32>::PACKED), (2, true));
    assert_eq!((Complex::<f64>::WORDS, Complex::<f64>::PACKED), (4, true));
    let x: Varying<OneLane, Complex<f32>> = ops::lit(OneLane, Complex(1.0, 2.0));
    assert!(Complex::from_one(x.0).same(&Complex(1.0, 2.0)));
}
