use granule::prelude::*;

#[operator(identity = 0.0)]
fn f(a: f32) -> f32 {
    a
}

fn main() {}
