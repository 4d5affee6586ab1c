use granule::prelude::*;

#[derive(Clone, Copy, Element)]
enum E {
    A,
    B,
}

fn main() {}
