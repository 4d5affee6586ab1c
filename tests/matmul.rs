//! Products of dense matrices, on every backend.

mod backends;
mod oracle;

use granule::SimdLevel;
use granule::grid::Grid;
use granule::kernel;
use granule::matrix::Matrix;
use granule::prelude::*;

use oracle::Random;

/// Odd numbers between -8 and 8: their products and sums are exact in any order.
fn whole(seed: u64, n: usize) -> Vec<f32> {
    let mut random = Random(seed);
    (0..n).map(|_| (2 * random.below(8)) as f32 - 7.0).collect()
}

fn transpose(x: &[f32], columns: usize) -> Vec<f32> {
    let rows = x.len() / columns.max(1);
    (0..x.len()).map(|i| x[i % rows * columns + i / rows]).collect()
}

/// In ascending order, rounded once.
fn product(a: &[f32], b: &[f32], [m, k, n]: [usize; 3]) -> Vec<f32> {
    let entry = |i: usize, j: usize| (0..k).map(|p| f64::from(a[i * k + p]) * f64::from(b[p * n + j])).sum::<f64>();
    (0..m * n).map(|at| entry(at / n, at % n) as f32).collect()
}

/// Shapes around the kernels' tiles, the blocks of 256 and 144, and a workgroup's squares.
const SHAPES: [[usize; 3]; 16] = [
    [1, 1, 1],
    [2, 3, 5],
    [6, 1, 8],
    [5, 7, 17],
    [12, 16, 32],
    [13, 31, 33],
    [1, 300, 65],
    [65, 257, 1],
    [11, 255, 31],
    [12, 256, 64],
    [61, 513, 67],
    [64, 8, 64],
    [145, 9, 127],
    [150, 40, 130],
    [301, 5, 47],
    [7, 2, 400],
];

#[test]
fn products() {
    for [m, k, n] in SHAPES {
        let (a, b, c) = (whole(1, m * k), whole(2, k * n), whole(3, m * n));
        let want = product(&a, &b, [m, k, n]);
        let (of_rows, of_columns) = (Matrix::new(&a, [m, k]).unwrap(), Matrix::new(&b, [k, n]).unwrap());
        agree!(format!("{m} x {k} x {n}"), |e| e.matmul(of_rows, of_columns), want);
        let (at, bt) = (transpose(&a, k), transpose(&b, n));
        let (at, bt) = (Matrix::new(&at, [k, m]).unwrap().transposed(), Matrix::new(&bt, [n, k]).unwrap().transposed());
        agree!(format!("{m} x {k} x {n}, both transposed"), |e| e.matmul(at, bt), want);
        let more: Vec<f32> = want.iter().zip(&c).map(|(x, y)| x + y).collect();
        agree!(format!("{m} x {k} x {n}, and another"), |e| e.matmul(of_rows, bt).plus(&c), more);
    }
}

