//! Every SIMD level against the one-lane level, lane by lane and bit for bit.

mod memory;

use std::fmt::Debug;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

use granule::array::Data;
use granule::backend::simd::{Level, OneLane, SimdLevel, Span, ViewMut, WithLevel, dispatch};
use granule::element::{Element, Kind, Offset, Scalar, Value};
use granule::kernel::{FloatLane, In, IntLane, Lane, MaskLane, NumLane};

/// No level is wider.
const MOST: usize = 16;

/// xorshift64* (Vigna 2016).
struct Random(u64);
impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

/// The values at which operations change their behaviour.
fn special<S: Scalar>() -> Vec<S> {
    let float: Vec<f64> = vec![
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        1.5,
        -1.5,
        2.5,
        -2.5,
        3.0,
        -7.0,
        1e-3,
        0.1,
        65536.0,
        16777217.0,
        8388607.5,
        -8388608.5,
        8388609.0,
        4503599627370495.5,
        -4503599627370496.5,
        2147483647.0,
        2147483647.5,
        2147483648.0,
        2147483520.0,
        -2147483648.0,
        -2147483648.5,
        -2147483904.0,
        -2147483649.0,
        4294967295.0,
        4294967295.5,
        4294967296.0,
        4294967040.0,
        9223372036854775807.0,
        -9223372036854775808.0,
        -9223373136366403584.0,
        18446744073709551615.0,
        1e30,
        -1e30,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    let integer: [u64; 30] = [
        0,
        1,
        2,
        3,
        5,
        31,
        32,
        33,
        63,
        64,
        65,
        0xFFFF,
        0x10000,
        0x0100_0001,
        0x7FFF_FFBF,
        0x7FFF_FFFF,
        0x8000_0000,
        0x8000_0001,
        0x5555_5555,
        0xFFFF_FFFF,
        0x1_0000_0000,
        (1 << 53) + 1,
        (1 << 63) + 1025,
        i64::MAX as u64,
        i64::MIN as u64,
        u64::MAX,
        (-2_i64) as u64,
        (-7_i64) as u64,
        0xAAAA_AAAA_AAAA_AAAA,
        0x0123_4567_89AB_CDEF,
    ];
    let bits: Vec<u64> = match S::KIND {
        Kind::Bool => vec![0, 1],
        Kind::F32 => {
            let near = [
                0.49999997_f32,
                -0.49999997,
                f32::MIN,
                f32::MAX,
                f32::MIN_POSITIVE,
                1.0 + f32::EPSILON,
                1.0 + f32::EPSILON * 2048.0,
            ];
            let raw = [1, 0x8000_0001, 0x007F_FFFF, 0x7FC0_0000, 0xFFC0_1234];
            float.iter().map(|&x| x as f32).chain(near).map(|x| x.bits()).chain(raw).collect()
        }
        Kind::F64 => {
            let near = [
                0.49999999999999994_f64,
                f64::MIN,
                f64::MAX,
                f64::MIN_POSITIVE,
                1.0 + f64::EPSILON,
                1.0 + f64::EPSILON * 67108864.0,
            ];
            let raw = [1, (1 << 63) | 1, (1 << 52) - 1, 0x7FF8_0000_0000_0000, 0xFFF8_0000_0000_1234];
            float.into_iter().chain(near).map(|x| x.bits()).chain(raw).collect()
        }
        Kind::I32 | Kind::U32 => integer.map(|x| x & 0xFFFF_FFFF).to_vec(),
        Kind::I64 | Kind::U64 => integer.to_vec(),
    };
    bits.into_iter().map(S::from_bits).collect()
}

/// Any value: a special one, any bits, or a small number.
fn any<S: Scalar>(random: &mut Random, special: &[S]) -> S {
    let bits = random.next();
    match (S::KIND, random.next() % 4) {
        (_, 0) => special[bits as usize % special.len()],
        (Kind::Bool, _) => S::from_bits(bits & 1),
        (Kind::F32, 1) => S::from_bits(((bits % 2001) as f32 / 16.0 - 60.0).bits()),
        (Kind::F64, 1) => S::from_bits(((bits % 2001) as f64 / 16.0 - 60.0).bits()),
        (Kind::F32 | Kind::I32 | Kind::U32, 2..) => S::from_bits(bits >> 32),
        (Kind::F64 | Kind::I64 | Kind::U64, 2..) => S::from_bits(bits),
        (Kind::I32 | Kind::U32, _) => S::from_bits((bits % 200).wrapping_sub(100) & 0xFFFF_FFFF),
        _ => S::from_bits((bits % 200).wrapping_sub(100)),
    }
}

fn is_nan<S: Scalar>(x: S) -> bool {
    #[allow(clippy::eq_op)] // true for NaN alone
    {
        x != x
    }
}

/// An operation of up to three operands in any lanes.
trait Operation {
    type A: Scalar;
    type B: Scalar;
    type C: Scalar;
    type R: Scalar;
    /// Whether a result is right.
    fn right(got: Self::R, want: Self::R) -> bool;
    fn lanes<L: Level>(l: L, a: In<L, Self::A>, b: In<L, Self::B>, c: In<L, Self::C>) -> In<L, Self::R>;
}

/// Memory to be written to, which holds these values before.
fn memory<T: Copy>(x: &[T]) -> Vec<MaybeUninit<T>> {
    x.iter().map(|&x| MaybeUninit::new(x)).collect()
}
/// What memory from [`memory`] holds now.
fn written<T: Copy>(x: &[MaybeUninit<T>]) -> Vec<T> {
    // SAFETY: `memory` initialised every element, and nothing takes that back.
    x.iter().map(|x| unsafe { x.assume_init() }).collect()
}

/// Runs an operation on slices whose length is a multiple of every width.
struct Run<'a, O: Operation>(&'a [O::A], &'a [O::B], &'a [O::C], &'a mut [MaybeUninit<O::R>]);
impl<O: Operation> WithLevel for Run<'_, O> {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        let Run(a, b, c, r) = self;
        let to = ViewMut::new(r);
        for base in (0..a.len()).step_by(L::WIDTH) {
            let i = Span::new(base, L::WIDTH);
            let a = O::A::load(l, l.slice(Data::Slice(a)), i);
            let b = O::B::load(l, l.slice(Data::Slice(b)), i);
            let c = O::C::load(l, l.slice(Data::Slice(c)), i);
            O::R::store(l, O::lanes(l, a, b, c), to, i);
        }
    }
}

