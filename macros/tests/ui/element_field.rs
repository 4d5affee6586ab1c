use granule::prelude::*;

#[derive(Clone, Copy, Element)]
struct S {
    a: usize,
}

fn main() {}
