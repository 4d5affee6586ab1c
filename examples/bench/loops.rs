//! Hand-written loops: the best plain code for copy, triad and sum that fits on a page. They measure the machine, and set the
//! mark for the library; nobody should have to write them.
//!
//! The library keeps its `unsafe` in its backends. These loops are the one exception among the examples: a measure of the machine
//! that used the library would measure the library.

/// From this many elements on the loops are measured: below, the caches decide, and the peers say enough.
pub(crate) const FROM: usize = 1 << 22;

/// `out = x`, as the standard library does it.
pub(crate) fn copy(x: &[f32], _: &[f32], out: &mut [f32]) {
    out.copy_from_slice(x);
}

/// `out = x`, past the caches.
pub(crate) fn copy_streamed(x: &[f32], _: &[f32], out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    match x86::widest() {
        // SAFETY: this CPU has AVX-512 F.
        x86::Width::Avx512 => return unsafe { x86::avx512::copy(x, out) },
        // SAFETY: this CPU has AVX2.
        x86::Width::Avx2 => return unsafe { x86::avx2::copy(x, out) },
        x86::Width::None => {}
    }
    out.copy_from_slice(x);
}

/// `out = x + scalar * y`.
pub(crate) fn triad(x: &[f32], y: &[f32], out: &mut [f32], scalar: f32) {
    #[cfg(target_arch = "x86_64")]
    match x86::widest() {
        // SAFETY: this CPU has AVX-512 F.
        x86::Width::Avx512 => return unsafe { x86::avx512::triad::<false>(x, y, out, scalar) },
        // SAFETY: this CPU has AVX2.
        x86::Width::Avx2 => return unsafe { x86::avx2::triad::<false>(x, y, out, scalar) },
        x86::Width::None => {}
    }
    plain_triad(x, y, out, scalar);
}

/// `out = x + scalar * y`, past the caches.
pub(crate) fn triad_streamed(x: &[f32], y: &[f32], out: &mut [f32], scalar: f32) {
    #[cfg(target_arch = "x86_64")]
    match x86::widest() {
        // SAFETY: this CPU has AVX-512 F.
        x86::Width::Avx512 => return unsafe { x86::avx512::triad::<true>(x, y, out, scalar) },
        // SAFETY: this CPU has AVX2.
        x86::Width::Avx2 => return unsafe { x86::avx2::triad::<true>(x, y, out, scalar) },
        x86::Width::None => {}
    }
    plain_triad(x, y, out, scalar);
}

/// The sum of all, in whatever order is fastest.
pub(crate) fn sum(x: &[f32]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    match x86::widest() {
        // SAFETY: this CPU has AVX-512 F.
        x86::Width::Avx512 => return unsafe { x86::avx512::sum(x) },
        // SAFETY: this CPU has AVX2.
        x86::Width::Avx2 => return unsafe { x86::avx2::sum(x) },
        x86::Width::None => {}
    }
    // Many independent sums: the compiler keeps them in vectors.
    let (blocks, rest) = x.as_chunks::<32>();
    let mut sums = [0.0; 32];
    for block in blocks {
        for (sum, x) in sums.iter_mut().zip(block) {
            *sum += x;
        }
    }
    sums.iter().chain(rest).sum()
}

/// How many elements are in each of 256 bins: four tables that neighbours take in turn, so that none waits for the one before it.
pub(crate) fn histogram<T: Copy>(x: &[T], out: &mut [u32], bin: impl Fn(T) -> Option<usize>) {
    let mut tables = [[0_u32; 256]; 4];
    let (fours, rest) = x.as_chunks::<4>();
    for four in fours {
        for (table, &x) in tables.iter_mut().zip(four) {
            if let Some(bin) = bin(x) {
                table[bin] += 1;
            }
        }
    }
    rest.iter().filter_map(|&x| bin(x)).for_each(|bin| tables[0][bin] += 1);
    let [a, b, c, d] = &tables;
    out.iter_mut().enumerate().for_each(|(k, out)| *out = a[k] + b[k] + c[k] + d[k]);
}

/// Does a loop on two threads, each on its half: the bound for two threads that start and end together.
pub(crate) fn on_two_threads(x: &[f32], y: &[f32], out: &mut [f32], work: impl Fn(&[f32], &[f32], &mut [f32]) + Sync) {
    let half = (out.len() / 2).next_multiple_of(16).min(out.len());
    let (low, high) = out.split_at_mut(half);
    std::thread::scope(|scope| {
        scope.spawn(|| work(&x[half..], &y[half..], high));
        work(&x[..half], &y[..half], low);
    });
}

/// [`sum`] on two threads.
pub(crate) fn sum_on_two_threads(x: &[f32]) -> f32 {
    let (low, high) = x.split_at(x.len() / 2);
    std::thread::scope(|scope| {
        let high = scope.spawn(|| sum(high));
        sum(low) + high.join().expect("a sum does not panic")
    })
}

/// Eight or more chains of multiplications and additions that do not wait for each other, fused where the CPU has that: their sum, and
/// how many such pairs were done.
pub(crate) fn fma(steps: u32) -> (f32, u64) {
    #[cfg(target_arch = "x86_64")]
    match x86::widest() {
        // SAFETY: this CPU has AVX-512 F.
        x86::Width::Avx512 => return unsafe { x86::avx512::fma(steps) },
        // SAFETY: this CPU has AVX2 and, as was asked for, FMA.
        x86::Width::Avx2 if is_x86_feature_detected!("fma") => return unsafe { x86::avx2::fma(steps) },
        _ => {}
    }
    const LANES: usize = 32;
    let mut sums = [0.0_f32; LANES];
    for _ in 0..steps {
        sums.iter_mut().for_each(|sum| *sum = *sum * 0.999 + 0.001);
    }
    (sums.iter().sum(), u64::from(steps) * LANES as u64)
}

