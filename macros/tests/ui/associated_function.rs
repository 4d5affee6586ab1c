use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    Vec::with_capacity(x)
}

fn main() {}
