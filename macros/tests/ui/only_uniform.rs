use granule::prelude::*;

#[kernel]
fn f(#[uniform] x: f32) -> f32 {
    x
}

fn main() {}