/// Compares an operation at every level with the one-lane level.
fn compare<O: Operation>(name: &str) {
    let random = &mut Random(0x9E37_79B9_7F4A_7C15);
    let (mut a, mut b, mut c) = (Vec::new(), Vec::new(), Vec::new());
    let (as_, bs, cs) = (special::<O::A>(), special::<O::B>(), special::<O::C>());
    for &x in &as_ {
        for &y in &bs {
            a.push(x);
            b.push(y);
            c.push(cs[random.next() as usize % cs.len()]);
        }
    }
    for _ in 0..4000 {
        a.push(any(random, &as_));
        b.push(any(random, &bs));
        c.push(any(random, &cs));
    }
    while a.len() % MOST != 0 {
        a.push(as_[0]);
        b.push(bs[0]);
        c.push(cs[0]);
    }
    let want: Vec<O::R> =
        (0..a.len()).map(|j| O::R::from_one(O::lanes(OneLane, a[j].to_one(), b[j].to_one(), c[j].to_one()))).collect();
    for level in SimdLevel::available() {
        let mut got = memory(&vec![O::R::ZERO; a.len()]);
        dispatch(level, Run::<O>(&a, &b, &c, &mut got));
        for (j, got) in written(&got).into_iter().enumerate() {
            assert!(
                O::right(got, want[j]),
                "{level}, {}: {name} of {:?}, {:?}, {:?} gave {got:?} ({:#x}), not {:?} ({:#x})",
                std::any::type_name::<O::A>(),
                a[j],
                b[j],
                c[j],
                got.bits(),
                want[j],
                want[j].bits(),
            );
        }
    }
}

