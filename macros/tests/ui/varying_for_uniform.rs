use granule::prelude::*;

#[kernel]
fn scale(x: f32, #[uniform] by: f32) -> f32 {
    x * by
}

#[kernel]
fn f(x: f32) -> f32 {
    scale(x, x)
}

fn main() {}
