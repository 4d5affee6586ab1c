use granule::prelude::*;

#[derive(Clone, Copy, Element)]
struct S;

fn main() {}
