//! Memory that results give back, and that the next results take.

use granule::plan::Plan;
use granule::prelude::*;
use granule::{Array, EngineBuilder, kernel};

fn engine() -> EngineBuilder {
    let builder = Engine::builder().no_cache().workers(4);
    #[cfg(feature = "gpu")]
    let builder = builder.no_gpu();
    builder
}

/// Threads by a plan: a machine with one core offers none by itself.
fn threads() -> Plan {
    "granule plan 2\nchoice backend=threads workers=4 grain=4096 gpu=0".parse().unwrap()
}

const N: usize = 200_003;

#[test]
fn results_in_used_memory_are_those_in_new_memory() {
    let x: Vec<u32> = (0..N as u32).map(|i| i.wrapping_mul(2_654_435_761)).collect();
    let (keeps, plain) = (engine().build().unwrap(), engine().keep_memory(0).build().unwrap());
    let all = |e: &Engine| -> (Vec<u32>, Vec<f32>, Vec<u32>, Vec<u32>, Vec<u64>, Vec<u32>) {
        let vec = |a: Array<u32>| a.to_vec().unwrap();
        let (keys, sums) =
            e.reduce_by_key(x.map(kernel!(|x: u32| -> u32 { x >> 29 })), &x, Sum).with_plan(&threads()).run().unwrap();
        (
            vec(e.sort(&x).with_plan(&threads()).run().unwrap()),
            e.map(&x, kernel!(|x: u32| -> f32 { x as f32 * 0.5 })).run().unwrap().to_vec().unwrap(),
            vec(e.filter(&x, kernel!(|x: u32| -> bool { x % 9 == 0 })).with_plan(&threads()).run().unwrap()),
            vec(keys),
            e.scan(x.map(kernel!(|x: u32| -> u64 { x as u64 })), Sum).with_plan(&threads()).run().unwrap().to_vec().unwrap(),
            vec(sums),
        )
    };
    let expected = all(&plain);
    for _ in 0..3 {
        assert!(all(&keeps) == expected);
    }
    assert_eq!(plain.release_memory(), 0);
    assert!(keeps.release_memory() >= 4 * N);
    assert_eq!(keeps.release_memory(), 0);
}

#[test]
fn only_what_nobody_has_is_kept() {
    let engine = engine().build().unwrap();
    let x = vec![1_u32; N];
    let run = || engine.map(&x, kernel!(|x: u32| -> u32 { x + 1 })).run().unwrap();
    let (first, second) = (run(), run());
    assert_eq!(engine.release_memory(), 0);
    // The vector is the program's now.
    let vec = first.into_vec().unwrap();
    assert_eq!((vec.len(), engine.release_memory()), (N, 0));
    drop(vec);
    assert_eq!(engine.release_memory(), 0);
    // So is what it has brought along.
    drop(engine.array_from_vec(vec![0_u32; 1 << 20]));
    assert_eq!(engine.release_memory(), 0);
    drop(second);
    assert_eq!(engine.release_memory(), 4 * N);
}

#[test]
fn the_limit_is_the_builders() {
    let engine = engine().keep_memory(1 << 20).build().unwrap();
    let x = vec![1_u32; N];
    let results: Vec<_> = (0..4).map(|_| engine.map(&x, kernel!(|x: u32| -> u32 { x + 1 })).run().unwrap()).collect();
    drop(results);
    assert_eq!(engine.release_memory(), 4 * N, "one of {} bytes is below the limit, two are not", 4 * N);
    drop(engine.map(iota(0..1 << 20), kernel!(|i: u32| -> u32 { i })).run().unwrap());
    assert_eq!(engine.release_memory(), 0);
}

#[test]
fn memory_survives_its_engine() {
    let engine = engine().build().unwrap();
    let y = engine.map(iota(0..N as u32), kernel!(|i: u32| -> u32 { i ^ 1 })).run().unwrap();
    drop(engine);
    assert!(y.as_slice().unwrap().iter().zip(0..).all(|(&y, i)| y == i ^ 1));
}
