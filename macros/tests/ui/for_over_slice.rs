use granule::prelude::*;

#[kernel]
fn f(x: f32, data: &[f32]) -> f32 {
    let mut s = x;
    for v in data {
        s += v;
    }
    s
}

fn main() {}
