//! Along an axis of a grid: combinations, scans, and products of matrices with vectors; on every backend.

mod backends;
mod oracle;

use granule::grid::Grid;
use granule::kernel;
use granule::matrix::Matrix;
use granule::prelude::*;

use oracle::Random;

/// First `a`, then `b`: does not commute.
#[operator(identity = (1, 0))]
fn compose(a: (u32, u32), b: (u32, u32)) -> (u32, u32) {
    (a.0 * b.0, a.1 * b.0 + b.1)
}

/// The elements along an axis, for each place of the others.
fn lines<T: Copy>(x: &[T], shape: &[usize], axis: usize) -> Vec<Vec<T>> {
    let (outer, inner): (usize, usize) = (shape[..axis].iter().product(), shape[axis + 1..].iter().product());
    let len = shape[axis];
    (0..outer * inner).map(|at| (0..len).map(|i| x[(at / inner * len + i) * inner + at % inner]).collect()).collect()
}

/// What is put back where it was.
fn unlines<T: Copy>(lines: &[Vec<T>], shape: &[usize], axis: usize) -> Vec<T> {
    let (len, inner): (usize, usize) = (shape[axis], shape[axis + 1..].iter().product());
    (0..lines.len() * len).map(|i| lines[i / inner / len * inner + i % inner][i / inner % len]).collect()
}

/// Rows and columns around the width of vectors, the 64 elements side by side, the stripes of 1024, and what is cut in parts.
const FLAT: [[usize; 2]; 18] = [
    [1, 1],
    [1, 63],
    [64, 1],
    [65, 2],
    [2, 65],
    [3, 1023],
    [1025, 3],
    [127, 31],
    [5, 1025],
    [1000, 7],
    [61, 64],
    [131_075, 1],
    [1, 131_075],
    [50_003, 3],
    [3, 50_003],
    [300, 500],
    [0, 3],
    [3, 0],
];

#[test]
fn reductions() {
    for shape in FLAT {
        let x: Vec<u32> = Random(1).of(shape[0] * shape[1]);
        let grid = Grid::new(&x, shape).unwrap();
        let pairs: Vec<(u32, u32)> = x.iter().map(|&x| (x | 1, x >> 7)).collect();
        let of_pairs = Grid::new((&x).map(kernel!(|x: u32| (x | 1, x >> 7))), shape).unwrap();
        for axis in 0..2 {
            let label = format!("{shape:?}, axis {axis}");
            let sums = lines(&x, &shape, axis).iter().map(|line| oracle::reduce(line, 0, u32::wrapping_add)).collect::<Vec<_>>();
            agree!(&label, |e| e.reduce_axis(grid, axis, Sum), sums);
            let compose = |a: (u32, u32), b: (u32, u32)| (a.0.wrapping_mul(b.0), a.1.wrapping_mul(b.0).wrapping_add(b.1));
            let all = lines(&pairs, &shape, axis).iter().map(|line| oracle::reduce(line, (1, 0), compose)).collect::<Vec<_>>();
            agree!(format!("{label}, in order"), |e| e.reduce_axis(of_pairs, axis, self::compose::with()), all);
        }
    }
}

#[test]
fn scans() {
    for shape in FLAT {
        let x: Vec<u32> = Random(2).of(shape[0] * shape[1]);
        let grid = Grid::new(&x, shape).unwrap();
        for axis in 0..2 {
            let label = format!("{shape:?}, axis {axis}");
            let lines = lines(&x, &shape, axis);
            let to: Vec<_> = lines.iter().map(|line| oracle::inclusive(line, None, u32::wrapping_add)).collect();
            agree!(&label, |e| e.scan_axis(grid, axis, Sum), unlines(&to, &shape, axis));
            let before: Vec<_> = lines.iter().map(|line| oracle::exclusive(line, None, 0, u32::wrapping_add)).collect();
            agree!(format!("{label}, exclusive"), |e| e.scan_axis(grid, axis, Sum).exclusive(), unlines(&before, &shape, axis));
        }
    }
}

#[test]
fn three_axes_and_one() {
    for shape in [[3, 5, 7], [2, 70, 33], [40, 3, 64], [1, 9, 1100]] {
        let x: Vec<u32> = Random(3).of(shape.iter().product());
        let grid = Grid::new(&x, shape).unwrap();
        for axis in 0..3 {
            let lines = lines(&x, &shape, axis);
            let most: Vec<u32> = lines.iter().map(|line| *line.iter().max().unwrap()).collect();
            agree!(format!("{shape:?}, axis {axis}"), |e| e.reduce_axis(grid, axis, Max), most);
            let to: Vec<_> = lines.iter().map(|line| oracle::inclusive(line, None, u32::wrapping_add)).collect();
            agree!(format!("scan of {shape:?}, axis {axis}"), |e| e.scan_axis(grid, axis, Sum), unlines(&to, &shape, axis));
        }
    }
    let x: Vec<u32> = Random(4).of(70_000);
    let line = Grid::new(&x, [70_000]).unwrap();
    agree!("one axis", |e| e.reduce_axis(line, 0, Sum), [oracle::reduce(&x, 0, u32::wrapping_add)]);
    agree!("one axis, scanned", |e| e.scan_axis(line, 0, Sum), oracle::inclusive(&x, None, u32::wrapping_add));
}

