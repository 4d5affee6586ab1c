use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    if let Some(y) = Some(x) { y } else { 0.0 }
}

fn main() {}
