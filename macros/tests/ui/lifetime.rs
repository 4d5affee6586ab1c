use granule::prelude::*;

#[kernel]
fn f<'a>(x: f32, data: &'a [f32]) -> f32 {
    x + data[0]
}

fn main() {}
