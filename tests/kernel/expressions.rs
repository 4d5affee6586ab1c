//! Expressions, tuples and structs.

use granule::prelude::*;

use super::Same;

#[kernel]
pub(super) fn saxpy(x: f32, y: f32, #[uniform] a: f32) -> f32 {
    a * x + y
}

/// A documented public kernel.
#[kernel]
pub(super) fn polynomial(x: f32) -> f32 {
    const SCALE: f32 = 0.25;
    ((2.0 * x - 3.0) * x + 1.0) * SCALE - -x / (1.0 + x * x) + std::f32::consts::PI
}

#[kernel]
pub(super) fn logic(a: i32, b: i32) -> bool {
    let both = a > 0 && b > 0;
    let either = a > 10 || b <= -10;
    (both || !either) ^ (a == b) | (a != b) & (a >= b) || a < b
}

#[kernel]
pub(super) fn bits(a: u32) -> u32 {
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
pub(super) fn multiples(a: u32, b: u32) -> bool {
    a.is_multiple_of(b)
}

#[kernel]
pub(super) fn signed_bits(a: i32) -> i32 {
    (a >> 3) ^ a.rotate_left(5) ^ a.wrapping_mul(77).wrapping_add(1).wrapping_sub(9).wrapping_neg() ^ !a
}

#[kernel]
pub(super) fn casts(x: f32) -> (i32, u32, f64) {
    (x as i32, x as u32, x as f64 * 2.0)
}

#[kernel]
pub(super) fn more_casts(a: i32, b: u32) -> i64 {
    let wide = a as i64 * 3 + b as i64;
    let truth = (a > 3) as i64;
    wide - truth + -2147483648_i64 + i32::MIN as i64 + 7u32 as i64 + i64::from(b)
}

#[kernel]
pub(super) fn methods(x: f32, y: f32) -> f32 {
    let low = x.min(y).max(-8.0).clamp(-5.0, 50.0);
    let whole = x.floor() + y.ceil() * 2.0 + x.trunc() - low.fract() + y.round();
    let sign = low.signum() + x.abs().copysign(y) + low.mul_add(2.0, y);
    if x.is_nan() || !y.is_finite() || x.is_infinite() { low } else { whole + sign + x.abs().sqrt() + low.recip() }
}

#[kernel]
pub(super) fn powers(x: f32, n: i32) -> (f32, f32, f32) {
    (x.powi(3) + x.powi(1) + x.powi(0), x.powi(-2), x.powi(n))
}

#[kernel]
pub(super) fn integer_powers(x: u32, n: u32) -> u32 {
    if x < 3 { x.pow(n) } else { x.pow(5) }
}

#[kernel]
pub(super) fn raw_bits(x: f32) -> f32 {
    f32::from_bits(x.to_bits() ^ 0x8000_0000)
}

#[kernel]
pub(super) fn by_path(x: f32, y: f32) -> f32 {
    f32::max(f32::min(x, y), 0.5) + f32::sqrt(f32::max(1.0, 4.0))
}

#[kernel]
pub(super) fn typed_lets(x: f32) -> f64 {
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
pub(super) fn tuples(p: (f32, f32), q: u32) -> (f32, (u32, f32)) {
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
pub(super) fn destructured((a, mut b): (f32, f32), mut n: u32) -> f32 {
    n += 1;
    b += a;
    b * n as f32
}

#[derive(Clone, Copy, Debug, Element)]
pub(super) struct Particle {
    pub(super) at: (f32, f32),
    pub(super) mass: f32,
    pub(super) alive: bool,
}
impl Same for Particle {
    fn same(&self, o: &Self) -> bool {
        self.at.same(&o.at) && self.mass.same(&o.mass) && self.alive == o.alive
    }
}
#[derive(Clone, Copy, Debug, Element)]
pub(super) struct Complex<T: Number>(pub(super) T, pub(super) T);
impl<T: Number + Same> Same for Complex<T> {
    fn same(&self, o: &Self) -> bool {
        self.0.same(&o.0) && self.1.same(&o.1)
    }
}

#[kernel]
pub(super) fn multiply(a: Complex<f32>, b: Complex<f32>) -> Complex<f32> {
    Complex(a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

#[kernel]
pub(super) fn step(x: f32, mass: f32, #[uniform] centre: Particle) -> Particle {
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
pub(super) fn square(z: (f32, f32)) -> (f32, f32) {
    let w = multiply(Complex(z.0, z.1), Complex(z.0, z.1));
    (w.0, w.1)
}