fn plain_triad(x: &[f32], y: &[f32], out: &mut [f32], scalar: f32) {
    for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
        *out = x + scalar * y;
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    /// What these loops are written for.
    pub(super) enum Width {
        Avx512,
        Avx2,
        None,
    }

    /// The widest that this CPU has.
    pub(super) fn widest() -> Width {
        if is_x86_feature_detected!("avx512f") {
            Width::Avx512
        } else if is_x86_feature_detected!("avx2") {
            Width::Avx2
        } else {
            Width::None
        }
    }

    macro_rules! loops {
        ($module:ident, $feature:literal, $fused:literal, $lanes:literal, $load:ident, $store:ident, $stream:ident, $zero:ident, $splat:ident,
         $add:ident, $mul:ident, $fmadd:ident) => {
            pub(super) mod $module {
                use std::arch::x86_64::*;

                const LANES: usize = $lanes;

                /// Elements before the first one that is aligned to a whole vector: streaming stores need that.
                fn head(out: &[f32]) -> usize {
                    out.as_ptr().align_offset(LANES * size_of::<f32>()).min(out.len())
                }

                #[target_feature(enable = $feature)]
                pub(crate) fn copy(x: &[f32], out: &mut [f32]) {
                    assert_eq!(x.len(), out.len());
                    let n = out.len();
                    let head = head(out);
                    out[..head].copy_from_slice(&x[..head]);
                    let mut i = head;
                    while i + LANES <= n {
                        // SAFETY: `i + LANES <= n`, the length of both; `out[i]` is aligned to a vector, since `i - head` is a
                        // multiple of LANES.
                        unsafe { $stream(out.as_mut_ptr().add(i), $load(x.as_ptr().add(i))) };
                        i += LANES;
                    }
                    out[i..].copy_from_slice(&x[i..]);
                    _mm_sfence();
                }

                #[target_feature(enable = $feature)]
                pub(crate) fn triad<const STREAM: bool>(x: &[f32], y: &[f32], out: &mut [f32], scalar: f32) {
                    assert!(x.len() == out.len() && y.len() == out.len());
                    let n = out.len();
                    let head = head(out);
                    super::super::plain_triad(&x[..head], &y[..head], &mut out[..head], scalar);
                    let splat = $splat(scalar);
                    let mut i = head;
                    while i + LANES <= n {
                        // SAFETY: `i + LANES <= n`, the length of all three; `out[i]` is aligned to a vector, since `i - head` is
                        // a multiple of LANES.
                        unsafe {
                            let v = $add($load(x.as_ptr().add(i)), $mul(splat, $load(y.as_ptr().add(i))));
                            if STREAM { $stream(out.as_mut_ptr().add(i), v) } else { $store(out.as_mut_ptr().add(i), v) }
                        }
                        i += LANES;
                    }
                    super::super::plain_triad(&x[i..], &y[i..], &mut out[i..], scalar);
                    _mm_sfence();
                }

                #[target_feature(enable = $fused)]
                pub(crate) fn fma(steps: u32) -> (f32, u64) {
                    const CHAINS: usize = 12;
                    let (a, b) = ($splat(std::hint::black_box(0.999)), $splat(std::hint::black_box(0.001)));
                    let mut sums = [$zero(); CHAINS];
                    for _ in 0..steps {
                        for sum in &mut sums {
                            *sum = $fmadd(*sum, a, b);
                        }
                    }
                    let all = sums.into_iter().fold($zero(), |all, sum| $add(all, sum));
                    let mut lanes = [0.0; LANES];
                    // SAFETY: the array holds exactly one vector.
                    unsafe { $store(lanes.as_mut_ptr(), all) };
                    (lanes.iter().sum(), u64::from(steps) * (CHAINS * LANES) as u64)
                }

                #[target_feature(enable = $feature)]
                pub(crate) fn sum(x: &[f32]) -> f32 {
                    let (blocks, rest) = x.as_chunks::<{ LANES * 8 }>();
                    let mut sums = [$zero(); 8];
                    for block in blocks {
                        for (k, sum) in sums.iter_mut().enumerate() {
                            // SAFETY: a block holds eight vectors, and `k` is below eight.
                            *sum = $add(*sum, unsafe { $load(block.as_ptr().add(k * LANES)) });
                        }
                    }
                    let pairs = [0, 1, 2, 3].map(|k| $add(sums[k], sums[k + 4]));
                    let all = $add($add(pairs[0], pairs[1]), $add(pairs[2], pairs[3]));
                    let mut lanes = [0.0; LANES];
                    // SAFETY: the array holds exactly one vector.
                    unsafe { $store(lanes.as_mut_ptr(), all) };
                    lanes.iter().chain(rest).sum()
                }
            }
        };
    }
    loops!(
        avx512,
        "avx512f",
        "avx512f",
        16,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_stream_ps,
        _mm512_setzero_ps,
        _mm512_set1_ps,
        _mm512_add_ps,
        _mm512_mul_ps,
        _mm512_fmadd_ps
    );
    loops!(
        avx2,
        "avx2",
        "avx2,fma",
        8,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_stream_ps,
        _mm256_setzero_ps,
        _mm256_set1_ps,
        _mm256_add_ps,
        _mm256_mul_ps,
        _mm256_fmadd_ps
    );
}
