//! The kind of a descriptor, found out without changing it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{SockType, getsockopt, sockopt};
use nix::sys::stat::{SFlag, fstat};
use tokio::net::unix::pipe;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Open one way.
    Pipe,
    Socket,
    /// A terminal, a file, a device: no poller accepts all of these. Also a named pipe that is open both ways, which is its own
    /// other end and so never ends or breaks: reopened one way it would.
    Other,
}

pub(super) fn of(descriptor: &OwnedFd) -> io::Result<Kind> {
    let kind = SFlag::from_bits_truncate(fstat(descriptor)?.st_mode) & SFlag::S_IFMT;
    Ok(match kind {
        SFlag::S_IFIFO if access(descriptor)? != OFlag::O_RDWR => Kind::Pipe,
        SFlag::S_IFSOCK => Kind::Socket,
        _ => Kind::Other,
    })
}

/// The directions in which it is open.
fn access(descriptor: &OwnedFd) -> io::Result<OFlag> {
    Ok(OFlag::from_bits_retain(fcntl(descriptor, FcntlArg::F_GETFL)?) & OFlag::O_ACCMODE)
}

/// Whether both are the same file, whichever descriptions and descriptors lead to it.
pub(super) fn is_same(one: impl AsFd, other: impl AsFd) -> io::Result<bool> {
    let (one, other) = (fstat(one)?, fstat(other)?);
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

pub(super) fn is_same_socket(one: &OwnedFd, other: &OwnedFd) -> io::Result<bool> {
    Ok(of(one)? == Kind::Socket && is_same(one, other)?)
}

/// Checks whether a connection can run over the two, and keeps them from programs that this one starts.
pub(super) fn check(read: &OwnedFd, write: &OwnedFd) -> io::Result<()> {
    for (descriptor, unfit, words) in [
        (read, OFlag::O_WRONLY, "the descriptor to read is open for writing only"),
        (write, OFlag::O_RDONLY, "the descriptor to write is open for reading only"),
    ] {
        if access(descriptor)? == unfit {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        }
        if of(descriptor)? == Kind::Socket {
            check_socket(descriptor)?;
        }
        fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    }
    Ok(())
}

fn check_socket(socket: &OwnedFd) -> io::Result<()> {
    let unfit = |words| Err(io::Error::new(io::ErrorKind::InvalidInput, words));
    if getsockopt(socket, sockopt::SockType)? != SockType::Stream {
        return unfit("the socket carries messages, not a byte stream");
    }
    if getsockopt(socket, sockopt::AcceptConn)? {
        return unfit("the socket listens; a connection that it has accepted is needed");
    }
    Ok(())
}

/// The same pipe with an open file description of its own, whose flags are not shared. `None` where that is impossible: without
/// `/proc`, or when the pipe belongs to another user.
pub(super) fn reopen_to_read(pipe: &OwnedFd) -> Option<pipe::Receiver> {
    let opened = pipe::OpenOptions::new().open_receiver(path(pipe)?).ok()?;
    // A new description of a named pipe without writers reports no end; the old one does.
    let mut ended = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
    poll(&mut ended, PollTimeout::ZERO).ok()?;
    let has_ended = ended[0].revents().is_none_or(|events| events.contains(PollFlags::POLLHUP));
    (!has_ended).then_some(opened)
}

/// As [`reopen_to_read`]; also impossible when the pipe has no reader any more.
pub(super) fn reopen_to_write(pipe: &OwnedFd) -> Option<pipe::Sender> {
    pipe::OpenOptions::new().open_sender(path(pipe)?).ok()
}

/// The path to reopen a descriptor. On systems other than Linux such a path only duplicates it, flags and all.
fn path(descriptor: &OwnedFd) -> Option<String> {
    cfg!(any(target_os = "linux", target_os = "android")).then(|| format!("/proc/self/fd/{}", descriptor.as_raw_fd()))
}