/// `bits`: the same bits. `value`: the same bits, or both NaN (Rust leaves the payload of a computed NaN open). `near`: a relative
/// error below 1e-5, which no other function has.
macro_rules! right {
    (bits $got:ident $want:ident) => {
        $got.bits() == $want.bits()
    };
    (value $got:ident $want:ident) => {
        $got.bits() == $want.bits() || is_nan($got) && is_nan($want)
    };
    (near $got:ident $want:ident) => {
        ($got - $want).abs() <= 1e-5 * $want.abs() || is_nan($got) && is_nan($want)
    };
}
macro_rules! operation {
    ($how:ident ($A:ty, $B:ty, $C:ty) -> $R:ty, |$l:ident, $a:ident, $b:ident, $c:ident| $e:expr) => {{
        struct Op;
        impl Operation for Op {
            type A = $A;
            type B = $B;
            type C = $C;
            type R = $R;
            #[allow(unused_parens)]
            fn right(got: $R, want: $R) -> bool {
                right!($how got want)
            }
            #[inline(always)]
            #[allow(unused_variables)] // operands that an operation lacks
            fn lanes<L: Level>($l: L, $a: In<L, $A>, $b: In<L, $B>, $c: In<L, $C>) -> In<L, $R> {
                $e
            }
        }
        compare::<Op>(stringify!($e));
    }};
}
macro_rules! one {
    ($how:ident $A:ident -> $R:ident, $Tr:ident: $($f:ident)+) => {
        $(operation!($how ($A, bool, bool) -> $R, |l, a, b, c| $Tr::$f(a, l));)+
    };
}
macro_rules! two {
    ($how:ident $A:ident, $B:ident -> $R:ident, $Tr:ident: $($f:ident)+) => {
        $(operation!($how ($A, $B, bool) -> $R, |l, a, b, c| $Tr::$f(a, l, b));)+
    };
}

macro_rules! number {
    ($t:ident) => {
        two!(value $t, $t -> $t, NumLane: add sub mul div rem);
        two!(bits $t, $t -> $t, NumLane: min max);
        two!(bits $t, $t -> bool, NumLane: eq lt le);
        one!(bits $t -> $t, NumLane: neg abs);
        one!(value $t -> f32, NumLane: to_f32);
        one!(value $t -> f64, NumLane: to_f64);
        one!(bits $t -> i32, NumLane: to_i32);
        one!(bits $t -> u32, NumLane: to_u32);
        one!(bits $t -> i64, NumLane: to_i64);
        one!(bits $t -> u64, NumLane: to_u64);
        lane!($t);
    };
}
macro_rules! lane {
    ($t:ident) => {
        operation!(bits ($t, $t, bool) -> $t, |l, a, b, c| Lane::select(a, l, c, b));
        operation!(bits ($t, $t, bool) -> $t, |l, a, b, c| {
            let mut x = Lane::var(a, l);
            Lane::set_masked(&mut x, l, c, b);
            Lane::get(x, l)
        });
    };
}
macro_rules! integer {
    ($t:ident) => {
        number!($t);
        two!(bits $t, $t -> $t, IntLane: bit_and bit_or bit_xor);
        two!(bits $t, u32 -> $t, IntLane: shl shr);
        one!(bits $t -> $t, IntLane: bit_not reverse_bits);
        one!(bits $t -> u32, IntLane: count_ones leading_zeros trailing_zeros);
    };
}
macro_rules! float {
    ($t:ident) => {
        number!($t);
        one!(value $t -> $t, FloatLane: sqrt floor ceil trunc round);
        one!(bits $t -> bool, FloatLane: is_nan);
        two!(bits $t, $t -> $t, FloatLane: copysign);
        operation!(value ($t, $t, $t) -> $t, |l, a, b, c| FloatLane::mul_add(a, l, b, c));
        // A sum that cancels most of the product, or that lies next to the middle between two results.
        operation!(value ($t, $t, $t) -> $t, |l, a, b, c| {
            let rounded = NumLane::neg(NumLane::mul(a, l, b), l);
            FloatLane::mul_add(a, l, b, rounded)
        });
        operation!(value ($t, $t, bool) -> $t, |l, a, b, c| {
            let tiny = NumLane::mul(b, l, <In<L, $t> as Lane<L, $t>>::splat(l, $t::MIN_POSITIVE));
            FloatLane::mul_add(a, l, a, tiny)
        });
    };
}

