use granule::prelude::*;

#[kernel]
fn f(x: [f32; 3]) -> f32 {
    x[0]
}

fn main() {}
