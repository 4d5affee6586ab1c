//! Complex numbers and small vectors: the operators and methods in kernels, on every backend, against plain scalars.

mod backends;
mod oracle;

use granule::element::{Complex, Vec2, Vec3, Vec4};
use granule::prelude::*;
use oracle::{FEW, Precision, Random};

type C = Complex<f32>;

/// What a driver may do to sums of products, and to divisions, roots and angles.
fn loose(runner: &backends::Runner) -> Precision {
    Precision { ulps: if runner.is_gpu() { 64 } else { 0 }, ..runner.precision }
}

/// Numbers between 1/2 and 2 of either sign, so that no sum cancels wholly and no rounding is magnified.
fn floats(seed: u64, n: usize) -> Vec<f32> {
    let mut random = Random(seed);
    let mut draw = || {
        let r = random.next();
        let size = 0.5 + (r >> 40) as f32 / (1 << 24) as f32 * 1.5;
        if r & 1 == 0 { size } else { -size }
    };
    (0..n).map(|_| draw()).collect()
}

fn complex(seed: u64, n: usize) -> Vec<C> {
    floats(seed, 2 * n).chunks(2).map(|x| C::new(x[0], x[1])).collect()
}
fn vec3(seed: u64, n: usize) -> Vec<Vec3> {
    floats(seed, 3 * n).chunks(3).map(|x| Vec3::new(x[0], x[1], x[2])).collect()
}

macro_rules! same_leaves {
    ($($t:ty: |$x:ident| $leaves:expr;)+) => {$(
        impl oracle::Same for $t {
            fn same(&self, o: &Self, p: Precision) -> bool {
                let leaves = |$x: &$t| $leaves;
                leaves(self).iter().zip(leaves(o)).all(|(a, b)| a.same(&b, p))
            }
        }
    )+};
}
same_leaves! {
    C: |z| [z.re, z.im];
    Complex<f64>: |z| [z.re, z.im];
    Vec2: |v| [v.x, v.y];
    Vec3: |v| [v.x, v.y, v.z];
    Vec4: |v| [v.x, v.y, v.z, v.w];
}

#[kernel]
fn sums(a: C, b: C) -> (C, C, C) {
    (a + b, a - b, -a)
}
#[kernel]
fn products(a: C, b: C) -> (C, C) {
    (a * b, a / b)
}
#[kernel]
fn scaled(z: C, s: f32) -> (C, C, C, C) {
    (z * s, s * z, z / s, 2.0 * z)
}
#[kernel]
fn assigned(a: C, b: C, s: f32) -> C {
    let mut z = a;
    z += b;
    z *= a;
    z -= b * 0.5;
    z *= s;
    z /= b;
    z /= s;
    if s > 0.0 {
        z = z * z + C { re: s, im: 1.0 };
    }
    z
}
#[kernel]
fn parts(z: C) -> (C, f32, f32, f32) {
    (z.conj(), z.norm_sqr(), z.norm(), z.arg())
}

