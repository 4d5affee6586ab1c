//! Sources: what each reads, alone and nested; on every backend, against plain iterators.

mod backends;
mod oracle;

use granule::kernel;
use granule::prelude::*;

use oracle::{FEW, LENGTHS, Random};

#[test]
fn counting() {
    for n in FEW {
        let n = n as u32;
        agree!("u32", |e| e.collect(iota(5..5 + n)), (5..5 + n).collect::<Vec<_>>());
        agree!("i32", |e| e.collect(iota(-7..n as i32 - 7)), (-7..n as i32 - 7).collect::<Vec<_>>());
        agree!(
            "u64",
            |e| e.collect(iota((1 << 40)..(1_u64 << 40) + u64::from(n))),
            (0..n).map(|i| (1 << 40) + u64::from(i)).collect::<Vec<u64>>()
        );
        agree!(
            "i64",
            |e| e.collect(iota((-1 << 40)..(-1_i64 << 40) + i64::from(n))),
            (0..n).map(|i| (-1 << 40) + i64::from(i)).collect::<Vec<i64>>()
        );
        agree!("f32", |e| e.collect(iota(0.5..n as f32 + 0.5)), (0..n).map(|i| 0.5 + i as f32).collect::<Vec<_>>());
        agree!("f64", |e| e.collect(iota(-0.5..f64::from(n) - 0.5)), (0..n).map(|i| f64::from(i) - 0.5).collect::<Vec<_>>());
    }
    agree!("the edge of u32", |e| e.collect(iota(u32::MAX - 5..u32::MAX)), (u32::MAX - 5..u32::MAX).collect::<Vec<_>>());
    agree!("the edge of i32", |e| e.collect(iota(i32::MIN..i32::MIN + 9)), (i32::MIN..i32::MIN + 9).collect::<Vec<_>>());
    // All numbers below the end, also if that lies between two.
    agree!("broken end", |e| e.collect(iota(0.0..2.5_f32)), [0.0, 1.0, 2.0]);
    agree!("less than one", |e| e.collect(iota(0.25..0.75_f64)), [0.25]);
    let (from, to) = (9, 3);
    agree!("backwards", |e| e.collect(iota(from..to)), [0_i32; 0]);
    agree!("not a number", |e| e.collect(iota(f32::NAN..3.0)), [0.0_f32; 0]);
}

#[test]
fn zips() {
    for n in FEW {
        let (a, b): (Vec<u32>, Vec<f32>) = (Random(1).of(n), Random(2).of(n));
        let (c, d): (Vec<i32>, Vec<bool>) = (Random(3).of(n), (0..n).map(|i| i % 3 == 1).collect());
        let of = |i: usize| (a[i], b[i], c[i], d[i]);
        agree!("two", |e| e.collect(zip(&a, &b)), (0..n).map(|i| (of(i).0, of(i).1)).collect::<Vec<_>>());
        agree!("three", |e| e.collect(zip3(&a, &b, &c)), (0..n).map(|i| (a[i], b[i], c[i])).collect::<Vec<_>>());
        agree!("four", |e| e.collect(zip4(&a, &b, &c, &d)), (0..n).map(of).collect::<Vec<_>>());
        agree!(
            "five, one of them constant",
            |e| e.collect(zip5(&a, &b, &c, &d, constant(2.5_f32))),
            (0..n).map(|i| (a[i], b[i], c[i], d[i], 2.5)).collect::<Vec<_>>()
        );
        agree!(
            "six, and the same slice twice",
            |e| e.collect(zip6(&a, &b, &c, &d, iota(0..n as u32), &a)),
            (0..n).map(|i| (a[i], b[i], c[i], d[i], i as u32, a[i])).collect::<Vec<_>>()
        );
        let nested: Vec<((u32, f32), (i32, u32))> = (0..n).map(|i| ((a[i], b[i]), (c[i], a[i]))).collect();
        agree!("nested", |e| e.collect(zip(zip(&a, &b), zip(&c, &a))), nested);
    }
}

