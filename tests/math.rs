//! The accuracy of the vector maths: every level against std in `f64`, over all exponents and where each function is used; special
//! values exactly.

use std::mem::MaybeUninit;

use granule::backend::simd::{Level, Span, View, ViewMut};
use granule::element::{Float, Scalar};
use granule::kernel::{Varying, ops};

/// A function of one or two arguments (the first is ignored by functions of one).
trait Function: Copy {
    fn lanes<L: Level, T: Float>(l: L, x: Varying<L, T>, y: Varying<L, T>) -> Varying<L, T>;
    fn scalar<T: Float>(x: T, y: T) -> T;
}

macro_rules! functions {
    ($($f:ident($($a:ident),+))+) => {
        #[allow(non_camel_case_types)]
        mod function {
            use super::*;
            $(
                #[derive(Clone, Copy)]
                pub struct $f;
                impl Function for $f {
                    #[inline(always)]
                    #[allow(unused_variables)]
                    fn lanes<L: Level, T: Float>(l: L, x: Varying<L, T>, y: Varying<L, T>) -> Varying<L, T> {
                        ops::$f(l, $($a),+)
                    }
                    #[allow(unused_variables)]
                    fn scalar<T: Float>(x: T, y: T) -> T {
                        functions!(@call $f $($a)+)
                    }
                }
            )+
        }
    };
    (@call $f:ident $x:ident) => { Float::$f($x) };
    (@call $f:ident $x:ident $y:ident) => { Float::$f($x, $y) };
}
functions! {
    exp(x) exp2(x) ln(x) log2(x) log10(x) sin(x) cos(x) tan(x) tanh(x) atan(x) atan2(x, y) powf(x, y)
    sqrt(x) floor(x) ceil(x) trunc(x) round(x) copysign(x, y)
}

#[inline(always)]
fn evaluate<F: Function, T: Float, L: Level>(l: L, x: &[T], y: &[T], out: &mut [MaybeUninit<T>]) {
    let (x, y, out) = (View::new(x), View::new(y), ViewMut::new(out));
    let mut i = 0;
    while i < x.len() {
        let span = Span::new(i, (x.len() - i).min(L::WIDTH));
        let r = F::lanes::<L, T>(l, Varying(T::load(l, view(l, x), span)), Varying(T::load(l, view(l, y), span)));
        <T as Scalar>::store(l, r.0, out, span);
        i += L::WIDTH;
    }
}
