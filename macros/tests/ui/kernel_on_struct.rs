use granule::prelude::*;

#[kernel]
struct S;

fn main() {}
