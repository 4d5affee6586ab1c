use granule::prelude::*;

#[kernel]
fn f<const N: usize>(x: f32) -> f32 {
    x
}

fn main() {}