#[test]
fn maps_nest_and_fuse() {
    for n in LENGTHS {
        let x: Vec<u32> = Random(n as u64).of(n);
        let (low, k) = (kernel!(|x: u32| x & 0xFFFF), 7_u32);
        let source = || (&x).map(low).map(kernel!([k: u32] |x: u32| (x * k, x))).map(kernel!(|a: u32, b: u32| a + b));
        let want = oracle::map(&x, |x| (x & 0xFFFF) * 8);
        agree!(format!("three maps of {n}"), |e| e.collect(source()), want);
        agree_one!(format!("sum of three maps of {n}"), |e| e.reduce(source(), Sum), oracle::reduce(&want, 0, u32::wrapping_add));
    }
}

#[test]
fn orders() {
    for n in FEW.into_iter().chain([2, 7, 70_001]) {
        let x: Vec<u32> = Random(n as u64).of(n);
        let vec = |i: &mut dyn Iterator<Item = &u32>| i.copied().collect::<Vec<_>>();
        let label = |what: &str| format!("{what} of {n}");
        agree!(label("reverse"), |e| e.collect((&x).reverse()), vec(&mut x.iter().rev()));
        agree!(label("reverse twice"), |e| e.collect((&x).reverse().reverse()), x);
        for by in [0, 1, 5, 64, n / 2, n, n + 3] {
            let label = |what: &str| format!("{what} {by} of {n}");
            agree!(label("skip"), |e| e.collect((&x).skip(by)), vec(&mut x.iter().skip(by)));
            agree!(label("take"), |e| e.collect((&x).take(by)), vec(&mut x.iter().take(by)));
            agree!(label("skip of reverse"), |e| e.collect((&x).reverse().skip(by)), vec(&mut x.iter().rev().skip(by)));
            agree!(label("reverse of take"), |e| e.collect((&x).take(by).reverse()), vec(&mut x.iter().take(by).rev()));
        }
        for step in [1, 2, 3, 64, 1000] {
            let label = |what: &str| format!("{what} {step} of {n}");
            agree!(label("step"), |e| e.collect((&x).step_by(step)), vec(&mut x.iter().step_by(step)));
            agree!(
                label("skip of reverse of step"),
                |e| e.collect((&x).step_by(step).reverse().skip(2)),
                vec(&mut x.iter().step_by(step).collect::<Vec<_>>().into_iter().rev().skip(2))
            );
            agree!(
                label("step of skip of reverse, taken"),
                |e| e.collect((&x).reverse().skip(3).step_by(step).take(100)),
                vec(&mut x.iter().rev().skip(3).step_by(step).take(100))
            );
            let want = oracle::reduce(&vec(&mut x.iter().rev().skip(1).step_by(step)), 0, u32::wrapping_add);
            agree_one!(label("sum of a step"), |e| e.reduce((&x).reverse().skip(1).step_by(step), Sum), want);
        }
        let want: Vec<(u32, u32)> = x.iter().copied().zip(x.iter().rev().copied()).collect();
        agree!(label("both ways at once"), |e| e.collect(zip(&x, (&x).reverse())), want);
        if n > 2 {
            let want: Vec<u32> = x.windows(3).map(|w| w[0].wrapping_sub(w[1]).wrapping_add(w[2])).collect();
            let stencil = || zip3((&x).take(n - 2), (&x).skip(1).take(n - 2), (&x).skip(2));
            agree!(label("stencil"), |e| e.map(stencil(), kernel!(|a: u32, b: u32, c: u32| a - b + c)), want);
        }
    }
    agree!("constants have an end once taken", |e| e.collect(constant(4_u32).skip(3).take(5)), [4; 5]);
}

#[test]
fn gathers() {
    let table: Vec<u32> = Random(4).of(1000);
    for n in FEW {
        let i: Vec<u32> = Random(n as u64).of::<u32>(n).into_iter().map(|x| x % 1000).collect();
        let want = oracle::map(&i, |i| table[i as usize]);
        agree!(format!("gather of {n}"), |e| e.collect(gather(&table, &i)), want);
        let twice = oracle::map(&i, |i| table[table[i as usize] as usize % 1000]);
        let index = kernel!(|x: u32| x % 1000);
        agree!(format!("gather of a gather, {n}"), |e| e.collect(gather(&table, gather(&table, &i).map(index))), twice);
        let pairs = oracle::map(&i, |i| (table[999 - i as usize], i));
        agree!(format!("gather of a zip, {n}"), |e| e.collect(gather(zip((&table).reverse(), iota(0..1000_u32)), &i)), pairs);
        let inner: Vec<u32> = i.iter().rev().map(|&i| table[i as usize]).collect();
        let reversed = || gather(gather(&table, &i), iota(0..n as u32).reverse());
        agree!(format!("gather of a gather as a source, {n}"), |e| e.collect(reversed()), inner);
        agree_one!(
            format!("sum of a gather, {n}"),
            |e| e.reduce(gather(&table, &i), Sum),
            oracle::reduce(&want, 0, u32::wrapping_add)
        );
    }
}

