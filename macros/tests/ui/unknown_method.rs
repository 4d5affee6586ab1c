use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    x.sinh()
}

fn main() {}
