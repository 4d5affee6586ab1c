use granule::prelude::*;

#[kernel]
fn f(x: f32, data: &[f32]) -> f32 {
    data[0] = x;
    x
}

fn main() {}
