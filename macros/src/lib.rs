//! The procedural macros of `granule`. Use them through that crate.
