use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use amp::locator::Locator;
use amp::schema::Schema;
use tempfile::NamedTempFile;

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/interop");

/// The Python that has Twisted, and a script for it; `None` when there is none and the tests are skipped.
///
/// # Panics
/// When there is none and `AMP_REQUIRE_INTEROP` is `1`.
pub(crate) fn python() -> Option<(&'static Path, PathBuf)> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match PYTHON.get_or_init(make) {
        Ok(python) => Some((python, Path::new(HERE).join("python/peer.py"))),
        Err(reason) => {
            let required = std::env::var_os("AMP_REQUIRE_INTEROP").is_some_and(|value| value == "1");
            assert!(!required, "AMP_REQUIRE_INTEROP is set, and there is no Twisted: {reason}");
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            // Not `eprintln`: the test runner would hide it.
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: there is no Twisted to talk to: {reason}");
            None
        }
    }
}

/// Makes the virtual environment unless it is there. Returns its Python.
fn make() -> Result<PathBuf, String> {
    let output = Command::new("python3")
        .arg(format!("{HERE}/python/environment.py"))
        .arg(env!("CARGO_TARGET_TMPDIR"))
        .arg(format!("{HERE}/requirements.txt"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("python3 does not start: {error}"))?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the virtual environment was not made: {}", log.trim_end()));
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end()))
}

/// Writes what a locator's commands declare as a Python module, and has Python import it with every warning an error.
pub(crate) fn generated(locator: &impl Locator) -> Option<NamedTempFile> {
    let (python, _) = python()?;
    let mut module = tempfile::Builder::new().prefix("generated_").suffix(".py").tempfile().unwrap();
    let text = Schema::of(locator.commands()).to_twisted();
    module.write_all(text.as_bytes()).unwrap();
    let path = module.path();
    let import = format!("import {}", path.file_stem().unwrap().to_str().unwrap());
    let imported =
        Command::new(python).args(["-W", "error", "-c", &import]).current_dir(path.parent().unwrap()).output();
    let imported = imported.unwrap();
    assert!(imported.status.success(), "{}\n{text}", String::from_utf8_lossy(&imported.stderr));
    Some(module)
}
