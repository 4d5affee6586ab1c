use granule::prelude::*;

#[kernel]
fn f(x: f32, y: f32) -> f32 {
    y += 1.0;
    y
}

fn main() {}
