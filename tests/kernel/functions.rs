//! Slices, calls, generics and operators.

use granule::prelude::*;

use super::control::{branch_value_with_return, mandelbrot};
use super::expressions::{Complex, Particle, saxpy};

#[kernel]
pub(super) fn first_above<T: Number>(x: T, table: &[T]) -> u32 {
    for i in 0..table.len() {
        if table[i] > x {
            return i as u32;
        }
    }
    u32::MAX
}

#[kernel]
pub(super) fn gather_sum(i: u32, data: &[f32], starts: &[u32]) -> f32 {
    let from = starts[i as usize % starts.len()];
    let mut sum = data[0] * 0.0;
    for j in from..from + 3 {
        sum += data[j as usize % data.len()];
    }
    if data.is_empty() { -1.0 } else { sum }
}

#[kernel]
pub(super) fn forces(x: f32, bodies: &[Particle]) -> f32 {
    let mut f = 0.0;
    for j in 0..bodies.len() {
        let d = bodies[j].at.0 - x;
        f += bodies[j].mass * d / (d * d + 0.1);
    }
    f
}

#[kernel]
pub(super) fn weighted(i: u32, #[uniform] w: [f32; 5], #[uniform] scale: f32) -> f32 {
    let mut sum = w[i as usize % 5];
    for k in 0..5 {
        sum += w[k] * scale;
    }
    sum + w[2]
}

#[kernel]
pub(super) fn lerp<T: Float>(a: T, b: T, t: T) -> T {
    a + (b - a) * t
}

#[kernel]
pub(super) fn scaled<T: Integer>(a: T, #[uniform] by: T) -> T {
    (a & by) | (a ^ by) << 1u32
}

#[kernel]
pub(super) fn calls(x: f32, y: f32, table: &[f32], #[uniform] a: f32) -> f32 {
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
pub(super) fn log_sum_exp(a: f32, b: f32) -> f32 {
    let high = a.max(b);
    if high == f32::NEG_INFINITY { high } else { high + ((a - high).exp() + (b - high).exp()).ln() }
}

#[operator(identity = (1.0, 0.0))]
pub(super) fn compose(f: (f32, f32), g: (f32, f32)) -> (f32, f32) {
    (f.0 * g.0, f.1 * g.0 + g.1)
}

#[operator(identity = modulus * 0, commutative)]
pub(super) fn add_modulo(a: u32, b: u32, #[uniform] modulus: u32) -> u32 {
    (a + b) % modulus
}

#[operator(identity = Complex(T::ONE, T::ZERO), commutative)]
pub(super) fn complex_product<T: Number>(a: Complex<T>, b: Complex<T>) -> Complex<T> {
    Complex(a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}
