//! Every mistake that the macros know is reported on the user's own tokens, all of them at once, in words.
//!
//! Half of each message is the compiler's own, which another release words differently: the texts are compared with the
//! release that wrote them only. After a change run it with `TRYBUILD=overwrite` and read what the messages have become.

use std::process::Command;

/// The release whose words stand in `tests/ui/*.stderr`.
const WRITTEN_WITH: &str = "rustc 1.95.";

#[test]
fn mistakes_are_reported_where_they_are() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("cargo runs, so rustc is there").stdout;
    let version = String::from_utf8_lossy(&version);
    if version.starts_with(WRITTEN_WITH) {
        trybuild::TestCases::new().compile_fail("ui/*.rs");
    } else {
        eprintln!("SKIPPED: the texts of tests/ui were written with {WRITTEN_WITH}*, this is {}", version.trim());
    }
}
