//! The standard streams of this process, taken once.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout};

use super::kind::is_same;

/// The descriptors 0 and 1, and perhaps 2, are no longer those that this process inherited.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Runs `run` over the current standard input and output, and replaces these: otherwise they would be second copies, which keep
/// the peer from seeing the end, and into which `println!` and started programs write. Standard error that leads to either is
/// such a copy, too.
pub(super) fn take<T>(run: impl FnOnce(OwnedFd, OwnedFd) -> io::Result<T>) -> io::Result<T> {
    if TAKEN.swap(true, Ordering::SeqCst) {
        let words = "another connection has taken standard input and output";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
    }
    /// After any failure, also a panic on a runtime without I/O, the streams can be taken again.
    struct Restore(bool);

    impl Drop for Restore {
        fn drop(&mut self) {
            TAKEN.store(self.0, Ordering::SeqCst);
        }
    }

    let mut restore = Restore(false);
    let taken = replace(run);
    restore.0 = taken.is_ok();
    taken
}

fn replace<T>(run: impl FnOnce(OwnedFd, OwnedFd) -> io::Result<T>) -> io::Result<T> {
    let (input, output) = (io::stdin().as_fd().try_clone_to_owned()?, io::stdout().as_fd().try_clone_to_owned()?);
    let nothing = OwnedFd::from(File::options().read(true).write(true).open("/dev/null")?);
    // Output printed before does not belong to the connection, and goes to its original destination.
    io::stdout().flush()?;
    let errors = io::stderr().as_fd().try_clone_to_owned().ok();
    let leads_to_peer = match &errors {
        Some(errors) => is_same(errors, &input)? || is_same(errors, &output)?,
        None => false,
    };
    let elsewhere = errors.as_ref().filter(|_| !leads_to_peer).unwrap_or(&nothing);
    let running = run(input, output)?;
    dup2_stdin(&nothing)?;
    dup2_stdout(elsewhere)?;
    if leads_to_peer {
        dup2_stderr(&nothing)?;
    }
    Ok(running)
}
