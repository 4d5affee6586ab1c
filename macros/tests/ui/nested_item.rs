use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    fn g() {}
    x
}

fn main() {}