/// An index out of range reads the last element of the source that is gathered from, whatever it is made of.
#[test]
fn gathers_out_of_range() {
    let x: Vec<u32> = (100..150).collect();
    let i = [0, 3, 9, 10, 11, 12, 13, 30, 49, 50, 51, 1 << 16, 1 << 30, 1 << 31, u32::MAX - 1, u32::MAX];
    let from = |elements: Vec<u32>| oracle::map(&i, |i| elements[(i as usize).min(elements.len() - 1)]);
    agree!("slice", |e| e.collect(gather(&x, &i)), from(x.clone()));
    agree!("reverse", |e| e.collect(gather((&x).reverse(), &i)), from(x.iter().rev().copied().collect()));
    agree!("skip", |e| e.collect(gather((&x).skip(3), &i)), from(x[3..].to_vec()));
    agree!("take", |e| e.collect(gather((&x).take(12), &i)), from(x[..12].to_vec()));
    agree!("step", |e| e.collect(gather((&x).step_by(4), &i)), from(x.iter().copied().step_by(4).collect()));
    agree!(
        "skip of reverse of step",
        |e| e.collect(gather((&x).step_by(4).reverse().skip(1), &i)),
        from(x.iter().copied().step_by(4).rev().skip(1).collect())
    );
    agree!("iota", |e| e.collect(gather(iota(7..20_u32), &i)), from((7..20).collect()));
    agree!(
        "map",
        |e| e.collect(gather(iota(7..20_u32).map(kernel!(|x: u32| x * 2)), &i)),
        from((7..20).map(|x| x * 2).collect())
    );
    agree!("gather", |e| e.collect(gather(gather(&x, &[5_u32, 60, 8]), &i)), from(vec![105, 149, 108]));
    agree!("constant", |e| e.collect(gather(constant(3_u32), &i)), [3; 16]);
    agree!("empty", |e| e.collect(gather(&x[..0], &i)), [0; 16]);
    // In a kernel: the index is the kernel's own.
    agree!("kernel", |e| e.map(&i, kernel!([x: &[u32] = &x] |i: u32| x[i as usize])), from(x.clone()));
    agree!(
        "kernel, uniform index",
        |e| e.map(iota(0..3_u32), kernel!([x: &[u32] = &x, k: u32 = 77] |i: u32| x[k as usize] + i)),
        [149, 150, 151]
    );
}

#[test]
fn errors() {
    let (x, y) = (vec![1_u32; 5], vec![1_u32; 6]);
    for runner in backends::all() {
        let e = &runner.engine;
        let mismatch = Error::LengthMismatch { left: 5, right: 6 };
        let add = kernel!(|a: u32, b: u32| a + b);
        assert_eq!(e.map(zip(&x, &y), add).with_plan(&runner.plan).run().err(), Some(mismatch.clone()), "{}", runner.name);
        assert_eq!(e.reduce(zip(&x, &y).map(add), Sum).with_plan(&runner.plan).run().err(), Some(mismatch.clone()));
        assert_eq!(e.scan(gather(zip(&x, &y).map(add), &x), Sum).with_plan(&runner.plan).run().err(), Some(mismatch));
        let unbounded = Some(Error::Unbounded);
        assert_eq!(e.collect(constant(1_u32)).with_plan(&runner.plan).run().err(), unbounded);
        assert_eq!(e.reduce(zip(constant(1_u32), constant(2_u32)).map(add), Sum).with_plan(&runner.plan).run().err(), unbounded);
        assert_eq!(e.scan(constant(1_u32).skip(2).step_by(3), Sum).with_plan(&runner.plan).run().err(), unbounded);
        assert_eq!(e.collect(constant(1_u32).reverse().take(3)).with_plan(&runner.plan).run().err(), unbounded);
        let foreign = Engine::builder().no_cache().build().unwrap().array(&x);
        assert_eq!(e.reduce(&foreign, Sum).with_plan(&runner.plan).run().err(), Some(Error::ForeignArray));
    }
}
