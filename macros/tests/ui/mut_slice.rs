use granule::prelude::*;

#[kernel]
fn f(x: f32, data: &mut [f32]) -> f32 {
    x
}

fn main() {}
