//! The leaves: what each scalar type is in every kind of lanes.

use super::{Element, LeafBuild, LeafMap, LeafVisit, LeafZip, Offset, Value};
use crate::backend::simd::{Level, Span, VectorLane, ViewMut};
use crate::kernel::trace::{Ref, Trace};
use crate::kernel::{In, Lane, Lanes};

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
    fn load_by<L: Lanes>(l: L, s: L::Slice<'_, Self>, i: L::Index, by: In<L::Uniform, i32>) -> Self::In<L>;
    fn gather<L: Lanes>(l: L, s: L::Slice<'_, Self>, i: L::U32) -> Self::In<L>;
    fn permute<L: Lanes>(l: L, x: Self::In<L>, from: L::U32) -> Self::In<L>;
    fn var<L: Lanes>(l: L, x: Self::In<L>) -> Self::In<L>;
    fn get<L: Lanes>(l: L, x: Self::In<L>) -> Self::In<L>;
    fn set<L: Lanes>(l: L, var: &mut Self::In<L>, x: Self::In<L>);
    fn set_masked<L: Lanes>(l: L, m: L::Mask, var: &mut Self::In<L>, x: Self::In<L>);

    fn store<L: Level>(l: L, x: Self::In<L>, to: ViewMut<'_, Self>, i: Span);
    fn stream<L: Level>(l: L, x: Self::In<L>, to: ViewMut<'_, Self>, i: Span);
    fn compress<L: Level>(l: L, x: Self::In<L>, keep: u32, to: ViewMut<'_, Self>, at: usize);
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
            fn load_by<L: Lanes>(l: L, s: L::Slice<'_, Self>, i: L::Index, by: In<L::Uniform, i32>) -> L::$lane {
                <L::$lane as Lane<L, $t>>::load_by(l, s, i, by)
            }
            #[inline(always)]
            fn gather<L: Lanes>(l: L, s: L::Slice<'_, Self>, i: L::U32) -> L::$lane {
                <L::$lane as Lane<L, $t>>::gather(l, s, i)
            }
            #[inline(always)]
            fn permute<L: Lanes>(l: L, x: L::$lane, from: L::U32) -> L::$lane {
                <L::$lane as Lane<L, $t>>::permute(x, l, from)
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
            fn compress<L: Level>(l: L, x: L::$lane, keep: u32, to: ViewMut<'_, Self>, at: usize) {
                <L::$lane as VectorLane<L, $t>>::compress(x, l, keep, to, at)
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
