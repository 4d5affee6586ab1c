//! Complex numbers.

use granule_macros::Element;

use super::algebra::space;
use super::{Element, Float, Multiplicative};
use crate::kernel::{Lanes, Varying, ops};

/// A complex number.
///
/// It is an [`Element`](crate::Element): in arrays, sources, reductions with [`Sum`](crate::operator::Sum), and kernels. There and in Rust it
/// has `+`, `-`, `*`, `/` with another complex number, `*` and `/` with a real one (`z * s`, `z / s`; in kernels `s * z` too, in Rust
/// for `f32` and `f64`), and the methods below. A kernel makes one by a struct literal, and reads its fields.
///
/// Products and quotients are the textbook's: where a square is too large or too small for the type, so is what is made of it.
///
/// ```
/// use granule::element::Complex;
/// use granule::prelude::*;
///
/// #[kernel]
/// fn step(z: Complex<f32>, #[uniform] c: Complex<f32>) -> Complex<f32> {
///     z * z + c
/// }
///
/// let z = [Complex::new(0.0, 1.0), Complex::new(0.5, -0.5)];
/// let c = Complex::new(-1.0, 0.25);
/// let got = Engine::new()?.map(&z, step::with(c)).run()?.into_vec()?;
/// assert_eq!(got, [Complex::new(-2.0, 0.25), Complex::new(-1.0, -0.25)]);
/// # Ok::<(), granule::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Element)]
#[repr(C)]
pub struct Complex<T> {
    /// The real part.
    pub re: T,
    /// The imaginary part.
    pub im: T,
}

impl<T> Complex<T> {
    /// From its parts.
    pub const fn new(re: T, im: T) -> Self {
        Complex { re, im }
    }
}

impl<T: Float + Element> Complex<T> {
    /// The conjugate.
    pub fn conj(self) -> Self {
        Complex { re: self.re, im: -self.im }
    }
    /// The absolute value: the root of [`norm_sqr`](Self::norm_sqr), so infinite if that is.
    pub fn norm(self) -> T {
        self.norm_sqr().sqrt()
    }
    /// The square of the absolute value.
    pub fn norm_sqr(self) -> T {
        self.re * self.re + self.im * self.im
    }
    /// The angle, in (-pi, pi].
    pub fn arg(self) -> T {
        self.im.atan2(self.re)
    }
}

space!([T: Float + Element] Complex<T>, __ComplexLanes, T: re im);

impl<T: Float + Element> std::ops::Mul for Complex<T> {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        Complex { re: self.re * o.re - self.im * o.im, im: self.re * o.im + self.im * o.re }
    }
}
impl<T: Float + Element> std::ops::Div for Complex<T> {
    type Output = Self;
    fn div(self, o: Self) -> Self {
        self * o.conj() / o.norm_sqr()
    }
}
impl<T: Float + Element> std::ops::MulAssign for Complex<T> {
    fn mul_assign(&mut self, o: Self) {
        *self = *self * o;
    }
}
impl<T: Float + Element> std::ops::DivAssign for Complex<T> {
    fn div_assign(&mut self, o: Self) {
        *self = *self / o;
    }
}
macro_rules! real_first {
    ($($t:ty),+) => {$(
        impl std::ops::Mul<Complex<$t>> for $t {
            type Output = Complex<$t>;
            fn mul(self, z: Complex<$t>) -> Complex<$t> {
                Complex { re: self * z.re, im: self * z.im }
            }
        }
    )+};
}
real_first!(f32, f64);

impl<T: Float + Element> Complex<T> {
    /// The conjugate in lanes.
    #[inline(always)]
    pub(crate) fn conjugate<L: Lanes>(l: L, z: Varying<L, Self>) -> Varying<L, Self> {
        Varying(__ComplexLanes { re: z.0.re, im: ops::neg(l, z.0.im) })
    }
    /// The square of the absolute value in lanes.
    #[inline(always)]
    pub(crate) fn square<L: Lanes>(l: L, z: Varying<L, Self>) -> Varying<L, T> {
        ops::add(l, ops::mul(l, z.0.re, z.0.re), ops::mul(l, z.0.im, z.0.im))
    }
}

impl<T: Float + Element> Multiplicative for Complex<T> {
    #[inline(always)]
    fn times<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L> {
        let re = ops::sub(l, ops::mul(l, a.re, b.re), ops::mul(l, a.im, b.im));
        let im = ops::add(l, ops::mul(l, a.re, b.im), ops::mul(l, a.im, b.re));
        __ComplexLanes { re, im }
    }
    #[inline(always)]
    fn over<L: Lanes>(l: L, a: Self::In<L>, b: Self::In<L>) -> Self::In<L> {
        let b = Varying::<L, Self>(b);
        let product = Self::times(l, a, Self::conjugate(l, b).0);
        let square = Self::square(l, b);
        __ComplexLanes { re: ops::div(l, product.re, square), im: ops::div(l, product.im, square) }
    }
}
