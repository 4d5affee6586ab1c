use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    let a = [x, x];
    a[0]
}

fn main() {}
