//! What may flow through a kernel ([`Value`]) and what may be an array's element ([`Element`]).
//!
//! Scalars are the leaves; tuples and structs are trees of leaves. Everything that treats all leaves alike (a masked
//! assignment, a load, a shuffle) is written once as a visitor, so a derived struct costs five small methods and nothing else
//! in the library names its fields.

use crate::backend::simd::{Level, OneLane, Span, VectorLane, ViewMut};
use crate::kernel::trace::{Ref, Trace};
use crate::kernel::{FloatLane, IntLane, Lane, Lanes, MaskLane, NumLane, Varying};

/// Where a leaf stands inside an element: in bytes in Rust's layout, in 32-bit words in the packed layout of a GPU buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Offset {
    /// Bytes from the start of the element in host memory.
    pub bytes: usize,
    /// 32-bit words from the start of the element in a GPU buffer.
    pub words: usize,
}

impl Offset {
    /// The start of the element.
    pub const START: Offset = Offset { bytes: 0, words: 0 };

    /// This offset moved on.
    #[inline(always)]
    pub const fn plus(self, bytes: usize, words: usize) -> Offset {
        Offset { bytes: self.bytes + bytes, words: self.words + words }
    }
}

/// The scalar types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names say it
pub enum Kind {
    Bool,
    F32,
    I32,
    U32,
    F64,
    I64,
    U64,
}

impl Kind {
    /// Size in a GPU buffer, in 32-bit words.
    pub const fn words(self) -> usize {
        match self {
            Kind::F64 | Kind::I64 | Kind::U64 => 2,
            _ => 1,
        }
    }
}

/// A leaf-wise map from the lanes `L` to the lanes `M`.
pub trait LeafMap<L: Lanes, M: Lanes> {
    /// Maps one leaf.
    fn leaf<S: Scalar>(&mut self, x: S::In<L>) -> S::In<M>;
}

/// A leaf-wise combination of two values.
pub trait LeafZip<L: Lanes> {
    /// Combines one pair of leaves.
    fn leaf<S: Scalar>(&mut self, a: S::In<L>, b: S::In<L>) -> S::In<L>;
}

/// A leaf-wise construction.
pub trait LeafBuild<L: Lanes> {
    /// Makes the leaf that stands at this offset.
    fn leaf<S: Scalar>(&mut self, at: Offset) -> S::In<L>;
}

/// A leaf-wise consumption.
pub trait LeafVisit<L: Lanes> {
    /// Takes the leaf that stands at this offset.
    fn leaf<S: Scalar>(&mut self, x: S::In<L>, at: Offset);
}

/// A type that may appear in a kernel. Implemented by the scalars, `usize`, tuples, and structs with `#[derive(Element)]`.
pub trait Value: Copy + Send + Sync + 'static {
    /// Its form in the lanes `L`: a vector for a scalar, a tuple or struct of [`Varying`] fields for a tree.
    type In<L: Lanes>: Copy;

    /// This value in one lane.
    fn to_one(self) -> Self::In<OneLane>;
    /// The value of one lane.
    fn from_one(x: Self::In<OneLane>) -> Self;
    /// Applies `f` to every leaf.
    fn map<L: Lanes, M: Lanes, F: LeafMap<L, M>>(f: &mut F, x: Self::In<L>) -> Self::In<M>;
    /// Applies `f` to every pair of leaves.
    fn zip<L: Lanes, F: LeafZip<L>>(f: &mut F, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
}

/// A type that may be an array's element.
///
/// # Safety
/// `build` and `visit` must give each leaf the byte offset at which a scalar of exactly that type lies in `Self`, and
/// consecutive word offsets that end at `WORDS`. `#[derive(Element)]` does.
pub unsafe trait Element: Value {
    /// Size in a GPU buffer, in 32-bit words.
    const WORDS: usize;
    /// Whether host memory is already the packed layout: the same size, the same offsets, no padding.
    const PACKED: bool;

