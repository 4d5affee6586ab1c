use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    let _ = async { x };
    x
}

fn main() {}
