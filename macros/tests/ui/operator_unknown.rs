use granule::prelude::*;

#[operator(identity = 0.0, fast)]
fn f(a: f32, b: f32) -> f32 {
    a + b
}

fn main() {}
