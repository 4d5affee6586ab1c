//! Kernels as the macros expand them, and some that use the operations directly.

use granule::array::{Data, DataVisitor};
use granule::element::{Cast, Equal, Float, Integer, Value};
use granule::kernel::{Kernel, Lanes, MaskLane, Uniform, Varying, ops};

/// A kernel without fields of its own, or with plain ones.
macro_rules! kernel {
    ($(#[$doc:meta])* $name:ident $(($($field:ty),+))?: $x:ty => $out:ty, |$this:ident, $l:ident, $v:ident| $body:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $name $(($(pub(crate) $field),+))?;
        impl Kernel<$x> for $name {
            type Out = $out;
            #[inline(always)]
            fn eval<L: Lanes>(&self, $l: L, $v: Varying<L, $x>) -> Varying<L, $out> {
                let $this = self;
                let _ = $this;
                $body
            }
        }
    };
}

kernel!(Saxpy(f32): (f32, f32) => f32, |this, l, v| {
    let (x, y) = v.0;
    ops::add(l, ops::mul(l, ops::broadcast(l, ops::uniform(l, this.0)), x), y)
});
kernel!(AddConstant(f32): f32 => f32, |this, l, v| ops::add(l, v, ops::lit(l, this.0)));
kernel!(First: (f32, u32) => f32, |this, l, v| {
    let _ = l;
    v.0.0
});
kernel!(Third: (f32, f32, f32) => f32, |this, l, v| {
    let (a, b, c) = v.0;
    ops::div(l, ops::add(l, ops::add(l, a, b), c), ops::lit(l, 3.0))
});

kernel!(
    /// `while n < limit && x * x + y * y <= 4.0 { .. }`
    Mandelbrot(u32): (f32, f32) => u32, |this, l, v| {
        let (cx, cy) = v.0;
        let limit: Uniform<L, u32> = ops::uniform(l, this.0);
        let mut m = l.mask_all();
        let mut x = ops::var(l, ops::lit(l, 0.0));
        let mut y = ops::var(l, ops::lit(l, 0.0));
        let mut n = ops::var(l, ops::lit(l, 0));
        let mut state = l.loop_begin();
        while l.loop_next(&mut state, m) {
            let xx = ops::mul(l, ops::get(l, x), ops::get(l, x));
            let yy = ops::mul(l, ops::get(l, y), ops::get(l, y));
            let go = ops::and(
                l,
                ops::lt(l, ops::get(l, n), ops::broadcast(l, limit)),
                ops::le(l, ops::add(l, xx, yy), ops::lit(l, 4.0)),
            );
            m = l.loop_while(m, go.0);
            if l.any(m) {
                let t = ops::add(l, ops::sub(l, xx, yy), cx);
                let next = ops::add(l, ops::mul(l, ops::mul(l, ops::lit(l, 2.0), ops::get(l, x)), ops::get(l, y)), cy);
                ops::set_masked(l, m, &mut y, next);
                ops::set_masked(l, m, &mut x, t);
                let next = ops::add(l, ops::get(l, n), ops::lit(l, 1));
                ops::set_masked(l, m, &mut n, next);
            }
        }
        ops::get(l, n)
    }
);

/// `for i in 0..table.len() { if table[i] > x { return i as u32; } } u32::MAX`
#[derive(Clone, Copy)]
pub(crate) struct FirstAbove<'s>(pub(crate) Data<'s, f32>);

impl Kernel<f32> for FirstAbove<'_> {
    type Out = u32;
    const LOOPS: bool = true;
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, f32>) -> Varying<L, u32> {
        let table = ops::slice(l, self.0);
        let mut m = l.mask_all();
        l.scope_begin();
        let mut result: Varying<L, u32> = ops::var(l, ops::zero(l));
        let mut returned = l.mask_none();
        let outer = m;
        let mut range = ops::range(l, ops::lit_uniform(l, 0), ops::len(l, table), false);
        while let Some(i) = ops::range_next(l, &mut range, m) {
            let c = ops::gt(l, ops::broadcast(l, ops::index_uniform(l, table, i)), x);
            let before = m;
            m = l.if_then(before, c.0);
            if l.any(m) {
                let v = ops::cast::<u32, L, usize>(l, ops::broadcast(l, i));
                ops::set_masked(l, m, &mut result, v);
                returned = MaskLane::or(returned, l, m);
                m = l.scope_return();
            }
            let then = m;
            m = l.if_else(before, c.0);
            m = l.if_end(then, m);
        }
        m = MaskLane::and(outer, l, MaskLane::not(returned, l));
        l.scope_check();
        if l.any(m) {
            ops::set_masked(l, m, &mut result, ops::lit(l, u32::MAX));
        }
        l.scope_end();
        ops::get(l, result)
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> granule::Result<()> {
        visitor.visit(self.0)
    }
}

