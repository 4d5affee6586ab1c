use granule::prelude::*;

#[kernel]
fn f(x: f32, data: &[f32]) -> f32 {
    let d = data;
    d[0] + x
}

fn main() {}