    /// Makes a value leaf by leaf.
    fn build<L: Lanes, F: LeafBuild<L>>(f: &mut F, at: Offset) -> Self::In<L>;
    /// Visits the leaves with their offsets.
    fn visit<L: Lanes, F: LeafVisit<L>>(f: &mut F, x: Self::In<L>, at: Offset);
    /// The kinds and offsets of the leaves, in order.
    fn leaves(at: Offset, out: &mut Vec<(Kind, Offset)>);
}

/// A leaf: `bool`, `f32`, `f64`, `i32`, `u32`, `i64` or `u64`. Each method forwards to the vector type that `L` has for it.
#[allow(missing_docs)] // the methods are those of `Lane` and `VectorLane`
pub trait Scalar: Element + PartialEq + std::fmt::Debug {
    /// Which scalar.
    const KIND: Kind;
    /// Zero, or false.
    const ZERO: Self;
    /// The bit pattern, zero-extended.
    fn bits(self) -> u64;
    /// The scalar with this bit pattern.
    fn from_bits(bits: u64) -> Self;
    /// The recorded value that a trace has for this scalar.
    fn from_trace(x: Self::In<Trace<'_>>) -> Ref<Self>;
    /// The other way round.
    fn to_trace<'t>(x: Ref<Self>) -> Self::In<Trace<'t>>;

    fn splat<L: Lanes>(l: L, x: Self) -> Self::In<L>;
    fn broadcast<L: Lanes>(l: L, x: Self::In<L::Uniform>) -> Self::In<L>;
    fn select<L: Lanes>(l: L, m: L::Mask, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn load<L: Lanes>(l: L, s: L::Slice<'_, Self>, i: L::Index) -> Self::In<L>;
    fn gather<L: Lanes>(l: L, s: L::Slice<'_, Self>, i: L::U32) -> Self::In<L>;
    fn var<L: Lanes>(l: L, x: Self::In<L>) -> Self::In<L>;
    fn get<L: Lanes>(l: L, x: Self::In<L>) -> Self::In<L>;
    fn set<L: Lanes>(l: L, var: &mut Self::In<L>, x: Self::In<L>);
    fn set_masked<L: Lanes>(l: L, m: L::Mask, var: &mut Self::In<L>, x: Self::In<L>);

    fn store<L: Level>(l: L, x: Self::In<L>, to: ViewMut<'_, Self>, i: Span);
    fn stream<L: Level>(l: L, x: Self::In<L>, to: ViewMut<'_, Self>, i: Span);
    fn slide_down<L: Level, const N: usize>(l: L, x: Self::In<L>) -> Self::In<L>;
    fn slide_up<L: Level, const N: usize>(l: L, x: Self::In<L>) -> Self::In<L>;
    fn extract<L: Level>(l: L, x: Self::In<L>, lane: usize) -> Self;
}

macro_rules! scalar {
    ($t:ty, $lane:ident, $kind:ident, $zero:expr, $words:expr, $packed:expr, |$x:ident| $bits:expr, |$b:ident| $from:expr) => {
        impl Value for $t {
            type In<L: Lanes> = L::$lane;
            #[inline(always)]
            fn to_one(self) -> Self {
                self
            }
            #[inline(always)]
            fn from_one(x: Self) -> Self {
                x
            }
            #[inline(always)]
            fn map<L: Lanes, M: Lanes, F: LeafMap<L, M>>(f: &mut F, x: L::$lane) -> M::$lane {
                f.leaf::<$t>(x)
            }
            #[inline(always)]
            fn zip<L: Lanes, F: LeafZip<L>>(f: &mut F, a: L::$lane, b: L::$lane) -> L::$lane {
                f.leaf::<$t>(a, b)
            }
        }

        // SAFETY: the only leaf is the value itself, at offset 0.
        unsafe impl Element for $t {
            const WORDS: usize = $words;
            const PACKED: bool = $packed;
            #[inline(always)]
            fn build<L: Lanes, F: LeafBuild<L>>(f: &mut F, at: Offset) -> L::$lane {
                f.leaf::<$t>(at)
            }
            #[inline(always)]
            fn visit<L: Lanes, F: LeafVisit<L>>(f: &mut F, x: L::$lane, at: Offset) {
                f.leaf::<$t>(x, at)
            }
            fn leaves(at: Offset, out: &mut Vec<(Kind, Offset)>) {
                out.push((Kind::$kind, at));
            }
        }

        impl Scalar for $t {
            const KIND: Kind = Kind::$kind;
            const ZERO: Self = $zero;
            #[inline(always)]
            fn bits(self) -> u64 {
                let $x = self;
                $bits
            }
            #[inline(always)]
            fn from_bits($b: u64) -> Self {
                $from
            }
            #[inline(always)]
            fn from_trace(x: Self::In<Trace<'_>>) -> Ref<$t> {
                x
            }
            #[inline(always)]
            fn to_trace<'t>(x: Ref<$t>) -> Self::In<Trace<'t>> {
                x
            }
            #[inline(always)]
            fn splat<L: Lanes>(l: L, x: Self) -> L::$lane {
                <L::$lane as Lane<L, $t>>::splat(l, x)
            }
            #[inline(always)]
            fn broadcast<L: Lanes>(l: L, x: Self::In<L::Uniform>) -> L::$lane {
                <L::$lane as Lane<L, $t>>::broadcast(l, x)
            }
            #[inline(always)]
            fn select<L: Lanes>(l: L, m: L::Mask, a: L::$lane, b: L::$lane) -> L::$lane {
                <L::$lane as Lane<L, $t>>::select(a, l, m, b)
            }
            #[inline(always)]
            fn load<L: Lanes>(l: L, s: L::Slice<'_, Self>, i: L::Index) -> L::$lane {
                <L::$lane as Lane<L, $t>>::load(l, s, i)
            }
            #[inline(always)]
            fn gather<L: Lanes>(l: L, s: L::Slice<'_, Self>, i: L::U32) -> L::$lane {
                <L::$lane as Lane<L, $t>>::gather(l, s, i)
            }
            #[inline(always)]
            fn var<L: Lanes>(l: L, x: L::$lane) -> L::$lane {
                <L::$lane as Lane<L, $t>>::var(x, l)
            }
            #[inline(always)]
            fn get<L: Lanes>(l: L, x: L::$lane) -> L::$lane {
                <L::$lane as Lane<L, $t>>::get(x, l)
            }
            #[inline(always)]
            fn set<L: Lanes>(l: L, var: &mut L::$lane, x: L::$lane) {
                <L::$lane as Lane<L, $t>>::set(var, l, x)
            }
            #[inline(always)]
            fn set_masked<L: Lanes>(l: L, m: L::Mask, var: &mut L::$lane, x: L::$lane) {
                <L::$lane as Lane<L, $t>>::set_masked(var, l, m, x)
            }
            #[inline(always)]
            fn store<L: Level>(l: L, x: L::$lane, to: ViewMut<'_, Self>, i: Span) {
                <L::$lane as VectorLane<L, $t>>::store(x, l, to, i)
            }
            #[inline(always)]
            fn stream<L: Level>(l: L, x: L::$lane, to: ViewMut<'_, Self>, i: Span) {
                <L::$lane as VectorLane<L, $t>>::stream(x, l, to, i)
            }
            #[inline(always)]
            fn slide_down<L: Level, const N: usize>(l: L, x: L::$lane) -> L::$lane {
                <L::$lane as VectorLane<L, $t>>::slide_down::<N>(x, l)
            }
            #[inline(always)]
            fn slide_up<L: Level, const N: usize>(l: L, x: L::$lane) -> L::$lane {
                <L::$lane as VectorLane<L, $t>>::slide_up::<N>(x, l)
            }
            #[inline(always)]
            fn extract<L: Level>(l: L, x: L::$lane, lane: usize) -> Self {
                <L::$lane as VectorLane<L, $t>>::extract(x, l, lane)
            }
        }
    };
}
scalar!(bool, Mask, Bool, false, 1, false, |x| x as u64, |b| b != 0);
scalar!(f32, F32, F32, 0.0, 1, true, |x| x.to_bits() as u64, |b| f32::from_bits(b as u32));
scalar!(i32, I32, I32, 0, 1, true, |x| x as u32 as u64, |b| b as i32);
scalar!(u32, U32, U32, 0, 1, true, |x| x as u64, |b| b as u32);
scalar!(f64, F64, F64, 0.0, 2, true, |x| x.to_bits(), |b| f64::from_bits(b));
scalar!(i64, I64, I64, 0, 2, true, |x| x as u64, |b| b as i64);
scalar!(u64, U64, U64, 0, 2, true, |x| x, |b| b);

/// `usize` may be used inside kernels, where it is a 32-bit index. It is not an element: its width differs between machines.
impl Value for usize {
    type In<L: Lanes> = L::U32;
    #[inline(always)]
    fn to_one(self) -> u32 {
        self as u32
    }
    #[inline(always)]
    fn from_one(x: u32) -> Self {
        x as usize
    }
    #[inline(always)]
    fn map<L: Lanes, M: Lanes, F: LeafMap<L, M>>(f: &mut F, x: L::U32) -> M::U32 {
        f.leaf::<u32>(x)
    }
    #[inline(always)]
    fn zip<L: Lanes, F: LeafZip<L>>(f: &mut F, a: L::U32, b: L::U32) -> L::U32 {
        f.leaf::<u32>(a, b)
    }
}

macro_rules! tuple {
    ($($t:ident $i:tt),+) => {
        impl<$($t: Value),+> Value for ($($t,)+) {
            type In<L: Lanes> = ($(Varying<L, $t>,)+);
            #[inline(always)]
            fn to_one(self) -> Self::In<OneLane> {
                ($(Varying(self.$i.to_one()),)+)
            }
            #[inline(always)]
            fn from_one(x: Self::In<OneLane>) -> Self {
                ($($t::from_one(x.$i.0),)+)
            }
            #[inline(always)]
            fn map<L: Lanes, M: Lanes, F: LeafMap<L, M>>(f: &mut F, x: Self::In<L>) -> Self::In<M> {
                ($(Varying($t::map(f, x.$i.0)),)+)
            }
            #[inline(always)]
            fn zip<L: Lanes, F: LeafZip<L>>(f: &mut F, a: Self::In<L>, b: Self::In<L>) -> Self::In<L> {
                ($(Varying($t::zip(f, a.$i.0, b.$i.0)),)+)
            }
        }

        // SAFETY: the byte offsets come from `offset_of!`, the word offsets are the running sum of the fields' `WORDS`.
        unsafe impl<$($t: Element),+> Element for ($($t,)+) {
            const WORDS: usize = 0 $(+ $t::WORDS)+;
            const PACKED: bool = {
                let mut words = 0;
                let mut packed = true;
                $(
                    packed = packed && $t::PACKED && std::mem::offset_of!(Self, $i) == words * 4;
                    words += $t::WORDS;
                )+
                packed && size_of::<Self>() == words * 4
            };
            #[inline(always)]
            #[allow(unused_assignments)] // the last step of the running sum
            fn build<L: Lanes, F: LeafBuild<L>>(f: &mut F, at: Offset) -> Self::In<L> {
                let mut words = 0;
                ($({
                    let field = $t::build(f, at.plus(std::mem::offset_of!(Self, $i), words));
                    words += $t::WORDS;
                    Varying(field)
                },)+)
            }
            #[inline(always)]
            #[allow(unused_assignments)] // the last step of the running sum
            fn visit<L: Lanes, F: LeafVisit<L>>(f: &mut F, x: Self::In<L>, at: Offset) {
                let mut words = 0;
                $(
                    $t::visit(f, x.$i.0, at.plus(std::mem::offset_of!(Self, $i), words));
                    words += $t::WORDS;
                )+
            }
            #[allow(unused_assignments)] // the last step of the running sum
            fn leaves(at: Offset, out: &mut Vec<(Kind, Offset)>) {
                let mut words = 0;
                $(
                    $t::leaves(at.plus(std::mem::offset_of!(Self, $i), words), out);
                    words += $t::WORDS;
                )+
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, G 5);
tuple!(A 0, B 1, C 2, D 3, E 4, G 5, H 6);
tuple!(A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7);

/// `==` in any lanes: for the numbers and `bool`.
#[doc(hidden)]
pub trait Equal: Value {
    /// `a == b`
    fn equal<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> L::Mask;
}
impl Equal for bool {
    #[inline(always)]
    fn equal<L: Lanes>(l: L, a: L::Mask, b: L::Mask) -> L::Mask {
        a.xor(l, b).not(l)
    }
}

/// The arithmetic of a number type in any lanes: what `a + b` becomes in a kernel that is generic over `T: Number`.
#[doc(hidden)]
#[allow(missing_docs)] // the methods are those of `NumLane`
pub trait NumberLanes: Equal {
    fn add<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn sub<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn mul<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn div<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn rem<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn neg<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L>;
    fn abs<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L>;
    fn min<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn max<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn lt<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> L::Mask;
    fn le<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> L::Mask;
    fn constant<L: Lanes>(l: L, x: Self) -> Self::In<L>;
    fn to_f32<L: Lanes>(l: L, a: Self::In<L>) -> L::F32;
    fn to_f64<L: Lanes>(l: L, a: Self::In<L>) -> L::F64;
    fn to_i32<L: Lanes>(l: L, a: Self::In<L>) -> L::I32;
    fn to_u32<L: Lanes>(l: L, a: Self::In<L>) -> L::U32;
    fn to_i64<L: Lanes>(l: L, a: Self::In<L>) -> L::I64;
    fn to_u64<L: Lanes>(l: L, a: Self::In<L>) -> L::U64;
}

/// A number: `f32`, `f64`, `i32`, `u32`, `i64`, `u64`, and inside kernels `usize`. The bound for kernels that are generic over it.
pub trait Number:
    NumberLanes
    + PartialOrd
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::Rem<Output = Self>
    + std::ops::AddAssign
    + std::ops::SubAssign
    + std::ops::MulAssign
    + std::ops::DivAssign
    + std::ops::RemAssign
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// What nothing is below: negative infinity, or the smallest integer.
    const LOWEST: Self;
    /// What nothing is above: infinity, or the largest integer.
    const HIGHEST: Self;
    /// The identity of addition to the bit: -0.0 for floats.
    const SUM_IDENTITY: Self;
}

macro_rules! number {
    ($t:ty, $s:ty, $lane:ident, $one:expr, $zero:expr, $low:expr, $high:expr, $sum:expr) => {
        impl NumberLanes for $t {
            number!(@two $lane $s: add sub mul div rem min max);
            number!(@one $lane $s: neg abs);
            number!(@test $lane $s: lt le);
            number!(@cast $lane $s: to_f32 F32, to_f64 F64, to_i32 I32, to_u32 U32, to_i64 I64, to_u64 U64);
            #[inline(always)]
            fn constant<L: Lanes>(l: L, x: Self) -> L::$lane {
                <L::$lane as Lane<L, $s>>::splat(l, x as $s)
            }
        }
        impl Equal for $t {
            #[inline(always)]
            fn equal<L: Lanes>(l: L, a: L::$lane, b: L::$lane) -> L::Mask {
                <L::$lane as NumLane<L, $s>>::eq(a, l, b)
            }
        }
        impl Number for $t {
            const ZERO: Self = $zero;
            const ONE: Self = $one;
            const LOWEST: Self = $low;
            const HIGHEST: Self = $high;
            const SUM_IDENTITY: Self = $sum;
        }
    };
    (@two $lane:ident $s:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane, b: L::$lane) -> L::$lane {
            <L::$lane as NumLane<L, $s>>::$f(a, l, b)
        }
    )+};
    (@one $lane:ident $s:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane) -> L::$lane {
            <L::$lane as NumLane<L, $s>>::$f(a, l)
        }
    )+};
    (@test $lane:ident $s:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane, b: L::$lane) -> L::Mask {
            <L::$lane as NumLane<L, $s>>::$f(a, l, b)
        }
    )+};
    (@cast $lane:ident $s:ty: $($f:ident $to:ident),+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane) -> L::$to {
            <L::$lane as NumLane<L, $s>>::$f(a, l)
        }
    )+};
}
number!(f32, f32, F32, 1.0, 0.0, f32::NEG_INFINITY, f32::INFINITY, -0.0);
number!(f64, f64, F64, 1.0, 0.0, f64::NEG_INFINITY, f64::INFINITY, -0.0);
number!(i32, i32, I32, 1, 0, i32::MIN, i32::MAX, 0);
number!(u32, u32, U32, 1, 0, u32::MIN, u32::MAX, 0);
number!(i64, i64, I64, 1, 0, i64::MIN, i64::MAX, 0);
number!(u64, u64, U64, 1, 0, u64::MIN, u64::MAX, 0);
number!(usize, u32, U32, 1, 0, usize::MIN, usize::MAX, 0);

