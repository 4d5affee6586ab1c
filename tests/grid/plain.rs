//! Stencils by plain index arithmetic.
#![allow(dead_code, reason = "each test binary uses its part")]

use crate::oracle::Random;

/// The boundaries, told again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Fixed,
    Clamp,
    Reflect,
    Torus,
}

/// What stands outside of a grid with a constant there.
pub(crate) const OUTSIDE: u32 = 77;

/// The place that is read for place `p` of `n`, one step at a time.
fn place(mode: Mode, mut p: i64, n: i64) -> Option<i64> {
    while p < 0 || p >= n {
        p = match mode {
            Mode::Fixed => return None,
            Mode::Clamp => p.clamp(0, n - 1),
            Mode::Reflect if n == 1 => 0,
            Mode::Reflect if p < 0 => -p,
            Mode::Reflect => 2 * (n - 1) - p,
            Mode::Torus if p < 0 => p + n,
            Mode::Torus => p - n,
        };
    }
    Some(p)
}

/// The grid's element at a place of three axes, each of which may lie outside.
fn read(x: &[u32], shape: [usize; 3], at: [i64; 3], mode: Mode) -> u32 {
    let mut i = 0;
    for axis in 0..3 {
        let Some(p) = place(mode, at[axis], shape[axis] as i64) else { return OUTSIDE };
        i = i * shape[axis] + p as usize;
    }
    x[i]
}

/// `f(neighbour)` of every element; fewer axes are the last of three.
pub(crate) fn stencil(x: &[u32], shape: [usize; 3], mode: Mode, f: impl Fn(&dyn Fn(i64, i64, i64) -> u32) -> u32) -> Vec<u32> {
    let mut out = Vec::with_capacity(x.len());
    for z in 0..shape[0] as i64 {
        for y in 0..shape[1] as i64 {
            for x_ in 0..shape[2] as i64 {
                out.push(f(&|dz, dy, dx| read(x, shape, [z + dz, y + dy, x_ + dx], mode)));
            }
        }
    }
    out
}

pub(crate) fn data(n: usize) -> Vec<u32> {
    Random(n as u64).of::<u32>(n).into_iter().map(|x| x >> 8).collect()
}
