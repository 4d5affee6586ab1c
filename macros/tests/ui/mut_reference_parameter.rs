use granule::prelude::*;

#[kernel]
fn f(x: &mut f32) -> f32 {
    *x
}

fn main() {}