/// The bit operations of an integer type in any lanes.
#[doc(hidden)]
#[allow(missing_docs)] // the methods are those of `IntLane`
pub trait IntegerLanes: NumberLanes {
    fn bit_and<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn bit_or<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn bit_xor<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;
    fn bit_not<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L>;
    fn reverse_bits<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L>;
    fn shl<L: Lanes>(l: L, a: Self::In<L>, by: L::U32) -> Self::In<L>;
    fn shr<L: Lanes>(l: L, a: Self::In<L>, by: L::U32) -> Self::In<L>;
    fn count_ones<L: Lanes>(l: L, a: Self::In<L>) -> L::U32;
    fn leading_zeros<L: Lanes>(l: L, a: Self::In<L>) -> L::U32;
    fn trailing_zeros<L: Lanes>(l: L, a: Self::In<L>) -> L::U32;
}

/// An integer: `i32`, `u32`, `i64`, `u64`, and inside kernels `usize`. The bound for kernels that are generic over it.
pub trait Integer:
    Number
    + IntegerLanes
    + Eq
    + Ord
    + std::ops::BitAnd<Output = Self>
    + std::ops::BitOr<Output = Self>
    + std::ops::BitXor<Output = Self>
    + std::ops::Not<Output = Self>
    + std::ops::Shl<u32, Output = Self>
    + std::ops::Shr<u32, Output = Self>
{
    /// All bits set.
    const ALL_ONES: Self;
}