kernel!(
    /// `for i in 0..x { for j in 0..5 { if j == i { continue; } if j + i > 6 { break; } sum += i * 10 + j; } }`, with the outer
    /// loop a `while`, since its end differs from lane to lane.
    Nested: u32 => u32, |this, l, x| {
        let mut m = l.mask_all();
        let mut sum = ops::var(l, ops::lit(l, 0_u32));
        let mut i = ops::var(l, ops::lit(l, 0_u32));
        let mut state = l.loop_begin();
        while l.loop_next(&mut state, m) {
            m = l.loop_while(m, ops::lt(l, ops::get(l, i), x).0);
            if l.any(m) {
                let outer = m;
                let mut range = ops::range(l, ops::lit_uniform(l, 0_u32), ops::lit_uniform(l, 5), false);
                let mut broken = l.mask_none();
                while let Some(j) = ops::range_next(l, &mut range, m) {
                    let j = ops::broadcast(l, j);
                    let mut continued = l.mask_none();
                    let c = ops::eq(l, j, ops::get(l, i));
                    let before = m;
                    m = l.if_then(before, c.0);
                    if l.any(m) {
                        continued = MaskLane::or(continued, l, m);
                        m = l.loop_continue();
                    }
                    let then = m;
                    m = l.if_else(before, c.0);
                    m = l.if_end(then, m);
                    let c = ops::gt(l, ops::add(l, j, ops::get(l, i)), ops::lit(l, 6));
                    let before = m;
                    m = l.if_then(before, c.0);
                    if l.any(m) {
                        broken = MaskLane::or(broken, l, m);
                        m = l.loop_break();
                    }
                    let then = m;
                    m = l.if_else(before, c.0);
                    m = l.if_end(then, m);
                    if l.any(m) {
                        let term = ops::add(l, ops::mul(l, ops::get(l, i), ops::lit(l, 10)), j);
                        let next = ops::add(l, ops::get(l, sum), term);
                        ops::set_masked(l, m, &mut sum, next);
                    }
                    m = MaskLane::or(m, l, continued);
                }
                let _ = broken;
                m = outer;
                let next = ops::add(l, ops::get(l, i), ops::lit(l, 1));
                ops::set_masked(l, m, &mut i, next);
            }
        }
        ops::get(l, sum)
    }
);

kernel!(
    /// `for i in (i32::MAX - 3)..=i32::MAX { n += (i ^ x) & 15; }`: a counter that would wrap.
    Inclusive: i32 => i32, |this, l, x| {
        let m = l.mask_all();
        let mut n = ops::var(l, ops::lit(l, 0_i32));
        let from = ops::uniform(l, i32::MAX - 3);
        let mut range = ops::range(l, from, ops::lit_uniform(l, i32::MAX), true);
        while let Some(i) = ops::range_next(l, &mut range, m) {
            let term = ops::and(l, ops::xor(l, ops::broadcast(l, i), x), ops::lit(l, 15));
            let next = ops::add(l, ops::get(l, n), term);
            ops::set_masked(l, m, &mut n, next);
        }
        ops::get(l, n)
    }
);

kernel!(
    /// `if x < 0.0 { if x < -10.0 { 1.0 } else { -x } } else { x * 2.0 }`
    Branches: f32 => f32, |this, l, x| {
        let m = l.mask_all();
        let c = ops::lt(l, x, ops::lit(l, 0.0));
        let then = l.if_then(m, c.0);
        let inner = {
            let c = ops::lt(l, x, ops::lit(l, -10.0));
            let first = l.if_then(then, c.0);
            let mut r = ops::var(l, ops::lit(l, 1.0_f32));
            let second = l.if_else(then, c.0);
            ops::merge(l, second, &mut r, ops::neg(l, x));
            l.if_end(first, second);
            ops::get(l, r)
        };
        let mut r = ops::var(l, inner);
        let other = l.if_else(m, c.0);
        ops::merge(l, other, &mut r, ops::mul(l, x, ops::lit(l, 2.0)));
        l.if_end(then, other);
        ops::get(l, r)
    }
);