#[test]
fn f32_operations() {
    float!(f32);
    operation!(bits (f32, bool, bool) -> u32, |l, a, b, c| l.f32_bits(a));
    operation!(bits (u32, bool, bool) -> f32, |l, a, b, c| l.f32_from_bits(a));
}
#[test]
fn f64_operations() {
    float!(f64);
    operation!(bits (f64, bool, bool) -> u64, |l, a, b, c| l.f64_bits(a));
    operation!(bits (u64, bool, bool) -> f64, |l, a, b, c| l.f64_from_bits(a));
}
#[test]
fn i32_operations() {
    integer!(i32);
}
#[test]
fn u32_operations() {
    integer!(u32);
    operation!(bits (u32, u32, bool) -> u32, |l, a, b, c| l.mul_hi(a, b));
}
#[test]
fn i64_operations() {
    integer!(i64);
}
#[test]
fn u64_operations() {
    integer!(u64);
}
#[test]
fn mask_operations() {
    lane!(bool);
    two!(bits bool, bool -> bool, MaskLane: and or xor);
    one!(bits bool -> bool, MaskLane: not);
    two!(bits bool, bool -> bool, Lanes_: if_then if_else if_end);
}
/// The control flow of [`Lanes`], with the receiver first.
#[allow(non_camel_case_types)]
struct Lanes_;
impl Lanes_ {
    #[inline(always)]
    fn if_then<L: Level>(outer: L::Mask, l: L, c: L::Mask) -> L::Mask {
        l.if_then(outer, c)
    }
    #[inline(always)]
    fn if_else<L: Level>(outer: L::Mask, l: L, c: L::Mask) -> L::Mask {
        l.if_else(outer, c)
    }
    #[inline(always)]
    fn if_end<L: Level>(then: L::Mask, l: L, other: L::Mask) -> L::Mask {
        l.if_end(then, other)
    }
}

/// That each name leads to its function; how exact they are is tested where they are written. Arguments from 1/8 to 3/2.
#[test]
fn transcendental_functions_are_the_ones_named() {
    macro_rules! near {
        ($t:ident $bits:ident $mask:expr, $low:expr; one: $($f:ident)+; two: $($g:ident)+) => {
            $(operation!(near ($bits, bool, bool) -> $t, |l, a, b, c| { FloatLane::$f(near!(@arg l a $t $mask, $low), l) });)+
            $(operation!(near ($bits, $bits, bool) -> $t, |l, a, b, c| {
                FloatLane::$g(near!(@arg l a $t $mask, $low), l, near!(@arg l b $t $mask, $low))
            });)+
        };
        (@arg $l:ident $x:ident $t:ident $mask:expr, $low:expr) => {{
            let unit = NumLane::to_f64(IntLane::bit_and($x, $l, Lane::splat($l, $mask)), $l);
            let x = FloatLane::mul_add(unit, $l, Lane::splat($l, 1.375 / $mask as f64), Lane::splat($l, $low));
            near!(@to $t x $l)
        }};
        (@to f32 $x:ident $l:ident) => { NumLane::to_f32($x, $l) };
        (@to f64 $x:ident $l:ident) => { $x };
    }
    near!(f32 u32 0xFFFF, 0.125; one: exp exp2 ln log2 log10 sin cos tan tanh atan; two: atan2 powf);
    near!(f64 u64 0xFFFF, 0.125; one: exp exp2 ln log2 log10 sin cos tan tanh atan; two: atan2 powf);
}

/// A task that names no level gets the widest, and one that asks for too much the widest that there is.
#[test]
fn dispatch_runs_at_the_level() {
    struct Width;
    impl WithLevel for Width {
        type Out = usize;
        #[inline(always)]
        fn run<L: Level>(self, _: L) -> usize {
            L::WIDTH
        }
    }
    for level in SimdLevel::ALL {
        let want = match level.min(SimdLevel::detect()) {
            SimdLevel::Base => 4,
            SimdLevel::Avx2 => 8,
            SimdLevel::Avx512 => 16,
        };
        assert_eq!(dispatch(level, Width), want, "{level}");
    }
}

/// The table of kinds above is complete.
#[test]
fn every_kind_has_special_values() {
    fn leaves<S: Element + Scalar>() -> usize {
        special::<S>().len()
    }
    assert!(leaves::<bool>() == 2 && leaves::<f32>() > 40 && leaves::<f64>() > 40);
    assert!(leaves::<i32>() >= 30 && leaves::<u32>() >= 30 && leaves::<i64>() >= 30 && leaves::<u64>() >= 30);
}
