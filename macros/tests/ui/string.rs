use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    let _name = "x";
    x
}

fn main() {}
