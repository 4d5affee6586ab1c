use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    let (0.0 | _) = x;
    x
}

fn main() {}
