use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    let _r = 0..3;
    x
}

fn main() {}