#[test]
fn complex_numbers() {
    for n in FEW {
        let (a, b, s) = (complex(1, n), complex(2, n), floats(3, n));
        let pair = |i: usize| (a[i], b[i]);
        // Written out, sharing nothing with the operators.
        let want: Vec<(C, C, C)> = (0..n)
            .map(pair)
            .map(|(a, b)| (C::new(a.re + b.re, a.im + b.im), C::new(a.re - b.re, a.im - b.im), C::new(-a.re, -a.im)))
            .collect();
        agree!("sums", |e| e.map(zip(&a, &b), sums::with()), want);
        let times = |a: C, b: C| C::new(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re);
        let over = |a: C, b: C| {
            let (p, q) = (times(a, C::new(b.re, -b.im)), b.re * b.re + b.im * b.im);
            C::new(p.re / q, p.im / q)
        };
        let want: Vec<(C, C)> = (0..n).map(pair).map(|(a, b)| (times(a, b), over(a, b))).collect();
        // Of a cancelling difference of contracted products nothing may be left: the error is relative to the factors.
        for runner in backends::all() {
            let Some(got) = runner.result("products", e_products(runner, &a, &b)) else { continue };
            for (i, (got, want)) in got.iter().zip(&want).enumerate() {
                let bound = if runner.is_gpu() { 4e-6 } else { 0.0 };
                let far = |a: C, b: C| (a.re - b.re).abs().max((a.im - b.im).abs());
                assert!(
                    far(got.0, want.0) <= bound && far(got.1, want.1) <= bound,
                    "{}: {i}: {got:?}, not {want:?}",
                    runner.name
                );
            }
        }
        let want: Vec<(C, C, C, C)> = (0..n)
            .map(|i| (a[i], s[i]))
            .map(|(z, s)| {
                (
                    C::new(z.re * s, z.im * s),
                    C::new(s * z.re, s * z.im),
                    C::new(z.re / s, z.im / s),
                    C::new(2.0 * z.re, 2.0 * z.im),
                )
            })
            .collect();
        agree!(@ "scaled", |e| e.map(zip(&a, &s), scaled::with()), want, |r| loose(r));
        let want: Vec<(C, f32, f32, f32)> = oracle::map(&a, |z| {
            (C::new(z.re, -z.im), z.re * z.re + z.im * z.im, (z.re * z.re + z.im * z.im).sqrt(), z.im.atan2(z.re))
        });
        for (got, want) in want.iter().zip(oracle::map(&a, parts)) {
            assert_eq!((got.0, got.1, got.2, got.3), want, "the plain function");
        }
        agree!(@ "parts", |e| e.map(&a, parts::with()), want, |r| Precision { ulps: loose(r).ulps.max(4), ..r.precision });
        // No sum cancels so far that 64 places are too few: compared where the arithmetic is exact.
        let want: Vec<C> = (0..n).map(|i| assigned(a[i], b[i], s[i])).collect();
        for runner in backends::all().iter().filter(|r| !r.is_gpu()) {
            let task = runner.engine.map(zip3(&a, &b, &s), assigned::with()).with_plan(&runner.plan);
            oracle::assert_same(
                format!("assigned on {}", runner.name),
                &task.run().unwrap().into_vec().unwrap(),
                &want,
                oracle::EXACT,
            );
        }
    }
}

fn e_products(runner: &backends::Runner, a: &Vec<C>, b: &Vec<C>) -> granule::Result<Vec<(C, C)>> {
    runner.engine.map(zip(a, b), products::with()).with_plan(&runner.plan).run()?.into_vec()
}

#[test]
fn complex_numbers_of_f64() {
    #[kernel]
    fn f(z: Complex<f64>, w: Complex<f64>) -> Complex<f64> {
        (z * w + z.conj() / w) * 0.25 - w
    }
    let of = |seed| -> Vec<Complex<f64>> {
        complex(seed, 1000).into_iter().map(|z| Complex::new(f64::from(z.re), f64::from(z.im))).collect()
    };
    let (a, b) = (of(1), of(2));
    let want: Vec<_> = a.iter().zip(&b).map(|(&a, &b)| f(a, b)).collect();
    for runner in backends::all().iter().filter(|r| !r.is_gpu()) {
        let task = runner.engine.map(zip(&a, &b), f::with()).with_plan(&runner.plan);
        oracle::assert_same(&runner.name, &task.run().unwrap().into_vec().unwrap(), &want, oracle::EXACT);
    }
}

#[kernel]
fn arithmetic(a: Vec3, b: Vec3, s: f32) -> (Vec3, Vec3, Vec3, Vec3) {
    (a + b, a - b, -a, (a * s + s * b) / s)
}
#[kernel]
fn products_of(a: Vec3, b: Vec3) -> (f32, Vec3, f32, Vec3) {
    (a.dot(a), a.cross(b), a.length(), a.normalize())
}
/// The other sizes, a struct literal, fields, and a scale that is uniform.
#[kernel]
fn others(v: Vec3, #[uniform] s: f32, #[uniform] shift: Vec2) -> (Vec2, Vec4, f32, f32) {
    let mut flat = Vec2 { x: v.x, y: v.z } * s;
    flat += shift;
    flat /= 4.0;
    let mut long = Vec4 { x: v.y, y: 1.0, z: v.x, w: s } - Vec4 { x: s, y: s, z: s, w: 0.0 };
    long -= long * 0.25;
    long.w = 3.0;
    (flat, long, flat.length_squared(), long.dot(long))
}

