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

#[path = "trace/validate.rs"]
mod shader;

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

// ---- expressions ------------------------------------------------------------------------------------------------------------

#[kernel]
fn saxpy(x: f32, y: f32, #[uniform] a: f32) -> f32 {
    a * x + y
}

/// A documented public kernel.
#[kernel]
pub fn polynomial(x: f32) -> f32 {
    const SCALE: f32 = 0.25;
    ((2.0 * x - 3.0) * x + 1.0) * SCALE - -x / (1.0 + x * x) + std::f32::consts::PI
}

#[kernel]
fn logic(a: i32, b: i32) -> bool {
    let both = a > 0 && b > 0;
    let either = a > 10 || b <= -10;
    (both || !either) ^ (a == b) | (a != b) & (a >= b) || a < b
}

#[kernel]
fn bits(a: u32) -> u32 {
    let mut x = a ^ (a << 13);
    x ^= x >> 17;
    x ^= x << 5u32;
    x &= !0xF0;
    x |= 3;
    x.rotate_left(7)
        ^ a.rotate_right(3)
        ^ x.count_ones()
        ^ (a.leading_zeros() << 8)
        ^ (a.trailing_zeros() << 16)
        ^ x.reverse_bits()
}

#[kernel]
fn multiples(a: u32, b: u32) -> bool {
    a.is_multiple_of(b)
}

#[kernel]
fn signed_bits(a: i32) -> i32 {
    (a >> 3) ^ a.rotate_left(5) ^ a.wrapping_mul(77).wrapping_add(1).wrapping_sub(9).wrapping_neg() ^ !a
}

#[kernel]
fn casts(x: f32) -> (i32, u32, f64) {
    (x as i32, x as u32, x as f64 * 2.0)
}

#[kernel]
fn more_casts(a: i32, b: u32) -> i64 {
    let wide = a as i64 * 3 + b as i64;
    let truth = (a > 3) as i64;
    wide - truth + -2147483648_i64 + i32::MIN as i64 + 7u32 as i64 + i64::from(b)
}

#[kernel]
fn methods(x: f32, y: f32) -> f32 {
    let low = x.min(y).max(-8.0).clamp(-5.0, 50.0);
    let whole = x.floor() + y.ceil() * 2.0 + x.trunc() - low.fract() + y.round();
    let sign = low.signum() + x.abs().copysign(y) + low.mul_add(2.0, y);
    if x.is_nan() || !y.is_finite() || x.is_infinite() { low } else { whole + sign + x.abs().sqrt() + low.recip() }
}

#[kernel]
fn powers(x: f32, n: i32) -> (f32, f32, f32) {
    (x.powi(3) + x.powi(1) + x.powi(0), x.powi(-2), x.powi(n))
}

#[kernel]
fn integer_powers(x: u32, n: u32) -> u32 {
    if x < 3 { x.pow(n) } else { x.pow(5) }
}

#[kernel]
fn raw_bits(x: f32) -> f32 {
    f32::from_bits(x.to_bits() ^ 0x8000_0000)
}

#[kernel]
fn by_path(x: f32, y: f32) -> f32 {
    f32::max(f32::min(x, y), 0.5) + f32::sqrt(f32::max(1.0, 4.0))
}

#[kernel]
fn typed_lets(x: f32) -> f64 {
    let a: f64 = 1.5;
    let mut b: f64 = x as f64;
    let c = 3;
    b += a * c as f64;
    let _ = b;
    {
        b *= 2.0;
    }
    {
        let b = b + 1.0;
        b * 2.0
    }
}

// ---- tuples and structs -----------------------------------------------------------------------------------------------------

#[kernel]
fn tuples(p: (f32, f32), q: u32) -> (f32, (u32, f32)) {
    let (mut a, b) = p;
    let (c, (d, _)) = (q, (b, 1.0));
    a += p.0 + d;
    let mut t = (a, (c, b));
    t.0 *= 2.0;
    t.1.0 += 1;
    t.1 = (t.1.0 + 1, t.1.1 - 1.0);
    (a, t.1.1) = (t.0, a);
    t.1.1 += a;
    t
}
#[kernel]
fn destructured((a, mut b): (f32, f32), mut n: u32) -> f32 {
    n += 1;
    b += a;
    b * n as f32
}

#[derive(Clone, Copy, Debug, Element)]
struct Particle {
    at: (f32, f32),
    mass: f32,
    alive: bool,
}
impl Same for Particle {
    fn same(&self, o: &Self) -> bool {
        self.at.same(&o.at) && self.mass.same(&o.mass) && self.alive == o.alive
    }
}
#[derive(Clone, Copy, Debug, Element)]
struct Complex<T: Number>(T, T);
impl<T: Number + Same> Same for Complex<T> {
    fn same(&self, o: &Self) -> bool {
        self.0.same(&o.0) && self.1.same(&o.1)
    }
}

