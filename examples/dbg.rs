use granule::backend::simd::{Level, SimdLevel, WithLevel, dispatch};
use granule::element::Scalar;
use granule::kernel::{ops, Varying};
struct T;
impl WithLevel for T { type Out = (); #[inline(always)] fn run<L: Level>(self, l: L) {
  for x in [0.125f32, 1.0, 2.0, 3.0, 0.7, 10.0] {
    let v: Varying<L, f32> = ops::lit(l, x);
    let g = |y: Varying<L, f32>| f32::extract(l, y.0, 0);
    println!("{x}: ln {} {}  exp {} {} sin {} {} cos {} {} tan {} {} tanh {} {} atan {} {} pow {} {}", g(ops::ln(l, v)), x.ln(), g(ops::exp(l, v)), x.exp(), g(ops::sin(l,v)), x.sin(), g(ops::cos(l,v)), x.cos(), g(ops::tan(l,v)), x.tan(), g(ops::tanh(l,v)), x.tanh(), g(ops::atan(l,v)), x.atan(), g(ops::powf(l,v,v)), x.powf(x));
  } } }
fn main() { for l in SimdLevel::available() { println!("{l}"); dispatch(l, T); } }
