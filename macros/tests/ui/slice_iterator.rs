use granule::prelude::*;

#[kernel]
fn f(x: f32, data: &[f32]) -> f32 {
    data.iter().sum::<f32>() + x
}

fn main() {}
