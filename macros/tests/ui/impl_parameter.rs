use granule::prelude::*;

#[kernel]
fn f(x: impl Number) -> f32 {
    1.0
}

fn main() {}