macro_rules! integer {
    ($t:ty, $s:ty, $lane:ident) => {
        impl IntegerLanes for $t {
            integer!(@two $lane $s: bit_and bit_or bit_xor);
            integer!(@one $lane $s: bit_not reverse_bits);
            integer!(@shift $lane $s: shl shr);
            integer!(@count $lane $s: count_ones leading_zeros trailing_zeros);
        }
        impl Integer for $t {
            const ALL_ONES: Self = !0;
        }
    };
    (@two $lane:ident $s:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane, b: L::$lane) -> L::$lane {
            <L::$lane as IntLane<L, $s>>::$f(a, l, b)
        }
    )+};
    (@one $lane:ident $s:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane) -> L::$lane {
            <L::$lane as IntLane<L, $s>>::$f(a, l)
        }
    )+};
    (@shift $lane:ident $s:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane, by: L::U32) -> L::$lane {
            <L::$lane as IntLane<L, $s>>::$f(a, l, by)
        }
    )+};
    (@count $lane:ident $s:ty: $($f:ident)+) => {$(
        #[inline(always)]
        fn $f<L: Lanes>(l: L, a: L::$lane) -> L::U32 {
            <L::$lane as IntLane<L, $s>>::$f(a, l)
        }
    )+};
}
integer!(i32, i32, I32);
integer!(u32, u32, U32);
integer!(i64, i64, I64);
integer!(u64, u64, U64);
integer!(usize, u32, U32);

