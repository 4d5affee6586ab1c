//! What `#[kernel]` writes, by hand: the contract between the macros and the library.

use granule::element::Number;
use granule::kernel::{Kernel, Lanes, ToVarying, Uniform, Varying, ops};

fn mandelbrot(cx: f32, cy: f32, limit: u32) -> u32 {
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

#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
struct mandelbrot {
    limit: u32,
}

impl mandelbrot {
    fn with(limit: u32) -> Self {
        mandelbrot { limit }
    }

    #[inline(always)]
    fn lanes<L: Lanes>(
        l: L,
        mut __m: L::Mask,
        cx: impl ToVarying<L, f32>,
        cy: impl ToVarying<L, f32>,
        limit: Uniform<L, u32>,
    ) -> Varying<L, u32> {
        let cx: Varying<L, f32> = cx.to_varying(l);
        let cy: Varying<L, f32> = cy.to_varying(l);
        let mut x = ops::var(l, ops::lit(l, 0.0));
        let mut y = ops::var(l, ops::lit(l, 0.0));
        let mut n = ops::var(l, ops::lit(l, 0));
        {
            let __outer = __m;
            let mut __loop = l.loop_begin();
            while l.loop_next(&mut __loop, __m) {
                let __c = ops::and(
                    l,
                    ops::lt(l, ops::get(l, n), ops::broadcast(l, limit)),
                    ops::le(
                        l,
                        ops::add(l, ops::mul(l, ops::get(l, x), ops::get(l, x)), ops::mul(l, ops::get(l, y), ops::get(l, y))),
                        ops::lit(l, 4.0),
                    ),
                );
                __m = l.loop_while(__m, __c.0);
                if l.any(__m) {
                    let t = ops::add(
                        l,
                        ops::sub(l, ops::mul(l, ops::get(l, x), ops::get(l, x)), ops::mul(l, ops::get(l, y), ops::get(l, y))),
                        cx,
                    );
                    let __v = ops::add(l, ops::mul(l, ops::mul(l, ops::lit(l, 2.0), ops::get(l, x)), ops::get(l, y)), cy);
                    ops::set_masked(l, __m, &mut y, __v);
                    ops::set_masked(l, __m, &mut x, t);
                    let __v = ops::add(l, ops::get(l, n), ops::lit(l, 1));
                    ops::set_masked(l, __m, &mut n, __v);
                }
            }
            __m = __outer;
        }
        let _ = __m;
        ops::get(l, n)
    }
}

impl Kernel<(f32, f32)> for mandelbrot {
    type Out = u32;
    const LOOPS: bool = true;
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, (f32, f32)>) -> Varying<L, u32> {
        let (cx, cy) = x.0;
        Self::lanes(l, l.mask_all(), cx, cy, ops::uniform(l, self.limit))
    }
}

/// Generic over the number type; a uniform loop over a slice; an early return inside the loop.
#[allow(clippy::needless_range_loop, reason = "kernels read slices by index")]
fn first_above<T: Number>(x: T, table: &[T]) -> u32 {
    for i in 0..table.len() {
        if table[i] > x {
            return i as u32;
        }
    }
    u32::MAX
}

#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
struct first_above<'s, T: Number + granule::element::Element> {
    table: granule::array::Data<'s, T>,
}

impl<'s, T: Number + granule::element::Element> first_above<'s, T> {
    fn with(table: impl Into<granule::array::Data<'s, T>>) -> Self {
        first_above { table: table.into() }
    }

    #[inline(always)]
    fn lanes<L: Lanes>(l: L, mut __m: L::Mask, x: impl ToVarying<L, T>, table: ops::Slice<'_, L, T>) -> Varying<L, u32> {
        let x: Varying<L, T> = x.to_varying(l);
        l.scope_begin();
        let mut __ret: Varying<L, u32> = ops::var(l, ops::zero(l));
        let mut __returned = l.mask_none();
        {
            let __outer = __m;
            let mut __range = ops::range(l, ops::lit_uniform(l, 0), ops::len(l, table), false);
            while let Some(i) = ops::range_next(l, &mut __range, __m) {
                let __c = ops::gt(l, ops::broadcast(l, ops::index_uniform(l, table, i)), x);
                let __before = __m;
                __m = l.if_then(__before, __c.0);
                if l.any(__m) {
                    let __v = ops::cast::<u32, L, usize>(l, ops::broadcast(l, i));
                    ops::set_masked(l, __m, &mut __ret, __v);
                    __returned = granule::kernel::MaskLane::or(__returned, l, __m);
                    __m = l.scope_return();
                }
                let __then = __m;
                __m = l.if_else(__before, __c.0);
                __m = l.if_end(__then, __m);
            }
            __m = granule::kernel::MaskLane::and(__outer, l, granule::kernel::MaskLane::not(__returned, l));
            l.scope_check();
        }
        if l.any(__m) {
            let __v = ops::lit(l, u32::MAX);
            ops::set_masked(l, __m, &mut __ret, __v);
        }
        l.scope_end();
        ops::get(l, __ret)
    }
}

impl<'s, T: Number + granule::element::Element> Kernel<T> for first_above<'s, T> {
    type Out = u32;
    const LOOPS: bool = true;
    #[inline(always)]
    fn eval<L: Lanes>(&self, l: L, x: Varying<L, T>) -> Varying<L, u32> {
        Self::lanes(l, l.mask_all(), x, ops::slice(l, self.table))
    }
    fn data<V: granule::array::DataVisitor>(&self, visitor: &mut V) -> granule::Result<()> {
        visitor.visit(self.table)
    }
}

#[test]
fn the_lanes_agree_with_the_function() {
    use granule::backend::simd::OneLane;
    for (cx, cy) in [(0.0, 0.0), (-1.5, 0.1), (2.0, 2.0), (0.3, 0.5)] {
        let x = ops::lit(OneLane, (cx, cy));
        assert_eq!(mandelbrot::with(200).eval(OneLane, x).0, mandelbrot(cx, cy, 200));
    }
    let table = [1.0_f32, 4.0, 9.0];
    for x in [0.0, 1.0, 5.0, 9.0] {
        assert_eq!(first_above::with(&table).eval(OneLane, ops::lit(OneLane, x)).0, first_above(x, &table));
    }
}
