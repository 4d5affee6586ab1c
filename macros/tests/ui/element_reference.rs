use granule::prelude::*;

#[derive(Clone, Copy, Element)]
struct S<'a> {
    a: &'a f32,
}

fn main() {}
