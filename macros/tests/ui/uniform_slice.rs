use granule::prelude::*;

#[kernel]
fn f(x: f32, #[uniform] data: &[f32]) -> f32 {
    x
}

fn main() {}
