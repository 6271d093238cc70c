//! A child process with a connection on descriptors of our choice.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use tokio::process::{Child, Command as Process};

use super::Halves;

/// Starts a process that reads one descriptor and writes the other; the rest is as the caller has set it.
///
/// It takes the process by value: while it lives it holds the child's ends, and the child's end would never be seen.
pub(in crate::connection) fn spawn_on(
    mut process: Process,
    read: RawFd,
    write: RawFd,
    linger: Duration,
) -> io::Result<(Halves, Child)> {
    let (its_input, our_output) = io::pipe()?;
    let (our_input, its_output) = io::pipe()?;
    let halves = Halves::own(our_input.into(), our_output.into(), linger)?;
    let mappings = vec![
        FdMapping { parent_fd: its_input.into(), child_fd: read },
        FdMapping { parent_fd: its_output.into(), child_fd: write },
    ];
    let unfit = |words| io::Error::new(io::ErrorKind::InvalidInput, words);
    if read.min(write) < 0 || read.max(write) == RawFd::MAX {
        return Err(unfit("no descriptor has such a number"));
    }
    process.as_std_mut().fd_mappings(mappings).map_err(|_| unfit("the child cannot read and write one descriptor"))?;
    let occupied = occupy(read.max(write))?;
    let child = process.spawn()?;
    drop(occupied);
    Ok((halves, child))
}

/// Takes all free numbers up to `last`. The descriptor that the standard library opens to learn of a failed start could otherwise
/// have one of them: it would be replaced in the child, and the failure written to the peer.
fn occupy(last: RawFd) -> io::Result<Vec<OwnedFd>> {
    let mut occupied = Vec::new();
    while occupied.last().is_none_or(|taken: &OwnedFd| taken.as_raw_fd() <= last) {
        occupied.push(File::open("/dev/null")?.into());
    }
    Ok(occupied)
}
