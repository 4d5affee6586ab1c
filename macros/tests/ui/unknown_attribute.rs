use granule::prelude::*;

#[kernel]
fn f(#[varying] x: f32) -> f32 {
    x
}

fn main() {}
