//! Pairs of vectors: what crosses between the halves.

use std::mem::MaybeUninit;

use granule::array::Data;
use granule::backend::simd::{Level, Pair, SimdLevel, Span, ViewMut, WithLevel, dispatch};
use granule::element::Scalar;

const MOST: usize = 32;

struct Check;
impl WithLevel for Check {
    type Out = ();
    #[inline(always)]
    fn run<L: Level>(self, l: L) {
        check::<Pair<L>, u32>(Pair(l), |i| i as u32);
        check::<Pair<L>, f64>(Pair(l), |i| i as f64);
        check::<Pair<L>, bool>(Pair(l), |i| i % 3 == 0);
    }
}

fn check<P: Level, S: Scalar>(l: P, value: fn(usize) -> S) {
    assert!(P::WIDTH <= MOST);
    let source: Vec<S> = (0..100).map(value).collect();
    let s = l.slice(Data::from(&source));
    for count in 1..=P::WIDTH {
        for (base, stride) in [(0, 1), (3, 1), (99, -1), (1, 2), (7, 0)] {
            let span = Span { base, stride, count };
            let x = S::load(l, s, span);
            let index = l.index_u32(span);
            for lane in 0..P::WIDTH {
                assert_eq!(S::extract(l, x, lane), source[span.element(lane)], "{span:?}, lane {lane}");
                assert_eq!(<u32 as Scalar>::extract(l, index, lane) as usize, span.element(lane));
                assert_eq!(<bool as Scalar>::extract(l, l.first(count), lane), lane < count);
            }
            if stride != 0 {
                let mut out = [None; 100];
                let mut raw = vec![MaybeUninit::new(S::ZERO); 100];
                S::store(l, x, ViewMut::new(&mut raw), span);
                for lane in 0..count {
                    out[span.element(lane)] = Some(source[span.element(lane)]);
                }
                for (i, want) in out.iter().enumerate() {
                    // SAFETY: initialised above.
                    assert_eq!(unsafe { raw[i].assume_init() }, want.unwrap_or(S::ZERO), "{span:?}, element {i}");
                }
            }
        }
    }
    let x = S::load(l, s, Span::new(0, P::WIDTH));
    macro_rules! slides {
        ($($n:literal)+) => {$(
            if $n < P::WIDTH {
                let (down, up) = (S::slide_down::<P, $n>(l, x), S::slide_up::<P, $n>(l, x));
                for lane in $n..P::WIDTH {
                    assert_eq!(S::extract(l, down, lane - $n), source[lane], "down {}, lane {lane}", $n);
                    assert_eq!(S::extract(l, up, lane), source[lane - $n], "up {}, lane {lane}", $n);
                }
            }
        )+};
    }
    slides!(1 2 4 8 16);
}

#[test]
fn halves_make_a_whole() {
    for level in SimdLevel::available() {
        dispatch(level, Check);
    }
}
