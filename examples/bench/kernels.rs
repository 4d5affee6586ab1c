//! The kernels that are measured. Each is an ordinary function as well: the peers call it as it stands.

use granule::element::Complex;
use granule::prelude::*;

/// BabelStream's `mul`.
#[kernel]
pub(crate) fn mul(x: f32, #[uniform] scalar: f32) -> f32 {
    scalar * x
}

/// BabelStream's `add`.
#[kernel]
pub(crate) fn add(x: f32, y: f32) -> f32 {
    x + y
}

/// BabelStream's `add` on integers.
#[kernel]
pub(crate) fn add_u32(x: u32, y: u32) -> u32 {
    x + y
}

/// BabelStream's `triad`.
#[kernel]
pub(crate) fn triad(x: f32, y: f32, #[uniform] scalar: f32) -> f32 {
    x + scalar * y
}

/// What BabelStream's `dot` sums.
#[kernel]
pub(crate) fn product(x: f32, y: f32) -> f32 {
    x * y
}

/// A product of complex numbers, part by part: structs are read and written.
#[kernel]
pub(crate) fn complex_product(a: Complex<f32>, b: Complex<f32>) -> Complex<f32> {
    a * b
}

/// Two transcendental functions an element: bound by arithmetic.
#[kernel]
pub(crate) fn exp_sin(x: f32) -> f32 {
    x.exp() * x.sin()
}

/// How many steps it takes until the point is known to be outside the Mandelbrot set: a loop whose length differs from lane to lane.
#[kernel]
pub(crate) fn mandelbrot(cx: f32, cy: f32, #[uniform] limit: u32) -> u32 {
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

/// Eight chains of fused multiplications and additions that do not wait for each other: what a GPU can do at most.
#[kernel]
pub(crate) fn chains(x: f32, #[uniform] steps: u32) -> f32 {
    let mut a = x;
    let mut b = x + 0.1;
    let mut c = x + 0.2;
    let mut d = x + 0.3;
    let mut e = x + 0.4;
    let mut f = x + 0.5;
    let mut g = x + 0.6;
    let mut h = x + 0.7;
    for _ in 0..steps {
        a = a.mul_add(0.999, 0.001);
        b = b.mul_add(0.999, 0.001);
        c = c.mul_add(0.999, 0.001);
        d = d.mul_add(0.999, 0.001);
        e = e.mul_add(0.999, 0.001);
        f = f.mul_add(0.999, 0.001);
        g = g.mul_add(0.999, 0.001);
        h = h.mul_add(0.999, 0.001);
    }
    a + b + c + d + e + f + g + h
}

/// BabelStream's `mul`, of both float types.
#[kernel]
pub(crate) fn scaled<T: Float>(x: T, #[uniform] scalar: T) -> T {
    scalar * x
}

/// Its `add`.
#[kernel]
pub(crate) fn sum_of_two<T: Float>(x: T, y: T) -> T {
    x + y
}

/// Its `triad`.
#[kernel]
pub(crate) fn plus_scaled<T: Float>(x: T, y: T, #[uniform] scalar: T) -> T {
    x + scalar * y
}

/// What its `dot` sums.
#[kernel]
pub(crate) fn product_of_two<T: Float>(x: T, y: T) -> T {
    x * y
}
