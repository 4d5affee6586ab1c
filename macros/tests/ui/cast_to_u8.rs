use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    (x as u8) as f32
}

fn main() {}