macro_rules! float {
    (one: $($one:ident)+; two: $($two:ident)+) => {
        /// The functions of a float type in any lanes.
        #[doc(hidden)]
        #[allow(missing_docs)] // the methods are those of `FloatLane`
        pub trait FloatLanes: NumberLanes {
            $(fn $one<L: Lanes>(l: L, a: Self::In<L>) -> Self::In<L>;)+
            $(fn $two<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L>;)+
            fn mul_add<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>, c: Self::In<L>) -> Self::In<L>;
            fn is_nan<L: Lanes>(l: L, a: Self::In<L>) -> L::Mask;
        }

        /// A float: `f32` or `f64`. The bound for kernels that are generic over it; the methods are std's.
        #[allow(missing_docs)] // the methods are those of std
        pub trait Float: Number + FloatLanes + Scalar + std::ops::Neg<Output = Self> {
            $(fn $one(self) -> Self;)+
            $(fn $two(self, other: Self) -> Self;)+
            fn mul_add(self, a: Self, b: Self) -> Self;
            fn abs(self) -> Self;
            fn min(self, other: Self) -> Self;
            fn max(self, other: Self) -> Self;
        }
        float!(@impl f32 F32 ($($one)+) ($($two)+));
        float!(@impl f64 F64 ($($one)+) ($($two)+));
    };
    (@impl $t:ident $lane:ident ($($one:ident)+) ($($two:ident)+)) => {
        impl FloatLanes for $t {
            $(
                #[inline(always)]
                fn $one<L: Lanes>(l: L, a: L::$lane) -> L::$lane {
                    <L::$lane as FloatLane<L, $t>>::$one(a, l)
                }
            )+
            $(
                #[inline(always)]
                fn $two<L: Lanes>(l: L, a: L::$lane, b: L::$lane) -> L::$lane {
                    <L::$lane as FloatLane<L, $t>>::$two(a, l, b)
                }
            )+
            #[inline(always)]
            fn mul_add<L: Lanes>(l: L, a: L::$lane, b: L::$lane, c: L::$lane) -> L::$lane {
                <L::$lane as FloatLane<L, $t>>::mul_add(a, l, b, c)
            }
            #[inline(always)]
            fn is_nan<L: Lanes>(l: L, a: L::$lane) -> L::Mask {
                <L::$lane as FloatLane<L, $t>>::is_nan(a, l)
            }
        }
        impl Float for $t {
            $(
                #[inline(always)]
                fn $one(self) -> Self {
                    $t::$one(self)
                }
            )+
            $(
                #[inline(always)]
                fn $two(self, other: Self) -> Self {
                    $t::$two(self, other)
                }
            )+
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                $t::mul_add(self, a, b)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                $t::min(self, other)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                $t::max(self, other)
            }
        }
    };
}
float!(one: sqrt floor ceil trunc round exp exp2 ln log2 log10 sin cos tan tanh atan; two: atan2 powf copysign);