#[test]
fn vectors() {
    for n in FEW {
        let (a, b, s) = (vec3(1, n), vec3(2, n), floats(3, n));
        let each = |a: Vec3, b: Vec3, f: &dyn Fn(f32, f32) -> f32| Vec3::new(f(a.x, b.x), f(a.y, b.y), f(a.z, b.z));
        let want: Vec<_> = (0..n)
            .map(|i| {
                let (a, b, s) = (a[i], b[i], s[i]);
                let mixed = each(a, b, &|x, y| (x * s + s * y) / s);
                (each(a, b, &|x, y| x + y), each(a, b, &|x, y| x - y), each(a, b, &|x, _| -x), mixed)
            })
            .collect();
        for (i, want) in want.iter().enumerate() {
            assert_eq!(arithmetic(a[i], b[i], s[i]), *want, "the plain function");
        }
        for runner in backends::all() {
            let task = runner.engine.map(zip3(&a, &b, &s), arithmetic::with()).with_plan(&runner.plan);
            let got = runner.result("arithmetic", task.run()).unwrap().into_vec().unwrap();
            let bound = if runner.is_gpu() { 4e-6 } else { 0.0 };
            for (i, (got, want)) in got.iter().zip(&want).enumerate() {
                let far = (got.3 - want.3).length();
                assert!((got.0, got.1, got.2) == (want.0, want.1, want.2) && far <= bound, "{}: {i}: {got:?}", runner.name);
            }
        }
        let want: Vec<_> = (0..n)
            .map(|i| {
                let (a, b) = (a[i], b[i]);
                let square = a.x * a.x + a.y * a.y + a.z * a.z;
                let cross = Vec3::new(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
                let length = square.sqrt();
                (square, cross, length, Vec3::new(a.x / length, a.y / length, a.z / length))
            })
            .collect();
        for (i, want) in want.iter().enumerate() {
            assert_eq!(products_of(a[i], b[i]), *want, "the plain function");
        }
        for runner in backends::all() {
            let task = runner.engine.map(zip(&a, &b), products_of::with()).with_plan(&runner.plan);
            let got = runner.result("products", task.run()).unwrap().into_vec().unwrap();
            let bound = if runner.is_gpu() { 8e-6 } else { 0.0 };
            for (i, (got, want)) in got.iter().zip(&want).enumerate() {
                let near = (got.0 - want.0).abs() <= bound && (got.1 - want.1).length() <= bound;
                let near = near && (got.2 - want.2).abs() <= bound && (got.3 - want.3).length() <= bound;
                assert!(near, "{}: {i}: {got:?}, not {want:?}", runner.name);
            }
        }
        let shift = Vec2::new(0.5, -8.0);
        let want: Vec<_> = a
            .iter()
            .map(|v| {
                let (x, y) = ((v.x * 1.5 + 0.5) / 4.0, (v.z * 1.5 - 8.0) / 4.0);
                let long = [v.y - 1.5, 1.0 - 1.5, v.x - 1.5].map(|x| x - x * 0.25);
                let square = long[0] * long[0] + long[1] * long[1] + long[2] * long[2] + 9.0;
                (Vec2::new(x, y), Vec4::new(long[0], long[1], long[2], 3.0), x * x + y * y, square)
            })
            .collect();
        agree!(@ "others", |e| e.map(&a, others::with(1.5, shift)), want, |r| loose(r));
    }
}

#[test]
fn they_are_elements() {
    for n in FEW {
        let (z, v) = (complex(5, n), vec3(6, n));
        let plus = |a: C, b: C| C::new(a.re + b.re, a.im + b.im);
        agree_one!("sum of complex numbers", |e| e.reduce(&z, Sum), oracle::canonical(&z, true, C::new(-0.0, -0.0), &plus));
        let plus = |a: Vec3, b: Vec3| Vec3::new(a.x + b.x, a.y + b.y, a.z + b.z);
        let none = Vec3::new(-0.0, -0.0, -0.0);
        agree_one!("sum of vectors", |e| e.reduce(&v, Sum), oracle::canonical(&v, true, none, &plus));
        agree!("copies", |e| e.collect((&v).reverse()), v.iter().rev().copied().collect::<Vec<_>>());
    }
    assert_eq!(Vec3::from([1.0, 2.0, 3.0]).dot(Vec3::new(4.0, -5.0, 6.0)), 12.0);
    assert_eq!(<[f32; 2]>::from(2.0 * Vec2::new(1.0, 2.0)), [2.0, 4.0]);
    assert_eq!(Vec4::new(2.0, 0.0, 0.0, 0.0).normalize(), Vec4::new(1.0, 0.0, 0.0, 0.0));
    assert_eq!(Complex::new(3.0, 4.0).norm(), 5.0);
}
