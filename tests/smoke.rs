//! One call of each primitive on the GPU, against plain iterators.

use granule::kernel;
use granule::prelude::*;
#[kernel]
fn saxpy(x: f32, y: f32, #[uniform] a: f32) -> f32 {
    a * x + y
}
#[kernel]
fn mandel(i: u32, #[uniform] w: u32, #[uniform] limit: u32) -> u32 {
    let cx = (i % w) as f32 / w as f32 * 3.0 - 2.0;
    let cy = (i / w) as f32 / w as f32 * 2.0 - 1.0;
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
#[test]
fn smoke() {
    let e = Engine::new().unwrap();
    for n in [1usize, 2, 3, 4, 5, 31, 127, 128, 129, 1023, 1025, 4095, 4096, 4097, 100_003, 300_000] {
        let x: Vec<f32> = (0..n).map(|i| ((i * 7919) % 1000) as f32 * 0.1 - 50.0).collect();
        let u: Vec<u32> = (0..n as u32).map(|i| i.wrapping_mul(2654435761)).collect();
        let b = Backend::Gpu;
        let z = e.map(zip(&x, &x), saxpy::with(2.5)).on(b).run().unwrap();
        assert!(z.as_slice().unwrap() == x.iter().map(|&x| saxpy(x, x, 2.5)).collect::<Vec<_>>(), "{n}");
        let z = e.map(iota(0..n as u32), mandel::with(100, 50)).on(b).run().unwrap();
        let bad = z.as_slice().unwrap().iter().enumerate().filter(|&(i, &v)| v != mandel(i as u32, 100, 50)).count();
        assert!(bad * 1000 <= n, "{bad}");
        let z = e.map(iota(0..n as u32), mandel::with(100, 50)).on(Backend::Simd).run().unwrap();
        assert!(z.as_slice().unwrap() == (0..n as u32).map(|i| mandel(i, 100, 50)).collect::<Vec<_>>(), "{n}");
        let s = e.reduce(&u, Sum).on(b).run().unwrap();
        assert_eq!(s, u.iter().fold(0u32, |a, &b| a.wrapping_add(b)), "{n}");
        let f = e.reduce(&x, Sum).on(b).run().unwrap();
        let f1 = e.reduce(&x, Sum).on(Backend::Simd).run().unwrap();
        assert_eq!(f.to_bits(), f1.to_bits(), "{n}");
        let am = e.reduce(zip(&x, iota(0..n as u32)), ArgMax).on(b).run().unwrap();
        let want = x.iter().enumerate().fold((f32::NEG_INFINITY, u32::MAX), |a, (i, &v)| if v > a.0 { (v, i as u32) } else { a });
        assert_eq!(am, want);
        let sc = e.scan(&u, Sum).on(b).run().unwrap();
        let mut acc = 0u32;
        let want: Vec<u32> = u
            .iter()
            .map(|&v| {
                acc = acc.wrapping_add(v);
                acc
            })
            .collect();
        assert!(sc.as_slice().unwrap() == want, "{n}");
        let sc = e.scan(&u, Sum).exclusive().init(5).on(b).run().unwrap();
        let mut acc = 5u32;
        let want: Vec<u32> = u
            .iter()
            .map(|&v| {
                let r = acc;
                acc = acc.wrapping_add(v);
                r
            })
            .collect();
        assert!(sc.as_slice().unwrap() == want, "{n}");
        let r = e.collect(zip(&x, iota(0..n as u32)).reverse()).on(b).run().unwrap();
        let want: Vec<(f32, u32)> = x.iter().copied().zip(0..n as u32).rev().collect();
        assert!(r.as_slice().unwrap() == want, "{n}");
        let m = e.reduce((&x).map(kernel!(|v: f32| v * v)), Max).on(b).run().unwrap();
        assert_eq!(m, x.iter().map(|v| v * v).fold(0.0, f32::max));
    }
    println!("{}", e.reduce(&vec![1.0f32; 1 << 22], Sum).explain().unwrap());
    println!("{:?}", e.machine());
}
