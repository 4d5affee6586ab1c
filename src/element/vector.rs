//! Vectors of two, three and four `f32`.

use granule_macros::Element;

use super::Value;
use super::algebra::space;
use crate::kernel::{Lanes, Varying, ops};

/// What [`Vec2`], [`Vec3`] and [`Vec4`] have in common in a kernel.
#[doc(hidden)]
pub trait Vector: Value {
    /// The inner product, from the first component to the last.
    fn inner<L: Lanes>(l: L, a: Varying<L, Self>, b: Varying<L, Self>) -> Varying<L, f32>;
    /// Each component over a number.
    fn shrunk<L: Lanes>(l: L, a: Varying<L, Self>, by: Varying<L, f32>) -> Varying<L, Self>;
}

macro_rules! vector {
    ($(#[$doc:meta])* $name:ident $lanes:ident $size:literal: $first:ident $($x:ident)+) => {
        $(#[$doc])*
        ///
        /// It is an [`Element`](crate::Element): in arrays, sources, reductions with [`Sum`](crate::operator::Sum), and kernels. There and
        /// in Rust it has `+`, `-`, `*` and `/` by a number (`v * s`, `s * v`, `v / s`), and the methods below. A kernel makes one
        /// by a struct literal, and reads its fields. Each component is computed by itself, in the order of the fields.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Element)]
        #[repr(C)]
        #[allow(missing_docs)] // the components
        pub struct $name {
            pub $first: f32,
            $(pub $x: f32,)+
        }

        impl $name {
            /// From its components.
            pub const fn new($first: f32, $($x: f32),+) -> Self {
                $name { $first, $($x),+ }
            }
            /// The inner product: the products of the components, added from the first to the last.
            pub fn dot(self, other: Self) -> f32 {
                self.$first * other.$first $(+ self.$x * other.$x)+
            }
            /// The Euclidean length: infinite if the square is too large for an `f32`.
            pub fn length(self) -> f32 {
                self.length_squared().sqrt()
            }
            /// The inner product with itself.
            pub fn length_squared(self) -> f32 {
                self.dot(self)
            }
            /// The vector of length 1 in this direction: NaN for the null vector.
            pub fn normalize(self) -> Self {
                self / self.length()
            }
        }
        impl std::ops::Mul<$name> for f32 {
            type Output = $name;
            fn mul(self, v: $name) -> $name {
                $name { $first: self * v.$first, $($x: self * v.$x),+ }
            }
        }
        impl From<[f32; $size]> for $name {
            fn from([$first, $($x),+]: [f32; $size]) -> Self {
                $name { $first, $($x),+ }
            }
        }
        impl From<$name> for [f32; $size] {
            fn from(v: $name) -> Self {
                [v.$first, $(v.$x),+]
            }
        }
        space!([] $name, $lanes, f32: $first $($x)+);
        impl Vector for $name {
            #[inline(always)]
            fn inner<L: Lanes>(l: L, a: Varying<L, Self>, b: Varying<L, Self>) -> Varying<L, f32> {
                let sum = ops::mul(l, a.0.$first, b.0.$first);
                $(let sum = ops::add(l, sum, ops::mul(l, a.0.$x, b.0.$x));)+
                sum
            }
            #[inline(always)]
            fn shrunk<L: Lanes>(l: L, a: Varying<L, Self>, by: Varying<L, f32>) -> Varying<L, Self> {
                Varying($lanes { $first: ops::div(l, a.0.$first, by), $($x: ops::div(l, a.0.$x, by)),+ })
            }
        }
    };
}
vector! {
    /// A vector of two `f32`.
    Vec2 __Vec2Lanes 2: x y
}
vector! {
    /// A vector of three `f32`.
    Vec3 __Vec3Lanes 3: x y z
}
vector! {
    /// A vector of four `f32`.
    Vec4 __Vec4Lanes 4: x y z w
}

impl Vec3 {
    /// The vector product.
    pub fn cross(self, other: Self) -> Self {
        let (a, b) = (self, other);
        Vec3 { x: a.y * b.z - a.z * b.y, y: a.z * b.x - a.x * b.z, z: a.x * b.y - a.y * b.x }
    }
}

impl Vec3 {
    /// The vector product in lanes.
    #[inline(always)]
    pub(crate) fn crossed<L: Lanes>(l: L, a: Varying<L, Vec3>, b: Varying<L, Vec3>) -> Varying<L, Vec3> {
        let (a, b) = (a.0, b.0);
        let x = ops::sub(l, ops::mul(l, a.y, b.z), ops::mul(l, a.z, b.y));
        let y = ops::sub(l, ops::mul(l, a.z, b.x), ops::mul(l, a.x, b.z));
        let z = ops::sub(l, ops::mul(l, a.x, b.y), ops::mul(l, a.y, b.x));
        Varying(__Vec3Lanes { x, y, z })
    }
}