#[test]
fn nothing_to_multiply() {
    let (none, x) = ([0.0_f32; 0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    for [m, k, n] in [[0, 2, 3], [3, 2, 0], [0, 0, 0], [0, 3, 0]] {
        let (a, b) = (vec![1.0_f32; m * k], vec![1.0_f32; k * n]);
        let (a, b) = (Matrix::new(&a, [m, k]).unwrap(), Matrix::new(&b, [k, n]).unwrap());
        agree!(format!("{m} x {k} x {n}"), |e| e.matmul(a, b), none);
    }
    let (a, b) = (Matrix::new(&none, [2, 0]).unwrap(), Matrix::new(&none, [0, 3]).unwrap());
    agree!("sums of nothing", |e| e.matmul(a, b), [0.0; 6]);
    agree!("sums of nothing, and another", |e| e.matmul(a, b).plus(&x), x);
}

#[test]
fn sources_arrays_and_memory_that_exists() {
    let (m, k, n) = (40, 70, 50);
    let (a, b) = (whole(4, m * k), whole(5, k * n));
    let want = product(&a, &b, [m, k, n]);
    let doubled: Vec<f32> = want.iter().map(|x| 2.0 * x - 1.0).collect();
    let twice = Matrix::new((&a).map(kernel!(|x: f32| 2.0 * x)), [m, k]).unwrap();
    agree!("of maps", |e| e.matmul(twice, Grid::new(&b, [k, n]).unwrap()).plus(constant(-1.0).take(m * n)), doubled);
    for runner in backends::all() {
        let (name, engine) = (&runner.name, &runner.engine);
        let (x, y) = (engine.array(&a), engine.array(&b));
        let (x, y) = (Matrix::new(&x, [m, k]).unwrap(), Matrix::new(&y, [k, n]).unwrap());
        let product = engine.matmul(x, y).with_plan(&runner.plan).run().unwrap();
        let back = Matrix::new(&product, [m, n]).unwrap().transposed();
        let gram = engine.matmul(back, Matrix::new(&product, [m, n]).unwrap()).with_plan(&runner.plan).run().unwrap();
        let right = self::product(&transpose(&want, n), &want, [n, m, n]);
        let close =
            gram.as_slice().unwrap().iter().zip(&right).all(|(got, want)| (got - want).abs() <= 1e-5 * want.abs() + 200.0);
        assert!(close, "{name}: a product of products");
        let mut memory = vec![7.0; m * n];
        engine.matmul(x, y).into(&mut memory).with_plan(&runner.plan).run().unwrap();
        assert!(memory == want, "{name}: into a vector");
    }
}

/// The error of a sum of products is bounded by that of any order: k + 1 roundings of what is summed without signs.
#[test]
fn roundings_are_bounded() {
    let (m, k, n) = (37, 700, 41);
    let mut random = Random(6);
    let mut numbers = |n: usize| -> Vec<f32> { (0..n).map(|_| (random.next() >> 40) as f32 / (1 << 23) as f32 - 1.0).collect() };
    let (a, b) = (numbers(m * k), numbers(k * n));
    let without = |x: &[f32]| x.iter().map(|x| x.abs()).collect::<Vec<_>>();
    let (want, sizes) = (product(&a, &b, [m, k, n]), product(&without(&a), &without(&b), [m, k, n]));
    let (x, y) = (Matrix::new(&a, [m, k]).unwrap(), Matrix::new(&b, [k, n]).unwrap());
    let mut bits: Vec<Vec<u32>> = Vec::new();
    for runner in backends::all() {
        let got = runner.engine.matmul(x, y).with_plan(&runner.plan).run().unwrap();
        let got = got.as_slice().unwrap();
        let worst = (0..m * n).map(|i| (got[i] - want[i]).abs() / sizes[i]).fold(0.0, f32::max);
        assert!(worst <= (k + 1) as f32 * f32::EPSILON / 2.0, "{}: {worst}", runner.name);
        if !runner.is_gpu() && runner.engine.simd_level() != SimdLevel::Base {
            bits.push(got.iter().map(|x| x.to_bits()).collect());
        }
    }
    // With fused multiply-add the same bits everywhere; a machine that has it nowhere has one level alone.
    assert!(bits.windows(2).all(|two| two[0] == two[1]), "the same bits at every level and for every number of workers");
}

#[test]
fn nothing_is_left_out() {
    let (m, k, n) = (14, 20, 34);
    let (mut a, mut b) = (vec![0.0_f32; m * k], vec![1.0_f32; k * n]);
    a[3 * k + 19] = f32::NAN;
    b[7 * n + 33] = f32::INFINITY;
    let want: Vec<f32> = (0..m * n).map(|i| if i / n == 3 || i % n == 33 { f32::NAN } else { 0.0 }).collect();
    let (a, b) = (Matrix::new(&a, [m, k]).unwrap(), Matrix::new(&b, [k, n]).unwrap());
    for runner in backends::all() {
        // A driver may take a product with 0 for 0.
        if !runner.is_gpu() {
            let got = runner.engine.matmul(a, b).with_plan(&runner.plan).run().unwrap();
            oracle::assert_same(&runner.name, got.as_slice().unwrap(), &want, oracle::EXACT);
        }
    }
}

#[test]
fn errors() {
    let engine = Engine::builder().no_cache().build().unwrap();
    let x = [1.0_f32; 6];
    let (a, b) = (Matrix::new(&x, [2, 3]).unwrap(), Matrix::new(&x, [2, 3]).unwrap());
    assert_eq!(engine.matmul(a, b).run().unwrap_err(), Error::LengthMismatch { left: 3, right: 2 });
    assert_eq!(engine.matmul(a, b.transposed()).plus(&x).run().unwrap_err(), Error::LengthMismatch { left: 4, right: 6 });
    assert_eq!(Matrix::new(&x, [2, 2]).unwrap_err(), Error::Shape { shape: vec![2, 2], elements: 6 });
    let other = Engine::builder().no_cache().build().unwrap();
    let array = other.array(x);
    assert_eq!(engine.matmul(a, Matrix::new(&array, [3, 2]).unwrap()).run().unwrap_err(), Error::ForeignArray);
}