/// `as` between number types, with Rust's meaning on every backend.
pub trait Cast<To: Value>: Value {
    /// Converts.
    fn cast<L: Lanes>(l: L, x: Self::In<L>) -> To::In<L>;
}

macro_rules! cast {
    ($($from:ty),+) => {$(
        cast!(@to $from: f32 to_f32, f64 to_f64, i32 to_i32, u32 to_u32, i64 to_i64, u64 to_u64, usize to_u32);
    )+};
    (@to $from:ty: $($to:ident $f:ident),+) => {$(
        impl Cast<$to> for $from {
            #[inline(always)]
            fn cast<L: Lanes>(l: L, x: Self::In<L>) -> <$to as Value>::In<L> {
                <$from as NumberLanes>::$f(l, x)
            }
        }
    )+};
}
cast!(f32, f64, i32, u32, i64, u64, usize);

macro_rules! cast_bool {
    ($($to:ty),+) => {$(
        impl Cast<$to> for bool {
            #[inline(always)]
            fn cast<L: Lanes>(l: L, x: L::Mask) -> <$to as Value>::In<L> {
                crate::kernel::ops::select(
                    l,
                    Varying(x),
                    Varying::<L, $to>(<$to as NumberLanes>::constant(l, <$to as Number>::ONE)),
                    Varying(<$to as NumberLanes>::constant(l, <$to as Number>::ZERO)),
                )
                .0
            }
        }
    )+};
}
cast_bool!(i32, u32, i64, u64, usize);
