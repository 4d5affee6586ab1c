use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    let p = (x, x);
    p[0]
}

fn main() {}