#[kernel]
fn multiply(a: Complex<f32>, b: Complex<f32>) -> Complex<f32> {
    Complex(a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

#[kernel]
fn step(x: f32, mass: f32, #[uniform] centre: Particle) -> Particle {
    let mut p = Particle { mass, at: (x, x + 1.0), alive: mass > 0.0 };
    let Particle { at: (cx, _), .. } = centre;
    p.at.0 += cx * centre.mass;
    if p.at.0 > 4.0 {
        p.alive = false;
        p = Particle { mass: 0.0, ..p };
    }
    p
}

#[kernel]
fn square(z: (f32, f32)) -> (f32, f32) {
    let w = multiply(Complex(z.0, z.1), Complex(z.0, z.1));
    (w.0, w.1)
}

// ---- branches ---------------------------------------------------------------------------------------------------------------

#[kernel]
fn grade(x: f32) -> u32 {
    if x < 0.0 {
        0
    } else if x < 1.0 {
        let y = x * 10.0;
        y as u32
    } else if x > 5.0 && x < 6.0 {
        77
    } else {
        100
    }
}

#[kernel]
fn statements(x: i32) -> i32 {
    let mut a = x;
    let mut b = 0;
    if x > 10 {
        a -= 10;
        if a % 2 == 0 {
            b += a;
        } else if a % 3 == 0 {
            b -= a;
            a = 5;
        } else {
            b = 1;
        }
        a += 1;
    } else {
        a *= 2;
    }
    a * 100 + b
}

#[kernel]
fn uniform_branch(x: f32, #[uniform] k: i32) -> f32 {
    let factor = if k > 3 { 2.0 } else { 0.5 };
    let kk = k * 2 + 1;
    if kk > 5 { x * factor } else { x + kk as f32 }
}

#[kernel]
fn branch_value_with_return(x: f32) -> f32 {
    let y = if x > 1.0 {
        if x > 8.0 {
            return -1.0;
        }
        x.sqrt() + x.sin()
    } else if x < -3.0 {
        return x * 2.0;
    } else {
        x * x
    };
    y + 1.0
}

/// Values of branches that assign or return inside, however small they are.
#[kernel]
fn branch_values_with_effects(x: u32, y: u32) -> u32 {
    let mut a = y;
    let nested = if x.is_multiple_of(2) {
        if y.is_multiple_of(3) {
            a = 7;
            2
        } else {
            3
        }
    } else {
        4
    };
    let inside = if x.is_multiple_of(3) {
        1 + {
            a += 5;
            a
        }
    } else {
        a
    };
    let left = if x % 5 == 1 { if y % 4 == 3 { return 9 } else { 3 } } else { 4 };
    a * 1000 + nested * 100 + inside * 10 + left
}

/// What the right side of `&&` and `||` does belongs to the lanes that come to it.
#[kernel]
fn lazy_sides(x: u32, y: u32) -> u32 {
    let mut a = y;
    let both = x.is_multiple_of(2) && {
        a = 7;
        y > 3
    };
    let left = x.is_multiple_of(3) && if y.is_multiple_of(4) { return 50 } else { y > 3 };
    let either = both || {
        a += 3;
        x > 4
    };
    a * 8 + both as u32 * 4 + left as u32 * 2 + either as u32
}

/// A compound assignment reads its left side after the right side has assigned to it.
#[kernel]
#[allow(unused_assignments)] // rustc does not count the read
fn compound_order(x: u32, y: u32) -> u32 {
    let mut a = y;
    a += if x.is_multiple_of(2) {
        a = 7;
        2
    } else {
        4
    };
    let mut t = (a, y);
    t.0 ^= {
        t = (x, a);
        t.1
    };
    a * 100 + t.0
}

// ---- loops ------------------------------------------------------------------------------------------------------------------

#[kernel]
fn mandelbrot(cx: f32, cy: f32, #[uniform] limit: u32) -> u32 {
    let mut x = 0.0;
    let mut y = 0.0;
    let mut n = 0;
    while n < limit && x * x + y * y <= 4.0 {
        let t = x * x - y * y + cx;
        y = 2.0 * x * y + cy;
        x = t;
        n += 1;
    }
    n
}

#[kernel]
fn collatz(start: u32) -> u32 {
    let mut n = start.max(1);
    let mut steps = 0;
    loop {
        if n == 1 || steps > 200 {
            break;
        }
        steps += 1;
        if n.is_multiple_of(2) {
            n /= 2;
            continue;
        }
        n = 3 * n + 1;
    }
    steps
}

#[kernel]
fn sum_to(n: u32) -> u32 {
    let mut sum = 0;
    for i in 0..n {
        if i % 3 == 1 {
            continue;
        }
        if sum > 60 {
            break;
        }
        sum += i;
    }
    sum
}

#[kernel]
fn inclusive(a: u32, b: u32) -> u32 {
    let mut sum = 0;
    for i in a..=b {
        sum += i * i;
        if i == 9 {
            continue;
        }
        sum += 1;
    }
    let last = u32::MAX;
    for i in last - b % 3..=last {
        sum = sum.wrapping_add(i);
    }
    sum
}

#[kernel]
fn nested(a: u32, b: u32) -> u32 {
    let mut found = 0;
    for i in 0..a {
        let mut j = 0;
        while j < b {
            j += 1;
            if (i + j) % 5 == 0 {
                continue;
            }
            if i * j > 40 {
                break;
            }
            if i * j == 35 {
                return 1000 + i;
            }
            for k in 0..3 {
                if k + j == 7 {
                    break;
                }
                found += k;
            }
        }
        if i == 15 {
            break;
        }
        found += j;
    }
    loop {
        if found > 50 {
            return found;
        }
        found += 7;
        if found % 4 == 0 {
            break;
        }
    }
    found * 2
}

#[kernel]
#[allow(clippy::needless_return)] // a last `return` is the value
fn unit_tails(x: u32) -> u32 {
    let mut a = 0;
    for _ in 0..4 {
        if x > 3 { a += x } else { a += 1 }
    }
    while a > 100 {
        a -= 100
    }
    return a;
}

#[kernel]
#[allow(clippy::needless_return)] // each branch returns: there is no value after them
fn always_returns(x: i32) -> i32 {
    if x > 5 {
        return 1;
    } else if x < -5 {
        return -1;
    } else {
        return 0;
    }
}

#[kernel]
fn returns_from_loop(x: u32) -> usize {
    let mut i = 0;
    loop {
        i += 1;
        if i * i > x as usize {
            return i;
        }
    }
}

/// Conditions that assign and return: only lanes still in the loop evaluate them.
#[kernel]
#[allow(clippy::blocks_in_conditions)]
fn conditions_with_effects(x: u32, y: u32) -> u32 {
    let mut a = 0;
    let mut n = 0;
    while {
        a += 1;
        a < x % 9
    } {
        if a == y {
            continue;
        }
        n += y;
    }
    while if n > 90 { return 7 } else { n < x * 4 } {
        n += y + 1;
        if n % 7 == 3 {
            break;
        }
    }
    a * 1000 + n
}

// ---- slices, calls and generics ------------------------------------------------------------------------------------------------

#[kernel]
fn first_above<T: Number>(x: T, table: &[T]) -> u32 {
    for i in 0..table.len() {
        if table[i] > x {
            return i as u32;
        }
    }
    u32::MAX
}

#[kernel]
fn gather_sum(i: u32, data: &[f32], starts: &[u32]) -> f32 {
    let from = starts[i as usize % starts.len()];
    let mut sum = data[0] * 0.0;
    for j in from..from + 3 {
        sum += data[j as usize % data.len()];
    }
    if data.is_empty() { -1.0 } else { sum }
}

#[kernel]
fn forces(x: f32, bodies: &[Particle]) -> f32 {
    let mut f = 0.0;
    for j in 0..bodies.len() {
        let d = bodies[j].at.0 - x;
        f += bodies[j].mass * d / (d * d + 0.1);
    }
    f
}

#[kernel]
fn weighted(i: u32, #[uniform] w: [f32; 5], #[uniform] scale: f32) -> f32 {
    let mut sum = w[i as usize % 5];
    for k in 0..5 {
        sum += w[k] * scale;
    }
    sum + w[2]
}

#[kernel]
fn lerp<T: Float>(a: T, b: T, t: T) -> T {
    a + (b - a) * t
}

#[kernel]
fn scaled<T: Integer>(a: T, #[uniform] by: T) -> T {
    (a & by) | (a ^ by) << 1u32
}

#[kernel]
fn calls(x: f32, y: f32, table: &[f32], #[uniform] a: f32) -> f32 {
    let mut r = lerp(x, y, 0.25) + lerp::<f32>(a, x, y);
    if x > 2.0 {
        r += branch_value_with_return(saxpy(x, y, a));
        r += first_above(x, table) as f32;
        if x > 3.0 && first_above(y, table) > 1 {
            r += mandelbrot(x * 0.1, 0.1, 30) as f32;
        }
    }
    r
}

// ---- operators ----------------------------------------------------------------------------------------------------------------

#[operator(identity = f32::NEG_INFINITY, commutative)]
fn log_sum_exp(a: f32, b: f32) -> f32 {
    let high = a.max(b);
    if high == f32::NEG_INFINITY { high } else { high + ((a - high).exp() + (b - high).exp()).ln() }
}

#[operator(identity = (1.0, 0.0))]
fn compose(f: (f32, f32), g: (f32, f32)) -> (f32, f32) {
    (f.0 * g.0, f.1 * g.0 + g.1)
}

#[operator(identity = modulus * 0, commutative)]
fn add_modulo(a: u32, b: u32, #[uniform] modulus: u32) -> u32 {
    (a + b) % modulus
}

#[operator(identity = Complex(T::ONE, T::ZERO), commutative)]
fn complex_product<T: Number>(a: Complex<T>, b: Complex<T>) -> Complex<T> {
    Complex(a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
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