kernel!(
    /// `loop { n += 1; while true { if n * x > 50 { return n; } if n % 3 == 0 { break; } n += 1 } if n > 90 { return 7; } }`
    Returns: u32 => u32, |this, l, x| {
        let mut m = l.mask_all();
        l.scope_begin();
        let mut result: Varying<L, u32> = ops::var(l, ops::zero(l));
        let mut returned = l.mask_none();
        let mut n = ops::var(l, ops::lit(l, 0_u32));
        let mut state = l.loop_begin();
        while l.loop_next(&mut state, m) {
            let next = ops::add(l, ops::get(l, n), ops::lit(l, 1));
            ops::set_masked(l, m, &mut n, next);
            let outer = m;
            let mut state = l.loop_begin();
            while l.loop_next(&mut state, m) {
                m = l.loop_while(m, l.mask_all());
                if l.any(m) {
                    let c = ops::gt(l, ops::mul(l, ops::get(l, n), x), ops::lit(l, 50));
                    let before = m;
                    m = l.if_then(before, c.0);
                    if l.any(m) {
                        ops::set_masked(l, m, &mut result, ops::get(l, n));
                        returned = MaskLane::or(returned, l, m);
                        m = l.scope_return();
                    }
                    let then = m;
                    m = l.if_else(before, c.0);
                    m = l.if_end(then, m);
                    let c = ops::eq(l, ops::rem(l, ops::get(l, n), ops::lit(l, 3)), ops::lit(l, 0));
                    let before = m;
                    m = l.if_then(before, c.0);
                    if l.any(m) {
                        m = l.loop_break();
                    }
                    let then = m;
                    m = l.if_else(before, c.0);
                    m = l.if_end(then, m);
                    if l.any(m) {
                        let next = ops::add(l, ops::get(l, n), ops::lit(l, 1));
                        ops::set_masked(l, m, &mut n, next);
                    }
                }
            }
            m = MaskLane::and(outer, l, MaskLane::not(returned, l));
            l.scope_check();
            let c = ops::gt(l, ops::get(l, n), ops::lit(l, 90));
            let before = m;
            m = l.if_then(before, c.0);
            if l.any(m) {
                ops::set_masked(l, m, &mut result, ops::lit(l, 7));
                returned = MaskLane::or(returned, l, m);
                m = l.scope_return();
            }
            let then = m;
            m = l.if_else(before, c.0);
            m = l.if_end(then, m);
        }
        l.scope_check();
        l.scope_end();
        ops::get(l, result)
    }
);

kernel!(Triples: (f32, u32, bool) => (bool, f32), |this, l, v| {
    let (x, n, flag) = v.0;
    let y = ops::select(l, flag, x, ops::cast::<f32, L, u32>(l, n));
    ops::tuple2(ops::xor(l, flag, ops::lt(l, y, ops::lit(l, 5.0))), y)
});

kernel!(Constants: f32 => (f32, f32, f32, f32, i32, u32, f32), |this, l, x| {
    // Sums and quotients of constants that a shader compiler must not evaluate by its own rules.
    let overflow = ops::add(l, ops::lit(l, i32::MAX), ops::lit(l, 1));
    let by_zero = ops::div(l, ops::lit(l, 7_u32), ops::lit(l, 0));
    let shifted = ops::shl(l, ops::lit(l, 0x8000_0001_u32), ops::lit(l, 33_u32));
    ops::tuple7(
        ops::max(l, x, ops::lit(l, f32::NAN)),
        ops::min(l, x, ops::lit(l, f32::INFINITY)),
        ops::select(l, ops::lt(l, x, ops::lit(l, 1.0e-45)), ops::lit(l, -0.0), ops::lit(l, f32::MAX)),
        ops::add(l, x, ops::lit(l, 0.1)),
        ops::xor(l, overflow, ops::lit(l, i32::MIN + 1)),
        ops::add(l, by_zero, shifted),
        ops::div(l, ops::lit(l, 1.0e38), ops::lit(l, 1.0e-5)),
    )
});

type F8 = (f32, f32, f32, f32, f32, f32, f32, f32);
kernel!(Floats: (f32, f32) => (F8, F8, (bool, bool, bool, f32)), |this, l, v| {
    let (a, b) = v.0;
    let first = ops::tuple8(
        ops::add(l, a, b), ops::sub(l, a, b), ops::mul(l, a, b), ops::div(l, a, b),
        ops::rem(l, a, b), ops::min(l, a, b), ops::max(l, a, b), ops::copysign(l, a, b),
    );
    let second = ops::tuple8(
        ops::neg(l, a), ops::abs(l, a), ops::sqrt(l, a), ops::floor(l, a),
        ops::ceil(l, a), ops::trunc(l, a), ops::round(l, a), ops::signum(l, a),
    );
    let third = ops::tuple4(ops::lt(l, a, b), ops::le(l, a, b), ops::ne(l, a, a), ops::mul_add(l, a, b, a));
    ops::tuple3(first, second, third)
});

