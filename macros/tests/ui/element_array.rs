use granule::prelude::*;

#[derive(Clone, Copy, Element)]
struct S {
    a: [f32; 3],
}

fn main() {}
