use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    x * gain
}

fn main() {}
