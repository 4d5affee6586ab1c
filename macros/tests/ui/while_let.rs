use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    let mut y = x;
    while let 1.0 = y {
        y += 1.0;
    }
    y
}

fn main() {}
