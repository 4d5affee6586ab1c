//! Kernels against the plain functions they are made of.

use granule::kernel;
use granule::prelude::*;

#[kernel]
fn saxpy(x: f32, y: f32, #[uniform] a: f32) -> f32 {
    a * x + y
}

#[kernel]
fn mandelbrot(cx: f32, cy: f32, #[uniform] limit: u32) -> u32 {
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

#[kernel]
fn first_above<T: Number>(x: T, table: &[T]) -> u32 {
    for i in 0..table.len() {
        if table[i] > x {
            return i as u32;
        }
    }
    u32::MAX
}

#[test]
fn first() {
    use granule::backend::simd::OneLane;
    use granule::kernel::ops;
    assert_eq!(saxpy::with(2.0).eval(OneLane, ops::lit(OneLane, (3.0, 4.0))).0, saxpy(3.0, 4.0, 2.0));
    for (cx, cy) in [(0.0, 0.0), (-1.5, 0.1), (2.0, 2.0), (0.3, 0.5)] {
        let x = ops::lit(OneLane, (cx, cy));
        assert_eq!(mandelbrot::with(200).eval(OneLane, x).0, mandelbrot(cx, cy, 200));
    }
    let table = [1.0_f32, 4.0, 9.0];
    for x in [0.0, 1.0, 5.0, 9.0] {
        assert_eq!(first_above::with(&table).eval(OneLane, ops::lit(OneLane, x)).0, first_above(x, &table));
    }
    let a = 3.0;
    let k = kernel!([a: f32] |x: f32| a * x);
    assert_eq!(k.eval(OneLane, ops::lit(OneLane, 2.0)).0, 6.0);
}
