use std::io;
use std::time::Instant;

use crate::events::Shortage;

pub(super) use spare::wants_descriptors;
use spare::{CAN_KEEP, Spare, open};

/// Descriptors that are kept free for connections that arrive when the process has no more. Each is an open file of its own,
/// which counts in the whole system, too. Where it is unknown how a platform reports that descriptors have run out, none is kept.
#[derive(Debug)]
pub(super) struct Reserve {
    size: usize,
    spare: Vec<Spare>,
    shortage: Shortage,
}

impl Reserve {
    pub(super) fn new(size: usize) -> Self {
        let size = if CAN_KEEP { size } else { 0 };
        let mut reserve = Self { size, spare: Vec::with_capacity(size), shortage: Shortage::default() };
        reserve.fill();
        reserve
    }

    fn fill(&mut self) {
        while self.spare.len() < self.size
            && let Ok(spare) = open()
        {
            self.spare.push(spare);
        }
    }

    /// Refills the reserve, as far as there are descriptors. Returns whether the shortage is over: it is full, and there are
    /// more.
    pub(super) fn refill(&mut self, owner: &str) -> bool {
        if self.spare.len() == self.size && !self.shortage.is_told() {
            return true;
        }
        self.fill();
        let is_over = self.spare.len() == self.size && open().is_ok();
        if is_over && self.shortage.ends().is_some() {
            tracing::info!("a {owner} has descriptors again");
        }
        is_over
    }

    pub(super) fn is_empty(&self) -> bool {
        self.spare.is_empty()
    }

    /// Called when there was no descriptor for a connection. Frees one. Returns whether there was one to free.
    pub(super) fn lend(&mut self, owner: &str, error: &io::Error, now: Instant) -> bool {
        if self.shortage.begins(now) {
            tracing::warn!(%error, "a {owner} has no descriptors left: connections are refused");
        }
        self.spare.pop().is_some()
    }
}

#[cfg(unix)]
mod spare {
    use std::io;
    use std::os::unix::net::UnixDatagram;

    use nix::errno::Errno;

    pub(super) const CAN_KEEP: bool = true;
    pub(super) type Spare = UnixDatagram;

    pub(super) fn open() -> io::Result<Spare> {
        UnixDatagram::unbound()
    }

    /// Whether an error says that the process, or the system, has no descriptors left.
    pub(in super::super) fn wants_descriptors(error: &io::Error) -> bool {
        matches!(error.raw_os_error().map(Errno::from_raw), Some(Errno::EMFILE | Errno::ENFILE))
    }
}

#[cfg(not(unix))]
mod spare {
    use std::convert::Infallible;
    use std::io;

    pub(super) const CAN_KEEP: bool = false;
    pub(super) type Spare = Infallible;

    pub(super) fn open() -> io::Result<Spare> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(in super::super) fn wants_descriptors(_: &io::Error) -> bool {
        false
    }
}