/// From the first to the last, or 64 side by side and by halving: the bits tell.
#[test]
fn sums_of_floats_have_an_order() {
    let x: Vec<f32> = Random(5).of::<u32>(40 * 300).into_iter().map(|x| (x >> 8) as f32 * 1e-3 - 5e3).collect();
    let grid = Grid::new(&x, [40, 300]).unwrap();
    let down: Vec<f32> = lines(&x, &[40, 300], 0).iter().map(|line| oracle::reduce(line, -0.0, |a, b| a + b)).collect();
    agree!("columns", |e| e.reduce_axis(grid, 0, Sum), down);
    let along = |line: &Vec<f32>| {
        let mut lanes: Vec<f32> =
            (0..64).map(|lane| line.iter().copied().skip(lane).step_by(64).reduce(|a, b| a + b).unwrap()).collect();
        while lanes.len() > 1 {
            let half = lanes.len() / 2;
            lanes = (0..half).map(|lane| lanes[lane] + lanes[lane + half]).collect();
        }
        lanes[0]
    };
    let rows: Vec<f32> = lines(&x, &[40, 300], 1).iter().map(along).collect();
    agree!("rows", |e| e.reduce_axis(grid, 1, Sum), rows);
}

#[test]
fn matrices_and_vectors() {
    for [m, k] in [[1, 1], [3, 5], [65, 63], [40, 300], [300, 40], [2, 0], [0, 2], [7, 5000]] {
        let (a, x): (Vec<u32>, Vec<u32>) = (Random(6).of(m * k), Random(7).of(k));
        let times = |row: usize| (0..k).map(|p| a[row * k + p].wrapping_mul(x[p])).fold(0, u32::wrapping_add);
        let want: Vec<u32> = (0..m).map(times).collect();
        let matrix = Matrix::new(&a, [m, k]).unwrap();
        agree!(format!("{m} x {k}"), |e| e.matvec(matrix, &x), want);
        let transposed: Vec<u32> = (0..m * k).map(|i| a[i % m.max(1) * k + i / m.max(1)]).collect();
        let matrix = Matrix::new(&transposed, [k, m]).unwrap().transposed();
        agree!(format!("{m} x {k}, transposed"), |e| e.matvec(matrix, &x), want);
    }
    let a = [1.0_f32, 2.0, 3.0, 4.0];
    let doubled = Grid::new((&a).map(kernel!(|x: f32| 2.0 * x)), [2, 2]).unwrap();
    agree!("of maps", |e| e.matvec(doubled, constant(0.5)), [3.0, 7.0]);
    let engine = Engine::builder().no_cache().build().unwrap();
    let matrix = Matrix::new(&a, [2, 2]).unwrap();
    assert_eq!(engine.matvec(matrix, &[1.0, 2.0, 3.0]).run().unwrap_err(), Error::LengthMismatch { left: 2, right: 3 });
}

#[test]
fn norms_and_axpy() {
    let whole: Vec<f32> = (0..5000).map(|i| (i % 17) as f32 - 8.0).collect();
    agree_one!("l1", |e| e.norm_l1(&whole), whole.iter().map(|x| x.abs()).sum::<f32>());
    agree_one!("l2", |e| e.norm_l2(&whole), whole.iter().map(|x| x * x).sum::<f32>().sqrt());
    agree_one!("largest", |e| e.norm_max(&whole), 8.0_f32);
    agree!("axpy", |e| e.axpy(3.0, &whole, (&whole).reverse()), {
        whole.iter().zip(whole.iter().rev()).map(|(x, y)| 3.0 * x + y).collect::<Vec<f32>>()
    });
    let engine = Engine::builder().no_cache().build().unwrap();
    let l2 = |x: &[f32]| engine.norm_l2(x).on(Backend::Simd).run().unwrap();
    let close = |got: f32, want: f64| ((f64::from(got) - want) / want).abs() < 1e-6;
    for size in [1e38_f32, 1e30, 1e17, 1.0, 1e-18, 1e-20, 1e-30, 1e-38] {
        let x: Vec<f32> = (0..10).map(|i| if i % 2 == 0 { size } else { -size / 3.0 }).collect();
        let want = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        assert!(close(l2(&x), want), "{size}: {}, expected {want}", l2(&x));
    }
    // Of different sizes at once.
    for x in [[1e20_f32, 1e15, 3.0], [1e-21, 2e-19, 1e-19], [1e20, 1e-30, 1e-30], [5.0, 1e-25, 1e-19]] {
        let want = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        assert!(close(l2(&x), want), "{x:?}: {}, expected {want}", l2(&x));
    }
    assert_eq!((l2(&[]), l2(&[0.0, -0.0])), (0.0, 0.0));
    assert_eq!((l2(&[1.0, f32::NEG_INFINITY]), l2(&[f32::INFINITY, f32::NAN]).is_nan()), (f32::INFINITY, true));
    assert!(l2(&[1e-30, f32::NAN]).is_nan() && engine.norm_max(&[1.0, f32::NAN, f32::INFINITY]).run().unwrap().is_nan());
}

#[test]
fn errors() {
    let engine = Engine::builder().no_cache().build().unwrap();
    let grid = Grid::new(&[1, 2, 3, 4], [2, 2]).unwrap();
    let no_such = Error::OutOfRange { place: 0, index: 2, len: 2 };
    assert_eq!(engine.reduce_axis(grid, 2, Sum).run().unwrap_err(), no_such);
    assert_eq!(engine.scan_axis(grid, 2, Sum).run().unwrap_err(), no_such);
}
