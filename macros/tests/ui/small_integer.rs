use granule::prelude::*;

#[kernel]
fn f(x: u8) -> f32 {
    x as f32
}

fn main() {}
