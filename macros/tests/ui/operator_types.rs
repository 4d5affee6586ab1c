use granule::prelude::*;

#[operator(identity = 0.0)]
fn f(a: f32, b: u32) -> f32 {
    a + b as f32
}

fn main() {}
