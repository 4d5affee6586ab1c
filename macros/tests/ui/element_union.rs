use granule::prelude::*;

#[derive(Clone, Copy, Element)]
union U {
    a: f32,
    b: u32,
}

fn main() {}
