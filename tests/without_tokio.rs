//! Without the default features the derives work, and `#[responder]` says what it needs.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

const SOURCE: &str = "
#[derive(amp::Command, Debug)]
#[amp(response = Total)]
pub struct Sum {
    pub a: u8,
}

#[derive(amp::Arguments, Debug)]
pub struct Total {
    #[amp(default, alias = \"sum\")]
    pub total: Vec<u8>,
    pub shape: Shape,
}

#[derive(amp::Value, Debug)]
pub enum Shape {
    Point,
    Circle { radius: f64 },
}
";

const RESPONDER: &str = "
#[amp::responder]
pub trait Adds {
    async fn sum(&self, command: Sum) -> amp::Reply<Sum>;
}
";

#[test]
fn without_tokio_the_derives_compile_and_a_responder_says_what_it_needs() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the workspace");
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("without_tokio");
    fs::create_dir_all(scratch.join("src")).expect("a directory under target/ can be made");
    let manifest = format!(
        "[package]\nname = \"without-tokio\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         amp-rpc = {{ path = {here:?}, default-features = false }}\n"
    );
    fs::write(scratch.join("Cargo.toml"), manifest).expect("it can be written to");
    fs::copy(here.join("Cargo.lock"), scratch.join("Cargo.lock")).expect("it can be written to");
    let derives = SOURCE.to_owned();
    let checked = check(&scratch, &derives);
    assert!(checked.is_empty(), "{checked}");
    let checked = check(&scratch, &(derives + RESPONDER));
    let first = checked.lines().find(|line| line.starts_with("error")).unwrap_or_default();
    assert!(first.starts_with("error: `#[responder]` needs the feature `tokio` of `amp-rpc`: add"), "{checked}");
    assert!(checked.contains("--> src/lib.rs:21:1"), "{checked}");
    assert_eq!(checked.matches("\nerror").count(), 1, "only that, and the end: {checked}");
}

/// What the compiler says of a crate with this source; nothing when it is content.
fn check(scratch: &Path, source: &str) -> String {
    fs::write(scratch.join("src/lib.rs"), source).expect("it can be written to");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut check = Command::new(cargo);
    check.current_dir(scratch).args(["check", "--quiet", "--offline"]).env("CARGO_TARGET_DIR", scratch.join("target"));
    let output = check.output().expect("cargo runs this test, so it is there");
    String::from_utf8_lossy(&output.stderr).into_owned()
}
