use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    match x as i32 {
        0 => 1.0,
        _ => x,
    }
}

fn main() {}
