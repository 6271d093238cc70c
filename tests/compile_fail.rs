//! Every mistake that the macros know is reported on the user's own tokens, all of them at once, in words.
//!
//! After a change run it with `TRYBUILD=overwrite` and read what the messages have become.

#[test]
fn mistakes_are_reported_where_they_are() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
