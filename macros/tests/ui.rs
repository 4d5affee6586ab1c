//! What the macros refuse: one error, at the user's place, that says what to write instead.
//!
//! Each `ui/*.rs` must fail to compile with the message in its `.stderr`. After a change, `TRYBUILD=overwrite` writes them anew.

#[test]
fn refusals() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
