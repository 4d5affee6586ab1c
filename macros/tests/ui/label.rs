use granule::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    let mut y = x;
    'outer: loop {
        y += 1.0;
        if y > 9.0 {
            break 'outer;
        }
    }
    y
}

fn main() {}
