//! Stencils as sources, and the kernels that they take; on every backend.

mod backends;
mod oracle;
#[path = "grid/plain.rs"]
mod plain;

use granule::grid::{Clamp, Grid, Reflect, Torus, Window};
use granule::kernel;
use granule::machine::{GpuInfo, GpuKind, GpuRates, Gpus, Machine};
use granule::plan::choose;
use granule::prelude::*;

use plain::{Mode, data, stencil};

/// Few neighbours: this one is compiled into many loops.
#[kernel]
fn three(w: Window<u32, 2>) -> u32 {
    w.at(-1, 0) + 3 * w.at(0, -1) + 5 * w.at(0, 1)
}

fn plain_three(at: &dyn Fn(i64, i64, i64) -> u32) -> u32 {
    at(0, -1, 0).wrapping_add(at(0, 0, -1).wrapping_mul(3)).wrapping_add(at(0, 0, 1).wrapping_mul(5))
}

#[test]
fn a_stencil_is_a_source() {
    let (h, w) = (61, 83);
    let x = data(h * w);
    let once = stencil(&x, [1, h, w], Mode::Torus, plain_three);
    let source = || Grid::new(&x, [h, w]).unwrap().stencil(Torus, three::with());
    agree!("mapped", |e| e.map(source(), kernel!(|x: u32| x / 3)), oracle::map(&once, |x| x / 3));
    agree_one!("reduced", |e| e.reduce(source(), Max), *once.iter().max().unwrap());
    agree!("summed up", |e| e.scan(source(), Sum), oracle::inclusive(&once, None, u32::wrapping_add));
    agree!("in reverse", |e| e.collect(source().reverse()), once.iter().rev().copied().collect::<Vec<_>>());
    agree!("every third", |e| e.collect(source().step_by(3)), once.iter().step_by(3).copied().collect::<Vec<_>>());
    agree!("skipped", |e| e.collect(source().skip(5).take(700)), &once[5..705]);
    agree!(
        "its own neighbours",
        |e| e.collect(source().beside(-1)),
        once.iter().take(1).chain(&once[..h * w - 1]).copied().collect::<Vec<_>>()
    );
    agree!(
        "zipped",
        |e| e.map(zip(source(), &x), kernel!(|a: u32, b: u32| a - b)),
        once.iter().zip(&x).map(|(a, b)| a.wrapping_sub(*b)).collect::<Vec<_>>()
    );
    let places: Vec<u32> = (0..500).map(|i| i * 7919 % (h * w) as u32).chain([u32::MAX]).collect();
    let picked: Vec<u32> = places.iter().map(|&i| once[(i as usize).min(h * w - 1)]).collect();
    agree!("gathered", |e| e.collect(gather(source(), &places)), picked);

    // A grid over what is computed, and a stencil of a stencil.
    let halves = Grid::new((&x).map(kernel!(|x: u32| x / 2)), [h, w]).unwrap();
    let halved = oracle::map(&x, |x| x / 2);
    agree!(
        "over a map",
        |e| e.collect(halves.stencil(Clamp, three::with())),
        stencil(&halved, [1, h, w], Mode::Clamp, plain_three)
    );
    let twice = Grid::new(source(), [h, w]).unwrap().stencil(Reflect, three::with());
    agree!("twice", |e| e.collect(twice), stencil(&once, [1, h, w], Mode::Reflect, plain_three));
    let pairs = Grid::new(zip(&x, iota(0..(h * w) as u32)), [h, w]).unwrap();
    let ahead = kernel!(|w: Window<(u32, u32), 2>| w.at(0, 1).0 + w.at(1, 0).1);
    let numbers: Vec<u32> = (0..(h * w) as u32).collect();
    let want: Vec<u32> = stencil(&x, [1, h, w], Mode::Clamp, |at| at(0, 0, 1))
        .iter()
        .zip(stencil(&numbers, [1, h, w], Mode::Clamp, |at| at(0, 1, 0)))
        .map(|(a, b)| a.wrapping_add(b))
        .collect();
    agree!("of pairs", |e| e.collect(pairs.stencil(Clamp, ahead)), want);
}

/// The difference along rows, read through another kernel's window.
#[kernel]
fn across(w: Window<f32, 2>) -> f32 {
    0.5 * (w.at(0, 1) - w.at(0, -1))
}

/// Branches, a uniform, a table and an early return.
#[kernel]
fn limited(w: Window<f32, 2>, #[uniform] most: f32, table: &[f32]) -> f32 {
    let mut slope = across(w).abs();
    if slope > most {
        return most;
    }
    if w.at(0, 0) < 0.0 {
        slope += table[1];
    }
    slope
}

#[test]
fn kernels_of_windows_have_the_whole_language() {
    let (h, w) = (37, 53);
    let x: Vec<f32> = (0..h * w).map(|i| (i * 7919 % 1009) as f32 / 8.0 - 60.0).collect();
    let table = [0.0, 0.25];
    let want: Vec<f32> = (0..h * w)
        .map(|i| {
            let (row, column) = (i / w * w, i % w);
            let slope = (0.5 * (x[row + (column + 1).min(w - 1)] - x[row + column.saturating_sub(1)])).abs();
            if slope > 30.0 { 30.0 } else { slope + if x[i] < 0.0 { 0.25 } else { 0.0 } }
        })
        .collect();
    let grid = Grid::new(&x, [h, w]).unwrap();
    agree!("limited", |e| e.collect(grid.stencil(Clamp, limited::with(30.0, &table))), want);
    let plane = |[y, x]: [i32; 2]| (3 * x + y) as f32;
    assert_eq!((across(Window::new(&plane)), limited(Window::new(&plane), 2.0, &table)), (3.0, 2.0), "the plain functions");
}

/// What many steps take is predicted to be that of one so many times, and they need no more memory than two.
#[test]
fn many_steps_are_planned() {
    let builder = Engine::builder().no_cache().frozen();
    #[cfg(feature = "gpu")]
    let builder = builder.no_gpu();
    let engine = builder.build().unwrap();
    let cells = vec![0.0_f32; 512 * 512];
    let grid = Grid::new(&cells, [512, 512]).unwrap();
    let predicted = |steps: usize| {
        let plan = engine.iterate(grid.stencil(Torus, kernel!(|w: Window<f32, 2>| w.at(0, 1))), steps).plan().unwrap();
        plan.predicted().unwrap()
    };
    let (one, many) = (predicted(1), predicted(1000));
    let ratio = many.total / one.total;
    assert!((500.0..1100.0).contains(&ratio), "{ratio} times as long: {many:?} and {one:?}");

    let mut problem =
        engine.iterate(grid.stencil(Torus, kernel!(|w: Window<f32, 2>| w.at(0, 1))), 1_000_000).explain().unwrap().problem;
    assert_eq!((problem.steps, problem.result_bytes()), (1_000_000, 1048576.0));
    problem.pinned = Some(Backend::Gpu);
    let gpu = GpuInfo {
        asked_for: true,
        name: "one that is described".into(),
        api: "none".into(),
        kind: GpuKind::Discrete,
        driver: String::new(),
        vendor: 0,
        device: 0,
        max_binding_bytes: 1 << 27,
        max_buffer_bytes: 1 << 28,
        max_storage_bindings: 8,
        int64: false,
        float64: false,
        subgroups: true,
        ieee_f32: true,
        rates: GpuRates::prior(GpuKind::Discrete),
    };
    let machine = Machine { gpus: Gpus::Present(vec![gpu]), ..engine.machine().clone() };
    let choice = choose(&problem, &machine);
    assert!(choice.is_ok() || cfg!(not(feature = "gpu")), "{choice:?}");
}