/// All of the integers' operations.
#[derive(Clone, Copy)]
pub(crate) struct Integers;
type I8<T> = (T, T, T, T, T, T, T, T);
impl<T: Integer + Equal + Cast<u32> + ops::Logic> Kernel<(T, T)> for Integers {
    type Out = (I8<T>, I8<T>, (u32, u32, u32, bool, bool, bool, T));
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, v: Varying<L, (T, T)>) -> Varying<L, Self::Out> {
        let (a, b) = v.0;
        let first = ops::tuple8(
            ops::add(l, a, b),
            ops::sub(l, a, b),
            ops::mul(l, a, b),
            ops::div(l, a, b),
            ops::rem(l, a, b),
            ops::min(l, a, b),
            ops::max(l, a, b),
            ops::neg(l, a),
        );
        let second = ops::tuple8(
            ops::abs(l, a),
            ops::and(l, a, b),
            ops::or(l, a, b),
            ops::xor(l, a, b),
            ops::not(l, a),
            ops::shl(l, a, b),
            ops::shr(l, a, b),
            ops::reverse_bits(l, a),
        );
        let third = ops::tuple7(
            ops::count_ones(l, a),
            ops::leading_zeros(l, a),
            ops::trailing_zeros(l, a),
            ops::eq(l, a, b),
            ops::lt(l, a, b),
            ops::le(l, a, b),
            ops::clamp(l, a, ops::lit(l, T::ZERO), ops::lit(l, T::ONE)),
        );
        ops::tuple3(first, second, third)
    }
}

/// `as` to every 32-bit type.
#[derive(Clone, Copy)]
pub(crate) struct Casts;
impl<T: Cast<f32> + Cast<i32> + Cast<u32>> Kernel<T> for Casts {
    type Out = (f32, i32, u32);
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, v: Varying<L, T>) -> Varying<L, Self::Out> {
        ops::tuple3(ops::cast::<f32, L, T>(l, v), ops::cast::<i32, L, T>(l, v), ops::cast::<u32, L, T>(l, v))
    }
}

/// `as` to every type.
#[derive(Clone, Copy)]
pub(crate) struct WideCasts;
impl<T: Value + Cast<f32> + Cast<i32> + Cast<u32> + Cast<f64> + Cast<i64> + Cast<u64>> Kernel<T> for WideCasts {
    type Out = (f32, i32, u32, f64, i64, u64);
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, v: Varying<L, T>) -> Varying<L, Self::Out> {
        ops::tuple6(
            ops::cast::<f32, L, T>(l, v),
            ops::cast::<i32, L, T>(l, v),
            ops::cast::<u32, L, T>(l, v),
            ops::cast::<f64, L, T>(l, v),
            ops::cast::<i64, L, T>(l, v),
            ops::cast::<u64, L, T>(l, v),
        )
    }
}

kernel!(ExpOf64: f64 => f64, |this, l, v| ops::exp(l, v));

kernel!(Elementary: (f32, f32) => (F8, (f32, f32, f32, f32)), |this, l, v| {
    fn one<L: Lanes, T: Float>(_: L, x: Varying<L, T>) -> Varying<L, T> {
        x
    }
    let (a, b) = v.0;
    let a = one(l, a);
    ops::tuple2(
        ops::tuple8(
            ops::exp(l, a), ops::exp2(l, a), ops::ln(l, a), ops::log2(l, a),
            ops::log10(l, a), ops::sin(l, a), ops::cos(l, a), ops::tan(l, a),
        ),
        ops::tuple4(ops::tanh(l, a), ops::atan(l, a), ops::atan2(l, a, b), ops::powf(l, a, b)),
    )
});

/// `for i in 0..table.len() { for j in 0..table.len() { sum += x * (i as f32); } }`
#[derive(Clone, Copy)]
pub(crate) struct AllPairs<'s>(pub(crate) Data<'s, f32>);
impl Kernel<f32> for AllPairs<'_> {
    type Out = f32;
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, f32>) -> Varying<L, f32> {
        let table = ops::slice(l, self.0);
        let m = l.mask_all();
        let mut sum = ops::var(l, ops::lit(l, 0.0));
        let mut range = ops::range(l, ops::lit_uniform(l, 0), ops::len(l, table), false);
        while let Some(i) = ops::range_next(l, &mut range, m) {
            let mut range = ops::range(l, ops::lit_uniform(l, 0), ops::len(l, table), false);
            while let Some(j) = ops::range_next(l, &mut range, m) {
                let both = ops::add(l, ops::broadcast(l, i), ops::broadcast(l, j));
                let next = ops::add(l, ops::get(l, sum), ops::mul(l, x, ops::cast::<f32, L, usize>(l, both)));
                ops::set_masked(l, m, &mut sum, next);
            }
        }
        ops::get(l, sum)
    }
    fn data<V: DataVisitor>(&self, visitor: &mut V) -> granule::Result<()> {
        visitor.visit(self.0)
    }
}
